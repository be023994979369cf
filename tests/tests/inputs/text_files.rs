//! CSV, TSV and JSON Lines, however they are written.

use super::*;

#[test]
fn rows_that_a_spreadsheet_left_blank_are_left_out_and_counted() {
    let dir = tempfile::tempdir().unwrap();
    let mut text = separated(&faq(59), ",", [0, 1, 2]);
    text.push_str(",,\n60,How do I log out?,Take the menu.\n , ,\n");
    fs::write(dir.path().join("faq.csv"), text).unwrap();
    let log = log(dir.path(), "qa --input faq.csv --output out");
    let said = "faq.csv: 2 rows are blank in every column and left out (the first in line 61); \
                rows are counted without them";
    assert_eq!(log.matches(said).count(), 1, "{log}");
    assert!(log.contains("60 read"), "{log}");
}

#[test]
fn rows_within_a_column_are_refused_with_what_unpacks_them() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(dir.path().join(name), text).unwrap();
    write(
        "one.json",
        r#"{"data": [{"question": "a", "answer": "b"}]}"#,
    );
    write(
        "lists.jsonl",
        r#"{"query": "a", "pos": ["b", "c"], "neg": ["d"]}"#,
    );
    let error = |input: &str| {
        let line = format!("qa --input {input} --output out");
        GENERATE.refused(dir.path(), &line, 1)
    };
    assert_snapshot!(error("one.json"), @"error: one.json: no column `question` (needed for a qa table); found data; if the rows are a list within `data`, write that list alone: `jq .data`");
    assert_snapshot!(error("lists.jsonl"), @"error: lists.jsonl: no column `answer` (needed for a qa table); found query, pos, neg; if `pos` and `neg` are lists of texts, as FlagEmbedding has them, write a row for each positive: `jq -c '.query as $q | .pos[] | {query: $q, positive: .}'`");
}

#[test]
fn columns_go_by_the_header_of_each_file() {
    let dir = tempfile::tempdir().unwrap();
    let rows = faq(60);
    fs::create_dir(dir.path().join("parts")).unwrap();
    let part = |name: &str, text: String| fs::write(dir.path().join("parts").join(name), text);
    part("a.csv", separated(&rows[..30], ",", [0, 1, 2])).unwrap();
    part("b.csv", separated(&rows[30..], ",", [2, 0, 1])).unwrap();
    assert_eq!(read(dir.path(), "parts"), 60);
    assert_eq!(read(dir.path(), "parts/*.csv"), 60);
    part("c.csv", "id,question\n1,why?\n".to_owned()).unwrap();
    let error = GENERATE.refused(dir.path(), "qa --input parts --output bad", 1);
    assert_snapshot!(error, @"error: parts/c.csv: no column `answer` (needed for a qa table); found id, question; name another one with --answer-column");
}

#[test]
fn separators_quotes_encodings_and_line_ends_are_told_from_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let mut rows = faq(60);
    rows[7][1] = "Why does the 24\" rim of lorry 7 rattle?".to_owned();
    rows[8][1] = "Why does the naïve Größe of lorry 8 rattle, à propos?".to_owned();
    for delimiter in [";", "\t", "|"] {
        let text = separated(&rows, delimiter, [0, 1, 2]);
        fs::write(dir.path().join("x.csv"), &text).unwrap();
        assert_eq!(read(dir.path(), "x.csv"), 60, "{delimiter:?}");
        let utf16: Vec<u8> = ("\u{FEFF}".to_owned() + &text.replace('\n', "\r\n"))
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        fs::write(dir.path().join("y.csv"), utf16).unwrap();
        assert_eq!(read(dir.path(), "y.csv"), 60, "{delimiter:?} in UTF-16");
        let latin: Vec<u8> = text.chars().map(|c| c as u8).collect();
        fs::write(dir.path().join("z.csv"), latin).unwrap();
        assert_eq!(
            read(dir.path(), "z.csv"),
            60,
            "{delimiter:?} in Windows-1252"
        );
    }
    let said = log(dir.path(), "qa --input z.csv --output out --force");
    assert!(said.contains("z.csv is written in windows-1252"), "{said}");
    assert!(
        said.contains("z.csv has a bar between its columns"),
        "{said}"
    );
    let queries = tables::rows(&dir.path().join("out/pairs_train.parquet"), &["anchor"]);
    let all = queries.concat().join(" ");
    assert!(
        all.contains("24\" rim") && all.contains("naïve Größe"),
        "{all}"
    );
}

