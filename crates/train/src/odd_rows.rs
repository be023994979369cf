use pairmill_schema::{agreeing, counted};

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
        self.empty.warn(|n| {
            let texts = counted(n, "text is", "texts are");
            format!("{texts} empty, and what needs a text is left out")
        });
        self.own_positive.warn(|n| {
            let negatives = counted(n, "negative is", "negatives are");
            format!("{negatives} the positive of the same row and left out: such a row contradicts itself")
        });
        self.own_anchor.warn(|n| {
            let negatives = counted(n, "negative is", "negatives are");
            format!(
                "{negatives} the anchor of the same row and left out: such a row contradicts itself"
            )
        });
        self.known_positive.warn(|n| {
            let negatives = counted(n, "negative is", "negatives are");
            format!("{negatives} a positive of the same anchor in another row and left out")
        });
        self.both_labels.warn(|n| {
            let pairs = counted(n, "pair is", "pairs are");
            format!("{pairs} labelled 0 here and 1 in another row: 1 is what counts")
        });
        self.without_positive.warn(|n| {
            let pairs = counted(n, "pair", "pairs");
            let are = agreeing(n, "is", "are");
            format!("{pairs} of label 0 {are} left out, because no row of label 1 has the anchor")
        });
    }

    /// Returns how many negatives were taken out because they contradict a positive or the anchor.
    pub fn contradictions(&self) -> usize {
        self.own_positive.count() + self.own_anchor.count() + self.known_positive.count()
    }
}
