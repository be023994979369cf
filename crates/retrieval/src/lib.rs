//! What searches share: the best of many scored things, whatever computes the scores, a matrix of
//! embeddings, and the exact search among them in memory.

#![deny(missing_docs)]

mod embeddings;
mod product;
mod search;
mod top_k;

pub use embeddings::Embeddings;
pub use product::{products, similarities, similarity};
pub use search::{Hit, Search};
pub use top_k::TopK;
