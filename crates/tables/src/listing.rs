use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::file_format::arrow::ArrowFormat;
use datafusion::datasource::file_format::json::JsonFormat;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::{
    ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl,
};
use datafusion::prelude::SessionContext;
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};

use crate::source::{DataFile, Source};
use crate::text::TextFile;
use crate::{Format, Result, TableError};

/// The columns of a file.
pub(crate) enum FileColumns {
    /// Those of a text file, which have no types.
    Text(Arc<TextFile>),
    /// Those of a file that says its types, and those that stand in its path.
    Typed(SchemaRef),
}

/// Returns the columns of a file and of its path.
pub(crate) async fn columns_of(session: &SessionContext, file: &DataFile) -> Result<FileColumns> {
    if file.format.is_text() {
        return Ok(FileColumns::Text(TextFile::look_through(file)?));
    }
    Ok(FileColumns::Typed(inferred(session, file).await?))
}

impl FileColumns {
    /// Returns the names of the columns in the file.
    pub fn names(&self) -> Vec<String> {
        match self {
            Self::Text(text) => text.columns().to_vec(),
            Self::Typed(schema) => schema.fields().iter().map(|f| f.name().clone()).collect(),
        }
    }

    /// Returns the names of the columns in the file and, behind them, of those in its path.
    pub fn names_with(&self, partition: &[(String, Option<String>)]) -> Vec<String> {
        let mut names = self.names();
        for (column, _) in partition {
            if !names.contains(column) {
                names.push(column.clone());
            }
        }
        names
    }

    /// Returns the place of a column that the file has.
    pub fn position(&self, name: &str) -> usize {
        let names = self.names();
        let at = names.iter().position(|found| found == name);
        at.expect("the column was found before")
    }

    /// Returns a column by its name; one that is not in the file stands in its path, as text.
    pub fn field(&self, name: &str) -> Field {
        let text = || Field::new(name, DataType::Utf8, true);
        match self {
            Self::Text(_) => text(),
            Self::Typed(schema) => match schema.field_with_name(name) {
                Ok(field) => field.clone(),
                Err(_) => text(),
            },
        }
    }

    /// Returns the columns in the file with their types.
    pub fn schema(&self) -> SchemaRef {
        match self {
            Self::Text(_) => {
                let names = self.names().into_iter();
                let fields = names.map(|name| Field::new(name, DataType::Utf8, true));
                Arc::new(Schema::new(fields.collect::<Vec<_>>()))
            }
            Self::Typed(schema) => schema.clone(),
        }
    }

    /// Returns whether a column of a text file has nothing but numbers that are not in quotation
    /// marks.
    pub fn holds_numbers_only(&self, name: &str) -> bool {
        match self {
            Self::Text(text) => {
                let at = text.columns().iter().position(|column| column == name);
                at.is_some_and(|at| text.holds_numbers_only(at))
            }
            Self::Typed(_) => false,
        }
    }
}

fn options(file: &DataFile) -> Result<ListingOptions> {
    let format: Arc<dyn FileFormat> = match file.format {
        // The session's word for plain strings does not reach a format made here.
        Format::Parquet => Arc::new(ParquetFormat::default().with_force_view_types(false)),
        Format::Arrow => Arc::new(ArrowFormat),
        Format::JsonLines => Arc::new(
            JsonFormat::default()
                .with_schema_infer_max_rec(usize::MAX)
                .with_file_compression_type(file.compression),
        ),
        Format::Csv(_) | Format::Trec => {
            return Err(TableError::NotOfTrec {
                path: file.name.clone(),
                table: "columnar",
            });
        }
    };
    Ok(ListingOptions::new(format).with_file_extension(""))
}

/// Returns the types of a file's columns, as DataFusion finds them.
pub(crate) async fn inferred(session: &SessionContext, file: &DataFile) -> Result<SchemaRef> {
    let url = file_url(&file.readable()?, &file.name)?;
    let schema = options(file)?.infer_schema(&session.state(), &url).await;
    schema.map_err(|error| file.malformed(error.strip_backtrace()))
}

/// Returns a table over files whose columns are in this schema, or in a part of it, by name.
pub(crate) fn listing(source: &Source, schema: SchemaRef) -> Result<ListingTable> {
    let first = &source.files[0];
    let urls = source
        .files
        .iter()
        .map(|file| file_url(&file.readable()?, &file.name))
        .collect::<Result<Vec<_>>>()?;
    let config = ListingTableConfig::new_with_multi_paths(urls)
        .with_listing_options(options(first)?)
        .with_schema(schema);
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
    let read = |file: &DataFile| {
        let opened = File::open(file.readable()?).map_err(|source| file.unreadable(source))?;
        ParquetMetaDataReader::new()
            .parse_and_finish(&opened)
            .map_err(|error| file.malformed(parquet_fault(&opened, &error.to_string())))
    };
    source.files.iter().map(read).collect()
}

/// Returns what is wrong with a file that has no sound footer.
fn parquet_fault(file: &File, error: &str) -> String {
    use std::os::unix::fs::FileExt;
    const MAGIC: &[u8; 4] = b"PAR1";
    let length = file.metadata().map_or(0, |found| found.len());
    let mut ends = [[0; 4]; 2];
    let places = [0, length.saturating_sub(4)];
    for (end, place) in ends.iter_mut().zip(places) {
        let _ = file.read_exact_at(end, place);
    }
    let fault = match ends {
        _ if length == 0 => "it is empty, of 0 bytes".to_owned(),
        [start, _] if &start != MAGIC => "it does not begin as a Parquet file does".to_owned(),
        [_, end] if &end != MAGIC => {
            "it ends without its footer, so its writing was broken off or is not done".to_owned()
        }
        _ => error.to_owned(),
    };
    format!("{fault}; write it again")
}
