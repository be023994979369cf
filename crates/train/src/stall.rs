//! Losses that say nothing is learnt.

/// Steps of exactly no loss or gradient after which that is said.
const OF_NOTHING: u64 = 3;
/// Steps of one loss after which that is said.
const OF_ONE_LOSS: u64 = 10;
/// Share of a loss within which two are one.
const TOLERANCE: f64 = 1e-6;

/// Watches losses and gradients, and says once each what they say.
#[derive(Debug, Default)]
pub(crate) struct Stall {
    steps: u64,
    last: f64,
    /// Steps up to now with the last loss.
    standing: u64,
    /// Steps up to now without a loss.
    zero: u64,
    /// Steps up to now without a gradient.
    flat: u64,
    told: bool,
}

impl Stall {
    /// Returns what is to be said after a step, if anything.
    pub fn after_step(&mut self, loss: f64, gradient_norm: f64) -> Option<String> {
        let same = (loss - self.last).abs() <= TOLERANCE * loss.abs();
        self.standing = if same && self.steps > 0 {
            self.standing + 1
        } else {
            1
        };
        self.zero = if loss == 0.0 { self.zero + 1 } else { 0 };
        self.flat = if gradient_norm == 0.0 {
            self.flat + 1
        } else {
            0
        };
        self.last = loss;
        self.steps += 1;
        self.told_of(OF_NOTHING, OF_ONE_LOSS)
    }

    /// Returns what is to be said at the end of a run that was too short to say it before.
    pub fn at_end(&mut self) -> Option<String> {
        let all = self.steps.max(1);
        self.told_of(all, all.max(3))
    }

    fn told_of(&mut self, nothing: u64, one_loss: u64) -> Option<String> {
        if self.told {
            return None;
        }
        let of = |steps: u64| match steps {
            1 => "in the last step".to_owned(),
            steps => format!("in {steps} steps on end"),
        };
        let said = if self.zero >= nothing {
            format!(
                "the loss was exactly 0 {}: nothing is learnt from such batches (no negative in them, or all of them far enough away already)",
                of(self.zero)
            )
        } else if self.flat >= nothing {
            format!(
                "the gradient was exactly 0 {}, so the weights stand still: the loss says nothing of these batches",
                of(self.flat)
            )
        } else if self.standing >= one_loss {
            format!(
                "the loss stood at {:.6} {}: the model tells nothing apart (a triplet loss at its margin means that positives and negatives are equally far away)",
                self.last,
                of(self.standing)
            )
        } else {
            return None;
        };
        self.told = true;
        Some(said)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(losses: impl IntoIterator<Item = (f64, f64)>) -> Option<String> {
        let mut stall = Stall::default();
        let mut steps = losses.into_iter();
        let said = steps.find_map(|(loss, norm)| stall.after_step(loss, norm));
        said.or_else(|| stall.at_end())
    }

    #[test]
    fn a_loss_of_nothing_is_told_after_a_few_steps() {
        let said = told([(0.7, 1.0), (0.0, 0.0), (0.0, 0.0), (0.0, 0.0), (1.0, 1.0)]);
        assert!(said.unwrap().contains("exactly 0 in 3 steps"));
        let said = told([(0.0, 0.0)]).unwrap();
        assert!(said.contains("exactly 0 in the last step"), "{said}");
    }

    #[test]
    fn a_loss_at_its_margin_is_told() {
        let said = told((0..10).map(|step| (5.0 + 1e-7 * f64::from(step), 0.1))).unwrap();
        assert!(said.contains("stood at 5.00000"), "{said}");
        assert!(
            told([(5.0, 0.1), (5.0, 0.1), (5.0, 0.1)]).is_some(),
            "short"
        );
    }

    #[test]
    fn a_loss_that_moves_is_none_of_its_business() {
        assert_eq!(told((1..40).map(|step| (1.0 / f64::from(step), 0.5))), None);
        assert_eq!(told([(0.0, 0.0), (0.4, 1.0)]), None);
        assert_eq!(told([(0.4, 1.0), (0.4, 1.0)]), None);
    }
}
