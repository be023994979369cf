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

    /// Returns the first of them, as a list in words.
    pub fn named(&self) -> String {
        let rest = self.count - self.examples.len();
        let more = match rest {
            0 => String::new(),
            rest => format!(" and {rest} more"),
        };
        format!("{}{more}", in_one_list(&self.examples))
    }

    /// Warns of them if there are any: `what` with `{}` replaced by their number.
    pub fn warn(&self, what: impl FnOnce(usize) -> String) {
        if self.count > 0 {
            tracing::warn!("{} ({})", what(self.count), self.named());
        }
    }
}

/// Writes `a row 1, a row 2` as `a rows 1, 2`.
fn in_one_list(places: &[String]) -> String {
    let parts: Option<Vec<(&str, &str)>> = places
        .iter()
        .map(|place| place.rsplit_once(" row "))
        .collect();
    match parts.as_deref() {
        Some([(table, first), others @ ..])
            if !others.is_empty() && others.iter().all(|(other, _)| other == table) =>
        {
            let rows = others.iter().map(|(_, row)| format!(", {row}"));
            format!("{table} rows {first}{}", rows.collect::<String>())
        }
        _ => places.join(", "),
    }
}

/// Returns the beginning of a text, for messages.
pub(crate) fn excerpt(text: &str) -> String {
    let head = pairmill_schema::excerpt(text, 60);
    format!("\"{}\"", head.replace(['\n', '\r'], " "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_rows_are_named() {
        let mut findings = Findings::default();
        findings.add("a.csv row 1");
        assert_eq!(findings.named(), "a.csv row 1");
        (2..9).for_each(|row| findings.add(format!("a.csv row {row}")));
        assert_eq!(findings.named(), "a.csv rows 1, 2, 3 and 5 more");
        let mut findings = Findings::default();
        findings.add("a.csv row 1");
        findings.add("b.csv row 1");
        assert_eq!(findings.named(), "a.csv row 1, b.csv row 1");
    }

    #[test]
    fn a_long_text_is_cut() {
        assert_eq!(excerpt("a\nb"), "\"a b\"");
        assert!(excerpt(&"é".repeat(100)).ends_with("…\""));
    }
}
