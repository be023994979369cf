//! What the programs say of themselves and to those who call them: examples, versions, names of
//! other tools, and variables of make.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use insta::assert_snapshot;
use pairmill_tests::{
    EVALUATE, Ended, FILTER, GENERATE, MINE, Program, TRAIN, root, write_tiny_model,
};

const PROGRAMS: [Program; 5] = [GENERATE, MINE, FILTER, TRAIN, EVALUATE];

/// The folder that the programs lie in.
fn programs() -> PathBuf {
    let program = MINE.command(&root(), "").get_program().to_owned();
    Path::new(&program).parent().unwrap().to_owned()
}

/// Runs a line of a shell that finds the programs.
fn shell(dir: &Path, line: &str) -> Ended {
    let path = std::env::var("PATH").unwrap_or_default();
    let mut command = Command::new("bash");
    command
        .args(["-euc", line])
        .current_dir(dir)
        .env("PATH", format!("{}:{path}", programs().display()))
        .env("HF_HUB_OFFLINE", "1")
        .env("HF_HOME", "nowhere");
    command.output().unwrap().into()
}

/// The commands of a program, itself first as an empty name.
fn commands(program: Program) -> Vec<String> {
    let help = program.run(&root(), "-h").stdout;
    let below = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let below = below.take_while(|line| line.starts_with("  "));
    let names = below.filter(|line| !line.starts_with("   "));
    let names = names.filter_map(|line| line.split_whitespace().next());
    let names = names.filter(|name| *name != "help").map(str::to_owned);
    std::iter::once(String::new()).chain(names).collect()
}

/// The example at the beginning of a help text.
fn example(program: Program, command: &str, flag: &str) -> String {
    let help = program.run(&root(), &format!("{command} {flag}")).stdout;
    let mut lines = help.lines().skip_while(|line| !line.is_empty()).skip(1);
    assert_eq!(lines.next(), Some("Example:"), "{help}");
    let lines: Vec<&str> = lines.take_while(|line| !line.is_empty()).collect();
    assert!(lines.iter().all(|line| line.len() <= 80), "{help}");
    lines.join("\n")
}

/// A folder as the examples find it: the sample, and models in place of those of the Hub.
fn workplace() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let here = dir.path();
    symlink(root().join("data"), here.join("data")).unwrap();
    write_tiny_model(&here.join("sentence-transformers/all-MiniLM-L6-v2"));
    fs::create_dir(here.join("cross-encoder")).unwrap();
    symlink(
        root().join("tests/reference/cross_encoder"),
        here.join("cross-encoder/ms-marco-MiniLM-L6-v2"),
    )
    .unwrap();
    let sentences = "id,text\na,the lamp is out\nb,the light does not work\nc,where is the key\n";
    fs::write(here.join("sentences.csv"), sentences).unwrap();
    let duplicates = "sentence1_id,sentence2_id\na,b\n";
    fs::write(here.join("duplicates.csv"), duplicates).unwrap();
    let events = (0..400).map(|n| {
        let arm = ["control", "candidate"][n % 2];
        format!("{arm},user-{},{}\n", n % 80, u8::from(n % (5 - n % 2) == 0))
    });
    let events = "arm,user_id,clicked\n".to_owned() + &events.collect::<String>();
    fs::write(here.join("events.csv"), events).unwrap();
    dir
}

#[test]
fn every_help_text_begins_with_an_example_that_works() {
    let dir = workplace();
    let mut last = Vec::new();
    for program in PROGRAMS {
        for command in commands(program) {
            let line = example(program, &command, "--help");
            assert_eq!(line, example(program, &command, "-h"));
            match command.as_str() {
                // It is of two evaluations, of which there is one when the others are through, and
                // these are of a model that another program exports.
                "compare" | "select" | "select-pairs" | "simulate" => last.push(line),
                _ => run_example(dir.path(), &line),
            }
        }
    }
    for month in ["november", "december"] {
        let folder = dir.path().join("runs").join(month);
        fs::create_dir(&folder).unwrap();
        symlink(dir.path().join("runs/try/report"), folder.join("report")).unwrap();
    }
    for line in last {
        run_example(dir.path(), &line);
    }
}

fn run_example(dir: &Path, line: &str) {
    let ended = shell(dir, line);
    assert_eq!(ended.code, 0, "{line}\n{}", ended.stderr);
}

