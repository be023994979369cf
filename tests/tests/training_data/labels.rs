//! Tables with labels.

use super::*;

#[test]
fn a_label_of_0_is_a_hard_negative_in_each_form_of_the_guides() {
    let dir = workplace();
    let triplets = (0..24)
        .map(|n| json!({"anchor": question(n), "positive": answer(n), "negative": answer(n + 30)}));
    table(dir.path(), "triplets.jsonl", triplets);
    let options = "--max-steps 3 --seed 3";
    let plain = trained(dir.path(), "triplets.jsonl", options);
    says(&plain, "24 pairs with 24 hard negatives");
    let expected = weights(dir.path());

    let forms = [
        ("sentence1", "sentence2", "label"),
        ("query", "document", "label"),
        ("anchor", "positive", "label"),
        ("sentence1", "sentence2", "score"),
    ];
    for (first, second, label) in forms {
        let row = |n: usize, text: String, is_right: u8| json!({first: question(n), second: text, label: is_right});
        let rows = (0..24).flat_map(|n| [row(n, answer(n), 1), row(n, answer(n + 30), 0)]);
        table(dir.path(), "labeled.jsonl", rows);
        let ended = trained(dir.path(), "labeled.jsonl", options);
        says(&ended, "24 pairs with 24 hard negatives");
        assert!(
            weights(dir.path()) == expected,
            "{first}, {second}, {label}"
        );
    }
    let rows = (0..24).map(|n| {
        json!({
            "query_id": n, "query": question(n), "positive_id": n, "positive": answer(n),
            "negative_id": n + 30, "negative": answer(n + 30)
        })
    });
    table(dir.path(), "with_ids.jsonl", rows);
    trained(dir.path(), "with_ids.jsonl", options);
    assert!(weights(dir.path()) == expected, "with ids");
}

#[test]
fn label_0_alone_is_no_pair() {
    let dir = workplace();
    let rows =
        (0..20).map(|n| json!({"query": question(n), "document": answer(n + 1), "label": 0}));
    table(dir.path(), "wrong.jsonl", rows.clone());
    let error = refused(dir.path(), "wrong.jsonl", "");
    assert!(error.contains("no row of 20 has label 1"), "{error}");
    let right = (10..30).map(|n| json!({"query": question(n), "document": answer(n), "label": 1}));
    let both = [json!({"query": question(12), "document": answer(12), "label": 0})];
    table(dir.path(), "some.jsonl", rows.chain(right).chain(both));
    let ended = trained(dir.path(), "some.jsonl", "--max-steps 2");
    warns(
        &ended,
        "10 pairs of label 0 are left out, because no row of label 1 has the anchor",
    );
    warns(&ended, "1 pair is labelled 0 here and 1 in another row");
    says(&ended, "20 pairs with 10 hard negatives");
}

#[test]
fn labels_of_triplets_are_named_as_unread() {
    let dir = workplace();
    let rows = (0..20).map(|n| json!({"anchor": question(n), "positive": answer(n), "negative": answer(n + 1), "score": 3.5}));
    table(dir.path(), "margins.jsonl", rows);
    let ended = trained(dir.path(), "margins.jsonl", "--max-steps 2");
    warns(&ended, "margins.jsonl: the column `score` is not read");
}

#[test]
fn labels_out_of_range_are_refused_with_their_row() {
    let dir = workplace();
    let row = |n: usize, label: f64| json!({"sentence1": question(n), "sentence2": answer(n), "label": label});
    table(
        dir.path(),
        "scale.jsonl",
        (0..20).map(|n| row(n, [0.0, 1.0, 3.5, 5.0][n % 4])),
    );
    let error = refused(dir.path(), "scale.jsonl", "--loss cosine-similarity");
    assert!(
        error.contains("scale.jsonl row 3: `label` is 3.5; expected a similarity from -1 to 1"),
        "{error}"
    );
    assert!(error.contains("divided by 5"), "{error}");
    // Only their order counts.
    trained(dir.path(), "scale.jsonl", "--loss cosent --max-steps 2");

    table(
        dir.path(),
        "soft.jsonl",
        (0..20).map(|n| row(n, [0.0, 1.0, 0.5][n % 3])),
    );
    for loss in ["contrastive", "online-contrastive", "mnrl"] {
        let error = refused(dir.path(), "soft.jsonl", &format!("--loss {loss}"));
        assert!(
            error.contains("soft.jsonl row 3: `label` is 0.5; expected 0 or 1"),
            "{error}"
        );
    }
    trained(
        dir.path(),
        "soft.jsonl",
        "--loss cosine-similarity --max-steps 2",
    );
    trained(dir.path(), "soft.jsonl", "--label-column= --max-steps 2");
}

#[test]
fn one_label_for_all_is_refused() {
    let dir = workplace();
    let rows =
        (0..20).map(|n| json!({"sentence1": question(n), "sentence2": answer(n), "label": 1}));
    table(dir.path(), "same.jsonl", rows);
    for loss in [
        "cosine-similarity",
        "cosent",
        "angle",
        "contrastive",
        "online-contrastive",
    ] {
        let error = refused(dir.path(), "same.jsonl", &format!("--loss {loss}"));
        assert!(error.contains("every label of 20 is 1"), "{error}");
    }
    trained(dir.path(), "same.jsonl", "--max-steps 2");
    let judge = "cross-encoder --model tiny --train same.jsonl --loss mse --output judge";
    let error = TRAIN.refused(dir.path(), judge, 1);
    assert!(error.contains("every label of 20 is 1"), "{error}");
}

#[test]
fn a_pair_that_is_labelled_0_and_1_is_warned_of() {
    let dir = workplace();
    let row = |n: usize, label: u8| json!({"sentence1": question(n), "sentence2": answer(n), "label": label});
    table(
        dir.path(),
        "both.jsonl",
        (0..20).map(|n| row(n, 1)).chain([row(4, 0)]),
    );
    let ended = trained(dir.path(), "both.jsonl", "--loss contrastive --max-steps 2");
    warns(&ended, "1 pair is labelled 0 in one row and 1 in another");
    warns(&ended, "both.jsonl rows 5 and 21");
}
