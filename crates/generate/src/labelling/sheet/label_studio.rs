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

/// Reads a task as Label Studio exports it: an answer for each choice of each annotation that was
/// not skipped, so that two that differ show, or an empty one.
pub(super) fn answers(task: &Value) -> Option<Vec<Answer>> {
    let data = task.get("data")?;
    let id = text(data.get("row_id")?)?;
    let round = data.get("round").and_then(Value::as_u64);
    let annotations = task.get("annotations").and_then(Value::as_array);
    let annotations = annotations.into_iter().flatten();
    let is_skipped = |annotation: &&Value| annotation["was_cancelled"] == Value::Bool(true);
    let results = annotations
        .filter(|annotation| !is_skipped(annotation))
        .filter_map(|annotation| annotation["result"].as_array())
        .flatten();
    let choices = results
        .filter(|result| result["type"] == "choices")
        .filter_map(|result| result.pointer("/value/choices")?.as_array())
        .flatten();
    let round = round.and_then(|round| u32::try_from(round).ok());
    Some(Answer::each(&id, choices.filter_map(Value::as_str), round))
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
    fn annotations_that_are_not_skipped_count() {
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
        assert_eq!(answers(&task), Some(vec![empty.clone()]));
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
        assert_eq!(answers(&task), Some(vec![filled.clone()]));
        task["annotations"] = json!([choice("billing", false), choice("fleet", false)]);
        let other = Answer {
            category: Some("fleet".to_owned()),
            ..filled.clone()
        };
        assert_eq!(answers(&task), Some(vec![filled, other]));
        assert_eq!(answers(&json!({"id": 3})), None);
    }
}
