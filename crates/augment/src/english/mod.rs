//! As much English grammar as replacing a word by another takes.

mod article;
mod function_words;
mod inflection;
mod irregular;
mod speech;

pub(crate) use article::article;
pub(crate) use function_words::{is_negation, role};
pub(crate) use inflection::{inflect, readings};
pub(crate) use speech::{Chosen, choose, expected};
