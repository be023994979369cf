//! LambdaLoss: a cross-encoder learns the order of a query's documents, weighted by what nDCG gains
//! from it.

use std::f64::consts::LN_2;

use tch::{Kind, Tensor};

use super::data::{Data, Loss};

pub(crate) const LOSS: Loss = Loss {
    name: "lambda",
    class: "LambdaLoss",
    source: "lambda_loss.py#L220",
    help: "LambdaLoss, which weighs pairs by what nDCG gains: triplets or n-tuples",
    options: &[],
    data: Data::Queries(|| {
        Box::new(|logits, labels, padding| {
            lambda_loss(logits, labels, Some(padding), &LambdaLossOptions::default())
        })
    }),
};

/// What a pair of documents weighs. With rank r counted from 1 and discount `D(r) = log2(1 + r)`,
/// the gain G of a document is `2^label − 1` over the best DCG that the query's labels allow.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Weighting {
    /// 1 (RankNet).
    None,
    /// `G_i / D_i`, over pairs in either order; not recommended by the paper.
    NdcgLoss1,
    /// `|G_i − G_j|` times `|1 / D(|i − j|) − 1 / D(|i − j| + 1)|`.
    NdcgLoss2,
    /// `|G_i − G_j|` times `|1 / D_i − 1 / D_j|`: the change of nDCG if the two swapped places.
    LambdaRank,
    /// `mu` times [`Weighting::NdcgLoss2`] plus [`Weighting::LambdaRank`].
    NdcgLoss2PlusPlus {
        /// 10 in paper and reference.
        mu: f64,
    },
}

/// Base of the logarithms of probabilities.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReductionLog {
    /// Bits.
    Binary,
    /// Nats.
    Natural,
}

/// Options of [`lambda_loss`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LambdaLossOptions {
    /// What a pair of documents weighs.
    pub weighting: Weighting,
    /// Only pairs with a document among the first k of the model count, and the best DCG is that of
    /// k documents; 1 or more. All where none.
    pub k: Option<usize>,
    /// Factor on differences of logits; above 0.
    pub sigma: f64,
    /// Least value of the best DCG, for queries without a relevant document; above 0.
    pub eps: f64,
    /// Unit of the loss.
    pub reduction_log: ReductionLog,
}

impl Default for LambdaLossOptions {
    fn default() -> Self {
        Self {
            weighting: Weighting::NdcgLoss2PlusPlus { mu: 10.0 },
            k: None,
            sigma: 1.0,
            eps: 1e-10,
            reduction_log: ReductionLog::Binary,
        }
    }
}

/// Computes the LambdaLoss (Wang et al. 2018, The LambdaLoss Framework for Ranking Metric
/// Optimization; `LambdaLoss` of sentence-transformers): the mean of `−w_ij · log σ(sigma · (s_i −
/// s_j))` over all pairs of one query's documents whose labels are in the order i > j, with ranks
/// by logit.
///
/// `logits` and `labels` are `[batch, documents]`; a label is a grade, usually 0 or more, a
/// negative one gains as much as 0. `padding`, boolean of the same shape, marks documents that are
/// not there, whose logits and labels may be anything. The mean is over the pairs of the whole
/// batch, so a query counts by its pairs.
pub fn lambda_loss(
    logits: &Tensor,
    labels: &Tensor,
    padding: Option<&Tensor>,
    options: &LambdaLossOptions,
) -> Tensor {
    let (kind, device) = (logits.kind(), logits.device());
    let documents = logits.size()[1];
    let missing = match padding {
        Some(padding) => padding.shallow_clone(),
        None => Tensor::zeros_like(logits).to_kind(Kind::Bool),
    };
    let logits = logits.masked_fill(&missing, 0.0);
    let labels = labels.to_kind(kind).masked_fill(&missing, 0.0);

    let order = logits
        .detach()
        .masked_fill(&missing, f64::NEG_INFINITY)
        .argsort_stable(true, 1, true);
    let scores = logits.gather(1, &order, false);
    let relevance = labels.gather(1, &order, false);
    let present = missing.gather(1, &order, false).logical_not();

    let ranks = Tensor::arange_start(1, documents + 1, (kind, device));
    let discounts = (&ranks + 1.0).log2();
    let best_gains = labels.clamp_min(0.0).exp2() - 1.0;
    let best_first = best_gains.sort(1, true).0;
    let k = options.k.map_or(documents, |k| documents.min(k as i64));
    let best_dcg = (best_first / &discounts)
        .narrow(1, 0, k)
        .sum_dim_intlist([1i64].as_slice(), true, kind)
        .clamp_min(options.eps);
    let gains = (relevance.clamp_min(0.0).exp2() - 1.0) / best_dcg;

    let mut counted = present.unsqueeze(2).logical_and(&present.unsqueeze(1));
    if options.weighting != Weighting::NdcgLoss1 {
        let above = relevance.unsqueeze(2).gt_tensor(&relevance.unsqueeze(1));
        counted = counted.logical_and(&above);
    }
    let first = ranks.le(k);
    counted = counted.logical_and(&first.unsqueeze(1).logical_or(&first.unsqueeze(0)));

    let differences = scores.unsqueeze(2) - scores.unsqueeze(1);
    let log_probabilities = (differences * options.sigma).log_sigmoid();
    let weighted = log_probabilities * weights(options.weighting, &gains, &discounts);
    let sum = weighted.masked_fill(&counted.logical_not(), 0.0).sum(kind);
    let nats = -sum / counted.sum(kind).clamp_min(1.0);
    match options.reduction_log {
        ReductionLog::Binary => nats / LN_2,
        ReductionLog::Natural => nats,
    }
}

