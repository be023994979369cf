//! Figures of other implementations, for tests; `tests/reference/paired_tests.py` makes them.

use serde_json::Value;

const PAIRED_TESTS: &str = include_str!("../../../tests/reference/paired_tests.json");

/// A named case of `tests/reference/paired_tests.json`.
pub(crate) struct Case {
    pub name: String,
    value: Value,
}

/// Returns the cases under a key.
pub(crate) fn cases(key: &str) -> Vec<Case> {
    let mut all: Value = serde_json::from_str(PAIRED_TESTS).unwrap();
    let cases = all[key].as_object_mut().unwrap();
    assert!(!cases.is_empty());
    std::mem::take(cases)
        .into_iter()
        .map(|(name, value)| Case { name, value })
        .collect()
}

impl Case {
    pub fn number(&self, key: &str) -> f64 {
        self.value[key].as_f64().unwrap()
    }

    pub fn flag(&self, key: &str) -> bool {
        self.value[key].as_bool().unwrap()
    }

    pub fn numbers(&self, key: &str) -> Vec<f64> {
        let values = self.value[key].as_array().unwrap();
        values.iter().map(|value| value.as_f64().unwrap()).collect()
    }

    /// Holds a figure against the one under `key`; `tolerance` is relative to its size, or
    /// absolute for figures below 1.
    pub fn close(&self, key: &str, found: f64, tolerance: f64) {
        let expected = self.number(key);
        assert!(
            (found - expected).abs() <= tolerance * expected.abs().max(1.0),
            "{}: {key} is {found}, not {expected}",
            self.name
        );
    }
}
