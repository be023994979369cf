//! Ranked runs, their judgements and texts, and what is scored and shown of them.

pub(crate) mod answered;
pub(crate) mod conventions;
pub(crate) mod corpus;
pub(crate) mod curves;
pub(crate) mod equal_texts;
pub(crate) mod examples;
pub(crate) mod first_stage;
pub(crate) mod judgements;
pub(crate) mod ranking;
pub(crate) mod run_table;
pub(crate) mod scorer;
pub(crate) mod topics;
