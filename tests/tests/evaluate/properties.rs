//! What must not change the figures of a run: the order of rows, the files and blocks they come in,
//! the number of threads, and what stands below the cut-offs.

use std::fs;
use std::path::Path;

use pairmill_tables::{f64_column, string_column};
use pairmill_tests::tables::read;
use pairmill_tests::{EVALUATE, write_tiny_model};
use serde_json::Value;

use crate::harness::{CORPUS, RETRIEVAL, help_desk};

const RUN_HEADER: &str = "query_id,corpus_id,rank,score";
const QRELS_HEADER: &str = "query_id,corpus_id,score";
const METRICS: &str = "ndcg@10,ndcg_exp@10,mrr@10,map@10,map_trec@10,recall@10,recall_cap@10,precision@10,accuracy@1,hole@10";
/// More rows than are read at a time.
const QUERIES: u64 = 60;
const RESULTS: u64 = 100;
const DOCUMENTS: u64 = 150;

/// More than are embedded and searched at a time, which is 8,192.
const MANY_DOCUMENTS: u64 = 20_000;

/// SplitMix64, by Steele, Lea and Flood.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last as u64 + 1) as usize);
        }
    }
}

struct Rows {
    run: Vec<String>,
    qrels: Vec<String>,
}

impl Rows {
    /// A run with equal scores and equal ranks, and graded judgements.
    fn drawn(random: &mut Random) -> Self {
        let mut rows = Self {
            run: Vec::new(),
            qrels: Vec::new(),
        };
        for query in 0..QUERIES {
            let mut documents: Vec<u64> = (0..DOCUMENTS).collect();
            random.shuffle(&mut documents);
            for (place, document) in (0..RESULTS).zip(&documents) {
                let (rank, score) = (place / 2 + 1, 1_000 - place / 3);
                rows.run
                    .push(format!("q{query},d{document},{rank},{score}"));
            }
            // Some are not among the results, some not relevant.
            random.shuffle(&mut documents);
            for document in &documents[..random.below(15) as usize + 1] {
                rows.qrels
                    .push(format!("q{query},d{document},{}", random.below(4)));
            }
        }
        rows
    }

    fn shuffled(&self, random: &mut Random) -> Self {
        let (mut run, mut qrels) = (self.run.clone(), self.qrels.clone());
        random.shuffle(&mut run);
        random.shuffle(&mut qrels);
        Self { run, qrels }
    }

    /// Figures and counts of each query and of all, with the rows dealt out to so many files.
    fn figures(&self, dir: &Path, files: usize, options: &str) -> (Value, Value, Vec<Vec<f64>>) {
        for (name, header, rows) in [
            ("run", RUN_HEADER, &self.run),
            ("qrels", QRELS_HEADER, &self.qrels),
        ] {
            let folder = dir.join(name);
            let _ = fs::remove_dir_all(&folder);
            fs::create_dir(&folder).unwrap();
            let part = rows.len().div_ceil(files);
            for (number, rows) in rows.chunks(part).enumerate() {
                let text = format!("{header}\n{}\n", rows.join("\n"));
                fs::write(folder.join(format!("part-{number}.csv")), text).unwrap();
            }
        }
        let line = format!(
            "run --run run --qrels qrels --resamples 0 --force --output out --metrics {METRICS} {options}"
        );
        let mut found = EVALUATE.done(dir, &line);
        let per_query = read(&dir.join("out/per_query.parquet"));
        let columns = METRICS
            .split(',')
            .map(|metric| f64_column(&per_query, metric));
        (
            found["model"].take(),
            found["counts"].take(),
            columns.map(|column| column.values().to_vec()).collect(),
        )
    }
}

#[test]
fn neither_order_nor_files_nor_threads_change_the_figures() {
    let dir = tempfile::tempdir().unwrap();
    for seed in 0..2 {
        let mut random = Random(seed);
        let rows = Rows::drawn(&mut random);
        for ties in ["rank", "trec", "st"] {
            let options = |threads: u8| format!("--ties {ties} --threads {threads}");
            let expected = rows.figures(dir.path(), 1, &options(2));
            assert_ne!(expected.0["ndcg@10"], 0.0);
            assert_eq!(rows.figures(dir.path(), 7, &options(1)), expected, "files");
            let shuffled = rows.shuffled(&mut random);
            assert_eq!(
                shuffled.figures(dir.path(), 3, &options(4)),
                expected,
                "order"
            );
        }
    }
}

#[test]
fn irrelevant_documents_below_the_cut_off_change_no_figure() {
    let dir = tempfile::tempdir().unwrap();
    for seed in 10..12 {
        let mut random = Random(seed);
        let rows = Rows::drawn(&mut random);
        let mut longer = Rows {
            run: rows.run.clone(),
            qrels: rows.qrels.clone(),
        };
        for query in 0..QUERIES {
            for added in 0..random.below(30) {
                let (rank, score) = (1_000 + added, random.below(900));
                longer
                    .run
                    .push(format!("q{query},irrelevant{added},{rank},{score}"));
            }
        }
        let longer = longer.shuffled(&mut random);
        for ties in ["--ties rank", "--ties trec", "--ties st"] {
            let expected = rows.figures(dir.path(), 1, ties);
            assert_eq!(longer.figures(dir.path(), 1, ties), expected);
        }
    }
}

