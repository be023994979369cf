//! Labelled pairs, pairs and triplets, as other tools' guides have them, to the tables of a
//! retrieval task: what is labelled 1 is relevant, what is labelled 0 is a hard negative.

mod columns;
mod options;
mod rows;
mod set;

pub use options::PairsOptions;
