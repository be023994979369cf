use std::collections::VecDeque;
use std::io::{self, Read};

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Decoder, DecoderResult, Encoding, UTF_8, UTF_16BE, UTF_16LE};
use whatlang::Lang;

/// Bytes at the beginning of a text that its language is told from.
const SAMPLE: usize = 64 << 10;
/// Bytes read at a time.
pub(super) const BLOCK: usize = 256 << 10;

/// What speaks against reading a text as it is encoded.
#[derive(Debug, thiserror::Error)]
pub(super) enum DecodeError {
    /// The text is not UTF-8 throughout.
    #[error("byte {byte:#04x} in line {line} is not of a UTF-8 text")]
    NotUtf8 { line: u64, byte: u8 },
    /// The text holds bytes that its encoding does not know.
    #[error("line {line} holds bytes that are not of a {encoding} text")]
    NotEncoded { line: u64, encoding: &'static str },
}

/// Turns an error of a reader of this module back into what it was made of.
pub(super) fn decode_error(error: &io::Error) -> Option<&DecodeError> {
    error.get_ref()?.downcast_ref()
}

fn invalid(error: DecodeError) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

/// Returns the text of a reader as UTF-8, without its byte order mark. A part that is not of the
/// encoding is an error of kind `InvalidData`.
pub(super) fn decoded<R: Read + Send>(reader: R, encoding: &'static Encoding) -> Decoded<R> {
    Decoded {
        reader,
        decoder: encoding.new_decoder_with_bom_removal(),
        encoding,
        input: vec![0; BLOCK],
        filled: 0,
        used: 0,
        at_end: false,
        finished: false,
        held: VecDeque::new(),
        lines: 1,
    }
}

/// See [`decoded`].
pub(super) struct Decoded<R> {
    reader: R,
    decoder: Decoder,
    encoding: &'static Encoding,
    input: Vec<u8>,
    filled: usize,
    used: usize,
    at_end: bool,
    finished: bool,
    /// Text that did not fit where it was asked for.
    held: VecDeque<u8>,
    /// Lines begun in what was handed out.
    lines: u64,
}

impl<R: Read> Read for Decoded<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        // The decoder wants room for one character at least.
        const LEAST: usize = 16;
        if !self.held.is_empty() {
            return self.held.read(out);
        }
        match out.len() {
            0 => return Ok(0),
            LEAST.. => return self.decode(out),
            _ => {}
        }
        let mut room = [0; LEAST];
        let written = self.decode(&mut room)?;
        self.held.extend(&room[..written]);
        self.held.read(out)
    }
}

impl<R: Read> Decoded<R> {
    fn decode(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while !self.finished {
            if self.used == self.filled && !self.at_end {
                self.filled = self.reader.read(&mut self.input)?;
                self.used = 0;
                self.at_end = self.filled == 0;
            }
            let input = &self.input[self.used..self.filled];
            let (result, read, written) =
                self.decoder
                    .decode_to_utf8_without_replacement(input, out, self.at_end);
            let text = &out[..written];
            if self.encoding == UTF_8 && has_escape(text) {
                return Err(self.not_of_encoding(0x1B));
            }
            self.lines += line_ends(text);
            self.used += read;
            if let DecoderResult::Malformed(length, after) = result {
                let at = self.used.saturating_sub(usize::from(length + after));
                let byte = self.input.get(at).copied().unwrap_or_default();
                return Err(self.not_of_encoding(byte));
            }
            self.finished = self.at_end && result == DecoderResult::InputEmpty;
            if written > 0 {
                return Ok(written);
            }
        }
        Ok(0)
    }
}

impl<R> Decoded<R> {
    fn not_of_encoding(&self, byte: u8) -> io::Error {
        let line = self.lines;
        invalid(match self.encoding {
            encoding if encoding == UTF_8 => DecodeError::NotUtf8 { line, byte },
            encoding => DecodeError::NotEncoded {
                line,
                encoding: encoding.name(),
            },
        })
    }
}

