use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::catalog::TableProvider;
use datafusion::logical_expr::Expr;
use datafusion::prelude::{DataFrame, SessionContext, ident};
use futures::StreamExt;

use crate::check::RowCheck;
use crate::checked::Checked;
use crate::columns::{Column, ColumnNames, expression, resolve};
use crate::intake::{Intake, Taken};
use crate::kind::Kind;
use crate::listing::{FileColumns, columns_of, listing, parquet_footers};
use crate::part::Part;
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
    let (frame, _) = open_with(session, input, table, names, extra, Intake::default()).await?;
    Ok(frame)
}

/// Opens an input as [`open`] does, of which rows are left out or texts changed on the way, and
/// says what became of them. A row that is left out may be unsound.
///
/// # Errors
/// As [`open`]; if the filter is no condition on these columns, cannot be told of a row, or leaves
/// none.
pub async fn open_with(
    session: &SessionContext,
    input: &str,
    table: Table,
    names: &ColumnNames,
    extra: &[&str],
    intake: Intake<'_>,
) -> Result<(DataFrame, Taken)> {
    let wanted = Wanted {
        input,
        table,
        names,
        extra,
        intake,
    };
    if input == "-" {
        return wanted.spool_stdin(session);
    }
    let source = Source::resolve(input)?;
    if source.format == Format::Trec {
        if let Some(filter) = intake.filter {
            return Err(filter.refused(input));
        }
        return Ok((open_trec(session, source, input, table)?, Taken::default()));
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
    let columns: Vec<Expr> = plan.columns.iter().map(expression).collect();
    Ok((frame.select(columns)?, Taken::default()))
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
    intake: Intake<'a>,
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
            is_plain &= self.intake.is_plain();
            let path = self.path(source, file);
            is_plain &= refuse_types(path, &columns, found)?;
            let mut fields: Vec<Field> = Vec::new();
            for name in columns.iter().filter_map(Column::source) {
                let field = found.field(name);
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
    ) -> Result<(DataFrame, Taken)> {
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
        let mut taken = Taken::default();
        for ((file, found), columns) in source.files.iter().zip(files).zip(&resolved) {
            let path = self.path(source, file);
            let checked = Checked {
                path,
                columns,
                schema: self.schema(&first),
                empty_is_null: matches!(file.format, Format::Csv(_)),
                intake: self.intake,
            };
            let part = Part::new(checked, Some(file), found, self.intake)?;
            match found {
                FileColumns::Text(text) => {
                    let mut rows = text.rows(&part.positions(found), false)?;
                    while let Some(cells) = rows.next()? {
                        let place = |row: usize| format!("line {}", cells.lines[row]);
                        let rows = cells.lines.len();
                        spool.write(part.batch(&cells.columns, rows, place, &mut taken)?)?;
                    }
                }
                FileColumns::Typed(_) => {
                    let mut rows = one_file(session, file, found, &part.own).await?;
                    let mut before = 0;
                    while let Some(batch) = rows.next().await {
                        let batch = batch.map_err(|error| TableError::of_scan(path, error))?;
                        let (values, rows) = (batch.columns(), batch.num_rows());
                        spool.write(part.batch(values, rows, in_order(before), &mut taken)?)?;
                        before += rows;
                    }
                }
            }
        }
        self.finish(session, spool, taken)
    }

    fn spool_stdin(&self, session: &SessionContext) -> Result<(DataFrame, Taken)> {
        let reader = stdin_reader(self.input)?;
        let found = FileColumns::Typed(reader.schema());
        let columns = self.resolve(self.input, &found.names())?;
        refuse_types(self.input, &columns, &found)?;
        let checked = Checked {
            path: self.input,
            columns: &columns,
            schema: self.schema(&columns),
            empty_is_null: false,
            intake: self.intake,
        };
        let part = Part::new(checked, None, &found, self.intake)?;
        let at = part.positions(&found);
        let mut spool = SpoolWriter::new(self.schema(&columns));
        let mut taken = Taken::default();
        let mut before = 0;
        for batch in stdin_batches(reader, self.input) {
            let batch = batch?;
            let values: Vec<ArrayRef> = at.iter().map(|&at| batch.column(at).clone()).collect();
            let rows = batch.num_rows();
            spool.write(part.batch(&values, rows, in_order(before), &mut taken)?)?;
            before += rows;
        }
        self.finish(session, spool, taken)
    }

    fn finish(
        &self,
        session: &SessionContext,
        spool: SpoolWriter,
        taken: Taken,
    ) -> Result<(DataFrame, Taken)> {
        taken.say(self.input, spool.rows(), self.intake.filter)?;
        if spool.rows() == 0 {
            return Err(TableError::Empty {
                path: self.input.to_owned(),
                table: self.table.name(),
            });
        }
        Ok((session.read_table(spool.finish()?)?, taken))
    }
}

/// Returns whether a plan may cast all columns without a look at their values; refuses those of
/// which no value will do.
fn refuse_types(path: &str, columns: &[Column], found: &FileColumns) -> Result<bool> {
    let mut is_plain = true;
    for column in columns {
        is_plain &= column.sources().len() < 2;
        for name in column.sources() {
            let field = found.field(name);
            let takes = Kind::of(column).takes(field.data_type());
            is_plain &= takes.map_err(|expected| TableError::WrongType {
                path: path.to_owned(),
                column: name.clone(),
                found: field.data_type().to_string(),
                expected,
            })?;
        }
    }
    Ok(is_plain)
}

/// Returns the name of a row in messages, `before` rows having been read.
fn in_order(before: usize) -> impl Fn(usize) -> String {
    move |row| {
        let row = before + row + 1;
        format!("row {row} (counted from 1, header not counted)")
    }
}

/// Returns the rows of one file, in order, of the columns with these names.
async fn one_file(
    session: &SessionContext,
    file: &DataFile,
    found: &FileColumns,
    columns: &[String],
) -> Result<datafusion::execution::SendableRecordBatchStream> {
    let source = Source {
        files: vec![file.clone()],
        format: file.format,
    };
    let provider: Arc<dyn TableProvider> = Arc::new(listing(&source, found.schema())?);
    let one_partition = session.copied_config().with_target_partitions(1);
    let in_order = SessionContext::new_with_config_rt(one_partition, session.runtime_env());
    let columns: Vec<Expr> = columns.iter().map(ident).collect();
    let frame = in_order.read_table(provider)?.select(columns)?;
    let stream = frame.execute_stream().await;
    stream.map_err(|error| TableError::of_scan(&file.name, error))
}
