//! From a folder of documents to pseudo-positives, through three programs.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use pairmill_tests::tables::rows;
use pairmill_tests::{FILTER, GENERATE, MINE};
use tempfile::TempDir;

use crate::tiny_model::TinyModel;

/// Twenty guides. The even ones say twice, in words of their own, what to do when a router blinks
/// red; the odd ones are about a cable, and share two words with that.
fn folder_with_guides() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("docs")).unwrap();
    for n in 0..20 {
        let sections = match n % 2 {
            0 => format!(
                "## Router {n} blinks red\n\nThe router {n} blinks red: reset it.\n\n\
                 ## Waiting for {n}\n\nIt blinks red while the router {n} is late.\n"
            ),
            _ => format!("## Red router {n} on a cable\n\nThe router {n} has a red cable.\n"),
        };
        let guide = format!("# Station {n}\n\nAll about station {n}.\n\n{sections}");
        fs::write(dir.path().join(format!("docs/{n:02}.md")), guide).unwrap();
    }
    TinyModel::default().write(&dir.path().join("model"));
    dir
}

fn pairs(file: &Path, columns: [&str; 2]) -> BTreeSet<(String, String)> {
    let rows = rows(file, &columns);
    let found: BTreeSet<_> = rows
        .iter()
        .map(|row| (row[0].clone(), row[1].clone()))
        .collect();
    assert_eq!(found.len(), rows.len(), "{}: each once", file.display());
    found
}

/// The number of a guide in the id of one of its passages.
fn guide(passage: &str) -> usize {
    passage[..2].parse().unwrap()
}

#[test]
fn hits_that_a_judge_is_sure_of_become_pairs() {
    let dir = folder_with_guides();
    let path = dir.path();
    GENERATE.done(
        path,
        "corpus --input docs --output data --split 0.6,0.2,0.2",
    );
    MINE.done(
        path,
        "--pairs data/pairs_train.parquet --corpus data/corpus.parquet --group-column source --top-k 20 --output candidates.parquet",
    );
    let report = FILTER.done(
        path,
        "--candidates candidates.parquet --model model --output triplets.parquet --audit audit.parquet \
         --also pairs=pairs.parquet --promote-above 0.8 --promote-below-positive",
    );

    let ids = ["anchor_id", "positive_id"];
    let known = pairs(&path.join("data/pairs_train.parquet"), ids);
    let now = pairs(&path.join("pairs.parquet"), ids);
    assert!(now.is_superset(&known), "what was known stays");
    let promoted: Vec<_> = now.difference(&known).collect();
    assert!(promoted.len() > known.len(), "{promoted:?}");
    assert_eq!(report["promoted"], promoted.len());

    let queries = rows(
        &path.join("data/pairs_train.parquet"),
        &["anchor_id", "anchor"],
    );
    let queries: BTreeMap<_, _> = queries.iter().map(|row| (&row[0], &row[1])).collect();
    for (query, passage) in &promoted {
        let heading = queries[query];
        let is_of_even = heading.contains("blinks red");
        assert!(is_of_even || heading.contains("cable"), "{heading}");
        assert_eq!(
            guide(passage).is_multiple_of(2),
            is_of_even,
            "{heading}: {passage}"
        );
    }
    let own: BTreeMap<_, _> = known
        .iter()
        .map(|(query, own)| (query, guide(own)))
        .collect();
    let is_of_own_guide = |(query, passage): &&&(String, String)| guide(passage) == own[query];
    assert!(
        promoted.iter().any(|pair| is_of_own_guide(&pair)),
        "a guide's own passages, which the miner keeps from being negatives, are looked at"
    );

    let triplets = rows(
        &path.join("triplets.parquet"),
        &["anchor_id", "positive_id", "negative_id"],
    );
    for row in &triplets {
        assert!(now.contains(&(row[0].clone(), row[1].clone())), "{row:?}");
        assert!(!now.contains(&(row[0].clone(), row[2].clone())), "{row:?}");
    }
    let of_promoted = triplets
        .iter()
        .filter(|row| !known.contains(&(row[0].clone(), row[1].clone())));
    assert!(of_promoted.count() > 0, "they have negatives of their own");
}
