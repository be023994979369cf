use serde_json::{Value, json};

use super::{Answer, SheetRow};

/// Makes a record as Argilla's `Dataset.records.from_json` reads it: a field `text` and a question
/// `category` (<https://docs.argilla.io/latest/reference/argilla/datasets/dataset_records/>).
pub(super) fn record(row: &SheetRow) -> Value {
    let suggestions = match row.guess {
        Some((category, share)) => json!({
            "category": {"value": category, "score": share, "agent": "pairmill"}
        }),
        None => json!({}),
    };
    json!({
        "id": row.id,
        "fields": {"text": row.text},
        "metadata": {"round": row.round},
        "suggestions": suggestions,
        "responses": {},
        "vectors": {},
    })
}

/// Reads a record as `Dataset.records.to_json` writes it: an answer for each response, so that two
/// that differ show, or an empty one.
pub(super) fn answers(record: &Value) -> Option<Vec<Answer>> {
    record.get("fields")?;
    let responses = record
        .pointer("/responses/category")
        .and_then(Value::as_array);
    let responses = responses.into_iter().flatten();
    let categories = responses.filter_map(|response| response["value"].as_str());
    let round = record.pointer("/metadata/round").and_then(Value::as_u64);
    let round = round.and_then(|round| u32::try_from(round).ok());
    Some(Answer::each(record.get("id")?.as_str()?, categories, round))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_comes_back_with_its_row() {
        let row = SheetRow {
            id: "7",
            text: "help",
            guess: None,
            round: 1,
        };
        let mut record = record(&row);
        let answered = |category: Option<&str>| Answer {
            id: "7".to_owned(),
            category: category.map(str::to_owned),
            round: Some(1),
        };
        assert_eq!(answers(&record), Some(vec![answered(None)]));
        record["responses"] = json!({"category": [{"value": " billing", "user_id": "x"}]});
        assert_eq!(answers(&record), Some(vec![answered(Some("billing"))]));
    }
}
