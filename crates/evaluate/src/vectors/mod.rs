//! Embeddings, how alike they are, and the nearest among them.

pub(crate) mod embeddings;
pub(crate) mod search;
pub(crate) mod similarity_function;
pub(crate) mod variants;
