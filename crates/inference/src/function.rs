use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Float32Array};
use arrow::datatypes::DataType;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};

use crate::PairScorer;
use crate::dedup::Dedup;

/// `cross_encoder_score(query, text)` as a DataFusion function: two texts to a 32-bit float, null
/// where one of them is null. A pair that a batch of rows holds several times is scored once.
///
/// ```sql
/// SELECT *, cross_encoder_score(query, text) AS score FROM candidates
/// ```
#[derive(Clone)]
pub struct CrossEncoderScore {
    scorer: Arc<dyn PairScorer>,
    rows_done: Arc<dyn Fn(u64) + Send + Sync>,
    signature: Signature,
}

impl CrossEncoderScore {
    /// Makes the function with this model behind it.
    pub fn new(scorer: Arc<dyn PairScorer>) -> Self {
        Self {
            scorer,
            rows_done: Arc::new(|_| ()),
            signature: Signature::exact(
                vec![DataType::Utf8, DataType::Utf8],
                Volatility::Immutable,
            ),
        }
    }

    /// Has `rows_done` told of each number of rows as they are scored, to show progress.
    pub fn on_progress(mut self, rows_done: impl Fn(u64) + Send + Sync + 'static) -> Self {
        self.rows_done = Arc::new(rows_done);
        self
    }

    fn score(&self, queries: &ArrayRef, texts: &ArrayRef) -> crate::Result<Float32Array> {
        let (queries, texts) = (queries.as_string::<i32>(), texts.as_string::<i32>());
        let rows = queries.iter().zip(texts);
        let pairs = Dedup::of(rows.map(|(query, text)| Some((query?, text?))));
        let scores = self.scorer.score_pairs(&pairs.values, &|scored| {
            (self.rows_done)(pairs.rows(scored));
        })?;
        Ok(pairs
            .of_row
            .iter()
            .map(|pair| pair.map(|pair| scores[pair]))
            .collect())
    }
}

impl ScalarUDFImpl for CrossEncoderScore {
    fn name(&self) -> &str {
        "cross_encoder_score"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float32)
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = arguments.number_rows;
        let arrays = arguments
            .args
            .into_iter()
            .map(|argument| argument.into_array(rows))
            .collect::<Result<Vec<_>>>()?;
        let scores = self
            .score(&arrays[0], &arrays[1])
            .map_err(|error| DataFusionError::External(Box::new(error)))?;
        Ok(ColumnarValue::Array(Arc::new(scores)))
    }
}

// Two functions are the same where the very same model is behind them.
impl PartialEq for CrossEncoderScore {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.scorer, &other.scorer) && Arc::ptr_eq(&self.rows_done, &other.rows_done)
    }
}

impl Eq for CrossEncoderScore {}

impl Hash for CrossEncoderScore {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.scorer).hash(state);
    }
}

impl fmt::Debug for CrossEncoderScore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CrossEncoderScore")
            .field(&self.scorer)
            .finish()
    }
}
