use super::data::MetricRow;
use crate::statistics::verdict;

/// What the chief metric says about the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The interval of the difference lies on the better side of 0, and the corrected test agrees.
    Better,
    /// On the worse side.
    Worse,
    /// One of both does not say so, or neither side is better.
    Unclear,
    /// The same, and the items are too few to tell.
    TooFew,
    /// There is a baseline, but no interval.
    Untested,
    /// There is no baseline.
    Alone,
}

/// What the difference of a metric says.
pub(super) fn verdict(row: &MetricRow) -> Verdict {
    let Some(difference) = &row.difference else {
        return Verdict::Alone;
    };
    match difference.verdict {
        Some(verdict::Verdict::Better) => Verdict::Better,
        Some(verdict::Verdict::Worse) => Verdict::Worse,
        Some(verdict::Verdict::Unclear) => Verdict::Unclear,
        Some(verdict::Verdict::TooFew) => Verdict::TooFew,
        None => Verdict::Untested,
    }
}

impl Verdict {
    /// Returns a sign that needs no colour; empty where nothing was tested.
    pub fn sign(self) -> &'static str {
        match self {
            Self::Better => "▲",
            Self::Worse => "▼",
            Self::Unclear | Self::TooFew => "○",
            Self::Untested | Self::Alone => "",
        }
    }

    /// Its name, empty where there is nothing to compare.
    pub fn name(self) -> &'static str {
        match self {
            Self::Better => "Better",
            Self::Worse => "Worse",
            Self::Unclear => "No clear difference",
            Self::TooFew => "Too few to tell",
            Self::Untested => "Not tested",
            Self::Alone => "",
        }
    }

    /// Returns the class of its colour in charts.
    pub fn series_class(self) -> &'static str {
        match self {
            Self::Better => "s0",
            Self::Worse => "s1",
            Self::Unclear | Self::TooFew | Self::Untested | Self::Alone => "same",
        }
    }
}
