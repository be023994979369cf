//! Models, and the embeddings they give.

pub(crate) mod encoder;
mod network;
pub(crate) mod options;
