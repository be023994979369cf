use std::path::Path;

use pairmill_checkpoint::write;
use serde_json::Value;

use crate::Result;

/// Sets the precision that a `config.json` names to single, in which we write weights: loaders go
/// by it. Returns whether it named another.
pub(crate) fn declare_single_precision(config: &mut Value) -> bool {
    let mut changed = false;
    for key in ["dtype", "torch_dtype"] {
        if let Some(dtype) = config.get_mut(key)
            && dtype.is_string()
            && dtype != "float32"
        {
            *dtype = "float32".into();
            changed = true;
        }
    }
    changed
}

/// What a model's README says: how it was made and how well it does.
#[derive(Debug, Clone, Default)]
pub struct ModelCard {
    /// Title of the card.
    pub title: String,
    /// `pipeline_tag` of the Hugging Face Hub, such as `sentence-similarity`.
    pub pipeline_tag: &'static str,
    /// The model it was made from, if that has an id on the Hub.
    pub base_model: Option<String>,
    /// Paragraphs and tables in Markdown.
    pub body: String,
}

impl ModelCard {
    /// Writes `README.md` into a model folder.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn save(&self, folder: &Path) -> Result<()> {
        let base = self.base_model.iter();
        let base: String = base.map(|id| format!("base_model: {id}\n")).collect();
        let text = format!(
            "---\nlibrary_name: sentence-transformers\npipeline_tag: {}\n{base}tags:\n- sentence-transformers\n- pairmill\n---\n\n# {}\n\n{}",
            self.pipeline_tag, self.title, self.body
        );
        Ok(write(&folder.join("README.md"), text)?)
    }
}
