use std::collections::HashSet;
use std::sync::{LazyLock, Mutex};

/// Returns whether this process has not asked with these words before. An input is read several
/// times, and what is to be said of it is said once.
pub(crate) fn is_first_time(words: &str) -> bool {
    static SAID: LazyLock<Mutex<HashSet<String>>> = LazyLock::new(Mutex::default);
    SAID.lock()
        .is_ok_and(|mut said| said.insert(words.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_new_once() {
        let words = "what only this test says";
        assert_eq!([words, words].map(is_first_time), [true, false]);
    }
}
