use std::fmt::Display;

/// Returns a count with its noun, or with noun and verb, in the number that fits: `1 row is`,
/// `2 rows are`.
pub fn counted<N: Display + PartialEq + From<u8>>(count: N, one: &str, many: &str) -> String {
    let is_one = count == N::from(1);
    format!("{count} {}", if is_one { one } else { many })
}

/// Returns the word, such as a verb, that fits a count which stands elsewhere in the sentence:
/// `1 of 9 rows has`, `2 of 9 rows have`.
pub fn agreeing<'a, N: PartialEq + From<u8>>(count: N, one: &'a str, many: &'a str) -> &'a str {
    match count == N::from(1) {
        true => one,
        false => many,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_singular_and_every_other_number_plural() {
        let rows = |count: usize| counted(count, "row is", "rows are");
        assert_eq!(
            [0, 1, 2].map(rows),
            ["0 rows are", "1 row is", "2 rows are"]
        );
        assert_eq!(agreeing(1u64, "has", "have"), "has");
        assert_eq!(agreeing(21u64, "has", "have"), "have");
    }
}
