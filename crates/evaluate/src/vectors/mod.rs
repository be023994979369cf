//! Embeddings, how alike they are, and the nearest among them.

pub(crate) mod embeddings;
pub(crate) mod search;
pub(crate) mod variants;
