//! Figures as text, the same in HTML, Markdown and on a terminal.

use std::fmt::Write as _;

use pairmill_schema::agreeing;

use crate::estimate::Estimate;

/// Stands for a figure that is undefined.
const UNDEFINED: &str = "–";

/// Writes a figure with so many decimals.
pub fn figure(value: f64, decimals: usize) -> String {
    if value.is_nan() {
        return UNDEFINED.to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "∞" } else { "−∞" }.to_owned();
    }
    let digits = if value.abs() < 1e9 {
        format!("{:.decimals$}", value.abs())
    } else {
        format!("{:.3e}", value.abs())
    };
    let is_zero = digits.bytes().all(|digit| matches!(digit, b'0' | b'.'));
    if value < 0.0 && !is_zero {
        format!("−{digits}")
    } else {
        digits
    }
}

/// Writes a figure of any size, such as a learning rate: with four decimals, or in scientific
/// notation where those would tell little of it.
pub fn of_any_size(value: f64) -> String {
    const FEW_DIGITS: f64 = 0.01;
    match value.is_finite() && value != 0.0 && value.abs() < FEW_DIGITS {
        true => format!("{value:.2e}").replace('-', "−"),
        false => figure(value, 4),
    }
}

/// Writes a difference: with its sign, unless it is 0.
pub fn signed(value: f64, decimals: usize) -> String {
    let text = figure(value, decimals);
    let is_zero = text.bytes().all(|digit| matches!(digit, b'0' | b'.'));
    if value > 0.0 && !is_zero {
        format!("+{text}")
    } else {
        text
    }
}

/// Names the intervals of a confidence, such as `95 % interval`.
pub fn interval_name(confidence: f64) -> String {
    if confidence > 0.0 && confidence < 1.0 {
        let percent = figure(confidence * 100.0, 1);
        format!("{} % interval", percent.trim_end_matches(".0"))
    } else {
        "interval".to_owned()
    }
}

/// Writes both ends of an interval by `end`, such as `0.5700 to 0.6700`.
pub fn interval(estimate: &Estimate, end: impl Fn(f64) -> String) -> Option<String> {
    let (low, high) = estimate.interval?;
    Some(format!("{} to {}", end(low), end(high)))
}

/// Writes a probability. Below 0.0001 only that it is so.
pub fn probability(p: f64) -> String {
    if p < 0.0001 {
        "< 0.0001".to_owned()
    } else {
        figure(p, 4)
    }
}

/// Writes `p = 0.0123`, or `p < 0.0001`.
pub fn p_value(p: f64) -> String {
    match probability(p) {
        below if below.starts_with('<') => format!("p {below}"),
        equal => format!("p = {equal}"),
    }
}

/// Writes a share in percent, with so many decimals.
pub fn percent(share: f64, decimals: usize) -> String {
    if share.is_finite() {
        format!("{} %", figure(share * 100.0, decimals))
    } else {
        UNDEFINED.to_owned()
    }
}

/// Writes seconds in the unit that suits.
pub fn duration(seconds: f64) -> String {
    match seconds {
        _ if seconds < 100.0 => format!("{} s", figure(seconds, 0)),
        _ if seconds < 6_000.0 => format!("{} min", figure(seconds / 60.0, 1)),
        _ => format!("{} h", figure(seconds / 3_600.0, 1)),
    }
}

/// Writes a whole number in groups of three digits.
pub fn count(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Writes a number of things whose plural ends in `s`, such as `1 query` and `2,000 queries`.
pub fn counted(number: u64, plural: &str) -> String {
    let singular = match plural.strip_suffix("ies") {
        Some(stem) => format!("{stem}y"),
        None => plural.trim_end_matches('s').to_owned(),
    };
    format!("{} {}", count(number), agreeing(number, &singular, plural))
}

/// Puts the first letter of a text in upper case.
pub fn sentence_case(text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        // nDCG stays as it is.
        Some(first) if !text[first.len_utf8()..].starts_with(char::is_uppercase) => {
            first.to_uppercase().chain(letters).collect()
        }
        _ => text.to_owned(),
    }
}

/// Returns the first `limit` characters of a text at most, cut at a blank where one is near; `None`
/// where the text is no longer.
pub fn cut(text: &str, limit: usize) -> Option<String> {
    let (end, _) = text.char_indices().nth(limit)?;
    let head = &text[..end];
    let head = match head.rfind(char::is_whitespace) {
        Some(blank) if blank > end / 2 => &head[..blank],
        _ => head,
    };
    Some(format!("{}…", head.trim_end()))
}

/// Puts rows under each other: the first column to the left, the others to the right.
pub fn aligned(rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut table = String::new();
    for row in rows {
        let mut line = String::new();
        for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
            let _ = match column {
                0 => write!(line, "{cell:<width$}"),
                _ => write!(line, "  {cell:>width$}"),
            };
        }
        table.push_str(line.trim_end());
        table.push('\n');
    }
    table
}

/// Writes a chance as a table has room for it. Below 0.001 only that it is so.
pub fn chance(p: f64) -> String {
    if p < 0.001 {
        "<0.001".to_owned()
    } else {
        format!("{p:.3}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_the_unit_that_suits() {
        let texts = [0.4, 99.4, 150.0, 7_200.0].map(duration);
        assert_eq!(texts, ["0 s", "99 s", "2.5 min", "2.0 h"]);
    }

    #[test]
    fn figures_have_a_true_minus_and_no_negative_zero() {
        assert_eq!(figure(-0.25, 2), "−0.25");
        assert_eq!(figure(-0.000_01, 4), "0.0000");
        assert_eq!(of_any_size(1.96e-5), "1.96e−5");
        assert_eq!(of_any_size(0.25), "0.2500");
        assert_eq!(of_any_size(0.0), "0.0000");
        assert_eq!(signed(0.000_01, 4), "0.0000");
        assert_eq!(signed(0.25, 4), "+0.2500");
        assert_eq!(signed(f64::NAN, 4), "–");
        assert_eq!(figure(f64::NEG_INFINITY, 4), "−∞");
        assert_eq!(figure(1e20, 4), "1.000e20");
    }

    #[test]
    fn counts_are_grouped() {
        let texts = [0, 999, 1_000, 1_234_567].map(count);
        assert_eq!(texts, ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn one_thing_is_singular() {
        let texts = [
            (0, "queries"),
            (1, "queries"),
            (1, "pairs"),
            (1_000, "pairs"),
        ]
        .map(|(number, plural)| counted(number, plural));
        assert_eq!(texts, ["0 queries", "1 query", "1 pair", "1,000 pairs"]);
    }

    #[test]
    fn sentences_begin_in_upper_case_but_for_names() {
        assert_eq!(
            ["recall@1", "nDCG", "élan", ""].map(sentence_case),
            ["Recall@1", "nDCG", "Élan", ""]
        );
    }

    #[test]
    fn long_texts_are_cut_between_words_and_never_inside_a_character() {
        assert_eq!(cut("how to reset", 12), None);
        assert_eq!(cut("how to reset it", 11).unwrap(), "how to…");
        assert_eq!(cut("ééééé", 2).unwrap(), "éé…");
    }
}
