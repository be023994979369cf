//! What must hold of any table, tried on many random ones.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use pairmill_schema::identical;
use proptest::prelude::*;

use crate::input::{Kept, Row};
use crate::qa;
use crate::retrieval::RetrievalSet;
use crate::tickets::TicketSet;
use crate::{Fractions, GenerateError, QaOptions, Split, TicketsOptions};

/// As many tables of each kind are tried, and at most as many are left out, since not every table
/// can be split.
const TABLES: u32 = 200;

fn tables() -> ProptestConfig {
    ProptestConfig {
        max_global_rejects: TABLES,
        ..ProptestConfig::with_cases(TABLES)
    }
}

/// Makes rows whose texts repeat, in different white space. `kinds` bounds how many different texts
/// a column has.
fn rows(names: [&'static str; 2], kinds: [Range<u32>; 2]) -> impl Strategy<Value = Vec<Row>> {
    let gap = || prop::sample::select(&[" ", "  ", "\n", "\u{a0}"][..]);
    let text = || (gap(), any::<u32>());
    let texts = prop::collection::vec([text(), text()], 10..120);
    (kinds, texts).prop_map(move |(kinds, texts)| {
        let row = |(n, texts): (usize, [(&str, u32); 2])| {
            let text = |side: usize| {
                let (gap, number) = texts[side];
                format!("{}{gap}{}", names[side], number % kinds[side])
            };
            Row {
                id: format!("row-{n:03}"),
                texts: [text(0), text(1)],
                kept: Kept::default(),
                time: 0,
            }
        };
        texts.into_iter().enumerate().map(row).collect()
    })
}

/// Returns what stands beside each text of the first column.
fn known(rows: &[Row]) -> BTreeMap<String, BTreeSet<String>> {
    let mut known: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for row in rows {
        let [first, second] = row
            .texts
            .each_ref()
            .map(|text| identical(text).into_owned());
        known.entry(first).or_default().insert(second);
    }
    known
}

fn fractions() -> impl Strategy<Value = Fractions> {
    let dev = 0.15;
    (0.3..0.7).prop_map(move |train| Fractions::new([train, dev, 1.0 - train - dev]).unwrap())
}

proptest! {
    #![proptest_config(tables())]

    #[test]
    fn qa_splits_share_no_text_and_negatives_are_never_known_answers(
        rows in rows(["question", "answer"], [3..80, 3..80]),
        negatives_per_question in 0usize..6,
        split in fractions(),
        seed: u64,
    ) {
        let options = QaOptions {
            negatives_per_question,
            split,
            ..QaOptions::default()
        };
        let known = known(&rows);
        match qa::retrieval_set(rows, &options, "table", seed) {
            Ok(set) => check_qa(&set, &known, negatives_per_question),
            Err(error @ GenerateError::EmptySplit { .. }) => {
                return Err(TestCaseError::reject(error.to_string()));
            }
            Err(error) => return Err(TestCaseError::fail(error.to_string())),
        }
    }

    #[test]
    fn tickets_pair_within_a_category_and_negatives_share_none(
        rows in rows(["text", "category"], [20..300, 2..8]),
        max_pairs in 1usize..200,
        negatives_per_positive in 0usize..4,
        split in fractions(),
        seed: u64,
    ) {
        let options = TicketsOptions {
            max_pairs,
            negatives_per_positive,
            split,
            ..TicketsOptions::default()
        };
        let known = known(&rows);
        match TicketSet::new(rows, &options, "table", seed) {
            Ok(set) => check_tickets(&set, &known, &options),
            Err(
                error @ (GenerateError::EmptySplit { .. }
                | GenerateError::NoPairs { .. }
                | GenerateError::OneCategory { .. }),
            ) => return Err(TestCaseError::reject(error.to_string())),
            Err(error) => return Err(TestCaseError::fail(error.to_string())),
        }
    }
}

fn check_qa(set: &RetrievalSet, known: &BTreeMap<String, BTreeSet<String>>, wanted: usize) {
    let texts: BTreeSet<_> = set
        .passages
        .iter()
        .map(|answer| identical(&answer.text))
        .collect();
    assert_eq!(texts.len(), set.passages.len(), "answers are distinct");
    assert!(set.passages.is_sorted_by(|a, b| a.id < b.id));
    assert!(set.queries.is_sorted_by(|a, b| a.id < b.id));
    assert_eq!(
        set.queries.len(),
        known.len(),
        "each question is in one split"
    );
    for split in Split::ALL {
        let passages = set.passages.iter().zip(0u32..);
        let of_split = passages.filter(|(passage, _)| passage.split == split);
        let members: BTreeSet<u32> = of_split.map(|(_, at)| at).collect();
        let pool = set.negative_pool(split);
        for question in set.queries_of(split) {
            let text_of = |&at: &u32| identical(&set.passages[at as usize].text).into_owned();
            let answers: BTreeSet<_> = question.relevant.iter().map(text_of).collect();
            assert_eq!(
                &answers,
                &known[&*identical(&question.text)],
                "every known answer is judged"
            );
            let earlier = |&at: &u32| set.passages[at as usize].split < split;
            assert!(
                !question.relevant.iter().any(earlier),
                "kept in the earliest split"
            );

            let positives = set.positives(question);
            assert!(!positives.is_empty());
            assert!(positives.iter().all(|at| members.contains(at)));
            let negatives = set.negatives(question, &positives, &pool);
            assert_eq!(negatives.len(), wanted.min(members.len() - positives.len()));
            assert!(negatives.iter().all(|at| members.contains(at)));
            let texts: BTreeSet<_> = negatives.iter().map(text_of).collect();
            assert_eq!(texts.len(), negatives.len(), "no negative comes twice");
            assert!(texts.is_disjoint(&answers), "a known answer is no negative");
        }
    }
}

fn check_tickets(
    set: &TicketSet,
    known: &BTreeMap<String, BTreeSet<String>>,
    options: &TicketsOptions,
) {
    let text_of = |at: u32| identical(&set.tickets[at as usize].text).into_owned();
    let categories_of = |at: u32| &known[&text_of(at)];
    assert!(set.positives_of(Split::Train).len() <= options.max_pairs);
    for split in Split::ALL {
        let pool = set.negative_pool(split);
        let pairs = set.positives_of(split);
        let unordered: BTreeSet<_> = pairs.iter().map(|&(a, b)| (a.min(b), a.max(b))).collect();
        assert_eq!(unordered.len(), pairs.len(), "no pair comes twice");
        for of_anchor in pairs.chunk_by(|a, b| a.0 == b.0) {
            let anchor = of_anchor[0].0;
            let labels = set.labels(split, anchor, of_anchor, &pool);
            assert!(
                labels.is_sorted_by(|a, b| a.0 < b.0),
                "each partner comes once"
            );
            for &(other, label) in &labels {
                assert_eq!(set.text_of(anchor).split, split);
                assert_eq!(set.text_of(other).split, split);
                assert_ne!(text_of(anchor), text_of(other));
                let shared = !categories_of(anchor).is_disjoint(categories_of(other));
                assert_eq!(shared, label == 1);
            }
            let positives = labels.iter().filter(|label| label.1 == 1).count();
            assert_eq!(positives, of_anchor.len());
            assert!(labels.len() - positives <= positives * options.negatives_per_positive);
        }
    }
    let relevant = set.relevant();
    for split in [Split::Dev, Split::Test] {
        for text in set.queries(split) {
            let mut documents = BTreeSet::new();
            for &category in &text.categories {
                documents.extend(relevant[category as usize].iter().copied());
            }
            let judged = |at: u32| documents.contains(&at);
            for at in
                (0..set.tickets.len() as u32).filter(|&at| set.text_of(at).split == Split::Train)
            {
                let shared = !categories_of(text.ticket).is_disjoint(categories_of(at));
                assert_eq!(
                    judged(at),
                    shared,
                    "exactly the tickets of its categories are judged"
                );
            }
            assert!(!documents.is_empty());
        }
    }
}
