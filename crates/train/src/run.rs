use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result};
use pairmill_cli::{Common, Outcome};
use serde::Serialize;
use tokio::runtime::Runtime;

/// Sets up threads and random state for a training command.
pub(crate) fn prepare(common: &Common) -> Result<Runtime> {
    tch::set_num_threads(common.threads() as i32);
    tch::manual_seed(common.seed as i64);
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(common.threads())
        .enable_all()
        .build()
        .context("cannot start the worker threads")
}

/// Reports the end of a training command; `None` where the output was there already.
pub(crate) fn finish<R: Serialize>(
    output: &Path,
    common: &Common,
    report: Option<R>,
) -> Result<Outcome> {
    match &report {
        Some(_) => tracing::info!("wrote {}", output.display()),
        None => tracing::info!("{} is up to date", output.display()),
    }
    if common.json {
        #[derive(Serialize)]
        struct Result<'a, R> {
            output: String,
            up_to_date: bool,
            #[serde(flatten)]
            report: &'a Option<R>,
        }
        let result = Result {
            output: output.display().to_string(),
            up_to_date: report.is_none(),
            report: &report,
        };
        writeln!(std::io::stdout(), "{}", serde_json::to_string(&result)?)?;
    }
    Ok(Outcome::Done)
}
