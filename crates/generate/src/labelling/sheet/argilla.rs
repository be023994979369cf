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

/// Reads a record as `Dataset.records.to_json` writes it: the first response counts.
pub(super) fn answer(record: &Value) -> Option<Answer> {
    record.get("fields")?;
    let response = record
        .pointer("/responses/category/0/value")
        .and_then(Value::as_str);
    let category = response
        .map(str::trim)
        .filter(|category| !category.is_empty());
    let round = record.pointer("/metadata/round").and_then(Value::as_u64);
    Some(Answer {
        id: record.get("id")?.as_str()?.to_owned(),
        category: category.map(str::to_owned),
        round: round.and_then(|round| u32::try_from(round).ok()),
    })
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
        assert_eq!(answer(&record), Some(answered(None)));
        record["responses"] = json!({"category": [{"value": " billing", "user_id": "x"}]});
        assert_eq!(answer(&record), Some(answered(Some("billing"))));
    }
}
