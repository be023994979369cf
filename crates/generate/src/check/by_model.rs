//! What is found by a sentence encoder: which of it is looked for, and whether it can be told.

use pairmill_hygiene::Table;
use pairmill_inference::lacks_onnx;
use tracing::info;

use super::sources::Source;
use super::{CheckConfig, CheckError};
use crate::Result;
use crate::labelling::LabellingModel;

/// The kind of categories that are likely wrong.
pub(super) const LABEL_NOISE: &str = "label_noise";
/// The kind of texts that say what an earlier split says.
const PARAPHRASE_LEAKAGE: &str = "paraphrase_leakage";

/// A sentence encoder, and what it is asked for.
#[derive(Clone, Copy)]
pub(super) struct ByModel<'a> {
    pub model: &'a LabellingModel,
    pub label_noise: bool,
    pub paraphrases: bool,
}

impl<'a> ByModel<'a> {
    /// Returns the model and what it is to tell; nothing where it has nothing to tell.
    ///
    /// # Errors
    /// If something is asked for by name and cannot be told.
    pub fn new(config: &'a CheckConfig, sources: &[Source]) -> Result<Option<Self>> {
        let has_splits = {
            let splits = || sources.iter().filter_map(|source| source.info.split);
            splits().min() < splits().max()
        };
        let has_categories = sources.iter().any(|source| has_categories(&source.info));
        let can_tell = |kind, needs, is_there, lacks| -> Result<Option<&'a LabellingModel>> {
            let lacks = if is_there { None } else { Some(lacks) };
            told(config, kind, needs, lacks)
        };
        let noise = can_tell(
            LABEL_NOISE,
            "wrong categories are told by a sentence encoder in ONNX over a table with categories",
            has_categories,
            "no table has categories",
        )?;
        let paraphrases = can_tell(
            PARAPHRASE_LEAKAGE,
            "it takes two splits (--against names the other one) and a sentence encoder in ONNX",
            has_splits,
            "there is one split only",
        )?;
        Ok(noise.or(paraphrases).map(|model| Self {
            model,
            label_noise: noise.is_some(),
            paraphrases: paraphrases.is_some(),
        }))
    }
}

/// Whether a table is looked through and has categories.
pub(super) fn has_categories(table: &Table) -> bool {
    table.is_checked && table.category.is_some()
}

/// Returns the model where findings of this kind are looked for and can be told.
fn told<'a>(
    config: &'a CheckConfig,
    kind: &'static str,
    needs: &'static str,
    lacks: Option<&'static str>,
) -> Result<Option<&'a LabellingModel>> {
    let options = &config.options;
    if !options.kinds().iter().any(|wanted| wanted.name == kind) {
        return Ok(None);
    }
    let lacks = match (&config.model, lacks) {
        (None, _) => "no model is given",
        (_, Some(lacks)) => lacks,
        (Some(model), None) if lacks_onnx(model.model.folder()?) => {
            info!("{kind}: not looked for, as the model has no ONNX file");
            "the model has no ONNX file"
        }
        (Some(model), None) => return Ok(Some(model)),
    };
    let mut named = options.only.iter().chain(&options.fix);
    let is_named = named.any(|named| named.name == kind);
    match is_named || options.relabel && kind == LABEL_NOISE {
        true => Err(CheckError::NotTold {
            kind,
            reason: lacks,
            needs,
        }
        .into()),
        false => Ok(None),
    }
}
