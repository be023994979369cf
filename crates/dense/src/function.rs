use std::sync::Arc;

use arrow::array::{ArrayRef, Float32Array};
use arrow::datatypes::{DataType, Field};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::ScalarUDF;
use pairmill_retrieval::search_function;
use pairmill_tables::TextColumn;

use crate::{Index, Ranked};

/// Makes `dense_search(query [, k])`: the `k` passages of an index that are most similar to each
/// query.
///
/// `Utf8, Int64 → List<Struct<corpus_id Utf8, rank Int32, dense Float32>>`, best first, ranks from
/// 1; null for a null. `k` must be a constant.
///
/// The queries of a batch are searched together, equal ones once.
pub fn dense_search(index: Arc<Index>) -> ScalarUDF {
    let fields = vec![
        Field::new("corpus_id", DataType::Utf8, false),
        Field::new("dense", DataType::Float32, false),
    ];
    let searched = Arc::clone(&index);
    let search =
        move |queries: &[&str], top_k| searched.search_all(queries, top_k).map_err(external);
    let columns = move |hits: &[&Ranked]| {
        let mut ids = TextColumn::default();
        for hit in hits {
            ids.append(index.id(hit))?;
        }
        let scores: Float32Array = hits.iter().map(|hit| Some(hit.score)).collect();
        Ok(vec![ids.finish(), Arc::new(scores) as ArrayRef])
    };
    search_function("dense_search", fields, search, columns)
}

pub(crate) fn external(error: crate::DenseError) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}
