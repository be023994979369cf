use std::collections::HashMap;
use std::collections::hash_map::Entry;

use pairmill_augment::{Drawn, KeptWords, Refusal, Words, variants};
use pairmill_cli::Progress;
use pairmill_schema::{Sameness, TextKey};
use rayon::prelude::*;

use super::config::Named;
use super::rows::Sources;
use crate::Result;

/// A wording of a source's text.
#[derive(Debug)]
pub(super) struct Wording {
    /// The number of the source.
    pub source: usize,
    /// The number of the method.
    pub method: usize,
    /// Its number among those of the source and the method, from 1.
    pub number: usize,
    pub text: String,
    /// What it shares with texts that are the same as it in the method's sense.
    pub key: TextKey,
    /// The cosine of it and its source, where a model was asked.
    pub similarity: Option<f32>,
    pub refusal: Option<Refusal>,
    /// What it is like instead: the id of a source, or a category or text that is nearer.
    pub other: Option<String>,
}

impl Wording {
    pub fn refuse(&mut self, refusal: Refusal, other: Option<String>) {
        self.refusal = Some(refusal);
        self.other = other;
    }

    pub fn is_left(&self) -> bool {
        self.refusal.is_none()
    }
}

/// Makes the wordings of all sources, in the order of the sources and of the methods.
pub(super) fn wordings(
    sources: &Sources,
    methods: &[Named],
    kept: &KeptWords,
    (seed, per_row): (u64, usize),
) -> Result<Vec<Wording>> {
    let count = sources.sources.len();
    let progress = Progress::new("wording", "texts", Some(count as u64));
    let of_source = |source: usize| -> Result<Vec<Wording>> {
        let words = Words::new(sources.text(source), kept);
        let mut all = Vec::with_capacity(methods.len() * per_row);
        for (method, named) in methods.iter().enumerate() {
            let drawn = Drawn {
                seed,
                method: named.name,
                id: sources.id(source),
                number: per_row,
            };
            let found = variants(&words, named.method.as_ref(), drawn)?;
            all.extend(found.into_iter().map(|variant| Wording {
                source,
                method,
                number: variant.number,
                text: variant.text,
                key: variant.key,
                similarity: None,
                refusal: variant.refusal,
                other: None,
            }));
        }
        progress.inc(1);
        Ok(all)
    };
    let all: Vec<Vec<Wording>> = (0..count)
        .into_par_iter()
        .map(of_source)
        .collect::<Result<_>>()?;
    Ok(all.into_iter().flatten().collect())
}

/// What a wording shares with the texts that are equivalent to it.
fn equivalent(wording: &Wording, methods: &[Named]) -> TextKey {
    match methods[wording.method].method.sameness() {
        Sameness::Equivalent => wording.key,
        _ => TextKey::equivalent(&wording.text),
    }
}

/// Refuses wordings that are the same as the text of another source.
pub(super) fn refuse_other_texts(sources: &Sources, methods: &[Named], wordings: &mut [Wording]) {
    let count = sources.sources.len();
    let keys: Vec<TextKey> = (0..count)
        .into_par_iter()
        .map(|source| TextKey::equivalent(sources.text(source)))
        .collect();
    let mut first: HashMap<TextKey, usize> = HashMap::with_capacity(count);
    for (source, key) in keys.iter().enumerate() {
        first.entry(*key).or_insert(source);
    }
    wordings
        .par_iter_mut()
        .filter(|wording| wording.is_left())
        .for_each(|wording| {
            let key = equivalent(wording, methods);
            if key == keys[wording.source] {
                return;
            }
            if let Some(&source) = first.get(&key) {
                wording.refuse(Refusal::OtherText, Some(sources.id(source).to_owned()));
            }
        });
}

/// Refuses wordings that are the same as a text that is held out.
pub(super) fn refuse_held_out(
    held_out: &HashMap<TextKey, String>,
    methods: &[Named],
    wordings: &mut [Wording],
) {
    for wording in wordings.iter_mut().filter(|wording| wording.is_left()) {
        if let Some(input) = held_out.get(&equivalent(wording, methods)) {
            wording.refuse(Refusal::HeldOut, Some(input.clone()));
        }
    }
}

/// Refuses all but the first of those that are the same, whatever their sources and methods.
pub(super) fn refuse_repeated(sources: &Sources, methods: &[Named], wordings: &mut [Wording]) {
    let mut first: HashMap<(Sameness, TextKey), usize> = HashMap::new();
    let mut left: Vec<&mut Wording> = wordings
        .iter_mut()
        .filter(|wording| wording.is_left())
        .collect();
    // By number, so that more wordings of each text begin with the same ones.
    left.sort_by_key(|wording| wording.number);
    for wording in left {
        let sameness = methods[wording.method].method.sameness();
        match first.entry((sameness, wording.key)) {
            Entry::Vacant(free) => {
                free.insert(wording.source);
            }
            Entry::Occupied(earlier) => {
                let other = sources.id(*earlier.get()).to_owned();
                wording.refuse(Refusal::Repeated, Some(other));
            }
        }
    }
}
