//! The line that does the training which was advised.

use std::ffi::OsString;

use clap::{Arg, ArgMatches, Args, Command, parser::ValueSource};
use pairmill_cli::Common;
use pairmill_tables::ReadOptions;

use super::AdviseArgs;
use super::advice::{LossAdvice, Setting};
use crate::encoder::Recipe;

/// Options of all commands that change what is trained.
const OF_ALL: [&str; 2] = ["seed", "config"];
/// Options that the line has in any case.
const OWN: [&str; 5] = ["model", "train", "loss", "eval", "output"];

/// Returns the line that trains with these losses and settings, and with the options that the
/// command was `given` beside them.
pub(super) fn command_line(
    recipe: &Recipe,
    losses: &[LossAdvice],
    settings: &[Setting],
    given: impl Iterator<Item = OsString>,
) -> String {
    let mut line = format!(
        "pairmill-train encoder --model {}",
        word(&recipe.model.to_string())
    );
    for loss in losses {
        line += &match losses.len() {
            1 => format!(" --train {} --loss {}", word(&loss.file), loss.fits),
            _ => format!(" --train {}", word(&format!("{}={}", loss.fits, loss.file))),
        };
    }
    if let Some(eval) = &recipe.data.eval {
        line += &format!(" --eval {}", word(&eval.to_string_lossy()));
    }
    for setting in settings {
        line += &format!(" {} {}", setting.option, setting.value);
    }
    let is_said = |name: &str| {
        let mut options = settings.iter();
        OWN.contains(&name) || options.any(|one| one.option.trim_start_matches("--") == name)
    };
    match others(given, is_said) {
        Some(others) => line + &others + " --output MODEL",
        None => line + " --output MODEL  # and your other options",
    }
}

/// Returns the options of a command line that the training takes too, without those that are said
/// already. `None` where the line cannot be understood by itself, such as one whose options have
/// underscores.
fn others(given: impl Iterator<Item = OsString>, is_said: impl Fn(&str) -> bool) -> Option<String> {
    let command = Command::new("advise").arg(Arg::new("config").long("config"));
    let command =
        AdviseArgs::augment_args(ReadOptions::augment_args(Common::augment_args(command)));
    let training = Recipe::augment_args(ReadOptions::augment_args(Command::new("encoder")));
    let mut words: Vec<OsString> = given.collect();
    if let Some(name) = words.iter().position(|word| word == "advise") {
        words.remove(name);
    }
    let matches = command.clone().try_get_matches_from(words).ok()?;
    let is_taken = |option: &&Arg| {
        let id = option.get_id();
        let is_of_training = training.get_arguments().any(|one| one.get_id() == id);
        let mut names = option.get_long_and_visible_aliases().unwrap_or_default();
        matches.value_source(id.as_str()) == Some(ValueSource::CommandLine)
            && (is_of_training || OF_ALL.contains(&id.as_str()))
            && !names.drain(..).any(&is_said)
    };
    let taken = command.get_arguments().filter(is_taken);
    Some(taken.map(|option| as_given(option, &matches)).collect())
}

/// Returns an option with its values, as often as it was given.
fn as_given(option: &Arg, matches: &ArgMatches) -> String {
    let name = option.get_long().unwrap_or_default();
    if !option.get_action().takes_values() {
        return format!(" --{name}");
    }
    let occurrences = matches.get_raw_occurrences(option.get_id().as_str());
    let one = |values: Vec<String>| format!(" --{name} {}", word(&values.join(",")));
    let texts = occurrences.into_iter().flatten().map(|values| {
        let values = values.map(|value| value.to_string_lossy().into_owned());
        one(values.collect())
    });
    texts.collect()
}

/// Returns a text as one word of the shell.
fn word(text: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "_-./=:,+@%".contains(letter);
    match !text.is_empty() && text.chars().all(is_plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', "'\\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn others_of(line: &str) -> Option<String> {
        let words = line.split('|').map(OsString::from);
        others(words, |name| name == "epochs" || OWN.contains(&name))
    }

    #[test]
    fn options_that_the_training_takes_go_along() {
        let line = "pairmill-train|--seed|7|advise|--model|m|--train|a b|--eval|d|--epochs|3\
                    |--query-prompt|what is: |--matryoshka-dims|64,32|--json\
                    |--queries-per-day|9|--cost-per-failure|2|--output|o";
        let found = others_of(line).unwrap();
        for kept in [
            " --seed 7",
            " --query-prompt 'what is: '",
            " --matryoshka-dims 64,32",
        ] {
            assert!(found.contains(kept), "{found}");
        }
        assert_eq!(others_of("pairmill-train|advise|--query_prompt|x"), None);
        for not_kept in ["model", "a b", "epochs", "json", "per-", "output"] {
            assert!(!found.contains(not_kept), "{found}");
        }
    }

    #[test]
    fn a_word_of_the_shell_is_quoted_where_it_must_be() {
        assert_eq!(word("data/a-1.csv"), "data/a-1.csv");
        assert_eq!(word("it's"), r"'it'\''s'");
        assert_eq!(word(""), "''");
    }
}
