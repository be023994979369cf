use std::path::Path;
use std::sync::LazyLock;

use serde_json::Value;

use crate::Result;
use crate::files::{malformed, read_json, unsupported};

/// One way in which token states become a vector for the text. Special tokens count as tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PoolingMode {
    /// State of the first token.
    Cls,
    /// Largest value of each component.
    Max,
    /// Mean over all tokens.
    Mean,
    /// Sum over all tokens divided by the square root of their number.
    MeanSqrtLen,
    /// Mean in which the n-th token has the weight n (Muennighoff 2022).
    WeightedMean,
    /// State of the last token.
    LastToken,
}

impl PoolingMode {
    /// Each mode, its name, and the older flag for it, in the order in which flags are
    /// concatenated.
    pub(crate) const NAMES: [(Self, &'static str, &'static str); 6] = [
        (Self::Cls, "cls", "pooling_mode_cls_token"),
        (Self::Max, "max", "pooling_mode_max_tokens"),
        (Self::Mean, "mean", "pooling_mode_mean_tokens"),
        (
            Self::MeanSqrtLen,
            "mean_sqrt_len_tokens",
            "pooling_mode_mean_sqrt_len_tokens",
        ),
        (
            Self::WeightedMean,
            "weightedmean",
            "pooling_mode_weightedmean_tokens",
        ),
        (Self::LastToken, "lasttoken", "pooling_mode_lasttoken"),
    ];
}

/// The names of all modes, for messages.
static KNOWN: LazyLock<String> =
    LazyLock::new(|| PoolingMode::NAMES.map(|(_, name, _)| name).join(", "));

/// How token states become one vector for the text: one mode, or several one after another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pooling {
    /// The modes, in the order of their parts of the vector; at least one.
    pub modes: Vec<PoolingMode>,
    /// Whether the tokens of a prompt take part.
    pub include_prompt: bool,
}

impl Default for Pooling {
    /// Returns the mean.
    fn default() -> Self {
        Self::from(PoolingMode::Mean)
    }
}

impl From<PoolingMode> for Pooling {
    fn from(mode: PoolingMode) -> Self {
        Self {
            modes: vec![mode],
            include_prompt: true,
        }
    }
}

impl Pooling {
    /// Reads the `config.json` of a sentence-transformers pooling module: `pooling_mode`, a name or
    /// a list of names, or the older flags.
    ///
    /// # Errors
    /// If it is missing, or asks for a mode that is not supported.
    pub fn load(folder: &Path) -> Result<Self> {
        let path = folder.join("config.json");
        let config: Value = read_json(&path)?;
        let modes = modes(&config)
            .map_err(|mode| unsupported(&path, format!("pooling by `{mode}`"), &KNOWN))?;
        if modes.is_empty() {
            return Err(malformed(&path, "`pooling_mode` names no mode"));
        }
        let include_prompt = match &config["include_prompt"] {
            Value::Null => true,
            Value::Bool(include) => *include,
            other => {
                let detail = format!("`include_prompt` is {other}, not true or false");
                return Err(malformed(&path, detail));
            }
        };
        Ok(Self {
            modes,
            include_prompt,
        })
    }

    /// Components of a text's vector, for token states of `hidden` components.
    pub fn dimension(&self, hidden: usize) -> usize {
        self.modes.len() * hidden
    }
}

/// Returns the modes that a config asks for, or the name of one that is not known.
fn modes(config: &Value) -> Result<Vec<PoolingMode>, String> {
    let named = |name: &Value| {
        let known = PoolingMode::NAMES.iter().find(|known| name == known.1);
        known.map(|known| known.0).ok_or_else(|| match name {
            Value::String(name) => name.clone(),
            other => other.to_string(),
        })
    };
    match &config["pooling_mode"] {
        Value::Null => flagged(config),
        Value::Array(names) => names.iter().map(named).collect(),
        name => Ok(vec![named(name)?]),
    }
}

/// Returns the modes whose flags are on, the mean where none is.
fn flagged(config: &Value) -> Result<Vec<PoolingMode>, String> {
    let is_on = |flag: &str| config[flag].as_bool() == Some(true);
    let is_known = |flag: &str| PoolingMode::NAMES.iter().any(|known| known.2 == flag);
    let fields = config.as_object().into_iter().flatten();
    let mut flags = fields.map(|(name, _)| name.as_str());
    let unknown =
        flags.find(|flag| flag.starts_with("pooling_mode_") && is_on(flag) && !is_known(flag));
    if let Some(flag) = unknown {
        return Err(flag.to_owned());
    }
    let on = PoolingMode::NAMES.iter().filter(|known| is_on(known.2));
    let on: Vec<PoolingMode> = on.map(|known| known.0).collect();
    Ok(match on.is_empty() {
        true => vec![PoolingMode::Mean],
        false => on,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(config: &str) -> Result<Pooling> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("config.json"), config).unwrap();
        Pooling::load(folder.path())
    }

    #[test]
    fn names_and_flags_say_the_same() {
        for (mode, name, flag) in PoolingMode::NAMES {
            let named = load(&format!(r#"{{"pooling_mode": "{name}"}}"#)).unwrap();
            assert_eq!(named, Pooling::from(mode));
            let flagged = format!(r#"{{"{flag}": true, "pooling_mode_x": false}}"#);
            assert_eq!(load(&flagged).unwrap(), named);
        }
    }

    #[test]
    fn several_modes_come_one_after_another() {
        let listed = load(r#"{"pooling_mode": ["lasttoken", "cls"]}"#).unwrap();
        assert_eq!(listed.modes, [PoolingMode::LastToken, PoolingMode::Cls]);
        let flags = r#"{"pooling_mode_lasttoken": true, "pooling_mode_cls_token": true}"#;
        let flagged = load(flags).unwrap();
        assert_eq!(flagged.modes, [PoolingMode::Cls, PoolingMode::LastToken]);
        assert_eq!(flagged.dimension(2), 4);
    }

    #[test]
    fn a_config_without_a_mode_means_the_mean() {
        assert_eq!(load("{}").unwrap(), Pooling::default());
        let prompt = r#"{"pooling_mode": "mean", "include_prompt": false}"#;
        assert!(!load(prompt).unwrap().include_prompt);
    }

    #[test]
    fn an_unknown_mode_is_named() {
        for (config, expected) in [
            (r#"{"pooling_mode": "median"}"#, "by `median` is not"),
            (r#"{"pooling_mode": ["mean", 7]}"#, "by `7` is not"),
            (
                r#"{"pooling_mode_median": true}"#,
                "`pooling_mode_median` is not",
            ),
            (r#"{"pooling_mode": []}"#, "names no mode"),
            (r#"{"include_prompt": "no"}"#, "`include_prompt` is \"no\""),
        ] {
            let error = load(config).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
