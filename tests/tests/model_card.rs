//! The `README.md` of a model folder: what training writes there, and what goes along.

use std::fs;
use std::path::Path;

use pairmill_tables::Lineage;
use pairmill_tests::tables::read;
use pairmill_tests::{TRAIN, sample_with_tiny_model};

/// A card with fields that others may pass on, and some that are its own.
const BASE: &str = "---\nlanguage:\n- en\n- de\nlicense: other\nlicense_name: of-tests\n\
    base_model: acme/ancestor\npipeline_tag: fill-mask\ntags:\n- own\n---\n\n# Tiny\n";

const TRAINING: &str = "--model tiny --max-steps 2 --batch-size 8 --threads 1 --eval data";

fn card(folder: &Path) -> String {
    fs::read_to_string(folder.join("README.md")).unwrap()
}

/// The header and the text of a card.
fn parts(card: &str) -> (&str, &str) {
    let rest = card.strip_prefix("---\n").unwrap();
    rest.split_once("\n---\n\n").unwrap()
}

fn assert_has(text: &str, lines: &[&str]) {
    for line in lines {
        assert!(text.lines().any(|found| found == *line), "{line}\n{text}");
    }
}

#[test]
fn a_card_says_what_the_model_is_made_of() {
    let dir = sample_with_tiny_model();
    let path = dir.path();
    fs::write(path.join("tiny/README.md"), BASE).unwrap();
    let line = format!("encoder {TRAINING} --train data/pairs_train.parquet --output out");
    let report = TRAIN.done(path, &line);
    let found = card(&path.join("out"));
    let (header, text) = parts(&found);
    let rows = format!("- dataset_size:{}", report["rows"]);
    let score = format!("      value: {}", report["best_score"]);
    assert_has(
        header,
        &[
            "language:",
            "- en",
            "- de",
            "license: other",
            "license_name: of-tests",
            "library_name: sentence-transformers",
            "pipeline_tag: sentence-similarity",
            "base_model: acme/ancestor",
            "- sentence-transformers",
            &rows,
            "- loss:MultipleNegativesRankingLoss",
            "- name: \"SentenceTransformer based on tiny\"",
            "      type: information-retrieval",
            "    - type: cosine_ndcg@10",
            &score,
            "      name: Cosine Ndcg@10",
        ],
    );
    assert!(
        !header.contains("own") && !header.contains("fill-mask"),
        "{header}"
    );
    assert_eq!(header.matches("pipeline_tag").count(), 1);

    let pairs = read(&path.join("data/pairs_train.parquet")).num_rows();
    let hash = &Lineage::of_folder(&path.join("out")).unwrap().inputs["train 1"];
    assert_has(
        text,
        &[
            "# SentenceTransformer based on tiny",
            "| base model | `tiny` |",
            "| licence | other, by the base model's card |",
            "| language | en, de, by the base model's card |",
            "| longest text | 128 tokens |",
            "| dimensions | 32 |",
            &format!("| `pairs_train.parquet` | {pairs} | `{hash}` |"),
            "| loss | mnrl |",
            "| steps | 2 |",
        ],
    );
    assert!(text.contains("On the dev split ndcg@10"), "{text}");
    assert!(text.contains("SentenceTransformer(\"path/to/this/folder\")"));

    TRAIN.done(path, "export --model out --output onnx");
    assert_eq!(card(&path.join("onnx")), found, "it goes along");
}

#[test]
fn a_cross_encoder_has_a_card_of_its_kind() {
    let dir = sample_with_tiny_model();
    let path = dir.path();
    let line = format!("cross-encoder {TRAINING} --train data/labeled_train.parquet --output out");
    let report = TRAIN.done(path, &line);
    let found = card(&path.join("out"));
    let (header, text) = parts(&found);
    let score = format!("      value: {}", report["best_score"]);
    assert_has(
        header,
        &[
            "pipeline_tag: text-ranking",
            "- cross-encoder",
            "- loss:BinaryCrossEntropyLoss",
            "- average_precision",
            &score,
        ],
    );
    assert!(!header.contains("license"), "nothing is known of it");
    assert_has(
        text,
        &[
            "| licence | not said by the base model's card |",
            "| longest text | 128 tokens |",
        ],
    );
    assert!(text.contains("model.predict"), "{text}");
}
