//! The methods, one a file.

mod back_translation;
mod case;
mod deletion;
mod swap;
mod synonyms;
mod typos;

pub use back_translation::Route;

pub(crate) use back_translation::BackTranslation;
pub(crate) use case::{CASE, Case};
pub(crate) use deletion::{DELETION, Deletion};
pub(crate) use swap::{SWAP, Swap};
pub(crate) use synonyms::{SYNONYMS, Synonyms};
pub(crate) use typos::{TYPOS, Typos};
