use std::collections::BTreeMap;

use pairmill_metrics::{ChiSquare, chi_square};
use serde::{Deserialize, Serialize};

use crate::log::{ArmLog, Log};

/// Below this p-value the traffic was hardly split as planned (Fabijan et al., *Diagnosing Sample
/// Ratio Mismatch in Online Controlled Experiments*, 2019).
const MISMATCH: f64 = 0.001;

/// Counts of each arm against the shares they were to have.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SampleRatio {
    /// What is counted: `users`, or `impressions` where the log has no users.
    pub of: String,
    /// By arm.
    pub observed: BTreeMap<String, u64>,
    /// By arm.
    pub expected: BTreeMap<String, f64>,
    /// Pearson's statistic.
    pub chi_square: Option<f64>,
    /// How likely one as large is by chance.
    pub p_value: Option<f64>,
    /// Whether that is below 0.001, so that the figures are not to be believed.
    pub mismatch: bool,
}

impl SampleRatio {
    pub(crate) fn of(log: &Log, shares: &BTreeMap<String, f64>) -> Self {
        let has_users = log.users_in_several_arms.is_some();
        let count = |arm: &str| match log.arms.get(arm) {
            Some(ArmLog {
                users: Some(users), ..
            }) => users.len() as u64,
            Some(arm) => arm.impressions,
            None => 0,
        };
        let observed: BTreeMap<String, u64> =
            shares.keys().map(|arm| (arm.clone(), count(arm))).collect();
        let counts: Vec<u64> = observed.values().copied().collect();
        let planned: Vec<f64> = shares.values().copied().collect();
        let unit =
            counts.iter().map(|&count| count as f64).sum::<f64>() / planned.iter().sum::<f64>();
        let test: Option<ChiSquare> = chi_square(&counts, &planned);
        Self {
            of: if has_users { "users" } else { "impressions" }.to_owned(),
            observed,
            expected: shares
                .iter()
                .map(|(arm, share)| (arm.clone(), share * unit))
                .collect(),
            chi_square: test.map(|test| test.statistic),
            p_value: test.map(|test| test.p_value),
            mismatch: test.is_some_and(|test| test.p_value < MISMATCH),
        }
    }
}
