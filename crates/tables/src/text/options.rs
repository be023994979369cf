use std::sync::OnceLock;

use clap::Args;
use encoding_rs::Encoding;
use serde::Serialize;

/// How text files are written, where it is not to be found out from them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Args, Serialize)]
#[command(next_help_heading = "Reading")]
pub struct ReadOptions {
    /// Separator of CSV and TSV files: a character, or `tab` [default: told from each file]
    #[arg(long, global = true, value_name = "CHAR", value_parser = delimiter)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<u8>,
    /// Quotation mark of CSV and TSV files: a character, or `none` where quotation marks are text
    /// like any other [default: told from each file]
    #[arg(long, global = true, value_name = "CHAR", value_parser = quote)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quote: Option<Quote>,
    /// Encoding of CSV, TSV and JSON Lines files, such as `windows-1252` or `utf-16le` [default:
    /// told from each file]
    #[arg(long, global = true, value_name = "NAME", value_parser = encoding)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encoding: Option<String>,
}

/// What stands around fields that hold a separator or a line break.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Quote {
    /// Nothing does.
    None,
    /// This character, which stands twice where a field holds it.
    Mark(u8),
}

static OF_PROGRAM: OnceLock<ReadOptions> = OnceLock::new();

impl ReadOptions {
    /// Makes these the options of all that the program reads from now on. Only the first call
    /// counts.
    pub fn set(self) {
        let _ = OF_PROGRAM.set(self);
    }

    pub(crate) fn get() -> &'static Self {
        OF_PROGRAM.get_or_init(Self::default)
    }

    pub(crate) fn encoding(&self) -> Option<&'static Encoding> {
        Encoding::for_label(self.encoding.as_ref()?.as_bytes())
    }
}

fn delimiter(text: &str) -> Result<u8, String> {
    match text {
        "tab" | "\\t" => Ok(b'\t'),
        _ => one_byte(text),
    }
}

fn quote(text: &str) -> Result<Quote, String> {
    match text {
        "none" => Ok(Quote::None),
        _ => one_byte(text).map(Quote::Mark),
    }
}

fn one_byte(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        [byte] if byte.is_ascii() && !byte.is_ascii_alphanumeric() && *byte != b'\n' => Ok(*byte),
        _ => Err("expected one ASCII character that is no letter or digit".to_owned()),
    }
}

fn encoding(text: &str) -> Result<String, String> {
    match Encoding::for_label(text.as_bytes()) {
        Some(encoding) => Ok(encoding.name().to_owned()),
        None => Err(
            "not a known encoding; expected a name such as utf-8, windows-1252, \
                     iso-8859-2, utf-16le, shift_jis or gb18030"
                .to_owned(),
        ),
    }
}
