//! Ranking losses: each anchor must pick its own positive out of the documents of the batch.
//!
//! `anchors` is `[batch, dimension]`. `documents` is `[documents, dimension]`: the positives of the
//! anchors in order, then hard negatives, as many as there are and in any order.

use tch::{Kind, Reduction, Tensor};

use super::similarity::cosine;

/// Multiple-negatives ranking loss (Henderson et al. 2017; `MultipleNegativesRankingLoss` of
/// sentence-transformers): cross-entropy of each anchor picking its own positive among all
/// documents of the batch by cosine similarity times `scale` (above 0, usually 20).
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

/// Multiple-negatives ranking loss in both directions
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

/// What the guide model of [`gist_embed`] makes of the same texts. Its dimension may differ, and no
/// gradient flows into it.
#[derive(Debug, Clone, Copy)]
pub struct Guide<'a> {
    /// `[batch, guide dimension]`.
    pub anchors: &'a Tensor,
    /// `[documents, guide dimension]`, in the order of the documents.
    pub documents: &'a Tensor,
}

/// How close to an anchor's own positive the guide may find a text that still counts as a negative.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Margin {
    /// Similarity up to that of the positive minus this.
    Absolute(f64),
    /// Similarity up to that of the positive minus this share of its magnitude.
    Relative(f64),
}

/// Options of [`gist_embed`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GistOptions {
    /// Divides the similarities; above 0.
    pub temperature: f64,
    /// Bound for negatives.
    pub margin: Margin,
    /// Whether the other anchors are negatives of an anchor.
    pub contrast_anchors: bool,
    /// Whether the other positives are negatives of a positive.
    pub contrast_positives: bool,
}

impl Default for GistOptions {
    fn default() -> Self {
        Self {
            temperature: 0.01,
            margin: Margin::Absolute(0.0),
            contrast_anchors: true,
            contrast_positives: true,
        }
    }
}

/// GISTEmbed loss (Solatorio 2024, arXiv 2402.16829; `GISTEmbedLoss` of sentence-transformers):
/// [`multiple_negatives_ranking`] without the negatives that a guide model finds closer than the
/// anchor's own positive. The one softmax of an anchor also holds, by option, the similarities of
/// the anchor to other anchors and of its positive to other positives.
///
/// `excluded` is that of [`multiple_negatives_ranking`]; a positive that is no negative of an
/// anchor is none of its positive either, nor is the anchor it belongs to. No text is a negative of
/// itself; the reference compares it with itself where the guide takes anchor and positive for the
/// same.
pub fn gist_embed(
    anchors: &Tensor,
    documents: &Tensor,
    guide: Guide<'_>,
    excluded: Option<&Tensor>,
    options: &GistOptions,
) -> Tensor {
    let batch = anchors.size()[0];
    let guided = cosine(guide.anchors, guide.documents).detach();
    let positive = guided.diagonal(0, 0, 1).unsqueeze(1);
    let bound = match options.margin {
        Margin::Absolute(margin) => positive - margin,
        Margin::Relative(margin) => &positive - positive.abs() * margin,
    };
    let closer = |guided: &Tensor| {
        let mask = guided.gt_tensor(&bound);
        match excluded {
            Some(excluded) => mask.logical_or(&excluded.narrow(1, 0, mask.size()[1])),
            None => mask,
        }
    };
    let mask = without_diagonal(&closer(&guided));
    let mut scores = vec![cosine(anchors, documents).masked_fill(&mask, f64::NEG_INFINITY)];
    let positives = documents.narrow(0, 0, batch);
    let guide_positives = guide.documents.narrow(0, 0, batch);
    for (contrasted, texts, guide) in [
        (options.contrast_anchors, anchors, guide.anchors),
        (options.contrast_positives, &positives, &guide_positives),
    ] {
        if contrasted {
            let mask = closer(&cosine(guide, guide).detach());
            let mask = mask.logical_or(&diagonal(&mask));
            scores.push(cosine(texts, texts).masked_fill(&mask, f64::NEG_INFINITY));
        }
    }
    own_positive(&(Tensor::cat(&scores, 1) / options.temperature))
}

fn scores(anchors: &Tensor, documents: &Tensor, scale: f64, excluded: Option<&Tensor>) -> Tensor {
    let scores = cosine(anchors, documents) * scale;
    match excluded {
        Some(excluded) => scores.masked_fill(&without_diagonal(excluded), f64::NEG_INFINITY),
        None => scores,
    }
}

/// Cross-entropy of each row picking the column of its own number.
fn own_positive(scores: &Tensor) -> Tensor {
    let labels = Tensor::arange(scores.size()[0], (Kind::Int64, scores.device()));
    scores.cross_entropy_loss::<&Tensor>(&labels, None, Reduction::Mean, -100, 0.0)
}

/// True where row and column of `matrix` are the same.
fn diagonal(matrix: &Tensor) -> Tensor {
    let size = matrix.size();
    Tensor::eye_m(size[0], size[1], (Kind::Bool, matrix.device()))
}

fn without_diagonal(mask: &Tensor) -> Tensor {
    mask.logical_and(&diagonal(mask).logical_not())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loss::finite;

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

    #[test]
    fn a_guide_that_cannot_tell_texts_apart_leaves_no_text_to_push_from_itself() {
        let same = Tensor::from_slice2(&[[1.0f64, 0.0], [1.0, 0.0]]);
        let guide = Guide {
            anchors: &same,
            documents: &same,
        };
        let options = GistOptions {
            margin: Margin::Absolute(0.1),
            ..GistOptions::default()
        };
        let (value, _) = finite(&[&anchors(), &positives()], |x| {
            gist_embed(&x[0], &x[1], guide, None, &options)
        });
        assert_eq!(value, 0.0);
    }

    #[test]
    fn judgements_exclude_anchors_and_positives_of_a_guided_batch_as_well() {
        let guide_anchors = anchors();
        let guide = Guide {
            anchors: &guide_anchors,
            documents: &guide_anchors,
        };
        let excluded = Tensor::from_slice2(&[[false, true], [true, false]]);
        let options = GistOptions::default();
        let loss = gist_embed(&anchors(), &positives(), guide, Some(&excluded), &options);
        assert_eq!(loss.double_value(&[]), 0.0);
    }
}
