use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use pairmill_tables::{Lock, TableError};
use serde::{Deserialize, Serialize};

use crate::{Answer, LanguageModelError, Prompt, Result};

/// The answers of one file, JSON Lines, to which each new one is added as it comes.
#[derive(Debug)]
pub(crate) struct KeptAnswers {
    path: PathBuf,
    file: File,
    /// Bytes of the lines that are whole.
    end: u64,
    by_key: HashMap<String, Answer>,
    _lock: Lock,
}

/// What every line begins with.
const BEGINNING: &str = "{\"key\":\"";

/// A line of the file.
#[derive(Serialize, Deserialize)]
struct Line {
    /// Tells the prompt.
    key: String,
    #[serde(flatten)]
    answer: Answer,
}

impl KeptAnswers {
    /// Opens the file for this process alone, or makes it.
    pub fn open(path: &Path) -> Result<Self> {
        let unreadable = |source| LanguageModelError::Unreadable {
            path: path.to_owned(),
            source,
        };
        let lock = Lock::of_kept(path, path)?;
        let mut options = OpenOptions::new();
        let mut file = options
            .read(true)
            .write(true)
            .open(path)
            .map_err(unreadable)?;
        let mut text = String::new();
        file.read_to_string(&mut text).map_err(unreadable)?;
        // A kill may leave the last line in part.
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        let part = &text[whole..];
        if !part.starts_with(BEGINNING) && !BEGINNING.starts_with(part) {
            // Nothing of what is not ours is cut off.
            return Err(LanguageModelError::AnswersFile {
                path: path.to_owned(),
                line: text.lines().count(),
                detail: "it is no part of one either".to_owned(),
            });
        }
        let mut by_key = HashMap::new();
        for (at, line) in text[..whole].lines().enumerate() {
            let read: Line =
                serde_json::from_str(line).map_err(|error| LanguageModelError::AnswersFile {
                    path: path.to_owned(),
                    line: at + 1,
                    detail: error.to_string(),
                })?;
            by_key.insert(read.key, read.answer);
        }
        let mut kept = Self {
            path: path.to_owned(),
            file,
            end: whole as u64,
            by_key,
            _lock: lock,
        };
        kept.cut()?;
        Ok(kept)
    }

    /// Ends the file with its last whole line, and goes on there.
    fn cut(&mut self) -> Result<()> {
        let cut = self.file.set_len(self.end);
        let cut = cut.and_then(|()| self.file.seek(SeekFrom::Start(self.end)));
        cut.map(drop).map_err(|source| self.unwritable(source))
    }

    pub fn len(&self) -> u64 {
        self.by_key.len() as u64
    }

    pub fn get(&self, prompt: &Prompt) -> Option<&Answer> {
        self.by_key.get(&prompt.key())
    }

    /// Removes the file where it holds nothing: a run that failed at once leaves nothing.
    pub fn remove_if_empty(&self) {
        if self.by_key.is_empty() {
            let _ = fs::remove_file(&self.path);
        }
    }

    /// Keeps an answer, on disk too.
    pub fn add(&mut self, prompt: &Prompt, answer: Answer) -> Result<()> {
        let line = Line {
            key: prompt.key(),
            answer,
        };
        let mut text = serde_json::to_string(&line).unwrap_or_default();
        text.push('\n');
        if let Err(source) = self.file.write_all(text.as_bytes()) {
            // Where the disk is full, the next answer is not to go on in the middle of a line.
            let _ = self.cut();
            return Err(self.unwritable(source));
        }
        self.end += text.len() as u64;
        self.by_key.insert(line.key, line.answer);
        Ok(())
    }

    fn unwritable(&self, source: std::io::Error) -> LanguageModelError {
        let path = self.path.clone();
        TableError::Unwritable { path, source }.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Message, Role};

    fn prompt(content: &str) -> Prompt {
        Prompt {
            model: "small".to_owned(),
            messages: vec![Message {
                role: Role::User,
                content: content.to_owned(),
            }],
            temperature: None,
            max_tokens: 9,
            seed: 1,
        }
    }

    fn answer(text: &str) -> Answer {
        Answer {
            text: text.to_owned(),
            is_cut: false,
            prompt_tokens: 3,
            completion_tokens: 1,
        }
    }

    #[test]
    fn answers_stay_and_a_line_in_part_goes() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("answers.jsonl");
        let mut kept = KeptAnswers::open(&path).unwrap();
        kept.add(&prompt("a"), answer("1\n2")).unwrap();
        assert!(KeptAnswers::open(&path).is_err(), "in use");
        drop(kept);
        let whole = fs::read_to_string(&path).unwrap();
        fs::write(&path, format!("{whole}{{\"key\":\"half")).unwrap();
        let mut kept = KeptAnswers::open(&path).unwrap();
        assert_eq!(kept.get(&prompt("a")), Some(&answer("1\n2")));
        assert_eq!(kept.get(&prompt("b")), None);
        kept.add(&prompt("b"), answer("")).unwrap();
        drop(kept);
        assert_eq!(KeptAnswers::open(&path).unwrap().len(), 2);
    }

    #[test]
    fn what_is_no_answer_is_named_with_its_line() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("answers.jsonl");
        for text in ["{\"question\": 1}\n", "a note of my own", "\n"] {
            fs::write(&path, text).unwrap();
            let error = KeptAnswers::open(&path).unwrap_err().to_string();
            assert!(error.contains("line 1 is no answer"), "{error}");
            assert_eq!(fs::read_to_string(&path).unwrap(), text, "left as it was");
        }
    }
}
