//! Losses and their gradients against figures of the Python library (tests/reference/losses.py).

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "helpers of tests do"
)]

use std::path::Path;

use pairmill_train::losses::encoder::angle::angle;
use pairmill_train::losses::encoder::batch_all_triplet::batch_all_triplet;
use pairmill_train::losses::encoder::batch_hard_soft_margin_triplet::batch_hard_soft_margin_triplet;
use pairmill_train::losses::encoder::batch_hard_triplet::batch_hard_triplet;
use pairmill_train::losses::encoder::batch_semi_hard_triplet::batch_semi_hard_triplet;
use pairmill_train::losses::encoder::contrastive::contrastive;
use pairmill_train::losses::encoder::cosent::cosent;
use pairmill_train::losses::encoder::cosine_similarity::cosine_similarity;
use pairmill_train::losses::encoder::distill_kl_div::{DistillKlDivOptions, distill_kl_div};
use pairmill_train::losses::encoder::gist_embed::{GistOptions, Guide, Margin, gist_embed};
use pairmill_train::losses::encoder::margin_mse::margin_mse;
use pairmill_train::losses::encoder::multiple_negatives_ranking::{
    multiple_negatives_ranking, multiple_negatives_symmetric_ranking,
};
use pairmill_train::losses::encoder::online_contrastive::online_contrastive;
use pairmill_train::losses::encoder::triplet::triplet;
use pairmill_train::losses::matryoshka::{MatryoshkaDim, matryoshka};
use pairmill_train::losses::similarity::{Distance, Similarity};
use pairmill_train::losses::{cross_encoder, encoder};
use serde::Deserialize;
use serde_json::{Map, Value};
use tch::{Kind, Tensor};

const TOLERANCE: f64 = 1e-6;

#[derive(Deserialize)]
struct Figures {
    tensors: Map<String, Value>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    loss: String,
    inputs: Vec<String>,
    target: Option<String>,
    options: Map<String, Value>,
    value: f64,
    gradients: Vec<Value>,
}

/// A vector or a matrix.
fn tensor(value: &Value) -> Tensor {
    match serde_json::from_value::<Vec<f64>>(value.clone()) {
        Ok(vector) => Tensor::from_slice(&vector),
        Err(_) => {
            let rows: Vec<Vec<f64>> = serde_json::from_value(value.clone()).unwrap();
            Tensor::from_slice2(&rows)
        }
    }
}

impl Figures {
    fn read() -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/reference/losses.json");
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
    }

    fn tensor(&self, name: &str) -> Tensor {
        tensor(&self.tensors[name])
    }

    fn guide(&self, names: &[String]) -> Vec<Tensor> {
        names
            .iter()
            .map(|name| self.tensor(&format!("guide_{name}")))
            .collect()
    }

    /// Compares `loss` of a case's inputs and target with every case of that name.
    fn check(&self, name: &str, count: usize, loss: impl Fn(&Case, &[Tensor], &Tensor) -> Tensor) {
        let cases: Vec<&Case> = self.cases.iter().filter(|case| case.loss == name).collect();
        assert_eq!(cases.len(), count, "cases of {name}");
        for case in cases {
            let about = format!("{name} {:?} {:?}", case.inputs, case.options);
            let inputs: Vec<Tensor> = case
                .inputs
                .iter()
                .map(|input| self.tensor(input).set_requires_grad(true))
                .collect();
            let target = match &case.target {
                Some(target) => self.tensor(target),
                None => Tensor::new(),
            };
            let loss = loss(case, &inputs, &target);
            assert_eq!((loss.kind(), loss.dim()), (Kind::Double, 0), "{about}");
            let found = loss.double_value(&[]);
            let difference = (found - case.value).abs() / case.value.abs().max(0.01);
            assert!(
                difference < TOLERANCE,
                "{about}: {found} for {}",
                case.value
            );
            let gradients = Tensor::run_backward(&[&loss], &inputs, false, false);
            let mut largest = 0f64;
            for (gradient, expected) in gradients.iter().zip(&case.gradients) {
                let difference = (gradient - tensor(expected)).abs().max().double_value(&[]);
                assert!(difference < TOLERANCE, "{about}: gradient {difference}");
                largest = largest.max(difference);
            }
            println!("{about}: value {difference:.1e}, gradient {largest:.1e}");
        }
    }
}

