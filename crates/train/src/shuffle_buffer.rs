use std::ops::Range;

use arrow::array::RecordBatch;
use datafusion::prelude::{DataFrame, SessionContext};
use pairmill_schema::{counted, draw::seeded};
use pairmill_tables::{TableError, row_count, session};
use rand::seq::SliceRandom;
use tokio::runtime::Handle;

use crate::error::Result;

/// Which rows of each training table are in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ShuffleBuffer {
    /// All.
    Whole,
    /// One of `of` parts of equal size, from 0 on.
    Part { number: usize, of: usize },
}

impl ShuffleBuffer {
    /// Returns the rows of a table that are in the buffer. A table is read in the order of its
    /// rows, for which the session must have one partition.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn read(self, frame: DataFrame) -> Result<Rows, TableError> {
        let Self::Part { number, of } = self else {
            let batches = frame.collect().await?;
            return Ok(Rows { before: 0, batches });
        };
        let rows = frame.clone().count().await?;
        let bounds = bounds(rows, number, of);
        let part = frame.limit(bounds.start, Some(bounds.len()))?;
        let batches = part.collect().await?;
        let before = bounds.start;
        Ok(Rows { before, batches })
    }

    pub fn is_whole(self) -> bool {
        self == Self::Whole
    }

    /// Returns whether it holds the first row, so that what is said of a table is said once an
    /// epoch.
    pub fn is_first(self) -> bool {
        matches!(self, Self::Whole | Self::Part { number: 0, .. })
    }
}

/// Rows of a table that follow each other.
pub(crate) struct Rows {
    /// Rows of the table before them.
    before: usize,
    batches: Vec<RecordBatch>,
}

impl Rows {
    /// Returns the batches, each with the number of its first row in the table, counted from 1.
    pub fn numbered(&self) -> impl Iterator<Item = (usize, &RecordBatch)> {
        let mut next = self.before + 1;
        self.batches.iter().map(move |batch| {
            let first = next;
            next += batch.num_rows();
            (first, batch)
        })
    }
}

/// Tables that are read in parts, each shuffled for itself: what is in memory at a time is one
/// part, and an epoch goes through the parts in an order of its own.
pub(crate) struct Parts {
    /// One partition, so that the rows of a table have an order.
    session: SessionContext,
    runtime: Handle,
    /// Rows of each table.
    rows: Vec<usize>,
    number: usize,
    seed: u64,
}

impl Parts {
    /// Counts the rows of tables and shares them out into parts of about `size` in all.
    ///
    /// # Errors
    /// If a table cannot be read.
    pub async fn new(files: &[&str], size: usize, seed: u64) -> Result<Self> {
        let session = session(1)?;
        let mut rows = Vec::new();
        for file in files {
            rows.push(row_count(&session, file).await?);
        }
        let all: usize = rows.iter().sum();
        let number = all.div_ceil(size).max(1);
        tracing::info!(
            "reading {} in {}",
            counted(all, "row", "rows"),
            counted(number, "part", "parts")
        );
        Ok(Self {
            session,
            runtime: Handle::current(),
            rows,
            number,
            seed,
        })
    }

    pub fn rows(&self) -> usize {
        self.rows.iter().sum()
    }

    pub fn number(&self) -> usize {
        self.number
    }

    /// Returns about how many steps an epoch has: rows that clash may make a batch more.
    pub fn steps(&self, batch_size: usize, batches_of_step: usize) -> usize {
        let steps = |part: usize| {
            let rows = self.rows.iter();
            let rows = rows.map(|&rows| bounds(rows, part, self.number).len());
            let batches: usize = rows.map(|rows| rows.div_ceil(batch_size)).sum();
            batches.div_ceil(batches_of_step)
        };
        (0..self.number).map(steps).sum()
    }

    /// Has `read` bring the rows of an epoch's part into memory.
    ///
    /// # Errors
    /// Those of `read`.
    pub fn read<T>(
        &self,
        epoch: u32,
        part: usize,
        read: impl AsyncFnOnce(&SessionContext, ShuffleBuffer) -> Result<T>,
    ) -> Result<T> {
        let mut order: Vec<usize> = (0..self.number).collect();
        order.shuffle(&mut seeded(self.seed, u64::from(epoch)));
        let (number, of) = (order[part], self.number);
        let buffer = ShuffleBuffer::Part { number, of };
        self.runtime.block_on(read(&self.session, buffer))
    }
}

/// Returns the rows of one of `of` parts.
fn bounds(rows: usize, part: usize, of: usize) -> Range<usize> {
    rows * part / of..rows * (part + 1) / of
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_hold_every_row_once() {
        for rows in [0, 1, 7, 100] {
            let parts = (0..3).map(|part| bounds(rows, part, 3));
            assert!(parts.flatten().eq(0..rows), "{rows}");
        }
    }
}
