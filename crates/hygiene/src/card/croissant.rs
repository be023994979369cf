use serde_json::{Value, json};

use super::Card;
use super::page::serde_name;

impl Card {
    /// Writes the tables as a data set in Croissant 1.0 (<https://docs.mlcommons.org/croissant>),
    /// JSON-LD that search engines and `mlcroissant` read. Files without a hash are described
    /// without a distribution, as the format demands one.
    pub fn croissant(&self) -> String {
        let tables = self.tables.iter().filter(|table| table.is_checked);
        let mut files = Vec::new();
        let mut record_sets = Vec::new();
        for (number, table) in tables.enumerate() {
            let file = format!("table-{}", number + 1);
            let Some(sha256) = &table.sha256 else {
                continue;
            };
            files.push(json!({
                "@type": "cr:FileObject",
                "@id": file,
                "name": table.name,
                "contentUrl": table.name,
                "encodingFormat": encoding_format(&table.name),
                "sha256": sha256,
            }));
            let fields: Vec<Value> = (table.columns.iter())
                .map(|column| {
                    json!({
                        "@type": "cr:Field",
                        "@id": format!("{file}/{column}"),
                        "name": column,
                        "dataType": "sc:Text",
                        "source": {
                            "fileObject": {"@id": file},
                            "extract": {"column": column},
                        },
                    })
                })
                .collect();
            record_sets.push(json!({
                "@type": "cr:RecordSet",
                "@id": format!("{}-{}", serde_name(&table.kind), number + 1),
                "name": serde_name(&table.kind),
                "field": fields,
            }));
        }
        let rows = self.tables.iter().filter(|table| table.is_checked);
        let rows: u64 = rows.map(|table| table.rows).sum();
        let card = json!({
            "@context": context(),
            "@type": "sc:Dataset",
            "conformsTo": "http://mlcommons.org/croissant/1.0",
            "name": self.title,
            "description": format!(
                "{rows} rows. {} See the data card beside this file.",
                self.verdict()
            ),
            "distribution": files,
            "recordSet": record_sets,
        });
        let text = serde_json::to_string_pretty(&card).expect("a card is plain data");
        text + "\n"
    }
}

fn encoding_format(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default() {
        "parquet" => "application/x-parquet",
        "csv" => "text/csv",
        "tsv" => "text/tab-separated-values",
        "jsonl" | "ndjson" | "json" => "application/jsonlines",
        _ => "application/vnd.apache.arrow.file",
    }
}

/// The terms, as the specification gives them.
fn context() -> Value {
    json!({
        "@language": "en",
        "@vocab": "https://schema.org/",
        "citeAs": "cr:citeAs",
        "column": "cr:column",
        "conformsTo": "dct:conformsTo",
        "cr": "http://mlcommons.org/croissant/",
        "rai": "http://mlcommons.org/croissant/RAI/",
        "data": {"@id": "cr:data", "@type": "@json"},
        "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
        "dct": "http://purl.org/dc/terms/",
        "examples": {"@id": "cr:examples", "@type": "@json"},
        "extract": "cr:extract",
        "field": "cr:field",
        "fileObject": "cr:fileObject",
        "fileProperty": "cr:fileProperty",
        "fileSet": "cr:fileSet",
        "format": "cr:format",
        "includes": "cr:includes",
        "isLiveDataset": "cr:isLiveDataset",
        "jsonPath": "cr:jsonPath",
        "key": "cr:key",
        "md5": "cr:md5",
        "parentField": "cr:parentField",
        "path": "cr:path",
        "recordSet": "cr:recordSet",
        "references": "cr:references",
        "regex": "cr:regex",
        "repeated": "cr:repeated",
        "replace": "cr:replace",
        "sc": "https://schema.org/",
        "separator": "cr:separator",
        "source": "cr:source",
        "subField": "cr:subField",
        "transform": "cr:transform",
    })
}

#[cfg(test)]
mod tests {
    use crate::card::example;

    #[test]
    fn a_table_is_a_file_with_a_record_set() {
        let card: serde_json::Value = serde_json::from_str(&example().croissant()).unwrap();
        assert_eq!(card["conformsTo"], "http://mlcommons.org/croissant/1.0");
        assert_eq!(card["distribution"][0]["encodingFormat"], "text/csv");
        let field = &card["recordSet"][0]["field"][0];
        assert_eq!(
            field["source"]["fileObject"]["@id"],
            card["distribution"][0]["@id"]
        );
        assert_eq!(field["source"]["extract"]["column"], "text");
    }
}
