//! The report of an evaluation: one HTML page that loads nothing, and Markdown for a pull request.
//!
//! Both are drawn from a [`Report`] alone, which can be stored as JSON beside them.

mod charts;
mod comparison;
mod data;
mod examples;
mod format;
mod frame;
mod headline;
mod markdown;
mod page;
#[cfg(test)]
mod parsed;
#[cfg(test)]
mod sample;
mod tables;
#[cfg(test)]
mod tests;
pub(crate) mod training;

pub(crate) use charts::{ForestRow, forest};
pub(crate) use comparison::{comparison_html, comparison_markdown};
pub(crate) use data::*;
pub(crate) use format::{count, interval_name, sentence_case};
pub(crate) use frame::{Page, figures, section, warnings};
pub(crate) use headline::{P_CORRECTED, answer_in_words};
pub(crate) use markdown::{code, literal, markdown, one_line};
pub(crate) use page::html;
#[cfg(test)]
pub(crate) use parsed::ParsedPage;
