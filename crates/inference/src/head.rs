use serde::Serialize;

/// What turns a logit into a score.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Activation {
    /// 1 / (1 + e⁻ˣ): scores between 0 and 1.
    Sigmoid,
    /// The logit itself.
    Identity,
}

impl Activation {
    /// Returns the activation of a class path that sentence-transformers wrote; `None` for others.
    fn of_class(path: &str) -> Option<Self> {
        match path.rsplit('.').next() {
            Some("Sigmoid") => Some(Self::Sigmoid),
            Some("Identity") => Some(Self::Identity),
            _ => None,
        }
    }

    pub(crate) fn apply(self, logit: f32) -> f32 {
        match self {
            Self::Sigmoid => 1.0 / (1.0 + (-logit).exp()),
            Self::Identity => logit,
        }
    }
}

/// How a row of logits becomes one score.
///
/// One logit goes through the activation. Of two logits one stands for "relevant"; what goes
/// through the activation is that one less the other, so that the sigmoid is its softmax
/// probability.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    pub logits: usize,
    /// The one that stands for "relevant".
    pub relevant: usize,
    pub activation: Activation,
}

impl Head {
    /// Returns the head of a model with `logits` (1 or 2) outputs: the activation the user chose,
    /// else the one of the config, else the sigmoid.
    pub fn new(
        logits: usize,
        relevant: usize,
        chosen: Option<Activation>,
        class: Option<&str>,
    ) -> Result<Self, String> {
        let activation = match (chosen, class) {
            (Some(activation), _) => activation,
            // For several logits sentence-transformers writes Identity and leaves the rest to the
            // caller.
            (None, Some(class)) if logits == 1 => Activation::of_class(class).ok_or_else(|| {
                format!("config.json asks for the activation {class}, which is not known here; say --activation sigmoid or --activation identity")
            })?,
            _ => Activation::Sigmoid,
        };
        Ok(Self {
            logits,
            relevant,
            activation,
        })
    }

    /// Returns what of a row of logits goes through the activation.
    pub fn logit(self, row: &[f32]) -> f32 {
        match row {
            [first, second] if self.relevant == 0 => first - second,
            [first, second] => second - first,
            _ => row[0],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score(head: Head, row: &[f32]) -> f32 {
        head.activation.apply(head.logit(row))
    }

    const IDENTITY: Option<&str> = Some("torch.nn.modules.linear.Identity");

    #[test]
    fn one_logit_follows_the_user_then_the_config_then_the_sigmoid() {
        let activation = |chosen, class| Head::new(1, 0, chosen, class).unwrap().activation;
        assert_eq!(activation(None, None), Activation::Sigmoid);
        assert_eq!(activation(None, IDENTITY), Activation::Identity);
        assert_eq!(
            activation(Some(Activation::Sigmoid), IDENTITY),
            Activation::Sigmoid
        );
        assert!(Head::new(1, 0, None, Some("torch.nn.Tanh")).is_err());
    }

    #[test]
    fn two_logits_give_the_softmax_of_the_second() {
        let head = Head::new(2, 1, None, IDENTITY).unwrap();
        let softmax = 2f32.exp() / (2f32.exp() + 0.5f32.exp());
        assert!((score(head, &[0.5, 2.0]) - softmax).abs() < 1e-6);
        let odds = Head::new(2, 1, Some(Activation::Identity), None).unwrap();
        assert_eq!(score(odds, &[0.5, 2.0]), 1.5);
        let first = Head::new(2, 0, Some(Activation::Identity), None).unwrap();
        assert_eq!(score(first, &[0.5, 2.0]), -1.5);
    }

    #[test]
    fn the_sigmoid_keeps_its_ends() {
        let head = Head::new(1, 0, None, None).unwrap();
        assert_eq!(score(head, &[200.0]), 1.0);
        assert_eq!(score(head, &[-200.0]), 0.0);
        assert!(score(head, &[f32::NAN]).is_nan());
    }
}
