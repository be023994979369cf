//! Queries that a language model writes, and what goes wrong on the way to it. The server is a
//! stand-in here; a real one is asked by `bench/generate/judged_queries.py --makers model`.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::time::{Duration, Instant};

use insta::assert_snapshot;
use pairmill_tests::tables::rows;
use pairmill_tests::{Chat, Ended, GENERATE, Reply, Request, names};
use serde_json::{Value, json};
use tempfile::TempDir;

const PARTS: [&str; 12] = [
    "axle", "brake", "clutch", "door", "engine", "fan", "gasket", "horn", "ignition", "jack",
    "key", "lamp",
];

/// Documents of a passage each.
fn workplace() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("docs")).unwrap();
    for part in PARTS {
        let text = format!("The {part} of a lorry wears out. Have it looked at once a year.\n");
        fs::write(dir.path().join("docs").join(format!("{part}.txt")), text).unwrap();
    }
    dir
}

/// The part that a request is about.
fn part(request: &Request) -> &'static str {
    let asked = request.asks();
    PARTS
        .into_iter()
        .find(|part| asked.contains(&format!("The {part} ")))
        .unwrap()
}

fn sound(request: &Request) -> String {
    let part = part(request);
    format!("1. When is the {part} checked?\n2. {part} yearly check")
}

fn line(chat: &Chat, options: &str) -> String {
    format!(
        "corpus --input docs --output made --queries model --endpoint {} --model small --retries 1 \
         --split 0.2,0.3,0.5 {options}",
        chat.url
    )
}

fn run(dir: &Path, chat: &Chat, options: &str) -> Ended {
    GENERATE.run(dir, &format!("{} --json", line(chat, options)))
}

/// What the model wrote, with reasons.
fn written(dir: &Path) -> Vec<Vec<String>> {
    let columns = ["corpus_id", "query", "reason"];
    rows(&dir.join("made/model_queries.parquet"), &columns)
}

#[test]
fn each_passage_is_asked_about_once_and_its_queries_ask_for_it() {
    let dir = workplace();
    let chat = Chat::serve(|_, request| Reply::Text(sound(request)));
    let report = run(dir.path(), &chat, "").report();
    let requests = chat.requests();
    assert_eq!(requests.len(), 12);
    for request in &requests {
        assert_eq!(request.path, "/v1/chat/completions");
        assert_eq!(request.body["model"], "small");
        assert_eq!(request.body["max_tokens"], 256);
        assert!(request.body.get("temperature").is_none());
    }
    let asked = &report["model"]["asked"];
    let expected = json!({
        "kept": 0, "answered": 12, "failed": 0, "not_asked": 0, "requests": 12,
        "prompt_tokens": 600, "completion_tokens": 120,
    });
    assert_eq!(*asked, expected);
    assert_eq!(report["model"]["queries"], 24);
    assert_eq!(report["queries"], 24);
    let pairs = rows(
        &dir.path().join("made/pairs_train.parquet"),
        &["anchor", "positive", "maker"],
    );
    assert!(!pairs.is_empty());
    for pair in pairs {
        assert_eq!(pair[2], "model");
        let part = PARTS.iter().find(|part| pair[0].contains(*part)).unwrap();
        assert!(pair[1].contains(part), "{pair:?}");
    }
    // With another option the tables are made anew, and nothing is asked again.
    let report = run(dir.path(), &chat, "--negatives-per-anchor 2").report();
    assert_eq!(report["model"]["asked"]["kept"], 12);
    assert!(chat.requests().is_empty());
    assert_eq!(
        names(dir.path()),
        ["docs", "made", "made-answers.jsonl"]
            .map(str::to_owned)
            .into()
    );
}

