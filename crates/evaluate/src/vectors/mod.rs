//! What embeddings lose by being stored smaller.

pub(crate) mod variants;