#[test]
fn a_corpus_in_several_files_is_searched_as_one() {
    let dir = help_desk();
    let path = dir.path();
    let ranking = |line: &str, out: &str| {
        let found = EVALUATE.done(path, &format!("{line} --output {out}"));
        let run = read(&path.join(out).join("run.parquet"));
        let ids: Vec<String> = string_column(&run, "corpus_id")
            .iter()
            .flatten()
            .map(str::to_owned)
            .collect();
        (found["model"].clone(), found["counts"].clone(), ids)
    };
    let expected = ranking(RETRIEVAL, "whole");
    fs::create_dir(path.join("parts")).unwrap();
    let (header, rows) = CORPUS.split_once('\n').unwrap();
    let rows: Vec<&str> = rows.lines().collect();
    for (number, rows) in rows.chunks(3).rev().enumerate() {
        let text = format!("{header}\n{}\n", rows.join("\n"));
        fs::write(path.join(format!("parts/{number}.csv")), text).unwrap();
    }
    let line = RETRIEVAL.replace("corpus.csv", "parts");
    assert_eq!(ranking(&line, "split"), expected);
}

/// A text of some of a few words, so that many are alike.
fn text(random: &mut Random) -> String {
    const WORDS: [&str; 16] = [
        "printer", "paper", "jam", "ink", "screen", "black", "update", "parcel", "late", "refund",
        "password", "reset", "invoice", "mail", "open", "hours",
    ];
    let words = (0..3 + random.below(4)).map(|_| WORDS[random.below(16) as usize]);
    words.collect::<Vec<_>>().join(" ")
}

#[test]
fn the_order_of_a_corpus_of_several_blocks_changes_nothing() {
    let mut random = Random(20);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path();
    write_tiny_model(&path.join("tiny"));
    let mut corpus: Vec<String> = (0..MANY_DOCUMENTS)
        .map(|id| format!("d{id:05},,{}", text(&mut random)))
        .collect();
    let (mut queries, mut qrels) = ("id,text\n".to_owned(), format!("{QRELS_HEADER}\n"));
    for query in 0..QUERIES {
        let document = random.below(MANY_DOCUMENTS);
        let (_, text) = corpus[document as usize].rsplit_once(',').unwrap();
        queries += &format!("q{query},{text} please\n");
        qrels += &format!("q{query},d{document:05},1\n");
    }
    fs::write(path.join("queries.csv"), queries).unwrap();
    fs::write(path.join("qrels.csv"), qrels).unwrap();
    let figures = |corpus: &[String], files: usize| {
        let folder = path.join("corpus");
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir(&folder).unwrap();
        for (number, rows) in corpus.chunks(corpus.len().div_ceil(files)).enumerate() {
            let text = format!("id,title,text\n{}\n", rows.join("\n"));
            fs::write(folder.join(format!("part-{number}.csv")), text).unwrap();
        }
        let mut found = EVALUATE.done(
            path,
            "retrieval --model tiny --corpus corpus --queries queries.csv --qrels qrels.csv \
             --precision int8,binary --truncate-dim 16 --resamples 20 --output out --force",
        );
        let run = read(&path.join("out/run.parquet"));
        let documents = string_column(&run, "corpus_id").iter().flatten();
        let documents: Vec<String> = documents.map(str::to_owned).collect();
        (found["model"].take(), found["variants"].take(), documents)
    };
    let expected = figures(&corpus, 1);
    assert_ne!(expected.0["recall@100"], 0.0);
    assert_eq!(expected.1.as_array().unwrap().len(), 5);
    random.shuffle(&mut corpus);
    assert_eq!(figures(&corpus, 3), expected);
}

#[test]
fn the_order_of_sentences_changes_no_figure_and_no_interval() {
    let mut random = Random(30);
    let dir = help_desk();
    let path = dir.path();
    for (task, table, header) in [
        ("similarity", "pairs", "sentence1,sentence2,score"),
        ("pairs", "pairs", "sentence1,sentence2,label"),
        ("triplets", "triplets", "anchor,positive,negative"),
    ] {
        let mut rows: Vec<String> = (0..24)
            .map(|row| {
                let [first, second, third] = [(); 3].map(|()| text(&mut random));
                match task {
                    "similarity" => format!("{first},{second},{}", random.below(6)),
                    "pairs" => format!("{first},{second},{}", row % 2),
                    _ => format!("{first},{second},{third}"),
                }
            })
            .collect();
        // The same sentences twice.
        rows.push(rows[0].clone());
        let figures = |rows: &[String]| {
            fs::write(
                path.join("rows.csv"),
                format!("{header}\n{}\n", rows.join("\n")),
            )
            .unwrap();
            EVALUATE.done(
                path,
                &format!("{task} --model model --{table} rows.csv --resamples 50"),
            )
        };
        let expected = figures(&rows);
        assert!(expected["evidence"]["metrics"][0]["model"]["low"].is_number());
        random.shuffle(&mut rows);
        assert_eq!(figures(&rows), expected, "{task}");
    }
}
