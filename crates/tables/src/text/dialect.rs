use std::io::{self, Read};

use super::decode::BLOCK;
use super::options::{Quote, ReadOptions};
use super::scan::{At, PlainScan, QuotedScan};

/// How a file of separated values is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Dialect {
    pub delimiter: u8,
    /// The mark around fields that hold a separator or a line break.
    pub quote: Option<u8>,
    /// What stands before a mark within such a field, where the mark is not doubled.
    pub escape: Option<u8>,
}

/// What a file's dialect rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Found {
    pub dialect: Dialect,
    /// The line in which a quoted field is not ended, or is followed by text, where quotation marks
    /// are therefore read as text.
    pub unsound_quote: Option<u64>,
}

/// A field that is not quoted as it begins to be.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct UnsoundQuote {
    pub line: u64,
}

const SEPARATORS: [u8; 4] = [b',', b';', b'\t', b'|'];
/// Bytes at the beginning of a file that its separator is told from.
const SAMPLE: usize = 64 << 10;

/// Finds out how a text is written. `usual` is the separator that its name tells.
pub(super) fn find(
    mut reader: impl Read,
    usual: u8,
    options: &ReadOptions,
) -> io::Result<Result<Found, UnsoundQuote>> {
    let mark = match options.quote {
        Some(Quote::None) => None,
        Some(Quote::Mark(mark)) => Some(mark),
        None => Some(b'"'),
    };
    let mut sample = Vec::with_capacity(SAMPLE);
    reader
        .by_ref()
        .take(SAMPLE as u64)
        .read_to_end(&mut sample)?;
    let is_whole = sample.len() < SAMPLE;
    let delimiter = match options.delimiter {
        Some(delimiter) => delimiter,
        None => declared(&sample).unwrap_or_else(|| separator(&sample, is_whole, usual, mark)),
    };
    let mut scans = Scans::new(delimiter, mark.unwrap_or(b'"'));
    scans.feed(&sample);
    let mut block = vec![0; BLOCK];
    loop {
        match reader.read(&mut block)? {
            0 => break,
            length => scans.feed(&block[..length]),
        }
    }
    let plain = Dialect {
        delimiter,
        quote: None,
        escape: None,
    };
    Ok(match mark {
        None => Ok(Found {
            dialect: plain,
            unsound_quote: None,
        }),
        Some(mark) => scans.decide(plain, mark, options.quote.is_some()),
    })
}

/// Returns the separator that a first line such as `sep=;` names, which Excel writes and reads.
fn declared(sample: &[u8]) -> Option<u8> {
    let line = sample.split(|&byte| byte == b'\n').next()?.trim_ascii_end();
    let line = line
        .strip_prefix(b"\"")
        .and_then(|line| line.strip_suffix(b"\""))
        .unwrap_or(line);
    match *line {
        [s, e, p, b'=', separator] if [s, e, p].eq_ignore_ascii_case(b"sep") => Some(separator),
        // A tab at the end was trimmed.
        [s, e, p, b'='] if [s, e, p].eq_ignore_ascii_case(b"sep") => Some(b'\t'),
        _ => None,
    }
}

/// Whether a record is such a line.
pub(super) fn is_declaration(record: &csv::StringRecord) -> bool {
    let mut fields = record.iter();
    let first = fields.next().unwrap_or_default().as_bytes();
    let is_named = first
        .get(..4)
        .is_some_and(|name| name.eq_ignore_ascii_case(b"sep="));
    is_named && first.len() <= 5 && fields.all(str::is_empty)
}

/// Returns the separator by which most records have as many fields as the header.
fn separator(sample: &[u8], is_whole: bool, usual: u8, mark: Option<u8>) -> u8 {
    let others = SEPARATORS.into_iter().filter(|&other| other != usual);
    let mut best = (usual, 0.0, 0);
    for delimiter in std::iter::once(usual).chain(others) {
        let quoted = mark.map(|mark| regular(sample, is_whole, delimiter, Some(mark)));
        let plain = regular(sample, is_whole, delimiter, None);
        let (share, columns) = match quoted {
            Some(quoted) if quoted.0 >= plain.0 => quoted,
            _ => plain,
        };
        // The usual one stays where another one fits no better.
        if columns > 1
            && (share > best.1 || (share == best.1 && best.0 != usual && columns > best.2))
        {
            best = (delimiter, share, columns);
        }
    }
    best.0
}

