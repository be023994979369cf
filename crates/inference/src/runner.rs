use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;
use std::time::Instant;

use crate::batches::{Batch, Order};
use crate::model::{Output, TokenModel};
use crate::split::{Split, Tuner};
use crate::{InferenceError, Result};
use pairmill_checkpoint::TokenIds;

/// Runs a model over any number of rows, in batches of rows of like length, and counts them.
#[derive(Debug)]
pub(crate) struct Runner {
    pub model: TokenModel,
    pub max_length: usize,
    // Runs come one after the other: each uses all threads.
    crew: Mutex<Crew>,
    rows: AtomicU64,
    truncated: AtomicU64,
}

/// Sessions of the model that work side by side.
#[derive(Debug)]
struct Crew {
    tuner: Tuner,
    split: Option<Split>,
    twins: Vec<TokenModel>,
}

impl Runner {
    /// Begins without a row. Rows have at most `max_length` tokens, batches at most `token_budget`,
    /// padding counted, or one row. The model's session is to have one thread.
    ///
    /// # Errors
    /// If the model's file is gone.
    pub fn new(
        model: TokenModel,
        threads: usize,
        max_length: usize,
        token_budget: usize,
    ) -> Result<Self> {
        let mut crew = Crew {
            tuner: Tuner::new(threads, token_budget),
            split: None,
            twins: Vec::new(),
        };
        let (split, _) = crew.tuner.next(0);
        crew.models(split, &model)?;
        Ok(Self {
            model,
            max_length,
            crew: Mutex::new(crew),
            rows: AtomicU64::new(0),
            truncated: AtomicU64::new(0),
        })
    }

    /// Runs all rows; `done` gets the indices of the rows of each batch and what the model gave.
    pub fn run(
        &self,
        tokens: &[TokenIds],
        mut done: impl FnMut(&[usize], Output) -> Result<()>,
    ) -> Result<()> {
        let mut crew = self.crew.lock().unwrap_or_else(PoisonError::into_inner);
        let lengths: Vec<usize> = tokens.iter().map(TokenIds::len).collect();
        let order = Order::by_length(&lengths, self.max_length);
        let mut start = 0;
        while start < order.items.len() {
            let (split, piece) = crew.tuner.next(order.tokens_from(start));
            let end = order.end_of(start, piece);
            let models = crew.models(split, &self.model)?;
            let piece = order.tokens_from(start) - order.tokens_from(end);
            let batches = order.batches(start..end, split.tokens);
            let started = Instant::now();
            let rows = |batch: &Batch| -> Vec<&TokenIds> {
                let items = order.items[batch.rows.clone()].iter();
                items.map(|&item| &tokens[item]).collect()
            };
            side_by_side(&models, &batches, rows, |batch, output| {
                let items = &order.items[batch.rows.clone()];
                done(items, output)?;
                let truncated = items.iter().filter(|&&item| tokens[item].truncated);
                self.rows.fetch_add(items.len() as u64, Ordering::Relaxed);
                self.truncated
                    .fetch_add(truncated.count() as u64, Ordering::Relaxed);
                Ok(())
            })?;
            let seconds = started.elapsed().as_secs_f64();
            crew.tuner.took(split, piece, seconds);
            start = end;
        }
        Ok(())
    }

    /// Returns how many rows are done so far.
    pub fn rows(&self) -> u64 {
        self.rows.load(Ordering::Relaxed)
    }

    /// Returns how many rows among them were longer than the maximum and therefore cut.
    pub fn truncated(&self) -> u64 {
        self.truncated.load(Ordering::Relaxed)
    }
}

impl Crew {
    /// Returns the model, whose session has one thread, and its twins, or twins alone.
    fn models<'m>(
        &'m mut self,
        split: Split,
        model: &'m TokenModel,
    ) -> Result<Vec<&'m TokenModel>> {
        let kind = |split: Split| (split.sessions, split.threads);
        let own = (split.threads == 1).then_some(model);
        if self.split.map(kind) != Some(kind(split)) {
            // Those of the split before make room first.
            self.twins.clear();
            for _ in own.iter().count()..split.sessions {
                self.twins.push(model.twin(split.threads)?);
            }
            self.split = Some(split);
        }
        Ok(own.into_iter().chain(&self.twins).collect())
    }
}

/// Runs batches on several sessions; `done` gets them in no particular order. After an error no new
/// batch is begun, and of several errors the one of the first batch is returned, so that it does
/// not depend on which session was faster.
fn side_by_side<'t>(
    models: &[&TokenModel],
    batches: &[Batch],
    rows: impl Fn(&Batch) -> Vec<&'t TokenIds> + Sync,
    mut done: impl FnMut(&Batch, Output) -> Result<()>,
) -> Result<()> {
    let run = |model: &TokenModel, batch: &Batch| model.run(&rows(batch), batch.tokens);
    if let &[model] = models {
        return batches
            .iter()
            .try_for_each(|batch| done(batch, run(model, batch)?));
    }
    let next = AtomicUsize::new(0);
    let (send, outputs) = mpsc::sync_channel(models.len());
    thread::scope(|scope| {
        for &model in models {
            let (send, next, run) = (send.clone(), &next, &run);
            scope.spawn(move || {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some(batch) = batches.get(number) else {
                        break;
                    };
                    if send.send((number, run(model, batch))).is_err() {
                        break;
                    }
                }
            });
        }
        drop(send);
        let mut failure: Option<(usize, InferenceError)> = None;
        for (number, output) in outputs {
            // Batches are begun in order, so all before a failed one are among the outputs.
            if failure.as_ref().is_some_and(|(failed, _)| *failed < number) {
                continue;
            }
            if let Err(error) = output.and_then(|output| done(&batches[number], output)) {
                next.store(batches.len(), Ordering::Relaxed);
                failure = Some((number, error));
            }
        }
        failure.map_or(Ok(()), |(_, error)| Err(error))
    })
}
