//! The forms of nouns, verbs and adjectives, and the words that a form is one of.

use super::irregular;
use crate::wordnet::{Exceptions, Pos, WordNet};

/// A word that a form may be one of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reading {
    pub base: String,
    pub pos: Pos,
    pub form: Form,
}

/// A form of a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// As a dictionary has it.
    Plain,
    /// Of a noun.
    Plural,
    /// Of a verb with `he`.
    Third,
    /// Of a verb, such as `took`.
    Past,
    /// Of a verb, such as `taken`.
    Participle,
    /// Of a verb, such as `taking`.
    Gerund,
    /// Of an adjective, such as `larger`.
    Comparative,
    /// Of an adjective, such as `largest`.
    Superlative,
}

/// Returns a form of a word, or nothing where it has none or none that is sure.
pub(crate) fn inflect(base: &str, pos: Pos, form: Form, exceptions: &Exceptions) -> Option<String> {
    if form == Form::Plain {
        return Some(base.to_owned());
    }
    let by_rule = match (pos, form) {
        (Pos::Noun, Form::Plural) => match irregular::plural(base) {
            Some(plural) => return Some(plural.to_owned()),
            None => plural(base),
        },
        (Pos::Verb, Form::Third) => return Some(third(base)),
        (Pos::Verb, Form::Gerund) => gerund(base),
        (Pos::Verb, Form::Past | Form::Participle) => match irregular::verb(base) {
            Some((past, participle)) => {
                let one = if form == Form::Past { past } else { participle };
                return Some(one.to_owned());
            }
            None => past(base),
        },
        (Pos::Adjective, Form::Comparative) => compared(base, "er")?,
        (Pos::Adjective, Form::Superlative) => compared(base, "est")?,
        _ => return None,
    };
    let listed = exceptions.forms(base);
    let is_sure = match (pos, form) {
        _ if listed.is_empty() || listed.iter().any(|one| **one == *by_rule) => true,
        // Another form of this word may be the one that is listed.
        (Pos::Verb, Form::Gerund) => !listed.iter().any(|one| one.ends_with("ing")),
        (Pos::Verb, _) => listed.iter().all(|one| one.ends_with("ing")),
        (Pos::Adjective, _) => false,
        _ => match listed {
            [one] => return Some(one.to_string()),
            _ => false,
        },
    };
    is_sure.then_some(by_rule)
}

/// Returns what a word in small letters may be a form of, of the words of the dictionary.
pub(crate) fn readings(word: &str, wordnet: &WordNet) -> Vec<Reading> {
    let mut found = Vec::new();
    for pos in Pos::ALL {
        if wordnet.has(word, pos) {
            add(&mut found, word, pos, Form::Plain);
        }
    }
    for base in irregular::verbs_of(word) {
        if let Some((past, participle)) = irregular::verb(base)
            && wordnet.has(base, Pos::Verb)
        {
            for (form, letters) in [(Form::Past, past), (Form::Participle, participle)] {
                if letters == word {
                    add(&mut found, base, Pos::Verb, form);
                }
            }
        }
    }
    for pos in Pos::ALL {
        for base in wordnet.exceptions(pos).bases(word) {
            if wordnet.has(base, pos) {
                for &form in forms_of_exception(word, base, pos) {
                    add(&mut found, base, pos, form);
                }
            }
        }
    }
    if let Some(base) = irregular::singular(word)
        && wordnet.has(base, Pos::Noun)
    {
        add(&mut found, base, Pos::Noun, Form::Plural);
    }
    for (base, pos, forms) in stripped(word) {
        if !wordnet.has(&base, pos) {
            continue;
        }
        let exceptions = wordnet.exceptions(pos);
        for &form in forms {
            let is_one = inflect(&base, pos, form, exceptions).is_some_and(|one| one == word);
            if is_one || is_british(&base, pos, form, word) {
                add(&mut found, &base, pos, form);
            }
        }
    }
    found
}