/// Weights of pairs of documents sorted by logit: `[batch, documents, documents]`, or a shape that
/// broadcasts to it. `gains` is `[batch, documents]`, `discounts` `[documents]`.
fn weights(weighting: Weighting, gains: &Tensor, discounts: &Tensor) -> Tensor {
    let gain_differences = || (gains.unsqueeze(2) - gains.unsqueeze(1)).abs();
    match weighting {
        Weighting::None => Tensor::ones([1], (gains.kind(), gains.device())),
        Weighting::NdcgLoss1 => (gains / discounts).unsqueeze(2),
        Weighting::NdcgLoss2 => gain_differences() * neighbours(discounts),
        Weighting::LambdaRank => {
            let inverse = discounts.reciprocal();
            gain_differences() * (inverse.unsqueeze(1) - inverse.unsqueeze(0)).abs()
        }
        Weighting::NdcgLoss2PlusPlus { mu } => {
            weights(Weighting::NdcgLoss2, gains, discounts) * mu
                + weights(Weighting::LambdaRank, gains, discounts)
        }
    }
}

/// `|1 / D(|i − j|) − 1 / D(|i − j| + 1)|`, 0 on the diagonal: `[documents, documents]`.
fn neighbours(discounts: &Tensor) -> Tensor {
    let documents = discounts.size()[0];
    let inverse = discounts.reciprocal();
    let drops = inverse.narrow(0, 0, documents - 1) - inverse.narrow(0, 1, documents - 1);
    let by_distance = Tensor::cat(
        &[drops.new_zeros([1], (drops.kind(), drops.device())), drops],
        0,
    );
    let places = Tensor::arange(documents, (Kind::Int64, discounts.device()));
    let distances = (places.unsqueeze(1) - places.unsqueeze(0)).abs();
    by_distance.take(&distances)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::losses::finite;

    const WEIGHTINGS: [Weighting; 5] = [
        Weighting::None,
        Weighting::NdcgLoss1,
        Weighting::NdcgLoss2,
        Weighting::LambdaRank,
        Weighting::NdcgLoss2PlusPlus { mu: 10.0 },
    ];

    #[test]
    fn padded_documents_may_hold_anything() {
        let labels = Tensor::from_slice2(&[[1.0f32, f32::NAN, 0.0]]);
        let padding = Tensor::from_slice2(&[[false, true, false]]);
        for weighting in WEIGHTINGS {
            let options = LambdaLossOptions {
                weighting,
                ..LambdaLossOptions::default()
            };
            let value = |padded: f32| {
                let logits = Tensor::from_slice2(&[[0.5f32, padded, 0.75]]);
                finite(&[&logits], |x| {
                    lambda_loss(&x[0], &labels, Some(&padding), &options)
                })
                .0
            };
            assert_eq!(value(f32::NAN), value(9.0));
        }
    }

    #[test]
    fn lists_without_a_pair_lose_nothing() {
        let options = LambdaLossOptions::default();
        for (logits, labels) in [
            (vec![1.0f32, 2.0], vec![0.0f32, 0.0]),
            (vec![1.0, 1.0], vec![1.0, 1.0]),
            (vec![1.0], vec![1.0]),
        ] {
            let row = |values: &[f32]| Tensor::from_slice(values).unsqueeze(0);
            let labels = row(&labels);
            let (value, _) = finite(&[&row(&logits)], |x| {
                lambda_loss(&x[0], &labels, None, &options)
            });
            assert_eq!(value, 0.0);
        }
    }

    #[test]
    fn a_strongly_misordered_pair_keeps_its_gradient() {
        let logits = Tensor::from_slice2(&[[-500.0f32, 500.0]]);
        let labels = Tensor::from_slice2(&[[1.0f32, 0.0]]);
        let (_, gradients) = finite(&[&logits], |x| {
            lambda_loss(&x[0], &labels, None, &LambdaLossOptions::default())
        });
        assert!(gradients[0].double_value(&[0, 0]) < -0.1);
    }
}
