//! What exact searches share, whatever computes the scores: the best of many scored things, and
//! the functions of DataFusion by which plans search.

mod function;
mod top_k;

pub use function::{column_function, search_function};
pub use top_k::TopK;
