use serde::{Deserialize, Serialize};

/// One strategy after one round, in the mean of its runs.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Simulation {
    /// The strategy.
    pub strategy: String,
    /// Texts labelled by then.
    pub labels: usize,
    /// Share of the test texts whose category logistic regression tells.
    pub accuracy: f64,
    /// Lowest and highest accuracy of the runs.
    pub range: (f64, f64),
    /// The mean F1 of all categories.
    pub macro_f1: f64,
    /// Agreement with the round before on the rest of the pool, from the second round on.
    pub kappa: Option<f64>,
}

/// What the simulation found.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Simulated {
    /// Texts of the pool.
    pub pool: usize,
    /// Texts of the test.
    pub test: usize,
    /// Accuracy when the whole pool is labelled.
    pub accuracy_of_all: f64,
    /// What was reached, by strategy and round.
    pub rounds: Vec<Simulation>,
}
