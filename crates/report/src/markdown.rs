//! Markdown in which no text of the user's is markup.

use std::fmt::Write as _;

use crate::format::cut;

/// Characters of a text of the user's that [`code`] shows.
const EXCERPT: usize = 160;

/// A column: its heading and the cell of each row, `None` where a row has none.
pub type Column<'a, Row> = (&'a str, Box<dyn Fn(&Row) -> Option<String> + 'a>);

/// Writes a table of the columns that have at least one cell; the first holds names, the others
/// numbers.
pub fn table<Row>(page: &mut String, rows: &[Row], columns: Vec<Column<Row>>) {
    let filled = |(_, cell): &Column<Row>| rows.iter().any(|row| cell(row).is_some());
    let columns: Vec<Column<Row>> = columns.into_iter().filter(filled).collect();
    let headings: Vec<&str> = columns.iter().map(|(heading, _)| *heading).collect();
    let _ = writeln!(page, "\n| {} |", headings.join(" | "));
    let _ = writeln!(
        page,
        "| --- |{}",
        " ---: |".repeat(headings.len().saturating_sub(1))
    );
    for row in rows {
        let cells = columns
            .iter()
            .map(|(_, cell)| cell(row).unwrap_or_else(|| "–".to_owned()));
        let cells: Vec<String> = cells.collect();
        let _ = writeln!(page, "| {} |", cells.join(" | "));
    }
}

/// Writes rows of texts of the user's, the first of which is the header.
pub fn plain_table(page: &mut String, rows: &[Vec<String>]) {
    for (number, row) in rows.iter().enumerate() {
        let row: Vec<String> = row.iter().map(|cell| literal(cell)).collect();
        let _ = writeln!(page, "| {} |", row.join(" | "));
        if number == 0 {
            let _ = writeln!(page, "|{}", " --- |".repeat(row.len()));
        }
    }
}

/// Writes rows of texts of ours, the first of which is the header, so that a terminal shows them as
/// they are: nothing is HTML or ends a cell, and the rest stays.
pub fn table_of_ours(page: &mut String, rows: &[Vec<String>]) {
    for (number, row) in rows.iter().enumerate() {
        let cells = row.iter().map(|cell| plain(cell).replace('|', "&#124;"));
        let _ = writeln!(page, "| {} |", cells.collect::<Vec<_>>().join(" | "));
        if number == 0 {
            let _ = writeln!(page, "|{}", " --- |".repeat(row.len()));
        }
    }
}

/// Writes a text of the user's as code, where neither Markdown nor HTML nor a mention of somebody
/// works.
pub fn code(text: &str) -> String {
    let line = one_line(text);
    let line = cut(&line, EXCERPT).unwrap_or(line);
    if line.is_empty() {
        return "(empty)".to_owned();
    }
    // The fence has to be longer than any run of back quotes in the text.
    let runs = line.split(|letter| letter != '`').map(str::len);
    let fence = "`".repeat(runs.max().unwrap_or(0) + 1);
    if line.starts_with('`') || line.ends_with('`') {
        format!("{fence} {line} {fence}")
    } else {
        format!("{fence}{line}{fence}")
    }
}

/// Puts a sentence on one line, without HTML.
pub fn plain(text: &str) -> String {
    escaped(&one_line(text))
}

/// Puts a text on one line, with one blank for any white space.
pub fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Puts a text of the user's on one line, in which nothing is markup, in a table or out of one.
/// Character references, because a table takes a bar away from a backslash before it and from code
/// around it.
pub fn literal(text: &str) -> String {
    let mut safe = String::new();
    for letter in one_line(text).chars() {
        match letter {
            '&' | '<' | '>' | '|' | '\\' | '`' | '*' | '[' | ']' | '~' | '@' => {
                let _ = write!(safe, "&#{};", u32::from(letter));
            }
            _ => safe.push(letter),
        }
    }
    safe
}

/// Writes what HTML would take for its own as character references.
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
