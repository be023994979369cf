//! The contract between Pairmill's stages.
//!
//! Every stage reads tables whose columns are fixed by [`Table`], from any supported format
//! ([`open`]), and writes Parquet files or folders that appear whole or not at all
//! ([`ParquetOutput`], [`FolderOutput`]) and carry their [`Lineage`].

mod error;
mod folder;
mod lineage;
mod read;
mod rows;
mod schema;
mod source;
mod stdin;
mod write;

pub use error::{Result, TableError};
pub use folder::FolderOutput;
pub use lineage::{Lineage, hash_input};
pub use read::{ColumnNames, column_names, open, row_count, session};
pub use rows::{f32_column, f64_column, i32_column, string_column};
pub use schema::Table;
pub use source::Format;
pub use write::{ParquetOutput, write_stream};
