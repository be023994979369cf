//! The report of an evaluation: one HTML page that loads nothing, and Markdown for a pull request.
//!
//! Both are drawn from a [`Report`] alone, which can be stored as JSON beside them.

mod comparison;
mod data;
mod examples;
mod headline;
mod markdown;
mod page;
#[cfg(test)]
mod sample;
mod tables;
#[cfg(test)]
mod tests;
pub(crate) mod training;

pub(crate) use comparison::{comparison_html, comparison_markdown};
pub(crate) use data::*;
pub(crate) use headline::{P_CORRECTED, answer_in_words};
pub(crate) use markdown::markdown;
pub(crate) use page::html;
