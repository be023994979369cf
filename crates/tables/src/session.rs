use std::sync::Arc;

use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::prelude::{SessionConfig, SessionContext};

use crate::underway::remove_left_over;
use crate::{Result, TableError};

/// Rows a plan hands on at a time.
const BATCH_ROWS: usize = 4_096;
/// Bytes that sorts and joins may hold before they spill to disk.
const MEMORY_LIMIT: usize = 2 << 30;

/// Returns a DataFusion session as every stage wants it: plain strings rather than views, bounded
/// memory with spilling, `threads` partitions.
///
/// # Errors
/// If the runtime cannot be set up (no temporary folder).
pub fn session(threads: usize) -> Result<SessionContext> {
    let temporary = std::env::temp_dir();
    if !temporary.is_dir() {
        return Err(TableError::NoTemporaryFolder { path: temporary });
    }
    remove_left_over();
    let mut config = SessionConfig::new()
        .with_target_partitions(threads.max(1))
        .with_batch_size(BATCH_ROWS)
        .with_collect_statistics(false);
    config
        .options_mut()
        .execution
        .parquet
        .schema_force_view_types = false;
    config.options_mut().sql_parser.map_string_types_to_utf8view = false;
    let runtime = RuntimeEnvBuilder::new()
        .with_memory_pool(Arc::new(FairSpillPool::new(MEMORY_LIMIT)))
        .build_arc()?;
    Ok(SessionContext::new_with_config_rt(config, runtime))
}
