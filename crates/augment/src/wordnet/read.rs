//! Reading the files that wndb(5WN), senseidx(5WN) and cntlist(5WN) describe.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rustc_hash::FxHashMap;

use super::{Exceptions, Part, Pos, Sense, WordNet};
use crate::{AugmentError, Result};

/// Letters of a line that a message shows.
const EXCERPT: usize = 60;

/// How often each sense of a word was met, by part of speech and word: the number of the sense,
/// from 1, and how often.
type Counts = [FxHashMap<Box<str>, Vec<(usize, u32)>>; 4];

impl WordNet {
    /// Reads the dictionary in a folder: `index.noun`, `data.noun` and those of the other parts of
    /// speech, and where they are there `noun.exc` and the like, and `cntlist.rev` or
    /// `index.sense`.
    ///
    /// # Errors
    /// If a file is missing or not in WordNet's format, or there is no word.
    pub fn read(folder: &Path) -> Result<Self> {
        let counts = match File::optional(folder.join("cntlist.rev"))? {
            Some(file) => Some(counts(&file, 1)?),
            None => match File::optional(folder.join("index.sense"))? {
                Some(file) => Some(counts(&file, 2)?),
                None => None,
            },
        };
        let mut has_exceptions = true;
        let mut part = |pos: Pos| -> Result<Part> {
            let file = |name: &str| folder.join(format!("{name}.{}", pos.ending()));
            let (places, synsets) = synsets(&File::read(file("data"))?)?;
            let exceptions = folder.join(format!("{}.exc", pos.ending()));
            let exceptions = match File::optional(exceptions)? {
                Some(file) => read_exceptions(&file)?,
                None => {
                    has_exceptions = false;
                    Exceptions::default()
                }
            };
            let index = File::read(file("index"))?;
            Ok(Part {
                senses: senses(
                    &index,
                    &places,
                    counts.as_ref().map(|counts| &counts[pos as usize]),
                )?,
                synsets,
                exceptions,
            })
        };
        let [noun, verb, adjective, adverb] = Pos::ALL;
        let parts = [part(noun)?, part(verb)?, part(adjective)?, part(adverb)?];
        let wordnet = Self {
            parts,
            has_counts: counts.is_some(),
            has_exceptions,
        };
        match wordnet.is_empty() {
            true => Err(AugmentError::EmptyDictionary {
                path: folder.to_owned(),
            }),
            false => Ok(wordnet),
        }
    }
}

/// A file of the dictionary.
struct File {
    path: PathBuf,
    text: String,
}

impl File {
    fn read(path: PathBuf) -> Result<Self> {
        match fs::read(&path) {
            // Names in glosses are not always in UTF-8; words are in ASCII.
            Ok(bytes) => Ok(Self {
                text: String::from_utf8(bytes)
                    .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()),
                path,
            }),
            Err(source) => Err(AugmentError::Unreadable { path, source }),
        }
    }

    fn optional(path: PathBuf) -> Result<Option<Self>> {
        match Self::read(path) {
            Ok(file) => Ok(Some(file)),
            Err(AugmentError::Unreadable { source, .. })
                if source.kind() == io::ErrorKind::NotFound =>
            {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// The lines with their numbers, from 1, but for those of the licence.
    fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.text.lines().enumerate();
        let lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with(' '));
        lines.map(|(number, line)| (number + 1, line))
    }

    fn unsound(&self, line: usize, found: &str, expected: &'static str) -> AugmentError {
        AugmentError::Dictionary {
            path: self.path.clone(),
            line,
            found: pairmill_schema::excerpt(found, EXCERPT),
            expected,
        }
    }
}

/// Whether a word is one that may stand for another: one word, in small letters.
fn is_usable(word: &str) -> bool {
    let mut letters = word.bytes();
    letters
        .next()
        .is_some_and(|first| first.is_ascii_lowercase())
        && letters.all(|letter| letter.is_ascii_lowercase() || letter == b'-')
}

/// The words of a synset.
type Words = Box<[Box<str>]>;
/// How often a word was met in each of its senses, by the sense's number.
type SenseCounts = Vec<(usize, u32)>;

