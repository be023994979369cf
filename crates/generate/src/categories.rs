use std::collections::{BTreeMap, HashMap};

use pairmill_schema::{Sameness, counted, identical};
use tracing::warn;

/// Categories named in a warning.
const NAMED: usize = 5;

/// The categories of tickets: one for all spellings that are the same.
#[derive(Debug)]
pub(crate) struct Categories<'a> {
    /// Each one's most frequent spelling, in order.
    pub names: Vec<String>,
    numbers: HashMap<&'a str, u32>,
    /// Those in several spellings: the name and the other ones.
    respelled: Vec<(String, Vec<String>)>,
}

impl<'a> Categories<'a> {
    /// Sorts out the spellings of the category of each ticket.
    pub fn new(given: impl Iterator<Item = &'a str>, sameness: Sameness) -> Self {
        let mut tickets: HashMap<&str, u64> = HashMap::new();
        for category in given {
            *tickets.entry(category).or_default() += 1;
        }
        let mut forms: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
        for (category, count) in &tickets {
            let spellings = forms.entry(sameness.form(category).into_owned());
            let spelling = identical(category).into_owned();
            *spellings.or_default().entry(spelling).or_default() += count;
        }
        let mut named: Vec<(String, String)> = Vec::new();
        let mut respelled = Vec::new();
        for (form, spellings) in forms {
            let mut spellings: Vec<(String, u64)> = spellings.into_iter().collect();
            spellings.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
            let mut spellings = spellings.into_iter().map(|(spelling, _)| spelling);
            let name = spellings.next().unwrap_or_default();
            let others: Vec<String> = spellings.collect();
            if !others.is_empty() {
                respelled.push((name.clone(), others));
            }
            named.push((name, form));
        }
        named.sort_unstable();
        respelled.sort_unstable();
        let number_of: HashMap<&str, u32> = named
            .iter()
            .map(|(_, form)| form.as_str())
            .zip(0..)
            .collect();
        let numbers = tickets.keys().map(|&category| {
            let form = sameness.form(category);
            (category, number_of[&*form])
        });
        Self {
            numbers: numbers.collect(),
            names: named.into_iter().map(|(name, _)| name).collect(),
            respelled,
        }
    }

    /// Returns the number of a category in any of its spellings.
    pub fn number(&self, given: &str) -> u32 {
        self.numbers[given]
    }

    /// Returns how many are spelled in several ways.
    pub fn respelled(&self) -> usize {
        self.respelled.len()
    }

    /// Names those that are spelled in several ways.
    pub fn warn(&self) {
        if self.respelled.is_empty() {
            return;
        }
        let named = self.respelled.iter().take(NAMED).map(|(name, others)| {
            let others: Vec<String> = others.iter().map(|other| format!("`{other}`")).collect();
            format!("`{name}` (also {})", others.join(", "))
        });
        let more = match self.respelled.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        warn!(
            "{} spelled in several ways, which count as one: {}{more}; --same-text identical keeps them apart",
            counted(self.respelled.len(), "category is", "categories are"),
            named.collect::<Vec<_>>().join(", ")
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIVEN: [&str; 7] = [
        "Access", "billing ", "Billing", "billing", "BILLING", "C++", "C",
    ];

    #[test]
    fn spellings_of_a_category_are_one_with_the_most_frequent_name() {
        let categories = Categories::new(GIVEN.into_iter(), Sameness::Equivalent);
        assert_eq!(categories.names, ["Access", "C", "C++", "billing"]);
        assert_eq!(categories.respelled(), 1);
        let [first, .., last] =
            ["billing ", "Billing", "BILLING"].map(|name| categories.number(name));
        assert_eq!((first, last), (3, 3));
        assert_ne!(categories.number("C"), categories.number("C++"));
    }

    #[test]
    fn white_space_alone_is_no_spelling() {
        let categories = Categories::new(["a  b", " a b", "c"].into_iter(), Sameness::Equivalent);
        assert_eq!((categories.names.len(), categories.respelled()), (2, 0));
    }

    #[test]
    fn the_user_can_keep_them_apart() {
        let categories = Categories::new(GIVEN.into_iter(), Sameness::Identical);
        assert_eq!(categories.names.len(), 6);
        assert_eq!(categories.number("billing "), categories.number("billing"));
    }
}
