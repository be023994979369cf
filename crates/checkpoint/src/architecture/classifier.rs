use super::HiddenActivation;
use crate::PoolingMode;

/// The head of Hugging Face's `…ForSequenceClassification`: token states to a logit, through a
/// dense layer, an activation and sometimes a norm.
#[derive(Debug, Clone)]
pub struct ClassifierConfig {
    /// What of the token states it sees: the first token or the mean.
    pub pooling: PoolingMode,
    /// Name of the dense layer.
    pub dense: &'static str,
    /// Whether it has a bias.
    pub dense_bias: bool,
    /// The function behind it.
    pub activation: HiddenActivation,
    /// The norm behind that, if there is one.
    pub norm: Option<NormConfig>,
    /// Name of the layer of the logits.
    pub output: &'static str,
    /// Dropout of what it sees.
    pub dropout_before_dense: f64,
    /// Dropout before the logits.
    pub dropout_before_output: f64,
    /// Width of what it sees.
    pub hidden: i64,
    /// Standard deviation of fresh weights.
    pub initializer_range: f64,
}

/// A layer norm of a head.
#[derive(Debug, Clone)]
pub struct NormConfig {
    /// Its name.
    pub name: &'static str,
    /// Added to the variance.
    pub eps: f64,
    /// Whether it has a bias.
    pub bias: bool,
}

impl ClassifierConfig {
    /// Returns the head that most architectures have, without dropout, for states of this width.
    pub(super) fn of_width(hidden: i64) -> Self {
        Self {
            pooling: PoolingMode::Cls,
            dense: "classifier.dense",
            dense_bias: true,
            activation: HiddenActivation::Tanh,
            norm: None,
            output: "classifier.out_proj",
            dropout_before_dense: 0.0,
            dropout_before_output: 0.0,
            hidden,
            initializer_range: 0.02,
        }
    }

    /// Returns whether a tensor of this name belongs to the head.
    pub fn owns(&self, name: &str) -> bool {
        let norm = self.norm.as_ref().map(|norm| norm.name);
        [Some(self.dense), norm, Some(self.output)]
            .into_iter()
            .flatten()
            .any(|layer| matches!(name.strip_prefix(layer), Some(".weight" | ".bias")))
    }
}
