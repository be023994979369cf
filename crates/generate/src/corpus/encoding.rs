use std::borrow::Cow;
use std::sync::LazyLock;

use encoding_rs::{Encoding, ISO_2022_JP, REPLACEMENT, UTF_8};
use regex::bytes::Regex;

use super::files::DocumentFormat;
use crate::skipped::Why;

/// Bytes of a page in which browsers look for its charset, four times over.
const HEAD: usize = 4096;

static CHARSET: LazyLock<Regex> = LazyLock::new(|| {
    // Both `<meta charset=…>` and the one that stands in for a header; and XML's declaration.
    let pattern =
        r#"(?i)<(?:meta\b[^>]*?\bcharset|\?xml\b[^>]*?\bencoding)\s*=\s*["']?\s*([\w.:-]+)"#;
    Regex::new(pattern).expect("the pattern is sound")
});

/// Returns the text of a file: UTF-8, or for a page what its first bytes or its own words say.
///
/// # Errors
/// If the bytes are not text in that encoding, or it is one that cannot be read.
pub(crate) fn decode(bytes: &[u8], format: DocumentFormat) -> Result<Cow<'_, str>, Why> {
    let is_page = format == DocumentFormat::Html;
    if let Some((encoding, _)) = Encoding::for_bom(bytes)
        && encoding != UTF_8
    {
        return match is_page {
            true => decode_as(bytes, encoding),
            false => Err(Why::Encoded(encoding.name().to_owned())),
        };
    }
    let label = is_page.then(|| declared(bytes)).flatten();
    let label = label.as_deref();
    let encoding = label.and_then(|label| Encoding::for_label(label.as_bytes()));
    if encoding == Some(ISO_2022_JP) {
        return decode_as(bytes, ISO_2022_JP);
    }
    match std::str::from_utf8(bytes) {
        // Encodings that consist of ASCII bytes and do not mean them.
        Ok(text) if text.is_ascii() => match not_ascii(bytes, label) {
            Some(name) => Err(Why::Encoded(name)),
            None => Ok(Cow::Borrowed(text)),
        },
        // What is sound UTF-8 beyond ASCII is hardly anything else, whatever it says of itself.
        Ok(text) => Ok(Cow::Borrowed(text)),
        Err(error) => match encoding {
            Some(encoding) if encoding != UTF_8 && encoding != REPLACEMENT => {
                decode_as(bytes, encoding)
            }
            _ => Err(Why::NotUtf8 {
                at: error.valid_up_to(),
            }),
        },
    }
}

fn declared(bytes: &[u8]) -> Option<String> {
    let head = &bytes[..bytes.len().min(HEAD)];
    let label = CHARSET.captures(head)?.get(1)?.as_bytes();
    Some(String::from_utf8_lossy(label).into_owned())
}

fn decode_as<'t>(bytes: &'t [u8], encoding: &'static Encoding) -> Result<Cow<'t, str>, Why> {
    let (text, _, has_errors) = encoding.decode(bytes);
    match has_errors {
        true => Err(Why::NotAsDeclared(encoding.name().to_owned())),
        false => Ok(text),
    }
}

/// Returns the name of an encoding that writes other letters with ASCII bytes, if these are in it:
/// by their escapes or zero bytes, or since the page says so.
fn not_ascii(bytes: &[u8], label: Option<&str>) -> Option<String> {
    const LABELS: [&str; 5] = ["utf-7", "hz-gb-2312", "hz", "iso-2022-kr", "iso-2022-cn"];
    const ESCAPES: [&[u8]; 4] = [b"\x1b$B", b"\x1b$@", b"\x1b$A", b"\x1b$)"];
    if let Some(label) = label.map(str::to_ascii_lowercase)
        && LABELS.contains(&&*label)
    {
        return Some(label);
    }
    let mut escapes = memchr::memchr_iter(0x1b, bytes);
    if escapes.any(|at| ESCAPES.iter().any(|escape| bytes[at..].starts_with(escape))) {
        return Some("ISO-2022".to_owned());
    }
    let zeros = memchr::memchr_iter(0, bytes).count();
    (zeros > bytes.len() / 4).then(|| "UTF-16".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(charset: &str, title: &str) -> Vec<u8> {
        let text = format!("<html><head><meta charset=\"{charset}\"><title>{title}</title>");
        let encoding = Encoding::for_label(charset.as_bytes()).unwrap();
        encoding.encode(&text).0.into_owned()
    }

    #[test]
    fn a_page_is_read_in_the_charset_that_it_declares() {
        for charset in ["shift_jis", "iso-2022-jp", "EUC-JP", "gbk", "utf-8"] {
            let bytes = page(charset, "船の案内");
            let text = decode(&bytes, DocumentFormat::Html).unwrap();
            assert!(text.contains("船の案内"), "{charset}: {text}");
        }
        let old = b"<META HTTP-EQUIV='Content-Type' CONTENT='text/html; charset=windows-1251'>\xcf\xe0\xf0\xee\xec";
        assert!(
            decode(old, DocumentFormat::Html)
                .unwrap()
                .ends_with("Паром")
        );
        let xml = b"<?xml version='1.0' encoding='ISO-8859-1'?><p>F\xe4hre</p>";
        assert!(decode(xml, DocumentFormat::Html).unwrap().contains("Fähre"));
    }

    #[test]
    fn a_page_in_utf_16_is_read_by_its_mark() {
        let bytes: Vec<u8> = "\u{feff}<p>Fähre"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        assert_eq!(decode(&bytes, DocumentFormat::Html).unwrap(), "<p>Fähre");
        let why = decode(&bytes, DocumentFormat::Markdown).unwrap_err();
        assert_eq!(why, Why::Encoded("UTF-16LE".to_owned()));
    }

    #[test]
    fn sound_utf_8_is_read_as_such_whatever_it_declares() {
        let bytes = "<meta charset=windows-1252><p>Fähre".as_bytes();
        assert!(
            decode(bytes, DocumentFormat::Html)
                .unwrap()
                .ends_with("Fähre")
        );
    }

    #[test]
    fn what_only_looks_like_ascii_is_refused_by_name() {
        let why = |bytes: &[u8], format| decode(bytes, format).unwrap_err().to_string();
        let bytes = ISO_2022_JP.encode("船の案内").0.into_owned();
        assert!(why(&bytes, DocumentFormat::Markdown).contains("ISO-2022"));
        assert!(why(&bytes, DocumentFormat::Html).contains("ISO-2022"));
        assert!(why(b"<meta charset=UTF-7>Hi +-", DocumentFormat::Html).contains("utf-7"));
        let coloured = b"\x1b[1mNAME\x1b[0m";
        assert!(decode(coloured, DocumentFormat::Plain).is_ok());
    }

    #[test]
    fn bytes_that_are_not_in_the_declared_charset_are_refused() {
        let bytes = b"<meta charset=shift_jis>\x81";
        let why = decode(bytes, DocumentFormat::Html).unwrap_err();
        assert_eq!(why, Why::NotAsDeclared("Shift_JIS".to_owned()));
        let why = decode(b"Die F\xe4hre", DocumentFormat::Plain).unwrap_err();
        assert_eq!(why, Why::NotUtf8 { at: 5 });
    }
}
