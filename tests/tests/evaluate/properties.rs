//! What must not change the figures of a run: the order of rows, the files and blocks they come in,
//! the number of threads, and what stands below the cut-offs.

use std::fs;
use std::path::Path;

use pairmill_tables::{f64_column, string_column};
use pairmill_tests::EVALUATE;
use pairmill_tests::tables::read;
use serde_json::Value;

use crate::harness::{CORPUS, RETRIEVAL, help_desk};

const RUN_HEADER: &str = "query_id,corpus_id,rank,score";
const QRELS_HEADER: &str = "query_id,corpus_id,score";
const METRICS: &str = "ndcg@10,ndcg_exp@10,mrr@10,map@10,map_trec@10,recall@10,recall_cap@10,precision@10,accuracy@1,hole@10";
/// More rows than are read at a time.
const QUERIES: u64 = 60;
const RESULTS: u64 = 100;
const DOCUMENTS: u64 = 150;

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
    for seed in 0..4 {
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
    for seed in 10..13 {
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
