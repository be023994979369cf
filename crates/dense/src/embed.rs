use std::path::Path;

use rustc_hash::FxHashSet;

use crate::Result;
use crate::model::{Model, Side};
use crate::store::{Key, Store, key};

/// Texts embedded between two writes, which is what a kill may lose.
const WINDOW: usize = 1_024;
/// Bytes of texts among them.
const WINDOW_BYTES: usize = 16 << 20;

/// Texts, each with a number below their count, that a store may lack embeddings of.
pub(crate) trait Texts {
    fn key(&self, number: u32) -> Key;
    fn bytes(&self, number: u32) -> usize;
    fn text(&self, number: u32) -> Result<String>;
}

/// Embeds the texts of these numbers and adds them to the store. `embedded` hears how many more are
/// done.
pub(crate) fn complete(
    store: &mut Store,
    model: &Model,
    texts: &impl Texts,
    mut missing: &[u32],
    embedded: impl Fn(u64),
) -> Result<()> {
    while !missing.is_empty() {
        let (window, rest) = missing.split_at(window(texts, missing));
        let found = window.iter().map(|&number| texts.text(number));
        let found = found.collect::<Result<Vec<String>>>()?;
        let found: Vec<&str> = found.iter().map(String::as_str).collect();
        let keys: Vec<Key> = window.iter().map(|&number| texts.key(number)).collect();
        let embeddings = model.embed(&found, Side::Document, &embedded)?;
        store.append(&keys, &embeddings)?;
        missing = rest;
    }
    Ok(())
}

/// How many of the texts are embedded next.
fn window(texts: &impl Texts, missing: &[u32]) -> usize {
    let mut bytes = 0;
    let fits = |&&number: &&u32| {
        bytes += texts.bytes(number);
        bytes <= WINDOW_BYTES
    };
    missing.iter().take(WINDOW).take_while(fits).count().max(1)
}

/// Texts in memory.
struct Held<'a>(&'a [&'a str]);

impl Texts for Held<'_> {
    fn key(&self, number: u32) -> Key {
        key(self.0[number as usize])
    }

    fn bytes(&self, number: u32) -> usize {
        self.0[number as usize].len()
    }

    fn text(&self, number: u32) -> Result<String> {
        Ok(self.0[number as usize].to_owned())
    }
}

/// Embeds what a folder of the model's own below `folder` lacks of texts, as passages, and returns
/// the folder opened. `embedded` hears how many more texts are done, after it has heard once how
/// many are to be embedded.
///
/// # Errors
/// If a text cannot be embedded, the folder cannot be written, or another process is adding to it.
pub fn store_texts(
    folder: &Path,
    model: &Model,
    texts: &[&str],
    begin: impl FnOnce(u64),
    embedded: impl Fn(u64),
) -> Result<Store> {
    let mut store = Store::open(folder, &model.about(), model.encoder.dimension())?;
    let mut seen = FxHashSet::default();
    let mut is_missing = |number: &u32| {
        let key = key(texts[*number as usize]);
        store.row(&key).is_none() && seen.insert(key)
    };
    let numbers = 0..texts.len() as u32;
    let missing: Vec<u32> = numbers.filter(|number| is_missing(number)).collect();
    begin(missing.len() as u64);
    complete(&mut store, model, &Held(texts), &missing, embedded)?;
    store.share();
    Ok(store)
}
