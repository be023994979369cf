//! `--config FILE.toml`: options from a file, put on the command line where that does not give
//! them.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::{Arg, Command};
use pairmill_cli::{OtherName, UsageError, advice, long_names};
use toml::{Table, Value};

use crate::error::{Context, Result};

/// Returns the arguments with those of the file that `--config` names. A key is an option's long
/// name, with dashes or underscores; tables group keys and mean nothing; a list repeats its option.
///
/// # Errors
/// If the file cannot be read, is no TOML, or has a key that is no option of the subcommand: one
/// that `other_names` know is said with what to use instead.
pub fn with_config_file(
    command: &Command,
    other_names: &[OtherName],
    arguments: Vec<OsString>,
) -> Result<Vec<OsString>> {
    let Some(path) = config_path(&arguments) else {
        return Ok(arguments);
    };
    let text = std::fs::read_to_string(&path)
        .with_context(|| format!("{}: cannot be read", path.display()))?;
    let table: Table = text
        .parse()
        .map_err(|error| UsageError(format!("{}: {error}", path.display())))?;
    let subcommand = arguments
        .iter()
        .skip(1)
        .find_map(|argument| command.find_subcommand(argument));
    let known: Vec<&Arg> = command
        .get_arguments()
        .chain(subcommand.into_iter().flat_map(Command::get_arguments))
        .collect();
    let mut extended = arguments.clone();
    let advice = |key: &str| advice(other_names, command, &arguments, key);
    add(&table, &known, &advice, &path, &arguments, &mut extended)?;
    Ok(extended)
}

fn config_path(arguments: &[OsString]) -> Option<PathBuf> {
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        if argument == "--config" {
            return arguments.next().map(PathBuf::from);
        }
        if let Some(path) = argument
            .to_str()
            .and_then(|text| text.strip_prefix("--config="))
        {
            return Some(PathBuf::from(path));
        }
    }
    None
}

fn add(
    table: &Table,
    known: &[&Arg],
    advice: &dyn Fn(&str) -> Option<String>,
    path: &Path,
    given: &[OsString],
    extended: &mut Vec<OsString>,
) -> Result<()> {
    for (key, value) in table {
        if let Value::Table(inner) = value {
            add(inner, known, advice, path, given, extended)?;
            continue;
        }
        let name = key.replace('_', "-");
        let is_named = |argument: &&&Arg| long_names(argument).any(|known| known == name);
        let Some(argument) = known.iter().find(is_named) else {
            let advice = advice(&name).unwrap_or_else(|| {
                format!("`{key}` is no option of this command; --help lists them")
            });
            return Err(UsageError(format!("{}: {advice}", path.display())).into());
        };
        if long_names(argument).any(|name| is_given(name, given)) {
            continue;
        }
        let values = match value {
            Value::Array(values) => values.as_slice(),
            single => std::slice::from_ref(single),
        };
        for value in values {
            let text = match value {
                Value::Boolean(true) => {
                    extended.push(format!("--{name}").into());
                    continue;
                }
                Value::Boolean(false) => continue,
                Value::String(text) => text.clone(),
                Value::Integer(number) => number.to_string(),
                Value::Float(number) => number.to_string(),
                _ => {
                    return Err(UsageError(format!(
                        "{}: `{key}` is neither a text, a number, true, false nor a list of these",
                        path.display()
                    ))
                    .into());
                }
            };
            extended.push(format!("--{name}={text}").into());
        }
    }
    Ok(())
}

fn is_given(name: &str, given: &[OsString]) -> bool {
    let texts = given.iter().filter_map(|argument| argument.to_str());
    texts
        .filter_map(|text| text.strip_prefix("--"))
        .filter_map(|text| text.split('=').next())
        .any(|given| given.replace('_', "-") == name)
}

#[cfg(test)]
mod tests {
    use clap::ArgAction;

    use super::*;

    fn command() -> Command {
        let option = |name: &'static str| Arg::new(name).long(name);
        Command::new("train").subcommand(
            Command::new("encoder")
                .arg(option("epochs-of-training").visible_alias("epochs"))
                .arg(option("train").action(ArgAction::Append))
                .arg(option("resume").action(ArgAction::SetTrue)),
        )
    }

    fn extended(toml: &str, line: &str) -> Result<Vec<String>> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.toml");
        std::fs::write(&path, toml).unwrap();
        let line = format!("train encoder --config {} {line}", path.display());
        let arguments = line.split_whitespace().map(OsString::from).collect();
        let other = OtherName::new("passes", "train", "use --epochs N");
        let arguments = with_config_file(&command(), &[other], arguments)?;
        let texts = arguments.into_iter().skip(4);
        Ok(texts.map(|text| text.into_string().unwrap()).collect())
    }

    #[test]
    fn the_file_adds_what_the_command_line_does_not_say() {
        let toml = "train = ['a.parquet', 'b.parquet']\n[training]\nepochs = 3\nresume = true";
        assert_eq!(
            extended(toml, "").unwrap(),
            [
                "--train=a.parquet",
                "--train=b.parquet",
                "--epochs=3",
                "--resume"
            ]
        );
        assert_eq!(
            extended(toml, "--train=c.parquet --epochs_of_training 1").unwrap(),
            ["--train=c.parquet", "--epochs_of_training", "1", "--resume"]
        );
    }

    #[test]
    fn an_unknown_key_is_refused() {
        let error = extended("epoch = 3", "").unwrap_err().to_string();
        assert!(error.contains("`epoch` is no option"), "{error}");
        let error = extended("passes = 3", "").unwrap_err().to_string();
        let said = "--passes is not known here; use --epochs N";
        assert!(error.ends_with(said), "{error}");
    }
}
