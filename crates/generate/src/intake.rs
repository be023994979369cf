use std::borrow::Cow;
use std::collections::BTreeMap;

use pairmill_hygiene::{Kind, Stripper};
use pairmill_schema::counted;
use pairmill_tables::{Intake, RowFilter, TextEdit};
use serde::{Serialize, Serializer};
use tracing::{info, warn};

/// Which rows of a table are used, and what becomes of them before anything else.
#[derive(Debug, Clone, Default, Serialize)]
pub struct IntakeOptions {
    /// The rows that are used; all if not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<RowFilter>,
    /// What is taken out of texts, by the kinds of findings that it makes.
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "kind_names")]
    pub strip: Vec<&'static Kind>,
    /// The column of times by which rows are split; at random if not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub split_by_time: Option<String>,
}

/// Writes kinds by their names.
pub(crate) fn kind_names<S: Serializer>(
    kinds: &[&'static Kind],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(kinds.iter().map(|kind| kind.name))
}

impl IntakeOptions {
    /// Returns what takes things out of texts.
    pub(crate) fn stripping(&self) -> Stripping {
        Stripping(Stripper::new(&self.strip))
    }

    /// Returns what is done while a table is read.
    pub(crate) fn of_tables<'a>(&'a self, stripping: &'a Stripping) -> Intake<'a> {
        Intake {
            filter: self.filter.as_ref(),
            edit: (!self.strip.is_empty()).then_some(stripping as &dyn TextEdit),
        }
    }
}

/// Takes things out of texts while they are read.
#[derive(Debug)]
pub(crate) struct Stripping(Stripper);

impl TextEdit for Stripping {
    fn edit<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.0.strip(text)
    }
}

impl Stripping {
    /// Returns out of how many texts something was taken, by kind, and says it on the log.
    pub fn counts(&self) -> BTreeMap<String, u64> {
        let counts = self.0.counts();
        for (kind, texts) in &counts {
            let texts = counted(*texts, "text", "texts");
            info!("--strip {kind}: taken out of {texts}");
        }
        let emptied = self.0.emptied();
        if emptied > 0 {
            warn!(
                "--strip leaves nothing of {}; a row without any text is left out",
                counted(emptied, "text", "texts")
            );
        }
        counts
    }
}