/// Returns the share of records with as many fields as the header, and the number of these.
fn regular(sample: &[u8], is_whole: bool, delimiter: u8, quote: Option<u8>) -> (f64, usize) {
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .quoting(quote.is_some())
        .quote(quote.unwrap_or(b'"'))
        .flexible(true)
        .has_headers(false)
        .from_reader(sample);
    let mut counts = Vec::new();
    let mut record = csv::ByteRecord::new();
    while let Ok(true) = reader.read_byte_record(&mut record) {
        counts.push(record.len());
    }
    // The last record of a part may be cut.
    if !is_whole && counts.len() > 2 {
        counts.pop();
    }
    let Some((&header, records)) = counts.split_first() else {
        return (0.0, 0);
    };
    let same = records.iter().filter(|&&count| count == header).count();
    match records.len() {
        0 => (1.0, header),
        all => (same as f64 / all as f64, header),
    }
}

/// Reads a text in three ways at once: with doubled marks, with marks after a backslash, and with
/// marks that are text like any other.
struct Scans {
    doubled: QuotedScan,
    escaped: QuotedScan,
    plain: PlainScan,
    mark: u8,
    seen_mark: bool,
}

impl Scans {
    fn new(delimiter: u8, mark: u8) -> Self {
        let quoted = |escape| QuotedScan::new(delimiter, mark, escape);
        Self {
            doubled: quoted(None),
            escaped: quoted(Some(b'\\')),
            plain: PlainScan::new(delimiter),
            mark,
            seen_mark: false,
        }
    }

    fn feed(&mut self, bytes: &[u8]) {
        self.plain.feed(bytes);
        if !self.seen_mark && memchr::memchr(self.mark, bytes).is_none() {
            // Without a mark all three are the same so far.
            for quoted in [&mut self.doubled, &mut self.escaped] {
                quoted.records.clone_from(&self.plain.records);
                quoted.after_return = self.plain.after_return;
                quoted.at = match self.plain.in_field {
                    true => At::Plain,
                    false => At::FieldStart,
                };
            }
            return;
        }
        self.seen_mark = true;
        self.doubled.feed(bytes);
        self.escaped.feed(bytes);
    }

