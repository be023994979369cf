use std::thread;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level;

use crate::logging::last_word;

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
                let kept = abandon();
                let kept = kept.into_iter().map(|kept| format!("; {kept}"));
                let message = format!("{word}{}", kept.collect::<String>());
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