/// Returns whether there is an escape sequence of ISO-2022-JP, whose bytes are all ASCII.
fn has_escape(text: &[u8]) -> bool {
    memchr::memchr_iter(0x1B, text).any(|at| matches!(text.get(at + 1), Some(b'$')))
}

fn line_ends(text: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', text).count() as u64
}

/// Returns what a text that is not UTF-8 is likely to be written in; `None` where most of it is
/// UTF-8, so that it is damaged rather than of another encoding.
pub(super) fn guess(mut reader: impl Read) -> io::Result<Option<&'static Encoding>> {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    let mut multibyte = Multibyte::default();
    let mut block = vec![0; BLOCK];
    let mut sample = None;
    loop {
        let length = fill(&mut reader, &mut block)?;
        let bytes = &block[..length];
        if sample.is_none() {
            if let Some(encoding) = of_bytes(bytes) {
                return Ok(Some(encoding));
            }
            sample = Some(bytes[..length.min(SAMPLE)].to_vec());
        }
        detector.feed(bytes, length == 0);
        multibyte.count(bytes);
        if length == 0 {
            break;
        }
    }
    if multibyte.sound > multibyte.broken {
        return Ok(None);
    }
    let guessed = detector.guess(None, Utf8Detection::Deny);
    // Of a few letters that are not ASCII the detector tells more where it knows the language.
    let (text, _, _) = guessed.decode(sample.as_deref().unwrap_or_default());
    Ok(Some(match whatlang::detect(&text) {
        Some(told) if told.is_reliable() => country(told.lang()).map_or(guessed, |country| {
            detector.guess(Some(country.as_bytes()), Utf8Detection::Deny)
        }),
        _ => guessed,
    }))
}

/// Returns the country code of a domain in which a language is at home, one for all languages whose
/// texts come in the same encodings; for languages in Latin letters.
fn country(language: Lang) -> Option<&'static str> {
    Some(match language {
        Lang::Cat
        | Lang::Dan
        | Lang::Deu
        | Lang::Eng
        | Lang::Fin
        | Lang::Fra
        | Lang::Ita
        | Lang::Nld
        | Lang::Nob
        | Lang::Por
        | Lang::Spa
        | Lang::Swe => "fr",
        Lang::Ces | Lang::Hrv | Lang::Hun | Lang::Pol | Lang::Ron | Lang::Slk | Lang::Slv => "pl",
        Lang::Est | Lang::Lav | Lang::Lit => "lt",
        Lang::Tur => "tr",
        Lang::Vie => "vn",
        _ => return None,
    })
}

/// Returns what the first bytes tell: a byte order mark, or the zeros between the letters of
/// UTF-16.
pub(super) fn of_bytes(bytes: &[u8]) -> Option<&'static Encoding> {
    if let Some((encoding, _)) = Encoding::for_bom(bytes) {
        return Some(encoding);
    }
    let head = &bytes[..bytes.len().min(4_096)];
    let zeros = |from: usize| {
        let bytes = head.iter().skip(from).step_by(2);
        bytes.filter(|&&byte| byte == 0).count()
    };
    let (even, odd) = (zeros(0), zeros(1));
    // In a text of another script the ASCII separators and line ends still have them.
    match head.len() / 20 {
        some if odd > some && odd > 4 * even => Some(UTF_16LE),
        some if even > some && even > 4 * odd => Some(UTF_16BE),
        _ => None,
    }
}

fn fill(reader: &mut impl Read, block: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < block.len() {
        match reader.read(&mut block[filled..])? {
            0 => break,
            read => filled += read,
        }
    }
    Ok(filled)
}

/// Counts of UTF-8 sequences of several bytes and of bytes that belong to none.
#[derive(Default)]
struct Multibyte {
    sound: u64,
    broken: u64,
}

