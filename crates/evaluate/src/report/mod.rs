//! The report of an evaluation: one HTML page that loads nothing, and Markdown for a pull request.
//!
//! Both are drawn from a [`Report`] alone, which can be stored as JSON beside them.

mod card;
mod comparison;
mod data;
mod deployment;
mod examples;
mod first_places;
mod headline;
mod markdown;
mod next_steps;
mod page;
#[cfg(test)]
mod sample;
mod sentences;
mod tables;
#[cfg(test)]
mod tests;
mod title;
pub(crate) mod training;
mod verdict;

pub(crate) use card::Card;
pub(crate) use comparison::{comparison_html, comparison_markdown};
pub(crate) use data::*;
pub(crate) use deployment::Choice;
pub(crate) use headline::{Headline, P_CORRECTED};
pub(crate) use markdown::markdown;
pub(crate) use page::html;
