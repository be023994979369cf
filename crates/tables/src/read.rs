use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::{Schema, SchemaRef};
use datafusion::catalog::TableProvider;
use datafusion::logical_expr::Expr;
use datafusion::prelude::{DataFrame, SessionContext, ident};
use futures::StreamExt;

use crate::check::RowCheck;
use crate::checked::Checked;
use crate::columns::{Column, ColumnNames, expression, resolve};
use crate::convert::Kind;
use crate::listing::{FileColumns, columns_of, listing, parquet_footers};
use crate::source::{DataFile, Source};
use crate::spool::SpoolWriter;
use crate::stdin::{stdin_batches, stdin_reader};
use crate::{Format, Result, Table, TableError, trec};

/// Opens an input as a table of the contract: a path, folder or glob in any supported format, or
/// `-` for an Arrow IPC stream on standard input.
///
/// The plan returned has exactly the columns of `table`, with its types and without nulls (a null
/// `title` reads as empty). `extra` columns of the input are added behind them as text, with their
/// nulls. Columns are found by their names in each file, whatever their order. The input is read to
/// its end and checked before this returns, unless its types and statistics prove it sound, so that
/// a long stage does not fail at its end.
///
/// # Errors
/// If the input is missing, unreadable, malformed or empty, or lacks a column, has one of the
/// wrong type, or a null.
pub async fn open(
    session: &SessionContext,
    input: &str,
    table: Table,
    names: &ColumnNames,
    extra: &[&str],
) -> Result<DataFrame> {
    let wanted = Wanted {
        input,
        table,
        names,
        extra,
    };
    if input == "-" {
        return wanted.spool_stdin(session);
    }
    let source = Source::resolve(input)?;
    if source.format == Format::Trec {
        return open_trec(session, source, input, table);
    }
    let metadata = parquet_footers(&source)?;
    let mut files = Vec::with_capacity(source.files.len());
    for file in &source.files {
        files.push(columns_of(session, file).await?);
    }
    let Some(plan) = wanted.plan(&source, &files)? else {
        return wanted.spool_files(session, &source, &files).await;
    };
    let provider = listing(&source, plan.schema.clone())?;
    let frame = session.read_table(Arc::new(provider))?;
    let schemas = files.iter().map(FileColumns::schema);
    let check = RowCheck {
        files: metadata.into_iter().zip(schemas).collect(),
    };
    check
        .run(session, &frame, input, table, &plan.columns)
        .await?;
    Ok(frame.select(plan.columns.iter().map(expression).collect::<Vec<_>>())?)
}

fn open_trec(
    session: &SessionContext,
    source: Source,
    input: &str,
    table: Table,
) -> Result<DataFrame> {
    if !matches!(table, Table::Run | Table::Qrels) {
        return Err(TableError::NotOfTrec {
            path: input.to_owned(),
            table: table.name(),
        });
    }
    Ok(session.read_table(trec::table_of(source.files, table, input)?)?)
}

/// What is asked of an input.
struct Wanted<'a> {
    input: &'a str,
    table: Table,
    names: &'a ColumnNames,
    extra: &'a [&'a str],
}

/// How files can be read by DataFusion as they are.
struct Plan {
    columns: Vec<Column>,
    schema: SchemaRef,
}

