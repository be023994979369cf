//! The tables and models that the tests read, and how they compare figures.

use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

pub fn close(found: &Value, expected: f64, tolerance: f64) {
    let value = found
        .as_f64()
        .unwrap_or_else(|| panic!("{found} is no number"));
    assert!(
        (value - expected).abs() <= tolerance,
        "{value} is not {expected}"
    );
}

/// Figures made with the Python libraries, see `tests/reference/tasks.py`.
pub fn tasks() -> Value {
    let text = fs::read_to_string(pairmill_tests::root().join("tests/reference/tasks.json"));
    serde_json::from_str(&text.unwrap()).unwrap()
}

/// A copy of a model whose weights are overwritten from `start` to the end with `byte`.
pub fn damaged(model: &Path, copy: &Path, start: f64, byte: u8) {
    fs::create_dir_all(copy.join("1_Pooling")).unwrap();
    for name in [
        "config.json",
        "modules.json",
        "tokenizer.json",
        "1_Pooling/config.json",
    ] {
        fs::copy(model.join(name), copy.join(name)).unwrap();
    }
    for name in [
        "sentence_bert_config.json",
        "tokenizer_config.json",
        "special_tokens_map.json",
    ] {
        let _ = fs::copy(model.join(name), copy.join(name));
    }
    let weights = copy.join("model.safetensors");
    fs::copy(model.join("model.safetensors"), &weights).unwrap();
    let mut file = File::options().write(true).open(&weights).unwrap();
    let length = file.metadata().unwrap().len();
    let start = (length as f64 * start) as u64;
    file.seek(SeekFrom::Start(start)).unwrap();
    file.write_all(&vec![byte; (length - start) as usize])
        .unwrap();
}

pub const CORPUS: &str = "\
id,title,text
d1,Printer,The printer jams when thick paper is loaded.
d2,,Reset your password on the account page.
d3,Delivery,Parcels arrive within three working days.
d4,Refunds,We pay back the price within a week after the goods return.
d5,Opening hours,The shop is open from nine to six.
d6,,The screen of the laptop stays black after an update.
d7,Invoice,Invoices are sent by mail on the first of the month.
d8,Printer,Replace the ink cartridge when the print is pale.
";

pub const QUERIES: &str = "\
id,text
q1,paper stuck in the printer
q2,I forgot my password
q3,how long does shipping take
q4,when do you open
q5,nobody has judged this one
";

pub const QRELS: &str = "\
query_id,corpus_id,score
q1,d1,2
q1,d8,1
q2,d2,1
q3,d3,1
q4,d5,1
q4,d3,0
";

/// A folder with the small tables above and a link `model` to the base model.
pub fn help_desk() -> TempDir {
    let model = fs::canonicalize(pairmill_tests::model()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(model, dir.path().join("model")).unwrap();
    for (name, text) in [
        ("corpus.csv", CORPUS),
        ("queries.csv", QUERIES),
        ("qrels.csv", QRELS),
    ] {
        fs::write(dir.path().join(name), text).unwrap();
    }
    dir
}

pub const RETRIEVAL: &str =
    "retrieval --model model --corpus corpus.csv --queries queries.csv --qrels qrels.csv";
