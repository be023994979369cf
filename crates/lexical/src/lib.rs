//! BM25 over tantivy: build an index of a corpus, open it, search it.
//!
//! Title and text of a passage are joined by a blank into one field ("flat" BM25). A query is the
//! bag of its analysed terms; there is no query language, so any text is a query. A passage scores
//!
//! ```text
//! Σ over query terms t:  n(t) · idf(t) · tf · (k1 + 1) / (tf + k1 · (1 − b + b · |d| / avg|d|))
//! idf(t) = ln(1 + (N − df + 0.5) / (df + 0.5))
//! ```
//!
//! where n(t) is how often the query says t. k1 = 1.2 and b = 0.75 are tantivy's constants and
//! |d| is rounded down as tantivy stores it: exact up to 40 terms, less than an eighth off beyond.
//!
//! Results are exact and reproducible to the bit, whatever the number of threads and however the
//! index happens to be cut into segments: each score is summed in the order of the terms, and
//! equal scores are ordered by corpus id. (tantivy's own top-k adds the terms of a passage in an
//! order that depends on the passages before it, so that equal passages can differ in the last
//! bit; weights, postings and everything else are tantivy's.)

mod analysis;
mod error;
mod function;
mod index;
mod search;

pub use analysis::Analysis;
pub use error::{LexicalError, Result};
pub use function::{Bm25Search, DEFAULT_TOP_K};
pub use index::{Index, Origin, passage};
pub use search::{Hit, Ranked, Texts};
