//! Options as other tools of the field call them.

use std::ffi::OsString;

use clap::{Arg, Command};

/// An option of another tool for which there is none of the same meaning here, and what to use
/// instead. One of the same meaning is an alias of the option.
#[derive(Debug, Clone, Copy)]
pub struct OtherName {
    name: &'static str,
    option: &'static str,
    advice: &'static str,
}

impl OtherName {
    /// An option of the long name `name` elsewhere. The advice is given by commands that have
    /// `option`, since elsewhere it would lead nowhere.
    pub const fn new(name: &'static str, option: &'static str, advice: &'static str) -> Self {
        Self {
            name,
            option,
            advice,
        }
    }
}

/// Returns what to say of an option that the called command has not, if another tool has it.
///
/// `name` is the long name, with dashes or underscores; the first of `arguments` is the program.
pub fn advice(
    known: &[OtherName],
    program: &Command,
    arguments: &[OsString],
    name: &str,
) -> Option<String> {
    let name = name.replace('_', "-");
    let command = called(program, arguments);
    let mut known = known.iter();
    let found = known.find(|other| other.name == name && has(command, other.option))?;
    Some(format!("--{name} is not known here; {}", found.advice))
}

/// Returns the command that the arguments call: the first one named, or the program itself.
fn called<'a>(command: &'a Command, arguments: &[OsString]) -> &'a Command {
    let mut named = arguments.iter().skip(1);
    let named = named.find_map(|argument| command.find_subcommand(argument));
    named.unwrap_or(command)
}

/// Writes options with dashes that are given with underscores, as scripts of Hugging Face have
/// them: `--batch_size` for `--batch-size`.
pub(crate) fn with_dashes(command: &Command, arguments: Vec<OsString>) -> Vec<OsString> {
    let commands: Vec<&Command> = commands(command).collect();
    let is_known = |name: &str| commands.iter().any(|command| has(command, name));
    let mut is_over = false;
    let dashed = |argument: OsString| {
        is_over |= argument == "--";
        let text = match argument.to_str().and_then(|text| text.strip_prefix("--")) {
            Some(text) if !is_over => text,
            _ => return argument,
        };
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (text, None),
        };
        let with_dashes = name.replace('_', "-");
        if is_known(name) || !is_known(&with_dashes) {
            return argument;
        }
        match value {
            Some(value) => format!("--{with_dashes}={value}").into(),
            None => format!("--{with_dashes}").into(),
        }
    };
    arguments.into_iter().map(dashed).collect()
}

/// Returns the long names of an option, hidden aliases too.
pub fn long_names(argument: &Arg) -> impl Iterator<Item = &str> {
    let aliases = argument.get_all_aliases().unwrap_or_default();
    argument.get_long().into_iter().chain(aliases)
}

/// Finds an entry that leads nowhere.
///
/// # Errors
/// If a command has an option of that name, or none has those that the advice names.
pub(crate) fn check(known: &[OtherName], program: &Command) -> Result<(), String> {
    let globals = program
        .get_arguments()
        .filter(|argument| argument.is_global_set());
    let globals: Vec<&str> = globals.flat_map(long_names).collect();
    for other in known {
        let name = other.name;
        let having: Vec<&Command> = commands(program)
            .filter(|command| has(command, other.option))
            .collect();
        if having.is_empty() {
            return Err(format!("--{name}: no command has --{}", other.option));
        }
        if having.iter().any(|command| has(command, name)) {
            return Err(format!("--{name} is an option itself"));
        }
        for option in options_in(other.advice) {
            let is_known = having.iter().any(|command| has(command, option));
            if !is_known && !globals.contains(&option) {
                return Err(format!("--{name}: no such command has --{option}"));
            }
        }
    }
    Ok(())
}

/// Returns the long names of the options in a sentence, save those of other programs, which stand
/// with the program's name between backticks.
pub(crate) fn options_in(text: &str) -> impl Iterator<Item = &str> {
    let is_own = |(number, part): &(usize, &str)| {
        let is_quoted = number % 2 == 1;
        !is_quoted
            || !["pairmill-", "make "]
                .iter()
                .any(|one| part.starts_with(one))
    };
    let parts = text.split('`').enumerate().filter(is_own);
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
    let words = parts.flat_map(move |(_, part)| part.split(move |letter| !is_part(letter)));
    words
        .filter_map(|word| word.strip_prefix("--"))
        .filter(|name| name.starts_with(|first: char| first.is_ascii_alphabetic()))
}

/// Returns a program and its commands.
fn commands(command: &Command) -> impl Iterator<Item = &Command> {
    std::iter::once(command).chain(command.get_subcommands())
}

fn has(command: &Command, name: &str) -> bool {
    let mut arguments = command.get_arguments();
    arguments.any(|argument| long_names(argument).any(|long| long == name))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [OtherName; 1] = [OtherName::new(
        "warmup-steps",
        "warmup-ratio",
        "use --warmup-ratio SHARE",
    )];

    fn program() -> Command {
        let option = |name: &'static str| Arg::new(name).long(name);
        let train = Command::new("encoder")
            .arg(option("warmup-ratio"))
            .arg(option("learning-rate").alias("lr"));
        Command::new("train")
            .subcommand(train)
            .subcommand(Command::new("export"))
    }

    fn arguments(line: &str) -> Vec<OsString> {
        line.split_whitespace().map(OsString::from).collect()
    }

    #[test]
    fn advice_is_given_where_it_can_be_followed() {
        let program = program();
        let of = |line: &str| advice(&KNOWN, &program, &arguments(line), "warmup_steps");
        let said = "--warmup-steps is not known here; use --warmup-ratio SHARE";
        assert_eq!(of("train encoder --warmup_steps 9").as_deref(), Some(said));
        assert_eq!(of("train export --warmup_steps 9"), None);
        let colour = advice(&KNOWN, &program, &arguments("train encoder"), "colour");
        assert_eq!(colour, None);
    }

    #[test]
    fn underscores_of_known_options_are_dashes() {
        let given =
            "train encoder --learning_rate=1e-5 --warmup_ratio 0.1 --no_such -- --warmup_ratio";
        let read = with_dashes(&program(), arguments(given));
        assert_eq!(
            read,
            arguments(
                "train encoder --learning-rate=1e-5 --warmup-ratio 0.1 --no_such -- --warmup_ratio"
            )
        );
    }

    #[test]
    fn an_entry_that_leads_nowhere_is_found() {
        let check = |name, option, advice| {
            check(&[OtherName::new(name, option, advice)], &program()).unwrap_err()
        };
        assert_eq!(
            check("fp16", "bf16", "use --bf16"),
            "--fp16: no command has --bf16"
        );
        assert_eq!(
            check("lr", "warmup-ratio", "use --learning-rate"),
            "--lr is an option itself"
        );
        assert_eq!(
            check(
                "fp16",
                "warmup-ratio",
                "use --bf16, as `pairmill-x --y` does"
            ),
            "--fp16: no such command has --bf16"
        );
    }
}
