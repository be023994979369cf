//! Losses of cross-encoders, over logits: one per pair of query and document, before any
//! activation.

use tch::{Kind, Reduction, Tensor};

/// Binary cross-entropy of logits `[batch]` against labels `[batch]` in 0..1, the mean over the
/// batch, computed without overflow.
pub fn binary_cross_entropy(logits: &Tensor, labels: &Tensor) -> Tensor {
    logits.binary_cross_entropy_with_logits::<&Tensor>(labels, None, None, Reduction::Mean)
}

/// [`binary_cross_entropy`] with the positive part of each loss times `pos_weight`, above 0
/// (`BinaryCrossEntropyLoss` of sentence-transformers): usually the number of negatives per
/// positive.
pub fn weighted_binary_cross_entropy(logits: &Tensor, labels: &Tensor, pos_weight: f64) -> Tensor {
    let pos_weight = Tensor::from(pos_weight)
        .to_kind(logits.kind())
        .to_device(logits.device());
    logits.binary_cross_entropy_with_logits(
        &labels.to_kind(logits.kind()),
        None,
        Some(pos_weight),
        Reduction::Mean,
    )
}

/// Mean squared difference of logits and labels, both `[batch]`, labels on the scale of the logits
/// (`MSELoss` of sentence-transformers): learns a teacher's scores.
pub fn mse(logits: &Tensor, labels: &Tensor) -> Tensor {
    logits.mse_loss(&labels.detach().to_kind(logits.kind()), Reduction::Mean)
}

/// Margin mean squared error (Hofstätter et al. 2020, arXiv 2010.02666; `MarginMSELoss` of
/// sentence-transformers): the mean squared difference between the logits' and the teacher's
/// margins of positive over negative.
///
/// `logits` is `[batch, documents]`, the positive first; `teacher_margins` is
/// `[batch, documents - 1]`, the teacher's score of the positive minus that of each negative.
pub fn margin_mse(logits: &Tensor, teacher_margins: &Tensor) -> Tensor {
    let negatives = logits.size()[1] - 1;
    let margins = logits.narrow(1, 0, 1) - logits.narrow(1, 1, negatives);
    mse(&margins, teacher_margins)
}

/// Multiple-negatives ranking loss of a cross-encoder (`MultipleNegativesRankingLoss` of
/// sentence-transformers): cross-entropy of each query picking its positive by the sigmoid of the
/// logits times `scale`, 10 in the reference.
///
/// `logits` is `[batch, documents]`, the positive first, then hard and in-batch negatives;
/// `padding`, boolean of the same shape, marks negatives that are not there.
pub fn multiple_negatives_ranking(logits: &Tensor, scale: f64, padding: Option<&Tensor>) -> Tensor {
    let mut scores = logits.sigmoid() * scale;
    if let Some(padding) = padding {
        scores = scores.masked_fill(padding, f64::NEG_INFINITY);
    }
    let positives = Tensor::zeros([logits.size()[0]], (Kind::Int64, logits.device()));
    scores.cross_entropy_loss::<&Tensor>(&positives, None, Reduction::Mean, -100, 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loss::finite;

    #[test]
    fn binary_cross_entropy_of_an_undecided_model_is_ln_2() {
        let loss = binary_cross_entropy(
            &Tensor::from_slice(&[0.0f32, 0.0]),
            &Tensor::from_slice(&[1.0f32, 0.0]),
        );
        assert!((loss.double_value(&[]) - 2f64.ln()).abs() < 1e-6);
    }

    #[test]
    fn huge_logits_overflow_nothing() {
        let logits = Tensor::from_slice(&[1e30f32, -1e30]);
        let labels = Tensor::from_slice(&[0i64, 1]);
        finite(&[&logits], |x| {
            weighted_binary_cross_entropy(&x[0], &labels, 4.0)
        });
    }

    #[test]
    fn a_padded_negative_counts_for_nothing() {
        let logits = Tensor::from_slice2(&[[1.0f32, 0.5, 9.0], [0.0, 1.0, 2.0]]);
        let padding = Tensor::from_slice2(&[[false, true, true], [false, true, true]]);
        let (value, _) = finite(&[&logits], |x| {
            multiple_negatives_ranking(&x[0], 10.0, Some(&padding))
        });
        assert_eq!(value, 0.0);
    }
}
