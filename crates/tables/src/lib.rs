//! The contract between Pairmill's stages.
//!
//! Every stage reads tables whose columns are fixed by [`Table`], from any supported format
//! ([`open`]), and writes files or folders that appear whole or not at all
//! ([`TableOutput`], [`FolderOutput`]) and carry their [`Lineage`].

mod any;
mod atomic_file;
mod check;
mod columns;
mod convert;
mod error;
mod folder;
mod folder_input;
mod folds;
mod format;
mod join;
mod kept;
mod lineage;
mod lines;
mod listing;
mod lock;
mod pipe;
mod place;
mod qrels;
mod queries;
mod read;
mod record;
mod results;
mod rows;
mod schema;
mod sidecar;
mod source;
mod spool;
mod stdin;
mod table_output;
mod table_reader;
mod text;
mod text_column;
mod trec;
mod underway;
mod write;

pub use any::{column_names, open_any, row_count, run_or_qrels};
pub use atomic_file::{check_output, sibling};
pub use columns::ColumnNames;
pub use error::{Result, TableError};
pub use folder::{FolderOutput, remove_folder};
pub use folds::Folds;
pub use format::Format;
pub use join::join_parquet;
pub use kept::KeptColumns;
pub use lineage::{Lineage, hash_input, program_build};
pub use lines::{LineOutput, Lines};
pub use lock::Lock;
pub use place::{is_at, is_stream};
pub use qrels::{JudgedDocuments, Qrels};
pub use queries::WholeQueries;
pub use read::{open, session};
pub use results::{Results, kept_results, stored_figures};
pub use rows::{f32_column, f64_column, i32_column, passage, string_column};
pub use schema::Table;
pub use table_output::{TableOutput, join_tables, run_path, table_path};
pub use table_reader::TableReader;
pub use text::{Quote, ReadOptions};
pub use text_column::TextColumn;
pub use underway::{TemporaryFolder, abandon_outputs, keep_when_interrupted};
pub use write::{ParquetOutput, write_stream};
