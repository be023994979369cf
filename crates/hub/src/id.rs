/// `[owner/]name[@revision]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Id<'a> {
    pub name: &'a str,
    pub revision: &'a str,
}

impl<'a> Id<'a> {
    pub fn parse(text: &'a str) -> Option<Self> {
        let (name, revision) = text.split_once('@').unwrap_or((text, "main"));
        let is_word = |word: &str| {
            let is_allowed = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
            !word.is_empty() && !word.starts_with('.') && word.chars().all(is_allowed)
        };
        let is_name = name.split('/').all(is_word) && name.split('/').count() <= 2;
        let is_revision = revision.split('/').all(is_word);
        (is_name && is_revision).then_some(Self { name, revision })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_told_from_paths() {
        let id = |name, revision| Some(Id { name, revision });
        assert_eq!(
            Id::parse("intfloat/e5-small-v2"),
            id("intfloat/e5-small-v2", "main")
        );
        assert_eq!(Id::parse("a/b@refs/pr/3"), id("a/b", "refs/pr/3"));
        assert_eq!(Id::parse("distilbert-base"), id("distilbert-base", "main"));
        for path in [
            "/models/a",
            "./a",
            "../a/b",
            "a/b/c",
            "a/",
            "",
            "a b/c",
            "a/b@../x",
        ] {
            assert_eq!(Id::parse(path), None, "{path}");
        }
    }
}
