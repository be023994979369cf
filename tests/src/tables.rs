//! Reading and writing Parquet files and Arrow streams.

use std::fs::File;
use std::path::Path;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

/// Returns a whole Parquet file.
pub fn read(file: &Path) -> RecordBatch {
    let builder = ParquetRecordBatchReaderBuilder::try_new(File::open(file).unwrap()).unwrap();
    let schema = builder.schema().clone();
    let batches: Vec<_> = builder.build().unwrap().map(Result::unwrap).collect();
    concat_batches(&schema, &batches).unwrap()
}

/// Returns the names of a Parquet file's columns.
pub fn columns(file: &Path) -> Vec<String> {
    let schema = read(file).schema();
    let fields = schema.fields().iter();
    fields.map(|field| field.name().clone()).collect()
}

/// Reads columns of a Parquet file, row by row, as text; a null is a dash.
pub fn rows(file: &Path, columns: &[impl AsRef<str>]) -> Vec<Vec<String>> {
    let batch = read(file);
    let options = FormatOptions::new().with_null("-");
    let columns: Vec<_> = columns
        .iter()
        .map(|name| {
            let column = batch.column_by_name(name.as_ref()).unwrap();
            ArrayFormatter::try_new(column, &options).unwrap()
        })
        .collect();
    (0..batch.num_rows())
        .map(|row| {
            let cells = columns.iter().map(|column| column.value(row).to_string());
            cells.collect()
        })
        .collect()
}

/// Writes a Parquet file.
pub fn write(file: &Path, batch: &RecordBatch) {
    let file = File::create(file).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), None).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
}

/// Returns the bytes of an Arrow IPC stream.
pub fn stream(batches: &[RecordBatch]) -> Vec<u8> {
    let mut writer = StreamWriter::try_new(Vec::new(), &batches[0].schema()).unwrap();
    for batch in batches {
        writer.write(batch).unwrap();
    }
    writer.into_inner().unwrap()
}

/// Reads all rows of an Arrow IPC stream.
pub fn read_stream(bytes: &[u8]) -> RecordBatch {
    let reader = StreamReader::try_new(bytes, None).unwrap();
    let schema = reader.schema();
    let batches: Vec<_> = reader.map(Result::unwrap).collect();
    concat_batches(&schema, &batches).unwrap()
}
