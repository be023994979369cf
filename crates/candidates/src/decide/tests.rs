use super::*;

use pairmill_tables::Table;

use crate::Promotion;

/// A row: query, positive, candidate, its score (none: the miner has settled it), the
/// positive's score. Ranks count from 1 in each pair.
type Row = (&'static str, &'static str, &'static str, Option<f32>, f32);

fn scored(rows: &[Row], dropped_by_the_miner: &[&str]) -> RecordBatch {
    let text = |value: fn(&Row) -> String| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(rows.iter().map(value)))
    };
    let ranks = (0..rows.len()).map(|row| {
        let same = |other: &&Row| (other.0, other.1) == (rows[row].0, rows[row].1);
        rows[..=row].iter().filter(same).count() as i32
    });
    let bm25 = Float32Array::from_iter_values(rows.iter().map(|_| 1.0));
    let scores: Float32Array = rows.iter().map(|row| row.3).collect();
    let positive_scores = Float32Array::from_iter_values(rows.iter().map(|row| row.4));
    let mined = |row: &Row| match row.3 {
        None => (Decision::Drop.name(), "positive_id"),
        Some(_) if dropped_by_the_miner.contains(&row.2) => (Decision::Drop.name(), "same_group"),
        Some(_) => (Decision::Keep.name(), "negative"),
    };
    let decisions = rows.iter().map(|row| mined(row).0);
    let reasons = rows.iter().map(|row| mined(row).1);
    let columns: Vec<ArrayRef> = vec![
        text(|row| row.0.to_owned()),
        text(|row| format!("query {}", row.0)),
        text(|row| row.1.to_owned()),
        text(|row| format!("text {}", row.1)),
        text(|row| row.2.to_owned()),
        text(|row| format!("text {}", row.2)),
        Arc::new(Int32Array::from_iter_values(ranks)),
        Arc::new(bm25.clone()),
        Arc::new(bm25),
        Arc::new(Float32Array::new_null(rows.len())),
        Arc::new(Float32Array::new_null(rows.len())),
        Arc::new(Int32Array::new_null(rows.len())),
        Arc::new(Int32Array::new_null(rows.len())),
        Arc::new(scores),
        Arc::new(positive_scores),
        Arc::new(StringArray::from_iter_values(decisions)),
        Arc::new(StringArray::from_iter_values(reasons)),
    ];
    RecordBatch::try_new(Table::Candidates.schema(), columns).unwrap()
}

fn reasons_of(decided: &Decided) -> Vec<String> {
    let decisions = string_column(&decided.batch, "decision").iter().flatten();
    let reasons = string_column(&decided.batch, "reason").iter().flatten();
    decisions
        .zip(reasons)
        .map(|(decision, reason)| format!("{decision} {reason}"))
        .collect()
}

fn reasons(rows: &[Row], rules: &Rules) -> Vec<String> {
    reasons_of(&decide(&scored(rows, &[]), rules).unwrap())
}

fn promote_above(above: f64) -> Option<Promotion> {
    Some(Promotion {
        above,
        below_positive: false,
        margin: 0.0,
        dense_margin: None,
        max_promoted: None,
    })
}

/// Ten candidates of one pair, scored 0.9, 0.8 … 0.0, beside a positive of 0.7.
const LADDER: [Row; 10] = [
    ("q", "p", "9", Some(0.9), 0.7),
    ("q", "p", "8", Some(0.8), 0.7),
    ("q", "p", "7", Some(0.7), 0.7),
    ("q", "p", "6", Some(0.6), 0.7),
    ("q", "p", "5", Some(0.5), 0.7),
    ("q", "p", "4", Some(0.4), 0.7),
    ("q", "p", "3", Some(0.3), 0.7),
    ("q", "p", "2", Some(0.2), 0.7),
    ("q", "p", "1", Some(0.1), 0.7),
    ("q", "p", "0", Some(0.0), 0.7),
];

/// The reason of each candidate of [`LADDER`] that is no negative, in a word with its score.
fn dropped(rules: Rules) -> String {
    let rules = Rules {
        num_negatives: 10,
        ..rules
    };
    let reasons = reasons(&LADDER, &rules);
    let dropped = (0..10)
        .zip(&reasons)
        .filter(|(_, reason)| *reason != "keep negative");
    let words = dropped.map(|(n, reason)| format!("{}:{}", 9 - n, reason.replace("drop ", "")));
    words.collect::<Vec<_>>().join(" ")
}