#[test]
fn versions_name_the_build_and_the_libraries() {
    let dir = tempfile::tempdir().unwrap();
    for program in PROGRAMS {
        let short = program.run(dir.path(), "-V").stdout;
        assert_eq!(short.lines().count(), 1, "{short}");
        let long = program.run(dir.path(), "--version").stdout;
        assert!(long.starts_with(&short), "{long}");
        let build = long
            .lines()
            .nth(1)
            .and_then(|line| line.strip_prefix("build "));
        assert_eq!(build.map(str::len), Some(16), "{long}");
        assert!(long.contains("ONNX Runtime"), "{long}");
    }
    let of_train = TRAIN.run(dir.path(), "--version").stdout;
    assert!(of_train.contains("\nlibtorch 2."), "{of_train}");
    let mut without = TRAIN.command(dir.path(), "--version");
    let without: Ended = without
        .env("ORT_DYLIB_PATH", "nowhere")
        .output()
        .unwrap()
        .into();
    assert_eq!(without.code, 0, "{}", without.stderr);
    let said = "ONNX Runtime cannot be loaded; run `make setup`, or set ORT_DYLIB_PATH";
    assert!(without.stdout.contains(said), "{}", without.stdout);

    // The build is the one that outputs carry.
    GENERATE.done(
        &root(),
        &format!(
            "qa --input data/qa.jsonl --output {}",
            dir.path().join("out").display()
        ),
    );
    let lineage = fs::read_to_string(dir.path().join("out/lineage.json")).unwrap();
    let version = GENERATE.run(dir.path(), "--version").stdout;
    let build = version.lines().find_map(|line| line.strip_prefix("build "));
    let build = build.unwrap();
    assert!(lineage.contains(&format!("\"{build}\"")), "{lineage}");
}

#[test]
fn names_of_other_tools_are_understood_or_pointed_to() {
    let dir = tempfile::tempdir().unwrap();
    let refused = |program: Program, line: &str| program.refused(dir.path(), line, 2);
    let encoder = "encoder --model m --train t --output o";
    assert_snapshot!(refused(TRAIN, &format!("{encoder} --warmup_steps 100")), @"error: --warmup-steps is not known here; use --warmup-ratio SHARE, the share of all steps: N of S steps are N / S");
    assert_snapshot!(refused(TRAIN, &format!("{encoder} --fp16")), @"error: --fp16 is not known here; use --bf16, mixed precision in bfloat16, with --device cuda");
    assert_snapshot!(refused(MINE, "--pairs p --output o.csv --range_for_sampling=2-200"), @"error: --range-for-sampling is not known here; for 2-200 use --range-min 2 --range-max 200 --top-k 200 --sampling-strategy random");
    assert_snapshot!(refused(FILTER, "--candidates c --model m --output o.csv --batch-size 8"), @"error: --batch-size is not known here; use --token-budget N, the tokens of a batch; scores do not depend on it");
    // Where the advice could not be followed, it is not given.
    let export = refused(TRAIN, "export --model m --output o --warmup-steps 9");
    assert!(
        export.contains("unexpected argument '--warmup-steps'"),
        "{export}"
    );
    fs::write(dir.path().join("a.toml"), "warmup_steps = 9").unwrap();
    let of_file = refused(TRAIN, &format!("{encoder} --config a.toml"));
    assert!(
        of_file.starts_with("error: a.toml: --warmup-steps is not known here; use --warmup-ratio"),
        "{of_file}"
    );

    // All of these are understood: what is wrong is that there is no such model.
    let line = "encoder --model_name_or_path no/model --train_file t --output_dir o \
                --num_train_epochs 2 --per_device_train_batch_size 8 --learning_rate 1e-5 \
                --lr_scheduler_type constant_with_warmup --batch-sampler no_duplicates \
                --max_seq_length 64 --gradient_accumulation_steps 2 --loss \
                MultipleNegativesRankingLoss";
    let error = TRAIN.refused(dir.path(), line, 1);
    assert!(
        error.starts_with("error: no/model: no such folder"),
        "{error}"
    );
}

#[test]
fn a_missing_gpu_has_one_remedy() {
    let dir = tempfile::tempdir().unwrap();
    write_tiny_model(&dir.path().join("tiny"));
    fs::write(
        dir.path().join("pairs.csv"),
        "sentence1,sentence2,label\na,b,1\na,c,0\n",
    )
    .unwrap();
    if TRAIN
        .run(dir.path(), "check-model --model tiny --device cuda")
        .code
        == 0
    {
        return;
    }
    let errors = [
        TRAIN.refused(dir.path(), "check-model --model tiny --device cuda", 1),
        TRAIN.refused(
            dir.path(),
            "encoder --model tiny --train pairs.csv --output o --device cuda",
            1,
        ),
        EVALUATE.refused(
            dir.path(),
            "pairs --model tiny --pairs pairs.csv --device cuda",
            1,
        ),
    ];
    assert_snapshot!(errors[0], @"error: --device cuda: this libtorch sees no CUDA device; build with `make build DEVICE=cuda` on a machine with a GPU, or use --device cpu");
    assert!(errors.iter().all(|error| *error == errors[0]), "{errors:?}");
}

#[test]
fn a_model_is_checked_before_it_is_needed() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    write_tiny_model(&dir.join("tiny"));
    let report = TRAIN.done(dir, "check-model --model tiny");
    assert_eq!(report["kind"], "sentence encoder");
    assert_eq!(
        (&report["dimension"], &report["max_length"]),
        (&32.into(), &128.into())
    );
    let judge = root().join("tests/reference/cross_encoder");
    let report = FILTER.done(dir, &format!("check-model --model {}", judge.display()));
    assert_eq!(report["models"], 1);
    let error = FILTER.refused(dir, "check-model --model tiny", 1);
    assert!(error.contains("tiny"), "{error}");
    let error = TRAIN.refused(dir, "check-model --model no/model", 1);
    assert!(
        error.starts_with("error: no/model: no such folder"),
        "{error}"
    );
}