#[test]
fn bytes_depend_on_no_order_of_answers() {
    let dir = workplace();
    let chat = Chat::serve(|number, request| {
        Reply::After(
            Duration::from_millis(40 * (7 - number as u64 % 8)),
            sound(request),
        )
    });
    let table = |options: &str| {
        run(dir.path(), &chat, &format!("{options} --force")).report();
        fs::remove_file(dir.path().join("made-answers.jsonl")).unwrap();
        fs::read(dir.path().join("made/pairs_train.parquet")).unwrap()
    };
    assert_eq!(table("--concurrency 1"), table("--concurrency 8"));
}

#[test]
fn lines_that_are_no_queries_are_counted_with_their_reasons() {
    let dir = workplace();
    fs::write(dir.path().join("own.txt"), "how do I get my money back\n\n").unwrap();
    let chat = Chat::serve(|_, request| {
        let part = part(request);
        let text = match part {
            "axle" => String::new(),
            "brake" => "Here you are:\nwhat does this passage say about brakes".to_owned(),
            "clutch" => "how do I get my money back?\nKupplung".to_owned(),
            "door" => "door wears out\nDoor wears out!\n门多久检查一次".to_owned(),
            "engine" => return Reply::CutText("engine wear\nhow often is the eng".to_owned()),
            "fan" => "the fan of a lorry wears out have it looked at once a year".to_owned(),
            _ => format!("{part} wear\nwhen to have it checked"),
        };
        Reply::Text(text)
    });
    let report = run(dir.path(), &chat, "--examples own.txt").report();
    let expected = json!({
        "empty": 1, "no_query": 1, "of_the_passage": 1, "example": 1, "too_short": 1, "repeated": 1,
        "other_language": 1, "cut": 1, "copied": 1, "common": 6,
    });
    assert_eq!(report["model"]["left_out"], expected);
    assert_eq!(report["model"]["queries"], 8);
    let of_door: Vec<Vec<String>> = written(dir.path())
        .into_iter()
        .filter(|row| row[0].starts_with("door"))
        .collect();
    assert_eq!(of_door[0][1..], ["door wears out", "-"]);
    assert_eq!(of_door[1][1..], ["Door wears out!", "repeated"]);
    let asked = chat.requests()[0].asks().to_owned();
    assert!(asked.contains("how do I get my money back"), "{asked}");
}

#[test]
fn what_may_pass_is_tried_again() {
    let dir = workplace();
    let chat = Chat::serve(|number, request| match number {
        0 => Reply::Status(429, "Retry-After: 0.2\r\n", "{}".to_owned()),
        2 => Reply::Status(503, "", "loading".to_owned()),
        4 => Reply::HalfOf(sound(request)),
        6 => Reply::Status(200, "", "<html>".to_owned()),
        _ => Reply::Text(sound(request)),
    });
    let report = run(dir.path(), &chat, "--concurrency 1").report();
    let asked = &report["model"]["asked"];
    assert_eq!(asked["answered"], 12);
    assert_eq!(asked["failed"], 0);
    assert_eq!(asked["requests"], 16);
}

#[test]
fn a_slow_answer_is_not_waited_for() {
    let dir = workplace();
    let chat = Chat::serve(|number, request| match number {
        0 => Reply::After(Duration::from_secs(20), String::new()),
        _ => Reply::Text(sound(request)),
    });
    let start = Instant::now();
    let report = run(dir.path(), &chat, "--timeout 1").report();
    assert!(start.elapsed() < Duration::from_secs(15));
    assert_eq!(report["model"]["asked"]["answered"], 12);
}

#[test]
fn a_prompt_that_is_refused_is_left_out_and_the_others_are_asked() {
    let dir = workplace();
    let chat = Chat::serve(|_, request| match part(request) {
        "horn" => Reply::Status(
            400,
            "",
            json!({"error": {"message": "the prompt\nis too long"}}).to_string(),
        ),
        _ => Reply::Text(sound(request)),
    });
    let ended = run(dir.path(), &chat, "");
    assert!(
        ended
            .stderr
            .contains("a prompt has no answer: status 400: the prompt is too long"),
        "{}",
        ended.stderr
    );
    let asked = &ended.report()["model"]["asked"];
    assert_eq!([&asked["answered"], &asked["failed"]], [11, 1]);
    chat.requests();
    let again = run(dir.path(), &chat, "").report();
    assert_eq!(again["up_to_date"], false, "it is asked again");
    assert_eq!(chat.requests().len(), 1);
}

