use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::array::Array;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::catalog::TableProvider;
use datafusion::common::ScalarValue;
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::file_format::arrow::ArrowFormat;
use datafusion::datasource::file_format::csv::CsvFormat;
use datafusion::datasource::file_format::json::JsonFormat;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::{
    ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl,
};
use datafusion::error::DataFusionError;
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::logical_expr::{Cast, Expr, lit};
use datafusion::prelude::{DataFrame, SessionConfig, SessionContext, coalesce, ident};
use futures::StreamExt;
use parquet::arrow::arrow_reader::statistics::StatisticsConverter;
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};
use serde::Serialize;

use crate::source::{Format, Source};
use crate::stdin::{stdin_reader, stdin_table};
use crate::{Result, Table, TableError, trec};

/// Rows a plan hands on at a time.
const BATCH_ROWS: usize = 4_096;
/// Bytes that sorts and joins may hold before they spill to disk.
const MEMORY_LIMIT: usize = 2 << 30;

/// Columns that the files of BEIR call otherwise.
const BEIR_NAMES: [(&str, &str); 3] = [
    ("id", "_id"),
    ("query_id", "query-id"),
    ("corpus_id", "corpus-id"),
];

/// A DataFusion session as every stage wants it: plain strings rather than views, bounded memory
/// with spilling, `threads` partitions.
///
/// # Errors
/// If the runtime cannot be set up (no temporary folder).
pub fn session(threads: usize) -> Result<SessionContext> {
    let temporary = std::env::temp_dir();
    if !temporary.is_dir() {
        return Err(TableError::NoTemporaryFolder { path: temporary });
    }
    let mut config = SessionConfig::new()
        .with_target_partitions(threads.max(1))
        .with_batch_size(BATCH_ROWS)
        .with_collect_statistics(false);
    config
        .options_mut()
        .execution
        .parquet
        .schema_force_view_types = false;
    config.options_mut().sql_parser.map_string_types_to_utf8view = false;
    let runtime = RuntimeEnvBuilder::new()
        .with_memory_pool(Arc::new(FairSpillPool::new(MEMORY_LIMIT)))
        .build_arc()?;
    Ok(SessionContext::new_with_config_rt(config, runtime))
}

/// Which column of the input stands for which column of the contract.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ColumnNames {
    named: BTreeMap<String, String>,
    optional: Vec<String>,
}

impl ColumnNames {
    /// Contract column → name in the input, for the columns that the user named.
    pub fn new<'a>(names: impl IntoIterator<Item = (&'a str, Option<&'a str>)>) -> Self {
        Self {
            named: names
                .into_iter()
                .filter_map(|(column, name)| Some((column.to_owned(), name?.to_owned())))
                .collect(),
            optional: Vec::new(),
        }
    }

    /// Lets an input do without this column, unless the user named one for it: it then reads as
    /// null in every row. A null in a column that is there stays an error.
    pub fn with_optional(mut self, column: impl Into<String>) -> Self {
        self.optional.push(column.into());
        self
    }

    /// The column that stands for this one: the one that the user named, or that of its own name,
    /// or that of BEIR's name for it.
    fn in_input<'a>(&'a self, column: &'a str, schema: &Schema) -> &'a str {
        if let Some(named) = self.named.get(column) {
            return named;
        }
        let has = |name: &str| schema.field_with_name(name).is_ok();
        let beir = BEIR_NAMES.iter().find(|(ours, _)| *ours == column);
        match beir {
            Some((_, theirs)) if !has(column) && has(theirs) => theirs,
            _ => column,
        }
    }

    fn may_be_absent(&self, column: &str) -> bool {
        self.optional.iter().any(|name| name == column) && !self.named.contains_key(column)
    }
}

/// Opens an input as a table of the contract: a path, folder or glob in any supported format, or
/// `-` for an Arrow IPC stream on standard input.
///
/// The plan returned has exactly the columns of `table`, with its types and without nulls (a null
/// `title` reads as empty). `extra` columns of the input are added behind them as text. The input
/// is checked before this returns, so that a long stage does not fail at its end; what comes from
/// standard input is checked while it is read.
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
    let mut wanted: Vec<Field> = table
        .schema()
        .fields()
        .iter()
        .map(|field| field.as_ref().clone())
        .collect();
    wanted.extend(
        extra
            .iter()
            .map(|name| Field::new(*name, DataType::Utf8, false)),
    );

    let resolve = |schema: &Schema| {
        wanted
            .iter()
            .map(|field| resolve_column(input, table, names, field, schema))
            .collect::<Result<Vec<_>>>()
    };
    let (frame, columns) = if input == "-" {
        let reader = stdin_reader(input)?;
        let columns = resolve(&reader.schema())?;
        let required = columns.iter().filter(|column| column.must_not_be_null());
        let required = required.map(|column| column.source.clone()).collect();
        let provider = stdin_table(reader, input, Some(table), required)?;
        (session.read_table(provider)?, columns)
    } else {
        let source = Source::resolve(input)?;
        if source.format == Format::Trec {
            return open_trec(session, source, input, table);
        }
        let metadata = parquet_footers(&source)?;
        let provider = listing(session, &source, input).await?;
        let schema = provider.schema();
        let columns = resolve(&schema)?;
        let frame = session.read_table(Arc::new(provider))?;
        RowCheck { metadata }
            .run(session, &frame, input, table, &columns, &schema)
            .await?;
        (frame, columns)
    };
    let projection = columns
        .iter()
        .map(|column| column.expression())
        .collect::<Vec<_>>();
    Ok(frame.select(projection)?)
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

