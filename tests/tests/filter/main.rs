//! `pairmill-filter` as its users run it, with a cross-encoder small enough to be written here:
//! it counts the words that two texts share.

mod cache;
mod corpus;
mod folds;
mod harness;
mod int8;
mod promises;
mod promotion;
mod reference;
mod refusals;
mod score;
#[path = "../../../crates/inference/tests/tiny_model/mod.rs"]
mod tiny_model;
