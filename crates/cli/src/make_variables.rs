//! Options that the user of a pipeline sets as variables of make.
//!
//! A pipeline tells each of its stages which variable stands for which option, so that advice names
//! what its reader can change.

use crate::other_names::options_in;

/// Holds words like `--batch-size=BATCH_SIZE`; `--where=*GENERATE_FLAGS` is for an option that
/// stands among those of a variable, `*=TRAIN_FLAGS` for all others.
const MAKE_VARIABLES: &str = "PAIRMILL_MAKE_VARIABLES";
/// Stands for every option that has no variable of its own.
const ANY: &str = "*";

/// Whether a pipeline runs this program. What its user adds to the options of a stage then comes
/// last, and is to win.
pub(crate) fn is_in_pipeline() -> bool {
    std::env::var_os(MAKE_VARIABLES).is_some()
}

/// Returns which variables of make stand for the options that a message names, if a pipeline runs
/// this program and the message names some.
pub(crate) fn hint(message: &str) -> Option<String> {
    hint_by(&std::env::var(MAKE_VARIABLES).ok()?, message)
}

fn hint_by(variables: &str, message: &str) -> Option<String> {
    let variable_of = |option: &str| {
        let mut variables = variables.split_whitespace();
        variables.find_map(|one| one.strip_prefix(option)?.strip_prefix('='))
    };
    let mut hints = Vec::new();
    for name in options_in(message).filter(|name| !["help", "version"].contains(name)) {
        let option = format!("--{name}");
        let hint = match (variable_of(&option), variable_of(ANY)) {
            (Some(variable), _) => match variable.strip_prefix(ANY) {
                Some(flags) => format!("{option} in {flags}"),
                None => format!("{variable} in place of {option}"),
            },
            (None, Some(variable)) => format!("{option} in {variable}"),
            (None, None) => continue,
        };
        if !hints.contains(&hint) {
            hints.push(hint);
        }
    }
    (!hints.is_empty()).then(|| format!("with make: {}", hints.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variables_of_the_options_that_are_named_are_said_once() {
        let variables = "--batch-size=BATCH_SIZE --batch=B *=TRAIN_FLAGS";
        let message = "choose smaller batches (--batch-size or --mini-batch-size), not --batch-size 9; \
                       `pairmill-filter --int8` does not help, see --help";
        assert_eq!(
            hint_by(variables, message).as_deref(),
            Some(
                "with make: BATCH_SIZE in place of --batch-size, --mini-batch-size in TRAIN_FLAGS"
            )
        );
        let of_another = hint_by(
            "--where=*GENERATE_FLAGS *=CHECK_FLAGS",
            "see --where and --fix",
        );
        let expected = "with make: --where in GENERATE_FLAGS, --fix in CHECK_FLAGS";
        assert_eq!(of_another.as_deref(), Some(expected));
        assert_eq!(hint_by("--batch-size=BATCH_SIZE", "lower --threads"), None);
        assert_eq!(hint_by(variables, "a -- b --"), None);
    }
}
