use std::path::PathBuf;
use std::sync::Arc;

use crate::methods::{
    BackTranslation, CASE, Case, DELETION, Deletion, Route, SWAP, SYNONYMS, Swap, Synonyms, TYPOS,
    Typos,
};
use crate::{AugmentError, Method, Result, WordNet};

/// What methods are made with.
#[derive(Debug, Clone, Default)]
pub struct Resources {
    /// The dictionary, if synonyms are wanted.
    pub wordnet: Option<Arc<WordNet>>,
    /// Folders of models that translate there and back.
    pub routes: Vec<(PathBuf, PathBuf)>,
}

/// Makes a method with a rate.
type Build = fn(f64, &Resources) -> Result<Box<dyn Method>>;

/// A method by its name.
pub struct MethodKind {
    /// What it is called.
    pub name: &'static str,
    /// The share of the words that may be changed and are, unless the user says otherwise; nothing
    /// where a text is changed as a whole.
    pub rate: Option<f64>,
    build: Build,
}

/// All methods, in the order of `--help`.
pub const METHODS: &[MethodKind] = &[
    kind("synonyms", Some(SYNONYMS), synonyms),
    kind("typos", Some(TYPOS), |rate, _| Ok(Box::new(Typos { rate }))),
    kind("case", Some(CASE), |rate, _| Ok(Box::new(Case { rate }))),
    kind("delete", Some(DELETION), |rate, _| {
        Ok(Box::new(Deletion { rate }))
    }),
    kind("swap", Some(SWAP), |rate, _| Ok(Box::new(Swap { rate }))),
    kind("back-translation", None, back_translation),
];

const fn kind(name: &'static str, rate: Option<f64>, build: Build) -> MethodKind {
    MethodKind { name, rate, build }
}

fn synonyms(rate: f64, resources: &Resources) -> Result<Box<dyn Method>> {
    let wordnet = resources.wordnet.clone().ok_or(AugmentError::Needs {
        method: "synonyms",
        what: "a dictionary; give its folder with --wordnet",
    })?;
    Ok(Box::new(Synonyms { rate, wordnet }))
}

fn back_translation(_: f64, resources: &Resources) -> Result<Box<dyn Method>> {
    let routes = resources.routes.iter();
    let routes = routes.map(|(there, back)| Route::load(there, back));
    let routes: Vec<Route> = routes.collect::<Result<_>>()?;
    match routes.is_empty() {
        true => Err(AugmentError::Needs {
            method: "back-translation",
            what: "two models; give their folders with --translate THERE,BACK",
        }),
        false => Ok(Box::new(BackTranslation { routes })),
    }
}

/// Returns the method of this name.
pub fn method_kind(name: &str) -> Option<&'static MethodKind> {
    METHODS.iter().find(|kind| kind.name == name)
}

impl MethodKind {
    /// Makes the method, with another rate than its own if one is given.
    ///
    /// # Errors
    /// If it lacks what it needs.
    pub fn build(&self, rate: Option<f64>, resources: &Resources) -> Result<Box<dyn Method>> {
        (self.build)(rate.or(self.rate).unwrap_or(1.0), resources)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_says_what_it_lacks() {
        for name in ["synonyms", "back-translation"] {
            let method = method_kind(name)
                .unwrap()
                .build(None, &Resources::default());
            let error = method.err().unwrap().to_string();
            assert!(error.contains(name) && error.contains("--"), "{error}");
        }
        assert!(method_kind("mood").is_none());
    }
}