#[test]
fn a_newer_name_of_the_greatest_length_is_used_where_it_is_wanted() {
    let dir = workplace();
    let chat = Chat::serve(|_, request| match request.body.get("max_tokens") {
        Some(_) => {
            let message = "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens'.";
            Reply::Status(400, "", json!({"error": {"message": message}}).to_string())
        }
        None => Reply::Text(sound(request)),
    });
    let report = run(dir.path(), &chat, "--concurrency 1").report();
    assert_eq!(report["model"]["asked"]["answered"], 12);
    let requests = chat.requests();
    assert_eq!(requests.len(), 13);
    assert_eq!(requests[12].body["max_completion_tokens"], 256);
}

/// An error without the port, which differs from run to run.
fn refused(dir: &Path, chat: &Chat, options: &str) -> String {
    let before = names(dir);
    let error = run(dir, chat, options).error(1);
    assert_eq!(names(dir), before, "a failed run leaves nothing");
    error.replace(&chat.url, "URL")
}

#[test]
fn an_endpoint_that_cannot_be_used_is_said_with_what_to_do() {
    let dir = workplace();
    let said = |status: u16, message: &'static str| {
        Chat::serve(move |_, _| {
            Reply::Status(
                status,
                "",
                json!({"error": {"message": message}}).to_string(),
            )
        })
    };
    let denied = said(401, "You have no key");
    assert_snapshot!(refused(dir.path(), &denied, ""), @"error: URL refuses the key (status 401): You have no key; set the variable OPENAI_API_KEY, or name a file with --api-key-file");
    let unknown = said(404, "model 'small' not found");
    assert_snapshot!(refused(dir.path(), &unknown, ""), @"error: URL knows neither that address nor the model `small` (status 404): model 'small' not found; see what it has with: curl URL/models");
    let broken = said(500, "out of memory");
    assert_snapshot!(refused(dir.path(), &broken, ""), @"error: URL: 5 prompts in a row have no answer, the last one because of: status 500: out of memory; see the log of the server");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    let line = format!(
        "corpus --input docs --output made --endpoint http://{address} --model small --retries 1"
    );
    let error = GENERATE.run(dir.path(), &line).error(1);
    assert_snapshot!(error.replace(&address, "HOST"), @"error: http://HOST/v1 cannot be reached: io: Connection refused (os error 111); is the server running, and is that its address?");
    let error = |options: &str, code| {
        let line = format!("corpus --input docs --output made {options}");
        GENERATE.run(dir.path(), &line).error(code)
    };
    assert_snapshot!(error("--endpoint localhost:1 --model a", 1), @"error: --endpoint localhost:1: it has no `http://` or `https://`; expected an address such as http://localhost:8080/v1");
    assert_snapshot!(error("--endpoint http://me:word@localhost --model a", 1), @"error: --endpoint http://…@localhost: a key or password in an address would be logged; name a file with --api-key-file; expected an address such as http://localhost:8080/v1");
    assert_snapshot!(error("--queries model", 2), @"error: --queries model needs --endpoint and --model");
    assert_snapshot!(error("--queries titles --endpoint http://a --model b", 2), @"error: --endpoint is of no use without `model` in --queries");
    assert!(error("--passages 5", 2).contains("--endpoint <URL>"));
    fs::write(dir.path().join("key"), "\n").unwrap();
    assert_snapshot!(error("--endpoint http://a --model b --api-key-file key", 1), @"error: key: it is empty; expected a file with the key of the endpoint in one line");
    assert_snapshot!(error("--endpoint http://a --model b --examples key", 1), @"error: --examples key: it is empty; expected a query on each line");
}

