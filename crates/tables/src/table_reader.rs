use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use datafusion::dataframe::DataFrame;
use datafusion::prelude::{SessionContext, ident};
use futures::StreamExt;

use crate::{ColumnNames, Qrels, Result, Table, TableError, Threads, open, open_any, session};

/// Reads tables in the order of their rows, for programs that wait for them on [`Threads`].
pub struct TableReader {
    threads: Threads,
    session: SessionContext,
}

impl TableReader {
    /// Starts to read.
    ///
    /// # Errors
    /// If no [`Threads`] can be had.
    pub fn new(threads: usize) -> Result<Self> {
        Ok(Self {
            threads: Threads::new(threads)?,
            // One partition keeps the order, so that figures never depend on the thread count.
            session: session(1)?,
        })
    }

    /// Reads judgements.
    ///
    /// # Errors
    /// As [`Qrels::read`].
    pub fn qrels(&self, input: &str) -> Result<Qrels> {
        self.threads.block_on(Qrels::read(&self.session, input))
    }

    /// Calls `each` with one batch after the other of the wanted columns; those that are not of
    /// the table are read as text.
    ///
    /// # Errors
    /// If the input is not such a table, or `each` fails.
    pub fn for_each<E: From<TableError>>(
        &self,
        input: &str,
        table: Table,
        names: &ColumnNames,
        columns: &[&str],
        each: impl FnMut(&RecordBatch) -> Result<(), E>,
    ) -> Result<(), E> {
        self.for_each_by(None, input, table, names, columns, each)
    }

    /// Opens a table to go through its rows more than once, also those of a stream. The wanted
    /// columns are as in [`for_each`](Self::for_each).
    ///
    /// # Errors
    /// If the input is not such a table.
    pub fn open(
        &self,
        input: &str,
        table: Table,
        names: &ColumnNames,
        columns: &[&str],
    ) -> Result<OpenTable<'_>> {
        let frame = self.threads.block_on(async {
            let frame = open(&self.session, input, table, names, &[]).await?;
            let selected = frame.select_columns(columns);
            selected.map_err(|error| TableError::of_scan(input, error))
        });
        Ok(OpenTable {
            reader: self,
            input: input.to_owned(),
            frame: frame?,
        })
    }

    /// Does as [`for_each`](Self::for_each), sorted by the column `order` where there is one.
    ///
    /// # Errors
    /// If the input is not such a table, or `each` fails.
    pub fn for_each_by<E: From<TableError>>(
        &self,
        order: Option<&str>,
        input: &str,
        table: Table,
        names: &ColumnNames,
        columns: &[&str],
        each: impl FnMut(&RecordBatch) -> Result<(), E>,
    ) -> Result<(), E> {
        let scan_error = |error| TableError::of_scan(input, error);
        let schema = table.schema();
        let is_extra = |name: &&&str| schema.field_with_name(name).is_err();
        let extra: Vec<&str> = columns.iter().filter(is_extra).copied().collect();
        self.threads.block_on(async {
            let frame = open(&self.session, input, table, names, &extra).await?;
            let mut frame = frame.select_columns(columns).map_err(scan_error)?;
            if let Some(order) = order {
                let sorted = frame.sort(vec![ident(order).sort(true, false)]);
                frame = sorted.map_err(scan_error)?;
            }
            each_batch(input, frame, each).await
        })
    }

    /// Does as [`for_each`](Self::for_each), with all columns that the input has.
    ///
    /// # Errors
    /// If the input cannot be read, or `each` fails.
    pub fn for_each_of_any<E: From<TableError>>(
        &self,
        input: &str,
        each: impl FnMut(&RecordBatch) -> Result<(), E>,
    ) -> Result<(), E> {
        self.threads.block_on(async {
            let frame = open_any(&self.session, input).await?;
            each_batch(input, frame, each).await
        })
    }

    /// Begins with what the input's columns are, then takes in one batch of all of them after the
    /// other.
    ///
    /// # Errors
    /// If the input cannot be read, or `begin` or `each` fails.
    pub fn fold_any<T, E: From<TableError>>(
        &self,
        input: &str,
        begin: impl FnOnce(&Schema) -> Result<T, E>,
        mut each: impl FnMut(&mut T, &RecordBatch) -> Result<(), E>,
    ) -> Result<T, E> {
        self.threads.block_on(async {
            let frame = open_any(&self.session, input).await?;
            let mut state = begin(frame.schema().as_arrow())?;
            each_batch(input, frame, |batch| each(&mut state, batch)).await?;
            Ok(state)
        })
    }
}

/// A table that is open.
pub struct OpenTable<'a> {
    reader: &'a TableReader,
    input: String,
    frame: DataFrame,
}

impl OpenTable<'_> {
    /// Calls `each` with one batch after the other, in the order of the rows.
    ///
    /// # Errors
    /// If the input cannot be read any more, or `each` fails.
    pub fn for_each<E: From<TableError>>(
        &self,
        each: impl FnMut(&RecordBatch) -> Result<(), E>,
    ) -> Result<(), E> {
        let frame = self.frame.clone();
        let threads = &self.reader.threads;
        threads.block_on(each_batch(&self.input, frame, each))
    }
}

async fn each_batch<E: From<TableError>>(
    input: &str,
    frame: DataFrame,
    mut each: impl FnMut(&RecordBatch) -> Result<(), E>,
) -> Result<(), E> {
    let scan_error = |error| TableError::of_scan(input, error);
    let mut stream = frame.execute_stream().await.map_err(scan_error)?;
    while let Some(batch) = stream.next().await {
        each(&batch.map_err(scan_error)?)?;
    }
    Ok(())
}
