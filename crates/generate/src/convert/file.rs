use std::path::Path;

use datafusion::prelude::SessionContext;
use pairmill_cli::Progress;
use pairmill_schema::counted;
use pairmill_tables::{Format, Lineage, Lines, Table, run_or_qrels};
use serde_json::json;
use tracing::info;

use super::rows::{Output, Rows};
use super::{ConvertConfig, ConvertSummary};
use crate::{GenerateError, Result};

/// Converts a run or judgements into the form that the output's ending tells.
pub(super) async fn convert(
    config: &ConvertConfig,
    session: &SessionContext,
) -> Result<Option<ConvertSummary>> {
    let (input, output) = (config.input.as_str(), config.output.as_path());
    let lineage = Lineage::new("generate convert", &json!({}), 0).with_input("input", input)?;
    if lineage.is_done(output, config.force)? {
        return Ok(None);
    }
    let table = run_or_qrels(session, input).await?;
    let mut rows = Rows::open(session, input, table).await?;
    let mut file = create(output, table, &lineage)?;
    let progress = Progress::new("converting", "rows", None);
    while let Some(batch) = rows.next(&progress).await? {
        file.write(&batch)?;
    }
    drop(progress);
    let (rows, table) = (file.rows(), table.name().to_owned());
    let summary = ConvertSummary::File { table, rows };
    file.finish_with(&summary)?;
    if let ConvertSummary::File { table, .. } = &summary {
        let rows = counted(rows, "row", "rows");
        info!("wrote {}: {rows} ({table})", output.display());
    }
    Ok(Some(summary))
}

fn create(output: &Path, table: Table, lineage: &Lineage) -> Result<Output> {
    match (Format::of_name(output), table) {
        (Some(Format::Trec), Table::Run) => Output::lines(output, Lines::TrecRun, Some(lineage)),
        (Some(Format::Trec), _) => Output::lines(output, Lines::TrecQrels, Some(lineage)),
        (Some(Format::Csv(b'\t')), Table::Qrels) => {
            Output::lines(output, Lines::BeirQrels, Some(lineage))
        }
        (Some(_), _) => Output::table(output, table, lineage),
        _ => Err(GenerateError::NoSuchForm {
            output: output.to_owned(),
            table: table.name(),
        }),
    }
}
