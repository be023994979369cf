use std::ffi::OsString;
use std::io::{self, Write};

use clap::{Command, Parser};

use crate::logging::last_word;
use crate::manual::{self, STDOUT};
use crate::outcome::EXIT_CODES;

/// Understands the command line, or ends the program with help or an error.
pub fn parse<T: Parser>() -> T {
    parse_from(std::env::args_os())
}

/// Does the same for arguments that are given, the first of which is the program.
pub fn parse_from<T: Parser>(arguments: impl IntoIterator<Item = OsString>) -> T {
    let command = with_exit_codes(manual::with_commands(T::command()));
    let parsed = command.clone().try_get_matches_from(arguments);
    let parsed = parsed.and_then(|matches| match manual::run(&command, &matches) {
        Some((written, what)) => exit(end_of_writing(written, &what)),
        None => T::from_arg_matches(&matches),
    });
    match parsed {
        Ok(parsed) => parsed,
        Err(error) => exit(end(&error)),
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
            crate::LogFormat::Text => _ = error.print(),
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
