//! The ranking loss and its gradients against figures of the Python library
//! (tests/reference/mnrl.py).

use std::path::Path;

use pairmill_train::multiple_negatives_ranking;
use serde_json::Value;
use tch::{Kind, Tensor};

fn matrix(value: &Value) -> Tensor {
    let rows: Vec<Vec<f64>> = serde_json::from_value(value.clone()).unwrap();
    Tensor::from_slice2(&rows)
}

fn largest_difference(a: &Tensor, b: &Tensor) -> f64 {
    (a - b).abs().max().double_value(&[])
}

#[test]
fn loss_and_gradients_equal_those_of_sentence_transformers() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/reference/mnrl.json");
    let figures: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let scale = figures["scale"].as_f64().unwrap();
    let cases = figures["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 3);
    for case in cases {
        let columns: Vec<&str> = case["columns"]
            .as_array()
            .unwrap()
            .iter()
            .map(|name| name.as_str().unwrap())
            .collect();
        let inputs: Vec<Tensor> = columns
            .iter()
            .map(|name| matrix(&figures["embeddings"][name]).set_requires_grad(true))
            .collect();
        let documents = Tensor::cat(&inputs[1..], 0);
        let loss = multiple_negatives_ranking(&inputs[0], &documents, scale, None);
        assert_eq!(loss.kind(), Kind::Double);
        let expected = case["loss"].as_f64().unwrap();
        let found = loss.double_value(&[]);
        assert!(
            (found - expected).abs() < 1e-6,
            "{columns:?}: {found} for {expected}"
        );
        let gradients = Tensor::run_backward(&[&loss], &inputs, false, false);
        for (name, gradient) in columns.iter().zip(&gradients) {
            let difference = largest_difference(gradient, &matrix(&case["gradients"][name]));
            assert!(difference < 1e-6, "{columns:?}, {name}: {difference}");
        }
    }
}
