//! Tables as people write them: each is read as it is meant, or refused with the place and the
//! remedy.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, Decimal128Array, DictionaryArray, Float64Array, ListArray, RecordBatch,
    StringArray,
};
use arrow::datatypes::Int32Type;
use arrow::ipc::writer::StreamWriter;
use insta::assert_snapshot;
use pairmill_tests::{EVALUATE, GENERATE, MINE, tables};

/// A help desk's answers, `n` of them: the question, and the answer that begins with `Take`.
fn faq(n: usize) -> Vec<[String; 3]> {
    let parts = ["pump", "hose", "valve", "lamp", "brake", "mirror"];
    let row = |at: usize| {
        let part = parts[at % parts.len()];
        [
            format!("F-{at:03}"),
            format!("Why does the {part} of lorry {at} rattle?"),
            format!(
                "Take lorry {at} to bay {} and have its {part} tightened.",
                at % 7
            ),
        ]
    };
    (0..n).map(row).collect()
}

/// The rows as separated values, in this order of columns.
fn separated(rows: &[[String; 3]], delimiter: &str, order: [usize; 3]) -> String {
    let names = ["id", "question", "answer"];
    let line = |cells: [&str; 3]| cells.join(delimiter);
    let mut text = line(order.map(|at| names[at]));
    for row in rows {
        text.push('\n');
        text.push_str(&line(order.map(|at| row[at].as_str())));
    }
    text + "\n"
}

/// Makes a data set and returns what was counted, and checks that answers are answers.
fn read(dir: &Path, input: &str) -> u64 {
    let report = GENERATE.done(dir, &format!("qa --input {input} --output out --force"));
    for row in tables::rows(&dir.join("out/corpus.parquet"), &["text"]) {
        assert!(row[0].starts_with("Take"), "{row:?} is no answer");
    }
    report["rows"]["used"].as_u64().unwrap()
}

fn log(dir: &Path, line: &str) -> String {
    let ended = GENERATE.run(dir, line);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    ended.stderr
}

#[test]
fn rows_that_a_spreadsheet_left_blank_are_left_out_and_counted() {
    let dir = tempfile::tempdir().unwrap();
    let mut text = separated(&faq(60), ",", [0, 1, 2]);
    text.push_str(",,\n , ,\n");
    fs::write(dir.path().join("faq.csv"), text).unwrap();
    let log = log(dir.path(), "qa --input faq.csv --output out");
    let said = "faq.csv: 2 rows are blank in every column and left out (the first in line 62)";
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

fn texts(values: impl IntoIterator<Item = String>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(values))
}

#[test]
fn parquet_columns_of_near_types_are_read() {
    let dir = tempfile::tempdir().unwrap();
    let rows = faq(60);
    let column = |at: usize| rows.iter().map(move |row| row[at].clone());
    let numbers = 0..rows.len();
    let floats: ArrayRef = Arc::new(Float64Array::from_iter_values(
        numbers.clone().map(|n| n as f64),
    ));
    let decimals = Decimal128Array::from_iter_values(numbers.clone().map(|n| n as i128 * 100));
    let decimals: ArrayRef = Arc::new(decimals.with_precision_and_scale(12, 2).unwrap());
    let bytes = column(1).map(String::into_bytes).collect::<Vec<_>>();
    let bytes: ArrayRef = Arc::new(BinaryArray::from_iter_values(bytes));
    let dictionary: DictionaryArray<Int32Type> = column(2)
        .map(Some)
        .collect::<Vec<_>>()
        .iter()
        .map(Option::as_deref)
        .collect();
    let nested = ListArray::from_iter_primitive::<Int32Type, _, _>(
        numbers.map(|n| Some(vec![Some(n as i32)])),
    );
    for ids in [floats, decimals] {
        let batch = RecordBatch::try_from_iter([
            ("nested", Arc::new(nested.clone()) as ArrayRef),
            ("answer", Arc::new(dictionary.clone()) as ArrayRef),
            ("id", ids),
            ("question", bytes.clone()),
        ]);
        tables::write(&dir.path().join("faq.parquet"), &batch.unwrap());
        assert_eq!(read(dir.path(), "faq.parquet"), 60);
        let ids = tables::rows(&dir.path().join("out/pairs_train.parquet"), &["anchor_id"]);
        assert!(ids.iter().all(|id| id[0].parse::<u32>().is_ok()), "{ids:?}");
    }
    let halves: ArrayRef = Arc::new(Float64Array::from(vec![1.0, 2.5]));
    let two = |at: usize| texts(column(at).take(2));
    let batch =
        RecordBatch::try_from_iter([("id", halves), ("question", two(1)), ("answer", two(2))]);
    tables::write(&dir.path().join("bad.parquet"), &batch.unwrap());
    let error = GENERATE.refused(dir.path(), "qa --input bad.parquet --output bad", 1);
    assert_snapshot!(error, @"error: bad.parquet: column `id` holds `2.5` in row 2 (counted from 1, header not counted); expected text or a whole number");
}

