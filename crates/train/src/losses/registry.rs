//! What the command line and the book say of a loss, and the rules that follow from it.

use std::fmt::{self, Display, Formatter, Write};

use clap::ValueEnum;
use clap::builder::PossibleValue;
use pairmill_cli::UsageError;
use serde::{Serialize, Serializer};

use super::similarity::Distance;

/// The release of sentence-transformers whose lines [`Loss::source`] counts.
const REFERENCE: &str =
    "https://github.com/huggingface/sentence-transformers/blob/v6.2.0/sentence_transformers";

/// A loss, with what is needed to name, explain, check and make it. `D` says which data it learns
/// from and how it is made.
#[derive(Clone, Copy)]
pub struct Loss<D> {
    /// The name on the command line and in lineages.
    pub name: &'static str,
    /// The class of sentence-transformers, which the command line takes as a name too.
    pub class: &'static str,
    /// File and line of the formula there.
    pub source: &'static str,
    /// The line of `--help`: what it does and which data it needs.
    pub help: &'static str,
    /// The options that it reads; others mean nothing to it.
    pub options: &'static [LossOption],
    /// Which data it learns from and how it is made.
    pub data: D,
}

/// Losses that train models of one kind.
pub trait Family: Copy + Send + Sync + 'static {
    /// All of them, in the order of `--help` and of training.
    const LOSSES: &'static [Loss<Self>];
    /// The folder of their formulas in sentence-transformers.
    const SOURCE: &'static str;
}

/// An option that a loss reads.
#[derive(Debug, Clone, Copy)]
pub struct LossOption {
    /// The long name on the command line.
    pub name: &'static str,
    /// What holds where it is not given.
    pub default: OptionDefault,
}

/// What holds where an option is not given.
#[derive(Debug, Clone, Copy)]
pub enum OptionDefault {
    /// Nothing, or what the option's own help says.
    None,
    /// It must be given; what it is, for the message.
    Required(&'static str),
    /// This number.
    Number(f64),
    /// This distance.
    Distance(Distance),
}

impl LossOption {
    /// Returns an option without a default of the loss.
    pub const fn plain(name: &'static str) -> Self {
        let default = OptionDefault::None;
        Self { name, default }
    }

    /// Returns an option that must be given; `what` explains it.
    pub const fn required(name: &'static str, what: &'static str) -> Self {
        let default = OptionDefault::Required(what);
        Self { name, default }
    }

    /// Returns a number with its default.
    pub const fn number(name: &'static str, default: f64) -> Self {
        let default = OptionDefault::Number(default);
        Self { name, default }
    }

    /// Returns the distance with its default.
    pub const fn distance(default: Distance) -> Self {
        let default = OptionDefault::Distance(default);
        Self {
            name: "distance",
            default,
        }
    }
}

impl OptionDefault {
    /// The value in words, if there is one.
    fn value(self) -> Option<String> {
        match self {
            Self::None | Self::Required(_) => None,
            Self::Number(number) => Some(number.to_string()),
            Self::Distance(distance) => {
                let value = distance.to_possible_value()?;
                Some(value.get_name().to_owned())
            }
        }
    }
}

impl<D> Loss<D> {
    fn option(&self, name: &str) -> Option<&LossOption> {
        self.options.iter().find(|option| option.name == name)
    }

    /// Returns the error of a command that would read a table in parts of which this loss needs
    /// groups of rows at once.
    pub(crate) fn needs_all_candidates(&self) -> UsageError {
        UsageError(format!(
            "--shuffle-buffer: {} needs all candidates of a query, so it cannot read them in parts",
            self.name
        ))
    }
}

impl<D> fmt::Debug for Loss<D> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl<D> Display for Loss<D> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl<D> PartialEq for Loss<D> {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl<D> Eq for Loss<D> {}

impl<D> Serialize for Loss<D> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name)
    }
}

impl<D: Family> ValueEnum for Loss<D> {
    fn value_variants<'a>() -> &'a [Self] {
        D::LOSSES
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let value = PossibleValue::new(self.name).help(self.help);
        Some(value.alias(self.class))
    }
}

/// Finds options that none of `losses` reads, and required ones that are missing. `given` is every
/// option that a loss of the family may read, with whether it is given.
///
/// # Errors
/// A [`UsageError`] that says which.
pub(crate) fn check_options<D>(
    losses: &[Loss<D>],
    given: &[(&str, bool)],
) -> Result<(), UsageError> {
    for &(name, is_given) in given {
        if is_given && !losses.iter().any(|loss| loss.option(name).is_some()) {
            return Err(UsageError(format!(
                "--{name} has no meaning for --loss {}",
                names(losses)
            )));
        }
    }
    for loss in losses {
        for option in loss.options {
            if let OptionDefault::Required(what) = option.default
                && !given.contains(&(option.name, true))
            {
                let (loss, option) = (loss.name, option.name);
                return Err(UsageError(format!(
                    "--loss {loss} needs --{option}, {what}"
                )));
            }
        }
    }
    Ok(())
}

/// Returns the names of losses, in a list.
pub(crate) fn names<'a, D: 'a>(losses: impl IntoIterator<Item = &'a Loss<D>>) -> String {
    let names: Vec<&str> = losses.into_iter().map(|loss| loss.name).collect();
    names.join(", ")
}

