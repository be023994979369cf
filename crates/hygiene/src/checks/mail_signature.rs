//! What stands at the end of a mail: greetings, names, "Sent from my phone".

use std::sync::LazyLock;

use regex::Regex;

use super::{Check, Span, TextCheck};
use crate::kind::{Family, Fix, Kind, Severity};

pub(super) const CHECK: Check = Check::Text(&TextCheck {
    kind: &MAIL_SIGNATURE,
    find,
    mend: Some(|_, _| String::new()),
});

/// A signature.
pub static MAIL_SIGNATURE: Kind = Kind {
    name: "mail_signature",
    title: "texts that end in a signature",
    family: Family::Texts,
    severity: Severity::Note,
    remedy: "`--fix mail_signature` takes it away",
    fix: Fix::Change,
};

/// Lines behind which a signature ends at most: a longer rest is text.
const LINES: usize = 10;
/// Characters of such a line at most.
const LETTERS: usize = 80;

/// The mark of RFC 3676, a greeting on a line of its own, or what phones write.
static HEADS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?im)^--[ \t]?\r?$",
        r"|^[ \t]*(?:(?:best|kind|warm|many)\s+regards|regards|best wishes|all the best|sincerely",
        r"|yours (?:sincerely|faithfully|truly)|thanks and regards|cheers",
        r"|mit (?:freundlichen|besten|lieben) grü(?:ß|ss)en|(?:viele|beste|liebe|freundliche|herzliche)",
        r" grü(?:ß|ss)e|mfg|gruß|(?:bien )?cordialement|(?:meilleures |sincères )?salutations",
        r"|bien à vous|atentamente|(?:un )?(?:cordial )?saludos?|saludos cordiales",
        r")[ \t]*[,.!]?[ \t]*\r?$",
        r"|\b(?:sent from my \w+|von meinem \w+ gesendet|gesendet von \w+ \w+|envoyé de(?:puis)? mon \w+",
        r"|enviado desde mi \w+)\b",
    ))
    .expect("the pattern is sound")
});

fn find(text: &str) -> Vec<Span> {
    let is_short = |rest: &str| {
        let mut lines = rest.lines().filter(|line| !line.trim().is_empty()).skip(1);
        let are_short = lines.clone().take(LINES).all(|line| line.chars().count() <= LETTERS);
        are_short && lines.nth(LINES).is_none()
    };
    let heads = HEADS.find_iter(text).map(|head| head.start());
    let start = heads.into_iter().find(|&start| is_short(&text[start..]));
    let start = start.map(|start| text[..start].trim_end().len());
    // A text that is nothing but a greeting says at least that.
    let start = start.filter(|&start| start > 0);
    let span = start.map(|start| Span::new(start..text.len(), "a signature from here on"));
    span.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use crate::testing::{mended, spans};

    #[test]
    fn a_signature_is_what_follows_a_greeting_or_two_dashes() {
        for signature in [
            "-- \nAnn Example\nExample Ltd.",
            "Best regards,\nAnn",
            "Mit freundlichen Grüßen\nAnn Example",
            "Viele Grüße,\nAnn",
            "Cordialement,\nAnn",
            "Un saludo,\nAnn",
            "Sent from my iPhone",
            "Von meinem iPhone gesendet",
        ] {
            let text = format!("The printer is broken.\n\n{signature}");
            assert_eq!(mended("mail_signature", &text), "The printer is broken.");
        }
    }

    #[test]
    fn texts_about_greetings_stay() {
        for text in [
            "With regards to my order: where is it?",
            "Regards",
            "use -- to end options",
            "It was sent from mydomain.",
        ] {
            assert_eq!(spans("mail_signature", text), [""; 0], "{text}");
        }
        let long = format!("First.\n\nRegards,\nAnn\n{}", "A long line follows. ".repeat(9));
        assert_eq!(spans("mail_signature", &long), [""; 0]);
    }
}