fn ticket(at: usize) -> [String; 2] {
    [
        format!("T-{at:03}"),
        format!("My parcel {at} never came, where is number {at}?"),
    ]
}

#[test]
fn folders_are_read_as_others_write_them() {
    let dir = tempfile::tempdir().unwrap();
    let part = |folder: &str, range: std::ops::Range<usize>, category: Option<&str>| {
        let rows: Vec<_> = range.clone().map(ticket).collect();
        let column = |at: usize| texts(rows.iter().map(|row| row[at].clone()));
        let mut columns = vec![("id", column(0)), ("text", column(1))];
        if let Some(category) = category {
            columns.push(("category", texts(range.map(|_| category.to_owned()))));
        }
        let folder = dir.path().join(folder);
        fs::create_dir_all(&folder).unwrap();
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        tables::write(&folder.join("part-0.snappy.parquet"), &batch);
        fs::write(folder.join(".part-0.snappy.parquet.crc"), "x").unwrap();
    };
    let used = |input: &str| {
        let report = GENERATE.done(
            dir.path(),
            &format!("tickets --input {input} --output out --force"),
        );
        report["rows"]["used"].as_u64().unwrap()
    };
    part("hive/category=lost%20parcel", 0..30, None);
    part("hive/category=late", 30..60, None);
    fs::write(dir.path().join("hive/_SUCCESS"), "").unwrap();
    assert_eq!(used("hive"), 60);
    let categories = tables::rows(&dir.path().join("out/tickets_train.parquet"), &["category"]);
    assert!(categories.iter().any(|row| row[0] == "lost parcel"));

    part("grown", 0..30, Some("lost"));
    part("grown/2024", 30..60, Some("late"));
    fs::write(dir.path().join("grown/old.csv.bak"), "id\n").unwrap();
    assert_eq!(used("grown"), 60);
    let said = log(dir.path(), "tickets --input grown --output out --force");
    assert!(
        said.contains("grown: read with its sub-folders (files: 2, 1 of them below)"),
        "{said}"
    );
    assert!(said.contains("passed over `old.csv.bak`"), "{said}");

    fs::write(dir.path().join("grown/dataset_dict.json"), "{}").unwrap();
    let error = GENERATE.refused(dir.path(), "tickets --input grown --output bad", 1);
    assert_snapshot!(error, @"error: grown: is a saved DatasetDict, which is not read; name the folder of one of its splits");
    fs::create_dir(dir.path().join("hive/_delta_log")).unwrap();
    let error = GENERATE.refused(dir.path(), "tickets --input hive --output bad", 1);
    assert_snapshot!(error, @"error: hive: is a Delta Lake table, which is not read; export it as plain Parquet");
}

#[test]
fn a_saved_data_set_is_a_folder_of_arrow_streams() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("saved");
    fs::create_dir(&folder).unwrap();
    let rows = faq(60);
    for (number, rows) in rows.chunks(30).enumerate() {
        let column = |at: usize| texts(rows.iter().map(|row| row[at].clone()));
        let batch = RecordBatch::try_from_iter([
            ("id", column(0)),
            ("question", column(1)),
            ("answer", column(2)),
        ])
        .unwrap();
        let file =
            fs::File::create(folder.join(format!("data-{number:05}-of-00002.arrow"))).unwrap();
        let mut writer = StreamWriter::try_new(file, &batch.schema()).unwrap();
        writer.write(&batch).unwrap();
        writer.finish().unwrap();
    }
    fs::write(folder.join("state.json"), "{\"_data_files\": []}").unwrap();
    fs::write(folder.join("dataset_info.json"), "{\"features\": {}}").unwrap();
    assert_eq!(read(dir.path(), "saved"), 60);
}

