use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use crate::Result;
use crate::files::{malformed, unsupported};

/// Names of the label of two texts that belong together.
const TOGETHER: [&str; 28] = [
    "1",
    "label 1",
    "entailment",
    "entails",
    "entailed",
    "relevant",
    "is relevant",
    "duplicate",
    "is duplicate",
    "duplicates",
    "paraphrase",
    "is paraphrase",
    "paraphrases",
    "equivalent",
    "semantically equivalent",
    "similar",
    "same",
    "match",
    "matches",
    "matched",
    "related",
    "yes",
    "true",
    "positive",
    "correct",
    "answer",
    "good",
    "acceptable",
];
/// Names of the label of two that do not.
const APART: [&str; 16] = [
    "0",
    "label 0",
    "contradiction",
    "neutral",
    "irrelevant",
    "different",
    "distinct",
    "dissimilar",
    "mismatch",
    "unrelated",
    "false",
    "negative",
    "incorrect",
    "wrong",
    "bad",
    "unacceptable",
];

/// Returns which of a cross-encoder's logits stands for "these two belong together", by the labels
/// that its `config.json` names. Of two without names it is the second, as in MS MARCO, paraphrase
/// and duplicate classifiers.
///
/// # Errors
/// If there are more than two logits, or two whose labels say nothing or contradict each other.
pub fn relevant_logit(file: &Path, config: &Value, logits: usize) -> Result<usize> {
    if logits == 1 {
        return Ok(0);
    }
    let labels = labels(file, config)?;
    let names = || match labels.is_empty() {
        true => String::new(),
        false => {
            let names = labels.values().map(|name| format!("`{name}`"));
            format!(" (labels {})", names.collect::<Vec<_>>().join(", "))
        }
    };
    if logits != 2 {
        let what = format!("a model with {logits} logits for each pair{}", names());
        let supported = "one logit, or two of which one stands for relevant";
        return Err(unsupported(file, what, supported));
    }
    if labels.is_empty() {
        return Ok(1);
    }
    let of = |n: usize| {
        labels
            .get(&n)
            .map_or(Meaning::Unknown, |name| meaning(name))
    };
    match (of(0), of(1)) {
        _ if labels.len() != 2 => Err(malformed(
            file,
            format!(
                "id2label names {} labels{}, but there are 2 logits",
                labels.len(),
                names()
            ),
        )),
        (Meaning::Together, Meaning::Apart | Meaning::Unknown)
        | (Meaning::Unknown, Meaning::Apart) => Ok(0),
        (Meaning::Apart | Meaning::Unknown, Meaning::Together)
        | (Meaning::Apart, Meaning::Unknown) => Ok(1),
        _ => Err(malformed(
            file,
            format!(
                "id2label does not say which of the 2 logits{} stands for two texts that belong together; call that one entailment, relevant, duplicate, yes or 1 there",
                names()
            ),
        )),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    Together,
    Apart,
    Unknown,
}

fn meaning(label: &str) -> Meaning {
    let words = label.to_lowercase().replace(['_', '-'], " ");
    let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
    let negated = ["not ", "non ", "no ", "is not "];
    if APART.contains(&words.as_str())
        || words == "no"
        || negated.iter().any(|start| words.starts_with(start))
    {
        return Meaning::Apart;
    }
    match TOGETHER.contains(&words.as_str()) {
        true => Meaning::Together,
        false => Meaning::Unknown,
    }
}

/// Returns the label of each logit that the config names: `id2label`, and `label2id`, which must
/// not say otherwise.
fn labels(file: &Path, config: &Value) -> Result<BTreeMap<usize, String>> {
    let mut labels = BTreeMap::new();
    for (id, name) in config["id2label"].as_object().into_iter().flatten() {
        if let (Ok(id), Some(name)) = (id.parse(), name.as_str()) {
            labels.insert(id, name.to_owned());
        }
    }
    let named = !labels.is_empty();
    for (name, id) in config["label2id"].as_object().into_iter().flatten() {
        let Some(id) = id.as_u64().or_else(|| id.as_str()?.parse().ok()) else {
            continue;
        };
        match labels.get(&(id as usize)) {
            Some(other) if other != name => {
                let detail = format!(
                    "id2label calls logit {id} `{other}`, label2id calls it `{name}`; make them agree"
                );
                return Err(malformed(file, detail));
            }
            Some(_) => {}
            None if named => {}
            None => {
                labels.insert(id as usize, name.clone());
            }
        }
    }
    Ok(labels)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn relevant(config: &Value, logits: usize) -> Result<usize> {
        relevant_logit(Path::new("config.json"), config, logits)
    }

    fn of_two(first: &str, second: &str) -> Result<usize> {
        relevant(&json!({"id2label": {"0": first, "1": second}}), 2)
    }

    #[test]
    fn the_label_of_a_logit_says_what_it_stands_for() {
        assert_eq!(of_two("entailment", "not_entailment").unwrap(), 0);
        assert_eq!(of_two("not_entailment", "entailment").unwrap(), 1);
        assert_eq!(of_two("LABEL_0", "LABEL_1").unwrap(), 1);
        assert_eq!(of_two("Not-Duplicate", "Duplicate").unwrap(), 1);
        assert_eq!(of_two("yes", "no").unwrap(), 0);
        assert_eq!(of_two("contradiction", "entailment").unwrap(), 1);
        assert_eq!(of_two("relevant", "off topic").unwrap(), 0);
        assert_eq!(of_two("0", "1").unwrap(), 1);
    }

    #[test]
    fn without_labels_it_is_the_second() {
        assert_eq!(relevant(&json!({}), 1).unwrap(), 0);
        assert_eq!(relevant(&json!({}), 2).unwrap(), 1);
        let label2id = json!({"label2id": {"entailment": 0, "other": 1}});
        assert_eq!(relevant(&label2id, 2).unwrap(), 0);
    }

    #[test]
    fn labels_that_say_nothing_are_refused_by_name() {
        let error = of_two("A", "B").unwrap_err().to_string();
        assert!(
            error.contains("which of the 2 logits (labels `A`, `B`)"),
            "{error}"
        );
        let error = of_two("relevant", "duplicate").unwrap_err().to_string();
        assert!(
            error.contains("(labels `relevant`, `duplicate`)"),
            "{error}"
        );
        let nli = json!({"id2label": {"0": "contradiction", "1": "entailment", "2": "neutral"}});
        let error = relevant(&nli, 3).unwrap_err().to_string();
        assert!(
            error.contains(
                "3 logits for each pair (labels `contradiction`, `entailment`, `neutral`)"
            ),
            "{error}"
        );
        let error = relevant(&nli, 2).unwrap_err().to_string();
        assert!(error.contains("names 3 labels"), "{error}");
    }

    #[test]
    fn two_lists_that_contradict_each_other_are_refused() {
        let config = json!({"id2label": {"0": "yes", "1": "no"}, "label2id": {"no": 0, "yes": 1}});
        let error = relevant(&config, 2).unwrap_err().to_string();
        assert!(
            error.contains("id2label calls logit 0 `yes`, label2id calls it `no`"),
            "{error}"
        );
    }
}
