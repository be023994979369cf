//! Columns of the user's own that go along.

use super::*;

#[test]
fn columns_of_the_pairs_go_along_to_what_is_mined() {
    let dir = tempfile::tempdir().unwrap();
    let rows = faq(20);
    let pair = |[id, question, answer]: &[String; 3]| format!("{question},{answer},K-{id},7\n");
    let pairs: String = rows.iter().map(pair).collect();
    let pairs = format!("question,answer,Key,rank\n{pairs}");
    fs::write(dir.path().join("pairs.csv"), pairs).unwrap();
    let keys = |line: &str| {
        MINE.done(
            dir.path(),
            &format!("--pairs pairs.csv --top-k 4 --output out.parquet --force {line}"),
        );
        tables::rows(&dir.path().join("out.parquet"), &["Key"]).concat()
    };
    let all = keys("--keep-columns all");
    assert!(all.iter().all(|key| key.starts_with("K-F-")), "{all:?}");
    assert_eq!(all, keys("--keep-columns Key"));
    keys("--keep-columns Key --format triplet --drop-ids");
    assert_eq!(
        tables::columns(&dir.path().join("out.parquet")),
        ["anchor", "positive", "negative", "Key"]
    );
    let error = MINE.refused(
        dir.path(),
        "--pairs pairs.csv --top-k 4 --output bad.parquet --keep-columns rank",
        1,
    );
    assert_snapshot!(error, @"error: pairs.csv: the column `rank` cannot be kept, as a candidates table has one of this name; rename it in the input");
}

#[test]
fn columns_of_an_input_go_along_to_the_pairs_that_are_generated() {
    let dir = tempfile::tempdir().unwrap();
    let rows = faq(40);
    let csv = |[id, question, answer]: &[String; 3]| format!("{id},{question},{answer},K-{id},\n");
    let csv: String = rows.iter().map(csv).collect();
    fs::write(
        dir.path().join("qa.csv"),
        format!("id,question,answer,Key,note\n{csv}"),
    )
    .unwrap();
    let kept = |line: &str| {
        let kind = line.split(' ').next().unwrap();
        GENERATE.done(dir.path(), &format!("{line} --output {kind} --force"));
        let pairs = dir.path().join(kind).join("pairs_train.parquet");
        let columns = tables::columns(&pairs);
        (columns, tables::rows(&pairs, &["anchor_id", "Key"]))
    };
    let own = ["anchor_id", "anchor", "positive_id", "positive"];
    let (columns, found) = kept("qa --input qa.csv --keep-columns all");
    assert_eq!(columns, [&own[..], &["Key", "note"]].concat());
    assert!(found.len() > 20);
    for [id, key] in found.iter().map(|row| [&row[0], &row[1]]) {
        assert_eq!(*key, format!("K-{id}"));
    }
    let (columns, _) = kept("qa --input qa.csv --keep-columns Key");
    assert_eq!(columns, [&own[..], &["Key"]].concat());
    // Without ids the anchor's is made of its text; the key is still the row's.
    let (columns, found) = kept(
        "pairs --input qa.csv --anchor-column question --positive-column answer --keep-columns key",
    );
    assert_eq!(columns, [&own[..], &["Key"]].concat());
    assert!(found.iter().all(|row| row[1].starts_with("K-F-")));

    let category = |id: &String| id.len() + id.bytes().map(usize::from).sum::<usize>() % 3;
    let csv =
        |[id, question, _]: &[String; 3]| format!("{id},{question},c{},K-{id}\n", category(id));
    let csv: String = rows.iter().map(csv).collect();
    fs::write(
        dir.path().join("tickets.csv"),
        format!("id,text,category,Key\n{csv}"),
    )
    .unwrap();
    let (columns, found) = kept("tickets --input tickets.csv --keep-columns Key");
    assert_eq!(columns, [&own[..], &["Key"]].concat());
    for [id, key] in found.iter().map(|row| [&row[0], &row[1]]) {
        assert_eq!(*key, format!("K-{id}"));
    }
    let error = GENERATE.refused(
        dir.path(),
        "qa --input qa.csv --output bad --keep-columns Keys",
        1,
    );
    assert_snapshot!(error, @"error: qa.csv: no column `Keys` (wanted beside those of a qa table); found id, question, answer, Key, note");
}
