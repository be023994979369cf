use serde_json::{Value, json};

use super::{Answer, SheetRow};

/// Makes a task in Label Studio's basic JSON form (<https://labelstud.io/guide/tasks>). The
/// labelling interface has `<Text name="text" value="$text"/>` and `<Choices name="category"
/// toName="text">`. A task's own id is Label Studio's, so that of the row has another name.
pub(super) fn task(row: &SheetRow) -> Value {
    let suggestion = row.guess.map(|(category, share)| {
        json!({
            "model_version": "pairmill",
            "score": share,
            "result": [{
                "from_name": "category",
                "to_name": "text",
                "type": "choices",
                "value": {"choices": [category]},
            }],
        })
    });
    json!({
        "data": {"row_id": row.id, "text": row.text, "round": row.round},
        "predictions": suggestion.into_iter().collect::<Vec<Value>>(),
    })
}

/// Reads a task as Label Studio exports it: the first annotation that was not skipped counts.
pub(super) fn answer(task: &Value) -> Option<Answer> {
    let data = task.get("data")?;
    let id = text(data.get("row_id")?)?;
    let annotations = task.get("annotations").and_then(Value::as_array);
    let category = annotations.into_iter().flatten().find_map(|annotation| {
        let is_skipped = annotation.get("was_cancelled").and_then(Value::as_bool);
        let results = annotation.get("result")?.as_array()?.iter();
        let choice = results
            .filter(|result| result["type"] == "choices")
            .find_map(|result| {
                Some(
                    result
                        .pointer("/value/choices/0")?
                        .as_str()?
                        .trim()
                        .to_owned(),
                )
            });
        choice.filter(|choice| !choice.is_empty() && is_skipped != Some(true))
    });
    let round = data.get("round").and_then(Value::as_u64);
    Some(Answer {
        id,
        category,
        round: round.and_then(|round| u32::try_from(round).ok()),
    })
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_annotation_that_is_not_skipped_counts() {
        let row = SheetRow {
            id: "7",
            text: "help",
            guess: Some(("access", 0.25)),
            round: 2,
        };
        let mut task = task(&row);
        assert_eq!(task["predictions"][0]["score"], 0.25);
        let empty = Answer {
            id: "7".to_owned(),
            category: None,
            round: Some(2),
        };
        assert_eq!(answer(&task), Some(empty.clone()));
        let choice = |category: &str, is_skipped: bool| {
            json!({"was_cancelled": is_skipped, "result": [
                {"type": "choices", "value": {"choices": [category]}}
            ]})
        };
        task["annotations"] = json!([choice("fleet", true), choice("billing", false)]);
        let filled = Answer {
            category: Some("billing".to_owned()),
            ..empty
        };
        assert_eq!(answer(&task), Some(filled));
        assert_eq!(answer(&json!({"id": 3})), None);
    }
}
