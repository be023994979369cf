use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array, AsArray, StringArray};
use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};
use pairmill_schema::Reason;
use rayon::prelude::*;

use crate::Known;
use crate::keys::{Key, Query, holds, id_key};

/// Rows decided on by one thread at a time.
const ROWS_PER_TASK: usize = 256;

impl Known {
    /// Why a candidate of a pair, with this id and text, is kept or dropped. An id that query and
    /// candidate share says nothing where their texts have nothing to do with each other: both may
    /// be numbered from 1.
    pub fn reason(
        &self,
        query_id: &str,
        query: &str,
        positive_id: &str,
        corpus_id: &str,
        text: &str,
    ) -> Reason {
        let query = Query::new(query_id, query, self.sameness);
        self.reason_for(&query, positive_id, corpus_id, text)
    }

    fn reason_for(&self, query: &Query, positive_id: &str, corpus_id: &str, text: &str) -> Reason {
        let candidate = id_key(corpus_id);
        let is_answer = |text: &Key| self.answers(query.keys, *text);
        let texts = self.texts(candidate);
        if corpus_id == positive_id || is_answer(&candidate) {
            Reason::PositiveId
        } else if texts.is_some_and(|texts| texts.iter().any(is_answer)) {
            Reason::PositiveText
        } else if corpus_id == query.id && (self.identical_ids || holds(query.text, text)) {
            Reason::QueryId
        } else if query.is(text) {
            Reason::QueryText
        } else if self.same_group(id_key(positive_id), candidate) {
            Reason::SameGroup
        } else {
            Reason::Negative
        }
    }
}

/// `exclusion_reason(query_id, query, positive_id, corpus_id, text)`: the name of the [`Reason`].
#[derive(Debug)]
pub struct ExclusionReason {
    known: Arc<Known>,
    signature: Signature,
}

impl ExclusionReason {
    /// The function over what is known.
    pub fn new(known: Arc<Known>) -> Self {
        Self {
            known,
            signature: Signature::exact(vec![DataType::Utf8; 5], Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for ExclusionReason {
    fn name(&self) -> &str {
        "exclusion_reason"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let columns = ColumnarValue::values_to_arrays(&args.args)?;
        let [query_id, query, positive_id, corpus_id, text] =
            [0, 1, 2, 3, 4].map(|number| columns[number].as_string::<i32>());
        let rows: Vec<usize> = (0..query_id.len()).collect();
        let reasons: Vec<Reason> = rows
            .par_chunks(ROWS_PER_TASK)
            .flat_map_iter(|rows| {
                // The candidates of a query come one after the other.
                let mut last: Option<Query> = None;
                rows.iter().map(move |&row| {
                    let (id, text_of) = (query_id.value(row), query.value(row));
                    let same = last.take();
                    let same = same.filter(|last| last.id == id && last.text == text_of);
                    let asked =
                        same.unwrap_or_else(|| Query::new(id, text_of, self.known.sameness));
                    let reason = self.known.reason_for(
                        &asked,
                        positive_id.value(row),
                        corpus_id.value(row),
                        text.value(row),
                    );
                    last = Some(asked);
                    reason
                })
            })
            .collect();
        let names = StringArray::from_iter_values(reasons.into_iter().map(Reason::name));
        Ok(ColumnarValue::Array(Arc::new(names)))
    }
}

impl PartialEq for ExclusionReason {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.known, &other.known)
    }
}

impl Eq for ExclusionReason {}

impl Hash for ExclusionReason {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.known).hash(state);
    }
}

#[cfg(test)]
mod tests {
    use pairmill_schema::Sameness;

    use super::*;
    use crate::{Absence, Evidence, Side};

    /// Query `q1` has the positives `p1` and `p3`; `q2` is the same question and has `p2`.
    fn evidence() -> Evidence {
        let mut evidence = Evidence::default();
        evidence.add_pair("q1", "How do I reset it?", "p1", "Hold the button.");
        evidence.add_pair("q2", "HOW DO I RESET IT ", "p2", "Pull the plug.");
        evidence.add_pair("q1", "How do I reset it?", "p3", "Ask us.");
        evidence
    }

    fn known(corpus: &[(&str, &str)]) -> Known {
        let mut evidence = evidence();
        for (id, text) in corpus {
            evidence.add_passage(id, "", text, None);
        }
        evidence.finish()
    }

    fn reason_of(known: &Known, corpus_id: &str, text: &str) -> Reason {
        known.reason("q1", "How do I reset it?", "p1", corpus_id, text)
    }

    fn reason(known: &Known, corpus_id: &str) -> Reason {
        reason_of(known, corpus_id, "anything")
    }

    #[test]
    fn every_positive_of_the_query_is_known_by_id() {
        let known = known(&[]);
        assert_eq!(reason(&known, "p1"), Reason::PositiveId);
        assert_eq!(reason(&known, "p3"), Reason::PositiveId);
        assert_eq!(reason(&known, "p2"), Reason::PositiveId, "by the question");
        assert_eq!(reason(&known, "p4"), Reason::Negative);
    }