    fn decide(mut self, plain: Dialect, mark: u8, is_asked: bool) -> Result<Found, UnsoundQuote> {
        let unquoted = |unsound_quote| {
            Ok(Found {
                dialect: plain,
                unsound_quote,
            })
        };
        let quoted = |escape| {
            Ok(Found {
                dialect: Dialect {
                    quote: Some(mark),
                    escape,
                    ..plain
                },
                unsound_quote: None,
            })
        };
        if !self.seen_mark {
            return quoted(None);
        }
        self.plain.records.end();
        self.doubled.end();
        self.escaped.end();
        let lines_are_regular = self.plain.records.is_regular() && self.plain.records.columns() > 1;
        match self.doubled.unsound {
            // Prose holds no tabs, so lines with the right number of them are no parts of fields.
            None if lines_are_regular
                && !is_asked
                && plain.delimiter == b'\t'
                && self.doubled.records.number != self.plain.records.number =>
            {
                unquoted(self.doubled.first_merged)
            }
            None => quoted(None),
            Some(_) if self.escaped.unsound.is_none() && self.escaped.records.is_regular() => {
                quoted(Some(b'\\'))
            }
            Some(line) if lines_are_regular && !is_asked => unquoted(Some(line)),
            Some(line) => Err(UnsoundQuote { line }),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Makes records of two to four fields, such as a writer has to quote.
    fn records() -> impl Strategy<Value = Vec<Vec<String>>> {
        let pieces = [
            "a", "b ", "ü", ",", ";", "|", "\"", "'", "\\", "\n", "\r\n", "\r", "-",
        ];
        let field = prop::collection::vec(prop::sample::select(pieces.to_vec()), 0..8);
        let field = field.prop_map(|pieces| pieces.concat());
        (2usize..=4).prop_flat_map(move |columns| {
            let record = prop::collection::vec(field.clone(), columns);
            prop::collection::vec(record, 1..8)
        })
    }

    /// Returns the decision on a text that comes in pieces of some length.
    fn decided(text: &[u8], piece: usize) -> Result<Found, UnsoundQuote> {
        let mut scans = Scans::new(b',', b'"');
        text.chunks(piece).for_each(|piece| scans.feed(piece));
        let plain = Dialect {
            delimiter: b',',
            quote: None,
            escape: None,
        };
        scans.decide(plain, b'"', false)
    }

    proptest! {
        #[test]
        fn what_a_writer_of_csv_writes_is_read_as_it_was(
            records in records(),
            delimiter in prop::sample::select(vec![b',', b';', b'|']),
            always_quoted: bool,
        ) {
            let mut writer = csv::WriterBuilder::new()
                .delimiter(delimiter)
                .quote_style(match always_quoted {
                    true => csv::QuoteStyle::Always,
                    false => csv::QuoteStyle::Necessary,
                })
                .from_writer(Vec::new());
            for record in &records {
                writer.write_record(record).unwrap();
            }
            let text = writer.into_inner().unwrap();
            let found = find(text.as_slice(), delimiter, &ReadOptions::default()).unwrap();
            let expected = Dialect {
                delimiter,
                quote: Some(b'"'),
                escape: None,
            };
            prop_assert_eq!(found.unwrap().dialect, expected, "{}", String::from_utf8_lossy(&text));
        }

        #[test]
        fn it_does_not_matter_in_which_pieces_a_text_comes(
            text in "[a,\"\\\\\r\n]{0,40}",
            piece in 1usize..12,
        ) {
            prop_assert_eq!(decided(text.as_bytes(), piece), decided(text.as_bytes(), 100));
        }
    }

    fn found(text: &str, usual: u8) -> Result<Found, UnsoundQuote> {
        find(text.as_bytes(), usual, &ReadOptions::default()).unwrap()
    }

    fn dialect(text: &str, usual: u8) -> Dialect {
        found(text, usual).unwrap().dialect
    }

    #[test]
    fn the_separator_is_that_which_fits_the_header() {
        for (text, expected) in [
            ("id,question\n1,what\n2,why; how\n", b','),
            ("id;question\n1;what, then\n2;why\n", b';'),
            ("id\tquestion\n1\twhat, then\n2\twhy; how\n", b'\t'),
            ("id|question\n1|what, then\n2|why; how\n", b'|'),
            ("text\nwhat, then\nwhy\n", b','),
            ("text;more\n\"one, two\";\"three\nfour; five\"\n", b';'),
        ] {
            assert_eq!(dialect(text, b',').delimiter, expected, "{text}");
        }
        assert_eq!(dialect("a,b\tc\n1,2\t3\n", b'\t').delimiter, b'\t');
    }

    #[test]
    fn marks_within_a_field_are_text() {
        let inch = "id,text\n1,a 24\" screen\n2,\"one, two\"\n";
        assert_eq!(dialect(inch, b',').quote, Some(b'"'));
    }

    #[test]
    fn marks_that_do_not_add_up_are_text_where_the_lines_are_regular() {
        let sts = "score\ta\tb\n1\t\"Stop!\" he said.\tHe said stop.\n2\tno\t\"yes\n";
        let found = found(sts, b'\t').unwrap();
        assert_eq!(found.dialect.quote, None);
        assert_eq!(found.unsound_quote, Some(2));
    }

    #[test]
    fn marks_that_add_up_over_lines_of_tabs_are_text() {
        let sts = "score\ta\tb\n1\t\"Stop\tno\n2\tfine\tyes\n3\tno\tgo\"\n";
        let found = found(sts, b'\t').unwrap();
        assert_eq!((found.dialect.quote, found.unsound_quote), (None, Some(2)));
        // A field of one line that is quoted as a whole is unquoted.
        assert_eq!(dialect("a\tb\n\"x\"\ty\n", b'\t').quote, Some(b'"'));
    }

    #[test]
    fn line_breaks_in_quoted_fields_are_kept_together() {
        let text = "id,text\n1,\"one\ntwo, three\nfour\"\n2,five\n";
        assert_eq!(dialect(text, b',').quote, Some(b'"'));
    }

    #[test]
    fn a_backslash_may_stand_before_a_mark() {
        let text = "id,text\n1,\"he said \\\"no, no\\\" twice\"\n";
        assert_eq!(dialect(text, b',').escape, Some(b'\\'));
    }

    #[test]
    fn what_cannot_be_read_either_way_is_named() {
        let text = "id,text\n1,fine\n2,\"one\ntwo\" three\n";
        assert_eq!(found(text, b','), Err(UnsoundQuote { line: 3 }));
        let open = "id,text\n1,fine\n2,\"one, two\n3,four\n";
        assert_eq!(found(open, b','), Err(UnsoundQuote { line: 3 }));
    }
}
