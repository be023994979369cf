//! Other wordings of the texts of a table, each passed through gates: as the table again, with the
//! columns `source_id`, `method` and `similarity`, and what was refused as another table.

mod config;
mod nearest;
mod report;
mod rows;
mod run;
mod vectors;
mod wordings;
mod write;

pub use config::{AugmentConfig, AugmentKind, AugmentModel};
pub use report::{AugmentReport, MethodCounts};
pub use run::augment;