#[test]
fn every_rule_gives_its_reason() {
    let loose = || Rules {
        relative_margin: 0.0,
        ..Rules::default()
    };
    let margin = "9:relative_margin 8:relative_margin";
    assert_eq!(
        dropped(loose()),
        margin,
        "as good as the positive is not better"
    );
    assert_eq!(
        dropped(Rules::default()),
        format!("{margin} 7:relative_margin")
    );
    assert_eq!(
        dropped(Rules {
            absolute_margin: Some(0.15),
            ..loose()
        }),
        "9:absolute_margin 8:absolute_margin 7:absolute_margin 6:absolute_margin"
    );
    assert_eq!(
        dropped(Rules {
            max_score: Some(0.65),
            min_score: Some(0.15),
            ..loose()
        }),
        format!("{margin} 7:max_score 1:min_score 0:min_score")
    );
    assert_eq!(
        dropped(Rules {
            top_share: 0.35,
            ..loose()
        }),
        format!("{margin} 7:top_share 6:top_share"),
        "3.5 of ten are four"
    );
    assert_eq!(
        dropped(Rules {
            promotion: promote_above(0.85),
            ..loose()
        }),
        "9:promote promoted 8:relative_margin"
    );
}

#[test]
fn the_margin_lies_below_a_negative_logit_too() {
    let rows = [
        ("q", "p", "near", Some(-2.05), -2.0),
        ("q", "p", "far", Some(-2.15), -2.0),
    ];
    assert_eq!(
        reasons(&rows, &Rules::default()),
        ["drop relative_margin", "keep negative"]
    );
}

#[test]
fn the_best_by_rank_are_kept_and_the_miners_drops_stay() {
    let found = reasons(
        &[
            ("q", "p", "a", None, 0.8),
            ("q", "p", "b", Some(0.1), 0.8),
            ("q", "p", "b", Some(0.1), 0.8),
            ("q", "p", "c", Some(0.2), 0.8),
            ("q", "r", "b", Some(0.1), 0.8),
        ],
        &Rules {
            num_negatives: 1,
            ..Rules::default()
        },
    );
    assert_eq!(
        found,
        [
            "drop positive_id",
            "keep negative",
            "drop duplicate",
            "drop surplus",
            "keep negative",
        ]
    );
}

/// One query with a positive that the model believes in and one that it hardly does.
const TWO_POSITIVES: [Row; 6] = [
    ("q", "p", "a", Some(0.9), 0.8),
    ("q", "p", "b", Some(0.5), 0.8),
    ("q", "p", "c", Some(0.1), 0.8),
    ("q", "r", "a", Some(0.9), 0.2),
    ("q", "r", "b", Some(0.5), 0.2),
    ("q", "r", "c", Some(0.1), 0.2),
];

#[test]
fn the_lowest_sound_positive_sets_the_margin_beside_every_positive() {
    let margin = "drop relative_margin";
    assert_eq!(
        reasons(&TWO_POSITIVES, &Rules::default()),
        [
            margin,
            margin,
            "keep negative",
            margin,
            margin,
            "keep negative"
        ]
    );
    let rules = Rules {
        min_positive_score: Some(0.3),
        ..Rules::default()
    };
    let low = "drop low_positive_score";
    assert_eq!(
        reasons(&TWO_POSITIVES, &rules),
        [margin, "keep negative", "keep negative", low, low, low]
    );
    let decided = decide(&scored(&TWO_POSITIVES, &[]), &rules).unwrap();
    let sound = decided.pairs.iter().map(|pair| pair.positive_is_sound);
    assert_eq!(sound.collect::<Vec<_>>(), [true, false]);
}

/// The ids of the promoted candidates with the number of their negatives.
fn promoted(decided: &Decided) -> Vec<(&str, usize)> {
    let ids = string_column(&decided.batch, "corpus_id");
    let pairs = decided.pairs.iter().filter(|pair| pair.is_promoted());
    pairs
        .map(|pair| (ids.value(pair.rows.start), pair.negatives.len()))
        .collect()
}

#[test]
fn a_candidate_promoted_beside_one_positive_is_so_for_the_query() {
    let rules = Rules {
        promotion: promote_above(0.4),
        ..Rules::default()
    };
    let decided = decide(&scored(&TWO_POSITIVES, &[]), &rules).unwrap();
    let promote = "promote promoted";
    assert_eq!(
        reasons_of(&decided),
        [
            promote,
            promote,
            "keep negative",
            promote,
            promote,
            "keep negative"
        ]
    );
    assert_eq!(promoted(&decided), [("a", 1), ("b", 1)]);
    let ids = string_column(&decided.batch, "corpus_id");
    let mut negatives = decided.pairs.iter().flat_map(|pair| &pair.negatives);
    assert!(negatives.all(|&row| ids.value(row) == "c"));
}

