//! What exact searches share: the best of many scored things, whatever computes the scores.

mod top_k;

pub use top_k::TopK;
