//! What is kept of each item for people and later comparisons.

pub(crate) mod table;
pub(crate) mod write;