/// Reads the sets of words: where each lies in the file, and their words.
fn synsets(file: &File) -> Result<(FxHashMap<u32, u32>, Vec<Words>)> {
    const EXPECTED: &str = "an offset, a file number, a type, the number of words in two hexadecimal digits, and each word with a number";
    let mut places = FxHashMap::default();
    let mut synsets: Vec<Box<[Box<str>]>> = Vec::new();
    for (number, line) in file.lines() {
        let read = || {
            let mut fields = line.split(' ');
            let place: u32 = fields.next()?.parse().ok()?;
            let _file: u32 = fields.next()?.parse().ok()?;
            let _kind = fields.next()?;
            let count = usize::from_str_radix(fields.next()?, 16).ok()?;
            let mut words: Vec<Box<str>> = Vec::with_capacity(count.min(256));
            for _ in 0..count {
                let word = fields.next()?;
                u32::from_str_radix(fields.next()?, 16).ok()?;
                // What stands only before or behind a noun, `(p)`, would not fit everywhere.
                if is_usable(word) {
                    words.push(word.into());
                }
            }
            (count > 0).then_some((place, words))
        };
        let (place, words) = read().ok_or_else(|| file.unsound(number, line, EXPECTED))?;
        places.insert(place, synsets.len() as u32);
        synsets.push(words.into());
    }
    Ok((places, synsets))
}

/// Reads the words with their senses.
fn senses(
    file: &File,
    places: &FxHashMap<u32, u32>,
    counts: Option<&FxHashMap<Box<str>, SenseCounts>>,
) -> Result<FxHashMap<Box<str>, Box<[Sense]>>> {
    const EXPECTED: &str = "a word, a part of speech, the number of its senses, pointers, how many senses were met in texts, and the offset of each sense in the data file";
    let mut words = FxHashMap::default();
    for (number, line) in file.lines() {
        let read = || {
            let mut fields = line.split_ascii_whitespace();
            let word = fields.next()?;
            let _pos = fields.next()?;
            let count: usize = fields.next()?.parse().ok()?;
            let pointers: usize = fields.next()?.parse().ok()?;
            for _ in 0..pointers {
                fields.next()?;
            }
            let again: usize = fields.next()?.parse().ok()?;
            let met: u32 = fields.next()?.parse().ok()?;
            let found: Option<Vec<u32>> = fields
                .map(|field| places.get(&field.parse().ok()?).copied())
                .collect();
            let found = found?;
            (found.len() == count && again == count && count > 0).then_some((word, met, found))
        };
        let (word, met, found) = read().ok_or_else(|| file.unsound(number, line, EXPECTED))?;
        if !is_usable(word) {
            continue;
        }
        let counted = counts.map(|counts| counts.get(word).map_or(&[][..], Vec::as_slice));
        let uses = |number: usize| match counted {
            Some(counted) => {
                let found = counted.iter().find(|(sense, _)| *sense == number);
                found.map_or(0, |(_, uses)| *uses)
            }
            // The order says which is more frequent, where nothing says how often.
            None => met.saturating_sub(number as u32 - 1),
        };
        let senses = found.into_iter().enumerate().map(|(at, synset)| Sense {
            synset,
            uses: uses(at + 1),
        });
        words.insert(word.into(), senses.collect());
    }
    Ok(words)
}

/// Reads how often senses were met: a sense key, in `index.sense` an offset, the number of the
/// sense, and how often.
fn counts(file: &File, number_at: usize) -> Result<Counts> {
    const EXPECTED: &str =
        "a sense key such as card%1:06:00::, the number of the sense, and how often it was met";
    let mut counts = Counts::default();
    for (number, line) in file.lines() {
        let read = || {
            let mut fields = line.split_ascii_whitespace();
            let (word, key) = fields.next()?.split_once('%')?;
            let pos = Pos::of_key(key.split(':').next()?)?;
            let sense: usize = fields.nth(number_at - 1)?.parse().ok()?;
            let uses: u32 = fields.next()?.parse().ok()?;
            (sense > 0).then_some((word, pos, sense, uses))
        };
        let (word, pos, sense, uses) =
            read().ok_or_else(|| file.unsound(number, line, EXPECTED))?;
        if uses > 0 && is_usable(word) {
            let counted = counts[pos as usize].entry(word.into()).or_default();
            counted.push((sense, uses));
        }
    }
    Ok(counts)
}

