use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use strum::VariantArray;
use tracing::{info, warn};

use pairmill_augment::Refusal;

use super::config::{AugmentConfig, AugmentKind, Named};
use super::rows::Sources;
use super::wordings::Wording;

/// What was made.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AugmentReport {
    /// Whether there was nothing to do.
    #[serde(default)]
    pub up_to_date: bool,
    /// The table.
    pub output: PathBuf,
    /// `tickets` or `pairs`.
    pub kind: String,
    /// Texts that wordings were made of, one for each id.
    pub sources: usize,
    /// Rows of the table.
    pub rows: u64,
    /// Wordings that passed the gates.
    pub kept: usize,
    /// Wordings that did not.
    pub refused: usize,
    /// What became of those of each method.
    pub methods: BTreeMap<String, MethodCounts>,
    /// The model of the gates; without one only texts were compared.
    pub model: Option<String>,
}

/// What became of the wordings of a method.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MethodCounts {
    /// Those that passed the gates.
    pub kept: usize,
    /// Those that did not, by the reason.
    pub refused: BTreeMap<String, usize>,
}

impl AugmentReport {
    pub(super) fn new(
        config: &AugmentConfig,
        sources: &Sources,
        methods: &[Named],
        wordings: &[Wording],
    ) -> Self {
        let mut counts: BTreeMap<String, MethodCounts> = BTreeMap::new();
        for named in methods {
            counts.insert(named.name.to_owned(), MethodCounts::default());
        }
        for wording in wordings {
            let counts = counts
                .entry(methods[wording.method].name.to_owned())
                .or_default();
            match wording.refusal {
                None => counts.kept += 1,
                Some(refusal) => *counts.refused.entry(refusal.name().to_owned()).or_default() += 1,
            }
        }
        let kept = wordings.iter().filter(|wording| wording.is_left()).count();
        Self {
            up_to_date: false,
            output: config.output.clone(),
            kind: sources.kind.name().to_owned(),
            sources: sources.sources.len(),
            rows: 0,
            kept,
            refused: wordings.len() - kept,
            methods: counts,
            model: config.model.as_ref().map(|model| model.source.name()),
        }
    }

    pub(super) fn tell(&self) {
        for (method, counts) in &self.methods {
            let refused: usize = counts.refused.values().sum();
            let reasons = Refusal::VARIANTS.iter().filter_map(|refusal| {
                let count = counts.refused.get(refusal.name())?;
                Some(format!("{count} {}", words(*refusal)))
            });
            let reasons: Vec<String> = reasons.collect();
            match reasons.is_empty() {
                true => info!("{method}: {} wordings kept, none refused", counts.kept),
                false => info!(
                    "{method}: {} wordings kept, {refused} refused ({})",
                    counts.kept,
                    reasons.join(", ")
                ),
            }
        }
        if self.kept == 0 {
            warn!("no wording passed the gates: the table has nothing new");
        }
        if self.model.is_none() {
            warn!(
                "without --model only texts were compared; whether a wording still means what its \
                 source means was not looked at"
            );
        }
        info!("wrote {} rows to {}", self.rows, self.output.display());
    }
}

impl AugmentKind {
    fn name(self) -> &'static str {
        match self {
            Self::Tickets => "tickets",
            Self::Pairs => "pairs",
        }
    }
}

/// A reason as people read it, behind how many there are.
fn words(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::NothingToChange => "with nothing to change",
        Refusal::Identical => "identical to their source",
        Refusal::KeptWordLost => "without a word that must stay",
        Refusal::Repeated => "repeated",
        Refusal::OtherText => "equal to another source",
        Refusal::HeldOut => "equal to a text of --against",
        Refusal::LowSimilarity => "below --min-similarity",
        Refusal::SourceNotNearest => "whose source is not nearest to its own",
        Refusal::NotNearest => "no longer nearest to their own",
    }
}
