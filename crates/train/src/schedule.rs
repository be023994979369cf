use clap::ValueEnum;
use serde::Serialize;

/// How the learning rate goes on after the warm-up. Names as in the transformers library.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ScheduleKind {
    /// Falls linearly to 0
    Linear,
    /// Falls to 0 along half a cosine
    Cosine,
    /// Stays
    #[value(alias = "constant_with_warmup")]
    Constant,
}

/// The factor on the learning rate at each step: a linear rise from 0 to 1, then the decay of its
/// kind. As `get_{linear,cosine,constant}_schedule_with_warmup` of the transformers library.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Schedule {
    kind: ScheduleKind,
    warmup_steps: u64,
    total_steps: u64,
}

impl Schedule {
    /// Plans the rates. A warm-up of less than one step is none, since its first step, at rate 0,
    /// would be lost; nor is there one where the only step would be.
    pub fn new(kind: ScheduleKind, total_steps: u64, warmup_ratio: f64) -> Self {
        let warmup = total_steps as f64 * warmup_ratio;
        let is_lost = warmup < 1.0 || total_steps <= 1;
        Self {
            kind,
            warmup_steps: if is_lost { 0 } else { warmup.ceil() as u64 },
            total_steps,
        }
    }

    /// Returns the factor for the step with this index, from 0.
    pub fn factor(&self, step: u64) -> f64 {
        if step < self.warmup_steps {
            return step as f64 / self.warmup_steps as f64;
        }
        let decay_steps = self.total_steps.saturating_sub(self.warmup_steps).max(1);
        let done = (step - self.warmup_steps) as f64 / decay_steps as f64;
        match self.kind {
            ScheduleKind::Linear => (1.0 - done).max(0.0),
            ScheduleKind::Cosine => (0.5 * (1.0 + (std::f64::consts::PI * done).cos())).max(0.0),
            ScheduleKind::Constant => 1.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn factors(kind: ScheduleKind) -> [f64; 5] {
        let schedule = Schedule::new(kind, 100, 0.1);
        [0, 5, 10, 55, 100].map(|step| schedule.factor(step))
    }

    #[test]
    fn rises_over_the_warm_up_and_falls_to_zero() {
        assert_eq!(factors(ScheduleKind::Linear), [0.0, 0.5, 1.0, 0.5, 0.0]);
        assert_eq!(factors(ScheduleKind::Constant), [0.0, 0.5, 1.0, 1.0, 1.0]);
        let expected = [0.0, 0.5, 1.0, 0.5, 0.0];
        for (factor, expected) in factors(ScheduleKind::Cosine).into_iter().zip(expected) {
            assert!((factor - expected).abs() < 1e-12);
        }
    }

    #[test]
    fn a_single_step_trains_at_full_rate() {
        for warmup_ratio in [0.0, 0.1, 1.0] {
            let schedule = Schedule::new(ScheduleKind::Linear, 1, warmup_ratio);
            assert_eq!(schedule.factor(0), 1.0);
        }
    }

    #[test]
    fn a_warm_up_takes_a_whole_step_or_none() {
        let first = |steps| Schedule::new(ScheduleKind::Linear, steps, 0.1).factor(0);
        assert_eq!([2, 9, 10, 11].map(first), [1.0, 1.0, 0.0, 0.0]);
    }
}
