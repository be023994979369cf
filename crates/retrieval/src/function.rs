//! Searches and scores as functions of DataFusion.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int32Array, ListArray, StringArray, StructArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, FieldRef, Fields};
use datafusion::common::{Result, exec_err};
use datafusion::functions::utils::make_scalar_function;
use datafusion::logical_expr::{
    ColumnarValue, ScalarUDF, Signature, SimpleScalarUDF, TypeSignature, Volatility, create_udf,
};
use datafusion::scalar::ScalarValue;

/// How many passages a search returns when it is not told.
const DEFAULT_TOP_K: usize = 50;

/// Makes a function of columns of these types, which computes a batch of rows at a time.
pub fn column_function(
    name: &str,
    arguments: Vec<DataType>,
    returned: DataType,
    compute: impl Fn(&[ArrayRef]) -> Result<ArrayRef> + Send + Sync + 'static,
) -> ScalarUDF {
    let compute = Arc::new(make_scalar_function(compute, Vec::new()));
    create_udf(name, arguments, returned, Volatility::Immutable, compute)
}

/// Makes `name(query [, k])`, which searches an index: `Utf8, Int64 → List<Struct<…>>`, best first;
/// an empty list for a query without a hit, null for a null. `k` must be a constant.
///
/// The struct has the `fields`, and behind the first of them the rank, from 1. `search` gets the
/// distinct queries of a batch of rows and `k`; `columns` makes the fields of the hits it gets.
pub fn search_function<H: 'static>(
    name: &'static str,
    mut fields: Vec<Field>,
    search: impl Fn(&[&str], usize) -> Result<Vec<Vec<H>>> + Send + Sync + 'static,
    columns: impl Fn(&[&H]) -> Result<Vec<ArrayRef>> + Send + Sync + 'static,
) -> ScalarUDF {
    fields.insert(1, Field::new("rank", DataType::Int32, false));
    let fields = Fields::from(fields);
    let item = Arc::new(Field::new_list_field(DataType::Struct(fields), true));
    let returned = DataType::List(Arc::clone(&item));
    let compute = move |arguments: &[ColumnarValue]| {
        let top_k = match arguments.get(1) {
            None => DEFAULT_TOP_K,
            Some(ColumnarValue::Scalar(ScalarValue::Int64(Some(k)))) if *k > 0 => *k as usize,
            Some(_) => return exec_err!("{name}: k must be a constant above 0"),
        };
        let lists = |queries: &[ArrayRef]| {
            let queries = queries[0].as_string::<i32>();
            let found = hit_lists(queries, &item, |queries| search(queries, top_k), &columns)?;
            Ok(Arc::new(found) as ArrayRef)
        };
        make_scalar_function(lists, Vec::new())(&arguments[..1])
    };
    let arguments = vec![
        TypeSignature::Exact(vec![DataType::Utf8]),
        TypeSignature::Exact(vec![DataType::Utf8, DataType::Int64]),
    ];
    let signature = Signature::one_of(arguments, Volatility::Immutable);
    let compute = Arc::new(compute);
    ScalarUDF::from(SimpleScalarUDF::new_with_signature(
        name, signature, returned, compute,
    ))
}

/// Returns the hits of each query; equal queries are searched for once.
fn hit_lists<H>(
    queries: &StringArray,
    item: &FieldRef,
    search: impl Fn(&[&str]) -> Result<Vec<Vec<H>>>,
    columns: impl Fn(&[&H]) -> Result<Vec<ArrayRef>>,
) -> Result<ListArray> {
    let mut numbers: HashMap<&str, usize> = HashMap::new();
    let mut distinct = Vec::new();
    for query in queries.iter().flatten() {
        numbers.entry(query).or_insert_with(|| {
            distinct.push(query);
            distinct.len() - 1
        });
    }
    let found = search(&distinct)?;
    let hits_of = |query: &str| found[numbers[query]].as_slice();
    let lengths = queries
        .iter()
        .map(|query| query.map_or(0, |query| hits_of(query).len()));
    let lengths: Vec<usize> = lengths.collect();
    let hits: Vec<&H> = queries.iter().flatten().flat_map(hits_of).collect();
    let ranks: Int32Array = lengths.iter().flat_map(|&hits| 1..=hits as i32).collect();
    let mut columns = columns(&hits)?;
    columns.insert(1, Arc::new(ranks));
    let DataType::Struct(fields) = item.data_type() else {
        return exec_err!("hits are structs");
    };
    Ok(ListArray::try_new(
        Arc::clone(item),
        OffsetBuffer::from_lengths(lengths),
        Arc::new(StructArray::try_new(fields.clone(), columns, None)?),
        queries.nulls().cloned(),
    )?)
}
