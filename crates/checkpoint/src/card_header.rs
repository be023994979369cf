use std::fmt::Write as _;

/// What a model card (`README.md`) says to the Hugging Face Hub: YAML between two lines `---`. Its
/// fields are taken as they stand, so that another card can say the same whatever they hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CardHeader {
    yaml: String,
}

/// What a model scores on a data set, as `model-index` has it.
#[derive(Debug, Clone, PartialEq)]
pub struct CardResult<'a> {
    /// The kind of task, such as `information-retrieval`.
    pub task: &'a str,
    /// The same for people.
    pub task_name: &'a str,
    /// The data.
    pub dataset: &'a str,
    /// The figures.
    pub figures: Vec<CardFigure>,
}

/// A figure under the names that the evaluators of sentence-transformers give it.
#[derive(Debug, Clone, PartialEq)]
pub struct CardFigure {
    /// Such as `cosine_ndcg@10`.
    pub key: String,
    /// Such as `Cosine Ndcg@10`.
    pub name: String,
    /// The value.
    pub value: f64,
}

impl CardFigure {
    /// Takes a figure; its name follows from the key.
    pub fn new(key: impl Into<String>, value: f64) -> Self {
        let key = key.into();
        let words = key.split('_').map(|word| {
            let mut letters = word.chars();
            let first = letters.next().map(|first| first.to_ascii_uppercase());
            first.into_iter().chain(letters).collect::<String>()
        });
        Self {
            name: words.collect::<Vec<_>>().join(" "),
            key,
            value,
        }
    }
}

/// The field that holds results.
const RESULTS: &str = "model-index";

impl CardHeader {
    /// Takes that of a card; it has no fields where the card has none.
    pub fn of(card: &str) -> Self {
        Self::split(card).0
    }

    /// Takes a card apart: its header and its text.
    pub fn split(card: &str) -> (Self, &str) {
        let mut lines = card.split_inclusive('\n');
        let Some(first) = lines.next().filter(|line| line.trim_end() == "---") else {
            return (Self::default(), card);
        };
        let mut yaml = String::new();
        let mut end = first.len();
        for line in lines {
            end += line.len();
            if matches!(line.trim_end(), "---" | "...") {
                return (Self { yaml }, card[end..].trim_start());
            }
            yaml.push_str(line.trim_end());
            yaml.push('\n');
        }
        (Self::default(), card)
    }

    /// Takes lines of YAML.
    pub fn of_yaml(yaml: String) -> Self {
        Self { yaml }
    }

    /// Puts a card together.
    pub fn card(&self, text: &str) -> String {
        format!("---\n{}---\n\n{text}", self.yaml)
    }

    /// Returns the lines of a field, its name among them; empty where it is not there.
    pub fn field(&self, name: &str) -> String {
        let is_key = |line: &&str| {
            let value = line
                .strip_prefix(name)
                .and_then(|rest| rest.strip_prefix(':'));
            value.is_some_and(|value| value.is_empty() || value.starts_with([' ', '\t']))
        };
        let goes_on = |line: &&str| line.is_empty() || line.starts_with([' ', '\t', '-', '#']);
        let mut lines = self.yaml.lines().skip_while(|line| !is_key(line));
        let Some(first) = lines.next() else {
            return String::new();
        };
        let rest = lines.take_while(goes_on);
        let all = std::iter::once(first).chain(rest);
        let mut field: String = all.map(|line| format!("{line}\n")).collect();
        field.truncate(field.trim_end().len());
        field.push('\n');
        field
    }

    /// Returns the values of a field that holds a word or a list of words, such as a language.
    pub fn values(&self, name: &str) -> Vec<String> {
        let field = self.field(name);
        let field = field.split_once(':').map_or("", |(_, value)| value);
        let words = field.split(['\n', ',', '[', ']']);
        let words = words.map(|word| {
            let word = word.split_once(" #").map_or(word, |(word, _)| word).trim();
            let word = word.strip_prefix("- ").unwrap_or(word).trim();
            word.trim_matches(['"', '\''])
        });
        let words = words.filter(|word| !word.is_empty() && !word.starts_with('#'));
        words.map(str::to_owned).collect()
    }

