//! The pages hold what they say: their commands run, what they show is what the programs print, and
//! the pages of options are those of the programs.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use pairmill_tests::{EVALUATE, FILTER, GENERATE, MINE, Program, TRAIN, root, write_tiny_model};
use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag, TagEnd};
use serde_json::Value;
use snapbox::Data;
use tempfile::TempDir;

/// Kinds of blocks that a reader may run.
const RUNNABLE: [&str; 3] = ["sh", "python", "sql"];

/// Above a block that this test runs.
const RUN: &str = "<!-- run -->";
/// Above a block that it does not, with the reason.
const NOT_RUN: &str = "<!-- not run: ";
/// Above what the block before it prints; `…` stands for anything.
const OUTPUT: &str = "<!-- output -->";

/// A block of code with the comment right above it.
#[derive(Debug)]
struct Block {
    comment: String,
    language: String,
    text: String,
    line: usize,
}

/// The blocks of a page, in order.
fn blocks(markdown: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut comment = String::new();
    let mut is_code = false;
    for (event, range) in Parser::new(markdown).into_offset_iter() {
        match event {
            Event::Html(html) => comment = html.trim().to_owned(),
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(language))) => {
                is_code = true;
                blocks.push(Block {
                    comment: std::mem::take(&mut comment),
                    language: language.into_string(),
                    text: String::new(),
                    line: markdown[..range.start].matches('\n').count() + 1,
                });
            }
            Event::End(TagEnd::CodeBlock) => is_code = false,
            Event::Text(text) if is_code => {
                let block = blocks.last_mut().expect("a block has begun");
                block.text.push_str(&text);
            }
            Event::Start(Tag::HtmlBlock) | Event::End(TagEnd::HtmlBlock) => {}
            _ => comment.clear(),
        }
    }
    blocks
}

/// The pages of the book and of the examples, and the Markdown files of the root.
fn pages() -> Vec<PathBuf> {
    let mut pages = Vec::new();
    let mut folders = vec![root().join("docs"), root().join("examples")];
    let files = |folder: &Path| -> Vec<PathBuf> {
        let entries = fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().path()).collect()
    };
    while let Some(folder) = folders.pop() {
        let (inner, found): (Vec<_>, Vec<_>) = files(&folder).into_iter().partition(|p| p.is_dir());
        folders.extend(inner);
        pages.extend(found);
    }
    pages.extend(files(&root()));
    pages.retain(|page| page.extension().is_some_and(|extension| extension == "md"));
    pages.sort();
    pages
}

/// A folder as the commands of a page find it: the root of the repository after `make pipeline`,
/// with a tiny model in place of the base model, and some files of the reader's.
fn workplace() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let here = dir.path();
    let link = |to: PathBuf, name: &str| std::os::unix::fs::symlink(to, here.join(name)).unwrap();
    link(root().join("data"), "data");
    link(root().join("data/docs"), "docs");
    link(
        root().join("tests/reference/cross_encoder"),
        "cross-encoder",
    );
    link(root().join("tests/reference/wordnet"), "wordnet");
    write_tiny_model(&here.join(".deps/models/all-MiniLM-L6-v2"));

    GENERATE.done(here, "qa --input data/qa.jsonl --output runs/qa/data");
    for (table, name) in [
        ("pairs_train", "pairs"),
        ("corpus", "corpus"),
        ("queries_test", "queries"),
        ("qrels_test", "qrels"),
    ] {
        let table = here.join(format!("runs/qa/data/{table}.parquet"));
        fs::copy(table, here.join(format!("{name}.parquet"))).unwrap();
    }
    let mine = "--pairs pairs.parquet --corpus corpus.parquet";
    MINE.done(
        here,
        &format!("{mine} --top-k 10 --output candidates.parquet"),
    );
    MINE.done(
        here,
        &format!("{mine} --format triplet --output triplets.parquet"),
    );
    TRAIN.done(
        here,
        "encoder --model .deps/models/all-MiniLM-L6-v2 --train triplets.parquet --max-steps 1 \
         --output model",
    );
    fs::create_dir_all(here.join("runs/november")).unwrap();
    link(here.join("model"), "runs/november/model");

    write_tables(here);
    dir
}

/// The tables that a reader brings: the sample's rows in other forms, and the log of an A/B test.
fn write_tables(here: &Path) {
    let rows = |name: &str| -> Vec<Value> {
        let text = fs::read_to_string(root().join("data").join(name)).unwrap();
        let rows = text.lines().map(|row| serde_json::from_str(row).unwrap());
        rows.collect()
    };
    let table = |name: &str, header: &str, rows: &mut dyn Iterator<Item = String>| {
        let mut file = File::create(here.join(name)).unwrap();
        writeln!(file, "{header}").unwrap();
        rows.for_each(|row| writeln!(file, "{row}").unwrap());
    };
    let quoted = |row: &Value, column: &str| {
        let text = row[column].as_str().expect("a text");
        format!("\"{}\"", text.replace('"', "\"\""))
    };
    let (qa, tickets) = (rows("qa.jsonl"), rows("tickets.jsonl"));
    let three = |row: &Value, names: [&str; 3]| names.map(|name| quoted(row, name)).join(",");

    let of_faq = |row| three(row, ["id", "question", "answer"]);
    table("faq.csv", "id,title,body", &mut qa.iter().map(of_faq));
    let of_tickets = |row| three(row, ["id", "text", "category"]);
    table(
        "tickets.csv",
        "id,text,category",
        &mut tickets.iter().map(of_tickets),
    );
    let mut mails = tickets.iter().enumerate().map(|(n, row)| {
        let language = ["en", "en", "de"][n % 3];
        let (month, day) = (1 + n / 56, 1 + n % 28);
        let row = three(row, ["id", "text", "category"]);
        format!(
            "Mail {n},{language},{},2024-{month:02}-{day:02},{row}",
            n % 5
        )
    });
    let header = "subject,language,priority,Created At,id,body,queue";
    table("mails.csv", header, &mut mails);
    let of_pool = |row| format!("{},{}", quoted(row, "id"), quoted(row, "text"));
    table("pool.csv", "id,text", &mut tickets.iter().map(of_pool));
    let pairs = |row| format!("{},{}", quoted(row, "question"), quoted(row, "answer"));
    let mut in_english = qa.iter().map(|row| format!("{},en", pairs(row)));
    table(
        "pairs-with-language.csv",
        "anchor,positive,language",
        &mut in_english,
    );
    let mut labelled = qa.iter().map(|row| format!("{},1", pairs(row)));
    table("labelled.csv", "sentence1,sentence2,label", &mut labelled);
    let mut events = (0..400).map(|n| {
        let arm = ["control", "candidate"][n % 2];
        format!("{arm},user-{},{}", n % 80, u8::from(n % (5 - n % 2) == 0))
    });
    table("events.csv", "arm,user_id,clicked", &mut events);
}

