//! Tables in text files: CSV and its kin, and JSON Lines.
//!
//! A file is looked through once, before anything is read, to find out how it is written (its
//! encoding, separator and quoting, or its keys), and is then read once.

mod cells;
mod csv_file;
mod decode;
mod dialect;
mod json_file;
mod json_scan;
mod not_text;
mod options;
mod rows;
mod scan;

pub use options::{Quote, ReadOptions};
pub(crate) use rows::TextFile;