#[test]
fn a_promoted_candidate_replaces_a_positive_that_is_left_out() {
    let rows = [
        ("q", "p", "a", Some(0.9), 0.1),
        ("q", "p", "b", Some(0.5), 0.1),
    ];
    let rules = Rules {
        min_positive_score: Some(0.3),
        promotion: promote_above(0.8),
        ..Rules::default()
    };
    let decided = decide(&scored(&rows, &[]), &rules).unwrap();
    assert_eq!(reasons_of(&decided), ["promote promoted", "keep negative"]);
    assert_eq!(promoted(&decided), [("a", 1)]);
    assert!(decided.pairs.iter().any(|pair| !pair.positive_is_sound));
}

#[test]
fn the_retrievers_similarity_has_a_say_where_it_is_asked() {
    let rows = [
        ("q", "p", "a", Some(0.9), 0.1),
        ("q", "p", "b", Some(0.8), 0.1),
        ("q", "p", "c", Some(0.1), 0.1),
    ];
    let column =
        |values: [f32; 3]| -> ArrayRef { Arc::new(Float32Array::from_iter_values(values)) };
    let batch = with_column(&scored(&rows, &[]), "dense", column([0.4, 0.8, 0.9])).unwrap();
    let batch = with_column(&batch, "positive_dense", column([0.5; 3])).unwrap();
    let reasons = |min_positive_dense: f64| {
        let rules = Rules {
            min_positive_score: Some(0.3),
            min_positive_dense: Some(min_positive_dense),
            promotion: promote_above(0.5).map(|promotion| Promotion {
                dense_margin: Some(0.2),
                ..promotion
            }),
            ..Rules::default()
        };
        let decided = decide(&batch, &rules).unwrap();
        (decided.pairs[1].positive_is_sound, reasons_of(&decided))
    };
    let promoted_b = ["drop relative_margin", "promote promoted", "keep negative"];
    let (is_sound, found) = reasons(0.6);
    assert!(!is_sound);
    assert_eq!(found, promoted_b);
    let (is_sound, found) = reasons(0.4);
    assert!(is_sound);
    assert_eq!(found[..2], promoted_b[..2]);
}

#[test]
fn the_threshold_may_do_without_the_positive_and_the_best_come_first() {
    let with = |below_positive, max_promoted| {
        let rules = Rules {
            promotion: Some(Promotion {
                above: 0.45,
                below_positive,
                margin: 0.0,
                dense_margin: None,
                max_promoted,
            }),
            ..Rules::default()
        };
        let decided = decide(&scored(&LADDER, &[]), &rules).unwrap();
        let ids = promoted(&decided)
            .iter()
            .map(|(id, _)| *id)
            .collect::<String>();
        (ids, reasons_of(&decided))
    };
    assert_eq!(with(false, None).0, "89");
    assert_eq!(with(true, None).0, "56789");
    let (ids, reasons) = with(true, Some(3));
    assert_eq!(ids, "789");
    assert_eq!(reasons[3..5], ["drop surplus_positive"; 2]);
}

#[test]
fn a_margin_keeps_those_close_to_the_positive_from_being_promoted() {
    let rows = [
        ("q", "p", "a", Some(0.95), 0.5),
        ("q", "p", "b", Some(0.85), 0.5),
    ];
    let promotion = Promotion {
        margin: 0.4,
        ..promote_above(0.8).unwrap()
    };
    let rules = Rules {
        promotion: Some(promotion),
        ..Rules::default()
    };
    let expected = ["promote promoted", "drop relative_margin"];
    assert_eq!(reasons(&rows, &rules), expected);
}

#[test]
fn what_the_miner_dropped_is_promoted_or_stays_and_a_known_positive_stays() {
    let rows = [
        ("q", "p", "a", Some(0.9), 0.5),
        ("q", "p", "b", Some(0.2), 0.5),
        ("q", "p", "c", None, 0.5),
        ("q", "p", "p", Some(0.9), 0.5),
    ];
    let rules = |promotion| Rules {
        promotion,
        ..Rules::default()
    };
    let reasons = |promotion| {
        let batch = scored(&rows, &["a", "b"]);
        reasons_of(&decide(&batch, &rules(promotion)).unwrap())
    };
    assert_eq!(
        reasons(promote_above(0.8)),
        [
            "promote promoted",
            "drop same_group",
            "drop positive_id",
            "drop positive_id"
        ]
    );
    assert_eq!(reasons(None)[0], "drop same_group");
}

#[test]
fn equal_scores_are_promoted_by_rank() {
    let rows = [
        ("q", "p", "b", Some(0.9), 0.5),
        ("q", "p", "a", Some(0.9), 0.5),
    ];
    let rules = Rules {
        promotion: Some(Promotion {
            max_promoted: Some(1),
            ..promote_above(0.8).unwrap()
        }),
        ..Rules::default()
    };
    assert_eq!(
        reasons(&rows, &rules),
        ["promote promoted", "drop surplus_positive"]
    );
}