#[test]
fn a_key_is_sent_and_written_nowhere() {
    const KEY: &str = "sk-3f9a77secret";
    let dir = workplace();
    let chat = Chat::serve(|_, request| match part(request) {
        // As some hosts do, which name the key in what they say.
        "horn" => Reply::Status(
            400,
            "",
            json!({"error": {"message": format!("not for {KEY}")}}).to_string(),
        ),
        _ => Reply::Text(sound(request)),
    });
    fs::write(dir.path().join("key"), format!("{KEY}\n")).unwrap();
    let ended = run(dir.path(), &chat, "-v --api-key-file key");
    fs::remove_file(dir.path().join("key")).unwrap();
    let line = format!("{} --json", line(&chat, "-v --force --answers other"));
    let mut command = GENERATE.command(dir.path(), &line);
    let other = Ended::from(command.env("OPENAI_API_KEY", KEY).output().unwrap());
    for ended in [&ended, &other] {
        assert_eq!(ended.code, 0, "{}", ended.stderr);
    }
    let expected = Some(format!("Bearer {KEY}"));
    let requests = chat.requests();
    assert!(requests.len() > 20 && requests.iter().all(|one| one.authorization == expected));
    let said = [&ended, &other].map(|ended| format!("{}{}", ended.stdout, ended.stderr));
    assert!(said.iter().all(|said| !said.contains(KEY)), "{said:?}");
    let mut open = vec![dir.path().to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
                continue;
            }
            let bytes = fs::read(&path).unwrap();
            let has_key = bytes
                .windows(KEY.len())
                .any(|bytes| bytes == KEY.as_bytes());
            assert!(!has_key, "{}", path.display());
        }
    }
}

#[test]
fn a_budget_is_kept_and_the_same_command_goes_on() {
    let dir = workplace();
    let chat = Chat::serve(|_, request| Reply::Text(sound(request)));
    let counts = |report: &Value| {
        let asked = &report["model"]["asked"];
        ["kept", "answered", "not_asked"].map(|count| asked[count].as_u64().unwrap())
    };
    let first = run(dir.path(), &chat, "--max-requests 5");
    assert!(
        first.stderr.contains("7 passages were not asked about"),
        "{}",
        first.stderr
    );
    assert_eq!(counts(&first.report()), [0, 5, 7]);
    let second = run(dir.path(), &chat, "--max-requests 5").report();
    assert_eq!(counts(&second), [5, 5, 2]);
    let third = run(dir.path(), &chat, "--max-requests 5").report();
    assert_eq!(counts(&third), [10, 2, 0]);
    assert_eq!(chat.requests().len(), 12, "nothing was asked twice");
    let fourth = run(dir.path(), &chat, "--max-requests 5").report();
    assert_eq!(fourth["up_to_date"], true);
}

#[test]
fn a_kill_loses_no_answer_and_the_next_run_asks_for_the_others() {
    let dir = workplace();
    let chat = Chat::serve(|_, request| Reply::After(Duration::from_millis(200), sound(request)));
    let line = line(&chat, "--concurrency 1");
    let mut child = GENERATE.command(dir.path(), &line).spawn().unwrap();
    let answers = dir.path().join("made-answers.jsonl");
    let kept = || fs::read_to_string(&answers).map_or(0, |text| text.lines().count());
    while kept() < 4 {
        std::thread::sleep(Duration::from_millis(20));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!dir.path().join("made").exists());
    let kept = kept() as u64;
    let asked = chat.requests().len() as u64;
    assert!(asked <= kept + 1, "{asked} asked, {kept} kept");
    let report = run(dir.path(), &chat, "").report();
    assert_eq!(report["model"]["asked"]["kept"], kept);
    assert_eq!(report["model"]["asked"]["answered"], 12 - kept);
    assert_eq!(report["model"]["queries"], 24);
}
