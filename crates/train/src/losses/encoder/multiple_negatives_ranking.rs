//! Each anchor must pick its own positive out of the documents of the batch.
//!
//! `anchors` is `[batch, dimension]`. `documents` is `[documents, dimension]`: the positives of the
//! anchors in order, then hard negatives, as many as there are and in any order.

use tch::{Kind, Reduction, Tensor};

use super::data::{Data, Loss};
use crate::losses::registry::LossOption;
use crate::losses::similarity::cosine;

/// Factor on the cosine.
const SCALE: f64 = 20.0;

pub(crate) const LOSS: Loss = Loss {
    name: "mnrl",
    class: "MultipleNegativesRankingLoss",
    source: "multiple_negatives_ranking.py#L237",
    help: "Multiple negatives ranking: pairs, triplets or n-tuples",
    options: &[
        LossOption::number("scale", SCALE),
        LossOption::plain("bidirectional"),
        LossOption::plain("batch-sampler"),
    ],
    data: Data::Pairs(|options, _device| {
        let loss = match options.bidirectional {
            false => multiple_negatives_ranking,
            true => multiple_negatives_symmetric_ranking,
        };
        let scale = options.scale(SCALE);
        Ok(Box::new(
            move |anchors: &Tensor, documents: &Tensor, excluded: &Tensor| {
                loss(anchors, documents, scale, Some(excluded))
            },
        ))
    }),
};

/// Computes the multiple-negatives ranking loss (Henderson et al. 2017;
/// `MultipleNegativesRankingLoss` of sentence-transformers): cross-entropy of each anchor picking
/// its own positive among all documents of the batch by cosine similarity times `scale` (above 0,
/// usually 20).
///
/// `excluded`, `[batch, documents]` boolean, marks documents that are no negative of an anchor.
/// What it says of an anchor and its own positive is ignored.
pub fn multiple_negatives_ranking(
    anchors: &Tensor,
    documents: &Tensor,
    scale: f64,
    excluded: Option<&Tensor>,
) -> Tensor {
    own_positive(&scores(anchors, documents, scale, excluded))
}

/// Computes the multiple-negatives ranking loss in both directions
/// (`MultipleNegativesSymmetricRankingLoss` of sentence-transformers): the mean of
/// [`multiple_negatives_ranking`] and of the loss of each positive picking its own anchor among the
/// anchors. An excluded positive of an anchor excludes that anchor for the positive.
pub fn multiple_negatives_symmetric_ranking(
    anchors: &Tensor,
    documents: &Tensor,
    scale: f64,
    excluded: Option<&Tensor>,
) -> Tensor {
    let forward = scores(anchors, documents, scale, excluded);
    let backward = forward.narrow(1, 0, anchors.size()[0]).transpose(0, 1);
    (own_positive(&forward) + own_positive(&backward)) / 2.0
}

fn scores(anchors: &Tensor, documents: &Tensor, scale: f64, excluded: Option<&Tensor>) -> Tensor {
    let scores = cosine(anchors, documents) * scale;
    match excluded {
        Some(excluded) => scores.masked_fill(&without_diagonal(excluded), f64::NEG_INFINITY),
        None => scores,
    }
}

/// Computes the cross-entropy of each row picking the column of its own number.
pub(super) fn own_positive(scores: &Tensor) -> Tensor {
    let labels = Tensor::arange(scores.size()[0], (Kind::Int64, scores.device()));
    scores.cross_entropy_loss::<&Tensor>(&labels, None, Reduction::Mean, -100, 0.0)
}

/// Returns a mask that is true where row and column of `matrix` are the same.
pub(super) fn diagonal(matrix: &Tensor) -> Tensor {
    let size = matrix.size();
    Tensor::eye_m(size[0], size[1], (Kind::Bool, matrix.device()))
}

pub(super) fn without_diagonal(mask: &Tensor) -> Tensor {
    mask.logical_and(&diagonal(mask).logical_not())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::losses::finite;

    fn anchors() -> Tensor {
        Tensor::from_slice2(&[[1.0f32, 0.0], [0.0, 1.0]])
    }

    fn positives() -> Tensor {
        Tensor::from_slice2(&[[1.0f32, 0.1], [0.9, 0.2]])
    }

    #[test]
    fn an_excluded_document_counts_for_nothing() {
        let excluded = Tensor::from_slice2(&[[false, true], [true, false]]);
        let loss = multiple_negatives_ranking(&anchors(), &positives(), 20.0, Some(&excluded));
        assert_eq!(loss.double_value(&[]), 0.0);
    }

    #[test]
    fn an_anchor_excluded_for_a_positive_counts_for_nothing() {
        let excluded = Tensor::from_slice2(&[[false, true], [true, false]]);
        let loss =
            multiple_negatives_symmetric_ranking(&anchors(), &positives(), 20.0, Some(&excluded));
        assert_eq!(loss.double_value(&[]), 0.0);
    }

    #[test]
    fn an_own_positive_cannot_be_excluded() {
        let excluded = Tensor::from_slice2(&[[true, true], [true, true]]);
        for loss in [
            multiple_negatives_ranking,
            multiple_negatives_symmetric_ranking,
        ] {
            let (value, _) = finite(&[&anchors(), &positives()], |x| {
                loss(&x[0], &x[1], 20.0, Some(&excluded))
            });
            assert_eq!(value, 0.0);
        }
    }

    #[test]
    fn a_zero_vector_has_a_gradient_of_common_size() {
        let zero = Tensor::from_slice2(&[[0.0f32, 0.0], [0.0, 1.0]]);
        let (_, gradients) = finite(&[&zero, &positives()], |x| {
            multiple_negatives_ranking(&x[0], &x[1], 20.0, None)
        });
        assert!(gradients[0].abs().max().double_value(&[]) < 20.0);
    }
}
