//! Documents as people write them: what of them is text, what asks for it, and what is left out.

use std::collections::BTreeSet;
use std::path::Path;

use insta::assert_snapshot;
use pairmill_tests::GENERATE;
use pairmill_tests::tables::rows;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::write;

/// What `generate corpus` makes of a folder or table.
struct Made {
    /// Sources and texts of the passages.
    passages: Vec<[String; 2]>,
    /// Queries, each with the text that it asks for.
    asked: BTreeSet<[String; 2]>,
    summary: Value,
    log: String,
}

impl Made {
    fn of(dir: &Path, line: &str) -> Self {
        let line = format!("corpus {line} --output made --force --json");
        let ended = GENERATE.run(dir, &line);
        let summary = ended.report();
        let made = dir.join("made");
        let table = |name: &str, columns: &[&str]| rows(&made.join(name), columns);
        let passages = table("corpus.parquet", &["id", "source", "text"]);
        let text_of = |id: &str| {
            let passage = passages.iter().find(|row| row[0] == id).unwrap();
            passage[2].clone()
        };
        let mut asked = BTreeSet::new();
        for split in ["train", "dev", "test"] {
            let queries = match split {
                "train" => table("pairs_train.parquet", &["anchor_id", "anchor"]),
                _ => table(&format!("queries_{split}.parquet"), &["id", "text"]),
            };
            for judged in table(
                &format!("qrels_{split}.parquet"),
                &["query_id", "corpus_id"],
            ) {
                let query = queries.iter().find(|query| query[0] == judged[0]).unwrap();
                asked.insert([query[1].clone(), text_of(&judged[1])]);
            }
        }
        Self {
            passages: passages
                .into_iter()
                .map(|row| [row[1].clone(), row[2].clone()])
                .collect(),
            asked,
            summary,
            log: ended.stderr,
        }
    }

    fn asks(&self, query: &str, start: &str) -> bool {
        self.asked
            .iter()
            .any(|[asked, text]| asked == query && text.starts_with(start))
    }

    /// The texts of a source.
    fn texts(&self, source: &str) -> Vec<&str> {
        let passages = self.passages.iter();
        passages
            .filter(|[of, _]| of == source)
            .map(|[_, text]| text.as_str())
            .collect()
    }

    fn left_out(&self, piece: &str) -> Value {
        self.summary["left_out"][piece].clone()
    }
}

/// So many other documents that every split has a query.
fn folder_with_others() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for n in 0..30 {
        let text = format!("# Loom {n}\n\nThe weaver of loom {n} ties knot {n} every noon.\n");
        write(dir.path(), &format!("docs/looms/{n}.md"), text);
    }
    dir
}

#[test]
fn what_a_reader_unfolds_is_a_heading() {
    let dir = folder_with_others();
    let page = "<title>Mill help</title><main><h1>Mill help</h1><p>What visitors ask.\
        <h3><button aria-expanded=true aria-controls=a>May I touch the wheel?</button></h3>\
        <div id=a hidden><p>Only while it stands still.</div>\
        <details><summary>Who opens the sluice?</summary>The miller's boy, at six.</details>\
        <button class='faq-item' aria-expanded=false>Is there flour to buy?</button>\
        <div class=panel style='display: none'>Yes, in the barn.</div>\
        <dl><dt>Where do I park?<dd>Below the oak.<dt>Toll<dd>Two coins.</dl>\
        <button>Send</button></main>";
    write(dir.path(), "docs/mill.html", page);
    let made = Made::of(dir.path(), "--input docs");
    for (query, start) in [
        ("Mill help", "What visitors ask."),
        ("May I touch the wheel?", "Only while it stands still."),
        ("Who opens the sluice?", "The miller's boy, at six."),
        ("Is there flour to buy?", "Yes, in the barn."),
        ("Where do I park?", "Below the oak.\nToll\nTwo coins."),
    ] {
        assert!(made.asks(query, start), "{query}: {:?}", made.asked);
    }
    let expected = json!({"pieces": 1, "documents": 1, "first": "mill.html"});
    assert_eq!(made.left_out("control"), expected);
}

#[test]
fn what_a_page_does_not_show_is_left_out() {
    let dir = folder_with_others();
    let page = "<h1>Weir</h1><div class='cookie-banner'>LEAK We bake cookies</div>\
        <div hidden>LEAK<div>LEAK</div></div><span aria-hidden=true>LEAK</span>\
        <div class=section id=cookie-notices><p>How to keep cookies dry.</div>\
        <pre>Dear keeper,\n\nthe weir on the north bank leaks again.\nPlease bring the long spade \
        and two sacks.</pre>\
        <pre>LEAK --now</pre>";
    write(dir.path(), "docs/weir.html", page);
    let made = Made::of(dir.path(), "--input docs");
    let text = "How to keep cookies dry.\n\nDear keeper,\n\nthe weir on the north bank leaks again. \
                Please bring the long spade and two sacks.";
    assert_eq!(made.texts("weir.html"), [text]);
    for (piece, pieces) in [("cookie_notice", 1), ("hidden", 2), ("code_block", 1)] {
        assert_eq!(made.left_out(piece)["pieces"], pieces, "{piece}");
    }
    let said = "left out: 2 hidden parts of weir.html";
    assert!(made.log.contains(said), "{}", made.log);
}

