//! Judging with the fewest judgements: which passages of which questions a person should look at
//! next, as a sheet to fill in ([`select_pairs`]), and what was filled in as labelled pairs
//! ([`collect_pairs`]).

mod collect;
mod rows;
mod select;
mod sheet;

pub use collect::{CollectPairsConfig, CollectPairsReport, collect_pairs};
pub use select::{SelectPairsConfig, SelectPairsReport, select_pairs};
