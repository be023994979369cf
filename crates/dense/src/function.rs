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

/// How many passages `dense_search` returns when it is not told.
pub const DEFAULT_TOP_K: usize = 50;

/// `dense_search(query [, k])`: the `k` passages of an index that are most similar to each query.
///
/// `Utf8, Int64 → List<Struct<corpus_id Utf8, rank Int32, dense Float32>>`, best first, ranks from
/// 1; null for a null. `k` must be a constant.
///
/// The queries of a batch are searched together, equal ones once.
#[derive(Debug)]
pub struct DenseSearch {
    index: Arc<Index>,
    signature: Signature,
}

impl DenseSearch {
    /// Makes the function over an index.
    pub fn new(index: Arc<Index>) -> Self {
        let arguments = vec![
            TypeSignature::Exact(vec![DataType::Utf8]),
            TypeSignature::Exact(vec![DataType::Utf8, DataType::Int64]),
        ];
        Self {
            index,
            signature: Signature::one_of(arguments, Volatility::Immutable),
        }
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
        let mut ids = TextColumn::default();
        let (mut ranks, mut scores) = (Int32Builder::new(), Float32Builder::new());
        for query in queries.iter().flatten() {
            for (hit, rank) in hits_of(query).iter().zip(1..) {
                ids.append(self.index.id(hit))?;
                ranks.append_value(rank);
                scores.append_value(hit.score);
            }
        }
        let columns: Vec<ArrayRef> = vec![
            ids.finish(),
            Arc::new(ranks.finish()),
            Arc::new(scores.finish()),
        ];
        Ok(ListArray::try_new(
            item(),
            OffsetBuffer::from_lengths(lengths),
            Arc::new(StructArray::try_new(hit_fields(), columns, None)?),
            queries.nulls().cloned(),
        )?)
    }
}

fn hit_fields() -> Fields {
    let fields = vec![
        Field::new("corpus_id", DataType::Utf8, false),
        Field::new("rank", DataType::Int32, false),
        Field::new("dense", DataType::Float32, false),
    ];
    fields.into()
}

fn item() -> FieldRef {
    Arc::new(Field::new_list_field(DataType::Struct(hit_fields()), true))
}

impl ScalarUDFImpl for DenseSearch {
    fn name(&self) -> &str {
        "dense_search"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::List(item()))
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

impl PartialEq for DenseSearch {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.index, &other.index)
    }
}

impl Eq for DenseSearch {}

impl Hash for DenseSearch {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.index).hash(state);
    }
}

pub(crate) fn external(error: crate::DenseError) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}
