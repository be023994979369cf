use std::sync::{Arc, RwLock};

use rustc_hash::FxHashMap;
use tantivy::Score;

/// Bytes of postings kept unpacked.
const KEPT_BYTES: usize = 128 << 20;

/// The documents of a segment that have a term, in order, and the share of each.
#[derive(Debug)]
pub(crate) struct Unpacked {
    /// Places in their window.
    pub places: Vec<u16>,
    pub shares: Vec<Score>,
    /// Where each window begins, and where the last one ends.
    pub windows: Vec<u32>,
    /// The 1st, 2nd, 4th, 8th best share and so on.
    pub best: Vec<Score>,
}

/// The lists that the queries so far have unpacked: a word of one is likely a word of the next.
#[derive(Debug)]
pub(crate) struct Kept {
    pub lists: RwLock<KeptLists>,
    /// Bytes there is room for.
    pub most: usize,
}

#[derive(Debug, Default)]
pub(crate) struct KeptLists {
    /// By segment, field and place in the file of postings.
    pub lists: FxHashMap<(usize, usize, usize), Arc<Unpacked>>,
    pub bytes: usize,
}

impl Default for Kept {
    fn default() -> Self {
        Self {
            lists: RwLock::default(),
            most: KEPT_BYTES,
        }
    }
}