impl Case {
    fn number(&self, name: &str) -> f64 {
        self.options[name].as_f64().unwrap()
    }

    fn text(&self, name: &str) -> &str {
        self.options[name].as_str().unwrap()
    }

    fn flag(&self, name: &str) -> bool {
        self.options[name].as_bool().unwrap()
    }

    fn list<T: serde::de::DeserializeOwned>(&self, name: &str) -> Vec<T> {
        serde_json::from_value(self.options[name].clone()).unwrap()
    }

    fn distance(&self) -> Distance {
        match self.text("distance") {
            "cosine" => Distance::Cosine,
            "euclidean" => Distance::Euclidean,
            "manhattan" => Distance::Manhattan,
            other => panic!("{other}"),
        }
    }

    fn similarity(&self) -> Similarity {
        match self.text("similarity") {
            "dot" => Similarity::Dot,
            "cosine" => Similarity::Cosine,
            other => panic!("{other}"),
        }
    }
}

#[test]
fn ranking_losses() {
    let figures = Figures::read();
    figures.check("multiple_negatives_ranking", 3, |case, x, _| {
        multiple_negatives_ranking(&x[0], &Tensor::cat(&x[1..], 0), case.number("scale"), None)
    });
    figures.check("multiple_negatives_symmetric_ranking", 2, |case, x, _| {
        let documents = Tensor::cat(&x[1..], 0);
        multiple_negatives_symmetric_ranking(&x[0], &documents, case.number("scale"), None)
    });
    figures.check("gist_embed", 5, |case, x, _| {
        let guide = figures.guide(&case.inputs);
        let margin = case.number("margin");
        let options = GistOptions {
            temperature: case.number("temperature"),
            margin: match case.text("margin_strategy") {
                "absolute" => Margin::Absolute(margin),
                "relative" => Margin::Relative(margin),
                other => panic!("{other}"),
            },
            contrast_anchors: case.flag("contrast_anchors"),
            contrast_positives: case.flag("contrast_positives"),
        };
        let guide = Guide {
            anchors: &guide[0],
            documents: &Tensor::cat(&guide[1..], 0),
        };
        gist_embed(&x[0], &Tensor::cat(&x[1..], 0), guide, None, &options)
    });
}

#[test]
fn pair_losses() {
    let figures = Figures::read();
    figures.check("contrastive", 3, |case, x, labels| {
        contrastive(&x[0], &x[1], labels, case.distance(), case.number("margin"))
    });
    figures.check("online_contrastive", 3, |case, x, labels| {
        online_contrastive(&x[0], &x[1], labels, case.distance(), case.number("margin"))
    });
    figures.check("cosine_similarity", 1, |_, x, labels| {
        cosine_similarity(&x[0], &x[1], labels)
    });
    figures.check("cosent", 2, |case, x, labels| {
        cosent(&x[0], &x[1], labels, case.number("scale"))
    });
    figures.check("angle", 3, |case, x, labels| {
        angle(&x[0], &x[1], labels, case.number("scale"))
    });
}

#[test]
fn triplet_losses() {
    let figures = Figures::read();
    figures.check("triplet", 3, |case, x, _| {
        triplet(&x[0], &x[1], &x[2], case.distance(), case.number("margin"))
    });
    figures.check("batch_all_triplet", 3, |case, x, labels| {
        batch_all_triplet(&x[0], labels, case.distance(), case.number("margin"))
    });
    figures.check("batch_semi_hard_triplet", 3, |case, x, labels| {
        batch_semi_hard_triplet(&x[0], labels, case.distance(), case.number("margin"))
    });
    figures.check("batch_hard_triplet", 3, |case, x, labels| {
        batch_hard_triplet(&x[0], labels, case.distance(), case.number("margin"))
    });
    figures.check("batch_hard_soft_margin_triplet", 2, |case, x, labels| {
        batch_hard_soft_margin_triplet(&x[0], labels, case.distance())
    });
}

