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

    /// The figures over all items, under their names.
    fn all(&self) -> Scores {
        let items: Vec<u32> = (0..self.len() as u32).collect();
        self.metrics()
            .into_iter()
            .zip(self.figures(&items))
            .collect()
    }

    /// The value of each item, where the figure of this number is their mean.
    fn values(&self, metric: usize) -> Option<Vec<f64>>;

    /// What is kept of each item for people and later comparisons, by column name: enough to make
    /// the figures again.
    fn columns(&self) -> Vec<(String, Vec<f64>)>;
}

impl Sample for Box<dyn Sample> {
    fn metrics(&self) -> Vec<String> {
        (**self).metrics()
    }

    fn len(&self) -> usize {
        (**self).len()
    }

    fn figures(&self, items: &[u32]) -> Vec<f64> {
        (**self).figures(items)
    }

    fn values(&self, metric: usize) -> Option<Vec<f64>> {
        (**self).values(metric)
    }

    fn columns(&self) -> Vec<(String, Vec<f64>)> {
        (**self).columns()
    }
}

/// Items whose figures are the means of their values.
#[derive(Debug, Clone)]
pub(crate) struct Means {
    pub metrics: Vec<String>,
    /// A value for each metric, item by item.
    pub rows: Vec<Vec<f64>>,
}

impl Sample for Means {
    fn metrics(&self) -> Vec<String> {
        self.metrics.clone()
    }

    fn len(&self) -> usize {
        self.rows.len()
    }

    fn figures(&self, items: &[u32]) -> Vec<f64> {
        // One pass in the order of the rows is far faster than going from one drawn row to another.
        let mut sums = vec![0.0; self.metrics.len()];
        let drawn = counts(items, self.rows.len());
        for (row, &times) in self.rows.iter().zip(&drawn) {
            if times > 0 {
                for (sum, value) in sums.iter_mut().zip(row) {
                    *sum += f64::from(times) * value;
                }
            }
        }
        sums.iter().map(|sum| sum / items.len() as f64).collect()
    }

    fn values(&self, metric: usize) -> Option<Vec<f64>> {
        Some(self.rows.iter().map(|row| row[metric]).collect())
    }

    fn columns(&self) -> Vec<(String, Vec<f64>)> {
        let values = |i: usize| self.rows.iter().map(|row| row[i]).collect();
        let names = self.metrics.iter().enumerate();
        names.map(|(i, name)| (name.clone(), values(i))).collect()
    }
}

/// How often each item of a sample is among the drawn ones.
pub(crate) fn counts(items: &[u32], len: usize) -> Vec<u32> {
    let mut counts = vec![0; len];
    for &item in items {
        counts[item as usize] += 1;
    }
    counts
}
