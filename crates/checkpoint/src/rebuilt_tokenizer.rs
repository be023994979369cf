//! `tokenizer.json` as the classes of transformers build it anew. To be held against the files that
//! [`Class`] names.

use std::fs;
use std::path::Path;

use serde_json::{Map, Value, json};

use crate::files::{malformed, read_json, unreadable, unsupported};
use crate::tokenizer_class::Class;
use crate::tokenizer_config::TokenizerConfig;
use crate::{CheckpointError, Result};

const FILE: &str = "tokenizer.json";

/// Returns the `tokenizer.json` that the class makes of a folder's files; none where it takes that
/// file as it is.
pub(crate) fn rebuilt(
    folder: &Path,
    settings: &TokenizerConfig,
    config: &Value,
    class: Class,
) -> Result<Option<Value>> {
    let path = folder.join(FILE);
    let Some(model) = class.model() else {
        return Ok(None);
    };
    let json = match path.is_file() {
        true => read_json(&path)?,
        false => of_older_files(folder, class)?,
    };
    let found = json["model"]["type"].as_str();
    if found.is_some_and(|found| found != model) {
        // Only a tokenizer that says by itself that it is of this class contradicts it.
        let named = settings
            .get("tokenizer_class")
            .or(config.get("tokenizer_class"));
        return match named {
            None => Ok(None),
            Some(name) => Err(unsupported(
                &path,
                format!(
                    "a {} vocabulary for tokenizer_class {name}",
                    found.unwrap_or_default()
                ),
                model,
            )),
        };
    }
    Build {
        folder,
        settings,
        class,
        vocabulary: Vocabulary::of(&json["model"]["vocab"])
            .ok_or_else(|| malformed(&path, "has no vocabulary"))?,
        json: &json,
    }
    .build()
    .map(Some)
}

/// Returns the vocabulary of a folder from before `tokenizer.json`.
fn of_older_files(folder: &Path, class: Class) -> Result<Value> {
    let text = |name: &str| {
        let path = folder.join(name);
        fs::read_to_string(&path).map_err(|source| unreadable(&path, source))
    };
    let none = || CheckpointError::Unsupported {
        path: folder.to_owned(),
        what: "a folder without tokenizer.json".to_owned(),
        supported: "tokenizer.json, which AutoTokenizer.from_pretrained(FOLDER).save_pretrained(FOLDER) writes in Python",
    };
    let has = |name: &str| folder.join(name).is_file();
    match class {
        Class::Bert | Class::Mpnet if has("vocab.txt") => {
            let text = text("vocab.txt")?;
            let words = text.strip_suffix('\n').unwrap_or(&text).split('\n');
            let vocab: Map<String, Value> = (0..)
                .zip(words)
                .map(|(id, word): (u32, _)| (word.to_owned(), id.into()))
                .collect();
            Ok(json!({"model": {"type": "WordPiece", "vocab": vocab}, "added_tokens": []}))
        }
        Class::Roberta if has("vocab.json") && has("merges.txt") => {
            let vocab: Value = read_json(&folder.join("vocab.json"))?;
            let merges = text("merges.txt")?;
            let merges = merges
                .lines()
                .filter(|line| !line.is_empty() && !line.starts_with("#version"));
            let merges: Vec<&str> = merges.collect();
            Ok(
                json!({"model": {"type": "BPE", "vocab": vocab, "merges": merges}, "added_tokens": []}),
            )
        }
        _ => Err(none()),
    }
}

/// The words of a vocabulary.
enum Vocabulary<'j> {
    Ids(&'j Map<String, Value>),
    Pieces(&'j Vec<Value>),
}

impl<'j> Vocabulary<'j> {
    fn of(vocab: &'j Value) -> Option<Self> {
        match vocab {
            Value::Object(ids) => Some(Self::Ids(ids)),
            Value::Array(pieces) => Some(Self::Pieces(pieces)),
            _ => None,
        }
    }

    fn id(&self, word: &str) -> Option<u64> {
        match self {
            Self::Ids(ids) => ids.get(word)?.as_u64(),
            Self::Pieces(pieces) => {
                let place = pieces.iter().position(|piece| piece[0] == word);
                place.map(|place| place as u64)
            }
        }
    }

    fn len(&self) -> u64 {
        match self {
            Self::Ids(ids) => ids.len() as u64,
            Self::Pieces(pieces) => pieces.len() as u64,
        }
    }
}

struct Build<'a> {
    folder: &'a Path,
    settings: &'a TokenizerConfig,
    class: Class,
    vocabulary: Vocabulary<'a>,
    json: &'a Value,
}

