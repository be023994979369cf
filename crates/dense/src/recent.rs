use rustc_hash::FxHashMap;

use crate::store::Key;

/// Bytes of embeddings that are remembered, twice over.
const BYTES: usize = 16 << 20;

/// The embeddings that were asked for lately: those of this while and, when it has become full, of
/// the while before.
pub(crate) struct Recent {
    capacity: usize,
    now: FxHashMap<Key, Box<[f32]>>,
    before: FxHashMap<Key, Box<[f32]>>,
}

impl Recent {
    pub fn new(dimension: usize) -> Self {
        Self {
            capacity: (BYTES / (dimension * size_of::<f32>())).max(1),
            now: FxHashMap::default(),
            before: FxHashMap::default(),
        }
    }

    pub fn get(&mut self, key: &Key) -> Option<&[f32]> {
        if let Some(embedding) = self.before.remove(key) {
            self.insert(*key, embedding);
        }
        self.now.get(key).map(AsRef::as_ref)
    }

    pub fn insert(&mut self, key: Key, embedding: Box<[f32]>) {
        if self.now.len() == self.capacity && !self.now.contains_key(&key) {
            self.before = std::mem::take(&mut self.now);
        }
        self.now.insert(key, embedding);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_stays_and_the_rest_goes() {
        let mut recent = Recent::new(BYTES / 4 / 10);
        assert_eq!(recent.capacity, 10);
        for number in 0..100 {
            recent.insert([number; 16], Box::from([f32::from(number)]));
            assert!(recent.get(&[0; 16]).is_some());
            assert!(recent.now.len() + recent.before.len() <= 20);
        }
        assert_eq!(recent.get(&[99; 16]), Some(&[99.0][..]));
        assert_eq!(recent.get(&[50; 16]), None);
    }
}
