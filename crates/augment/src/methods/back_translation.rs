use std::fs;
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use fxtranslate::engine::Engine;

use crate::method::Wordings;
use crate::{AugmentError, Method, Result, Words};

/// Letters of a text that a message shows.
const EXCERPT: usize = 60;

/// There and back through models that translate: a wording for each pair of models.
pub(crate) struct BackTranslation {
    pub routes: Vec<Route>,
}

/// A model from the language of the texts to another one, and a model back.
pub struct Route {
    there: Translator,
    back: Translator,
}

struct Translator {
    folder: PathBuf,
    engine: Engine,
}

impl Method for BackTranslation {
    fn wordings<'a>(&'a self, words: &'a Words<'a>) -> Wordings<'a> {
        Box::new(move |number, _| {
            if words.is_empty() {
                return Ok(None);
            }
            let route = &self.routes[number % self.routes.len()];
            let there = route.there.translate(words.text())?;
            route.back.translate(&there).map(Some)
        })
    }

    fn most(&self) -> Option<usize> {
        Some(self.routes.len())
    }
}

impl Route {
    /// Loads two of Firefox's translation models.
    ///
    /// # Errors
    /// If a folder does not hold one, or it is damaged.
    pub fn load(there: &Path, back: &Path) -> Result<Self> {
        Ok(Self {
            there: Translator::load(there)?,
            back: Translator::load(back)?,
        })
    }
}

impl Translator {
    fn load(folder: &Path) -> Result<Self> {
        let not_one = |detail: String| AugmentError::NoTranslator {
            folder: folder.to_owned(),
            detail,
        };
        #[cfg(target_arch = "x86_64")]
        if !std::is_x86_feature_detected!("avx2") {
            return Err(not_one(
                "this processor lacks AVX2, which translating needs".to_owned(),
            ));
        }
        let files = fs::read_dir(folder).map_err(|source| AugmentError::Unreadable {
            path: folder.to_owned(),
            source,
        })?;
        let names = files.filter_map(|file| file.ok()?.file_name().into_string().ok());
        let names: Vec<String> = names.collect();
        let one = |start: &str, end: &str| {
            let of = |name: &&String| name.starts_with(start) && name.ends_with(end);
            let mut found = names.iter().filter(of);
            match (found.next(), found.next()) {
                (Some(name), None) => Ok(folder.join(name)),
                (None, _) => Err(not_one(format!("it has no {start}*{end}"))),
                _ => Err(not_one(format!("it has several {start}*{end}"))),
            }
        };
        let model = one("model", ".bin")?;
        let vocabularies = match one("vocab", ".spm") {
            Ok(both) => [both.clone(), both],
            Err(error) => match (one("srcvocab", ".spm"), one("trgvocab", ".spm")) {
                (Ok(source), Ok(target)) => [source, target],
                _ => return Err(error),
            },
        };
        let [source, target] = vocabularies;
        // A damaged model makes the library panic, which is to end in a message and no trace.
        let hook = panic::take_hook();
        panic::set_hook(Box::new(|_| ()));
        let loaded = catch_unwind(AssertUnwindSafe(|| Engine::load(&model, &source, &target)));
        panic::set_hook(hook);
        match loaded {
            Ok(Ok(engine)) => Ok(Self {
                folder: folder.to_owned(),
                engine,
            }),
            Ok(Err(detail)) => Err(not_one(detail)),
            Err(_) => Err(not_one("the model is damaged".to_owned())),
        }
    }

    fn translate(&self, text: &str) -> Result<String> {
        let translated = catch_unwind(AssertUnwindSafe(|| self.engine.translate_long(text)));
        translated.map_err(|_| AugmentError::Translation {
            folder: self.folder.clone(),
            text: pairmill_schema::excerpt(text, EXCERPT),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_without_a_sound_model_is_named_with_what_is_wrong() {
        let dir = tempfile::tempdir().unwrap();
        let error = || {
            Route::load(dir.path(), dir.path())
                .err()
                .unwrap()
                .to_string()
        };
        assert!(error().contains("it has no model*.bin"), "{}", error());
        fs::write(dir.path().join("model.bin"), b"no model").unwrap();
        assert!(error().contains("it has no vocab*.spm"), "{}", error());
        fs::write(dir.path().join("vocab.spm"), b"no vocabulary").unwrap();
        assert!(
            error().contains(&dir.path().display().to_string()),
            "{}",
            error()
        );
        fs::write(dir.path().join("model.2.bin"), b"").unwrap();
        assert!(error().contains("several"), "{}", error());
        let missing = Route::load(Path::new("nowhere"), dir.path()).err().unwrap();
        assert!(
            matches!(missing, AugmentError::Unreadable { .. }),
            "{missing}"
        );
    }
}