#[test]
fn titles_may_be_null_or_absent_in_every_stage() {
    let dir = tempfile::tempdir().unwrap();
    let rows = faq(12);
    for (kind, title) in [
        ("empty", "\"title\":\"\","),
        ("null", "\"title\":null,"),
        ("absent", ""),
    ] {
        let lines = rows
            .iter()
            .map(|[id, _, answer]| format!("{{\"_id\":\"{id}\",{title}\"text\":{answer:?}}}\n"));
        fs::write(
            dir.path().join(format!("{kind}.jsonl")),
            lines.collect::<String>(),
        )
        .unwrap();
    }
    let queries = rows
        .iter()
        .map(|[id, question, _]| format!("{{\"_id\":\"{id}\",\"text\":{question:?}}}\n"));
    fs::write(
        dir.path().join("queries.jsonl"),
        queries.collect::<String>(),
    )
    .unwrap();
    let search = |kind: &str| {
        MINE.done(
            dir.path(),
            &format!("search --corpus {kind}.jsonl --queries queries.jsonl --output {kind}.trec"),
        );
        fs::read_to_string(dir.path().join(format!("{kind}.trec"))).unwrap()
    };
    assert_eq!(search("null"), search("empty"));
    assert_eq!(search("absent"), search("empty"));
}

#[test]
fn grades_are_whole_numbers_however_they_are_written() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(dir.path().join(name), text).unwrap();
    write(
        "run.csv",
        "query_id,corpus_id,rank,score\nq1,a,1,2.5\nq1,b,2,1.5\n",
    );
    write("qrels.csv", "query_id,corpus_id,score\nq1,b,1.0\n");
    write("half.csv", "query_id,corpus_id,score\nq1,a,1\nq1,b,0.5\n");
    let report = EVALUATE.done(
        dir.path(),
        "run --run run.csv --qrels qrels.csv --metrics mrr@10",
    );
    assert_eq!(report["model"]["mrr@10"], 0.5);
    let error = EVALUATE.refused(dir.path(), "run --run run.csv --qrels half.csv", 1);
    assert_snapshot!(error, @"error: half.csv: column `score` holds `0.5` in line 3; expected a whole number");
}

#[test]
fn names_differ_in_case_where_that_is_unique() {
    let dir = tempfile::tempdir().unwrap();
    let text = separated(&faq(60), ",", [0, 1, 2]);
    let capital = text.replacen("id,question,answer", "ID, Question ,ANSWER", 1);
    fs::write(dir.path().join("faq.csv"), capital).unwrap();
    assert_eq!(read(dir.path(), "faq.csv"), 60);
    let twice = text.replacen("id,question,answer", "Answer,question,ANSWER", 1);
    fs::write(dir.path().join("twice.csv"), twice).unwrap();
    let error = GENERATE.refused(dir.path(), "qa --input twice.csv --output bad", 1);
    assert_snapshot!(error, @"error: twice.csv: there are several columns `answer`, in the same or another case; leave one of them");
}

#[test]
fn a_pipe_is_read_once_and_used_as_often_as_needed() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(
        dir.path().join("faq.csv"),
        separated(&faq(60), ",", [0, 1, 2]),
    )
    .unwrap();
    GENERATE.done(dir.path(), "qa --input faq.csv --output data");
    let pipe = dir.path().join("pairs.parquet");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    let source = dir.path().join("data/pairs_train.parquet");
    let target = pipe.clone();
    let writer = std::thread::spawn(move || fs::write(target, fs::read(source).unwrap()).unwrap());
    let line = "--corpus data/corpus.parquet --top-k 3";
    let piped = MINE.done(
        dir.path(),
        &format!("--pairs pairs.parquet {line} --output piped.parquet"),
    );
    writer.join().unwrap();
    let plain = MINE.done(
        dir.path(),
        &format!("--pairs data/pairs_train.parquet {line} --output plain.parquet"),
    );
    assert_eq!(piped["pairs"], plain["pairs"]);
    let rows = |name: &str| tables::read(&dir.path().join(name)).columns().to_vec();
    assert!(rows("piped.parquet") == rows("plain.parquet"));
}