/// Runs a block in a folder and gives back what it printed, the log included.
fn run(block: &Block, page: &Path, folder: &Path) -> String {
    let programs = MINE.command(folder, "").get_program().to_owned();
    let programs = Path::new(&programs)
        .parent()
        .expect("programs lie in a folder");
    let path = std::env::var("PATH").unwrap_or_default();
    let output = Command::new("bash")
        .args([
            "-euo",
            "pipefail",
            "-c",
            &format!("exec 2>&1\n{}", block.text),
        ])
        .current_dir(folder)
        .env("PATH", format!("{}:{path}", programs.display()))
        .env("HF_HUB_OFFLINE", "1")
        // Other tests run beside this one: threads that wait are not to keep a core busy.
        .env("OMP_WAIT_POLICY", "PASSIVE")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    let place = format!("{}:{}", page.display(), block.line);
    assert!(
        output.status.success(),
        "{place}\n{}\n{printed}",
        block.text
    );
    printed
}

/// Runs the blocks of a page, one after another in one folder.
fn run_page(page: &Path, template: &Path) {
    let folder = tempfile::tempdir().unwrap();
    let mut printed = None;
    for block in &blocks(&fs::read_to_string(page).unwrap()) {
        let place = format!("{}:{}", page.display(), block.line);
        match block.comment.as_str() {
            RUN if block.language == "sh" => {
                if printed.is_none() {
                    copy(template, folder.path());
                }
                printed = Some(run(block, page, folder.path()));
            }
            RUN => panic!("{place}: only blocks of sh are run"),
            OUTPUT => {
                let printed = printed.as_ref();
                let printed = printed.unwrap_or_else(|| panic!("{place}: nothing has been run"));
                // Where a comparison fails, this says of what.
                eprintln!("comparing {place}");
                compare(printed, &block.text);
            }
            comment if comment.starts_with(NOT_RUN) => {}
            _ => assert!(
                !RUNNABLE.contains(&block.language.as_str()),
                "{place}: put `{RUN}` or `{NOT_RUN}REASON -->` above"
            ),
        }
    }
}

#[test]
fn commands_run_or_say_why_not() {
    let template = workplace();
    std::thread::scope(|scope| {
        for page in pages() {
            let template = template.path();
            scope.spawn(move || run_page(&page, template));
        }
    });
}

/// Compares what was printed with what a page shows, in which `…` stands for anything: alone in a
/// line for lines, else for the rest of a line or a part of it.
fn compare(printed: &str, shown: &str) {
    let shown: Vec<String> = shown
        .lines()
        .map(|line| match line.trim() {
            "…" => "...".to_owned(),
            _ => line.replace('…', "[..]"),
        })
        .collect();
    snapbox::assert_data_eq!(printed, Data::text(shown.join("\n") + "\n"));
}

/// Copies a folder with its links.
fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp")
        .arg("-a")
        .arg(from.join("."))
        .arg(to)
        .status();
    assert!(copied.unwrap().success());
}

/// The help of a command and of those below it, as a page.
fn options_page(program: Program, name: &str) -> String {
    let mut page =
        format!("# Options of {name}\n\nWritten by `make reference`, from `{name} --help`.\n");
    let mut commands = vec![String::new()];
    while let Some(command) = commands.pop() {
        let help = program.run(&root(), &format!("{command} --help")).stdout;
        let title = format!("{name}{command}");
        page += &format!("\n## {title}\n\n```text\n{}\n```\n", help.trim_end());
        let below = help.lines().skip_while(|line| *line != "Commands:").skip(1);
        let below = below.take_while(|line| line.starts_with("  "));
        // A line that goes on from the one above begins further right.
        let names = below.filter(|line| !line.starts_with("   "));
        let names = names.filter_map(|line| line.split_whitespace().next());
        let names: Vec<_> = names.filter(|name| *name != "help").collect();
        commands.extend(
            names
                .into_iter()
                .rev()
                .map(|name| format!("{command} {name}")),
        );
    }
    page
}

#[test]
fn options_are_those_of_the_programs() {
    for (program, name) in [
        (GENERATE, "pairmill-generate"),
        (MINE, "pairmill-mine"),
        (FILTER, "pairmill-filter"),
        (TRAIN, "pairmill-train"),
        (EVALUATE, "pairmill-evaluate"),
    ] {
        let page = root().join(format!("docs/reference/{name}.md"));
        let help = options_page(program, name);
        snapbox::assert_data_eq!(help, Data::read_from(&page, None).raw());
    }
}