fn add(found: &mut Vec<Reading>, base: &str, pos: Pos, form: Form) {
    let reading = Reading {
        base: base.to_owned(),
        pos,
        form,
    };
    if !found.contains(&reading) {
        found.push(reading);
    }
}

/// Which forms an exception may be: the dictionary does not say.
fn forms_of_exception(form: &str, base: &str, pos: Pos) -> &'static [Form] {
    match pos {
        Pos::Noun => &[Form::Plural],
        Pos::Verb if form.ends_with("ing") => &[Form::Gerund],
        Pos::Verb if irregular::verb(base).is_some() => &[],
        Pos::Verb if form.ends_with('s') => &[Form::Third],
        Pos::Verb => &[Form::Past, Form::Participle],
        Pos::Adjective if form.ends_with("er") => &[Form::Comparative],
        Pos::Adjective if form.ends_with("est") => &[Form::Superlative],
        _ => &[],
    }
}

/// Whether a form doubles an `l`, as in `cancelled`.
fn is_british(base: &str, pos: Pos, form: Form, word: &str) -> bool {
    let end = match form {
        Form::Past | Form::Participle => "led",
        Form::Gerund => "ling",
        _ => return false,
    };
    pos == Pos::Verb && base.ends_with('l') && word.strip_suffix(end) == Some(base)
}

const PAST: &[Form] = &[Form::Past, Form::Participle];

