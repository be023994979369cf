use std::thread;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level;

use crate::logging::last_word;
use crate::make_variables::is_in_pipeline;

/// Ends the program with a word and the usual exit code, 130 or 143, when it gets SIGINT or
/// SIGTERM. `abandon` removes what is half written and returns a sentence for each thing that is
/// kept. A second signal does not wait for it.
pub fn on_interrupt(abandon: fn() -> Vec<String>) {
    // Where no handler can be set, the signal ends the program as it would any other.
    let Ok(mut signals) = Signals::new([SIGINT, SIGTERM]) else {
        return;
    };
    let handler = move || {
        let mut is_ending = false;
        for signal in signals.forever() {
            let code = 128 + signal;
            if std::mem::replace(&mut is_ending, true) {
                low_level::exit(code);
            }
            thread::spawn(move || {
                let word = match signal {
                    SIGINT => "interrupted",
                    _ => "terminated",
                };
                let message = ending(word, &abandon(), is_in_pipeline());
                last_word(&message, &[], u8::try_from(code).unwrap_or(u8::MAX));
                // Destructors of other threads' data would run under their feet.
                low_level::exit(code);
            });
        }
    };
    let _ = thread::Builder::new()
        .name("signals".to_owned())
        .spawn(handler);
}

/// Returns the last word of a run that a signal ends, with what is kept of it.
fn ending(word: &str, kept: &[String], is_in_pipeline: bool) -> String {
    let mut message = match kept {
        [] => format!("{word}; this command has written no output"),
        kept => format!("{word}; {}", kept.join("; ")),
    };
    if is_in_pipeline {
        message += "; the stages before it are kept: the same `make` command goes on with this one";
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_says_what_is_kept() {
        let kept = ["a stays: b".to_owned(), "c stays: d".to_owned()];
        assert_eq!(
            ending("terminated", &kept, false),
            "terminated; a stays: b; c stays: d"
        );
        let in_pipeline = ending("interrupted", &[], true);
        assert!(in_pipeline.starts_with("interrupted; this command has written no output"));
        assert!(in_pipeline.contains("goes on with this one"));
    }
}
