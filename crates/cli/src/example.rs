//! The example that every help text begins with.

use clap::Command;

/// Stands above an example.
const TITLE: &str = "Example:";
/// Columns of a help text on a narrow terminal; a longer line would be broken anywhere.
const WIDTH: usize = 80;
const INDENT: &str = "  ";
const DEEPER: &str = "      ";
/// clap's own, with what stands before the help moved below the first line of the description.
const TEMPLATE: &str = "\
{about-with-newline}
{before-help}{usage-heading} {usage}

{all-args}{after-help}";

/// Returns an example for `before_help` of a command: a command line that works as it stands,
/// broken before options where it is long.
pub fn example(line: &str) -> String {
    let mut text = format!("{TITLE}\n{INDENT}");
    let mut column = INDENT.len();
    for (number, part) in line.split(" --").enumerate() {
        let part = match number {
            0 => part.to_owned(),
            _ => format!("--{part}"),
        };
        // A blank before it, a blank and a backslash behind it.
        if number > 0 && column + 1 + part.len() + 2 > WIDTH {
            text += &format!(" \\\n{DEEPER}");
            column = DEEPER.len();
        } else if number > 0 {
            text.push(' ');
            column += 1;
        }
        text += &part;
        column += part.len();
    }
    text
}

/// Returns the words of a command's example, the program first.
pub(crate) fn words(command: &Command) -> Option<Vec<String>> {
    let text = command.get_before_help()?.to_string();
    let line = text.strip_prefix(TITLE)?.replace("\\\n", "");
    Some(line.split_whitespace().map(str::to_owned).collect())
}

/// Puts the example below the first line of each description, before all else.
pub(crate) fn shown_first(command: Command) -> Command {
    let command = command.help_template(TEMPLATE);
    let command = match (command.get_before_help(), command.get_long_about()) {
        (Some(example), Some(description)) => {
            let description = description.to_string();
            let text = match description.split_once("\n\n") {
                Some((_, rest)) => format!("{example}\n\n{rest}"),
                None => example.to_string(),
            };
            command.before_long_help(text).long_about(None::<&str>)
        }
        _ => command,
    };
    command.mut_subcommands(shown_first)
}

/// Puts the example at the end of each description, in one line: man pages know no other place.
pub(crate) fn in_descriptions(command: Command) -> Command {
    let description = command.get_long_about().or_else(|| command.get_about());
    let text = words(&command).map(|words| {
        let description = description.map(ToString::to_string).unwrap_or_default();
        format!("{description}\n\n{TITLE} {}", words.join(" "))
    });
    let command = match text {
        Some(text) => command.long_about(text),
        None => command,
    };
    command.mut_subcommands(in_descriptions)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_example_is_broken_before_options_and_read_whole() {
        let line = "pairmill-mine --pairs runs/try/data/pairs_train.parquet --corpus \
                    runs/try/data/corpus.parquet --output runs/try/candidates.parquet";
        let text = example(line);
        assert_eq!(
            text,
            "Example:\n  pairmill-mine --pairs runs/try/data/pairs_train.parquet \\\n      \
             --corpus runs/try/data/corpus.parquet \\\n      \
             --output runs/try/candidates.parquet"
        );
        assert!(text.lines().all(|line| line.len() <= WIDTH), "{text}");
        let command = Command::new("pairmill-mine").before_help(text);
        assert_eq!(words(&command).unwrap().join(" "), line);
    }

    #[test]
    fn the_example_stands_between_the_first_line_and_the_rest() {
        let command = Command::new("do")
            .about("Does it")
            .long_about("Does it\n\nIn this way.")
            .before_help(example("do it"));
        let help = shown_first(command.clone()).render_long_help().to_string();
        assert!(
            help.starts_with("Does it\n\nExample:\n  do it\n\nIn this way.\n\nUsage:"),
            "{help}"
        );
        let help = shown_first(command.clone()).render_help().to_string();
        assert!(
            help.starts_with("Does it\n\nExample:\n  do it\n\nUsage:"),
            "{help}"
        );
        let described = in_descriptions(command);
        let description = described.get_long_about().unwrap().to_string();
        assert_eq!(description, "Does it\n\nIn this way.\n\nExample: do it");
    }
}
