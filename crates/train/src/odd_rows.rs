use crate::findings::Findings;

/// Rows that contradict themselves or others, or say nothing.
#[derive(Debug, Default)]
pub(crate) struct OddRows {
    pub empty: Findings,
    pub own_positive: Findings,
    pub own_anchor: Findings,
    pub known_positive: Findings,
    pub both_labels: Findings,
    pub without_positive: Findings,
}

impl OddRows {
    /// Says how many rows there are of each kind, and names the first.
    pub fn warn(&self) {
        self.empty
            .warn(|n| format!("{n} texts are empty, and what needs them is left out"));
        self.own_positive.warn(|n| {
            format!("{n} negatives are the positive of their own row and are left out: such a row contradicts itself")
        });
        self.own_anchor.warn(|n| {
            format!("{n} negatives are the anchor of their own row and are left out: such a row contradicts itself")
        });
        self.known_positive.warn(|n| {
            format!(
                "{n} negatives are a positive of the same anchor in another row and are left out"
            )
        });
        self.both_labels.warn(|n| {
            format!("{n} pairs are labelled 0 here and 1 in another row, and count as positives")
        });
        self.without_positive.warn(|n| {
            format!("{n} pairs of label 0 are left out, because no row of label 1 has their anchor")
        });
    }

    /// Returns how many negatives were taken out because they contradict a positive or the anchor.
    pub fn contradictions(&self) -> usize {
        self.own_positive.count() + self.own_anchor.count() + self.known_positive.count()
    }
}
