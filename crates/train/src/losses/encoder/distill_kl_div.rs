//! A sentence encoder learns a teacher's scores of documents.
//!
//! `anchors` is `[batch, dimension]` and `documents` `[batch, documents, dimension]`, each anchor's
//! own: its positive, then its negatives. The loss only looks at differences between the documents
//! of one anchor, so the teacher's scores may have any scale and origin.

use tch::{Reduction, Tensor};

use super::data::{Data, Loss};
use super::options::NUM_NEGATIVES;
use crate::losses::registry::LossOption;
use crate::losses::similarity::Similarity;

/// Divides the scores of student and teacher.
const TEMPERATURE: f64 = 1.0;

pub(crate) const LOSS: Loss = Loss {
    name: "distill-kl-div",
    class: "DistillKLDivLoss",
    source: "distill_kl_div.py#L174",
    help: "Score distributions of a cross-encoder: scored candidates",
    options: &[
        LossOption::number("num-negatives", NUM_NEGATIVES as f64),
        LossOption::number("temperature", TEMPERATURE),
    ],
    data: Data::ScoredCandidates(|options| {
        let temperature = options.temperature(TEMPERATURE);
        let options = DistillKlDivOptions {
            student_temperature: temperature,
            teacher_temperature: temperature,
            ..DistillKlDivOptions::default()
        };
        Box::new(move |anchors, documents, scores| {
            distill_kl_div(anchors, documents, scores, &options)
        })
    }),
};

/// Options of [`distill_kl_div`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DistillKlDivOptions {
    /// Similarity that the student scores documents by.
    pub similarity: Similarity,
    /// Divides the student's scores; above 0.
    pub student_temperature: f64,
    /// Divides the teacher's scores; above 0.
    pub teacher_temperature: f64,
}

impl Default for DistillKlDivOptions {
    fn default() -> Self {
        Self {
            similarity: Similarity::Dot,
            student_temperature: TEMPERATURE,
            teacher_temperature: TEMPERATURE,
        }
    }
}

/// Computes the Kullback-Leibler divergence (Lin et al. 2020, arXiv 2010.11386; `DistillKLDivLoss`
/// of sentence-transformers) of the student's distribution over an anchor's documents from the
/// teacher's, both a softmax of scores over temperature. The mean over anchors, times the square of
/// the student's temperature.
///
/// `teacher_scores` is `[batch, documents]`, with two documents or more; -∞ gives a document no
/// share.
pub fn distill_kl_div(
    anchors: &Tensor,
    documents: &Tensor,
    teacher_scores: &Tensor,
    options: &DistillKlDivOptions,
) -> Tensor {
    let kind = anchors.kind();
    let student =
        options.similarity.to_own_documents(anchors, documents) / options.student_temperature;
    let teacher = teacher_scores.detach().to_kind(kind) / options.teacher_temperature;
    let divergence =
        student
            .log_softmax(1, kind)
            .kl_div(&teacher.softmax(1, kind), Reduction::Sum, false);
    divergence * (options.student_temperature.powi(2) / anchors.size()[0] as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::losses::finite;

    #[test]
    fn gradients_are_finite_at_zero_vectors_and_for_documents_without_a_share() {
        let anchors = Tensor::from_slice2(&[[0.0f32, 0.0], [1.0, 2.0]]);
        let documents = Tensor::from_slice2(&[[0.0f32, 0.0, 1.0, 1.0], [1.0, 2.0, 0.0, 0.0]])
            .reshape([2, 2, 2]);
        let scores = Tensor::from_slice2(&[[1.0f32, 0.0], [1.0, f32::NEG_INFINITY]]);
        for similarity in [Similarity::Dot, Similarity::Cosine] {
            let options = DistillKlDivOptions {
                similarity,
                ..DistillKlDivOptions::default()
            };
            finite(&[&anchors, &documents], |x| {
                distill_kl_div(&x[0], &x[1], &scores, &options)
            });
        }
    }
}