impl Multibyte {
    fn count(&mut self, bytes: &[u8]) {
        for chunk in bytes.utf8_chunks() {
            self.sound += chunk.valid().chars().filter(|c| !c.is_ascii()).count() as u64;
            self.broken += chunk.invalid().len() as u64;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8], encoding: &'static Encoding) -> io::Result<String> {
        let mut text = String::new();
        decoded(bytes, encoding).read_to_string(&mut text)?;
        Ok(text)
    }

    #[test]
    fn a_byte_order_mark_is_read_over() {
        assert_eq!(read(b"\xEF\xBB\xBFid,text", UTF_8).unwrap(), "id,text");
        let utf16: Vec<u8> = "\u{FEFF}naïve\n"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        assert_eq!(of_bytes(&utf16), Some(UTF_16LE));
        assert_eq!(read(&utf16, UTF_16LE).unwrap(), "naïve\n");
    }

    #[test]
    fn utf16_without_a_mark_is_told_by_its_zeros() {
        let bytes = |unit: fn(u16) -> [u8; 2]| -> Vec<u8> {
            let text = "id,text\n1,hello\n";
            text.encode_utf16().flat_map(unit).collect()
        };
        assert_eq!(of_bytes(&bytes(u16::to_le_bytes)), Some(UTF_16LE));
        assert_eq!(of_bytes(&bytes(u16::to_be_bytes)), Some(UTF_16BE));
        assert_eq!(of_bytes(b"id,text\n1,hello\n"), None);
    }

    #[test]
    fn a_broken_byte_is_named_with_its_line() {
        let error = read(b"a\nb\nc\xE9d\n", UTF_8).unwrap_err();
        let error = decode_error(&error).unwrap().to_string();
        assert_eq!(error, "byte 0xe9 in line 3 is not of a UTF-8 text");
    }

    #[test]
    fn a_few_broken_bytes_in_a_utf8_text_are_damage() {
        let mut text = "Größe, naïve, Ærøskøbing\n".repeat(10).into_bytes();
        text.push(0xFF);
        assert_eq!(guess(text.as_slice()).unwrap(), None);
        let latin = b"Gr\xF6\xDFe, na\xEFve, \xE9l\xE8ve, d\xE9j\xE0 vu\n".repeat(5);
        let found = guess(latin.as_slice()).unwrap().unwrap();
        assert_eq!(found.name(), "windows-1252");
        assert_eq!(
            read(&latin, found).unwrap(),
            "Größe, naïve, élève, déjà vu\n".repeat(5)
        );
    }

    #[test]
    fn letters_that_encodings_disagree_on_go_by_the_language() {
        for (text, encoding) in [
            (
                "id,text\n1,La manœuvre du bateau est décrite\n2,Un coup d'œil\n",
                "windows-1252",
            ),
            (
                "id,text\n1,Des œufs et du bœuf pour le dîner\n",
                "windows-1252",
            ),
            (
                "id,text\n1,Příliš žluťoučký kůň, prosím o pomoc s účtem\n",
                "windows-1250",
            ),
            (
                "id,text\n1,Zażółć gęślą jaźń, proszę o pomoc z moim kontem użytkownika\n",
                "windows-1250",
            ),
            (
                "id,text\n1,The user’s “account” is locked – call us\n",
                "windows-1252",
            ),
        ] {
            let written = Encoding::for_label(encoding.as_bytes())
                .unwrap()
                .encode(text)
                .0;
            let found = guess(&*written).unwrap().unwrap();
            assert_eq!(read(&written, found).unwrap(), text, "{}", found.name());
        }
    }

    #[test]
    fn iso_2022_jp_is_no_ascii() {
        let (text, _, _) = encoding_rs::ISO_2022_JP.encode("id,text\n1,日本語の案内です\n");
        assert!(read(&text, UTF_8).is_err());
        assert_eq!(guess(&*text).unwrap().unwrap().name(), "ISO-2022-JP");
    }
}
