//! Tickets, question/answer pairs and documents to training pairs, labelled pairs, a corpus,
//! queries and judgements, split so that no text of one split is in another.
//!
//! Every choice is a hash of the seed and a stable key (an id, a path or a normalised text), so
//! the output depends neither on the order of the input's rows nor on the number of threads.
//!
//! [`check()`] looks through tables for what spoils them, and mends what can be mended.
//! [`augment()`] makes other wordings of the texts of a table. [`select`], [`collect`] and
//! [`simulate`] are for those who have yet to label their texts.
//!
//! [`convert`] exchanges data sets, runs and judgements with tools that read BEIR's or TREC's form.

mod augment;
mod categories;
mod check;
mod convert;
mod corpus;
mod error;
mod input;
mod intake;
mod judging;
mod labelling;
mod left_out;
mod model_facts;
mod negatives;
mod pairing;
mod pairs;
#[cfg(test)]
mod properties;
mod qa;
mod retrieval;
mod run;
mod skipped;
mod split;
mod summary;
mod ticket_tables;
mod tickets;
mod write;

use pairmill_schema::draw;

pub use augment::{AugmentConfig, AugmentKind, AugmentModel, AugmentReport, MethodCounts, augment};
pub use check::{
    CheckColumns, CheckConfig, CheckError, CheckOptions, CheckReport, CheckSummary, MendedSummary,
    TableFormat, check, named_kind,
};
pub use convert::{
    ConvertConfig, ConvertReport, ConvertSummary, FolderSummary, SplitSummary, convert,
};
pub use corpus::{
    CorpusOptions, DocumentFormat, DocumentTable, ModelQueryOptions, PassageTitles, QueryMaker,
};
pub use error::{GenerateError, Result};
pub use intake::IntakeOptions;
pub use judging::{
    CollectPairsConfig, CollectPairsReport, SelectPairsConfig, SelectPairsReport, collect_pairs,
    select_pairs,
};
pub use labelling::{
    CollectConfig, CollectReport, LabellingModel, PoolCounts, SelectConfig, SelectReport,
    SheetForm, SimulateConfig, Simulated, Simulation, SimulationReport, Stability, TextColumns,
    collect, select, simulate,
};
pub use left_out::{LeftOut, Piece};
pub use model_facts::ModelFacts;
pub use pairs::PairsOptions;
pub use qa::QaOptions;
pub use run::{Config, Report, Source, run};
pub use skipped::SkippedFiles;
pub use split::{Fractions, Split, SplitError, TimeSplit};
pub use summary::{Facts, Rows, SplitCounts, Summary};
pub use tickets::{MAX_JUDGEMENTS, TicketsOptions};
