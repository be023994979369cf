//! Multiple negatives ranking under the guidance of a second model.

use pairmill_cli::UsageError;
use pairmill_modeling::SentenceEncoder;
use tch::Tensor;

use super::data::{Data, InBatchLoss, Loss, LossOfBatch};
use super::multiple_negatives_ranking::{diagonal, own_positive, without_diagonal};
use crate::batch_text::{BatchText, tokenized};
use crate::error::{Context, Result, TrainError};
use crate::losses::registry::LossOption;
use crate::losses::similarity::cosine;

/// Factor on the cosine: the inverse of the reference's temperature.
const SCALE: f64 = 100.0;

pub(crate) const LOSS: Loss = Loss {
    name: "gist",
    class: "GISTEmbedLoss",
    source: "gist_embed.py#L140",
    help: "The same without in-batch negatives that a guide model finds too good",
    options: &[
        LossOption::number("scale", SCALE),
        LossOption::required("guide", "the model that finds false negatives"),
        LossOption::plain("batch-sampler"),
    ],
    data: Data::Pairs(|options, device| {
        let guide = options.guide.as_ref();
        let guide =
            guide.ok_or_else(|| TrainError::from(UsageError("--guide is missing".to_owned())))?;
        let guide = SentenceEncoder::load(guide.folder()?, device).context("--guide")?;
        let options = GistOptions {
            temperature: 1.0 / options.scale(SCALE),
            ..GistOptions::default()
        };
        Ok(Box::new(Guided { guide, options }))
    }),
};

/// The loss with the model that guides it.
struct Guided {
    guide: SentenceEncoder,
    options: GistOptions,
}

impl InBatchLoss for Guided {
    fn of_batch<'a>(
        &'a self,
        texts: &[BatchText<'_>],
        excluded: Tensor,
    ) -> Result<LossOfBatch<'a>> {
        let sequences = tokenized(&self.guide, texts)?;
        let sequences: Vec<_> = sequences.iter().collect();
        let guided = tch::no_grad(|| self.guide.forward(&sequences, None));
        Ok(Box::new(move |anchors, documents| {
            let batch = anchors.size()[0];
            let guide = Guide {
                anchors: &guided.narrow(0, 0, batch),
                documents: &guided.narrow(0, batch, documents.size()[0]),
            };
            let excluded = excluded.to_device(anchors.device());
            gist_embed(anchors, documents, guide, Some(&excluded), &self.options)
        }))
    }
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

/// Computes the GISTEmbed loss (Solatorio 2024, arXiv 2402.16829; `GISTEmbedLoss` of
/// sentence-transformers):
/// [`multiple_negatives_ranking`](super::multiple_negatives_ranking::multiple_negatives_ranking)
/// without the negatives that a guide model finds closer than the anchor's own positive. The one
/// softmax of an anchor also holds, by option, the similarities of the anchor to other anchors and
/// of its positive to other positives.
///
/// `excluded` is that of multiple negatives ranking; a positive that is no negative of an
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
