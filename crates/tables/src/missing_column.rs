use crate::Table;

/// Returns what to do about a column that an input lacks, as the end of a sentence, or nothing.
pub(crate) fn hint(table: Table, column: &str, is_extra: bool, found: &[String]) -> String {
    if found.iter().any(|name| is_like_data(name)) {
        return "; is its first line a row? A first line that names the columns is needed"
            .to_owned();
    }
    if let Some(hint) = nested(found) {
        return hint;
    }
    match table {
        // An extra column was named by its own flag.
        _ if is_extra => String::new(),
        Table::Tickets | Table::Qa | Table::Corpus | Table::Pairs => {
            let flag = column.replace('_', "-");
            format!("; name another one with --{flag}-column")
        }
        _ => String::new(),
    }
}

/// Returns whether the name of a column is rather a cell of a file whose first line is a row: a
/// number or a sentence.
fn is_like_data(name: &str) -> bool {
    let name = name.trim();
    name.parse::<f64>().is_ok() || name.split_whitespace().count() > 4 || name.ends_with(['?', '.'])
}

/// Returns what to do about a file whose rows, or texts, are lists within a column.
fn nested(found: &[String]) -> Option<String> {
    const WRAPPERS: [&str; 5] = ["data", "examples", "items", "records", "rows"];
    let has = |name: &str| found.iter().any(|column| column == name);
    match found {
        [name] if WRAPPERS.contains(&name.as_str()) => Some(format!(
            "; if the rows are a list within `{name}`, write that list alone: `jq .{name}`"
        )),
        _ if has("query") && has("pos") => Some(
            "; if `pos` and `neg` are lists of texts, as FlagEmbedding has them, write a row for \
             each positive: `jq -c '.query as $q | .pos[] | {query: $q, positive: .}'`"
                .to_owned(),
        ),
        _ => None,
    }
}
