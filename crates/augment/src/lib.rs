//! Other wordings of a text, for training on: synonyms out of [`WordNet`], the noise of typing,
//! and there and back through models that translate.
//!
//! A method is one file in `methods` and one line of [`METHODS`]. [`variants`] draws the wordings
//! of a text by the seed and the text's id, so neither other texts nor threads change them, and
//! says of each that does not count why ([`Refusal`]). What a method must leave alone, such as
//! names, code and the words that a user lists ([`KeptWords`]), is found by [`Words`].

#![deny(missing_docs)]

mod english;
mod error;
mod kept_words;
mod method;
mod methods;
#[cfg(test)]
mod properties;
mod protected;
mod refusal;
mod registry;
mod variants;
mod wordnet;
mod words;

pub use error::{AugmentError, Result};
pub use kept_words::KeptWords;
pub use method::{Method, Wordings};
pub use methods::Route;
pub use refusal::Refusal;
pub use registry::{METHODS, MethodKind, Resources, method_kind};
pub use variants::{Drawn, Variant, variants};
pub use wordnet::{WordNet, usual_folders};
pub use words::{Word, Words};
