//! Embeddings that are kept in the index folder.

use super::*;

#[test]
fn embeddings_are_kept_in_the_index_folder_and_reused_for_what_has_not_changed() {
    let dir = workplace();
    let line = format!("{LINE} {DENSE} --index index --force");
    let ended = MINE.run(dir.path(), &line);
    assert!(
        ended
            .stderr
            .contains("embedding 10 texts of the corpus, of up to 128 tokens"),
        "{}",
        ended.stderr
    );
    assert_eq!(
        names(&dir.path().join("index"))
            .into_iter()
            .collect::<Vec<_>>(),
        ["dense"]
    );
    let again = MINE.run(dir.path(), &line).stderr;
    assert!(
        again.contains("reusing the embeddings of 10 texts") && !again.contains("embedding "),
        "{again}"
    );
    let corpus = fs::read_to_string(dir.path().join("corpus.csv")).unwrap();
    fs::write(
        dir.path().join("corpus.csv"),
        corpus + "d9,,Reset the clock.,clocks\nd10,,Reset the clock.,clocks\n",
    )
    .unwrap();
    let grown = MINE.run(dir.path(), &line).stderr;
    assert!(grown.contains("embedding 1 text of"), "{grown}");
    let cut = MINE.run(dir.path(), &format!("{line} --max-length 5"));
    assert!(cut.stderr.contains("embedding 11 texts"), "{}", cut.stderr);
    assert!(
        cut.stderr
            .contains("of 11 texts were longer than the model reads"),
        "{}",
        cut.stderr
    );
    assert_eq!(names(&dir.path().join("index/dense")).len(), 2);
}

#[test]
fn a_damaged_store_is_embedded_again_from_there_on() {
    let dir = workplace();
    let line = format!("{LINE} {DENSE} --index index --force");
    MINE.done(dir.path(), &line);
    let expected = fs::read(dir.path().join("out.parquet")).unwrap();
    let base = dir.path().join("index/dense");
    let store = base.join(names(&base).first().unwrap());
    let file = store.join("embeddings.f32");
    let mut bytes = fs::read(&file).unwrap();
    bytes[6 * 32 * 4 + 1] ^= 8;
    fs::write(&file, bytes).unwrap();
    let ended = MINE.run(dir.path(), &line);
    assert!(
        ended.stderr.contains("row 6 of 10 is damaged or gone"),
        "{}",
        ended.stderr
    );
    assert!(
        ended.stderr.contains("embedding 4 texts"),
        "{}",
        ended.stderr
    );
    assert!(fs::read(dir.path().join("out.parquet")).unwrap() == expected);

    fs::write(store.join("about.json"), "{}").unwrap();
    let error = MINE.run(dir.path(), &line).error(1);
    assert!(error.contains("the embeddings are not described as those of this model and these options; delete the folder"), "{error}");
}

/// A corpus of several windows of texts, and pairs.
fn write_many(dir: &Path) {
    let words = |number: usize| {
        let word = |step: usize| format!("w{}", number.wrapping_mul(step) % 997);
        format!("{number} {}", [7, 31, 101, 211].map(word).join(" "))
    };
    let mut corpus = "id,title,text\n".to_owned();
    for number in 0..6_000 {
        corpus += &format!("d{number},,{}\n", words(number + 1));
    }
    let mut pairs = "anchor_id,anchor,positive_id,positive\n".to_owned();
    for number in 0..50 {
        pairs += &format!(
            "q{number},{},x{number},{}\n",
            words(number + 3),
            words(number + 9_000)
        );
    }
    fs::write(dir.join("corpus.csv"), corpus).unwrap();
    fs::write(dir.join("pairs.csv"), pairs).unwrap();
}

/// Starts a run and kills it as soon as a file of keys below `folder` is longer than `before`; its
/// length then.
fn kill_while_embedding(dir: &Path, line: &str, folder: &str, before: u64) -> u64 {
    let keys = || {
        let stores = fs::read_dir(dir.join(folder)).ok()?.flatten();
        let length = |path: &Path| fs::metadata(path.join("keys")).map_or(0, |file| file.len());
        stores.map(|store| length(&store.path())).max()
    };
    let mut child = MINE
        .command(dir, line)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + Duration::from_secs(120);
    let mut found = 0;
    while found <= before && Instant::now() < deadline && child.try_wait().unwrap().is_none() {
        found = keys().unwrap_or(0);
        std::thread::sleep(Duration::from_millis(1));
    }
    let _ = child.kill();
    child.wait().unwrap();
    assert!(found > before, "killed while it embedded");
    found
}

#[test]
fn a_run_killed_while_it_embeds_goes_on_with_what_it_has() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    write_tiny_model(&dir.join("tiny"));
    TRAIN.done(dir, "export --model tiny --output onnx");
    write_many(dir);
    fs::write(dir.join("queries.csv"), "id,text\nq,w1 w2 w3\n").unwrap();
    let mine = format!("--pairs pairs.csv {DENSE}");
    let search = format!("--queries queries.csv {DENSE}");
    for (line, folder) in [
        (
            format!("{mine} --output out.parquet"),
            ".out.parquet.parts/dense",
        ),
        (
            format!("{mine} --output out.parquet --index index"),
            "index/dense",
        ),
        (
            format!("search {search} --output out.parquet"),
            ".out.parquet.parts/dense",
        ),
    ] {
        let line = format!("{line} --corpus corpus.csv");
        MINE.done(
            dir,
            &line
                .replace("out.parquet", "reference.parquet")
                .replace("--index index", ""),
        );
        let first = kill_while_embedding(dir, &line, folder, 0);
        kill_while_embedding(dir, &line, folder, first);
        assert!(!dir.join("out.parquet").exists());
        let ended = MINE.run(dir, &line);
        assert_eq!(ended.code, 0, "{}", ended.stderr);
        assert!(
            ended.stderr.contains("reusing the embeddings of "),
            "{}",
            ended.stderr
        );
        let bytes = |name: &str| fs::read(dir.join(name)).unwrap();
        assert!(bytes("out.parquet") == bytes("reference.parquet"));
        assert!(
            names(dir).iter().all(|name| !name.starts_with('.')),
            "{:?}",
            names(dir)
        );
        fs::remove_file(dir.join("out.parquet")).unwrap();
        fs::remove_file(dir.join("reference.parquet")).unwrap();
    }
}
