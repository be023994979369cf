use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Float32Builder, Int32Builder, ListArray, StringArray, StructArray,
};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, FieldRef, Fields};
use datafusion::common::{Result, exec_err};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, TypeSignature, Volatility,
};
use datafusion::scalar::ScalarValue;
use pairmill_tables::TextColumn;

use crate::Index;

/// How many passages `bm25_search` returns when it is not told.
pub const DEFAULT_TOP_K: usize = 50;

/// `bm25_search(query [, k])`: the `k` best passages of an index for each query.
///
/// `Utf8, Int64 → List<Struct<corpus_id Utf8, rank Int32, bm25 Float32>>`, best first, ranks from
/// 1; an empty list for a query without a hit, null for a null. `k` must be a constant. With
/// [texts](Self::with_texts) it is called `bm25_passages` and the struct ends in `text Utf8`.
///
/// The queries of a batch are searched in parallel, equal ones once.
#[derive(Debug)]
pub struct Bm25Search {
    index: Arc<Index>,
    texts: bool,
    signature: Signature,
}

impl Bm25Search {
    /// Makes the function over an index.
    pub fn new(index: Arc<Index>) -> Self {
        let arguments = vec![
            TypeSignature::Exact(vec![DataType::Utf8]),
            TypeSignature::Exact(vec![DataType::Utf8, DataType::Int64]),
        ];
        Self {
            index,
            texts: false,
            signature: Signature::one_of(arguments, Volatility::Immutable),
        }
    }

    /// Makes `bm25_passages`, which returns the texts of the passages too.
    pub fn with_texts(self) -> Self {
        Self {
            texts: true,
            ..self
        }
    }

    fn hit_fields(&self) -> Fields {
        let mut fields = vec![
            Field::new("corpus_id", DataType::Utf8, false),
            Field::new("rank", DataType::Int32, false),
            Field::new("bm25", DataType::Float32, false),
        ];
        if self.texts {
            fields.push(Field::new("text", DataType::Utf8, false));
        }
        fields.into()
    }

    fn item(&self) -> FieldRef {
        Arc::new(Field::new_list_field(
            DataType::Struct(self.hit_fields()),
            true,
        ))
    }

    fn search(&self, queries: &StringArray, top_k: usize) -> Result<ListArray> {
        let mut numbers: HashMap<&str, usize> = HashMap::new();
        let mut distinct = Vec::new();
        for query in queries.iter().flatten() {
            numbers.entry(query).or_insert_with(|| {
                distinct.push(query);
                distinct.len() - 1
            });
        }
        let found = self.index.search_all(&distinct, top_k).map_err(external)?;
        let hits_of = |query: &str| found[numbers[query]].as_slice();
        let lengths = queries
            .iter()
            .map(|query| query.map_or(0, |query| hits_of(query).len()));

        let texts = match self.texts {
            true => Some(self.index.texts(&found.concat()).map_err(external)?),
            false => None,
        };
        let mut ids = TextColumn::default();
        let mut ranks = Int32Builder::new();
        let mut scores = Float32Builder::new();
        let mut passages = TextColumn::default();
        for query in queries.iter().flatten() {
            for (hit, rank) in hits_of(query).iter().zip(1..) {
                ids.append(self.index.id(hit))?;
                ranks.append_value(rank);
                scores.append_value(hit.score);
                if let Some(texts) = &texts {
                    passages.append(texts.of(hit))?;
                }
            }
        }
        let mut columns: Vec<ArrayRef> = vec![
            ids.finish(),
            Arc::new(ranks.finish()),
            Arc::new(scores.finish()),
        ];
        if self.texts {
            columns.push(passages.finish());
        }
        Ok(ListArray::try_new(
            self.item(),
            OffsetBuffer::from_lengths(lengths),
            Arc::new(StructArray::try_new(self.hit_fields(), columns, None)?),
            queries.nulls().cloned(),
        )?)
    }
}

impl ScalarUDFImpl for Bm25Search {
    fn name(&self) -> &str {
        if self.texts {
            "bm25_passages"
        } else {
            "bm25_search"
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::List(self.item()))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let top_k = match args.args.get(1) {
            None => DEFAULT_TOP_K,
            Some(ColumnarValue::Scalar(ScalarValue::Int64(Some(k)))) if *k > 0 => *k as usize,
            Some(_) => return exec_err!("{}: k must be a constant above 0", self.name()),
        };
        let queries = args.args[0].to_array(args.number_rows)?;
        let lists = self.search(queries.as_string::<i32>(), top_k)?;
        Ok(ColumnarValue::Array(Arc::new(lists)))
    }
}

impl PartialEq for Bm25Search {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.index, &other.index) && self.texts == other.texts
    }
}

impl Eq for Bm25Search {}

impl Hash for Bm25Search {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.index).hash(state);
        self.texts.hash(state);
    }
}

pub(crate) fn external(error: crate::LexicalError) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}
