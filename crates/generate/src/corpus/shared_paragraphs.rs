use std::collections::{HashMap, HashSet};

use pairmill_schema::TextKey;
use rayon::prelude::*;

use super::document::Document;
use crate::left_out::Piece;

/// Fewest documents that share boilerplate.
const FEWEST: usize = 5;
/// So many documents make a paragraph boilerplate in the largest collection.
const MOST: usize = 50;

/// Takes paragraphs that many documents share out of all but the first of them: menus, legal notes
/// and the like that no tag tells from the text. Many are a tenth of the documents, but no fewer
/// than 5 and no more than 50. Nothing is lost, since the first document keeps each. A section of
/// nothing else stays whole: as a passage it is known to be many others.
pub(crate) fn leave_out<'d>(documents: impl IntoIterator<Item = &'d mut Document>) {
    let mut documents: Vec<_> = documents.into_iter().collect();
    let many = (documents.len() / 10).clamp(FEWEST, MOST);
    let keys: Vec<HashSet<TextKey>> = documents
        .par_iter()
        .map(|document| paragraphs(document).map(TextKey::identical).collect())
        .collect();
    let mut counts: HashMap<TextKey, usize> = HashMap::new();
    for &key in keys.iter().flatten() {
        *counts.entry(key).or_default() += 1;
    }
    counts.retain(|_, documents| *documents >= many);
    let mut seen = HashSet::new();
    for (document, keys) in documents.iter_mut().zip(keys) {
        let shared: HashSet<_> = keys
            .into_iter()
            .filter(|key| counts.contains_key(key))
            .collect();
        let again: HashSet<_> = shared.intersection(&seen).copied().collect();
        if !again.is_empty() {
            without(document, &again);
        }
        seen.extend(shared);
    }
}

fn paragraphs(document: &Document) -> impl Iterator<Item = &str> {
    let sections = document.sections.iter();
    sections.flat_map(|section| section.text.split("\n\n"))
}

fn without(document: &mut Document, shared: &HashSet<TextKey>) {
    let mut left_out = 0;
    for section in &mut document.sections {
        let paragraphs = section.text.split("\n\n");
        let all = paragraphs.clone().count();
        let is_own = |paragraph: &&str| !shared.contains(&TextKey::identical(paragraph));
        let own: Vec<&str> = paragraphs.filter(is_own).collect();
        if !own.is_empty() && own.len() < all {
            left_out += all - own.len();
            section.text = own.join("\n\n");
        }
    }
    document
        .left_out
        .add(Piece::SharedParagraph, left_out as u64);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::document::Section;

    fn documents(number: usize, text: impl Fn(usize) -> String) -> Vec<Document> {
        let document = |n| Document {
            sections: vec![Section {
                headings: Vec::new(),
                text: text(n),
            }],
            ..Document::default()
        };
        (0..number).map(document).collect()
    }

    #[test]
    fn the_first_document_keeps_what_many_share() {
        let mut all = documents(5, |n| format!("Text {n}.\n\nAll rights  reserved."));
        leave_out(&mut all);
        assert_eq!(all[0].sections[0].text, "Text 0.\n\nAll rights  reserved.");
        for (n, document) in all.iter().enumerate().skip(1) {
            assert_eq!(document.sections[0].text, format!("Text {n}."));
            assert_eq!(document.left_out.number(Piece::SharedParagraph), 1);
        }
    }

    #[test]
    fn what_few_share_stays() {
        let mut all = documents(4, |n| format!("Text {n}.\n\nNote."));
        leave_out(&mut all);
        assert!(
            all.iter()
                .all(|document| document.sections[0].text.ends_with("Note."))
        );
        // Six of a hundred.
        let mut all = documents(100, |n| format!("Text {n}.\n\nNote {}.", n / 6));
        leave_out(&mut all);
        assert!(
            all.iter()
                .all(|document| document.sections[0].text.contains("Note"))
        );
    }

    #[test]
    fn a_section_of_nothing_else_stays() {
        let mut all = documents(6, |_| "Same.".to_owned());
        leave_out(&mut all);
        for document in &all {
            assert_eq!(document.sections[0].text, "Same.");
            assert_eq!(document.left_out.number(Piece::SharedParagraph), 0);
        }
    }
}
