//! E-mail addresses.

use std::sync::LazyLock;

use regex::Regex;

use super::{Check, Span, TextCheck};
use crate::kind::{Family, Fix, Kind, Severity};

pub(super) const CHECK: Check = Check::Text(&TextCheck {
    kind: &EMAIL,
    find,
    mend: None,
});

/// An e-mail address.
pub static EMAIL: Kind = Kind {
    name: "email",
    title: "texts with an e-mail address",
    family: Family::PersonalData,
    severity: Severity::Warning,
    remedy: "`--anonymise` puts a placeholder in its place",
    fix: Fix::None,
};

/// The part before `@` as RFC 5321 allows it without quotes, and a name with a top-level domain.
static ADDRESS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r"[\p{L}\p{N}](?:[\p{L}\p{N}.!#$%&'*+/=?^_`{|}~-]{0,62}[\p{L}\p{N}_+-])?",
        r"@(?:[\p{L}\p{N}](?:[\p{L}\p{N}-]{0,61}[\p{L}\p{N}])?\.)+(?:xn--[a-z0-9-]{2,59}|\p{L}{2,24})\b",
    ))
    .expect("the pattern is sound")
});

fn find(text: &str) -> Vec<Span> {
    if !text.contains('@') {
        return Vec::new();
    }
    let found = ADDRESS.find_iter(text).map(|found| {
        // What stands before an ellipsis is another sentence.
        let start = found.as_str().rfind("..").map_or(0, |dots| dots + 2);
        Span::new(found.start() + start..found.end(), "an e-mail address")
    });
    found.collect()
}

#[cfg(test)]
mod tests {
    use crate::testing::spans;

    #[test]
    fn addresses_are_found_within_text() {
        for (text, address) in [
            ("Write to ann.example@mail.example.org.", "ann.example@mail.example.org"),
            ("<Ann+shop@Example.CO.UK>, please", "Ann+shop@Example.CO.UK"),
            ("mailto:jürgen@bücher.example", "jürgen@bücher.example"),
            ("So...ann@example.org", "ann@example.org"),
            ("(o'neil_1@a-b.io)", "o'neil_1@a-b.io"),
        ] {
            assert_eq!(spans("email", text), [address]);
        }
    }

    #[test]
    fn what_has_an_at_sign_is_not_always_an_address() {
        for text in [
            "@home at 5@ once",
            "user@localhost",
            "git@: no",
            "scp host:@/x.y",
            "npm i left-pad@1.3.0",
        ] {
            assert_eq!(spans("email", text), [""; 0], "{text}");
        }
    }
}
