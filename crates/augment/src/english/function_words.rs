use std::sync::LazyLock;

use rustc_hash::FxHashMap;

/// What a word that is no content says of the word behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// An article or the like: a noun or an adjective follows.
    Determiner,
    /// Who does something: a verb follows.
    Subject,
    /// `can`, `will`, `do`, `please`: a verb follows that is not inflected.
    Modal,
    /// `to`: a verb that is not inflected, or a noun.
    To,
    /// A form of `be`: no verb in the present follows.
    Be,
    /// A form of `have`: a participle or a noun follows.
    Have,
    /// `very`, `more`: an adjective or an adverb follows.
    Degree,
    /// `of`, `with`: a noun, an adjective or an -ing form follows.
    Preposition,
    /// `not`, `already`: what follows is told by the word before.
    Between,
    /// What follows may be anything.
    Other,
}

/// Words that are not replaced: stop words, and verbs that mean too much (`get`, `make`).
const WORDS: [(Role, &str); 10] = [
    (
        Role::Determiner,
        "a an the my your his its our their every each some any another several",
    ),
    (Role::Subject, "i you we they he she it who u"),
    (
        Role::Modal,
        "can could will would shall should may might must cannot do does did please let's lets \
         can't couldn't won't wouldn't shouldn't mustn't don't doesn't didn't cant couldnt wont \
         wouldnt dont doesnt didnt",
    ),
    (Role::To, "to"),
    (
        Role::Be,
        "am is are was were be been being isn't aren't wasn't weren't isnt arent wasnt werent i'm \
         you're we're they're he's she's it's that's there's what's who's where's im youre theyre \
         whats thats",
    ),
    (
        Role::Have,
        "have has had having haven't hasn't hadn't havent hasnt hadnt i've you've we've they've ive",
    ),
    (
        Role::Degree,
        "very too so quite rather more most less least as",
    ),
    (
        Role::Preposition,
        "of in on at by for with from about into over under after before between through during \
         without within against upon off onto per via since until till than across along among \
         around behind below beside besides beyond despite except inside near outside toward \
         towards",
    ),
    (
        Role::Between,
        "not never always already just also still even ever only really yet again now then often \
         sometimes soon once twice",
    ),
    (
        Role::Other,
        "and or nor but if because while when where why how what which whose whom that this these \
         those there here though although whether unless both either neither all none no nobody \
         nothing nowhere anybody anyone anything anywhere everybody everyone everything everywhere \
         somebody someone something somewhere one ones two three four five six seven eight nine \
         ten eleven twelve hundred thousand million billion first second third last next other \
         others else such same own me him her us them mine yours hers ours theirs myself yourself \
         himself herself itself ourselves themselves up down out away back like well much many few \
         little lot lots bit enough yes no ok okay hi hello hey thanks thank sorry maybe perhaps \
         however therefore thus etc vs via cannot gonna wanna \
         get gets getting got gotten go goes going went gone come comes coming came make makes \
         making made take takes taking took taken put puts putting let letting give gives giving \
         gave given keep keeps keeping kept set sets setting seem seems seemed become becomes \
         became done doing be thing things way ways stuff",
    ),
];

static ROLES: LazyLock<FxHashMap<&str, Role>> = LazyLock::new(|| {
    let mut roles = FxHashMap::default();
    for (role, words) in WORDS {
        for word in words.split_whitespace() {
            roles.entry(word).or_insert(role);
        }
    }
    roles
});

/// Returns what a word in small letters says of the word behind it, where it is no content.
pub(crate) fn role(word: &str) -> Option<Role> {
    match word.contains('’') {
        true => ROLES.get(word.replace('’', "'").as_str()).copied(),
        false => ROLES.get(word).copied(),
    }
}

/// Whether a word turns what is said into its contrary.
pub(crate) fn is_negation(word: &str) -> bool {
    let word = word.to_lowercase().replace('’', "'");
    let is_one = |one: &str| one == word;
    let short = "cant couldnt wont wouldnt dont doesnt didnt isnt arent wasnt werent havent hasnt";
    word.ends_with("n't")
        || "not no never none nobody nothing nowhere nor neither without cannot unless"
            .split(' ')
            .chain(short.split(' '))
            .any(is_one)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_have_their_roles() {
        assert_eq!(role("the"), Some(Role::Determiner));
        assert_eq!(role("don’t"), Some(Role::Modal));
        assert_eq!(role("not"), Some(Role::Between));
        assert_eq!(role("card"), None);
        assert!(is_negation("Don’t") && is_negation("NOT") && !is_negation("note"));
    }
}
