use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// The hash of a seed, a purpose and a stable key: the only source of chance.
fn digest(seed: u64, purpose: &str, key: &[&[u8]]) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&seed.to_le_bytes());
    for part in std::iter::once(purpose.as_bytes()).chain(key.iter().copied()) {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    hasher.finalize()
}

/// A uniform 64-bit number that depends on the seed, the purpose and the key alone.
pub(crate) fn number(seed: u64, purpose: &str, key: &[&[u8]]) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = *digest(seed, purpose, key).as_bytes();
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}

/// A generator that depends on the seed, the purpose and the key alone.
pub(crate) fn generator(seed: u64, purpose: &str, key: &[&[u8]]) -> ChaCha8Rng {
    ChaCha8Rng::from_seed(*digest(seed, purpose, key).as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seed_purpose_and_every_border_between_key_parts_count() {
        let base = number(1, "split", &[b"ab", b"c"]);
        assert_eq!(base, number(1, "split", &[b"ab", b"c"]));
        assert_ne!(base, number(2, "split", &[b"ab", b"c"]));
        assert_ne!(base, number(1, "limit", &[b"ab", b"c"]));
        assert_ne!(base, number(1, "split", &[b"a", b"bc"]));
    }
}