/// A column of the contract with the column of the input that stands for it.
struct Column {
    field: Field,
    source: String,
    /// An optional column that the input does not have.
    absent: bool,
}

impl Column {
    fn expression(&self) -> Expr {
        if self.absent {
            return cast(lit(ScalarValue::Null), self.field.data_type()).alias(self.field.name());
        }
        let value = ident(&self.source);
        let value = if self.field.data_type() == &DataType::Utf8 && self.may_be_empty() {
            coalesce(vec![cast(value, &DataType::Utf8), lit("")])
        } else {
            cast(value, self.field.data_type())
        };
        value.alias(self.field.name())
    }

    fn may_be_empty(&self) -> bool {
        self.field.name() == "title"
    }

    fn must_not_be_null(&self) -> bool {
        !self.field.is_nullable() && !self.may_be_empty() && !self.absent
    }
}

fn cast(value: Expr, kind: &DataType) -> Expr {
    Expr::Cast(Cast::new(Box::new(value), kind.clone()))
}

fn resolve_column(
    input: &str,
    table: Table,
    names: &ColumnNames,
    field: &Field,
    schema: &Schema,
) -> Result<Column> {
    let source = names.in_input(field.name(), schema).to_owned();
    let Ok(found) = schema.field_with_name(&source) else {
        if names.may_be_absent(field.name()) || table.may_lack(field.name()) {
            return Ok(Column {
                field: field.clone(),
                source,
                absent: true,
            });
        }
        let columns: Vec<_> = schema.fields().iter().map(|f| f.name().as_str()).collect();
        return Err(TableError::MissingColumn {
            path: input.to_owned(),
            table: table.name(),
            column: source,
            found: if columns.is_empty() {
                "none".to_owned()
            } else {
                columns.join(", ")
            },
            hint: match table {
                // An extra column was named by its own flag.
                _ if table.schema().field_with_name(field.name()).is_err() => String::new(),
                Table::Tickets | Table::Qa | Table::Corpus => {
                    let flag = field.name().replace('_', "-");
                    format!("; name another one with --{flag}-column")
                }
                _ => String::new(),
            },
        });
    };
    let kind = match found.data_type() {
        DataType::Dictionary(_, value) => value.as_ref(),
        other => other,
    };
    let is_text = matches!(
        kind,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View
    );
    let is_id = field.name() == "id" || field.name().ends_with("_id");
    let (fits, expected) = match field.data_type() {
        DataType::Utf8 if is_id => (is_text || kind.is_integer(), "text or an integer"),
        DataType::Utf8 if field.name() == "category" => {
            (is_text || kind.is_integer(), "text or an integer")
        }
        DataType::Utf8 => (is_text, "text"),
        DataType::Int32 => (is_text || kind.is_integer(), "an integer"),
        _ => (is_text || kind.is_numeric(), "a number"),
    };
    // JSON Lines tell no type of a column that is null throughout.
    let all_null = field.is_nullable() && kind.is_null();
    if !fits && !all_null {
        return Err(TableError::WrongType {
            path: input.to_owned(),
            column: source,
            found: kind.to_string(),
            expected,
        });
    }
    Ok(Column {
        field: field.clone(),
        source,
        absent: false,
    })
}

pub(crate) async fn listing(
    session: &SessionContext,
    source: &Source,
    input: &str,
) -> Result<ListingTable> {
    let format: Arc<dyn FileFormat> = match source.format {
        // The session's word for plain strings does not reach a format made here.
        Format::Parquet => Arc::new(ParquetFormat::default().with_force_view_types(false)),
        Format::Arrow => Arc::new(ArrowFormat),
        Format::Csv(delimiter) => Arc::new(
            CsvFormat::default()
                .with_has_header(true)
                .with_delimiter(delimiter)
                .with_newlines_in_values(true)
                .with_file_compression_type(source.compression),
        ),
        Format::JsonLines => Arc::new(
            JsonFormat::default()
                .with_schema_infer_max_rec(usize::MAX)
                .with_file_compression_type(source.compression),
        ),
        Format::Trec => {
            return Err(TableError::NotOfTrec {
                path: input.to_owned(),
                table: "columnar",
            });
        }
    };
    let options = ListingOptions::new(format).with_file_extension("");
    let urls = source
        .files
        .iter()
        .map(|file| file_url(file, input))
        .collect::<Result<Vec<_>>>()?;
    let malformed = |error: DataFusionError| TableError::Malformed {
        path: input.to_owned(),
        format: source.format.name(),
        detail: error.strip_backtrace(),
    };
    let state = session.state();
    let mut schemas = Vec::with_capacity(urls.len());
    for url in &urls {
        let schema = options.infer_schema(&state, url).await.map_err(malformed)?;
        schemas.push(schema.as_ref().clone());
    }
    let mut schema =
        Schema::try_merge(schemas).map_err(|error| malformed(DataFusionError::from(error)))?;
    if matches!(source.format, Format::Csv(_)) {
        // Inference would turn the id `007` into the number 7.
        let fields = schema.fields().iter();
        schema = Schema::new(
            fields
                .map(|field| Field::new(field.name(), DataType::Utf8, true))
                .collect::<Vec<_>>(),
        );
    }
    let config = ListingTableConfig::new_with_multi_paths(urls)
        .with_listing_options(options)
        .with_schema(Arc::new(schema));
    Ok(ListingTable::try_new(config)?)
}