#[test]
fn in_a_pipeline_advice_names_the_variable() {
    let dir = tempfile::tempdir().unwrap();
    let run = |line: &str| -> Ended {
        let mut command = TRAIN.command(dir.path(), line);
        let variables = "--batch-size=BATCH_SIZE *=TRAIN_FLAGS";
        command.env("PAIRMILL_MAKE_VARIABLES", variables);
        command.output().unwrap().into()
    };
    let encoder = "encoder --model m --train t --output o";
    let error = run(&format!("{encoder} --batch-size 0")).error(2);
    assert!(
        error.ends_with("with make: BATCH_SIZE in place of --batch-size"),
        "{error}"
    );
    let error = run(&format!("{encoder} --fp16")).error(2);
    assert!(
        error.ends_with(
            "with make: --fp16 in TRAIN_FLAGS, --bf16 in TRAIN_FLAGS, --device in TRAIN_FLAGS"
        ),
        "{error}"
    );
    // What the user adds comes last and wins.
    let error = run(&format!("{encoder} --batch-size 8 --batch-size 4")).error(1);
    assert!(error.starts_with("error: m: no such folder"), "{error}");
    let twice = TRAIN.refused(
        dir.path(),
        &format!("{encoder} --batch-size 8 --batch-size 4"),
        2,
    );
    assert!(twice.contains("cannot be used multiple times"), "{twice}");
}

/// Runs make with what is built, in the root of the repository.
fn make(arguments: &str) -> Ended {
    let target = programs().parent().unwrap().to_owned();
    let mut command = Command::new("make");
    command
        // Nothing is built: the tests use what is there.
        .args(["--old-file=build", "--no-print-directory"])
        .args(arguments.split_whitespace())
        .arg(format!("CARGO_TARGET_DIR={}", target.display()))
        .current_dir(root())
        .env("HF_HUB_OFFLINE", "1")
        .env("HF_HOME", "nowhere");
    command.output().unwrap().into()
}

#[test]
fn a_mistyped_model_ends_a_pipeline_before_its_first_stage() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    let model = pairmill_tests::model();
    for pipeline in ["qa", "pairs", "tickets", "corpus"] {
        let line = format!("pipeline PIPELINE={pipeline} RUN={}", run.display());
        let ended = make(&format!("{line} MODEL=no/model"));
        assert_ne!(ended.code, 0);
        let said = "error: no/model: no such folder";
        assert!(ended.stderr.contains(said), "{}", ended.stderr);
        assert!(ended.stderr.contains("change MODEL"), "{}", ended.stderr);
        let ended = make(&format!("{line} MODEL={} JUDGE=no/judge", model.display()));
        assert_ne!(ended.code, 0);
        assert!(
            ended.stderr.contains("error: no/judge: no such folder"),
            "{}",
            ended.stderr
        );
        assert!(ended.stderr.contains("change JUDGE"), "{}", ended.stderr);
        assert!(!run.exists());
    }
}

/// The variables that pipelines read, but for those that they define themselves.
fn variables_of_pipelines() -> BTreeSet<String> {
    let mut read = BTreeSet::new();
    let mut own = BTreeSet::from(["BIN".to_owned()]);
    let is_part = |letter: char| letter.is_ascii_uppercase() || letter == '_';
    for file in fs::read_dir(root().join("pipelines")).unwrap() {
        let text = fs::read_to_string(file.unwrap().path()).unwrap();
        for line in text.lines() {
            let name: String = line.chars().take_while(|&letter| is_part(letter)).collect();
            let rest = line[name.len()..].trim_start();
            if rest.starts_with("= ") {
                own.insert(name);
            } else if let Some(defined) = line.strip_prefix("define ") {
                own.insert(defined.to_owned());
            }
        }
        for opening in ["$(", "$(value ", "named,"] {
            let parts = text.split(opening).skip(1);
            let names = parts.filter_map(|part| part.split(|letter| !is_part(letter)).next());
            read.extend(names.filter(|name| name.len() > 1).map(str::to_owned));
        }
    }
    read.difference(&own).cloned().collect()
}

#[test]
fn make_help_names_every_variable_with_its_default() {
    let help = make("help").stdout;
    let variables = variables_of_pipelines();
    assert!(
        variables.contains("BATCH_SIZE") && variables.contains("JUDGE"),
        "{variables:?}"
    );
    let words: BTreeSet<&str> = help
        .split(|letter: char| !letter.is_ascii_uppercase() && letter != '_')
        .collect();
    for variable in &variables {
        assert!(words.contains(variable.as_str()), "{variable}\n{help}");
    }
    assert!(
        help.contains("[qa 4, pairs 4, tickets 2, corpus 4]"),
        "{help}"
    );
    assert!(help.contains("[tickets 500]"), "{help}");
}