impl Build<'_> {
    fn build(&self) -> Result<Value> {
        let added = self.added_tokens();
        let id = |token: &str| {
            let found = added.iter().find(|one| one["content"] == token);
            found
                .and_then(|one| one["id"].as_u64())
                .or(self.vocabulary.id(token))
        };
        Ok(json!({
            "version": "1.0",
            // The side at which it cuts counts, the length does not.
            "truncation": self.json["truncation"],
            "padding": null,
            "model": self.model()?,
            "normalizer": self.normalizer()?,
            "pre_tokenizer": self.pre_tokenizer()?,
            "post_processor": self.post_processor(&id),
            "decoder": null,
            "added_tokens": added,
        }))
    }

    /// Returns the text of a special token.
    fn token(&self, key: &str) -> &str {
        let own = self.class.tokens().iter().find(|(name, _)| *name == key);
        let said = self.settings.token(key).map(|(token, _)| token);
        said.or(own.map(|(_, token)| *token)).unwrap_or_default()
    }

    fn flag(&self, key: &str, usual: bool) -> Result<bool> {
        Ok(self.settings.flag(self.folder, key)?.unwrap_or(usual))
    }

    fn model(&self) -> Result<Value> {
        let vocab = &self.json["model"]["vocab"];
        Ok(match self.class {
            Class::Roberta => json!({
                "type": "BPE", "dropout": null, "unk_token": null,
                "continuing_subword_prefix": "", "end_of_word_suffix": "", "fuse_unk": false,
                "byte_fallback": false, "ignore_merges": false,
                "vocab": vocab, "merges": self.json["model"]["merges"],
            }),
            Class::XlmRoberta | Class::Camembert => {
                let unknown = match self.class {
                    Class::XlmRoberta => 3,
                    _ => self.vocabulary.id(self.token("unk_token")).unwrap_or(0),
                };
                json!({"type": "Unigram", "unk_id": unknown, "vocab": vocab, "byte_fallback": false})
            }
            _ => json!({
                "type": "WordPiece", "unk_token": self.token("unk_token"),
                "continuing_subword_prefix": "##", "max_input_chars_per_word": 100, "vocab": vocab,
            }),
        })
    }

    fn normalizer(&self) -> Result<Value> {
        Ok(match self.class {
            Class::Bert | Class::Mpnet => json!({
                "type": "BertNormalizer",
                "clean_text": true,
                "handle_chinese_chars": self.flag("tokenize_chinese_chars", true)?,
                "strip_accents": self.settings.flag(self.folder, "strip_accents")?,
                "lowercase": self.flag("do_lower_case", true)?,
            }),
            Class::XlmRoberta | Class::Camembert => {
                let own = &self.json["normalizer"];
                let steps = own["normalizers"].as_array();
                let mut steps = steps
                    .map_or(std::slice::from_ref(own), Vec::as_slice)
                    .iter();
                let precompiled = steps.find(|step| step["type"] == "Precompiled");
                precompiled.cloned().unwrap_or_default()
            }
            _ => Value::Null,
        })
    }

    fn pre_tokenizer(&self) -> Result<Value> {
        Ok(match self.class {
            Class::Roberta => json!({
                "type": "ByteLevel", "add_prefix_space": self.flag("add_prefix_space", false)?,
                "trim_offsets": true, "use_regex": true,
            }),
            Class::XlmRoberta | Class::Camembert => {
                let scheme = match self.flag("add_prefix_space", true)? {
                    true => "always",
                    false => "never",
                };
                json!({"type": "Sequence", "pretokenizers": [
                    {"type": "WhitespaceSplit"},
                    {"type": "Metaspace", "replacement": "▁", "prepend_scheme": scheme, "split": true},
                ]})
            }
            _ => json!({"type": "BertPreTokenizer"}),
        })
    }

    /// Returns what marks the ends of a text and of a pair.
    fn post_processor(&self, id: &dyn Fn(&str) -> Option<u64>) -> Value {
        let special =
            |token: &str, segment| json!({"SpecialToken": {"id": token, "type_id": segment}});
        let sequence = |name: &str, segment| json!({"Sequence": {"id": name, "type_id": segment}});
        let named = |token: &str, otherwise: u64| {
            let id = id(token).unwrap_or(otherwise);
            (
                token.to_owned(),
                json!({"id": token, "ids": [id], "tokens": [token]}),
            )
        };
        let (cls, sep) = (self.token("cls_token"), self.token("sep_token"));
        let (bos, eos) = (self.token("bos_token"), self.token("eos_token"));
        match self.class {
            Class::Bert => {
                let specials: Map<String, Value> =
                    [named(cls, 2), named(sep, 3)].into_iter().collect();
                json!({
                    "type": "TemplateProcessing",
                    "single": [special(cls, 0), sequence("A", 0), special(sep, 0)],
                    "pair": [special(cls, 0), sequence("A", 0), special(sep, 0), sequence("B", 1), special(sep, 1)],
                    "special_tokens": specials,
                })
            }
            Class::Mpnet | Class::Roberta => json!({
                "type": "RobertaProcessing",
                "sep": [sep, id(sep).unwrap_or(2)],
                "cls": [cls, id(cls).unwrap_or(0)],
                "trim_offsets": true,
                "add_prefix_space": false,
            }),
            _ => {
                let specials: Map<String, Value> =
                    [named(bos, 0), named(eos, 2)].into_iter().collect();
                json!({
                    "type": "TemplateProcessing",
                    "single": [special(bos, 0), sequence("A", 0), special(eos, 0)],
                    "pair": [special(bos, 0), sequence("A", 0), special(eos, 0), special(eos, 0), sequence("B", 0), special(eos, 0)],
                    "special_tokens": specials,
                })
            }
        }
    }

    /// Returns the tokens that are found in a text before anything else is done with it: those that
    /// the settings list, else those of `tokenizer.json`, and the special ones.
    fn added_tokens(&self) -> Vec<Value> {
        let listed = self
            .settings
            .get("added_tokens_decoder")
            .and_then(Value::as_object);
        let mut tokens: Vec<(u64, Value)> = match listed {
            Some(listed) => {
                let token =
                    |(id, token): (&String, &Value)| Some((id.parse().ok()?, token.clone()));
                listed.iter().filter_map(token).collect()
            }
            None => {
                let of_vocabulary = self.settings.added.iter();
                let older = of_vocabulary.filter_map(|(content, id)| {
                    Some((
                        id.as_u64()?,
                        json!({"content": content, "normalized": true}),
                    ))
                });
                let own = self.json["added_tokens"].as_array().into_iter().flatten();
                let own = own.filter_map(|token| Some((token["id"].as_u64()?, token.clone())));
                let own: Vec<(u64, Value)> = own.collect();
                let is_new = |(id, _): &(u64, Value)| own.iter().all(|(other, _)| other != id);
                older.filter(is_new).chain(own.iter().cloned()).collect()
            }
        };
        tokens.sort_by_key(|(id, _)| *id);
        let mut tokens: Vec<Value> = tokens.into_iter().map(|(_, token)| token).collect();
        for (content, about) in self.special_tokens() {
            if tokens.iter().all(|token| token["content"] != content) {
                let mut token = about.cloned().unwrap_or_default();
                token.insert("content".to_owned(), content.into());
                token.insert("special".to_owned(), true.into());
                tokens.push(token.into());
            }
        }
        self.numbered(tokens)
    }

    fn special_tokens(&self) -> Vec<(String, Option<&Map<String, Value>>)> {
        let own = self.class.tokens().iter().map(|(key, _)| {
            let about = self.settings.token(key).and_then(|(_, about)| about);
            (self.token(key).to_owned(), about)
        });
        own.chain(self.settings.more_special_tokens()).collect()
    }

    /// Returns the tokens as `tokenizer.json` lists them. One that the vocabulary lacks gets the
    /// next number.
    fn numbered(&self, tokens: Vec<Value>) -> Vec<Value> {
        let mut next = self.vocabulary.len();
        let numbered = tokens.into_iter().map(|token| {
            let content = token["content"].as_str().unwrap_or_default();
            let id = self.vocabulary.id(content).unwrap_or_else(|| {
                next += 1;
                next - 1
            });
            let flag = |key: &str| token[key].as_bool();
            let special = flag("special").unwrap_or(false);
            json!({
                "id": id,
                "content": content,
                "single_word": flag("single_word").unwrap_or(false),
                "lstrip": flag("lstrip").unwrap_or(false),
                "rstrip": flag("rstrip").unwrap_or(false),
                "normalized": flag("normalized").unwrap_or(!special),
                "special": special,
            })
        });
        numbered.collect()
    }
}
