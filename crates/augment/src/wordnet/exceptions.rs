use rustc_hash::FxHashMap;

/// The forms that a dictionary lists as exceptions, by form and by word.
#[derive(Debug, Default)]
pub(crate) struct Exceptions {
    bases: FxHashMap<Box<str>, Vec<Box<str>>>,
    forms: FxHashMap<Box<str>, Vec<Box<str>>>,
}

impl Exceptions {
    /// Adds a form with the word that it is of.
    pub fn add(&mut self, form: &str, base: &str) {
        let bases = self.bases.entry(form.into()).or_default();
        bases.push(base.into());
        self.forms.entry(base.into()).or_default().push(form.into());
    }

    /// The words that a form is of.
    pub fn bases(&self, form: &str) -> &[Box<str>] {
        self.bases.get(form).map_or(&[], Vec::as_slice)
    }

    /// The forms of a word that are listed.
    pub fn forms(&self, base: &str) -> &[Box<str>] {
        self.forms.get(base).map_or(&[], Vec::as_slice)
    }
}