#[test]
fn columns_of_the_pairs_go_along_to_what_is_mined() {
    let dir = tempfile::tempdir().unwrap();
    let rows = faq(20);
    let pair = |[id, question, answer]: &[String; 3]| format!("{question},{answer},K-{id},7\n");
    let pairs: String = rows.iter().map(pair).collect();
    let pairs = format!("question,answer,Key,rank\n{pairs}");
    fs::write(dir.path().join("pairs.csv"), pairs).unwrap();
    let keys = |line: &str| {
        MINE.done(
            dir.path(),
            &format!("--pairs pairs.csv --top-k 4 --output out.parquet --force {line}"),
        );
        tables::rows(&dir.path().join("out.parquet"), &["Key"]).concat()
    };
    let all = keys("--keep-columns all");
    assert!(all.iter().all(|key| key.starts_with("K-F-")), "{all:?}");
    assert_eq!(all, keys("--keep-columns Key"));
    keys("--keep-columns Key --format triplet --drop-ids");
    assert_eq!(
        tables::columns(&dir.path().join("out.parquet")),
        ["anchor", "positive", "negative", "Key"]
    );
    let error = MINE.refused(
        dir.path(),
        "--pairs pairs.csv --top-k 4 --output bad.parquet --keep-columns rank",
        1,
    );
    assert_snapshot!(error, @"error: pairs.csv: the column `rank` cannot be kept, as a candidates table has one of this name; rename it in the input");
}

#[test]
fn columns_of_an_input_go_along_to_the_pairs_that_are_generated() {
    let dir = tempfile::tempdir().unwrap();
    let rows = faq(40);
    let csv = |[id, question, answer]: &[String; 3]| format!("{id},{question},{answer},K-{id},\n");
    let csv: String = rows.iter().map(csv).collect();
    fs::write(
        dir.path().join("qa.csv"),
        format!("id,question,answer,Key,note\n{csv}"),
    )
    .unwrap();
    let kept = |line: &str| {
        let kind = line.split(' ').next().unwrap();
        GENERATE.done(dir.path(), &format!("{line} --output {kind} --force"));
        let pairs = dir.path().join(kind).join("pairs_train.parquet");
        let columns = tables::columns(&pairs);
        (columns, tables::rows(&pairs, &["anchor_id", "Key"]))
    };
    let own = ["anchor_id", "anchor", "positive_id", "positive"];
    let (columns, found) = kept("qa --input qa.csv --keep-columns all");
    assert_eq!(columns, [&own[..], &["Key", "note"]].concat());
    assert!(found.len() > 20);
    for [id, key] in found.iter().map(|row| [&row[0], &row[1]]) {
        assert_eq!(*key, format!("K-{id}"));
    }
    let (columns, _) = kept("qa --input qa.csv --keep-columns Key");
    assert_eq!(columns, [&own[..], &["Key"]].concat());
    // Without ids the anchor's is made of its text; the key is still the row's.
    let (columns, found) = kept(
        "pairs --input qa.csv --anchor-column question --positive-column answer --keep-columns key",
    );
    assert_eq!(columns, [&own[..], &["Key"]].concat());
    assert!(found.iter().all(|row| row[1].starts_with("K-F-")));

    let category = |id: &String| id.len() + id.bytes().map(usize::from).sum::<usize>() % 3;
    let csv =
        |[id, question, _]: &[String; 3]| format!("{id},{question},c{},K-{id}\n", category(id));
    let csv: String = rows.iter().map(csv).collect();
    fs::write(
        dir.path().join("tickets.csv"),
        format!("id,text,category,Key\n{csv}"),
    )
    .unwrap();
    let (columns, found) = kept("tickets --input tickets.csv --keep-columns Key");
    assert_eq!(columns, [&own[..], &["Key"]].concat());
    for [id, key] in found.iter().map(|row| [&row[0], &row[1]]) {
        assert_eq!(*key, format!("K-{id}"));
    }
    let error = GENERATE.refused(
        dir.path(),
        "qa --input qa.csv --output bad --keep-columns Keys",
        1,
    );
    assert_snapshot!(error, @"error: qa.csv: no column `Keys` (wanted beside those of a qa table); found id, question, answer, Key, note");
}
