//! What the trainer left in a model folder: its log and, where one was drawn, the learning curve.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use pairmill_metrics::metric_title;
use pairmill_report::{Curve, Estimate, LearningCurve, LearningPoint, Point};
use serde::Deserialize;

use crate::error::{EvaluateError, Result};

const LOG: &str = "training_log.jsonl";
const LEARNING_CURVE: &str = "learning_curve.json";

/// A line of the trainer's log. A figure that is not finite is null.
#[derive(Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum LogLine {
    Step {
        step: u64,
        loss: Option<f64>,
        learning_rate: Option<f64>,
        grad_norm: Option<f64>,
    },
    Evaluation {
        step: u64,
        metric: String,
        score: Option<f64>,
    },
}

/// The curves of `training_log.jsonl` in a model folder: the scores on dev, the loss, the learning
/// rate and the norm of the gradient, each by step; none where there is no such file.
///
/// # Errors
/// If the file cannot be read or a line is not one that the trainer writes.
pub(crate) fn training_curves(folder: &Path) -> Result<Vec<Curve>> {
    let path = folder.join(LOG);
    let Some(text) = read(&path)? else {
        return Ok(Vec::new());
    };
    let mut scores: Vec<Curve> = Vec::new();
    let mut steps = ["training loss", "learning rate", "norm of the gradient"].map(|name| Curve {
        name: name.to_owned(),
        points: Vec::new(),
    });
    for (number, line) in (1..).zip(text.lines()) {
        let line = serde_json::from_str(line).map_err(|error| damaged(&path, number, &error))?;
        match line {
            LogLine::Step {
                step,
                loss,
                learning_rate,
                grad_norm,
            } => {
                for (curve, figure) in steps.iter_mut().zip([loss, learning_rate, grad_norm]) {
                    curve.points.push(point(step, figure));
                }
            }
            LogLine::Evaluation {
                step,
                metric,
                score,
            } => {
                let name = format!("{} on dev", metric_title(&metric));
                let place = scores.iter().position(|curve| curve.name == name);
                let place = place.unwrap_or_else(|| {
                    scores.push(Curve {
                        name,
                        points: Vec::new(),
                    });
                    scores.len() - 1
                });
                scores[place].points.push(point(step, score));
            }
        }
    }
    scores.extend(steps);
    scores.retain(|curve| !curve.points.is_empty());
    Ok(scores)
}

/// A trial in `learning_curve.json`, as `pairmill-train learning-curve` writes it.
#[derive(Deserialize)]
struct Trial {
    rows: u64,
    metric: Option<String>,
    score_before: Option<f64>,
    best_score: Option<f64>,
}

/// The learning curve in a folder; `None` where there is none.
///
/// # Errors
/// If the file cannot be read or is not what the trainer writes.
pub(crate) fn learning_curve(folder: &Path) -> Result<Option<LearningCurve>> {
    let path = folder.join(LEARNING_CURVE);
    let Some(text) = read(&path)? else {
        return Ok(None);
    };
    let trials: Vec<Trial> =
        serde_json::from_str(&text).map_err(|error| damaged(&path, error.line(), &error))?;
    let metric = trials.iter().find_map(|trial| trial.metric.as_deref());
    let metric = metric_title(metric.unwrap_or("score"));
    let points = trials.iter().filter_map(|trial| {
        Some(LearningPoint {
            rows: trial.rows,
            score: Estimate::new(trial.best_score?, None),
        })
    });
    let points: Vec<LearningPoint> = points.collect();
    Ok((!points.is_empty()).then(|| LearningCurve {
        metric: format!("{metric} on dev"),
        before: trials.iter().find_map(|trial| trial.score_before),
        points,
        predicted: Vec::new(),
    }))
}

fn point(step: u64, figure: Option<f64>) -> Point {
    Point {
        x: step as f64,
        y: figure.unwrap_or(f64::NAN),
    }
}

fn read(path: &Path) -> Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(source) => Err(EvaluateError::Unreadable {
            path: path.to_owned(),
            source,
        }),
    }
}

fn damaged(path: &Path, line: usize, error: &serde_json::Error) -> EvaluateError {
    EvaluateError::DamagedLog {
        path: path.to_owned(),
        line,
        // Without the place, which counts within the line.
        reason: error
            .to_string()
            .split(" at line ")
            .next()
            .unwrap_or_default()
            .to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_gives_a_curve_for_each_quantity() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(training_curves(folder.path()).unwrap(), []);
        let log = r#"{"event":"evaluation","step":0,"metric":"ndcg@10","score":0.25,"best":false,"seconds":0.1}
{"event":"step","step":1,"epoch":0.5,"loss":2.5,"learning_rate":2e-5,"grad_norm":null,"seconds":0.3}
{"event":"step","step":2,"epoch":1.0,"loss":1.5,"learning_rate":1e-5,"grad_norm":3.0,"seconds":0.6}
{"event":"evaluation","step":2,"metric":"ndcg@10","score":0.75,"best":true,"seconds":0.9}
"#;
        fs::write(folder.path().join(LOG), log).unwrap();
        let curves = training_curves(folder.path()).unwrap();
        let names: Vec<&str> = curves.iter().map(|curve| curve.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "nDCG@10 on dev",
                "training loss",
                "learning rate",
                "norm of the gradient"
            ]
        );
        assert_eq!(
            curves[0].points,
            [Point { x: 0.0, y: 0.25 }, Point { x: 2.0, y: 0.75 }]
        );
        assert_eq!(curves[1].points[1], Point { x: 2.0, y: 1.5 });
        assert!(curves[3].points[0].y.is_nan());
    }

    #[test]
    fn a_damaged_log_is_named_with_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let log = "{\"event\":\"step\",\"step\":1}\n{\"event\":\"pause\"}\n";
        fs::write(folder.path().join(LOG), log).unwrap();
        let error = training_curves(folder.path()).unwrap_err().to_string();
        let error = error.replace(&folder.path().display().to_string(), "model");
        insta::assert_snapshot!(error, @"model/training_log.jsonl: line 2 is not as pairmill-train writes it: unknown variant `pause`, expected `step` or `evaluation`; train again or remove the file");
    }

    #[test]
    fn the_learning_curve_has_the_best_score_of_each_size() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(learning_curve(folder.path()).unwrap(), None);
        let trials = r#"[{"name":"100","rows":100,"metric":"ndcg@10","score_before":0.5,"best_score":0.625},
            {"name":"200","rows":200,"metric":"ndcg@10","score_before":0.5,"best_score":null},
            {"name":"500","rows":500,"metric":"ndcg@10","score_before":0.5,"best_score":0.75}]"#;
        let path = folder.path().join(LEARNING_CURVE);
        fs::write(&path, trials).unwrap();
        let curve = learning_curve(folder.path()).unwrap().unwrap();
        assert_eq!(curve.metric, "nDCG@10 on dev");
        assert_eq!(curve.before, Some(0.5));
        let points = curve
            .points
            .iter()
            .map(|point| (point.rows, point.score.value));
        assert_eq!(points.collect::<Vec<_>>(), [(100, 0.625), (500, 0.75)]);

        fs::write(&path, "[{\"rows\":\n\"many\"}]").unwrap();
        let error = learning_curve(folder.path()).unwrap_err().to_string();
        let error = error.replace(&folder.path().display().to_string(), "curve");
        insta::assert_snapshot!(error, @r#"curve/learning_curve.json: line 2 is not as pairmill-train writes it: invalid type: string "many", expected u64; train again or remove the file"#);
    }
}
