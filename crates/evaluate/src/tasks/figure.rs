use pairmill_checkpoint::SimilarityFunction;

/// The name of a figure by this function; by the cosine it has the plain name.
pub(super) fn figure(function: SimilarityFunction, metric: &str) -> String {
    match function {
        SimilarityFunction::Cosine => metric.to_owned(),
        other => format!("{}_{metric}", other.name()),
    }
}
