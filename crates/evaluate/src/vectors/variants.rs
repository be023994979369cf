use std::fmt;

use pairmill_metrics::Scores;
use pairmill_modeling::SimilarityFunction;
use serde::{Deserialize, Serialize};

use crate::error::{EvaluateError, Result};
use crate::paired::Paired;
use pairmill_retrieval::Embeddings;

/// How the components of a stored embedding are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// Four bytes each.
    Float32,
    /// One byte each: 256 steps between the least and the greatest value that a component has in
    /// 8,192 documents, drawn by their ids. Queries stay as they are.
    Int8,
    /// One bit each, its sign. Queries too; compared by the bits that differ.
    Binary,
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Float32 => "float32",
            Self::Int8 => "int8",
            Self::Binary => "binary",
        })
    }
}

/// A smaller form in which embeddings could be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Variant {
    /// The first components, as many as are kept.
    pub dimension: usize,
    pub precision: Precision,
}

impl Variant {
    /// Returns the forms to try: each of the dimensions, the full one among them, in each of the
    /// precisions, float32 among them; without what the model gives anyway.
    ///
    /// # Errors
    /// If the model has fewer dimensions than are asked for.
    pub fn all(
        dimensions: &[usize],
        precisions: &[Precision],
        full: usize,
        model: &str,
    ) -> Result<Vec<Self>> {
        if let Some(&wanted) = dimensions.iter().find(|&&wanted| wanted > full) {
            return Err(EvaluateError::TooFewDimensions {
                model: model.to_owned(),
                wanted,
                found: full,
            });
        }
        let mut dimensions: Vec<usize> = dimensions.iter().copied().chain([full]).collect();
        dimensions.sort_unstable_by(|a, b| b.cmp(a));
        dimensions.dedup();
        let ordered = [Precision::Float32, Precision::Int8, Precision::Binary];
        let wanted = |one: &Precision| *one == Precision::Float32 || precisions.contains(one);
        let precisions = ordered.into_iter().filter(wanted);
        let variants = precisions.flat_map(|precision| {
            dimensions.iter().map(move |&dimension| Self {
                dimension,
                precision,
            })
        });
        let smaller = |one: &Self| one.dimension < full || one.precision != Precision::Float32;
        Ok(variants.filter(smaller).collect())
    }

    /// Bytes of a stored embedding.
    pub fn bytes(&self) -> usize {
        match self.precision {
            Precision::Float32 => 4 * self.dimension,
            Precision::Int8 => self.dimension,
            Precision::Binary => self.dimension.div_ceil(8),
        }
    }

    /// Returns how embeddings in this form are compared where the whole ones are compared by
    /// `whole`.
    pub fn compared_by(&self, whole: SimilarityFunction) -> SimilarityFunction {
        match self.precision {
            Precision::Binary => SimilarityFunction::Dot,
            _ => whole,
        }
    }

    fn kept(&self, embeddings: &Embeddings, whole: SimilarityFunction) -> Embeddings {
        embeddings.truncated(self.dimension, whole == SimilarityFunction::Cosine)
    }

    /// Returns the embeddings of queries in this form.
    pub fn of_queries(&self, queries: &Embeddings, whole: SimilarityFunction) -> Embeddings {
        let kept = self.kept(queries, whole);
        match self.precision {
            Precision::Float32 | Precision::Int8 => kept,
            Precision::Binary => kept.map(|_, value| sign(value)),
        }
    }

    /// Whether documents are rounded to steps, which are made from some of them.
    pub fn has_steps(&self) -> bool {
        self.precision == Precision::Int8
    }

    /// Returns what the steps of int8 are made from: documents that stand for all.
    pub fn calibrate(&self, documents: &Embeddings, whole: SimilarityFunction) -> Option<Steps> {
        self.has_steps()
            .then(|| Steps::of(&self.kept(documents, whole)))
    }

    /// Returns the embeddings of documents in this form, with the numbers that their bytes stand
    /// for.
    pub fn of_documents(
        &self,
        documents: &Embeddings,
        whole: SimilarityFunction,
        steps: Option<&Steps>,
    ) -> Embeddings {
        let kept = self.kept(documents, whole);
        match (self.precision, steps) {
            (Precision::Int8, Some(steps)) => kept.map(|i, value| steps.rounded(i, value)),
            (Precision::Binary, _) => kept.map(|_, value| sign(value)),
            _ => kept,
        }
    }
}

