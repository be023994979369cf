use std::fmt;

use serde::{Deserialize, Serialize};
use tracing::warn;

/// Skipped files that are named for each reason.
const NAMED: usize = 10;

/// A file that makes no document.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Skipped {
    why: Why,
    source: String,
}

/// Why a file makes no document.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Why {
    /// Nothing but white space, code, navigation and front matter.
    Empty,
    NotUtf8 {
        /// Bytes before the first that are UTF-8.
        at: usize,
    },
    /// In another encoding, by its name.
    Encoded(String),
    /// Not in the encoding that the page declares.
    NotAsDeclared(String),
    Unreadable(String),
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("holds no text"),
            Self::NotUtf8 { at } => write!(f, "not UTF-8 (first at byte {at}); convert it"),
            Self::Encoded(name) => write!(f, "is in {name}; convert it to UTF-8"),
            Self::NotAsDeclared(name) => write!(
                f,
                "declares {name}, and its bytes are none; convert it to UTF-8"
            ),
            Self::Unreadable(cause) => write!(f, "cannot be read ({cause})"),
        }
    }
}

/// Numbers of files that made no document.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SkippedFiles {
    /// Without a text outside code, navigation and front matter.
    pub empty: u64,
    /// Not in UTF-8, nor as a page declares.
    pub not_utf8: u64,
    /// Files and folders that could not be read.
    pub unreadable: u64,
}

impl fmt::Display for SkippedFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            empty,
            not_utf8,
            unreadable,
        } = self;
        write!(
            f,
            "{empty} without text, {not_utf8} not UTF-8, {unreadable} unreadable"
        )
    }
}

impl SkippedFiles {
    /// Names the skipped files on the log and counts them.
    pub(crate) fn report(skipped: &[Skipped]) -> Self {
        let mut counts = Self::default();
        for Skipped { why, source } in skipped {
            let count = match why {
                Why::Empty => &mut counts.empty,
                Why::NotUtf8 { .. } | Why::Encoded(_) | Why::NotAsDeclared(_) => {
                    &mut counts.not_utf8
                }
                Why::Unreadable(_) => &mut counts.unreadable,
            };
            *count += 1;
            if *count <= NAMED as u64 {
                warn!("{source}: {why}; skipped");
            }
        }
        if skipped.len() > NAMED {
            warn!("skipped {} files: {counts}", skipped.len());
        }
        counts
    }
}

impl Skipped {
    pub fn new(source: String, why: Why) -> Self {
        Self { why, source }
    }
}
