/// What a file that is named as a text holds instead, by its first bytes, and what to do about it;
/// `None` where they may be text.
pub(super) fn not_text(head: &[u8]) -> Option<String> {
    let named = |what: &str, ending: &str| Some(format!("it is {what}; name it {ending}"));
    match head {
        [b'P', b'K', 3, 4, ..] => Some(workbook("a ZIP archive, as an Excel workbook is")),
        [0xD0, 0xCF, 0x11, 0xE0, ..] => Some(workbook("an old Excel workbook")),
        [b'P', b'A', b'R', b'1', ..] => named("a Parquet file", "*.parquet"),
        [b'A', b'R', b'R', b'O', b'W', b'1', ..] => named("an Arrow file", "*.arrow"),
        [0x1F, 0x8B, ..] => named("compressed by gzip", "*.gz"),
        [0x28, 0xB5, 0x2F, 0xFD, ..] => named("compressed by zstd", "*.zst"),
        [0xFD, b'7', b'z', b'X', b'Z', ..] => named("compressed by xz", "*.xz"),
        [b'B', b'Z', b'h', b'1'..=b'9', ..] => named("compressed by bzip2", "*.bz2"),
        _ if is_utf32(head) => Some("it is written in UTF-32; write it anew as UTF-8".to_owned()),
        _ => None,
    }
}

fn workbook(what: &str) -> String {
    format!("it is {what}; save the sheet as CSV and read that")
}

/// Whether most characters begin or end with two zeros, as no two of UTF-16 do.
fn is_utf32(head: &[u8]) -> bool {
    let (units, _) = head.as_chunks::<4>();
    let is_one = |unit: &&[u8; 4]| unit.starts_with(&[0, 0]) || unit.ends_with(&[0, 0]);
    units.len() > 1 && units.iter().filter(is_one).count() > units.len() / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_kinds_of_files_are_named_and_text_is_not() {
        let utf32: Vec<u8> = "id,text\n"
            .chars()
            .flat_map(|c| u32::from(c).to_be_bytes())
            .collect();
        for (head, word) in [
            (&b"PK\x03\x04\x14"[..], "Excel"),
            (b"\xD0\xCF\x11\xE0\xA1", "old Excel"),
            (b"PAR1\x15", "*.parquet"),
            (b"\x1F\x8B\x08", "*.gz"),
            (&utf32, "UTF-32"),
        ] {
            let found = not_text(head).unwrap();
            assert!(found.contains(word), "{found}");
        }
        let utf16: Vec<u8> = "id,text\n"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        for head in [&b""[..], b"PK,id\n", b"BZh", b"id,text\n", &utf16] {
            assert_eq!(not_text(head), None);
        }
    }
}
