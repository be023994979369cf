//! What is wrong with a table of texts, and what can be mended.
//!
//! [`Hygiene`] takes in rows in batches and holds hashes of them, not the texts, so that tables
//! need not fit into memory. [`CHECKS`] lists what it looks for; each kind of finding has a file of
//! its own. Nothing here reads or writes files.

#![deny(missing_docs)]

mod anonymise;
mod card;
mod checks;
mod contract;
mod excerpts;
mod finding;
mod firsts;
mod hygiene;
mod keys;
mod kind;
mod mend;
mod options;
mod set_join;
mod strip;
mod table;
#[cfg(test)]
mod testing;
mod word_sets;

pub use anonymise::Anonymiser;
pub use card::{Card, KindCard, MendedCard, SampleRow, TableCard};
pub use checks::{CHECKS, Check, Span, TableCheck, TextCheck, TextPlace, Watch, kind, kinds};
pub use contract::{TextOf, texts_of};
pub use excerpts::{Excerpt, Excerpts};
pub use finding::{Facts, Finding, Found, Suggestion};
pub use hygiene::Hygiene;
pub use kind::{Family, Fix, Kind, Severity};
pub use mend::{Change, Mended, Mender};
pub use options::{CountTokens, Options};
pub use strip::{Stripper, strippable};
pub use table::{Batch, Place, Role, Split, Table, TableKind, TextColumn};
