//! Texts for tests of what must hold of any.

use proptest::prelude::*;

/// What makes texts the same or tells them apart: white space, marks, cases and compositions.
const PIECES: &[&str] = &[
    " ",
    "  ",
    "\n",
    "\u{a0}",
    "\u{200b}",
    "\u{ad}",
    ".",
    "...",
    "?",
    "!",
    "-",
    "--",
    "'",
    "\"",
    "’",
    "“",
    "(",
    ")",
    "[]",
    "/",
    ":",
    ",",
    "+",
    "#",
    "$",
    "%",
    "_",
    "a",
    "B",
    "the",
    "İ",
    "ß",
    "Σ",
    "ﬁ",
    "é",
    "e\u{301}",
    "\u{301}",
    "1",
    "2.5",
    "²",
    "Ａ",
    "ｶﾞ",
    "你好",
    "。",
    "ไทย",
    "한글",
    "क्या",
    "।",
    "👍",
    "\u{fe0f}",
    "\u{2764}",
];

/// Makes texts of pieces that count, and any letters now and then.
pub(crate) fn odd_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        8 => prop::sample::select(PIECES).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..16).prop_map(|pieces| pieces.concat())
}
