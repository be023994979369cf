use pairmill_metrics::Scores;

/// What a model made of each item of a data set (a query, a pair, a triplet, a ticket), and the
/// figures that any choice of the items gives: intervals draw items again, groups take some.
pub(crate) trait Sample: Sync {
    /// The names of the figures, the chief one first.
    fn metrics(&self) -> Vec<String>;

    /// How many items there are.
    fn len(&self) -> usize;

    /// The figures over the items of these numbers, which may repeat, in the order of
    /// [`metrics`](Self::metrics); NaN where a figure is undefined.
    fn figures(&self, items: &[u32]) -> Vec<f64>;

    /// The value of each item, where the figure of this number is their mean.
    fn values(&self, metric: usize) -> Option<Vec<f64>>;

    /// What is kept of each item for people and later comparisons, by column name: enough to make
    /// the figures again.
    fn columns(&self) -> Vec<(String, Vec<f64>)>;
}

/// The figures over all items, under their names.
pub(crate) fn scores(sample: &impl Sample) -> Scores {
    let all: Vec<u32> = (0..sample.len() as u32).collect();
    let figures = sample.figures(&all);
    sample.metrics().into_iter().zip(figures).collect()
}

/// How often each item of a sample is among the drawn ones.
pub(crate) fn counts(items: &[u32], len: usize) -> Vec<u32> {
    let mut counts = vec![0; len];
    for &item in items {
        counts[item as usize] += 1;
    }
    counts
}
