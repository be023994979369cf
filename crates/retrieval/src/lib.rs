//! What searches share, whatever computes the scores: the best of many scored things, a matrix of
//! embeddings and the exact search among them in memory, and the functions of DataFusion by which
//! plans search.

mod embeddings;
mod function;
mod product;
mod search;
mod top_k;

pub use embeddings::Embeddings;
pub use function::{column_function, search_function};
pub use product::{products, similarities, similarity};
pub use search::{Hit, Search};
pub use top_k::TopK;