fn read_exceptions(file: &File) -> Result<Exceptions> {
    let mut exceptions = Exceptions::default();
    for (number, line) in file.lines() {
        let mut fields = line.split_ascii_whitespace();
        let (Some(form), Some(base)) = (fields.next(), fields.next()) else {
            return Err(file.unsound(number, line, "a form and the word that it is of"));
        };
        for base in std::iter::once(base).chain(fields) {
            if is_usable(form) && is_usable(base) {
                exceptions.add(form, base);
            }
        }
    }
    Ok(exceptions)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A dictionary of two nouns and two verbs that mean the same, and one verb with two senses.
    fn folder() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(dir.path().join(name), text).unwrap();
        write(
            "data.noun",
            "  1 licence\n00000010 06 n 02 parcel 0 package 0 000 | what is sent\n",
        );
        write(
            "index.noun",
            "  1 licence\npackage n 1 0 1 1 00000010  \nparcel n 1 0 1 1 00000010  \n",
        );
        write(
            "data.verb",
            "00000010 35 v 02 mail 0 post 0 000 00 | send\n00000020 35 v 01 post 0 000 00 | put up\n",
        );
        write(
            "index.verb",
            "mail v 1 0 1 0 00000010  \npost v 2 1 @ 2 2 00000020 00000010  \nput_up v 1 0 1 0 00000020  \n",
        );
        for pos in ["adj", "adv"] {
            write(&format!("data.{pos}"), "");
            write(&format!("index.{pos}"), "");
        }
        dir
    }

    #[test]
    fn words_senses_and_counts_are_read() {
        let dir = folder();
        let write = |name: &str, text: &str| fs::write(dir.path().join(name), text).unwrap();
        let wordnet = WordNet::read(dir.path()).unwrap();
        assert!(!wordnet.has_counts() && !wordnet.has_exceptions());
        assert_eq!(wordnet.len(), 4);
        let uses = |wordnet: &WordNet| -> Vec<u32> {
            let senses = wordnet.senses("post", Pos::Verb).iter();
            senses.map(|sense| sense.uses).collect()
        };
        assert_eq!(uses(&wordnet), [2, 1]);
        write(
            "index.sense",
            "post%2:35:00:: 00000020 1 7\npost%2:35:01:: 00000010 2 3\n",
        );
        write("verb.exc", "postes post\n");
        assert_eq!(uses(&WordNet::read(dir.path()).unwrap()), [7, 3]);
        write("cntlist.rev", "post%2:35:01:: 2 4\npost%2:35:00:: 1 9\n");
        let wordnet = WordNet::read(dir.path()).unwrap();
        assert_eq!(uses(&wordnet), [9, 4]);
        let second = wordnet.senses("post", Pos::Verb)[1];
        let words = wordnet.synset(Pos::Verb, second.synset);
        assert_eq!(words, [Box::from("mail"), Box::from("post")]);
        assert_eq!(
            wordnet.exceptions(Pos::Verb).bases("postes"),
            [Box::from("post")]
        );
    }

    #[test]
    fn what_is_damaged_is_refused_with_file_and_line() {
        for (name, text) in [
            ("data.noun", "00000010 06 n 03 parcel 0 package 0\n"),
            ("data.noun", "00000010 06 n zz parcel 0\n"),
            ("data.noun", "\u{0}\u{1}"),
            ("index.noun", "parcel n 1 0 1 1 99999999\n"),
            (
                "index.noun",
                "parcel n 18446744073709551615 0 1 1 00000010\n",
            ),
            ("index.noun", "parcel n 1 99999999999 1\n"),
            ("cntlist.rev", "parcel 1 1\n"),
            ("index.sense", "parcel%1:06:00:: 00000010 0 1\n"),
            ("noun.exc", "geese\n"),
        ] {
            let dir = folder();
            fs::write(dir.path().join(name), text).unwrap();
            let error = WordNet::read(dir.path()).unwrap_err();
            let AugmentError::Dictionary { path, line, .. } = &error else {
                panic!("{name}: {error}");
            };
            assert!(path.ends_with(name) && *line == 1, "{name}: {error}");
        }
        let dir = folder();
        fs::remove_file(dir.path().join("data.adv")).unwrap();
        let error = WordNet::read(dir.path()).unwrap_err();
        assert!(matches!(error, AugmentError::Unreadable { .. }), "{error}");
        for name in ["index.noun", "index.verb"] {
            fs::write(dir.path().join(name), "").unwrap();
        }
        fs::write(dir.path().join("data.adv"), "").unwrap();
        let error = WordNet::read(dir.path()).unwrap_err();
        assert!(
            matches!(error, AugmentError::EmptyDictionary { .. }),
            "{error}"
        );
    }
}
