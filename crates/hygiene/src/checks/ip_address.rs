//! IP addresses, version 4 and 6.
//!
//! Four numbers with dots are as often a version. They are taken for an address where a word before
//! them says so, or where they do not read like a version and none stands before them.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::LazyLock;

use regex::Regex;

use super::{Check, Span, TextCheck};
use crate::kind::{Family, Fix, Kind, Severity};

pub(super) const CHECK: Check = Check::Text(&TextCheck {
    kind: &IP_ADDRESS,
    find,
    mend: None,
});

/// An IP address.
pub static IP_ADDRESS: Kind = Kind {
    name: "ip_address",
    title: "texts with an IP address",
    family: Family::PersonalData,
    severity: Severity::Note,
    remedy: "`--anonymise` puts a placeholder in its place",
    fix: Fix::None,
};

static FOUR: LazyLock<Regex> = LazyLock::new(|| compile(r"\b\d{1,3}(?:\.\d{1,3}){3}\b"));
static SIX: LazyLock<Regex> = LazyLock::new(|| {
    compile(r"(?i)(?:[0-9a-f]{1,4}|::)[0-9a-f:]{2,38}(?:(?:\d{1,3}\.){3}\d{1,3})?")
});
/// Words that a version stands behind.
static VERSION: LazyLock<Regex> = LazyLock::new(|| {
    compile(concat!(
        r"(?i)(?:\bv|\b(?:versions?|versión|versão|ver|vers|rev|release|releases|build|firmware|driver",
        r"|update|upgraded?|updated|patch|sdk|runtime|framework|oid|section|clause|kapitel|abschnitt",
        r"|chapter|windows|android|ios|chrome|firefox|office|java|agent|\.net))",
        r"(?:\s+(?:to|from|is|of|number|no|nr|on))*[\s.:=/(]*$",
    ))
});
/// Words that an address stands behind.
static ADDRESS: LazyLock<Regex> = LazyLock::new(|| {
    compile(concat!(
        r"(?i)(?:\b(?:ips?|ip[ -]?v?4|ipv6|addr|address|adresse|dirección|host|server|dns|gateway|subnet",
        r"|ping|ssh|router|client|proxy|login|log(?:ged)? in|from|remote|peer)|@|//)",
        r"(?:\s+(?:to|from|is|ist|est|es|at|address|adresse|of))*[\s.:=/(\[]*$",
    ))
});
/// Bytes before a number that are looked at.
const LOOKED_AT: usize = 40;

fn compile(pattern: &str) -> Regex {
    Regex::new(pattern).expect("the pattern is sound")
}

fn find(text: &str) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    let detail = "an IP address";
    if text.bytes().filter(|&byte| byte == b'.').count() > 2 {
        for found in FOUR.find_iter(text) {
            let is_alone = is_alone(text, found.start(), found.end());
            if is_alone && is_address(&text[..found.start()], found.as_str()) {
                spans.push(Span::new(found.range(), detail));
            }
        }
    }
    if text.bytes().filter(|&byte| byte == b':').count() > 1 {
        for found in SIX.find_iter(text) {
            let address = found.as_str().trim_end_matches(':');
            let address = match address.len() + 2 <= found.len() {
                true => &found.as_str()[..address.len() + 2],
                false => address,
            };
            let range = found.start()..found.start() + address.len();
            let overlaps =
                |span: &Span| span.range.start < range.end && range.start < span.range.end;
            if is_version_6(address) && is_alone(text, range.start, range.end) {
                spans.retain(|span| !overlaps(span));
                spans.push(Span::new(range, detail));
            }
        }
        spans.sort_by_key(|span| span.range.start);
    }
    spans
}

/// Whether no letter or digit goes on before or behind.
fn is_alone(text: &str, start: usize, end: usize) -> bool {
    let before = text[..start].chars().next_back();
    let mut after = text[end..].chars();
    let goes_on = match after.next() {
        Some('.' | '-') => after.next().is_some_and(char::is_alphanumeric),
        Some(letter) => letter.is_alphanumeric() || letter == '_',
        None => false,
    };
    let belongs = |letter: char| letter.is_alphanumeric() || matches!(letter, '.' | '-' | '_');
    !goes_on && !before.is_some_and(belongs)
}

fn is_address(before: &str, number: &str) -> bool {
    let Ok(address) = number.parse::<Ipv4Addr>() else {
        return false;
    };
    let octets = address.octets();
    // These are the same for everybody.
    if address.is_loopback() || octets[0] == 0 || octets[0] == 255 {
        return false;
    }
    let start = before.floor_char_boundary(before.len().saturating_sub(LOOKED_AT));
    let before = &before[start..];
    if VERSION.is_match(before) {
        return false;
    }
    // Parts of versions are small, but for builds, which are larger than an address allows.
    let is_like_version = octets.iter().filter(|&&part| part < 32).count() > 2;
    !is_like_version || ADDRESS.is_match(before)
}

fn is_version_6(number: &str) -> bool {
    let Ok(address) = number.parse::<Ipv6Addr>() else {
        return false;
    };
    // `a::b` is a name in C++, and a time has two colons.
    let groups = number.split(':').filter(|group| !group.is_empty()).count();
    let has_digit = number.bytes().any(|byte| byte.is_ascii_digit());
    groups > 2 && has_digit && !address.is_loopback()
}

#[cfg(test)]
mod tests {
    use crate::testing::spans;

    #[test]
    fn addresses_are_found() {
        for (text, address) in [
            ("my IP is 10.0.0.5.", "10.0.0.5"),
            ("from 203.0.113.77:8080", "203.0.113.77"),
            ("http://192.168.178.1/x", "192.168.178.1"),
            ("ping 8.8.8.8", "8.8.8.8"),
            ("the router 172.16.254.1/24 blocks", "172.16.254.1"),
            ("2001:db8:85a3::8a2e:370:7334 is down", "2001:db8:85a3::8a2e:370:7334"),
            ("[fe80::1ff:fe23:4567:890a]", "fe80::1ff:fe23:4567:890a"),
            ("2001:0db8:0000:0000:0000:ff00:0042:8329", "2001:0db8:0000:0000:0000:ff00:0042:8329"),
        ] {
            assert_eq!(spans("ip_address", text), [address], "{text}");
        }
    }

    #[test]
    fn versions_and_the_like_are_none() {
        for text in [
            "version 1.2.3.4",
            "v10.0.190.41",
            "Windows 10.0.190.45",
            "upgraded from 120.0.61.200 on",
            "chapter 1.2.3.4 says",
            "it is 1.12.0.3 now",
            "300.1.2.3",
            "1.2.3.4.5",
            "127.0.0.1 and 255.255.255.0 and 0.0.0.0",
            "10:30:15",
            "std::vec::Vec and a::b::c",
            "00:1a:2b:3c:4d:5e",
            "::1 and ::",
        ] {
            assert_eq!(spans("ip_address", text), [""; 0], "{text}");
        }
    }
}
