//! Hard negatives from within a Rust program: what `pairmill-mine --format triplet` does. Run it by
//!
//! ```sh
//! cargo run --release --workspace --example mine_negatives -- pairs.parquet triplets.parquet
//! ```

#![allow(clippy::print_stdout, reason = "its result")]

use std::error::Error;

use pairmill_candidates::TrainingFormat;
use pairmill_mine::{Corpus, MineConfig, Pairs, RunOptions, Selection, mine};
use pairmill_schema::Sameness;
use tokio::runtime::Runtime;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(path), Some(output)) = (arguments.next(), arguments.next()) else {
        return Err("usage: mine_negatives PAIRS OUTPUT".into());
    };
    let pairs = Pairs {
        path: path.clone(),
        ..Pairs::default()
    };
    let config = MineConfig {
        // The positives of all pairs are the passages that are searched.
        corpus: Corpus {
            path,
            pairs: Some(pairs.clone()),
            ..Corpus::default()
        },
        pairs,
        qrels: None,
        same_text: Sameness::default(),
        ignore_identical_ids: false,
        top_k: 50,
        group_column: None,
        near_duplicates: 0.9,
        selection: Selection {
            num_negatives: Some(3),
            ..Selection::default()
        },
        format: TrainingFormat::TRIPLET,
        drop_ids: false,
        audit: None,
        run: RunOptions {
            output: output.into(),
            seed: 42,
            threads: 2,
            force: false,
        },
    };
    // `mine` is async, for programs that are; this one is not.
    let report = Runtime::new()?.block_on(mine(&config))?;
    match report.summary {
        Some(summary) => println!("{} triplets of {} pairs", summary.rows, summary.pairs),
        None => println!("{} is up to date", report.output.display()),
    }
    Ok(())
}
