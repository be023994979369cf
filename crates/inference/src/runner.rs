use std::sync::atomic::{AtomicU64, Ordering};

use crate::Result;
use crate::batches::by_length;
use crate::model::{Output, TokenModel};
use crate::tokenize::Tokens;

/// Runs a model over any number of rows, in batches of rows of like length, and counts them.
#[derive(Debug)]
pub(crate) struct Runner {
    pub model: TokenModel,
    pub max_length: usize,
    token_budget: usize,
    rows: AtomicU64,
    truncated: AtomicU64,
}

impl Runner {
    /// Rows have at most `max_length` tokens, batches at most `token_budget`, padding counted.
    pub fn new(model: TokenModel, max_length: usize, token_budget: usize) -> Self {
        Self {
            model,
            max_length,
            token_budget,
            rows: AtomicU64::new(0),
            truncated: AtomicU64::new(0),
        }
    }

    /// Runs all rows; `done` gets the indices of the rows of each batch and what the model gave.
    pub fn run(
        &self,
        tokens: &[Tokens],
        mut done: impl FnMut(&[usize], Output) -> Result<()>,
    ) -> Result<()> {
        let lengths: Vec<usize> = tokens.iter().map(Tokens::len).collect();
        let (order, batches) = by_length(&lengths, self.token_budget, self.max_length);
        for batch in batches {
            let items = &order[batch.rows];
            let rows: Vec<&Tokens> = items.iter().map(|&item| &tokens[item]).collect();
            done(items, self.model.run(&rows, batch.tokens)?)?;
            let truncated = rows.iter().filter(|row| row.truncated).count();
            self.rows.fetch_add(items.len() as u64, Ordering::Relaxed);
            self.truncated
                .fetch_add(truncated as u64, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Rows done so far.
    pub fn rows(&self) -> u64 {
        self.rows.load(Ordering::Relaxed)
    }

    /// Rows among them that were longer than the maximum and therefore cut.
    pub fn truncated(&self) -> u64 {
        self.truncated.load(Ordering::Relaxed)
    }
}
