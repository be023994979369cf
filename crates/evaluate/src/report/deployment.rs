use serde::Serialize;

use super::data::{Better, Compared, MetricRow};
use super::verdict::Verdict;

/// Which of both a verdict speaks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Choice {
    Model,
    Baseline,
}

impl Choice {
    /// Returns the choice that follows from a verdict: a model that is not shown to be better is
    /// not worth the change. `None` where nothing was tested.
    pub fn by(verdict: Verdict) -> Option<Self> {
        match verdict {
            Verdict::Better => Some(Self::Model),
            Verdict::Worse | Verdict::Unclear | Verdict::TooFew => Some(Self::Baseline),
            Verdict::Untested | Verdict::Alone => None,
        }
    }
}

/// Says which of both to use, by the names that they have; `None` where neither is to be chosen.
/// `is_behind` where the model has the worse figure.
pub(super) fn recommendation(
    compared: Compared,
    verdict: Verdict,
    is_behind: bool,
    model: &str,
    baseline: &str,
) -> Option<String> {
    let choice = Choice::by(verdict)?;
    let why = match verdict {
        Verdict::Worse => format!("{model} does worse"),
        Verdict::TooFew if is_behind => {
            format!("{model} did worse here, though too little was tried to be sure")
        }
        Verdict::TooFew => format!("{model} may be better, but that is not shown yet"),
        _ => format!("{model} is not shown to be better"),
    };
    Some(match (compared, choice) {
        (Compared::Results, _) => return None,
        (Compared::Models, Choice::Model) => format!("Deploy {model}."),
        (Compared::Models, Choice::Baseline) => format!("Keep {baseline}: {why}."),
        (Compared::Reranker, Choice::Model) => format!("Rank {baseline} anew with {model}."),
        (Compared::Reranker, Choice::Baseline) => format!("Leave {baseline} as it is: {why}."),
    })
}

/// Returns whether the model has the worse figure.
pub(super) fn is_behind(row: &MetricRow) -> bool {
    row.difference
        .as_ref()
        .is_some_and(|difference| match row.better {
            Better::Higher => difference.estimate.value < 0.0,
            Better::Lower => difference.estimate.value > 0.0,
            Better::Neither => false,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_deployed_where_it_is_better_and_nowhere_else() {
        let of = |compared, verdict| recommendation(compared, verdict, false, "new", "old");
        let models = [
            (Verdict::Better, Some("Deploy new.")),
            (Verdict::Worse, Some("Keep old: new does worse.")),
            (
                Verdict::Unclear,
                Some("Keep old: new is not shown to be better."),
            ),
            (
                Verdict::TooFew,
                Some("Keep old: new may be better, but that is not shown yet."),
            ),
            (Verdict::Untested, None),
            (Verdict::Alone, None),
        ];
        for (verdict, expected) in models {
            assert_eq!(of(Compared::Models, verdict).as_deref(), expected);
            assert_eq!(of(Compared::Results, verdict), None);
        }
        let behind = recommendation(Compared::Models, Verdict::TooFew, true, "new", "old");
        let expected = "Keep old: new did worse here, though too little was tried to be sure.";
        assert_eq!(behind.as_deref(), Some(expected));
        let reranked = of(Compared::Reranker, Verdict::Better).unwrap();
        assert_eq!(reranked, "Rank old anew with new.");
    }
}
