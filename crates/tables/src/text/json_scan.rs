//! Where the keys and values of a JSON object lie. Values that nobody asked for are passed over
//! whatever they hold.

use std::ops::Range;

/// The places of a key and its value, both as they are written.
pub(super) type Field = (Range<usize>, Range<usize>);

/// Why an object was not found.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The text ends before the object does.
    NeedsMore,
    /// Something else stands here.
    Unexpected { at: usize, what: String },
}

type Scan<T> = Result<T, Fault>;

/// The kind of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Kind {
    Null,
    Bool,
    Integer,
    Float,
    Text,
    Nested,
}

impl Kind {
    /// Returns the kind of a value as it is written; none where it is no value.
    pub fn of(value: &[u8]) -> Option<Self> {
        let first = *value.first()?;
        Some(match first {
            b'"' => Self::Text,
            b'{' | b'[' => Self::Nested,
            _ => match value {
                b"null" => Self::Null,
                b"true" | b"false" => Self::Bool,
                _ => {
                    let number = str::from_utf8(value).ok()?;
                    serde_json::from_str::<serde_json::Number>(number).ok()?;
                    match number.contains(['.', 'e', 'E']) {
                        true => Self::Float,
                        false => Self::Integer,
                    }
                }
            },
        })
    }
}

/// Goes through the object that begins at `start` and notes its fields. Returns the place behind
/// it.
pub(super) fn object(text: &[u8], start: usize, fields: &mut Vec<Field>) -> Scan<usize> {
    fields.clear();
    let mut at = expect(text, start, b'{', "an object")?;
    at = blank(text, at);
    if text.get(at) == Some(&b'}') {
        return Ok(at + 1);
    }
    loop {
        at = blank(text, at);
        let key = at;
        if peek(text, at)? != b'"' {
            return unexpected(text, at, "a name in quotation marks");
        }
        at = string(text, at)?;
        let key = key..at;
        at = expect(text, blank(text, at), b':', "a colon")?;
        at = blank(text, at);
        let value = at;
        at = self::value(text, at)?;
        fields.push((key, value..at));
        at = blank(text, at);
        match peek(text, at)? {
            b',' => at += 1,
            b'}' => return Ok(at + 1),
            _ => return unexpected(text, at, "a comma or the end of the object"),
        }
    }
}

/// Returns the place of what stands behind blanks and line ends.
pub(super) fn blank(text: &[u8], mut at: usize) -> usize {
    while matches!(text.get(at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
        at += 1;
    }
    at
}

fn peek(text: &[u8], at: usize) -> Scan<u8> {
    text.get(at).copied().ok_or(Fault::NeedsMore)
}

fn expect(text: &[u8], at: usize, byte: u8, what: &str) -> Scan<usize> {
    match peek(text, at)? {
        found if found == byte => Ok(at + 1),
        _ => unexpected(text, at, what),
    }
}

fn unexpected<T>(text: &[u8], at: usize, expected: &str) -> Scan<T> {
    const SHOWN: usize = 20;
    let rest = &text[at..text.len().min(at + 4 * SHOWN)];
    let rest = String::from_utf8_lossy(rest);
    let line = rest.lines().next().unwrap_or_default();
    let shown: String = line.chars().take(SHOWN).collect();
    Err(Fault::Unexpected {
        at,
        what: format!("`{shown}` where {expected} is expected"),
    })
}

/// Returns the place behind the string that begins at `at`.
fn string(text: &[u8], at: usize) -> Scan<usize> {
    let mut from = at + 1;
    loop {
        let rest = text.get(from..).ok_or(Fault::NeedsMore)?;
        let next = memchr::memchr3(b'"', b'\\', b'\n', rest).ok_or(Fault::NeedsMore)?;
        match rest[next] {
            b'"' => return Ok(from + next + 1),
            b'\\' => from += next + 2,
            _ => {
                return Err(Fault::Unexpected {
                    at,
                    what: "a text that does not end in its line".to_owned(),
                });
            }
        }
    }
}

/// Returns the place behind the value that begins at `at`.
fn value(text: &[u8], at: usize) -> Scan<usize> {
    match peek(text, at)? {
        b'"' => string(text, at),
        b'{' | b'[' => nested(text, at),
        _ => {
            let is_end =
                |byte: &u8| matches!(byte, b',' | b'}' | b']' | b' ' | b'\t' | b'\n' | b'\r');
            let length = text[at..].iter().position(is_end).ok_or(Fault::NeedsMore)?;
            match length {
                0 => unexpected(text, at, "a value"),
                length => Ok(at + length),
            }
        }
    }
}

fn nested(text: &[u8], start: usize) -> Scan<usize> {
    let mut depth = 0u64;
    let mut at = start;
    loop {
        match peek(text, at)? {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return Ok(at + 1);
                }
            }
            b'"' => {
                at = string(text, at)?;
                continue;
            }
            _ => {}
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(text: &str) -> Scan<Vec<(&str, &str)>> {
        let mut fields = Vec::new();
        object(text.as_bytes(), 0, &mut fields)?;
        let fields = fields.into_iter();
        Ok(fields
            .map(|(key, value)| (&text[key], &text[value]))
            .collect())
    }

    #[test]
    fn keys_and_values_are_found_whatever_they_hold() {
        let text = r#"{"a": "x\"}", "b":[1,{"c":"]"}] ,"d" : -1.5e3, "e":null}"#;
        assert_eq!(
            fields(text).unwrap(),
            [
                ("\"a\"", r#""x\"}""#),
                ("\"b\"", r#"[1,{"c":"]"}]"#),
                ("\"d\"", "-1.5e3"),
                ("\"e\"", "null"),
            ]
        );
        assert_eq!(fields("{}").unwrap(), []);
    }

    #[test]
    fn an_object_that_does_not_end_needs_more() {
        for text in ["{", "{\"a\"", "{\"a\": \"x", "{\"a\": [1, 2", "{\"a\": 1"] {
            assert_eq!(fields(text), Err(Fault::NeedsMore), "{text}");
        }
    }

    #[test]
    fn what_is_no_object_is_shown() {
        let what = |text| match fields(text) {
            Err(Fault::Unexpected { what, .. }) => what,
            other => panic!("{other:?}"),
        };
        assert_eq!(what("[1]"), "`[1]` where an object is expected");
        assert_eq!(
            what("{'a': 1}"),
            "`'a': 1}` where a name in quotation marks is expected"
        );
        assert_eq!(
            what("{\"a\": \"x\n"),
            "a text that does not end in its line"
        );
    }

    #[test]
    fn kinds_are_told_by_how_values_are_written() {
        assert_eq!(Kind::of(b"7"), Some(Kind::Integer));
        assert_eq!(Kind::of(b"7.0"), Some(Kind::Float));
        assert_eq!(Kind::of(b"true"), Some(Kind::Bool));
        assert_eq!(Kind::of(b"[]"), Some(Kind::Nested));
        assert_eq!(Kind::of(b"NaN"), None);
    }
}
