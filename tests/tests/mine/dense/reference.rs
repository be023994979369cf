//! Held against mine_hard_negatives of sentence-transformers.

use super::*;

/// Figures of `tests/reference/dense_mining.py`.
fn reference() -> Value {
    let path = root().join("tests/reference/dense_mining.json");
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn write_medquad(dir: &Path, data: &Path, figures: &Value) {
    let qa = rows(&data.join("medquad/qa.parquet"), &["question", "answer"]);
    let (mut pairs, mut corpus) = (String::new(), String::new());
    for number in figures["numbers"].as_array().unwrap() {
        let [question, answer] = &qa[number.as_u64().unwrap() as usize][..] else {
            unreachable!("two columns");
        };
        let pair = json!({
            "anchor_id": format!("q{number}"), "anchor": question, "positive_id": number.to_string(), "positive": answer
        });
        pairs += &format!("{pair}\n");
        corpus += &format!("{}\n", json!({"id": number.to_string(), "text": answer}));
    }
    fs::write(dir.join("pairs.jsonl"), pairs).unwrap();
    fs::write(dir.join("corpus.jsonl"), corpus).unwrap();
}

#[test]
fn candidates_and_negatives_are_those_of_mine_hard_negatives() {
    const TOLERANCE: f64 = 2e-5;
    let Some(data) = data() else { return };
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let figures = reference();
    write_medquad(dir, &data, &figures);
    TRAIN.done(
        dir,
        &format!("export --model {} --output onnx", model().display()),
    );
    // Near-duplicates are known to Pairmill only.
    let line = "--pairs pairs.jsonl --corpus corpus.jsonl --retriever dense --model onnx --max-length 128 \
                --index index --near-duplicates 1 --audit out.parquet --format triplet --output rows.parquet";
    let mut compared = 0;
    for (name, case) in figures["cases"].as_object().unwrap() {
        let options = case["options"].as_object().unwrap().iter();
        let options = options.map(|(name, value)| format!(" --{} {value}", name.replace('_', "-")));
        // So deep looks mine_hard_negatives: to the end of the range, and for a positive in it.
        let top_k = case["options"]["range_max"].as_u64().unwrap() + 1;
        let options: String = options.collect();
        MINE.done(dir, &format!("{line} --top-k {top_k}{options}"));
        let mut scores: HashMap<String, HashMap<String, f64>> = HashMap::new();
        let mut ranked: HashMap<String, Vec<String>> = HashMap::new();
        for row in rows(
            &dir.join("out.parquet"),
            &["query_id", "corpus_id", "dense"],
        ) {
            ranked
                .entry(row[0].clone())
                .or_default()
                .push(row[1].clone());
            scores
                .entry(row[0].clone())
                .or_default()
                .insert(row[1].clone(), row[2].parse().unwrap());
        }
        let mut negatives: HashMap<String, Vec<String>> = HashMap::new();
        for row in rows(&dir.join("rows.parquet"), &["anchor_id", "negative_id"]) {
            negatives
                .entry(row[0].clone())
                .or_default()
                .push(row[1].clone());
        }
        for (place, number) in figures["numbers"].as_array().unwrap().iter().enumerate() {
            let query = format!("q{number}");
            let of_query = &scores[&query];
            for (rank, expected) in figures["ranked"][place]
                .as_array()
                .unwrap()
                .iter()
                .enumerate()
            {
                let score = expected[1].as_f64().unwrap();
                assert!(
                    (of_query[&expected[0].to_string()] - score).abs() < TOLERANCE,
                    "{query}"
                );
                // Another passage there is one whose score is the same to the rounding.
                assert!(
                    (of_query[&ranked[&query][rank]] - score).abs() < TOLERANCE,
                    "{query}"
                );
            }
            let positive = figures["positive_scores"][place].as_f64().unwrap();
            if let Some(score) = of_query.get(&number.to_string()) {
                assert!((score - positive).abs() < TOLERANCE, "{query}");
            }
            let found = negatives.remove(&query).unwrap_or_default();
            let expected = case["negatives"][place].as_array().unwrap();
            assert_eq!(found.len(), expected.len(), "{name}: {query}");
            for (found, expected) in found.iter().zip(expected) {
                let apart = of_query[found] - of_query[&expected.to_string()];
                assert!(
                    apart.abs() < TOLERANCE,
                    "{name}: {query}: {found} or {expected}"
                );
                compared += 1;
            }
        }
        assert!(negatives.is_empty());
    }
    println!("{compared} negatives are the same");
    assert!(compared > 2_000);
}
