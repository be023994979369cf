use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parquet::column::writer::ColumnCloseResult;
use parquet::errors::{ParquetError, Result as ParquetResult};
use parquet::file::metadata::{KeyValue, PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use serde::Serialize;

use crate::atomic_file::AtomicFile;
use crate::write::figures_entry;
use crate::{Result, TableError};

/// Joins Parquet files of one schema into one that appears whole or not at all. Their row groups
/// are copied as they are, and so is what the footer of the first says; `figures` are what the
/// stage reports, for [`Lineage::figures`](crate::Lineage::figures).
///
/// # Errors
/// If there is no part, one cannot be read, or the disk is full.
pub fn join_parquet(parts: &[PathBuf], target: &Path, figures: &impl Serialize) -> Result<()> {
    let (staged, file) = AtomicFile::create(target)?;
    copy(parts, &file, figures_entry(figures)).map_err(|source| TableError::Encode {
        path: target.to_owned(),
        source,
    })?;
    staged.publish(&file)
}

fn copy(parts: &[PathBuf], output: &File, figures: KeyValue) -> ParquetResult<()> {
    let mut writer: Option<SerializedFileWriter<&File>> = None;
    for part in parts {
        let input = File::open(part)?;
        let metadata = ParquetMetaDataReader::new()
            .with_page_index_policy(PageIndexPolicy::Optional)
            .parse_and_finish(&input)?;
        let writer = match &mut writer {
            Some(writer) => writer,
            None => writer.insert(start(&metadata, output)?),
        };
        append(writer, &input, &metadata)?;
    }
    let mut writer = writer.ok_or_else(|| ParquetError::General("no part to join".to_owned()))?;
    writer.append_key_value_metadata(figures);
    writer.close()?;
    Ok(())
}

fn start<'a>(
    first: &ParquetMetaData,
    output: &'a File,
) -> ParquetResult<SerializedFileWriter<&'a File>> {
    let first = first.file_metadata();
    let properties = WriterProperties::builder()
        .set_key_value_metadata(first.key_value_metadata().cloned())
        .build();
    let schema = first.schema_descr().root_schema_ptr();
    SerializedFileWriter::new(output, schema, Arc::new(properties))
}

fn append(
    writer: &mut SerializedFileWriter<&File>,
    input: &File,
    metadata: &ParquetMetaData,
) -> ParquetResult<()> {
    for (number, group) in metadata.row_groups().iter().enumerate() {
        let column_indexes = metadata.column_index().and_then(|all| all.get(number));
        let offset_indexes = metadata.offset_index().and_then(|all| all.get(number));
        let mut copied = writer.next_row_group()?;
        for (column, chunk) in group.columns().iter().enumerate() {
            let closed = ColumnCloseResult {
                bytes_written: chunk.compressed_size() as u64,
                rows_written: group.num_rows() as u64,
                metadata: chunk.clone(),
                bloom_filter: None,
                column_index: column_indexes.and_then(|all| all.get(column)).cloned(),
                offset_index: offset_indexes.and_then(|all| all.get(column)).cloned(),
            };
            copied.append_column(input, closed)?;
        }
        copied.close()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    use arrow::array::{Int32Array, RecordBatch, StringArray};
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

    use crate::{Lineage, ParquetOutput};

    fn batch(ids: &[&str], numbers: &[i32]) -> RecordBatch {
        RecordBatch::try_from_iter([
            ("id", Arc::new(StringArray::from(ids.to_vec())) as _),
            ("number", Arc::new(Int32Array::from(numbers.to_vec())) as _),
        ])
        .unwrap()
    }

    #[test]
    fn joined_files_have_all_rows_in_order_and_the_lineage() {
        let dir = tempfile::tempdir().unwrap();
        let lineage = Lineage::new("test", &"options", 7);
        let batches = [
            batch(&["a", "b"], &[1, 2]),
            batch(&[], &[]),
            batch(&["c"], &[3]),
        ];
        let parts: Vec<PathBuf> = (0..3)
            .map(|n| dir.path().join(format!("{n}.parquet")))
            .collect();
        for (part, batch) in parts.iter().zip(&batches) {
            let mut output = ParquetOutput::create(part, batch.schema(), &lineage).unwrap();
            output.write(batch).unwrap();
            output.finish().unwrap();
        }
        let target = dir.path().join("joined.parquet");
        join_parquet(&parts, &target, &3).unwrap();
        assert!(lineage.is_carried_by(&target));
        assert_eq!(Lineage::figures(&target).unwrap(), 3);
        let reader =
            ParquetRecordBatchReaderBuilder::try_new(File::open(&target).unwrap()).unwrap();
        assert_eq!(reader.schema().fields(), batches[0].schema().fields());
        let read: Vec<RecordBatch> = reader.build().unwrap().map(Result::unwrap).collect();
        let read = arrow::compute::concat_batches(&batches[0].schema(), &read).unwrap();
        assert_eq!(read, batch(&["a", "b", "c"], &[1, 2, 3]));
        assert!(join_parquet(&[], &target, &0).is_err());
        assert!(lineage.is_carried_by(&target), "the earlier file stays");
    }
}
