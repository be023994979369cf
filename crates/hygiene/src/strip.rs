use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::checks::{CHECKS, Check, TextCheck};
use crate::kind::{Fix, Kind};
use crate::mend::apply;

/// What can be taken out of a text that is no part of what it says.
const STRIPPABLE: [&str; 3] = ["html_markup", "quoted_mail", "mail_signature"];

/// Takes out of texts what findings of some kinds are about, by the rules of the checks, and counts
/// it.
#[derive(Debug)]
pub struct Stripper {
    /// In the order of the checks: what is quoted is found once tags are gone.
    checks: Vec<(&'static TextCheck, AtomicU64)>,
    emptied: AtomicU64,
}

/// Returns the kinds that can be taken out.
pub fn strippable() -> impl Iterator<Item = &'static Kind> {
    crate::kinds().filter(|kind| STRIPPABLE.contains(&kind.name))
}

impl Stripper {
    /// Prepares to take out what these kinds are about.
    pub fn new(kinds: &[&'static Kind]) -> Self {
        let checks = CHECKS.iter().filter_map(|check| match check {
            Check::Text(check) if kinds.contains(&check.kind) => {
                debug_assert!(check.kind.fix == Fix::Change);
                Some((*check, AtomicU64::new(0)))
            }
            _ => None,
        });
        Self {
            checks: checks.collect(),
            emptied: AtomicU64::new(0),
        }
    }

    /// Returns the text without it.
    pub fn strip<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut stripped = Cow::Borrowed(text);
        for (check, count) in &self.checks {
            if let Some(after) = apply(check, &stripped) {
                count.fetch_add(1, Ordering::Relaxed);
                stripped = Cow::Owned(after);
            }
        }
        if stripped.trim().is_empty() && !text.trim().is_empty() {
            self.emptied.fetch_add(1, Ordering::Relaxed);
        }
        stripped
    }

    /// Returns out of how many texts something was taken so far, by kind.
    pub fn counts(&self) -> BTreeMap<String, u64> {
        let counts = self.checks.iter().map(|(check, count)| {
            let count = count.load(Ordering::Relaxed);
            (check.kind.name.to_owned(), count)
        });
        counts.collect()
    }

    /// Returns how many texts held nothing else.
    pub fn emptied(&self) -> u64 {
        self.emptied.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mails_in_html_are_stripped_to_what_they_say() {
        let stripper = Stripper::new(&strippable().collect::<Vec<_>>());
        let mail = "<div>The <b>lamp</b> is on &amp; stays on.<br></div>\
                    <div>Best regards,<br>Ann</div>\
                    <p>On Mon, 3 May 2024 at 10:02, Bob wrote:</p><p>Is the lamp on?</p>";
        assert_eq!(stripper.strip(mail), "The lamp is on & stays on.");
        assert_eq!(stripper.strip("plain"), "plain");
        assert_eq!(stripper.strip("<p></p>"), "");
        assert_eq!(stripper.strip(""), "");
        assert_eq!(stripper.emptied(), 1);
        let counts: Vec<u64> = stripper.counts().into_values().collect();
        // html_markup, mail_signature, quoted_mail
        assert_eq!(counts, [2, 1, 1]);
    }

    #[test]
    fn only_what_is_named_is_taken_out() {
        let stripper = Stripper::new(&[crate::kind("quoted_mail").unwrap()]);
        let mail = "<b>No.</b>\n-----Original Message-----\nYes?";
        assert_eq!(stripper.strip(mail), "<b>No.</b>");
    }
}
