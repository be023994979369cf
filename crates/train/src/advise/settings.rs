//! The loss that fits the columns, and the settings of the training.

use pairmill_report::format::count;

use super::advice::{LossAdvice, Setting};
use super::inputs::{Columns, TrainingTable};
use crate::losses::encoder::Data;
use crate::losses::registry::Family;

/// Steps of an epoch that a training should have at least, so that it gets anywhere.
const STEPS: usize = 60;
/// Epochs beyond which small data is learnt by heart.
const MOST_EPOCHS: usize = 4;
/// Rows from which on a larger batch, with its more negatives, has enough steps left.
const MANY: usize = 50_000;

/// Returns the loss that fits a table, held against the one that it is given.
pub(super) fn loss_of(table: &TrainingTable) -> LossAdvice {
    let (columns, fits, why) = match table.columns {
        Columns::Pairs => (
            "pairs",
            "mnrl",
            "every other document of the batch is a negative, so pairs alone are enough",
        ),
        Columns::Triplets => (
            "pairs with hard negatives",
            "mnrl",
            "it takes the hard negatives beside those of the batch",
        ),
        Columns::Binary => (
            "pairs labelled 1 or 0",
            "mnrl",
            "dev is scored by retrieval: 1 is a positive, 0 a hard negative of its anchor; to tell duplicates by a threshold, online-contrastive",
        ),
        Columns::Graded => (
            "pairs with a similarity",
            "cosent",
            "it learns the order of the similarities, whatever their scale",
        ),
        Columns::Categories => (
            "texts with a category",
            "batch-all-triplet",
            "texts of one category belong together; pairs made by `pairmill-generate tickets` with mnrl are the alternative",
        ),
        Columns::Scored => (
            "candidates scored by a cross-encoder",
            "margin-mse",
            "it learns the margins that the cross-encoder sees",
        ),
    };
    debug_assert!(Data::LOSSES.iter().any(|loss| loss.name == fits));
    LossAdvice {
        file: table.file.clone(),
        columns: columns.to_owned(),
        given: table.loss.name.to_owned(),
        fits: fits.to_owned(),
        why: why.to_owned(),
    }
}

/// Returns the settings for so many rows, where the losses are these. They stay in the range that
/// the trainers' guides give: 1 to 4 epochs, batches of 16 or 32, a rate of 2e-5 after a warm-up
/// over 10 % of the steps, an evaluation every 500 steps.
pub(super) fn settings(rows: usize, losses: &[LossAdvice]) -> Vec<Setting> {
    let setting = |option: &str, value: String, why: String| Setting {
        option: option.to_owned(),
        value,
        why,
    };
    let in_batch = losses.iter().any(|loss| loss.fits == "mnrl");
    let batch = match rows {
        _ if rows < STEPS * 16 => 16,
        _ if in_batch && rows >= MANY => 128,
        _ => 32,
    };
    let steps = rows.div_ceil(batch).max(1);
    let epochs = STEPS.div_ceil(steps).clamp(1, MOST_EPOCHS);
    let epochs = if rows < 10_000 { epochs.max(2) } else { epochs };
    let mut settings = vec![
        setting(
            "--epochs",
            epochs.to_string(),
            match epochs {
                1 => "so many rows need be seen but once".to_owned(),
                _ => format!("an epoch has but {} steps", count(steps as u64)),
            },
        ),
        setting(
            "--batch-size",
            batch.to_string(),
            match batch {
                16 => "with few rows, more steps count for more than more negatives".to_owned(),
                128 => "more negatives at a time, and still many steps".to_owned(),
                _ => "as in the usual recipes".to_owned(),
            },
        ),
    ];
    if batch > 32 {
        let why = "the same gradient at the memory of a batch of 32".to_owned();
        settings.push(setting("--mini-batch-size", "32".to_owned(), why));
    }
    settings.push(setting(
        "--learning-rate",
        "2e-5".to_owned(),
        "the usual one for all weights".to_owned(),
    ));
    settings.push(setting(
        "--warmup-ratio",
        "0.1".to_owned(),
        "so that the first steps do not undo what the model knows".to_owned(),
    ));
    if steps * epochs >= 1_000 {
        let why = "so that the best step is found within an epoch".to_owned();
        settings.push(setting("--eval-steps", "500".to_owned(), why));
    }
    settings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(rows: usize, fits: &str) -> Vec<String> {
        let loss = LossAdvice {
            file: "a".to_owned(),
            columns: String::new(),
            given: "mnrl".to_owned(),
            fits: fits.to_owned(),
            why: String::new(),
        };
        let settings = settings(rows, &[loss]).into_iter();
        settings
            .map(|setting| format!("{} {}", setting.option, setting.value))
            .collect()
    }

    #[test]
    fn few_rows_get_more_epochs_and_smaller_batches() {
        let usual = ["--learning-rate 2e-5", "--warmup-ratio 0.1"];
        let of = |first: &[&str], last: &[&str]| -> Vec<String> {
            let all = first.iter().chain(&usual).chain(last);
            all.map(|&text| text.to_owned()).collect()
        };
        assert_eq!(
            values(300, "mnrl"),
            of(&["--epochs 4", "--batch-size 16"], &[])
        );
        assert_eq!(
            values(3_000, "mnrl"),
            of(&["--epochs 2", "--batch-size 32"], &[])
        );
        assert_eq!(
            values(40_000, "mnrl"),
            of(&["--epochs 1", "--batch-size 32"], &["--eval-steps 500"])
        );
        assert_eq!(
            values(200_000, "mnrl"),
            of(
                &["--epochs 1", "--batch-size 128", "--mini-batch-size 32"],
                &["--eval-steps 500"]
            )
        );
        assert_eq!(
            values(200_000, "cosent"),
            of(&["--epochs 1", "--batch-size 32"], &["--eval-steps 500"])
        );
    }
}
