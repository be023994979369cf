//! What holds for any text, looked at on drawn ones.

use std::path::Path;

use pairmill_schema::{TextKey, draw};
use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;

use crate::{Drawn, KeptWords, METHODS, Refusal, Resources, WordNet, Words, variants};

/// What texts are drawn from: words, names, code, marks and what is neither.
const PIECES: [&str; 40] = [
    "parcel",
    "Parcels",
    "PACKAGE",
    "the",
    "a",
    "an",
    "mistake",
    "lost",
    "bought",
    "don't",
    "not",
    "iPhone",
    "Visa",
    "`a b`",
    "`",
    "``",
    "/etc/hosts",
    "me@example.org",
    "C++",
    "--force",
    "3.5",
    "2nd",
    "é",
    "cafe\u{301}",
    "日本",
    "🙂",
    "İ",
    "ß",
    "ǆ",
    "I",
    "I'm",
    "?",
    "...",
    "(",
    ")",
    "\"",
    "children",
    "show",
    "reply",
    "wrong",
];
const GAPS: [&str; 6] = [" ", "  ", "\n", "\u{a0}", ", ", ""];

fn text(chance: &mut ChaCha8Rng) -> String {
    let mut text = String::new();
    for _ in 0..chance.random_range(0..14) {
        text += PIECES.choose(chance).expect("there are pieces");
        text += GAPS.choose(chance).expect("there are gaps");
    }
    text
}

#[test]
fn a_wording_that_counts_is_another_text_with_all_that_must_stay() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/reference/wordnet");
    let resources = Resources {
        wordnet: Some(WordNet::shared(&folder).unwrap()),
        routes: Vec::new(),
    };
    let list = KeptWords::new(["reply", "lost the", "C++"]).unwrap();
    let mut chance = draw::generator(1, "properties", &[]);
    let mut counted = 0;
    for kind in METHODS.iter().filter(|kind| kind.rate.is_some()) {
        for round in 0..600u64 {
            let rate = [0.0, 0.3, 1.0][chance.random_range(0..3)];
            let method = kind.build(Some(rate), &resources).unwrap();
            let source = text(&mut chance);
            let words = Words::new(&source, &list);
            let drawn = Drawn {
                seed: round,
                method: kind.name,
                id: "id",
                number: 4,
            };
            let found = variants(&words, method.as_ref(), drawn).unwrap();
            assert_eq!(found, variants(&words, method.as_ref(), drawn).unwrap());
            let key = |text: &str| TextKey::new(text, method.sameness());
            let mut keys = vec![key(&source)];
            for variant in found {
                let place = format!("{} of {source:?}: {variant:?}", kind.name);
                assert_ne!(variant.refusal, Some(Refusal::KeptWordLost), "{place}");
                if variant.refusal.is_some() {
                    continue;
                }
                counted += 1;
                assert!(!variant.text.trim().is_empty(), "{place}");
                assert!(!keys.contains(&key(&variant.text)), "{place}");
                keys.push(key(&variant.text));
                let kept: Vec<&str> = words.kept().collect();
                assert!(in_order(&variant.text, &kept), "{place}");
            }
        }
    }
    assert!(counted > 1_000, "{counted}");
}

/// Whether a text has these parts one behind the other.
fn in_order(text: &str, parts: &[&str]) -> bool {
    let mut rest = text;
    parts.iter().all(|part| match rest.split_once(part) {
        Some((_, behind)) => {
            rest = behind;
            true
        }
        None => false,
    })
}
