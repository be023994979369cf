//! Texts in another language than the table's.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::{Check, TableCheck, Watch};
use crate::finding::{Facts, Finding, Found};
use crate::kind::{Family, Fix, Kind, Severity};
use crate::options::Options;
use crate::table::{Batch, Place, Role, Table};

pub(super) const CHECK: Check = Check::Table(&TableCheck {
    kinds: &[&OTHER_LANGUAGE],
    start,
});

/// A text in a language that is not expected.
pub static OTHER_LANGUAGE: Kind = Kind {
    name: "other_language",
    title: "texts in another language",
    family: Family::Texts,
    severity: Severity::Note,
    remedy: "say which are meant by --languages; `--fix other_language` drops the rows",
    fix: Fix::Drop,
};

/// Letters that a text needs for its language to be told.
const LETTERS: usize = 40;
/// Letters that are looked at.
const LOOKED_AT: usize = 400;
/// The share of the texts from which on a language is one of the table's.
const SHARE: f64 = 0.05;

fn start(_: &[Table], options: &Options) -> Option<Box<dyn Watch>> {
    Some(Box::new(Languages {
        expected: options.languages.clone(),
        texts: BTreeMap::new(),
    }))
}

struct Languages {
    expected: Vec<String>,
    /// By table and column the language of each row.
    texts: BTreeMap<(usize, usize), Vec<Option<whatlang::Lang>>>,
}

impl Watch for Languages {
    fn add(&mut self, table: usize, info: &Table, batch: &Batch) {
        if !info.is_checked {
            return;
        }
        for (column, texts) in batch.texts.iter().enumerate() {
            let role = info.texts[column].role;
            if !role.is_read() || role == Role::Title {
                continue;
            }
            let told: Vec<_> = texts.par_iter().map(|text| language(text)).collect();
            self.texts.entry((table, column)).or_default().extend(told);
        }
    }

    fn finish(self: Box<Self>, tables: &[Table], found: &mut Found) {
        let mut rows = Vec::new();
        for ((table, column), texts) in self.texts {
            let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
            for language in texts.iter().flatten() {
                *counts.entry(code(*language)).or_default() += 1;
            }
            let told: usize = counts.values().sum();
            let is_expected = |code: &str| match self.expected.is_empty() {
                true => counts[code] as f64 >= SHARE * told as f64,
                false => self.expected.iter().any(|expected| expected == code),
            };
            for (row, language) in texts.iter().enumerate() {
                let Some(language) = *language else { continue };
                if !is_expected(code(language)) {
                    let detail = format!("reads like {}", language.eng_name());
                    let place = Place::new(table, row);
                    let finding = Finding::new(&OTHER_LANGUAGE, place, detail);
                    found.findings.push(finding.in_column(column));
                }
            }
            let mut counts: Vec<(&str, usize)> = counts.into_iter().collect();
            counts.sort_by_key(|&(code, count)| (std::cmp::Reverse(count), code));
            let said: Vec<String> = counts
                .iter()
                .take(5)
                .map(|(code, count)| format!("{code} {count}"))
                .collect();
            rows.push(vec![
                tables[table].texts[column].name.clone(),
                said.join(", "),
                (texts.len() - told).to_string(),
            ]);
        }
        found.facts.push(Facts {
            title: "Languages".to_owned(),
            header: ["column", "texts", "too short to tell"].map(str::to_owned).to_vec(),
            rows,
        });
    }
}

/// The language of a text, where it can be relied on.
fn language(text: &str) -> Option<whatlang::Lang> {
    let end = text.char_indices().nth(LOOKED_AT).map_or(text.len(), |(end, _)| end);
    let text = &text[..end];
    let letters = text.chars().filter(|letter| letter.is_alphabetic()).count();
    if letters < LETTERS {
        return None;
    }
    let told = whatlang::detect(text)?;
    told.is_reliable().then(|| told.lang())
}

/// The code of ISO 639-1 where there is one, as models and data cards have it.
fn code(language: whatlang::Lang) -> &'static str {
    const TWO_LETTERS: &str = "\
        afr=af ara=ar ben=bn bul=bg cat=ca ces=cs cmn=zh cym=cy dan=da deu=de ell=el eng=en \
        epo=eo est=et fin=fi fra=fr guj=gu heb=he hin=hi hrv=hr hun=hu hye=hy ind=id ita=it \
        jpn=ja kat=ka kor=ko lit=lt lav=lv mkd=mk nld=nl nob=nb pes=fa pol=pl por=pt ron=ro \
        rus=ru slk=sk slv=sl spa=es srp=sr swe=sv tam=ta tel=te tgl=tl tha=th tur=tr ukr=uk \
        urd=ur vie=vi";
    let mut known = TWO_LETTERS.split_whitespace();
    let two = known.find_map(|known| known.strip_prefix(language.code())?.strip_prefix('='));
    two.unwrap_or(language.code())
}

#[cfg(test)]
mod tests {
    use crate::testing::{findings, tickets};

    #[test]
    fn a_text_in_another_language_is_found_and_a_short_one_is_not_judged() {
        let english = "Please tell me how I can reset the password of my account today.";
        let german = "Bitte sagen Sie mir, wie ich das Passwort meines Kontos zurücksetzen kann.";
        let mut rows = vec![(english, "a"); 30];
        rows.push((german, "a"));
        rows.push(("Guten Morgen", "a"));
        assert_eq!(findings(&tickets(&rows), "other_language"), [(31, None)]);
    }

    #[test]
    fn a_table_may_be_of_two_languages() {
        let english = "Please tell me how I can reset the password of my account today.";
        let german = "Bitte sagen Sie mir, wie ich das Passwort meines Kontos zurücksetzen kann.";
        let rows = [(english, "a"), (german, "a"), (english, "a")];
        assert_eq!(findings(&tickets(&rows), "other_language"), []);
    }
}
