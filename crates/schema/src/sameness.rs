use std::borrow::Cow;

use serde::Serialize;

use crate::equivalent::equivalent;
use crate::identical::identical;

/// When two texts are the same.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Sameness {
    /// Whatever their letter case, punctuation, white space and Unicode form
    #[default]
    Equivalent,
    /// Whatever their white space and Unicode form
    Identical,
}

impl Sameness {
    /// Returns what texts have in common that are the same: equal forms, and only these.
    pub fn form(self, text: &str) -> Cow<'_, str> {
        match self {
            Self::Equivalent => equivalent(text).into(),
            Self::Identical => identical(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::odd_text::odd_text;

    proptest! {
        #[test]
        fn an_identical_form_is_its_own_form(text in odd_text()) {
            let form = identical(&text).into_owned();
            prop_assert_eq!(identical(&form), form.as_str());
        }

        #[test]
        fn what_is_identical_is_equivalent(text in odd_text()) {
            prop_assert_eq!(equivalent(&identical(&text)), equivalent(&text));
        }
    }

    #[test]
    fn each_strength_has_its_form() {
        assert_eq!(Sameness::Identical.form("Ls  -R?"), "Ls -R?");
        assert_eq!(Sameness::Equivalent.form("Ls  -R?"), "ls -r");
    }
}
