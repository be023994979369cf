use strum::{EnumString, IntoStaticStr, VariantArray};

/// What becomes of a candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Decision {
    /// It becomes a negative.
    Keep,
    /// It becomes a positive.
    Promote,
    /// It is not used.
    Drop,
}

/// Why a candidate is kept, promoted or dropped, by the miner or by the filter. Where several hold,
/// the first in this order is given. In the candidates table they have these names in snake case.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, EnumString, IntoStaticStr, VariantArray,
)]
#[strum(serialize_all = "snake_case")]
pub enum Reason {
    /// Its id is the pair's positive or another known positive of the query.
    PositiveId,
    /// Its text equals that of a known positive of the query.
    PositiveText,
    /// Its id is the query's, and one of both texts holds the other.
    QueryId,
    /// Its text is the same as the query's.
    QueryText,
    /// It is of the same group as the pair's positive.
    SameGroup,
    /// Its text is nearly that of a positive of the query.
    NearDuplicate,
    /// Its rank is one of those that are skipped.
    RankMin,
    /// Promoted: a positive from now on.
    Promoted,
    /// It would be promoted, but the query has its promoted candidates already.
    SurplusPositive,
    /// The model does not believe in the positive beside it.
    LowPositiveScore,
    /// Its score is within the absolute margin of the positive's.
    AbsoluteMargin,
    /// Its score is within the relative margin of the positive's.
    RelativeMargin,
    /// It scores too much.
    MaxScore,
    /// It scores too little.
    MinScore,
    /// It is among the best of its query by score.
    TopShare,
    /// It is among the best of those that are left.
    RangeMin,
    /// It is behind the range of those that are left.
    RangeMax,
    /// The pair has this candidate already.
    Duplicate,
    /// The pair has its negatives without it.
    Surplus,
    /// Nothing speaks against it: a negative.
    Negative,
}

impl Decision {
    /// Returns the decision as it stands in a table.
    pub fn name(self) -> &'static str {
        self.into()
    }
}

impl Reason {
    /// Returns the reason as it stands in a table.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// Finds the reason of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        name.parse().ok()
    }

    /// Returns the decision that goes with it. One that was kept although it is a known positive
    /// is decided on by who keeps it.
    pub fn decision(self) -> Decision {
        match self {
            Self::Promoted => Decision::Promote,
            Self::Negative => Decision::Keep,
            _ => Decision::Drop,
        }
    }

    /// Returns whether the candidate is a known positive.
    pub fn is_positive(self) -> bool {
        matches!(self, Self::PositiveId | Self::PositiveText)
    }

    /// Returns those that leave nothing to decide.
    pub fn settled() -> impl Iterator<Item = Self> {
        let reasons = Self::VARIANTS.iter().copied();
        reasons.filter(|reason| reason.is_settled())
    }

    /// Returns whether it leaves nothing to decide: the candidate is a known positive or the query
    /// itself.
    pub fn is_settled(self) -> bool {
        self.is_positive() || matches!(self, Self::QueryId | Self::QueryText)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_tables_and_lead_back() {
        assert_eq!(Reason::LowPositiveScore.name(), "low_positive_score");
        assert_eq!(Reason::from_name("range_max"), Some(Reason::RangeMax));
        assert_eq!(Reason::from_name("mood"), None);
        assert_eq!(Reason::Promoted.decision().name(), "promote");
        assert_eq!("drop".parse(), Ok(Decision::Drop));
    }
}
