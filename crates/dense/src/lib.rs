//! Exact search over embeddings of a sentence encoder.
//!
//! A passage is title and text joined by a blank, as in BM25. Embeddings lie on disk, one for each
//! distinct text, and are found again by the hash of the text: a run that is killed goes on where
//! it was, and a corpus that has grown costs what is new in it. Search multiplies blocks of queries
//! with blocks of passages, so memory holds neither the embeddings nor the texts of a corpus; it
//! holds ids and some numbers for each passage.
//!
//! Results are exact and reproducible to the bit, whatever the number of threads and however
//! queries and passages are cut into blocks: a product is always summed in the same order, an
//! embedding depends on its text alone, and equal scores are ordered by corpus id.

mod embed;
mod error;
mod file;
mod function;
mod index;
mod model;
mod passages;
mod score;
mod search;
mod store;
mod texts;

pub use embed::store_texts;
pub use error::{DenseError, Result};
pub use function::dense_search;
pub use index::{Builder, Index};
pub use model::Model;
pub use score::{dense_passage_score, dense_score};
pub use search::{Hit, Ranked};
pub use store::{Key, Store, key};
pub use texts::passage_text;
