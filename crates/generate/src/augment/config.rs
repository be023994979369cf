use std::path::{Path, PathBuf};

use pairmill_augment::{KeptWords, Method, Resources, WordNet, method_kind};
use pairmill_hub::ModelSource;
use pairmill_tables::{ColumnNames, KeptColumns, Lineage, Table};
use serde::Serialize;
use tracing::{info, warn};

use crate::Result;

/// Columns that the output has beside those of its table.
pub(super) const OWN_COLUMNS: [&str; 3] = ["source_id", "method", "similarity"];
/// The method whose dictionary has to be found.
const SYNONYMS: &str = "synonyms";

/// What a table holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AugmentKind {
    /// Texts with categories: the texts get other wordings.
    Tickets,
    /// Anchors with positives: the anchors get other wordings.
    Pairs,
}

/// The model that says how near a wording is to its source.
#[derive(Debug, Clone)]
pub struct AugmentModel {
    /// A sentence-transformers folder with an ONNX file, or its id on the Hub.
    pub source: ModelSource,
    /// Longest text in tokens; the model's own limit if not given.
    pub max_length: Option<usize>,
}

/// What to make wordings of, by what, to where.
#[derive(Debug, Clone)]
pub struct AugmentConfig {
    /// The table, or `-`.
    pub input: String,
    /// What it holds; told by its columns if not given.
    pub kind: Option<AugmentKind>,
    /// Names of its columns, by those of the contract.
    pub columns: Vec<(&'static str, String)>,
    /// Other columns that go along.
    pub kept: KeptColumns,
    /// Names of the methods.
    pub methods: Vec<String>,
    /// Rates that differ from the methods' own.
    pub rates: Vec<(String, f64)>,
    /// Wordings of each text by each method.
    pub per_row: usize,
    /// The folder of a WordNet dictionary, if it is in no usual place.
    pub wordnet: Option<PathBuf>,
    /// Folders of models that translate there and back.
    pub routes: Vec<(PathBuf, PathBuf)>,
    /// A file of words that stay.
    pub keep_words: Option<PathBuf>,
    /// Tables of texts to test on, which no wording may be the same as.
    pub against: Vec<String>,
    /// The model of the gates; without one only texts are compared.
    pub model: Option<AugmentModel>,
    /// The least cosine of a wording and its source.
    pub min_similarity: f32,
    /// The table to write.
    pub output: PathBuf,
    /// The table of what was refused, if it is wanted.
    pub audit: Option<PathBuf>,
    /// Whether the sources are left out of the output.
    pub variants_only: bool,
    /// Seed of every random choice.
    pub seed: u64,
    /// Threads to use.
    pub threads: usize,
    /// Whether to do the work again when the output is up to date.
    pub force: bool,
}

impl AugmentConfig {
    /// Finds options that contradict each other.
    ///
    /// # Errors
    /// A sentence that says which.
    pub fn validate(&self) -> Result<(), String> {
        if self.input == "-" && self.kind.is_none() {
            return Err("--input - needs --kind tickets or --kind pairs".to_owned());
        }
        let has = |name: &str| self.methods.iter().any(|method| method == name);
        if let Some((name, _)) = self.rates.iter().find(|(name, _)| !has(name)) {
            return Err(format!(
                "--rate {name}=… has no meaning without --method {name}"
            ));
        }
        if has("back-translation") && self.routes.is_empty() {
            return Err("--method back-translation needs --translate THERE,BACK".to_owned());
        }
        let needs = [
            (!self.routes.is_empty(), "--translate", "back-translation"),
            (self.wordnet.is_some(), "--wordnet", SYNONYMS),
        ];
        for (is_given, option, method) in needs {
            if is_given && !has(method) {
                return Err(format!("{option} has no meaning without --method {method}"));
            }
        }
        if self.audit.as_ref() == Some(&self.output) {
            return Err("--output and --audit name the same file".to_owned());
        }
        if let KeptColumns::Named(names) = &self.kept
            && let Some(name) = names
                .iter()
                .find(|name| OWN_COLUMNS.contains(&name.as_str()))
        {
            return Err(format!(
                "--keep-columns {name}: the output has a column of this name"
            ));
        }
        Ok(())
    }

