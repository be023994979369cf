//! Labelling with the fewest labels: which texts of an unlabelled pool a person should label next,
//! as a sheet to fill in ([`select`]), what was filled in as a table of tickets ([`collect`]), and
//! the same played through with labels that are known ([`simulate`]).

mod collect;
mod curve;
mod rows;
mod select;
mod sheet;
mod simulate;
mod simulation;
mod vectors;

pub use collect::{CollectConfig, CollectReport, collect};
pub use rows::PoolCounts;
pub(crate) use rows::{ROUND, TextRow, pool, texts};
pub use select::{SelectConfig, SelectReport, Stability, select};
pub use sheet::SheetForm;
pub(crate) use sheet::cells;
pub use simulate::{SimulateConfig, SimulationReport, simulate};
pub use simulation::{Simulated, Simulation};
pub use vectors::{LabellingModel, TextColumns};
