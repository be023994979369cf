use std::ffi::OsString;
use std::io::{self, Write};

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, Parser};

use crate::example::{shown_first, words};
use crate::logging::{last_word, say_variables};
use crate::make_variables::is_in_pipeline;
use crate::manual::{self, STDOUT};
use crate::other_names::{self, advice, with_dashes};
use crate::outcome::EXIT_CODES;
use crate::program::Program;

/// Understands the command line, or ends the program with help or an error.
pub fn parse<T: Parser>(program: &Program) -> T {
    parse_from(program, std::env::args_os())
}

/// Does the same for arguments that are given, the first of which is the program.
pub fn parse_from<T: Parser>(
    program: &Program,
    arguments: impl IntoIterator<Item = OsString>,
) -> T {
    let mut command = whole(T::command()).args_override_self(is_in_pipeline());
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    if arguments.iter().any(|argument| argument == "--version") {
        let version = command.get_version().unwrap_or_default();
        let lines = std::iter::once(version.to_owned()).chain((program.versions)());
        let lines: Vec<String> = lines.collect();
        // clap wants a text that lives as long as the program, which ends when it is printed.
        let text: &'static str = lines.join("\n").leak();
        command = command.long_version(text);
    }
    let arguments = with_dashes(&command, arguments);
    let parsed = shown_first(command.clone()).try_get_matches_from(arguments.clone());
    let parsed = parsed.and_then(|matches| match manual::run(&command, &matches) {
        Some((written, what)) => exit(end_of_writing(written, &what)),
        None => T::from_arg_matches(&matches),
    });
    match parsed {
        Ok(parsed) => parsed,
        Err(error) => {
            let known = program.other_names;
            let advice = unknown(&error).and_then(|name| advice(known, &command, &arguments, name));
            let code = match advice {
                Some(advice) => {
                    last_word(&advice, &[], 2);
                    2
                }
                None => end(&error),
            };
            exit(code)
        }
    }
}

/// Finds commands that lack an example, examples that are not understood, and names of other tools
/// that lead nowhere; for a test of each program.
///
/// # Errors
/// A sentence that says which.
pub fn check<T: Parser>(program: &Program) -> Result<(), String> {
    let command = whole(T::command());
    other_names::check(program.other_names, &command)?;
    for one in std::iter::once(&command).chain(command.get_subcommands()) {
        let name = one.get_name();
        let words = words(one).ok_or_else(|| format!("{name} has no example"))?;
        let named = match one.get_name() == command.get_name() {
            true => words.first(),
            false => words.get(1),
        };
        if named.is_none_or(|named| named != name) {
            return Err(format!("the example of {name} is of another command"));
        }
        let matches = command.clone().try_get_matches_from(&words);
        let matches = matches.and_then(|matches| match manual::is_own(name) {
            true => Ok(()),
            false => T::from_arg_matches(&matches).map(drop),
        });
        matches.map_err(|error| format!("the example of {name}: {error}"))?;
    }
    Ok(())
}

/// Adds what every program has.
fn whole(command: Command) -> Command {
    with_exit_codes(manual::with_commands(command))
}

/// Returns the long name of the option that is not known, if that is the error.
fn unknown(error: &clap::Error) -> Option<&str> {
    match (error.kind(), error.get(ContextKind::InvalidArg)) {
        (ErrorKind::UnknownArgument, Some(ContextValue::String(name))) => name.strip_prefix("--"),
        _ => None,
    }
}

#[expect(
    clippy::exit,
    reason = "nothing has been begun that could be left half done"
)]
fn exit(code: u8) -> ! {
    std::process::exit(i32::from(code))
}

fn with_exit_codes(command: Command) -> Command {
    let command = match command.get_after_help() {
        Some(_) => command,
        None => command.after_help(EXIT_CODES),
    };
    command.mut_subcommands(with_exit_codes)
}

/// Prints help or what is wrong; the exit code.
fn end(error: &clap::Error) -> u8 {
    if error.use_stderr() {
        let text = error.to_string();
        match crate::logging::format() {
            crate::LogFormat::Text => {
                _ = error.print();
                // What follows names options that are not the cause.
                say_variables(text.lines().next().unwrap_or_default());
            }
            crate::LogFormat::Json => {
                let text = text.trim_start_matches("error: ").trim_end();
                last_word(text, &[], 2);
            }
        }
        return 2;
    }
    end_of_writing(error.print(), STDOUT)
}

/// Says what hindered the writing of a text; the exit code.
fn end_of_writing(written: io::Result<()>, what: &str) -> u8 {
    match written.and_then(|()| io::stdout().flush()) {
        Err(full) if full.kind() != io::ErrorKind::BrokenPipe => {
            let what = format!("{what} cannot be written to");
            last_word(&what, &[full.to_string()], 1);
            1
        }
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Parser)]
    enum Cli {
        /// Do it
        Work,
    }

    #[test]
    fn every_help_text_ends_with_the_exit_codes() {
        // Help is broken into lines as the terminal is wide.
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let mut command = with_exit_codes(<Cli as clap::CommandFactory>::command());
        let help = words(&command.render_help().to_string());
        assert!(help.contains(&words(EXIT_CODES)), "{help}");
        let work = command.find_subcommand_mut("work").unwrap();
        let help = words(&work.render_help().to_string());
        assert!(help.contains(&words(EXIT_CODES)), "{help}");
    }
}