#[test]
fn quotation_marks_that_do_not_enclose_fields_are_text() {
    let dir = tempfile::tempdir().unwrap();
    let mut rows = faq(60);
    rows[4][1] = "\"Rattle, rattle\" goes lorry 4, why?".to_owned();
    rows[9][1] = "\"Why does lorry 9 rattle?".to_owned();
    fs::write(
        dir.path().join("faq.tsv"),
        separated(&rows, "\t", [0, 1, 2]),
    )
    .unwrap();
    assert_eq!(read(dir.path(), "faq.tsv"), 60);
    let said = log(dir.path(), "qa --input faq.tsv --output out --force");
    assert!(
        said.contains("the quotation marks (the first in line 6)"),
        "{said}"
    );

    let broken = "id,question,answer\n1,why,\"it, \"is\" so\n2,how,\"so, so\"\n";
    fs::write(dir.path().join("bad.csv"), broken).unwrap();
    let error = GENERATE.refused(dir.path(), "qa --input bad.csv --output bad", 1);
    assert_snapshot!(error, @"error: bad.csv: not a sound CSV file: a field in line 2 begins with a quotation mark that does not end it; double the marks within quoted fields, or say --quote none where they are text like any other");
}

#[test]
fn a_first_line_that_names_the_separator_is_no_header() {
    let dir = tempfile::tempdir().unwrap();
    let rows = faq(60);
    for (line, separator) in [("sep=;", ";"), ("SEP=|\r", "|"), ("sep=\t", "\t")] {
        let text = format!("{line}\n{}", separated(&rows, separator, [1, 0, 2]));
        fs::write(dir.path().join("excel.csv"), text).unwrap();
        assert_eq!(read(dir.path(), "excel.csv"), 60, "{line}");
    }
}

#[test]
fn what_is_no_text_under_a_texts_name_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let refused = |bytes: &[u8]| {
        fs::write(dir.path().join("faq.csv"), bytes).unwrap();
        GENERATE.refused(dir.path(), "qa --input faq.csv --output bad", 1)
    };
    assert_snapshot!(refused(b"PK\x03\x04\x14\0\x06\0\x08\0"), @"error: faq.csv: not a sound CSV file: it is a ZIP archive, as an Excel workbook is; save the sheet as CSV and read that");
    assert_snapshot!(refused(b"PAR1\x15\x04\x15"), @"error: faq.csv: not a sound CSV file: it is a Parquet file; name it *.parquet");
    assert_snapshot!(refused(b"\x1F\x8B\x08\0\0"), @"error: faq.csv: not a sound CSV file: it is compressed by gzip; name it *.gz");
}

#[test]
fn an_encoding_that_was_guessed_is_said_with_a_word_of_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let text =
        separated(&faq(60), ",", [0, 1, 2]).replace("rattle", "r\u{e9}sonne \u{e0} l'arr\u{ea}t");
    let latin: Vec<u8> = text.chars().map(|c| c as u8).collect();
    fs::write(dir.path().join("faq.csv"), latin).unwrap();
    let log = log(dir.path(), "qa --input faq.csv --output out");
    assert!(
        log.contains("is written in windows-1252 and read so (`r\u{e9}sonne`)"),
        "{log}"
    );
}

#[test]
fn a_row_of_another_width_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let mut text = separated(&faq(60), ",", [0, 1, 2]);
    text.insert_str(text.find("F-002").unwrap(), "F-x,why, oh why,Take it\n");
    fs::write(dir.path().join("faq.csv"), text).unwrap();
    let error = GENERATE.refused(dir.path(), "qa --input faq.csv --output bad", 1);
    assert_snapshot!(error, @"error: faq.csv: not a sound CSV file: the row in line 4 has 4 fields and the header has 3 fields; quote fields that hold the separator, or name another one with --delimiter");
}

#[test]
fn options_say_what_cannot_be_told() {
    let dir = tempfile::tempdir().unwrap();
    let text = separated(&faq(60), "~", [0, 1, 2]);
    fs::write(dir.path().join("faq.csv"), &text).unwrap();
    assert_eq!(read(dir.path(), "faq.csv --delimiter ~"), 60);
    let quoted = text.replace("~Why", "~'Why").replace("?~", "?'~");
    fs::write(dir.path().join("quoted.csv"), quoted).unwrap();
    assert_eq!(read(dir.path(), "quoted.csv --delimiter ~ --quote '"), 60);
    let anchors = tables::rows(&dir.path().join("out/pairs_train.parquet"), &["anchor"]);
    assert!(anchors.iter().all(|row| row[0].starts_with("Why")));
    let cyrillic = text.replace("lorry", "\u{00B3}");
    let bytes: Vec<u8> = cyrillic.chars().map(|c| c as u8).collect();
    fs::write(dir.path().join("old.csv"), bytes).unwrap();
    assert_eq!(
        read(dir.path(), "old.csv --delimiter ~ --encoding koi8-r"),
        60
    );
    let anchors = tables::rows(&dir.path().join("out/pairs_train.parquet"), &["anchor"]);
    assert!(anchors[0][0].contains('Ё'), "{anchors:?}");
    let error = GENERATE.refused(
        dir.path(),
        "qa --input faq.csv --output o --encoding latin9x",
        2,
    );
    assert!(error.contains("not a known encoding"), "{error}");
}

