use pairmill_schema::hash_key;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::error::Result;
use pairmill_retrieval::Embeddings;

/// Stands for a text.
type Key = [u8; 16];

fn key(text: &str) -> Key {
    hash_key(text.as_bytes())
}

/// The texts that a corpus holds more than once.
#[derive(Debug, Default)]
pub(crate) struct EqualTexts {
    seen: FxHashSet<Key>,
    repeated: FxHashSet<Key>,
}

impl EqualTexts {
    pub fn add(&mut self, text: &str) {
        let key = key(text);
        if !self.seen.insert(key) {
            self.repeated.insert(key);
        }
    }

    /// Returns what is still to be known when all texts were added.
    pub fn finish(mut self) -> Self {
        self.seen = FxHashSet::default();
        self
    }
}

/// Embeds block after block so that equal texts have one embedding, to the last bit, in whichever
/// blocks they come.
pub(crate) struct EmbedOnce<'a> {
    texts: &'a EqualTexts,
    known: FxHashMap<Key, Vec<f32>>,
}

impl<'a> EmbedOnce<'a> {
    pub fn new(texts: &'a EqualTexts) -> Self {
        Self {
            texts,
            known: FxHashMap::default(),
        }
    }

    pub fn embed(
        &mut self,
        texts: &[&str],
        embed: impl FnOnce(&[&str]) -> Result<Embeddings>,
    ) -> Result<Embeddings> {
        if self.texts.repeated.is_empty() {
            return embed(texts);
        }
        let keys: Vec<Option<Key>> = texts
            .iter()
            .map(|text| Some(key(text)).filter(|key| self.texts.repeated.contains(key)))
            .collect();
        let is_known = |key: &Option<Key>| key.is_some_and(|key| self.known.contains_key(&key));
        let new: Vec<usize> = (0..texts.len()).filter(|&n| !is_known(&keys[n])).collect();
        if new.len() == texts.len() {
            let found = embed(texts)?;
            self.keep(&keys, &found);
            return Ok(found);
        }
        let of_new: Vec<&str> = new.iter().map(|&n| texts[n]).collect();
        let found = embed(&of_new)?;
        let mut rows = found.rows();
        let mut values = Vec::with_capacity(texts.len() * found.dimension());
        for key in &keys {
            match key.and_then(|key| self.known.get(&key)) {
                Some(known) => values.extend(known),
                None => values.extend(rows.next().into_iter().flatten()),
            }
        }
        let all = Embeddings::new(values, found.dimension());
        let all = all.expect("what was finite before is finite");
        self.keep(&keys, &all);
        Ok(all)
    }

    fn keep(&mut self, keys: &[Option<Key>], embeddings: &Embeddings) {
        for (key, row) in keys.iter().zip(embeddings.rows()) {
            if let Some(key) = key {
                self.known.entry(*key).or_insert_with(|| row.to_vec());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_comes_again_has_the_embedding_that_it_had() {
        let blocks: [&[&str]; 3] = [&["a", "b"], &["c", "a"], &["a", "b", "d"]];
        let mut repeated = EqualTexts::default();
        blocks.concat().iter().for_each(|text| repeated.add(text));
        let repeated = repeated.finish();
        let mut once = EmbedOnce::new(&repeated);
        let mut calls = Vec::new();
        let found: Vec<Vec<f32>> = (0u8..)
            .zip(blocks)
            .map(|(block, texts)| {
                let embeddings = once.embed(texts, |texts| {
                    calls.push(texts.join(""));
                    let value = |text: &&str| [f32::from(text.as_bytes()[0]), f32::from(block)];
                    Ok(Embeddings::new(texts.iter().flat_map(value).collect(), 2).unwrap())
                });
                embeddings.unwrap().rows().flatten().copied().collect()
            })
            .collect();
        assert_eq!(calls, ["ab", "c", "d"]);
        assert_eq!(found[0], [97.0, 0.0, 98.0, 0.0]);
        assert_eq!(found[1], [99.0, 1.0, 97.0, 0.0]);
        assert_eq!(found[2], [97.0, 0.0, 98.0, 0.0, 100.0, 2.0]);
    }
}