fn file_url(file: &Path, input: &str) -> Result<ListingTableUrl> {
    let not_found = || TableError::NotFound {
        path: input.to_owned(),
    };
    let absolute = std::path::absolute(file).map_err(|_| not_found())?;
    let url = url::Url::from_file_path(absolute).map_err(|()| not_found())?;
    Ok(ListingTableUrl::parse(url)?)
}

/// Reads the footer of each Parquet file, which finds truncated files before any work is done.
pub(crate) fn parquet_footers(source: &Source) -> Result<Vec<ParquetMetaData>> {
    if source.format != Format::Parquet {
        return Ok(Vec::new());
    }
    source
        .files
        .iter()
        .map(|path| {
            let name = path.display().to_string();
            let file = File::open(path).map_err(|source| TableError::Unreadable {
                path: name.clone(),
                source,
            })?;
            ParquetMetaDataReader::new()
                .parse_and_finish(&file)
                .map_err(|error| TableError::Malformed {
                    path: name,
                    format: Format::Parquet.name(),
                    detail: error.to_string(),
                })
        })
        .collect()
}

/// Proves that an input has rows and no nulls: from Parquet statistics where they say so, else by
/// one pass over the columns.
struct RowCheck {
    metadata: Vec<ParquetMetaData>,
}

impl RowCheck {
    async fn run(
        &self,
        session: &SessionContext,
        frame: &DataFrame,
        input: &str,
        table: Table,
        columns: &[Column],
        schema: &SchemaRef,
    ) -> Result<()> {
        let suspects: Vec<&Column> = columns
            .iter()
            .filter(|column| column.must_not_be_null())
            .filter(|column| !self.proven_without_nulls(&column.source, schema))
            .collect();
        let known_rows: i64 = self
            .metadata
            .iter()
            .map(|file| file.file_metadata().num_rows())
            .sum();
        let rows = if suspects.is_empty() && !self.metadata.is_empty() {
            known_rows as u64
        } else {
            scan_for_nulls(session, frame, input, columns, &suspects).await?
        };
        if rows == 0 {
            return Err(TableError::Empty {
                path: input.to_owned(),
                table: table.name(),
            });
        }
        Ok(())
    }

    fn proven_without_nulls(&self, column: &str, schema: &SchemaRef) -> bool {
        !self.metadata.is_empty()
            && self.metadata.iter().all(|file| {
                let descriptor = file.file_metadata().schema_descr();
                let Ok(converter) = StatisticsConverter::try_new(column, schema, descriptor) else {
                    return false;
                };
                converter
                    .with_missing_null_counts_as_zero(false)
                    .row_group_null_counts(file.row_groups())
                    .is_ok_and(|counts| {
                        counts.null_count() == 0 && counts.values().iter().all(|&n| n == 0)
                    })
            })
    }
}

/// Counts the rows and reports the first null, in file order.
async fn scan_for_nulls(
    session: &SessionContext,
    frame: &DataFrame,
    input: &str,
    columns: &[Column],
    suspects: &[&Column],
) -> Result<u64> {
    let scan_error = |error| TableError::of_scan(input, error);
    let one_partition = session.copied_config().with_target_partitions(1);
    let in_order = SessionContext::new_with_config_rt(one_partition, session.runtime_env());
    let plan = frame.clone().into_parts().1;
    let mut stream = in_order
        .execute_logical_plan(plan)
        .await?
        .select(columns.iter().map(Column::expression).collect::<Vec<_>>())?
        .execute_stream()
        .await
        .map_err(scan_error)?;
    let mut rows = 0u64;
    while let Some(batch) = stream.next().await {
        let batch = batch.map_err(scan_error)?;
        for column in suspects {
            let array = batch
                .column_by_name(column.field.name())
                .expect("the plan selects it");
            if let Some(at) = (0..array.len()).find(|&row| array.is_null(row)) {
                return Err(TableError::Null {
                    path: input.to_owned(),
                    column: column.source.clone(),
                    row: rows + at as u64 + 1,
                });
            }
        }
        rows += batch.num_rows() as u64;
    }
    Ok(rows)
}
