//! What every output folder must hold to, whatever it was made of.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::harness::table;

const SPLITS: [&str; 3] = ["train", "dev", "test"];

fn folded(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The promises of a folder made of question/answer pairs, from its files alone.
pub fn check_qa(dir: &Path, negatives: usize) {
    let corpus: BTreeMap<String, String> = table(dir, "corpus")
        .into_iter()
        .map(|row| (row[0].clone(), folded(&format!("{} {}", row[1], row[2]))))
        .collect();
    let texts: BTreeSet<_> = corpus.values().collect();
    assert_eq!(texts.len(), corpus.len(), "answers are distinct");
    let mut all_queries = BTreeSet::new();
    let mut all_questions = BTreeSet::new();
    let mut all_answers = BTreeSet::new();
    for split in SPLITS {
        let judged: BTreeSet<(String, String)> = table(dir, &format!("qrels_{split}"))
            .into_iter()
            .map(|row| (row[0].clone(), row[1].clone()))
            .collect();
        assert!(
            judged
                .iter()
                .all(|(query, answer)| corpus.contains_key(answer) && !corpus.contains_key(query))
        );
        let labeled = table(dir, &format!("labeled_{split}"));
        assert!(labeled.is_sorted_by(|a, b| (&a[0], &a[2]) < (&b[0], &b[2])));
        let mut answers = BTreeSet::new();
        let mut negatives_of: BTreeMap<&str, usize> = BTreeMap::new();
        let mut questions = BTreeMap::new();
        for row in &labeled {
            assert_eq!(corpus[&row[2]], folded(&row[3]));
            let known = judged.contains(&(row[0].clone(), row[2].clone()));
            assert_eq!(row[4], if known { "1.0" } else { "0.0" }, "{row:?}");
            *negatives_of.entry(&row[0]).or_default() += usize::from(!known);
            answers.insert(row[2].clone());
            questions.insert(row[0].clone(), folded(&row[1]));
        }
        assert!(
            negatives_of.values().all(|&count| count == negatives),
            "{split}"
        );
        let queries: BTreeSet<_> = judged.iter().map(|pair| pair.0.clone()).collect();
        assert!(
            questions.keys().eq(&queries),
            "each query is judged and has a positive"
        );
        if split == "train" {
            let pairs = table(dir, "pairs_train");
            let positives = labeled
                .iter()
                .filter(|row| row[4] == "1.0")
                .map(|row| &row[..4]);
            // Columns that go along come behind those of the contract.
            assert!(pairs.iter().map(|row| &row[..4]).eq(positives));
        } else {
            let rows = table(dir, &format!("queries_{split}"));
            let written: BTreeMap<_, _> = rows
                .iter()
                .map(|row| (row[0].clone(), folded(&row[1])))
                .collect();
            assert_eq!(written, questions);
        }
        for id in queries {
            assert!(all_queries.insert(id), "a query in two splits");
        }
        for text in questions.into_values() {
            assert!(all_questions.insert(text), "a question text in two splits");
        }
        for id in answers {
            assert!(all_answers.insert(id), "an answer in two splits");
        }
    }
}

/// The promises of a folder made of files of text: those of question/answer pairs, and what its
/// documents add to them.
pub fn check_corpus(dir: &Path, negatives: usize) {
    check_qa(dir, negatives);
    let mut source_of = BTreeMap::new();
    let mut texts = BTreeSet::new();
    for row in table(dir, "corpus") {
        let number = row[0].strip_prefix(&format!("{}#", row[3])).unwrap();
        assert!(number.parse::<u32>().unwrap() > 0);
        assert!(texts.insert(folded(&row[2])), "passages are distinct");
        source_of.insert(row[0].clone(), row[3].clone());
    }
    let mut split_of = BTreeMap::new();
    for split in SPLITS {
        let mut asked: BTreeMap<String, [BTreeSet<&str>; 2]> = BTreeMap::new();
        let labeled = table(dir, &format!("labeled_{split}"));
        for row in &labeled {
            let source = &source_of[&row[2]];
            let before = split_of.insert(source.clone(), split);
            assert!(
                before.is_none_or(|before| before == split),
                "a document in two splits"
            );
            let known = usize::from(row[4] == "1.0");
            asked.entry(row[0].clone()).or_default()[known].insert(source);
        }
        for [negatives, positives] in asked.values() {
            assert!(
                negatives.is_disjoint(positives),
                "a negative of the positive's document"
            );
        }
    }
}

/// The promises of a folder made of tickets, from its files alone.
pub fn check_tickets(dir: &Path, max_pairs: usize, negatives: usize) {
    let mut split_of: BTreeMap<String, &str> = BTreeMap::new();
    let mut categories: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for split in SPLITS {
        for row in table(dir, &format!("tickets_{split}")) {
            let before = split_of.insert(folded(&row[1]), split);
            assert!(
                before.is_none_or(|before| before == split),
                "a text in two splits"
            );
            categories
                .entry(folded(&row[1]))
                .or_default()
                .insert(row[2].clone());
        }
    }
    let mut documents: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for row in table(dir, "corpus") {
        let text = folded(&row[2]);
        assert_eq!(split_of[&text], "train");
        assert!(categories[&text].contains(&row[3]));
        for category in &categories[&text] {
            documents
                .entry(category)
                .or_default()
                .insert(row[0].clone());
        }
    }
    for split in SPLITS {
        let (mut positive, mut negative) = (0, 0);
        let labeled = table(dir, &format!("labeled_{split}"));
        for row in &labeled {
            let [first, second] = [folded(&row[1]), folded(&row[3])];
            assert_ne!(first, second);
            assert_eq!((split_of[&first], split_of[&second]), (split, split));
            let related = !categories[&first].is_disjoint(&categories[&second]);
            assert_eq!(row[4], if related { "1.0" } else { "0.0" }, "{row:?}");
            *(if related {
                &mut positive
            } else {
                &mut negative
            }) += 1;
        }
        assert!(positive > 0 && positive <= max_pairs);
        assert_eq!(negative, positive * negatives, "{split}");
        if split == "train" {
            let positives = labeled
                .iter()
                .filter(|row| row[4] == "1.0")
                .map(|row| &row[..4]);
            assert!(
                table(dir, "pairs_train")
                    .iter()
                    .map(Vec::as_slice)
                    .eq(positives)
            );
            continue;
        }
        let mut judged: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for row in table(dir, &format!("qrels_{split}")) {
            assert_eq!(row[2], "1");
            judged
                .entry(row[0].clone())
                .or_default()
                .insert(row[1].clone());
        }
        for row in table(dir, &format!("queries_{split}")) {
            assert_eq!(split_of[&folded(&row[1])], split);
            let mut relevant = BTreeSet::new();
            for category in &categories[&folded(&row[1])] {
                relevant.extend(
                    documents
                        .get(category.as_str())
                        .into_iter()
                        .flatten()
                        .cloned(),
                );
            }
            assert_eq!(judged.remove(&row[0]), Some(relevant));
        }
        assert!(judged.is_empty(), "a judgement without query");
    }
}
