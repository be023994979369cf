//! What every program can say about itself: shell completions and man pages.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Arg, ArgMatches, Command, value_parser};
use clap_complete::Shell;

use crate::example::{example, in_descriptions};

/// Standard output in messages.
pub(crate) const STDOUT: &str = "standard output";
const COMPLETIONS: &str = "completions";
const MAN: &str = "man";

/// Adds the two commands to a program's own.
pub(crate) fn with_commands(command: Command) -> Command {
    let name = command.get_name().to_owned();
    let completions = Command::new(COMPLETIONS)
        .about("Print what a shell needs to complete this program's options")
        .before_help(example(&format!("{name} {COMPLETIONS} bash")))
        .arg(
            Arg::new("shell")
                .value_name("SHELL")
                .required(true)
                .value_parser(value_parser!(Shell)),
        );
    let man = Command::new(MAN)
        .about("Write the man pages of this program into a folder")
        .before_help(example(&format!("{name} {MAN} man")))
        .arg(
            Arg::new("folder")
                .value_name("DIR")
                .required(true)
                .value_parser(value_parser!(PathBuf)),
        );
    command.subcommand(completions).subcommand(man)
}

/// Whether a command is one of the two.
pub(crate) fn is_own(name: &str) -> bool {
    [COMPLETIONS, MAN].contains(&name)
}

/// Carries out one of the two commands, if it was given: whether that went well, and where it wrote
/// to.
pub(crate) fn run(command: &Command, matches: &ArgMatches) -> Option<(io::Result<()>, String)> {
    match matches.subcommand()? {
        (COMPLETIONS, given) => {
            let shell = *given.get_one::<Shell>("shell")?;
            let mut script = Vec::new();
            let name = command.get_name().to_owned();
            clap_complete::generate(shell, &mut command.clone(), name, &mut script);
            Some((io::stdout().write_all(&script), STDOUT.to_owned()))
        }
        (MAN, given) => {
            let folder = given.get_one::<PathBuf>("folder")?;
            let written = std::fs::create_dir_all(folder)
                .and_then(|()| clap_mangen::generate_to(in_descriptions(command.clone()), folder));
            Some((written, folder.display().to_string()))
        }
        _ => None,
    }
}