#[test]
fn pages_are_read_in_the_charset_that_they_declare() {
    let dir = folder_with_others();
    let pages: [(&str, &[u8]); 3] = [
        (
            "old.html",
            b"<meta charset=windows-1252><h1>M\xfchle</h1><p>Die M\xfchle dreht.",
        ),
        // ISO-2022-JP: 水車 is \x1b$B?e<V\x1b(B.
        (
            "mill.html",
            b"<meta charset=iso-2022-jp><h1>\x1b$B?e<V\x1b(B</h1><p>\x1b$B?e<V\x1b(B 1",
        ),
        ("seven.html", b"<meta charset=utf-7><h1>M</h1><p>+AGE-"),
    ];
    for (name, bytes) in pages {
        write(dir.path(), &format!("docs/{name}"), bytes);
    }
    let wide: Vec<u8> = "\u{feff}# Wheel"
        .encode_utf16()
        .flat_map(u16::to_be_bytes)
        .collect();
    write(dir.path(), "docs/wide.md", wide);
    let made = Made::of(dir.path(), "--input docs");
    assert!(made.asks("Mühle", "Die Mühle dreht."), "{:?}", made.asked);
    assert!(made.asks("水車", "水車 1"), "{:?}", made.asked);
    assert_eq!(made.summary["skipped"]["not_utf8"], 2);
    for said in [
        "seven.html: is in utf-7; convert it to UTF-8; skipped",
        "wide.md: is in UTF-16BE; convert it to UTF-8; skipped",
    ] {
        assert!(made.log.contains(said), "{}", made.log);
    }
}

#[test]
fn front_matter_and_tags_of_site_generators_are_no_text() {
    let dir = folder_with_others();
    let toml = "+++\ntitle = \"Millrace\"\ndescription = \"How the race fills the pond\"\n+++\n\n\
                {{< figure src=\"LEAK.png\" >}}\n\nOpen the upper gate.\n{: .LEAK }\n";
    write(dir.path(), "docs/toml.md", toml);
    let json = "{\n\"title\": \"Tailrace\"\n}\n\n{% highlight sh %}\nLEAK\n{% endhighlight %}\n\n\
                Close the lower gate.\n";
    write(dir.path(), "docs/json.md", json);
    let mdx = "import LEAK from './LEAK';\n\n# Gate {#LEAK}\n\n:::tip Mind\n\nIt is heavy.\n\n:::\n\n\
               !!! note\n    Two turn it.\n\nSee [[Pond|the pond]].\n";
    write(dir.path(), "docs/gate.mdx", mdx);
    let made = Made::of(dir.path(), "--input docs");
    assert!(made.asks("How the race fills the pond", "Open the upper gate."));
    assert!(made.asks("Tailrace", "Close the lower gate."));
    let text = "Mind\n\nIt is heavy.\n\nTwo turn it.\n\nSee the pond.";
    assert_eq!(made.texts("gate.mdx"), [text]);
    let all = made.passages.concat().join(" ");
    assert!(!all.contains("LEAK"), "{all}");
    assert_eq!(made.left_out("template_tag")["pieces"], 3);
    assert_eq!(made.left_out("import")["pieces"], 1);
}

#[test]
fn man_pages_and_restructured_text_are_read_as_they_are_shown() {
    let dir = folder_with_others();
    let man = "N\u{8}NA\u{8}AM\u{8}ME\u{8}E\n\nmill - \u{1b}[1mgrinds\u{1b}[0m grain\n";
    write(dir.path(), "docs/mill.txt", man);
    let rst = "Stones\n======\n\n.. toctree::\n\n   LEAK\n\nDress them\n----------\n\nUse the ``bill`` \
               of :ref:`the shed <LEAK>`::\n\n   LEAK\n\n.. warning:: Sharp!\n";
    write(dir.path(), "docs/stones.rst", rst);
    let made = Made::of(dir.path(), "--input docs");
    assert_eq!(made.texts("mill.txt"), ["mill - grinds grain"]);
    assert!(made.asks("NAME", "mill"), "{:?}", made.asked);
    assert!(made.asks("Dress them", "Use the bill of the shed:\n\nSharp!"));
}

#[test]
fn what_many_documents_share_stays_in_the_first() {
    let dir = folder_with_others();
    for n in 0..8 {
        let text = format!("# Sluice {n}\n\nSluice {n} has {n} boards.\n\nAll mills reserved.\n");
        write(dir.path(), &format!("docs/sluices/{n}.md"), text);
    }
    let made = Made::of(dir.path(), "--input docs");
    let with = made
        .passages
        .iter()
        .filter(|[_, text]| text.contains("reserved"));
    assert_eq!(
        with.map(|[source, _]| source).collect::<Vec<_>>(),
        ["sluices/0.md"]
    );
    assert_eq!(made.texts("sluices/3.md"), ["Sluice 3 has 3 boards."]);
    let expected = json!({"pieces": 7, "documents": 7, "first": "sluices/1.md"});
    assert_eq!(made.left_out("shared_paragraph"), expected);
}