#[test]
fn distillation_losses() {
    let figures = Figures::read();
    figures.check("margin_mse", 3, |case, x, margins| {
        margin_mse(
            &x[0],
            &Tensor::stack(&x[1..], 1),
            margins,
            case.similarity(),
        )
    });
    figures.check("distill_kl_div", 3, |case, x, scores| {
        let options = DistillKlDivOptions {
            similarity: case.similarity(),
            student_temperature: case.number("student_temperature"),
            teacher_temperature: case.number("teacher_temperature"),
        };
        distill_kl_div(&x[0], &Tensor::stack(&x[1..], 1), scores, &options)
    });
}

#[test]
fn matryoshka_loss() {
    Figures::read().check("matryoshka", 4, |case, x, _| {
        let dims: Vec<MatryoshkaDim> = case
            .list("dims")
            .into_iter()
            .zip(case.list("weights"))
            .map(|(dim, weight)| MatryoshkaDim { dim, weight })
            .collect();
        let rows = x[0].size()[0];
        matryoshka(&Tensor::cat(x, 0), &dims, |embeddings| {
            let column = |number: i64| embeddings.narrow(0, number * rows, rows);
            match case.text("inner") {
                "multiple_negatives_ranking" => {
                    let documents = embeddings.narrow(0, rows, 2 * rows);
                    multiple_negatives_ranking(&column(0), &documents, 20.0, None)
                }
                "triplet" => triplet(&column(0), &column(1), &column(2), Distance::Euclidean, 5.0),
                other => panic!("{other}"),
            }
        })
    });
}

#[test]
fn reranking_losses() {
    let figures = Figures::read();
    figures.check("binary_cross_entropy", 1, |_, x, labels| {
        cross_encoder::binary_cross_entropy::binary_cross_entropy(&x[0], labels)
    });
    figures.check("weighted_binary_cross_entropy", 1, |case, x, labels| {
        cross_encoder::binary_cross_entropy::weighted_binary_cross_entropy(
            &x[0],
            labels,
            case.number("pos_weight"),
        )
    });
    figures.check("mse", 1, |_, x, labels| {
        cross_encoder::mse::mse(&x[0], labels)
    });
    figures.check("logits_margin_mse", 1, |_, x, margins| {
        cross_encoder::margin_mse::margin_mse(&x[0], margins)
    });
    figures.check("logits_multiple_negatives_ranking", 1, |case, x, _| {
        cross_encoder::multiple_negatives_ranking::multiple_negatives_ranking(
            &x[0],
            case.number("scale"),
            None,
        )
    });
}

#[test]
fn lambda_losses() {
    Figures::read().check("lambda_loss", 7, |case, x, labels| {
        let lengths = Tensor::from_slice(&case.list::<i64>("lengths")).unsqueeze(1);
        let padding = Tensor::arange(x[0].size()[1], (Kind::Int64, x[0].device()))
            .unsqueeze(0)
            .ge_tensor(&lengths);
        use cross_encoder::lambda::{LambdaLossOptions, ReductionLog, Weighting, lambda_loss};
        let defaults = LambdaLossOptions::default();
        let options = LambdaLossOptions {
            weighting: match case.text("weighting") {
                "none" => Weighting::None,
                "ndcg_loss1" => Weighting::NdcgLoss1,
                "ndcg_loss2" => Weighting::NdcgLoss2,
                "lambda_rank" => Weighting::LambdaRank,
                "ndcg_loss2pp" => defaults.weighting,
                other => panic!("{other}"),
            },
            k: case.options["k"].as_u64().map(|k| k as usize),
            sigma: case.number("sigma"),
            reduction_log: match case.text("reduction_log") {
                "binary" => ReductionLog::Binary,
                "natural" => ReductionLog::Natural,
                other => panic!("{other}"),
            },
            ..defaults
        };
        lambda_loss(&x[0], labels, Some(&padding), &options)
    });
}

/// The tables of the page on losses: `cargo test --test losses tables -- --nocapture` prints them.
#[test]
fn the_tables_of_losses_have_a_row_for_each() {
    for (table, losses) in [
        (encoder::markdown_table(), 14),
        (cross_encoder::markdown_table(), 5),
    ] {
        println!("{table}");
        assert_eq!(table.lines().count(), 2 + losses);
    }
}
