//! What labels a loss takes.

use std::fmt::Display;

use crate::error::{Result, TrainError};

/// The labels that a loss takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Labels {
    /// 0 or 1.
    Binary,
    /// From 0 to 1.
    Share,
    /// What a cosine can be, from -1 to 1.
    Cosine,
    /// Any number: only the order counts.
    Order,
}

impl Labels {
    /// Refuses a label that the loss cannot take.
    ///
    /// # Errors
    /// With the place of the row, the value and what to do.
    pub fn check<P: Display>(
        self,
        label: f32,
        column: &str,
        place: impl FnOnce() -> P,
    ) -> Result<()> {
        let (fits, expected) = match self {
            Self::Binary => (label == 0.0 || label == 1.0, "0 or 1"),
            Self::Share => ((0.0..=1.0).contains(&label), "a number from 0 to 1"),
            Self::Cosine => ((-1.0..=1.0).contains(&label), "a similarity from -1 to 1"),
            Self::Order => (label.is_finite(), "a number"),
        };
        if fits {
            return Ok(());
        }
        let remedy = match self {
            Self::Binary if (0.0..=1.0).contains(&label) => {
                "this loss needs hard labels: choose a threshold, or use a loss of similarities (--loss cosent, cosine-similarity or angle; of a cross-encoder bce or mse)"
            }
            Self::Binary | Self::Share | Self::Cosine if label > 1.0 && label <= 5.0 => {
                "similarities from 0 to 5 must be divided by 5 for this loss"
            }
            _ => "scale the labels to what the loss takes",
        };
        Err(TrainError::Label {
            place: place().to_string(),
            column: column.to_owned(),
            label,
            expected,
            remedy,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(labels: Labels, label: f32) -> String {
        let checked = labels.check(label, "label", || "a.csv row 7");
        checked.unwrap_err().to_string()
    }

    #[test]
    fn a_label_out_of_range_is_named_with_its_row_and_the_remedy() {
        let of_scale = message(Labels::Cosine, 3.5);
        assert!(of_scale.starts_with("a.csv row 7: `label` is 3.5; expected a similarity from -1 to 1: similarities from 0 to 5 must be divided"), "{of_scale}");
        let soft = message(Labels::Binary, 0.5);
        assert!(
            soft.contains("expected 0 or 1: this loss needs hard labels"),
            "{soft}"
        );
        assert!(message(Labels::Order, f32::NAN).contains("expected a number"));
    }

    #[test]
    fn labels_in_range_pass() {
        for (labels, label) in [
            (Labels::Binary, 1.0),
            (Labels::Share, 0.25),
            (Labels::Cosine, -1.0),
            (Labels::Order, 5.0),
        ] {
            labels.check(label, "label", || "").unwrap();
        }
    }
}
