use pairmill_language_model::{Message, Role};

const TASK: &str = "You write the queries by which people search for a passage.";
/// A passage with its queries, shown before the one that is asked about: small models follow an
/// example of the form better than its description.
const SHOWN: &str = "The reading room is open from nine to six on weekdays. Visitors may bring \
                     laptops, but bags stay in the lockers at the entrance, which take a one-euro \
                     coin.";
const QUESTIONS: [&str; 3] = [
    "when does the reading room open?",
    "can I take my bag into the reading room?",
    "what do I need for a locker?",
];
const KEYWORDS: [&str; 3] = [
    "reading room opening hours",
    "laptop allowed reading room",
    "locker coin entrance",
];

/// How a query is worded, where there are no examples to follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Questions,
    Keywords,
}

impl Style {
    fn sentence(self) -> &'static str {
        match self {
            Self::Questions => "Write full questions, as people ask them.",
            Self::Keywords => "Write a few keywords each, as people type them into a search box.",
        }
    }

    fn shown(self) -> [&'static str; 3] {
        match self {
            Self::Questions => QUESTIONS,
            Self::Keywords => KEYWORDS,
        }
    }
}

/// Returns what a model is told to make queries of a passage.
pub(super) fn messages(
    passage: &str,
    queries: usize,
    examples: &[String],
    style: Style,
) -> Vec<Message> {
    let how = match examples {
        [] => style.sentence().to_owned(),
        examples => format!(
            "Write as these people did who asked about other passages:\n{}",
            examples.join("\n")
        ),
    };
    let shown = style.shown();
    let shown = &shown[..queries.min(shown.len())];
    let message = |role, content| Message { role, content };
    vec![
        message(Role::System, TASK.to_owned()),
        message(Role::User, request(SHOWN, shown.len(), style.sentence())),
        message(Role::Assistant, shown.join("\n")),
        message(Role::User, request(passage, queries, &how)),
    ]
}

fn request(passage: &str, queries: usize, how: &str) -> String {
    let number = match queries {
        1 => "one query".to_owned(),
        several => format!("{several} different queries"),
    };
    format!(
        "Passage:\n{passage}\n\nWrite {number} that this passage answers, one on each line, without \
         numbers and without any other word. Use the language of the passage, words of your own, \
         and do not mention the passage. {how}"
    )
}
