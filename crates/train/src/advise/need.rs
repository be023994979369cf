//! How many rows a task needs.

use pairmill_report::format::count;

use super::advice::{Reason, Speaks};
use super::inputs::{Columns, Inputs};

/// Texts that each category should have.
const A_CATEGORY: usize = 250;
/// Queries that retrieval should be trained on, and relevant documents of each.
const QUERIES: usize = 1_000;
const DOCUMENTS: f64 = 2.0;
/// Pairs of each label that telling duplicates should be trained on.
const A_LABEL: usize = 250;

/// What the data is for, told from its tables.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Task {
    /// To tell categories: rows of each, fewest first.
    Categories(Vec<usize>),
    /// To find documents.
    Retrieval { pairs: usize, queries: usize },
    /// To tell whether two texts mean the same.
    Duplicates { positives: usize, negatives: usize },
}

/// How far the rows reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    TooFew,
    Least,
    Recommended,
    Best,
}

impl Task {
    /// Tells the task: categories where texts have one, duplicates where pairs have a label, else
    /// retrieval.
    pub fn of(inputs: &Inputs) -> Self {
        if !inputs.categories.is_empty() {
            let mut rows: Vec<usize> = inputs.categories.values().copied().collect();
            rows.sort_unstable();
            return Self::Categories(rows);
        }
        let is_labelled = |columns: Columns| matches!(columns, Columns::Binary | Columns::Graded);
        if inputs
            .training
            .iter()
            .all(|table| is_labelled(table.columns))
        {
            let (positives, negatives) = inputs.positives_and_negatives();
            return Self::Duplicates {
                positives,
                negatives,
            };
        }
        let (pairs, queries) = inputs.rows_and_queries();
        Self::Retrieval { pairs, queries }
    }

    /// Returns how far the rows reach, with the reason that follows.
    pub fn judged(&self) -> (Level, Reason) {
        match self {
            Self::Categories(rows) => of_categories(rows),
            Self::Retrieval { pairs, queries } => of_retrieval(*pairs, *queries),
            Self::Duplicates {
                positives,
                negatives,
            } => of_duplicates(*positives, *negatives),
        }
    }
}

fn reason(level: Level, figure: String, threshold: String, sentence: String) -> (Level, Reason) {
    let speaks = match level {
        Level::TooFew => Speaks::Against,
        Level::Least => Speaks::Neither,
        Level::Recommended | Level::Best => Speaks::For,
    };
    let about = "rows".to_owned();
    let reason = Reason {
        about,
        figure,
        threshold,
        speaks,
        sentence,
    };
    (level, reason)
}

/// Rows that telling so many categories apart needs: at least, better, best.
fn rows_of_categories(categories: usize) -> [usize; 3] {
    match categories {
        0..=3 => [500, 2_000, 5_000],
        4..=20 => [2_000, 5_000, 20_000],
        _ => [5_000, 20_000, 100_000],
    }
}

fn of_categories(rows: &[usize]) -> (Level, Reason) {
    let all: usize = rows.iter().sum();
    let needs = rows_of_categories(rows.len());
    let reached = needs.iter().filter(|&&need| all >= need).count();
    let level = [Level::TooFew, Level::Least, Level::Recommended, Level::Best][reached];
    let small = rows.iter().filter(|&&rows| rows < A_CATEGORY).count();
    let [least, better, best] = needs.map(|need| count(need as u64));
    let figure = format!(
        "{} texts in {} categories, {} in the smallest",
        count(all as u64),
        rows.len(),
        count(rows.first().copied().unwrap_or(0) as u64)
    );
    let threshold =
        format!("{least} at least, {better} better, {best} best; {A_CATEGORY} a category");
    let mut sentence = match level {
        Level::TooFew => format!(
            "{} texts are missing to the least.",
            count((needs[0] - all) as u64)
        ),
        Level::Least => "Enough to begin with; more would help.".to_owned(),
        Level::Recommended => "Enough.".to_owned(),
        Level::Best => "As many as are of use.".to_owned(),
    };
    if small > 0 {
        sentence += &format!(
            " {small} of {} categories have fewer than {A_CATEGORY}.",
            rows.len()
        );
    }
    reason(level, figure, threshold, sentence)
}

fn of_retrieval(pairs: usize, queries: usize) -> (Level, Reason) {
    let documents = pairs as f64 / queries.max(1) as f64;
    let level = match queries >= QUERIES {
        false => Level::TooFew,
        true if documents < DOCUMENTS => Level::Least,
        true => Level::Recommended,
    };
    let figure = format!(
        "{} queries with {documents:.1} relevant documents on average",
        count(queries as u64)
    );
    let threshold = format!(
        "{} queries with {DOCUMENTS} relevant documents each",
        count(QUERIES as u64)
    );
    let sentence = match level {
        Level::TooFew => format!("{} queries are missing.", count((QUERIES - queries) as u64)),
        Level::Least => {
            "Enough queries; a second relevant document for each would help.".to_owned()
        }
        _ => "Enough.".to_owned(),
    };
    reason(level, figure, threshold, sentence)
}

fn of_duplicates(positives: usize, negatives: usize) -> (Level, Reason) {
    let level = match positives.min(negatives) >= A_LABEL {
        true => Level::Recommended,
        false => Level::TooFew,
    };
    let figure = format!(
        "{} pairs that belong together and {} that do not",
        count(positives as u64),
        count(negatives as u64)
    );
    let threshold = format!("{A_LABEL} of each");
    let sentence = match level {
        Level::TooFew => "Too few of one of both.",
        _ => "Enough.",
    };
    reason(level, figure, threshold, sentence.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn categories_need_rows_by_their_number() {
        let level = |categories: usize, rows: usize| {
            Task::Categories(vec![rows / categories; categories])
                .judged()
                .0
        };
        assert_eq!(level(2, 498), Level::TooFew);
        assert_eq!(level(2, 500), Level::Least);
        assert_eq!(level(10, 4_990), Level::Least);
        assert_eq!(level(10, 5_000), Level::Recommended);
        assert_eq!(level(77, 10_010), Level::Least);
        assert_eq!(level(100, 100_000), Level::Best);
        let (_, reason) = Task::Categories(vec![10, 600]).judged();
        assert_eq!(
            reason.sentence,
            "Enough to begin with; more would help. 1 of 2 categories have fewer than 250."
        );
    }

    #[test]
    fn retrieval_needs_queries_and_documents() {
        let level = |pairs, queries| Task::Retrieval { pairs, queries }.judged().0;
        assert_eq!(level(999, 999), Level::TooFew);
        assert_eq!(level(1_500, 1_000), Level::Least);
        assert_eq!(level(2_000, 1_000), Level::Recommended);
    }

    #[test]
    fn duplicates_need_both_labels() {
        let level = |positives, negatives| {
            Task::Duplicates {
                positives,
                negatives,
            }
            .judged()
            .0
        };
        assert_eq!(level(9_000, 249), Level::TooFew);
        assert_eq!(level(250, 250), Level::Recommended);
    }
}
