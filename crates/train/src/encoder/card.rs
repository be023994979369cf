use std::fmt::Write;
use std::path::Path;

use pairmill_modeling::ModelCard;

use super::Recipe;
use crate::trainer::Report;

/// What the model folder's README says: data, options, scores.
pub(super) fn model_card(recipe: &Recipe, output: &Path, report: &Report) -> ModelCard {
    let base = recipe.model.name();
    let mut body = format!(
        "A sentence-embedding model: `{base}` fine-tuned by Pairmill {} on {} rows.\n\n| option | value |\n|---|---|\n",
        env!("CARGO_PKG_VERSION"),
        report.rows
    );
    let training = &recipe.training;
    let losses: Vec<String> = recipe
        .losses()
        .into_iter()
        .map(|loss| loss.name())
        .collect();
    let files = recipe.data.sources(recipe.loss.loss);
    let files: Vec<String> = files.map(|source| name(Path::new(source.file))).collect();
    let rows = [
        ("training data", files.join(", ")),
        ("loss", losses.join(", ")),
        ("epochs", training.num_train_epochs.to_string()),
        ("batch size", training.batch_size.to_string()),
        ("learning rate", training.learning_rate.to_string()),
        ("warm-up ratio", training.warmup_ratio.to_string()),
        ("weight decay", training.weight_decay.to_string()),
    ];
    for (option, value) in rows {
        let _ = writeln!(body, "| {option} | {value} |");
    }
    body.push_str("\nAll options and the content hashes of all inputs are in `lineage.json`.\n");
    if let (Some(metric), Some(before), Some(best)) =
        (report.metric, report.score_before, report.best_score)
    {
        let went = if best < before { "fell" } else { "rose" };
        let _ = write!(
            body,
            "\nOn the dev split {metric} {went} from {before:.4} to {best:.4} (step {} of {}).\n",
            report.best_step, report.steps
        );
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
