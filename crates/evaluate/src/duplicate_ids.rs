use pairmill_schema::{agreeing, counted, excerpt};

use crate::error::EvaluateError;

/// Characters of a text that a message shows.
const SHOWN: usize = 60;

/// Counts the rows of a table that repeat an earlier one.
#[derive(Debug, Default)]
pub(crate) struct DuplicateIds(usize);

impl DuplicateIds {
    /// Takes in a row whose id an earlier one has with the text `first`.
    ///
    /// # Errors
    /// If the texts differ.
    pub fn take(
        &mut self,
        path: &str,
        id: &str,
        first: &str,
        second: &str,
    ) -> Result<(), EvaluateError> {
        if first == second {
            self.0 += 1;
            return Ok(());
        }
        let [first, second] = [first, second].map(|text| excerpt(text, SHOWN));
        Err(EvaluateError::DuplicateId {
            path: path.to_owned(),
            id: id.to_owned(),
            first,
            second,
        })
    }

    /// Says how many there were, if any.
    pub fn warn(&self, path: &str) {
        if self.0 > 0 {
            tracing::warn!(
                "{} of {path} {} an id with the same text; each id counts once",
                counted(self.0, "row", "rows"),
                agreeing(self.0, "repeats", "repeat")
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_may_come_twice_and_an_id_may_not_stand_for_two_texts() {
        let mut duplicate_ids = DuplicateIds::default();
        assert!(duplicate_ids.take("c.csv", "d1", "one", "one").is_ok());
        let error = duplicate_ids
            .take("c.csv", "d1", &"a".repeat(70), "two")
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "c.csv: the id `d1` stands for two texts, `{}…` and `two`; give each text an id of its own",
                "a".repeat(60)
            )
        );
    }
}
