use pairmill_schema::Reason;
use rand::SeedableRng;
use rand::seq::index;
use rand_chacha::ChaCha12Rng;
use serde::Serialize;

use crate::{Margins, TrainingFormat};

/// Which candidates become negatives, with the semantics and the names of sentence-transformers'
/// `mine_hard_negatives`. Scores are those of the retriever.
///
/// Candidates are looked at in order of rank. Those that are excluded (known positives and so on)
/// and those whose score fails fall away; the others are the survivors. Of these the first
/// `range_min` are skipped and those from `range_max` on as well, and of the rest `num_negatives`
/// are taken.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Selection {
    /// Survivors skipped, the best ones.
    pub range_min: usize,
    /// Survivors looked at, those skipped included; all if not given.
    pub range_max: Option<usize>,
    /// Ranks skipped, whoever holds them: what other tools mean by a minimum of the range.
    pub rank_min: usize,
    /// A candidate that scores more is none.
    pub max_score: Option<f32>,
    /// A candidate that scores less is none.
    pub min_score: Option<f32>,
    /// A candidate is none if `score + absolute_margin > positive`.
    pub absolute_margin: Option<f32>,
    /// A candidate is none if `score > positive − |positive| × relative_margin`.
    pub relative_margin: Option<f32>,
    /// Negatives of each pair; all survivors if not given.
    pub num_negatives: Option<usize>,
    /// Which survivors of the range are taken.
    pub sampling_strategy: Sampling,
    /// Whether known positives are candidates like others, so that a full ranking results.
    pub include_positives: bool,
}

/// Which of the survivors in the range become negatives.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Sampling {
    /// The best ones
    #[default]
    Top,
    /// Random ones, by seed and query
    Random,
}

/// A candidate of a query.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Candidate {
    /// Its rank, from 1.
    pub rank: usize,
    /// Its score by the retriever.
    pub score: f32,
    /// Why it cannot be a negative; [`Reason::Negative`] if nothing is known against it.
    pub excluded: Reason,
}

impl Selection {
    /// Finds options that contradict each other.
    ///
    /// # Errors
    /// A sentence that says which.
    pub fn validate(&self, format: TrainingFormat) -> Result<(), String> {
        let Self {
            range_min,
            range_max,
            num_negatives,
            ..
        } = *self;
        if let Some(range_max) = range_max {
            if range_min >= range_max {
                return Err(format!(
                    "--range-min {range_min} leaves nothing of --range-max {range_max}; the first must be smaller"
                ));
            }
            if let Some(wanted) = num_negatives.filter(|wanted| *wanted > range_max - range_min) {
                return Err(format!(
                    "--num-negatives {wanted} are more than the {} candidates between --range-min and --range-max",
                    range_max - range_min
                ));
            }
        }
        if self.sampling_strategy == Sampling::Random && num_negatives.is_none() {
            return Err("--sampling-strategy random needs --num-negatives".to_owned());
        }
        if self.include_positives && format.parts_negatives() {
            return Err("--include-positives is for --format labeled-pair, labeled-list or candidates: in triplets and n-tuples positives would stand as negatives".to_owned());
        }
        Ok(())
    }

    /// What becomes of the candidates of a query, which come in order of rank. `positive` is the
    /// lowest score of the query's positives, `draw` the state of its random choice.
    pub fn reasons(&self, candidates: &[Candidate], positive: f32, draw: [u8; 32]) -> Vec<Reason> {
        let mut reasons: Vec<Reason> = candidates
            .iter()
            .map(|candidate| self.reason(candidate, positive))
            .collect();
        let mut in_range = Vec::new();
        let survivors = (0..reasons.len()).filter(|&row| self.survives(reasons[row]));
        for (number, row) in survivors.collect::<Vec<_>>().into_iter().enumerate() {
            if number < self.range_min {
                reasons[row] = Reason::RangeMin;
            } else if self.range_max.is_some_and(|range_max| number >= range_max) {
                reasons[row] = Reason::RangeMax;
            } else {
                in_range.push(row);
            }
        }
        let Some(wanted) = self.num_negatives.filter(|wanted| *wanted < in_range.len()) else {
            return reasons;
        };
        let taken = match self.sampling_strategy {
            Sampling::Top => (0..wanted).collect(),
            Sampling::Random => {
                let mut random = ChaCha12Rng::from_seed(draw);
                index::sample(&mut random, in_range.len(), wanted).into_vec()
            }
        };
        for (number, row) in in_range.into_iter().enumerate() {
            if !taken.contains(&number) {
                reasons[row] = Reason::Surplus;
            }
        }
        reasons
    }

    /// Whether a candidate with this reason is one still.
    pub fn survives(&self, reason: Reason) -> bool {
        reason == Reason::Negative || (self.include_positives && reason.is_positive())
    }

