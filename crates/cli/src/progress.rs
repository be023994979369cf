use std::borrow::Cow;
use std::io::IsTerminal;
use std::sync::{LazyLock, Mutex};
use std::time::{Duration, Instant};

use indicatif::{HumanDuration, MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Seconds between two lines where standard error is not a terminal.
const LINE_EVERY: Duration = Duration::from_secs(10);

static BARS: LazyLock<MultiProgress> = LazyLock::new(MultiProgress::new);

/// Runs `print` while no bar is drawn, so that log lines and bars do not tear each other.
pub(crate) fn with_bars_hidden<T>(print: impl FnOnce() -> T) -> T {
    BARS.suspend(print)
}

/// How far a long piece of work is: a bar on a terminal, a log line now and then elsewhere.
///
/// Shared between threads by reference. Silent under `-q`, because the lines are log lines of
/// level info and a bar is only drawn where they would be.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
    label: Cow<'static, str>,
    unit: &'static str,
    last_line: Option<Mutex<Instant>>,
}

impl Progress {
    /// Starts counting `unit`s (plural, such as `queries`) up to `total`; `None` where the total
    /// is not known.
    pub fn new(
        label: impl Into<Cow<'static, str>>,
        unit: &'static str,
        total: Option<u64>,
    ) -> Self {
        let label = label.into();
        let terminal = std::io::stderr().is_terminal();
        let visible = tracing::enabled!(tracing::Level::INFO);
        let bar = match total {
            Some(total) => ProgressBar::new(total),
            None => ProgressBar::no_length(),
        };
        let bar = if terminal && visible {
            BARS.add(bar)
        } else {
            bar.set_draw_target(ProgressDrawTarget::hidden());
            bar
        };
        let template = match total {
            Some(_) => format!(
                "{{prefix}} {{bar:24}} {{human_pos}}/{{human_len}} {unit}, {{per_sec}}, {{eta}} \
                 left  {{msg}}"
            ),
            None => format!("{{prefix}} {{spinner}} {{human_pos}} {unit}, {{per_sec}}  {{msg}}"),
        };
        if let Ok(style) = ProgressStyle::with_template(&template) {
            bar.set_style(style);
        }
        bar.set_prefix(label.to_string());
        Self {
            bar,
            label,
            unit,
            last_line: (!terminal).then(|| Mutex::new(Instant::now())),
        }
    }

    /// Counts `n` more.
    pub fn inc(&self, n: u64) {
        self.bar.inc(n);
        self.line_if_due();
    }

    /// Sets what stands behind the figures, such as the loss.
    pub fn message(&self, message: impl Into<Cow<'static, str>>) {
        self.bar.set_message(message);
    }

    /// Returns how many were counted.
    pub fn position(&self) -> u64 {
        self.bar.position()
    }

    /// Returns the time since the start.
    pub fn elapsed(&self) -> Duration {
        self.bar.elapsed()
    }

    fn line_if_due(&self) {
        let Some(last) = &self.last_line else { return };
        let Ok(mut last) = last.lock() else { return };
        if last.elapsed() < LINE_EVERY {
            return;
        }
        *last = Instant::now();
        let position = self.bar.position();
        let of_total = match self.bar.length() {
            Some(total) => format!(" of {total}"),
            None => String::new(),
        };
        let left = match self.bar.length() {
            Some(_) => format!(", {} left", HumanDuration(self.bar.eta())),
            None => String::new(),
        };
        let message = self.bar.message();
        let message = if message.is_empty() {
            message
        } else {
            format!(", {message}")
        };
        tracing::info!(
            "{}: {position}{of_total} {}{left}{message}",
            self.label,
            self.unit
        );
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