/// As bits are read back. The inner product of two such vectors falls by 2 with each bit that
/// differs.
fn sign(value: f32) -> f32 {
    if value > 0.0 { 1.0 } else { -1.0 }
}

/// The least value of each component and the height of a step.
#[derive(Debug, Clone)]
pub(crate) struct Steps(Vec<(f32, f32)>);

impl Steps {
    fn of(documents: &Embeddings) -> Self {
        let mut ranges = vec![(f32::INFINITY, f32::NEG_INFINITY); documents.dimension()];
        for row in documents.rows() {
            for ((least, most), &value) in ranges.iter_mut().zip(row) {
                *least = least.min(value);
                *most = most.max(value);
            }
        }
        let step = |(least, most): (f32, f32)| (least, (most - least) / 255.0);
        Self(ranges.into_iter().map(step).collect())
    }

    /// The value of the nearest of the 256 steps.
    fn rounded(&self, component: usize, value: f32) -> f32 {
        let (least, step) = self.0[component];
        if step > 0.0 {
            least + step * ((value - least) / step).round().clamp(0.0, 255.0)
        } else {
            least
        }
    }
}

/// The figures of embeddings in a smaller form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VariantScores {
    /// Components kept.
    pub dimension: usize,
    /// How they are written.
    pub precision: Precision,
    /// Bytes of an embedding.
    pub bytes: usize,
    /// What the model scores.
    pub model: Scores,
    /// What the baseline scores, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<Scores>,
}

impl VariantScores {
    pub(crate) fn new(variant: Variant, scores: Paired<Scores>) -> Self {
        Self {
            dimension: variant.dimension,
            precision: variant.precision,
            bytes: variant.bytes(),
            model: scores.model,
            baseline: scores.baseline,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forms(dimensions: &[usize], precisions: &[Precision]) -> Vec<(usize, Precision, usize)> {
        let variants = Variant::all(dimensions, precisions, 12, "m").unwrap();
        let form = |one: &Variant| (one.dimension, one.precision, one.bytes());
        variants.iter().map(form).collect()
    }

    #[test]
    fn dimensions_and_precisions_are_combined() {
        use Precision::{Binary, Float32, Int8};
        assert_eq!(forms(&[], &[]), []);
        assert_eq!(forms(&[4, 12, 4], &[]), [(4, Float32, 16)]);
        assert_eq!(
            forms(&[4], &[Binary, Int8]),
            [
                (4, Float32, 16),
                (12, Int8, 12),
                (4, Int8, 4),
                (12, Binary, 2),
                (4, Binary, 1)
            ]
        );
    }

    #[test]
    fn a_model_with_fewer_dimensions_is_refused() {
        let error = Variant::all(&[24], &[], 12, "small/").unwrap_err();
        assert_eq!(
            error.to_string(),
            "the model small/ has 12 dimensions, so 24 cannot be kept; give --truncate-dim at most 12"
        );
    }

    #[test]
    fn int8_rounds_to_one_of_256_steps_and_binary_keeps_signs() {
        let documents =
            Embeddings::normalised(vec![0.6, 0.8, -0.6, 0.8, 1.0, 0.0, 0.0, 1.0], 2).unwrap();
        let int8 = Variant {
            dimension: 2,
            precision: Precision::Int8,
        };
        let steps = int8.calibrate(&documents, SimilarityFunction::Cosine);
        let rounded = int8.of_documents(&documents, SimilarityFunction::Cosine, steps.as_ref());
        for (found, row) in rounded.rows().zip(documents.rows()) {
            for (found, value) in found.iter().zip(row) {
                assert!((found - value).abs() <= 1.6 / 255.0 / 2.0 + 1e-6);
            }
        }
        let binary = Variant {
            precision: Precision::Binary,
            ..int8
        };
        let bits = binary.of_documents(&documents, SimilarityFunction::Cosine, None);
        assert_eq!(bits.row(1), [-1.0, 1.0]);
    }

    #[test]
    fn truncated_vectors_are_of_unit_length_again() {
        let embeddings = Embeddings::normalised(vec![0.3, 0.4, 5.0], 3).unwrap();
        let kept = embeddings.truncated(2, true);
        assert!((kept.row(0)[0] - 0.6).abs() < 1e-6 && (kept.row(0)[1] - 0.8).abs() < 1e-6);
    }
}