    /// What an output is made of: `wordnet` is the folder of the dictionary.
    pub(super) fn lineage(&self, wordnet: Option<&Path>) -> Result<Lineage> {
        #[derive(Serialize)]
        struct Of<'a> {
            kind: Option<AugmentKind>,
            columns: &'a [(&'static str, String)],
            kept: &'a KeptColumns,
            methods: &'a [String],
            rates: &'a [(String, f64)],
            per_row: usize,
            max_length: Option<usize>,
            min_similarity: Option<f32>,
            variants_only: bool,
        }
        let of = Of {
            kind: self.kind,
            columns: &self.columns,
            kept: &self.kept,
            methods: &self.methods,
            rates: &self.rates,
            per_row: self.per_row,
            max_length: self.model.as_ref().and_then(|model| model.max_length),
            min_similarity: self.model.as_ref().map(|_| self.min_similarity),
            variants_only: self.variants_only,
        };
        let mut lineage =
            Lineage::new("generate augment", &of, self.seed).with_input("input", &self.input)?;
        for (number, against) in self.against.iter().enumerate() {
            lineage = lineage.with_input(&format!("against {number}"), against)?;
        }
        let mut others = Vec::new();
        others.extend(wordnet.map(|path| ("wordnet".to_owned(), path)));
        others.extend(
            self.keep_words
                .as_deref()
                .map(|path| ("keep words".to_owned(), path)),
        );
        for (number, (there, back)) in self.routes.iter().enumerate() {
            others.push((format!("translate {number}, there"), there.as_path()));
            others.push((format!("translate {number}, back"), back.as_path()));
        }
        if let Some(model) = &self.model {
            others.push(("model".to_owned(), model.source.folder()?));
        }
        for (role, path) in others {
            lineage = lineage.with_input(&role, &path.to_string_lossy())?;
        }
        Ok(lineage)
    }

    pub(super) fn names(&self, table: Table) -> ColumnNames {
        let schema = table.schema();
        let of_table = |column: &str| schema.field_with_name(column).is_ok();
        let named = self.columns.iter().filter(|(column, _)| of_table(column));
        let named = named.map(|(column, name)| (*column, Some(name.as_str())));
        let names = ColumnNames::new(named);
        let ids = ["id", "anchor_id", "positive_id"];
        ids.into_iter().fold(names, ColumnNames::with_optional)
    }

    /// The folder of the dictionary, where one is needed.
    pub(super) fn dictionary(&self) -> Result<Option<PathBuf>> {
        let is_needed = self.methods.iter().any(|name| name == SYNONYMS);
        let find = || WordNet::folder(self.wordnet.as_deref());
        Ok(is_needed.then(find).transpose()?)
    }

    /// Makes the methods, in the order given.
    pub(super) fn build(&self, wordnet: Option<&Path>) -> Result<Vec<Named>> {
        let resources = Resources {
            wordnet: wordnet.map(read_dictionary).transpose()?,
            routes: self.routes.clone(),
        };
        let named = self.methods.iter().filter_map(|name| method_kind(name));
        let named = named.map(|kind| {
            let rate = self.rates.iter().rev().find(|(name, _)| name == kind.name);
            Ok(Named {
                name: kind.name,
                method: kind.build(rate.map(|(_, rate)| *rate), &resources)?,
            })
        });
        named.collect()
    }

    pub(super) fn kept_words(&self) -> Result<KeptWords> {
        match &self.keep_words {
            Some(path) => Ok(KeptWords::read(path)?),
            None => Ok(KeptWords::default()),
        }
    }
}

/// A method with its name.
pub(super) struct Named {
    pub name: &'static str,
    pub method: Box<dyn Method>,
}

fn read_dictionary(folder: &Path) -> Result<std::sync::Arc<WordNet>> {
    let wordnet = WordNet::shared(folder)?;
    info!("{}: {} words", folder.display(), wordnet.len());
    if !wordnet.has_counts() {
        warn!(
            "{}: neither cntlist.rev nor index.sense is there, so only the order of the senses \
             says which are frequent",
            folder.display()
        );
    }
    if !wordnet.has_exceptions() {
        info!(
            "{}: has no lists of irregular forms (noun.exc and the like); the program's own are \
             taken",
            folder.display()
        );
    }
    Ok(wordnet)
}