    #[test]
    fn a_copy_of_a_positive_is_known_by_text() {
        let known = known(&[
            ("d1", "Hold  the button."),
            ("d2", "Pull the plug."),
            ("d3", "pull the PLUG."),
        ]);
        assert_eq!(reason(&known, "d1"), Reason::PositiveText);
        assert_eq!(reason(&known, "d2"), Reason::PositiveText);
        assert_eq!(
            reason(&known, "d3"),
            Reason::Negative,
            "answers differ by case"
        );
    }

    #[test]
    fn a_positive_is_also_known_by_its_text_in_the_corpus_wherever_it_stands() {
        let mut evidence = evidence();
        evidence.add_passage("p1", "Title", "Hold it.", None);
        evidence.add_passage("d1", "", "Title Hold it.", None);
        evidence.add_passage("d2", "Another", "Hold the button.", None);
        let known = evidence.finish();
        assert_eq!(reason(&known, "d1"), Reason::PositiveText);
        assert_eq!(
            reason(&known, "d2"),
            Reason::PositiveText,
            "without its title"
        );
    }

    #[test]
    fn a_judged_passage_is_known_by_id_and_text() {
        let mut evidence = evidence();
        evidence.add_judgement("q2", "d1");
        evidence.add_judgement("q2", "d2");
        evidence.add_judgement("stranger", "d3");
        evidence.add_passage("d1", "", "Unplug it", None);
        evidence.add_passage("d4", "", "Unplug  it", None);
        assert_eq!(evidence.judged_but_unseen(), 2, "d2 and d3");
        let known = evidence.finish();
        assert_eq!(reason(&known, "d1"), Reason::PositiveId);
        assert_eq!(reason(&known, "d4"), Reason::PositiveText);
        assert_eq!(reason(&known, "d3"), Reason::Negative);
    }

    #[test]
    fn the_query_itself_is_no_negative() {
        let known = known(&[]);
        let reason = |id, text| reason_of(&known, id, text);
        assert_eq!(reason("d1", "how do i RESET it"), Reason::QueryText);
        assert_eq!(
            reason("q1", "Ticket 7: how do I reset it?"),
            Reason::QueryId
        );
        assert_eq!(reason("q1", "Print on both sides."), Reason::Negative);
    }

    #[test]
    fn equal_ids_tell_the_query_where_the_user_says_so() {
        let mut evidence = Evidence::new(Sameness::Equivalent, true);
        evidence.add_pair("q1", "How do I reset it?", "p1", "Hold the button.");
        let known = evidence.finish();
        assert_eq!(
            reason_of(&known, "q1", "Print on both sides."),
            Reason::QueryId
        );
    }

    #[test]
    fn questions_are_kept_apart_where_the_user_says_so() {
        let mut evidence = Evidence::new(Sameness::Identical, false);
        evidence.add_pair("q1", "How do I reset it?", "p1", "Hold the button.");
        evidence.add_pair("q2", "HOW DO I RESET IT?", "p2", "Pull the plug.");
        assert_eq!(reason(&evidence.finish(), "p2"), Reason::Negative);
    }

    #[test]
    fn an_id_that_stands_for_two_texts_is_found() {
        let mut evidence = evidence();
        let mut add = |id, query, positive_id, positive| {
            evidence
                .add_pair(id, query, positive_id, positive)
                .ambiguous
        };
        assert_eq!(
            add("q1", "how do I reset it", "p1", "Hold the button."),
            None
        );
        assert_eq!(
            add("q1", "How do I print?", "p4", "Click it."),
            Some(Side::Anchor)
        );
        assert_eq!(
            add("q5", "How do I print?", "p1", "Click it."),
            Some(Side::Positive)
        );
    }

    #[test]
    fn positives_that_the_corpus_lacks_or_has_otherwise_are_counted() {
        let mut evidence = evidence();
        evidence.add_passage("p1", "", "Something else.", None);
        evidence.add_passage("x", "Help", "Ask us.", None);
        let expected = Absence {
            positives: 3,
            absent: 1,
            differing: 1,
            example: Some("p1".to_owned()),
            untitled: 1,
        };
        assert_eq!(evidence.absence(), expected);
    }

    #[test]
    fn a_passage_of_the_positives_group_is_no_negative() {
        let mut evidence = evidence();
        for (id, group) in [("p1", "login"), ("d1", "login"), ("d2", "billing")] {
            evidence.add_passage(id, "", id, Some(group));
        }
        let known = evidence.finish();
        assert_eq!(reason(&known, "d1"), Reason::SameGroup);
        assert_eq!(reason(&known, "d2"), Reason::Negative);
        assert_eq!(reason(&known, "unknown"), Reason::Negative);
    }
}
