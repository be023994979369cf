/// Linear warm-up from 0 to 1, then linear decay to 0: the factor on the learning rate at a step.
///
/// As `get_linear_schedule_with_warmup` of the transformers library.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LinearSchedule {
    warmup_steps: u64,
    total_steps: u64,
}

impl LinearSchedule {
    pub fn new(total_steps: u64, warmup_ratio: f64) -> Self {
        Self {
            warmup_steps: (total_steps as f64 * warmup_ratio).ceil() as u64,
            total_steps,
        }
    }

    /// The factor for the step with this index, from 0.
    pub fn factor(&self, step: u64) -> f64 {
        if step < self.warmup_steps {
            step as f64 / self.warmup_steps.max(1) as f64
        } else {
            let left = self.total_steps.saturating_sub(step) as f64;
            left / self.total_steps.saturating_sub(self.warmup_steps).max(1) as f64
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rises_over_the_warm_up_and_falls_to_zero() {
        let schedule = LinearSchedule::new(100, 0.1);
        let factors = [0, 5, 10, 55, 100].map(|step| schedule.factor(step));
        assert_eq!(factors, [0.0, 0.5, 1.0, 0.5, 0.0]);
    }

    #[test]
    fn a_single_step_without_warm_up_trains_at_full_rate() {
        assert_eq!(LinearSchedule::new(1, 0.0).factor(0), 1.0);
    }
}
