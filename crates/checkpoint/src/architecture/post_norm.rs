//! Layers as in the original transformer (Vaswani et al. 2017): attention and a feed-forward
//! network, each added to what went in and then normalised.

use super::HiddenActivation;

/// What the parameters of a layer are called in a checkpoint, without `.weight`.
pub struct PostNormNames {
    /// Queries.
    pub query: String,
    /// Keys.
    pub key: String,
    /// Values.
    pub value: String,
    /// What the heads come to.
    pub attention_output: String,
    /// The norm behind the attention.
    pub attention_norm: String,
    /// The feed-forward network, on the way in.
    pub intermediate: String,
    /// The feed-forward network, on the way out.
    pub output: String,
    /// The norm behind it.
    pub output_norm: String,
}

/// The sizes and settings of a layer.
#[derive(Debug, Clone)]
pub struct PostNormConfig {
    /// Width of the hidden states.
    pub hidden: i64,
    /// Width of the feed-forward layer.
    pub wide: i64,
    /// Attention heads.
    pub heads: i64,
    /// Activation of the feed-forward layer.
    pub activation: HiddenActivation,
    /// Added to the variance in layer norms.
    pub eps: f64,
    /// Dropout of attention weights.
    pub weights_dropout: f64,
    /// Dropout of what the attention gives.
    pub attention_dropout: f64,
    /// Dropout of what the feed-forward network gives.
    pub output_dropout: f64,
}
