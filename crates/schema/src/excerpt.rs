/// Returns the first so many letters of a text, for a message, and `…` behind them where there are
/// more.
pub fn excerpt(text: &str, letters: usize) -> String {
    match text.char_indices().nth(letters) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_between_letters_and_only_where_it_is_longer() {
        assert_eq!(excerpt("how", 3), "how");
        assert_eq!(excerpt("ééééé", 2), "éé…");
    }
}
