use pairmill_augment::Refusal;
use pairmill_checkpoint::SimilarityFunction;
use pairmill_retrieval::Embeddings;
use pairmill_schema::excerpt;
use rayon::prelude::*;

use super::config::AugmentKind;
use super::rows::Sources;
use super::vectors::Encoder;
use super::wordings::Wording;
use crate::Result;
use crate::input::EXCERPT;

/// Vectors are of length 1, so that their products are cosines.
const COSINE: SimilarityFunction = SimilarityFunction::Dot;

/// Refuses wordings that the model finds too far from their source, or nearer to another category
/// or positive than to their own.
///
/// Of tickets it is the centroid of each category that counts, the mean of its texts' embeddings;
/// of pairs the positives of the table.
pub(super) fn refuse_by_model(
    sources: &Sources,
    wordings: &mut [Wording],
    encoder: &Encoder,
    min_similarity: f32,
) -> Result<()> {
    let left: Vec<usize> = (0..wordings.len())
        .filter(|&at| wordings[at].is_left())
        .collect();
    if left.is_empty() {
        return Ok(());
    }
    let texts: Vec<&str> = (0..sources.sources.len())
        .map(|source| sources.text(source))
        .collect();
    let of_sources = encoder.queries(&texts, "sources")?;
    let targets = match sources.kind {
        AugmentKind::Tickets => centroids(sources, &of_sources),
        AugmentKind::Pairs => {
            let texts: Vec<&str> = sources.targets.iter().map(String::as_str).collect();
            encoder.documents(&texts, "positives")?
        }
    };
    let texts: Vec<&str> = left.iter().map(|&at| wordings[at].text.as_str()).collect();
    let of_wordings = encoder.queries(&texts, "wordings")?;

    let mut is_asked = vec![false; sources.sources.len()];
    left.iter()
        .for_each(|&at| is_asked[wordings[at].source] = true);
    let asked = is_asked.par_iter().enumerate();
    let nearest_to_sources: Vec<Option<usize>> = asked
        .map(|(source, is_asked)| {
            let own = &sources.sources[source].targets;
            let nearer = is_asked.then(|| nearer(of_sources.row(source), own, &targets));
            nearer.flatten()
        })
        .collect();
    let judged: Vec<(f32, Option<Refusal>, Option<usize>)> = left
        .par_iter()
        .enumerate()
        .map(|(row, &at)| {
            let source = wordings[at].source;
            let wording = of_wordings.row(row);
            let similarity = COSINE.of(wording, of_sources.row(source));
            if similarity < min_similarity {
                return (similarity, Some(Refusal::LowSimilarity), None);
            }
            if let Some(nearer) = nearest_to_sources[source] {
                return (similarity, Some(Refusal::SourceNotNearest), Some(nearer));
            }
            let nearer = nearer(wording, &sources.sources[source].targets, &targets);
            (similarity, nearer.map(|_| Refusal::NotNearest), nearer)
        })
        .collect();
    for (at, (similarity, refusal, other)) in left.into_iter().zip(judged) {
        wordings[at].similarity = Some(similarity);
        if let Some(refusal) = refusal {
            let name = |target: usize| excerpt(&sources.targets[target], EXCERPT);
            wordings[at].refuse(refusal, other.map(name));
        }
    }
    Ok(())
}

/// Returns the mean of the texts of each category, scaled to length 1.
fn centroids(sources: &Sources, of_sources: &Embeddings) -> Embeddings {
    let dimension = of_sources.dimension();
    let mut sums = vec![0.0; sources.targets.len() * dimension];
    for (source, vector) in sources.sources.iter().zip(of_sources.rows()) {
        for &target in &source.targets {
            let sum = &mut sums[target * dimension..][..dimension];
            sum.iter_mut()
                .zip(vector)
                .for_each(|(sum, value)| *sum += value);
        }
    }
    // Sums of vectors of length 1 are finite.
    Embeddings::normalised(sums, dimension).unwrap_or_else(|_| of_sources.clone())
}

/// Returns the first target that is nearest, if it is nearer than all of the text's own.
fn nearer(text: &[f32], own: &[usize], targets: &Embeddings) -> Option<usize> {
    let best_own = own
        .iter()
        .map(|&target| COSINE.of(text, targets.row(target)));
    let mut best = best_own.fold(f32::NEG_INFINITY, f32::max);
    let mut nearer = None;
    for (target, vector) in targets.rows().enumerate() {
        let similarity = COSINE.of(text, vector);
        if similarity > best {
            (best, nearer) = (similarity, Some(target));
        }
    }
    nearer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_nearer_only_if_no_own_one_is_as_near() {
        let targets = vec![1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0];
        let targets = Embeddings::normalised(targets, 2).unwrap();
        assert_eq!(nearer(&[1.0, 0.0], &[0], &targets), None);
        // The third is the first again.
        assert_eq!(nearer(&[1.0, 0.0], &[2], &targets), None);
        assert_eq!(nearer(&[1.0, 0.0], &[1], &targets), Some(0));
        assert_eq!(nearer(&[1.0, 0.0], &[1, 2], &targets), None);
        assert_eq!(nearer(&[0.6, 0.5], &[0], &targets), Some(3));
    }
}
