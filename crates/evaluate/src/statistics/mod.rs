//! How sure figures are, over whatever was evaluated.

pub(crate) mod clusters;
pub(crate) mod correction;
pub(crate) mod evidence;
pub(crate) mod groups;
pub(crate) mod paired_tests;
pub(crate) mod sample;
pub(crate) mod verdict;
