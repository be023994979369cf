//! What becomes of candidates for hard negatives, and the training rows that are made of them.
//!
//! - The passages that answer a query as far as anybody has said ([`Known`]), and what that rules
//!   out ([`ExclusionReason`]); near-duplicates of an answer ([`Shingles`]).
//! - The choice within a query: by the retriever's scores ([`Selection`], [`Select`]) and by a
//!   cross-encoder's ([`Rules`], [`decide`]), with the same [`Margins`].
//! - The rows, one file a format ([`TrainingFormat`], [`TrainingRows`], [`TrainingOutput`]).

mod decide;
mod decided;
mod exclusion;
mod formats;
mod keys;
mod known_positives;
mod margins;
mod near_duplicates;
mod rules;
mod select;
mod selection;
mod training_output;

pub use decide::decide;
pub use decided::{Decided, Document, Pair, pairs_of};
pub use exclusion::ExclusionReason;
pub use formats::{LABEL_THRESHOLD, TrainingFormat, TrainingRows};
pub use keys::{Key, id_key, passage_key, question_key};
pub use known_positives::{Absence, Evidence, Known, New, Side};
pub use margins::Margins;
pub use near_duplicates::Shingles;
pub use rules::{Promotion, Rules};
pub use select::Select;
pub use selection::{Candidate, Sampling, Selection};
pub use training_output::TrainingOutput;
