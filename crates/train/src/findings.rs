use std::fmt::Display;

/// Examples that a message names.
const NAMED: usize = 3;

/// Rows that a reader has something to say of: how many, and the first of them.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    count: usize,
    examples: Vec<String>,
}

impl Findings {
    /// Counts one, which lies at `place`.
    pub fn add(&mut self, place: impl Display) {
        if self.examples.len() < NAMED {
            self.examples.push(place.to_string());
        }
        self.count += 1;
    }

    pub fn count(&self) -> usize {
        self.count
    }

    /// The first of them, as a list in words.
    pub fn named(&self) -> String {
        let rest = self.count - self.examples.len();
        let more = match rest {
            0 => String::new(),
            rest => format!(" and {rest} more"),
        };
        format!("{}{more}", self.examples.join(", "))
    }

    /// Warns of them if there are any: `what` with `{}` replaced by their number.
    pub fn warn(&self, what: impl FnOnce(usize) -> String) {
        if self.count > 0 {
            tracing::warn!("{} ({})", what(self.count), self.named());
        }
    }
}

/// The beginning of a text, for messages.
pub(crate) fn excerpt(text: &str) -> String {
    const LONGEST: usize = 60;
    let mut letters = text.chars();
    let head: String = letters.by_ref().take(LONGEST).collect();
    let head = head.replace(['\n', '\r'], " ");
    match letters.next() {
        Some(_) => format!("\"{head}…\""),
        None => format!("\"{head}\""),
    }
}