    /// Adds a result of the model called `name`. A header whose results are not its last field
    /// stays as it is, since what is in it can be anything.
    #[must_use]
    pub fn with_result(mut self, name: &str, result: &CardResult<'_>) -> Self {
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        let results = self.field(RESULTS);
        if results.is_empty() {
            let _ = write!(
                self.yaml,
                "{RESULTS}:\n- name: {}\n  results:\n",
                quoted(name)
            );
        } else if !self.yaml.ends_with(&results) || !results.contains("\n  results:\n  - task:\n") {
            return self;
        }
        let (dataset, yaml) = (quoted(result.dataset), &mut self.yaml);
        let _ = write!(
            yaml,
            "  - task:\n      type: {}\n      name: {}\n    dataset:\n      name: {dataset}\n      \
             type: {dataset}\n    metrics:\n",
            result.task, result.task_name
        );
        for figure in result.figures.iter().filter(|one| one.value.is_finite()) {
            let _ = write!(
                yaml,
                "    - type: {}\n      value: {:?}\n      name: {}\n",
                figure.key, figure.value, figure.name
            );
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CARD: &str = "---\nlanguage:\n- en\n- \"no\" # not a refusal\nlicense_name: other\n\
        license: apache-2.0\ntags: [a, 'b']\nbase_model: acme/tiny\n---\n\n# license: mit\n";

    #[test]
    fn fields_are_taken_as_they_stand() {
        let (header, text) = CardHeader::split(CARD);
        assert_eq!(header.card(text), CARD);
        assert_eq!(header.field("license"), "license: apache-2.0\n");
        assert_eq!(
            header.field("language"),
            "language:\n- en\n- \"no\" # not a refusal\n"
        );
        assert_eq!(header.field("base_model"), "base_model: acme/tiny\n");
        assert_eq!(header.field("datasets"), "");
        assert_eq!(header.values("language"), ["en", "no"]);
        assert_eq!(header.values("license"), ["apache-2.0"]);
        assert_eq!(header.values("tags"), ["a", "b"]);
        assert!(header.values("datasets").is_empty());
    }

    #[test]
    fn a_card_without_a_header_has_no_fields() {
        for card in [
            "",
            "# A model\n",
            "---\nlicense: mit\n",
            "----\nlicense: mit\n---\n",
        ] {
            assert_eq!(CardHeader::split(card), (CardHeader::default(), card));
        }
    }

    #[test]
    fn results_come_one_after_the_other() {
        let result = |dataset| CardResult {
            task: "information-retrieval",
            task_name: "Information Retrieval",
            dataset,
            figures: vec![
                CardFigure::new("cosine_ndcg@10", 1.0),
                CardFigure::new("cosine_mrr@10", f64::NAN),
            ],
        };
        let of = |dataset: &str| {
            format!(
                "  - task:\n      type: information-retrieval\n      name: Information Retrieval\n    \
                 dataset:\n      name: \"{dataset}\"\n      type: \"{dataset}\"\n    metrics:\n    - \
                 type: cosine_ndcg@10\n      value: 1.0\n      name: Cosine Ndcg@10\n"
            )
        };
        let header = CardHeader::of_yaml("license: mit\n".to_owned());
        let both = header
            .with_result("a: b", &result("dev"))
            .with_result("ignored", &result("test"));
        assert_eq!(
            both.yaml,
            format!(
                "license: mit\nmodel-index:\n- name: \"a: b\"\n  results:\n{}{}",
                of("dev"),
                of("test")
            )
        );
        let odd = CardHeader::of_yaml("model-index: []\n".to_owned());
        assert_eq!(odd.clone().with_result("a", &result("dev")), odd);
    }
}
