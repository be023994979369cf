use std::fmt::Write;
use std::path::Path;

use pairmill_modeling::ModelCard;

use super::Recipe;
use crate::losses::registry::names;
use crate::report::{Delivered, Report};

/// Returns what the model folder's README says: data, options, scores.
pub(super) fn model_card(recipe: &Recipe, output: &Path, report: &Report) -> ModelCard {
    let base = recipe.model.name();
    let version = env!("CARGO_PKG_VERSION");
    let mut body = match (report.delivered, report.weights_moved) {
        (Delivered::Start, _) => format!(
            "**This is `{base}` itself**: Pairmill {version} trained it on {} rows, and no step scored as high on the dev split as the start.\n",
            report.rows
        ),
        (_, false) => format!(
            "**This is `{base}` itself**: Pairmill {version} trained it on {} rows, and no weight has changed.\n",
            report.rows
        ),
        _ => format!(
            "A sentence-embedding model: `{base}` fine-tuned by Pairmill {version} on {} rows.\n",
            report.rows
        ),
    };
    body.push_str("\n| option | value |\n|---|---|\n");
    let training = &recipe.training;
    let files = recipe.data.sources(recipe.loss.loss);
    let files: Vec<String> = files.map(|source| name(Path::new(source.file))).collect();
    let rows = [
        ("training data", files.join(", ")),
        ("loss", names(&recipe.losses())),
        ("epochs", training.num_train_epochs.to_string()),
        ("batch size", training.batch_size.to_string()),
        ("rows of a batch, mean", format!("{:.1}", report.batch_rows)),
        ("learning rate", training.learning_rate.to_string()),
        ("warm-up ratio", training.warmup_ratio.to_string()),
        ("weight decay", training.weight_decay.to_string()),
    ];
    for (option, value) in rows {
        let _ = writeln!(body, "| {option} | {value} |");
    }
    body.push_str("\nAll options and the content hashes of all inputs are in `lineage.json`.\n");
    if let (Some(metric), Some(before), Some(trained)) =
        (&report.metric, report.score_before, report.trained_score)
    {
        let _ = match report.delivered {
            Delivered::Start => write!(
                body,
                "\nOn the dev split {metric} fell from {before:.4} to {trained:.4} at best in {} steps.\n",
                report.steps
            ),
            _ => write!(
                body,
                "\nOn the dev split {metric} {} from {before:.4} to {trained:.4} (step {} of {}).\n",
                if trained < before { "fell" } else { "rose" },
                report.best_step,
                report.steps
            ),
        };
    }
    body.push_str(
        "\n```python\nfrom sentence_transformers import SentenceTransformer\n\nmodel = SentenceTransformer(\"path/to/this/folder\")\nembeddings = model.encode([\"a text\"])\n```\n",
    );
    ModelCard {
        title: name(output),
        pipeline_tag: "sentence-similarity",
        base_model: recipe.model.id().map(str::to_owned),
        body,
    }
}

fn name(path: &Path) -> String {
    path.file_name()
        .map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}
