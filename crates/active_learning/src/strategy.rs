use pairmill_classification::Probabilities;
use serde::Serialize;
use strum::{Display, EnumString, IntoStaticStr, VariantArray};

/// By what rows are chosen when some labels are known.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Default,
    Serialize,
    Display,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Strategy {
    /// Where the two likeliest classes are nearest to each other (Scheffer et al., 2001).
    #[default]
    Margin,
    /// Where the entropy of the classes is highest.
    Entropy,
    /// Where the likeliest class is least likely.
    LeastConfidence,
    /// Where the gradients of the loss are large and unlike each other (Ash et al., Deep batch
    /// active learning by diverse, uncertain gradient lower bounds, 2020).
    Badge,
    /// The typical row of each of as many clusters as rows are asked for, whatever the labels.
    Diverse,
    /// Any rows: what the others are measured against.
    Random,
}

impl Strategy {
    /// Returns how much the label of a row would teach, as far as its own probabilities tell: the
    /// higher, the less sure they are.
    pub(crate) fn uncertainty(self, probabilities: &Probabilities, row: usize) -> f32 {
        match self {
            Self::Margin | Self::Badge => 1.0 - probabilities.margin(row),
            Self::Entropy => probabilities.entropy(row),
            Self::LeastConfidence => 1.0 - probabilities.row(row)[probabilities.most_likely(row)],
            Self::Diverse | Self::Random => 0.0,
        }
    }
}