impl Wanted<'_> {
    fn resolve(&self, path: &str, found: &[String]) -> Result<Vec<Column>> {
        resolve(path, self.table, self.names, self.extra, found)
    }

    /// Returns the path in messages: that of a file where there are several.
    fn path<'p>(&'p self, source: &Source, file: &'p DataFile) -> &'p str {
        match source.files.len() {
            1 => self.input,
            _ => &file.name,
        }
    }

    /// Returns a plan that needs no look at the values: all files have the columns under the same
    /// names and in the same types, which are near those of the contract.
    fn plan(&self, source: &Source, files: &[FileColumns]) -> Result<Option<Plan>> {
        let mut plan: Option<Plan> = None;
        let mut is_plain = !source.format.is_text();
        for (file, found) in source.files.iter().zip(files) {
            let columns =
                self.resolve(self.path(source, file), &found.names_with(&file.partition))?;
            is_plain &= file.partition.is_empty();
            let mut fields = Vec::new();
            for column in &columns {
                let Some(name) = column.source() else {
                    continue;
                };
                let kind = Kind::of(column);
                let field = found.field(name);
                let takes =
                    kind.takes(field.data_type())
                        .map_err(|expected| TableError::WrongType {
                            path: self.path(source, file).to_owned(),
                            column: name.to_owned(),
                            found: field.data_type().to_string(),
                            expected,
                        })?;
                is_plain &= takes;
                if !fields.contains(&field) {
                    fields.push(field);
                }
            }
            let schema = match source.format {
                // Its reader goes by position.
                Format::Arrow => found.schema(),
                _ => Arc::new(Schema::new(fields)),
            };
            match &plan {
                None => plan = Some(Plan { columns, schema }),
                Some(plan) => is_plain &= plan.columns == columns && plan.schema == schema,
            }
        }
        Ok(plan.filter(|_| is_plain))
    }

    /// Returns the schema of the rows once they are read.
    fn schema(&self, columns: &[Column]) -> SchemaRef {
        let fields = columns.iter().map(|column| column.field.clone());
        Arc::new(Schema::new(fields.collect::<Vec<_>>()))
    }

    /// Reads all files, one after the other, checks each value and keeps the rows.
    async fn spool_files(
        &self,
        session: &SessionContext,
        source: &Source,
        files: &[FileColumns],
    ) -> Result<DataFrame> {
        let mut resolved = Vec::with_capacity(files.len());
        for (file, found) in source.files.iter().zip(files) {
            let names = found.names_with(&file.partition);
            resolved.push(self.resolve(self.path(source, file), &names)?);
        }
        // Where one file has a column and another does not, it may be null.
        let mut first = resolved[0].clone();
        for columns in &resolved {
            for (column, other) in first.iter_mut().zip(columns) {
                let may_be_null = column.field.is_nullable() || other.field.is_nullable();
                column.field = column.field.clone().with_nullable(may_be_null);
            }
        }
        let mut spool = SpoolWriter::new(self.schema(&first));
        for ((file, found), columns) in source.files.iter().zip(files).zip(&resolved) {
            let path = self.path(source, file);
            let checked = Checked {
                path,
                columns,
                schema: self.schema(&first),
                empty_is_null: matches!(file.format, Format::Csv(_)),
            };
            match found {
                FileColumns::Text(text) => {
                    checked.refuse_numbers_for_text(found)?;
                    let own = checked.own_columns(found);
                    let at: Vec<usize> = own.iter().map(|name| found.position(name)).collect();
                    let mut rows = text.rows(&at, false)?;
                    while let Some(cells) = rows.next()? {
                        let place = |row: usize| format!("line {}", cells.lines[row]);
                        let batch =
                            checked.batch(file, &own, &cells.columns, cells.lines.len(), place)?;
                        spool.write(batch)?;
                    }
                }
                FileColumns::Typed(_) => {
                    let own = checked.own_columns(found);
                    let mut rows = one_file(session, file, found, &own).await?;
                    let mut before = 0;
                    while let Some(batch) = rows.next().await {
                        let batch = batch.map_err(|error| TableError::of_scan(path, error))?;
                        let place = |row: usize| {
                            format!(
                                "row {} (counted from 1, header not counted)",
                                before + row + 1
                            )
                        };
                        let rows = batch.num_rows();
                        let batch = checked.batch(file, &own, batch.columns(), rows, place)?;
                        before += rows;
                        spool.write(batch)?;
                    }
                }
            }
        }
        self.finish(session, spool)
    }

    fn spool_stdin(&self, session: &SessionContext) -> Result<DataFrame> {
        let reader = stdin_reader(self.input)?;
        let found = FileColumns::Typed(reader.schema());
        let columns = self.resolve(self.input, &found.names())?;
        let checked = Checked {
            path: self.input,
            columns: &columns,
            schema: self.schema(&columns),
            empty_is_null: false,
        };
        for column in &columns {
            if let Some(name) = column.source() {
                let field = found.field(name);
                let takes = Kind::of(column).takes(field.data_type());
                takes.map_err(|expected| TableError::WrongType {
                    path: self.input.to_owned(),
                    column: name.to_owned(),
                    found: field.data_type().to_string(),
                    expected,
                })?;
            }
        }
        let own: Vec<&str> = columns.iter().filter_map(Column::source).collect();
        let at: Vec<usize> = own.iter().map(|name| found.position(name)).collect();
        let mut spool = SpoolWriter::new(checked.schema.clone());
        let mut before = 0;
        for batch in stdin_batches(reader, self.input) {
            let batch = batch?;
            let values: Vec<ArrayRef> = at.iter().map(|&at| batch.column(at).clone()).collect();
            let place = |row: usize| {
                format!(
                    "row {} (counted from 1, header not counted)",
                    before + row + 1
                )
            };
            let rows = batch.num_rows();
            spool.write(checked.typed_batch(&own, &values, rows, place, |_| None)?)?;
            before += rows;
        }
        self.finish(session, spool)
    }

    fn finish(&self, session: &SessionContext, spool: SpoolWriter) -> Result<DataFrame> {
        if spool.rows() == 0 {
            return Err(TableError::Empty {
                path: self.input.to_owned(),
                table: self.table.name(),
            });
        }
        Ok(session.read_table(spool.finish()?)?)
    }
}

/// Returns the rows of one file, in order, of the columns with these names.
async fn one_file(
    session: &SessionContext,
    file: &DataFile,
    found: &FileColumns,
    columns: &[&str],
) -> Result<datafusion::execution::SendableRecordBatchStream> {
    let source = Source {
        files: vec![file.clone()],
        format: file.format,
    };
    let provider: Arc<dyn TableProvider> = Arc::new(listing(&source, found.schema())?);
    let one_partition = session.copied_config().with_target_partitions(1);
    let in_order = SessionContext::new_with_config_rt(one_partition, session.runtime_env());
    let columns: Vec<Expr> = columns.iter().map(|name| ident(*name)).collect();
    let frame = in_order.read_table(provider)?.select(columns)?;
    let stream = frame.execute_stream().await;
    stream.map_err(|error| TableError::of_scan(&file.name, error))
}
