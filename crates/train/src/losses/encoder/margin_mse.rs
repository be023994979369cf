//! A sentence encoder learns a teacher's scores of documents.
//!
//! `anchors` is `[batch, dimension]` and `documents` `[batch, documents, dimension]`, each anchor's
//! own: its positive, then its negatives. The loss only looks at differences between the documents
//! of one anchor, so the teacher's scores may have any scale and origin.

use tch::Tensor;

use super::data::{Data, Loss};
use super::options::NUM_NEGATIVES;
use crate::losses::cross_encoder::margin_mse as of_logits;
use crate::losses::registry::LossOption;
use crate::losses::similarity::Similarity;

pub(crate) const LOSS: Loss = Loss {
    name: "margin-mse",
    class: "MarginMSELoss",
    source: "margin_mse.py#L179",
    help: "Margins of a cross-encoder: scored candidates",
    options: &[LossOption::number("num-negatives", NUM_NEGATIVES as f64)],
    data: Data::ScoredCandidates(|_| {
        Box::new(|anchors, documents, scores| {
            let margins = of_logits::margins(scores);
            margin_mse(anchors, documents, &margins, Similarity::Dot)
        })
    }),
};

/// Computes the margin mean squared error (Hofstätter et al. 2020, arXiv 2010.02666;
/// `MarginMSELoss` of sentence-transformers): the mean over anchors and negatives of the squared
/// difference between student's and teacher's margin of the positive over the negative.
///
/// `teacher_margins` is `[batch, documents - 1]`, the teacher's score of the positive minus that of
/// each negative. The reference's default similarity is the dot product.
pub fn margin_mse(
    anchors: &Tensor,
    documents: &Tensor,
    teacher_margins: &Tensor,
    similarity: Similarity,
) -> Tensor {
    let scores = similarity.to_own_documents(anchors, documents);
    of_logits::margin_mse(&scores, teacher_margins)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::losses::finite;

    #[test]
    fn gradients_are_finite_at_zero_vectors() {
        let anchors = Tensor::from_slice2(&[[0.0f32, 0.0], [1.0, 2.0]]);
        let documents = Tensor::from_slice2(&[[0.0f32, 0.0, 1.0, 1.0], [1.0, 2.0, 0.0, 0.0]])
            .reshape([2, 2, 2]);
        let margins = Tensor::from_slice2(&[[1.0f32], [0.0]]);
        for similarity in [Similarity::Dot, Similarity::Cosine] {
            finite(&[&anchors, &documents], |x| {
                margin_mse(&x[0], &x[1], &margins, similarity)
            });
        }
    }
}
