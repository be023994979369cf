/// A sentence and its id.
pub(crate) struct Sentence {
    pub id: String,
    pub text: String,
}
