//! What a report calls models, results and data: no more of a path than tells people enough.

use std::path::Path;

use pairmill_hub::ModelSource;

/// Names that a folder has whatever the model in it: the folder above says more.
const SAYING_NOTHING: [&str; 6] = ["model", "models", "output", "out", "best", "final"];

/// Names two models: a folder by its own name, and where that is one that any model could have,
/// with the folder above.
pub(crate) fn model_names(
    model: &ModelSource,
    baseline: Option<&ModelSource>,
) -> (String, Option<String>) {
    told_apart(model, baseline, |source| match source.id() {
        Some(id) => id.to_owned(),
        None => model_name(&source.to_string()),
    })
}

/// Names results by the last two parts of their paths.
pub(crate) fn names(model: &str, baseline: Option<&str>) -> (String, Option<String>) {
    told_apart(&model, baseline.as_ref(), |path| short(path))
}

/// Names both by `name`, or as the user did where only that tells them apart.
fn told_apart<T: ToString>(
    model: &T,
    baseline: Option<&T>,
    name: impl Fn(&T) -> String,
) -> (String, Option<String>) {
    let is_needed =
        |other: &T| name(other) == name(model) && other.to_string() != model.to_string();
    match baseline.is_some_and(is_needed) {
        true => (model.to_string(), baseline.map(T::to_string)),
        false => (name(model), baseline.map(name)),
    }
}

fn model_name(folder: &str) -> String {
    let name = folder.rsplit('/').find(|part| !part.is_empty());
    let name = name.unwrap_or(folder);
    // What a checkpoint or a snapshot is of stands above it too.
    let is_number =
        |text: &str| text.len() > 1 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let says_nothing = SAYING_NOTHING.contains(&name) || is_number(name);
    match says_nothing || name.starts_with("checkpoint") {
        true => short(folder),
        false => name.to_owned(),
    }
}

/// Names the data that a table is part of: by the folder that it lies in, since the tables of any
/// data set are called `queries_test` or the like; by its own name where none was given.
pub(crate) fn data_name(table: &str) -> String {
    let folder = Path::new(table).parent().and_then(Path::to_str);
    match folder.map(short) {
        Some(folder) if !folder.is_empty() && folder != "." => folder,
        _ => table.trim_start_matches("./").to_owned(),
    }
}

/// The last two parts of a path, which tell people enough.
fn short(path: &str) -> String {
    let parts = path.split('/').filter(|part| !matches!(*part, "" | "."));
    let parts: Vec<&str> = parts.collect();
    parts[parts.len().saturating_sub(2)..].join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_called_by_what_tells_it_from_others() {
        let of = |model: &str, baseline: &str| {
            let [model, baseline] = [model, baseline].map(|given| given.parse().unwrap());
            let (model, baseline) = model_names(&model, Some(&baseline));
            [model, baseline.unwrap()]
        };
        assert_eq!(
            of("/data/runs/qa/model", ".deps/models/all-MiniLM-L6-v2/"),
            ["qa/model", "all-MiniLM-L6-v2"]
        );
        assert_eq!(
            of("acme/tiny@v2", "out/checkpoint-500"),
            ["acme/tiny", "out/checkpoint-500"]
        );
        assert_eq!(of("/a/tuned", "/b/tuned"), ["/a/tuned", "/b/tuned"]);
        assert_eq!(of("/a/tuned", "/a/tuned"), ["tuned", "tuned"]);
        assert_eq!(
            names("x/out/run.parquet", Some("y/out/run.parquet")).0,
            "x/out/run.parquet"
        );
    }

    #[test]
    fn data_are_called_by_their_folder() {
        for (table, name) in [
            ("runs/qa/data/queries_test.parquet", "qa/data"),
            ("beir/scifact/queries.jsonl", "beir/scifact"),
            ("./faq/queries.csv", "faq"),
            ("queries.csv", "queries.csv"),
            ("./queries.csv", "queries.csv"),
            ("s3://bucket/faq/queries.csv", "bucket/faq"),
        ] {
            assert_eq!(data_name(table), name);
        }
    }
}
