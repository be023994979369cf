//! The contract between Pairmill's stages.
//!
//! Every stage reads tables whose columns are fixed by [`Table`], from any supported format
//! ([`open`]), and writes Parquet files or folders that appear whole or not at all
//! ([`ParquetOutput`], [`FolderOutput`]) and carry their [`Lineage`].

mod any;
mod error;
mod folder;
mod join;
mod lineage;
mod lines;
mod queries;
mod read;
mod rows;
mod schema;
mod source;
mod staged;
mod stdin;
mod training;
mod training_output;
mod trec;
mod write;

pub use any::{column_names, open_any, row_count, run_or_qrels};
pub use error::{Result, TableError};
pub use folder::FolderOutput;
pub use join::join_parquet;
pub use lineage::{Lineage, hash_input};
pub use lines::{LineOutput, Lines};
pub use queries::WholeQueries;
pub use read::{ColumnNames, open, session};
pub use rows::{f32_column, f64_column, i32_column, string_column};
pub use schema::Table;
pub use source::Format;
pub use staged::{check_output, lock_exclusively, sibling};
pub use training::{Judged, Pair, TrainingFormat, pairs_of};
pub use training_output::{TrainingOutput, TrainingRows};
pub use write::{ParquetOutput, write_stream};