#[test]
fn blank_cells_are_empty_texts_and_counted() {
    let dir = tempfile::tempdir().unwrap();
    let mut rows = faq(60);
    rows[3][2].clear();
    rows[5][1].clear();
    fs::write(dir.path().join("faq.csv"), separated(&rows, ",", [0, 1, 2])).unwrap();
    let report = GENERATE.done(dir.path(), "qa --input faq.csv --output out");
    assert_eq!(report["rows"]["read"], 60);
    assert_eq!(report["rows"]["dropped"], 2);
    rows[9][0].clear();
    fs::write(dir.path().join("bad.csv"), separated(&rows, ",", [0, 1, 2])).unwrap();
    let error = GENERATE.refused(dir.path(), "qa --input bad.csv --output bad", 1);
    assert_snapshot!(error, @"error: bad.csv: column `id` holds `` in line 11; expected an id; give each text one, or leave the column out");
}

#[test]
fn json_is_read_in_whatever_form_it_comes() {
    let dir = tempfile::tempdir().unwrap();
    let objects: Vec<String> = faq(60)
        .iter()
        .enumerate()
        .map(|(at, [id, question, answer])| {
            // Ids are now numbers and now texts, and other columns hold anything.
            let id = match at % 3 {
                0 => at.to_string(),
                _ => format!("{id:?}"),
            };
            let more = ["null", "[1,{\"a\":\"]\"}]", "{\"b\":[]}", "\"x\"", "1.5"][at % 5];
            format!(
                "{{\"more\":{more}, \"question\":{question:?},\"answer\":{answer:?},\"id\":{id}}}"
            )
        })
        .collect();
    let write = |name: &str, text: String| fs::write(dir.path().join(name), text).unwrap();
    write("lines.jsonl", objects.join("\n"));
    write(
        "mark.jsonl",
        format!("\u{FEFF}{}\r\n", objects.join("\r\n")),
    );
    write("array.json", format!("[\n{}\n]\n", objects.join(",\n")));
    write(
        "pretty.json",
        objects
            .join("\n")
            .replace(", \"question", ",\n  \"question"),
    );
    for name in ["lines.jsonl", "mark.jsonl", "array.json", "pretty.json"] {
        assert_eq!(read(dir.path(), name), 60, "{name}");
        let ids = tables::rows(&dir.path().join("out/pairs_train.parquet"), &["anchor_id"]);
        assert!(ids.iter().any(|id| id[0].starts_with("F-")));
        assert!(ids.iter().any(|id| id[0].parse::<u32>().is_ok()));
    }
}

#[test]
fn what_is_wrong_with_json_is_said_with_its_line() {
    let dir = tempfile::tempdir().unwrap();
    let error = |text: &str| {
        fs::write(dir.path().join("bad.jsonl"), text).unwrap();
        GENERATE.refused(dir.path(), "qa --input bad.jsonl --output bad", 1)
    };
    let sound = "{\"id\":1,\"question\":\"why\",\"answer\":\"so\"}\n";
    assert_snapshot!(error(&format!("{sound}{}\n{sound}", &sound[..20])), @"error: bad.jsonl: not a sound JSON Lines file: line 2: a text that does not end in its line");
    assert_snapshot!(error(&format!("{sound}\n{}", &sound[..sound.len() - 2])), @"error: bad.jsonl: not a sound JSON Lines file: line 3: the object that begins here does not end");
    assert_snapshot!(error(&format!("{sound}why,so\n")), @"error: bad.jsonl: not a sound JSON Lines file: line 2: `why,so` where an object is expected");
    assert_snapshot!(error(&format!("[{sound}")), @"error: bad.jsonl: not a sound JSON Lines file: line 2: the array does not end");
    assert_snapshot!(error(&format!("{sound}{}", sound.replace("\"so\"", "[\"so\"]"))), @r#"error: bad.jsonl: column `answer` holds ["so"] in line 2; expected one text or number; take it out of the list or object"#);
    assert_snapshot!(error("{\"version\": 2, \"data\": [{\"question\": \"why\"}]}"), @"error: bad.jsonl: no column `question` (needed for a qa table); found version, data; name another one with --question-column");
}