    fn reason(&self, candidate: &Candidate, positive: f32) -> Reason {
        let Candidate {
            rank,
            score,
            excluded,
        } = *candidate;
        if !self.survives(excluded) {
            return excluded;
        }
        if rank <= self.rank_min {
            return Reason::RankMin;
        }
        let margins = Margins {
            absolute: self.absolute_margin,
            relative: self.relative_margin,
            max_score: self.max_score,
            min_score: self.min_score,
        };
        margins.broken(score, positive).unwrap_or(excluded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCORES: [f32; 6] = [0.9, 0.8, 0.7, 0.6, 0.5, 0.4];

    /// The candidates of the scores above, the second of which is a known positive.
    fn candidates() -> Vec<Candidate> {
        let candidate = |(number, &score)| Candidate {
            rank: number + 1,
            score,
            excluded: match number {
                1 => Reason::PositiveId,
                _ => Reason::Negative,
            },
        };
        SCORES.iter().enumerate().map(candidate).collect()
    }

    /// The ranks of the negatives.
    fn taken(selection: &Selection) -> Vec<usize> {
        let reasons = selection.reasons(&candidates(), 0.8, [7; 32]);
        let ranks = (1..).zip(reasons);
        ranks
            .filter(|(_, reason)| selection.survives(*reason))
            .map(|(rank, _)| rank)
            .collect()
    }

    #[test]
    fn all_survivors_are_taken_unless_a_number_is_asked_for() {
        let mut selection = Selection::default();
        assert_eq!(taken(&selection), [1, 3, 4, 5, 6]);
        selection.num_negatives = Some(2);
        assert_eq!(taken(&selection), [1, 3]);
    }

    #[test]
    fn the_range_counts_survivors_and_the_rank_counts_ranks() {
        let range = Selection {
            range_min: 1,
            range_max: Some(3),
            ..Default::default()
        };
        assert_eq!(taken(&range), [3, 4]);
        let rank = Selection {
            rank_min: 2,
            ..Default::default()
        };
        assert_eq!(taken(&rank), [3, 4, 5, 6]);
        let reasons = range.reasons(&candidates(), 0.8, [0; 32]);
        assert_eq!(
            (reasons[0], reasons[4]),
            (Reason::RangeMin, Reason::RangeMax)
        );
    }

    #[test]
    fn margins_and_bounds_are_of_the_score() {
        let with = |change: fn(&mut Selection)| {
            let mut selection = Selection::default();
            change(&mut selection);
            taken(&selection)
        };
        assert_eq!(with(|s| s.absolute_margin = Some(0.15)), [4, 5, 6]);
        assert_eq!(with(|s| s.relative_margin = Some(0.2)), [4, 5, 6]);
        assert_eq!(with(|s| s.max_score = Some(0.6)), [4, 5, 6]);
        assert_eq!(with(|s| s.min_score = Some(0.6)), [1, 3, 4]);
    }

    #[test]
    fn the_relative_margin_lies_below_a_negative_positive_too() {
        let selection = Selection {
            relative_margin: Some(0.1),
            ..Default::default()
        };
        let candidate = |score| Candidate {
            rank: 1,
            score,
            excluded: Reason::Negative,
        };
        let reasons = selection.reasons(&[candidate(-1.05), candidate(-1.15)], -1.0, [0; 32]);
        assert_eq!(reasons, [Reason::RelativeMargin, Reason::Negative]);
    }

    #[test]
    fn random_negatives_depend_on_the_draw_alone_and_reach_all_of_the_range() {
        let selection = Selection {
            num_negatives: Some(2),
            range_min: 1,
            sampling_strategy: Sampling::Random,
            ..Default::default()
        };
        let taken = |draw: u8| {
            let reasons = selection.reasons(&candidates(), 0.8, [draw; 32]);
            let rows = 0..reasons.len();
            rows.filter(|&row| reasons[row] == Reason::Negative)
                .collect::<Vec<_>>()
        };
        let mut seen = std::collections::BTreeSet::new();
        for draw in 0..50 {
            assert_eq!(taken(draw), taken(draw));
            assert_eq!(taken(draw).len(), 2);
            seen.extend(taken(draw));
        }
        assert_eq!(seen, [2, 3, 4, 5].into());
    }

    #[test]
    fn positives_can_be_candidates_like_others() {
        let selection = Selection {
            include_positives: true,
            num_negatives: Some(2),
            ..Default::default()
        };
        assert_eq!(taken(&selection), [1, 2]);
        assert!(selection.validate(TrainingFormat::TRIPLET).is_err());
        assert!(selection.validate(TrainingFormat::LABELED_LIST).is_ok());
    }
}