/// The words that a regular form may come from, right or wrong.
fn stripped(word: &str) -> Vec<(String, Pos, &'static [Form])> {
    let mut found: Vec<(String, Pos, &'static [Form])> = Vec::new();
    let mut add = |base: String, pos, forms| {
        if base.len() > 1 {
            found.push((base, pos, forms));
        }
    };
    let with = |stem: &str, end: &str| format!("{stem}{end}");
    if let Some(stem) = word.strip_suffix('s') {
        let mut bases = vec![stem.to_owned()];
        if let Some(stem) = stem.strip_suffix('e') {
            bases.push(stem.to_owned());
            if let Some(stem) = stem.strip_suffix('i') {
                bases.push(with(stem, "y"));
            }
            if let Some(stem) = stem.strip_suffix('s') {
                bases.push(with(stem, "sis"));
            }
        }
        for base in bases {
            add(base.clone(), Pos::Noun, &[Form::Plural]);
            add(base, Pos::Verb, &[Form::Third]);
        }
    }
    if let Some(stem) = word.strip_suffix("men") {
        add(with(stem, "man"), Pos::Noun, &[Form::Plural]);
    }
    let ends: [(&str, Pos, &'static [Form]); 4] = [
        ("ed", Pos::Verb, PAST),
        ("ing", Pos::Verb, &[Form::Gerund]),
        ("er", Pos::Adjective, &[Form::Comparative]),
        ("est", Pos::Adjective, &[Form::Superlative]),
    ];
    for (end, pos, forms) in ends {
        let Some(stem) = word.strip_suffix(end) else {
            continue;
        };
        add(stem.to_owned(), pos, forms);
        add(with(stem, "e"), pos, forms);
        if let Some(stem) = stem.strip_suffix('i') {
            add(with(stem, "y"), pos, forms);
        }
        if let Some(stem) = stem.strip_suffix('y') {
            add(with(stem, "ie"), pos, forms);
        }
        if let Some(stem) = stem.strip_suffix('k') {
            add(stem.to_owned(), pos, forms);
        }
        let mut letters = stem.chars().rev();
        if let (Some(last), Some(before)) = (letters.next(), letters.next())
            && last == before
            && last.is_ascii()
        {
            add(stem[..stem.len() - 1].to_owned(), pos, forms);
        }
    }
    found
}

fn plural(noun: &str) -> String {
    const MAN: [&str; 6] = ["human", "german", "roman", "shaman", "talisman", "ottoman"];
    if let Some(stem) = noun.strip_suffix("sis") {
        return format!("{stem}ses");
    }
    if let Some(stem) = noun.strip_suffix("man")
        && !MAN.iter().any(|man| noun.ends_with(man))
    {
        return format!("{stem}men");
    }
    with_s(noun)
}

fn third(verb: &str) -> String {
    match verb {
        "be" => "is".to_owned(),
        "have" => "has".to_owned(),
        _ if verb.ends_with('o') && !ends_in_vowels(verb) => format!("{verb}es"),
        _ => with_s(verb),
    }
}

fn with_s(word: &str) -> String {
    let hisses = ["s", "x", "z", "ch", "sh"];
    if hisses.iter().any(|end| word.ends_with(end)) {
        return format!("{word}es");
    }
    match word.strip_suffix('y') {
        Some(stem) if !stem.ends_with(is_vowel) && !stem.is_empty() => format!("{stem}ies"),
        _ => format!("{word}s"),
    }
}

fn past(verb: &str) -> String {
    with_ending(verb, "ed")
}

fn gerund(verb: &str) -> String {
    if let Some(stem) = verb.strip_suffix("ie") {
        return format!("{stem}ying");
    }
    let keeps_e = ["ee", "oe", "ye"].iter().any(|end| verb.ends_with(end)) || verb.len() <= 2;
    match verb.strip_suffix('e') {
        Some(stem) if !keeps_e => format!("{stem}ing"),
        Some(_) => format!("{verb}ing"),
        None if verb.ends_with('y') => format!("{verb}ing"),
        None => with_ending(verb, "ing"),
    }
}

/// The comparative or superlative of a short adjective.
fn compared(adjective: &str, ending: &str) -> Option<String> {
    let listed = match adjective {
        "good" | "well" => Some(("better", "best")),
        "bad" | "ill" => Some(("worse", "worst")),
        "far" => Some(("farther", "farthest")),
        _ => None,
    };
    if let Some((comparative, superlative)) = listed {
        let is_comparative = ending == "er";
        return Some(
            if is_comparative {
                comparative
            } else {
                superlative
            }
            .to_owned(),
        );
    }
    let is_short = match syllables(adjective) {
        1 => true,
        2 => ["y", "le", "ow"].iter().any(|end| adjective.ends_with(end)),
        _ => false,
    };
    is_short.then(|| with_ending(adjective, ending))
}

/// Adds `ed`, `ing`, `er` or `est`: a silent `e` is left out, `y` becomes `i` unless `ing` follows,
/// the last letter is doubled behind one short vowel that is stressed.
fn with_ending(word: &str, ending: &str) -> String {
    if let Some(stem) = word.strip_suffix('e') {
        return format!("{stem}{ending}");
    }
    if let Some(stem) = word.strip_suffix('y')
        && !stem.ends_with(is_vowel)
    {
        return format!("{stem}i{ending}");
    }
    if word.ends_with("ic") {
        return format!("{word}k{ending}");
    }
    match word.chars().next_back() {
        Some(last) if is_doubled(word) => format!("{word}{last}{ending}"),
        _ => format!("{word}{ending}"),
    }
}

fn is_doubled(word: &str) -> bool {
    let mut letters = word.chars().rev();
    let (Some(last), Some(vowel)) = (letters.next(), letters.next()) else {
        return false;
    };
    let (before, further) = (letters.next(), letters.next());
    if is_vowel(last) || "wxyh".contains(last) || !is_vowel(vowel) {
        return false;
    }
    // The `u` behind a `q` is no vowel of its own: `quit`, `equip`.
    let is_alone = match before {
        Some('u') => further == Some('q'),
        Some(before) => !is_vowel(before),
        None => true,
    };
    is_alone && (syllables(word) == 1 || irregular::is_doubled(word))
}

/// About how many syllables a word has: groups of vowels, without a silent `e`.
fn syllables(word: &str) -> usize {
    let mut count = 0;
    let (mut before, mut was_one) = (' ', false);
    for letter in word.chars() {
        let is_one = (is_vowel(letter) || letter == 'y') && !(letter == 'u' && before == 'q');
        count += usize::from(is_one && !was_one);
        (before, was_one) = (letter, is_one);
    }
    let is_silent = word.ends_with('e') && !word.ends_with("le") && count > 1;
    count - usize::from(is_silent)
}

fn is_vowel(letter: char) -> bool {
    matches!(letter, 'a' | 'e' | 'i' | 'o' | 'u')
}

/// Whether a word ends in two vowels.
fn ends_in_vowels(word: &str) -> bool {
    let mut letters = word.chars().rev();
    letters.next().is_some_and(is_vowel) && letters.next().is_some_and(is_vowel)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(base: &str, pos: Pos, form: Form) -> String {
        inflect(base, pos, form, &Exceptions::default()).unwrap_or_else(|| "-".to_owned())
    }

    #[test]
    fn nouns_have_plurals() {
        for (noun, plural) in [
            ("card", "cards"),
            ("box", "boxes"),
            ("city", "cities"),
            ("day", "days"),
            ("analysis", "analyses"),
            ("child", "children"),
            ("woman", "women"),
            ("human", "humans"),
            ("match", "matches"),
        ] {
            assert_eq!(form(noun, Pos::Noun, Form::Plural), plural);
        }
    }

    #[test]
    fn verbs_have_their_forms() {
        for (verb, third, past, participle, gerund) in [
            ("stop", "stops", "stopped", "stopped", "stopping"),
            (
                "transfer",
                "transfers",
                "transferred",
                "transferred",
                "transferring",
            ),
            ("visit", "visits", "visited", "visited", "visiting"),
            ("cancel", "cancels", "canceled", "canceled", "canceling"),
            ("try", "tries", "tried", "tried", "trying"),
            ("pay", "pays", "paid", "paid", "paying"),
            ("delay", "delays", "delayed", "delayed", "delaying"),
            ("tie", "ties", "tied", "tied", "tying"),
            ("agree", "agrees", "agreed", "agreed", "agreeing"),
            ("charge", "charges", "charged", "charged", "charging"),
            ("take", "takes", "took", "taken", "taking"),
            ("go", "goes", "went", "gone", "going"),
            ("fix", "fixes", "fixed", "fixed", "fixing"),
            ("quit", "quits", "quit", "quit", "quitting"),
            ("equip", "equips", "equipped", "equipped", "equipping"),
            ("need", "needs", "needed", "needed", "needing"),
            ("open", "opens", "opened", "opened", "opening"),
            ("panic", "panics", "panicked", "panicked", "panicking"),
            ("show", "shows", "showed", "shown", "showing"),
        ] {
            let forms = [Form::Third, Form::Past, Form::Participle, Form::Gerund];
            let found = forms.map(|one| form(verb, Pos::Verb, one));
            assert_eq!(found, [third, past, participle, gerund]);
        }
    }

    #[test]
    fn short_adjectives_are_compared_and_long_ones_are_not() {
        for (adjective, comparative) in [
            ("large", "larger"),
            ("big", "bigger"),
            ("happy", "happier"),
            ("new", "newer"),
            ("simple", "simpler"),
            ("good", "better"),
            ("useful", "-"),
            ("expensive", "-"),
        ] {
            assert_eq!(
                form(adjective, Pos::Adjective, Form::Comparative),
                comparative
            );
        }
        assert_eq!(form("big", Pos::Adjective, Form::Superlative), "biggest");
    }

    #[test]
    fn what_a_dictionary_lists_counts_where_a_rule_says_otherwise() {
        let mut listed = Exceptions::default();
        listed.add("oxen", "oxx");
        assert_eq!(
            inflect("oxx", Pos::Noun, Form::Plural, &listed).unwrap(),
            "oxen"
        );
        // Past or participle: the list does not say.
        listed.add("clove", "cleeve");
        assert_eq!(inflect("cleeve", Pos::Verb, Form::Past, &listed), None);
        assert_eq!(
            inflect("cleeve", Pos::Verb, Form::Gerund, &listed).unwrap(),
            "cleeving"
        );
    }
}
