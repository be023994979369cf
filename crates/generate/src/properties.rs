//! What must hold of any table, tried on many random ones.

use std::collections::{BTreeMap, BTreeSet};

use pairmill_schema::identical;
use rand::Rng;
use rand_chacha::ChaCha8Rng;

use crate::input::{Kept, Row};
use crate::qa;
use crate::retrieval::RetrievalSet;
use crate::tickets::TicketSet;
use crate::{Fractions, GenerateError, QaOptions, Split, TicketsOptions, draw};

const TABLES: u64 = 200;

/// Rows whose texts repeat, in different white space.
fn random_rows(chance: &mut ChaCha8Rng, first: &str, second: &str, kinds: [u32; 2]) -> Vec<Row> {
    let rows = chance.random_range(10..120);
    (0..rows)
        .map(|n| {
            let mut text = |name: &str, kinds| {
                let gap = [" ", "  ", "\n", "\u{a0}"][chance.random_range(0..4)];
                format!("{name}{gap}{}", chance.random_range(0..kinds))
            };
            Row {
                id: format!("row-{n:03}"),
                texts: [text(first, kinds[0]), text(second, kinds[1])],
                kept: Kept::default(),
            }
        })
        .collect()
}

fn fractions(chance: &mut ChaCha8Rng) -> Fractions {
    let [train, dev] = [0.3 + 0.4 * chance.random::<f64>(), 0.15];
    Fractions::new([train, dev, 1.0 - train - dev]).unwrap()
}

#[test]
fn qa_splits_share_no_text_and_negatives_are_never_known_answers() {
    let mut whole = 0;
    for table in 0..TABLES {
        let mut chance = draw::generator(table, "random qa table", &[]);
        let kinds = [chance.random_range(3..80), chance.random_range(3..80)];
        let rows = random_rows(&mut chance, "question", "answer", kinds);
        let options = QaOptions {
            negatives_per_question: chance.random_range(0..6),
            split: fractions(&mut chance),
            ..QaOptions::default()
        };
        let mut known: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for row in &rows {
            let [question, answer] = row
                .texts
                .each_ref()
                .map(|text| identical(text).into_owned());
            known.entry(question).or_default().insert(answer);
        }
        let set = match qa::retrieval_set(rows, &options, "table", table) {
            Ok(set) => set,
            Err(GenerateError::EmptySplit { .. }) => continue,
            Err(error) => panic!("{error}"),
        };
        whole += 1;
        check_qa(&set, &known, options.negatives_per_question);
    }
    assert!(
        whole > TABLES / 2,
        "only {whole} of {TABLES} tables could be split"
    );
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

#[test]
fn tickets_pair_within_a_category_and_negatives_share_none() {
    let mut whole = 0;
    for table in 0..TABLES {
        let mut chance = draw::generator(table, "random tickets table", &[]);
        let kinds = [chance.random_range(20..300), chance.random_range(2..8)];
        let rows = random_rows(&mut chance, "text", "category", kinds);
        let options = TicketsOptions {
            max_pairs: chance.random_range(1..200),
            negatives_per_positive: chance.random_range(0..4),
            split: fractions(&mut chance),
            ..TicketsOptions::default()
        };
        let mut known: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for row in &rows {
            let [text, category] = row
                .texts
                .each_ref()
                .map(|text| identical(text).into_owned());
            known.entry(text).or_default().insert(category);
        }
        let set = match TicketSet::new(rows, &options, "table", table) {
            Ok(set) => set,
            Err(GenerateError::EmptySplit { .. } | GenerateError::NoPairs { .. }) => continue,
            Err(error) => panic!("{error}"),
        };
        whole += 1;
        check_tickets(&set, &known, &options);
    }
    assert!(
        whole > TABLES / 2,
        "only {whole} of {TABLES} tables could be used"
    );
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
