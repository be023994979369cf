use tch::{Kind, Reduction, Tensor};

/// Multiple-negatives ranking loss (Henderson et al. 2017; `MultipleNegativesRankingLoss` of
/// sentence-transformers): cross-entropy of each anchor picking its own positive among all
/// documents of the batch by scaled cosine similarity.
///
/// `anchors` is `[batch, dimension]`; `documents` is `[documents, dimension]`, the positives of the
/// anchors in order, then hard negatives. `excluded`, `[batch, documents]` boolean, marks
/// documents that are no negative of an anchor.
pub fn multiple_negatives_ranking(
    anchors: &Tensor,
    documents: &Tensor,
    scale: f64,
    excluded: Option<&Tensor>,
) -> Tensor {
    let unit = |x: &Tensor| x / x.norm_scalaropt_dim(2, [1i64], true).clamp_min(1e-12);
    let mut scores = unit(anchors).matmul(&unit(documents).transpose(0, 1)) * scale;
    if let Some(excluded) = excluded {
        scores = scores.masked_fill(excluded, f64::NEG_INFINITY);
    }
    let labels = Tensor::arange(anchors.size()[0], (Kind::Int64, anchors.device()));
    scores.cross_entropy_loss::<&Tensor>(&labels, None, Reduction::Mean, -100, 0.0)
}

/// Binary cross-entropy of logits `[batch]` against labels `[batch]` in 0..1, the mean over the
/// batch, computed without overflow.
pub fn binary_cross_entropy(logits: &Tensor, labels: &Tensor) -> Tensor {
    logits.binary_cross_entropy_with_logits::<&Tensor>(labels, None, None, Reduction::Mean)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excluded_document_counts_for_nothing() {
        let anchors = Tensor::from_slice2(&[[1.0f32, 0.0], [0.0, 1.0]]);
        let documents = Tensor::from_slice2(&[[1.0f32, 0.1], [0.9, 0.2]]);
        let excluded = Tensor::from_slice2(&[[false, true], [true, false]]);
        let loss = multiple_negatives_ranking(&anchors, &documents, 20.0, Some(&excluded));
        assert_eq!(loss.double_value(&[]), 0.0);
    }

    #[test]
    fn binary_cross_entropy_of_an_undecided_model_is_ln_2() {
        let loss = binary_cross_entropy(
            &Tensor::from_slice(&[0.0f32, 0.0]),
            &Tensor::from_slice(&[1.0f32, 0.0]),
        );
        assert!((loss.double_value(&[]) - 2f64.ln()).abs() < 1e-6);
    }
}