/// Completes the help of an option by what the losses say: `{losses}` stands for those that read
/// it, `{defaults}` for their defaults, the name of one in braces for the default of that one.
pub(crate) fn describe<D: Family>(argument: clap::Arg) -> clap::Arg {
    let (Some(name), Some(help)) = (argument.get_long(), argument.get_help()) else {
        return argument;
    };
    let readers = || {
        let losses = D::LOSSES.iter();
        losses.filter_map(|loss| Some((loss, loss.option(name)?.default)))
    };
    if readers().next().is_none() {
        return argument;
    }
    let mut help = help.to_string();
    for (loss, default) in readers() {
        if let Some(value) = default.value() {
            let place = format!("{{{}}}", loss.name);
            help = help.replace(&place, &format!("[default: {value}]"));
        }
    }
    let help = help
        .replace("{losses}", &names(readers().map(|(loss, _)| loss)))
        .replace("{defaults}", &defaults(readers()));
    argument.help(help)
}

/// The defaults of an option, the one that most losses have first: `[default: 20; gist: 100]`.
fn defaults<'a, D: 'a>(readers: impl Iterator<Item = (&'a Loss<D>, OptionDefault)>) -> String {
    let mut of_value: Vec<(String, Vec<&str>)> = Vec::new();
    for (loss, default) in readers {
        let Some(value) = default.value() else {
            continue;
        };
        match of_value.iter_mut().find(|(known, _)| *known == value) {
            Some((_, losses)) => losses.push(loss.name),
            None => of_value.push((value, vec![loss.name])),
        }
    }
    // The sort is stable: of values that as many losses have, the first stays first.
    of_value.sort_by_key(|(_, losses)| std::cmp::Reverse(losses.len()));
    let mut of_value = of_value.into_iter();
    let most = of_value.next().map_or_else(String::new, |(value, _)| value);
    let others = of_value.map(|(value, losses)| format!("; {}: {value}", losses.join(", ")));
    format!("[default: {most}{}]", others.collect::<String>())
}

/// Writes the losses of a family as a Markdown table, for the book.
pub fn table<D: Family>() -> String {
    let mut table = String::from(
        "| `--loss` | what it is, and the data it needs | options (default) | in sentence-transformers |\n|---|---|---|---|\n",
    );
    for loss in D::LOSSES {
        let options = loss.options.iter().map(|option| match option.default {
            OptionDefault::Required(_) => format!("`--{}` (required)", option.name),
            default => match default.value() {
                Some(value) => format!("`--{}` ({value})", option.name),
                None => format!("`--{}`", option.name),
            },
        });
        let options: Vec<String> = options.collect();
        let _ = writeln!(
            table,
            "| `{}` | {} | {} | [`{}`]({REFERENCE}/{}/{}) |",
            loss.name,
            loss.help,
            options.join(", "),
            loss.class,
            D::SOURCE,
            loss.source
        );
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Copy)]
    struct Toy;

    const fn toy(name: &'static str, options: &'static [LossOption]) -> Loss<Toy> {
        Loss {
            name,
            class: "ToyLoss",
            source: "toy.py#L1",
            help: "A toy: pairs",
            options,
            data: Toy,
        }
    }

    impl Family for Toy {
        const LOSSES: &'static [Loss<Self>] = &[
            toy("first", &[LossOption::number("scale", 2.0)]),
            toy("second", &[LossOption::number("scale", 20.0)]),
            toy(
                "third",
                &[
                    LossOption::number("scale", 20.0),
                    LossOption::required("guide", "a second model"),
                ],
            ),
        ];
        const SOURCE: &'static str = "toys";
    }

    fn help(text: &'static str) -> String {
        let argument = describe::<Toy>(clap::Arg::new("x").long("scale").help(text));
        argument.get_help().unwrap().to_string()
    }

    #[test]
    fn help_tells_the_defaults_and_who_reads_an_option() {
        assert_eq!(
            help("{losses}: a factor {defaults}"),
            "first, second, third: a factor [default: 20; first: 2]"
        );
        assert_eq!(help("a factor {first}"), "a factor [default: 2]");
    }

    #[test]
    fn an_option_that_no_loss_reads_and_one_that_is_missing_are_named() {
        let message = |losses: &[Loss<Toy>], given: &[(&str, bool)]| {
            check_options(losses, given).unwrap_err().to_string()
        };
        let [first, _, third] = Toy::LOSSES else {
            panic!("three toys");
        };
        assert_eq!(
            message(&[*first], &[("scale", true), ("guide", true)]),
            "--guide has no meaning for --loss first"
        );
        assert_eq!(
            message(&[*first, *third], &[("guide", false)]),
            "--loss third needs --guide, a second model"
        );
        check_options(&[*first, *third], &[("guide", true)]).unwrap();
    }

    #[test]
    fn the_table_has_a_row_for_each_loss() {
        let table = table::<Toy>();
        assert_eq!(table.lines().count(), 2 + Toy::LOSSES.len());
        assert!(
            table.contains("| `third` | A toy: pairs | `--scale` (20), `--guide` (required) | "),
            "{table}"
        );
    }
}
