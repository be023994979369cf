//! What is said of the data before the first step: the real sizes of batches, rows that nothing can
//! be learnt from, texts that are cut.

use pairmill_schema::counted;

use crate::Hyperparameters;
use crate::error::{Result, TrainError};
use crate::task::{Batch, Task};

/// Rows whose batches are looked at.
const ROWS: usize = 200_000;

/// Says what the first epoch's batches are, or its first part's.
///
/// # Errors
/// If the loss can learn nothing from any of them.
pub(crate) fn announce(task: &dyn Task, options: &Hyperparameters) -> Result<()> {
    let batches = task.batches(0);
    if batches.is_empty() {
        // The trainer says so with the reasons there may be.
        return Ok(());
    }
    let sizes: Vec<usize> = batches.iter().map(|batch| batch.rows.len()).collect();
    let part = match task.parts() {
        Some(_) => " in the first part",
        None => "",
    };
    tracing::info!("{}{part}", sizes_in_words(&sizes));
    let mean = mean(&sizes);
    let wanted = options.batch_size as usize;
    if batches.len() > 1 && mean < wanted as f64 / 2.0 {
        tracing::warn!(
            "batches have {mean:.1} rows on average where --batch-size is {wanted}, since rows that share a text may not share a batch; --batch-sampler batch-sampler makes full ones, in which known positives are no negatives"
        );
    }
    tell_of_signal(task, &batches)?;
    for cut in task.cut()? {
        cut.tell();
    }
    Ok(())
}

fn tell_of_signal(task: &dyn Task, batches: &[Batch]) -> Result<()> {
    let (mut rows, mut idle, mut source) = (0, 0, 0);
    let mut example = None;
    for batch in batches {
        if rows >= ROWS {
            break;
        }
        let without = task.without_signal(batch);
        if without > 0 {
            source = batch.source;
            example.get_or_insert(batch.rows.len());
        }
        idle += without;
        rows += batch.rows.len();
    }
    let Some(example) = example else {
        return Ok(());
    };
    let signal = task.no_signal(source);
    let (reason, remedy) = (signal.reason, signal.remedy);
    if idle == rows {
        return Err(TrainError::NoSignal {
            rows,
            reason,
            remedy,
        });
    }
    let told = format!(
        "{idle} of {} of the first epoch {reason}; nothing is learnt from such a row ({remedy}; the first such batch has {})",
        counted(rows, "row", "rows"),
        counted(example, "row", "rows")
    );
    // A last batch of one row is no reason to worry.
    match idle * 100 < rows || example == 1 && idle == 1 {
        true => tracing::info!("{told}"),
        false => tracing::warn!("{told}"),
    }
    Ok(())
}

fn mean(sizes: &[usize]) -> f64 {
    sizes.iter().sum::<usize>() as f64 / sizes.len() as f64
}

fn sizes_in_words(sizes: &[usize]) -> String {
    let (least, most) = (sizes.iter().min(), sizes.iter().max());
    let (least, most) = (least.copied().unwrap_or(0), most.copied().unwrap_or(0));
    let number = sizes.len();
    let full = sizes.iter().filter(|&&size| size == most).count();
    let batches = |number: usize| counted(number, "batch", "batches");
    let rows = |number: usize| counted(number, "row", "rows");
    match number - full {
        0 => format!("{} of {} an epoch", batches(number), rows(most)),
        1 => format!(
            "{} of {} and one of {least} an epoch",
            batches(full),
            rows(most)
        ),
        _ => format!(
            "{number} batches of {least} to {most} rows an epoch, {:.1} on average",
            mean(sizes)
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_told_as_they_are() {
        assert_eq!(
            sizes_in_words(&[32, 32, 32]),
            "3 batches of 32 rows an epoch"
        );
        assert_eq!(
            sizes_in_words(&[32, 7, 32]),
            "2 batches of 32 rows and one of 7 an epoch"
        );
        assert_eq!(
            sizes_in_words(&[3, 2, 2, 1]),
            "4 batches of 1 to 3 rows an epoch, 2.0 on average"
        );
        assert_eq!(sizes_in_words(&[1]), "1 batch of 1 row an epoch");
    }
}
