use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, FixedSizeListArray, Float32Array};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};

use crate::SentenceEncoder;
use crate::dedup::Dedup;

/// `embed(text)` as a DataFusion function: a text to a fixed-size list of as many 32-bit floats as
/// the model's embeddings have components, null where the text is null. A text that a batch of rows
/// holds several times is embedded once.
///
/// ```sql
/// SELECT id, embed(text) AS embedding FROM corpus
/// ```
#[derive(Clone)]
pub struct Embed {
    encoder: Arc<SentenceEncoder>,
    prompt: String,
    rows_done: Arc<dyn Fn(u64) + Send + Sync>,
    signature: Signature,
}

impl Embed {
    /// Returns the function with this model behind it; the prompt, which may be empty, is put
    /// before each text.
    pub fn new(encoder: Arc<SentenceEncoder>, prompt: impl Into<String>) -> Self {
        Self {
            encoder,
            prompt: prompt.into(),
            rows_done: Arc::new(|_| ()),
            signature: Signature::exact(vec![DataType::Utf8], Volatility::Immutable),
        }
    }

    /// Has `rows_done` told of each number of rows as they are embedded, to show progress.
    pub fn on_progress(mut self, rows_done: impl Fn(u64) + Send + Sync + 'static) -> Self {
        self.rows_done = Arc::new(rows_done);
        self
    }

    fn components(&self) -> (FieldRef, i32) {
        let field = Field::new_list_field(DataType::Float32, true);
        (Arc::new(field), self.encoder.dimension() as i32)
    }

    fn embed(&self, texts: &ArrayRef) -> Result<FixedSizeListArray> {
        let texts = Dedup::of(texts.as_string::<i32>().iter());
        let embeddings = self
            .encoder
            .embed_with(&texts.values, &self.prompt, |embedded| {
                (self.rows_done)(texts.rows(embedded));
            })
            .map_err(|error| DataFusionError::External(Box::new(error)))?;
        let dimension = self.encoder.dimension();
        let mut values = Vec::with_capacity(texts.of_row.len() * dimension);
        for text in &texts.of_row {
            match text {
                Some(text) => values.extend(&embeddings[text * dimension..][..dimension]),
                None => values.resize(values.len() + dimension, 0.0),
            }
        }
        let (field, size) = self.components();
        let valid = NullBuffer::from_iter(texts.of_row.iter().map(Option::is_some));
        let values = Arc::new(Float32Array::from(values));
        Ok(FixedSizeListArray::try_new(
            field,
            size,
            values,
            Some(valid),
        )?)
    }
}

impl ScalarUDFImpl for Embed {
    fn name(&self) -> &str {
        "embed"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        let (field, size) = self.components();
        Ok(DataType::FixedSizeList(field, size))
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = arguments.number_rows;
        let texts = arguments.args[0].to_array(rows)?;
        let embeddings = self.embed(&texts)?;
        Ok(ColumnarValue::Array(Arc::new(embeddings)))
    }
}

// Two functions are the same where the very same model is behind them, with the same prompt.
impl PartialEq for Embed {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.encoder, &other.encoder)
            && Arc::ptr_eq(&self.rows_done, &other.rows_done)
            && self.prompt == other.prompt
    }
}

impl Eq for Embed {}

impl Hash for Embed {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.encoder).hash(state);
        self.prompt.hash(state);
    }
}

impl fmt::Debug for Embed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Embed")
            .field("encoder", &self.encoder)
            .field("prompt", &self.prompt)
            .finish()
    }
}