#[test]
fn text_without_blanks_is_cut_into_passages_that_a_model_can_read() {
    let dir = tempfile::tempdir().unwrap();
    for n in 0..60 {
        let sentence = |m: usize| format!("水车第{n}号在第{m}天早上转动得很慢。");
        let text: String = (0..60).map(sentence).collect();
        write(
            dir.path(),
            &format!("docs/{n}.md"),
            format!("# 水车{n}\n\n{text}\n"),
        );
    }
    let made = Made::of(dir.path(), "--input docs");
    for [source, text] in &made.passages {
        let letters = text.chars().count();
        assert!(letters < 400 && text.ends_with('。'), "{source}: {letters}");
    }
}

#[test]
fn a_table_of_documents_is_read_row_by_row() {
    let dir = tempfile::tempdir().unwrap();
    let mut table = "nr;subject;body\n".to_owned();
    for n in 0..40 {
        table += &format!(
            "{n};Wheel {n};\"<p>Wheel {n} has {n} paddles.</p><h2>Oil {n}</h2>Use tallow {n}.\"\n"
        );
    }
    table += "40;;\n";
    write(dir.path(), "wheels.csv", table);
    let columns = "--id-column nr --title-column subject --text-column body";
    let line = format!("--input wheels.csv {columns} --text-format html");
    let made = Made::of(dir.path(), &line);
    assert!(made.asks("Wheel 7", "Wheel 7 has 7 paddles."));
    assert!(made.asks("Oil 7", "Use tallow 7."));
    assert_eq!(made.texts("7"), ["Wheel 7 has 7 paddles.", "Use tallow 7."]);
    assert_eq!(
        (
            &made.summary["documents"],
            &made.summary["skipped"]["empty"]
        ),
        (&json!(40), &json!(1))
    );
    let rows = json!({"read": 41, "folded": 0, "dropped": 1, "used": 40});
    assert_eq!(made.summary["table"], rows);
    let said = "wheels.csv: 1 row has an empty text; left out";
    assert!(made.log.contains(said), "{}", made.log);

    let made = Made::of(dir.path(), &format!("--input wheels.csv {columns}"));
    let said =
        "40 texts have tags of HTML, the first of 0; --text-format html reads their text alone";
    assert!(made.log.contains(said), "{}", made.log);
    assert_eq!(made.texts("7").len(), 1);
}

#[test]
fn sentences_ask_where_a_document_has_neither_heading_nor_title() {
    let dir = folder_with_others();
    let mut table = "id,text\n".to_owned();
    for n in 0..60 {
        table += &format!(
            "{n},\"Barge {n} carries grain to the mill. Its skipper sounds the horn at lock {n}. \
             The keeper of lock {n} opens the gate when he hears the horn of the barge.\"\n"
        );
    }
    write(dir.path(), "barges.csv", table);
    let made = Made::of(dir.path(), "--input barges.csv");
    assert_eq!(made.summary["sentences"], 60);
    for [query, text] in &made.asked {
        assert!(!text.contains(query.as_str()), "{query}: {text}");
        assert!(
            query.ends_with('.') && text.ends_with('.'),
            "{query}: {text}"
        );
    }
    let pairs = dir.path().join("made/pairs_train.parquet");
    assert!(
        rows(&pairs, &["maker"])
            .iter()
            .all(|row| row[0] == "sentences")
    );

    // A document that is asked for otherwise stays whole, unless only sentences are wanted.
    let made = Made::of(dir.path(), "--input docs");
    assert_eq!(made.summary["sentences"], 0);
    let error = |makers: &str| {
        let line = format!("corpus --input docs --output no --queries {makers}");
        GENERATE.refused(dir.path(), &line, 1)
    };
    assert!(error("sentences").contains("so there is no query"));
    let made = Made::of(dir.path(), "--input docs --queries headings,titles");
    assert!(made.asks("Loom 3", "The weaver of loom 3"));
}

#[test]
fn tables_of_documents_are_refused_where_they_cannot_be_read() {
    let dir = folder_with_others();
    let path = dir.path();
    write(path, "a.csv", "id,title,text\n1,A,b\n1,B,c\n");
    write(path, "b.csv", "id,subject\n1,A\n");
    let error = |line: &str| GENERATE.refused(path, &format!("corpus --output new {line}"), 1);
    assert_snapshot!(error("--input a.csv b.csv"), @"error: a.csv, b.csv: a table of documents is read alone; put several parts into one folder and give that");
    assert_snapshot!(error("--input a.csv"), @r#"error: a.csv: the id `1` stands for two rows that differ in `title` ("A" and "B"); give each row its own id"#);
    assert_snapshot!(error("--input b.csv"), @"error: b.csv: no column `text` (needed for a corpus table); found id, subject; name another one with --text-column");
    assert_snapshot!(error("--input docs --text-format html"), @"error: docs: columns, --text-format and --where are of tables, and these are files; leave the options out");
}
