use pairmill_metrics::RetrievalMetric;

#[derive(Debug, clap::Args)]
pub(super) struct MetricArgs {
    #[arg(
        long,
        value_name = "METRIC@K,…",
        value_delimiter = ',',
        default_values_t = RetrievalMetric::defaults(),
        help = help()
    )]
    metrics: Vec<RetrievalMetric>,
    /// Drop a result that has the id of its query, as BEIR does
    #[arg(long)]
    pub ignore_identical_ids: bool,
}

fn help() -> String {
    format!(
        "Metrics with their cut-offs, chief figure first: {}",
        RetrievalMetric::described()
    )
}

impl MetricArgs {
    /// Returns each metric once.
    pub fn metrics(&self) -> Vec<RetrievalMetric> {
        let mut metrics = Vec::new();
        for metric in &self.metrics {
            if !metrics.contains(metric) {
                metrics.push(*metric);
            }
        }
        metrics
    }
}
