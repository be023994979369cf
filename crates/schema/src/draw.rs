//! Draws that depend on a seed and on what is drawn for, and on nothing else.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// Returns a generator that depends on a seed and a number alone, such as that of an epoch or of a
/// resample.
pub fn seeded(seed: u64, number: u64) -> ChaCha8Rng {
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    generator.set_stream(number);
    generator
}

/// Returns the hash of a seed, a purpose and a stable key.
fn digest(seed: u64, purpose: &str, key: &[&[u8]]) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&seed.to_le_bytes());
    for part in std::iter::once(purpose.as_bytes()).chain(key.iter().copied()) {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    hasher.finalize()
}

/// Returns a uniform 64-bit number that depends on the seed, the purpose and the key alone.
pub fn number(seed: u64, purpose: &str, key: &[&[u8]]) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = *digest(seed, purpose, key).as_bytes();
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}

/// Returns a generator that depends on the seed, the purpose and the key alone.
pub fn generator(seed: u64, purpose: &str, key: &[&[u8]]) -> ChaCha8Rng {
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
