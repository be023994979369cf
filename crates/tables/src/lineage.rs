use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use crate::content_hash::{STDIN, hash_file, hash_input};
use crate::{ReadOptions, Result};

/// Key of the lineage in a Parquet footer.
pub(crate) const FOOTER_KEY: &str = "pairmill.lineage";
/// Key of the figures that the stage reported.
pub(crate) const FIGURES_KEY: &str = "pairmill.figures";

/// How an output came to be: the stage, the build of the program, its options, its seed and a
/// content hash of each input. Two outputs of equal lineage are equal, so a stage whose output
/// already carries the lineage it would write has nothing to do.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Lineage {
    /// The stage, such as `mine`.
    pub stage: String,
    /// Version of the program.
    pub version: String,
    /// Hash of the program, which tells two builds of one version.
    #[serde(default)]
    pub build: String,
    /// Every option that shapes the output; not the thread count, paths or verbosity.
    pub options: serde_json::Value,
    /// Seed of every random choice.
    pub seed: u64,
    /// Role of the input → blake3 hash of its content, in hexadecimal.
    pub inputs: BTreeMap<String, String>,
    /// The inputs as the user named them, which no output may replace.
    #[serde(skip)]
    pub(crate) paths: Vec<String>,
}

/// Wherever the inputs lie.
impl PartialEq for Lineage {
    fn eq(&self, other: &Self) -> bool {
        self.stage == other.stage
            && self.version == other.version
            && self.build == other.build
            && self.options == other.options
            && self.seed == other.seed
            && self.inputs == other.inputs
    }
}

/// Returns the build as a lineage names it: 16 hexadecimal digits of the program's hash.
pub fn program_build() -> &'static str {
    static BUILD: OnceLock<String> = OnceLock::new();
    BUILD.get_or_init(|| {
        let program = std::env::current_exe().and_then(|path| hash_file(&path));
        // Where the program cannot be read, its version has to do.
        program.map_or_else(
            |_| "unknown".to_owned(),
            |hash| hash.to_hex()[..16].to_owned(),
        )
    })
}

impl Lineage {
    /// Starts a lineage. `options` is any serialisable value.
    ///
    /// # Panics
    /// If `options` cannot be serialised as JSON, a mistake in the program.
    pub fn new(stage: &str, options: &impl Serialize, seed: u64) -> Self {
        let mut options = serde_json::to_value(options).expect("options are plain data");
        let reading = ReadOptions::get();
        if let (Some(options), true) = (options.as_object_mut(), *reading != ReadOptions::default())
        {
            let reading = serde_json::to_value(reading).expect("options are plain data");
            options.insert("reading".to_owned(), reading);
        }
        Self {
            stage: stage.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            build: program_build().to_owned(),
            options,
            seed,
            inputs: BTreeMap::new(),
            paths: Vec::new(),
        }
    }

    /// Adds the content hash of an input: a file, folder or glob.
    ///
    /// # Errors
    /// If the input does not exist or cannot be read.
    pub fn with_input(mut self, role: &str, input: &str) -> Result<Self> {
        self.inputs.insert(role.to_owned(), hash_input(input)?);
        self.paths.push(input.to_owned());
        Ok(self)
    }

    /// Takes the inputs of another output of the same stage.
    pub fn with_inputs_of(self, other: &Self) -> Self {
        Self {
            inputs: other.inputs.clone(),
            paths: other.paths.clone(),
            ..self
        }
    }

    /// Leaves the build out, for something that is the same whatever program wrote it, as its
    /// options hold the version of its layout: an index that is kept.
    pub fn of_any_build(self) -> Self {
        Self {
            build: String::new(),
            ..self
        }
    }

    /// Returns whether all inputs could be hashed: one from standard input cannot before it is
    /// read.
    pub(crate) fn is_known(&self) -> bool {
        !self.inputs.values().any(|hash| hash == STDIN)
    }

    pub(crate) fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a lineage is plain data")
    }
}
