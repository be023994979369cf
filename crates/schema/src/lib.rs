//! What all stages agree on: when two texts are the same, and what may become of a candidate
//! ([`Decision`], [`Reason`]).
//!
//! "The same text" has one meaning here, in two strengths ([`Sameness`]):
//!
//! - [identical](Sameness::Identical), for answers: Unicode form and white space do not count.
//!   `ls -R` and `ls -r` are two.
//! - [equivalent](Sameness::Equivalent), for questions unless the user says otherwise: letter case
//!   and punctuation do not count either.

mod counted;
pub mod draw;
mod equivalent;
mod excerpt;
mod identical;
mod key;
mod letters;
mod marks;
#[cfg(test)]
mod odd_text;
mod reason;
mod sameness;
mod words;

pub use counted::{agreeing, counted};
pub use equivalent::equivalent;
pub use excerpt::excerpt;
pub use identical::identical;
pub use key::{TextKey, hash_key};
pub use letters::plain_letters;
pub use marks::{is_combining_mark, is_unspaced, unspaced_script};
pub use reason::{Decision, Reason};
pub use sameness::Sameness;
pub use words::{hash_words, word_hashes};
