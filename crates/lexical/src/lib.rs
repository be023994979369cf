//! BM25 over tantivy: build an index of a corpus, open it, search it.
//!
//! Title and text of a passage are joined by a blank into one field ("flat" BM25), or are two
//! fields with weights. A query is the bag of its analysed terms; there is no query language, so
//! any text is a query. In each field a passage scores
//!
//! ```text
//! Σ over query terms t:  n(t) · idf(t) · tf · (k1 + 1) / (tf + k1 · (1 − b + b · |d| / avg|d|))
//! idf(t) = ln(1 + (N − df + 0.5) / (df + 0.5))
//! ```
//!
//! where n(t) is how often the query says t, and |d| the field's exact number of terms.
//!
//! Results are exact and reproducible to the bit, whatever the number of threads and however the
//! index happens to be cut into segments: each score is summed in the order of the terms, and
//! equal scores are ordered by corpus id. (tantivy's own top-k adds the terms of a passage in an
//! order that depends on the passages before it, so that equal passages can differ in the last
//! bit; its k1 and b are constants, and it rounds lengths down to a byte. So the scores are ours;
//! terms, postings and texts are tantivy's.)

mod analysis;
mod error;
mod field;
mod function;
mod index;
mod language;
mod lower;
mod postings;
mod sample;
mod score;
mod scoring;
mod search;
mod stemmer_cache;
mod terms;
mod texts;
mod unpacked;
mod words;

pub use analysis::{Analysis, TermFinder};
pub use error::{LexicalError, Result};
pub use function::{bm25_passages, bm25_search};
pub use index::{Index, Origin};
pub use sample::{Sample, Written};
pub use score::bm25_score;
pub use scoring::{Bm25, Fields};
pub use search::{Hit, Ranked};
pub use texts::Texts;
