//! Which part of speech a word is, by its form, by the word before it and by how often it is each.

use super::function_words::{Role, role};
use super::inflection::{Form, Reading};
use crate::Words;
use crate::wordnet::{Pos, WordNet};

/// How many times as often a word must be one part of speech as any other.
const CLEARLY: u32 = 2;
/// How far the word that says what follows may stand before it, across `not` and `already`.
const FARTHEST: usize = 3;

/// What a word is taken for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Chosen {
    pub base: String,
    pub pos: Pos,
    /// The forms that it may be, where they are spelled alike.
    pub forms: Vec<Form>,
}

/// Returns what the word before says of a word, within a sentence.
pub(crate) fn expected(words: &Words<'_>, number: usize) -> Option<Role> {
    for before in (0..number).rev().take(FARTHEST) {
        if words.word(before + 1).begins || !words.between(before).trim().is_empty() {
            return None;
        }
        let letters = words.letters(before).to_lowercase();
        match role(&letters)? {
            Role::Between => {}
            other => return Some(other),
        }
    }
    None
}

/// Returns what a word is taken for, of what it may be: what may stand there, and is said clearly
/// more often than anything else. Nothing where that does not decide.
pub(crate) fn choose(
    readings: Vec<Reading>,
    expected: Option<Role>,
    wordnet: &WordNet,
) -> Option<Chosen> {
    let may_stand = readings
        .into_iter()
        .filter(|reading| fits(reading, expected));
    let may_stand: Vec<Reading> = may_stand.collect();
    let uses = |reading: &Reading| wordnet.uses(&reading.base, reading.pos);
    let best = |pos: Pos| {
        let of = may_stand.iter().filter(|reading| reading.pos == pos);
        of.map(&uses).max()
    };
    let mut found: Vec<(u32, Pos)> = Pos::ALL
        .into_iter()
        .filter_map(|pos| Some((best(pos)?, pos)))
        .collect();
    found.sort_by_key(|&(uses, _)| std::cmp::Reverse(uses));
    let pos = match found[..] {
        [] => return None,
        [(_, only)] => only,
        [(first, pos), (second, _), ..] if first > 0 && first >= CLEARLY * second => pos,
        _ => return None,
    };
    let of = may_stand.iter().filter(|reading| reading.pos == pos);
    // The first of equal ones: the word itself comes before what it may be a form of.
    let base = of
        .clone()
        .rev()
        .max_by_key(|reading| uses(reading))?
        .base
        .clone();
    let forms = of
        .filter(|reading| reading.base == base)
        .map(|reading| reading.form);
    Some(Chosen {
        forms: forms.collect(),
        base,
        pos,
    })
}

fn fits(reading: &Reading, expected: Option<Role>) -> bool {
    let Some(expected) = expected else {
        return true;
    };
    let (pos, form) = (reading.pos, reading.form);
    let is_present = pos == Pos::Verb && matches!(form, Form::Plain | Form::Third);
    match expected {
        Role::Determiner => matches!(pos, Pos::Noun | Pos::Adjective),
        Role::Subject => match pos {
            Pos::Verb => matches!(form, Form::Plain | Form::Third | Form::Past),
            pos => pos == Pos::Adverb,
        },
        Role::Modal => match pos {
            Pos::Verb => form == Form::Plain,
            pos => pos == Pos::Adverb,
        },
        Role::To => match pos {
            Pos::Verb => form == Form::Plain,
            pos => pos != Pos::Adverb,
        },
        Role::Be => !is_present && form != Form::Past,
        Role::Have => pos != Pos::Verb || form == Form::Participle,
        Role::Degree => matches!(pos, Pos::Adjective | Pos::Adverb),
        Role::Preposition => match pos {
            Pos::Verb => form == Form::Gerund,
            pos => pos != Pos::Adverb,
        },
        Role::Between | Role::Other => true,
    }
}
