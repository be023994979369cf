use pairmill_metrics::RetrievalMetric;

#[derive(Debug, clap::Args)]
pub(super) struct MetricArgs {
    /// Metrics with their cut-offs, chief figure first: ndcg (linear gain), ndcg_exp (exponential
    /// gain), mrr, map, map_trec (as trec_eval divides), recall, recall_cap (capped), precision,
    /// accuracy, hole (unjudged results)
    #[arg(long, value_name = "METRIC@K,…", value_delimiter = ',', default_values_t = RetrievalMetric::DEFAULTS)]
    metrics: Vec<RetrievalMetric>,
    /// Drop a result that has the id of its query, as BEIR does
    #[arg(long)]
    pub ignore_identical_ids: bool,
}

impl MetricArgs {
    /// Each metric once.
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
