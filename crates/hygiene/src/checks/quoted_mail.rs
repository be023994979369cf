//! Mails that the text answers to, quoted below or between its lines.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::{Check, Span, TextCheck};
use crate::kind::{Family, Fix, Kind, Severity};

pub(super) const CHECK: Check = Check::Text(&TextCheck {
    kind: &QUOTED_MAIL,
    find,
    mend: Some(|_, _| String::new()),
});

/// An earlier mail within a text.
pub static QUOTED_MAIL: Kind = Kind {
    name: "quoted_mail",
    title: "texts with earlier mails quoted",
    family: Family::Texts,
    severity: Severity::Warning,
    remedy: "what is quoted is another row's text: `--fix quoted_mail` takes it away",
    fix: Fix::Change,
};

/// What stands above an earlier mail, from which on all is quoted. Each needs a date or a line of
/// its own, so that `On Monday he wrote: …` within a sentence is none.
static HEADS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?im)",
        // English, German, French, Spanish: "On 3 May 2024, X wrote:".
        r"^[\s>]*on\b[^\n]{0,40}\d{1,4}[^\n]{0,120}(?:\n[^\n]{0,120})?\bwrote\s*:\s*$",
        r"|^[\s>]*am\b[^\n]{0,40}\d{1,4}[^\n]{0,120}(?:\n[^\n]{0,120})?\bschrieb\b[^\n]{0,120}:\s*$",
        r"|^[\s>]*le\b[^\n]{0,40}\d{1,4}[^\n]{0,120}(?:\n[^\n]{0,120})?\ba\s+écrit\s*:\s*$",
        r"|^[\s>]*el\b[^\n]{0,40}\d{1,4}[^\n]{0,120}(?:\n[^\n]{0,120})?\bescribió\s*:\s*$",
        // The same where line breaks were folded: a date with a year or a time.
        r"|\bon\s(?:(?:mon|tue|wed|thu|fri|sat|sun)\w*,?\s)?[^\n:]{0,30}\b\d{4}\b[^\n]{0,80}?\bwrote:",
        r"|\bam\s[^\n:]{0,30}\b\d{1,2}\.[^\n]{0,80}?\bschrieb\b[^\n]{0,60}?:",
        r"|\ble\s[^\n:]{0,30}\b\d{4}\b[^\n]{0,80}?\ba écrit\s?:",
        r"|\bel\s[^\n:]{0,30}\b\d{4}\b[^\n]{0,80}?\bescribió\s?:",
        r"|-{3,}\s*(?:original message|forwarded message|reply message|ursprüngliche nachricht",
        r"|originalnachricht|weitergeleitete nachricht|message d['’]origine|message original",
        r"|message transféré|mensaje original|mensaje reenviado)\s*-{3,}",
        // Outlook's block of lines.
        r"|^\s*\*?(?:from|von|de)\s?:\*?\s[^\n]+\n\s*\*?",
        r"(?:sent|date|gesendet|datum|envoyé|enviado(?: el)?|fecha)\s?:",
    ))
    .expect("the pattern is sound")
});

/// One of these stands in every such head: most texts have none, and are told by it sooner.
const MARKS: [&str; 12] = [
    "wrote", "schrieb", "crit", "escribi", "---", "Sent", "Date", "Datum", "Gesendet", "Envoyé",
    "Enviado", "Fecha",
];

fn find(text: &str) -> Vec<Span> {
    let quoted = quoted_lines(text);
    let has_mark = MARKS.iter().any(|mark| text.contains(mark));
    let head = has_mark.then(|| HEADS.find(text)).flatten();
    let head = head.map(|head| head.start());
    let mut spans: Vec<Span> = Vec::new();
    for range in quoted {
        if head.is_some_and(|head| range.end > head) {
            break;
        }
        spans.push(Span::new(range, "lines of an earlier mail"));
    }
    if let Some(head) = head {
        // What is above an earlier mail is the text itself.
        let start = text[..head].trim_end().len();
        spans.push(Span::new(start..text.len(), "an earlier mail from here on"));
    }
    spans
}

/// Two or more lines in a row that begin with `>`. One alone may be a prompt or a comparison.
fn quoted_lines(text: &str) -> Vec<Range<usize>> {
    if !text.contains('>') {
        return Vec::new();
    }
    let mut blocks: Vec<(Range<usize>, usize)> = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let end = at + line.len();
        if line.trim_start().starts_with('>') {
            match blocks.last_mut() {
                Some((block, lines)) if block.end == at => (block.end, *lines) = (end, *lines + 1),
                _ => blocks.push((at..end, 1)),
            }
        }
        at = end;
    }
    let long = blocks.into_iter().filter(|(_, lines)| *lines > 1);
    long.map(|(block, _)| block).collect()
}

#[cfg(test)]
mod tests {
    use crate::testing::{mended, spans};

    #[test]
    fn what_is_below_the_head_of_a_mail_is_quoted() {
        for head in [
            "On Mon, 3 May 2024 at 10:02, Ann <ann@example.org> wrote:",
            "On 3 May 2024, at 10:02, Ann Example\n<ann@example.org> wrote:",
            "Am 03.05.2024 um 10:02 schrieb Ann Example:",
            "Le ven. 3 mai 2024 à 10:02, Ann a écrit :",
            "El vie, 3 may 2024 a las 10:02, Ann escribió:",
            "-----Original Message-----",
            "-----Ursprüngliche Nachricht-----",
            "---------- Forwarded message ---------",
            "Von: Ann Example\nGesendet: Freitag, 3. Mai 2024",
            "From: Ann Example\nSent: Friday, 3 May 2024",
            "De : Ann Example\nEnvoyé : vendredi 3 mai 2024",
        ] {
            let text = format!("It works now.\n\n{head}\n> Does it work?\n> Ann");
            assert_eq!(mended("quoted_mail", &text), "It works now.", "{head}");
        }
        let folded = "It works. On Mon, 3 May 2024 at 10:02, Ann wrote: > Does it?";
        assert_eq!(mended("quoted_mail", folded), "It works.");
    }

    #[test]
    fn answers_between_the_lines_stay() {
        let text = "> Does it\n> work?\nYes.\n> Since when?\n> Really?\nMay.";
        assert_eq!(mended("quoted_mail", text), "Yes.\nMay.");
    }

    #[test]
    fn what_only_reads_like_a_mail_stays() {
        for text in [
            "On Monday he wrote: it is done.",
            "if a\n> b then",
            "From: the menu, choose Sent.",
            "On the 3 machines that she wrote about: nothing.",
            "Von: hier nach dort",
        ] {
            assert_eq!(spans("quoted_mail", text), [""; 0], "{text}");
        }
    }
}
