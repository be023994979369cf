use std::sync::Arc;

use arrow::array::{ArrayRef, Float32Array};
use arrow::datatypes::{DataType, Field};
use datafusion::common::Result;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::ScalarUDF;
use pairmill_retrieval::search_function;
use pairmill_tables::TextColumn;

use crate::{Index, Ranked};

/// Makes `bm25_search(query [, k])`: the `k` best passages of an index for each query.
///
/// `Utf8, Int64 → List<Struct<corpus_id Utf8, rank Int32, bm25 Float32>>`, best first, ranks from
/// 1; an empty list for a query without a hit, null for a null. `k` must be a constant.
///
/// The queries of a batch are searched in parallel, equal ones once.
pub fn bm25_search(index: Arc<Index>) -> ScalarUDF {
    let columns = Arc::clone(&index);
    let columns = move |hits: &[&Ranked]| columns.id_and_score(hits);
    search_function("bm25_search", fields(), search(index), columns)
}

/// Makes `bm25_passages(query [, k])`: as [`bm25_search`], with the texts of the passages at the
/// end of the struct, `text Utf8`.
pub fn bm25_passages(index: Arc<Index>) -> ScalarUDF {
    let mut fields = fields();
    fields.push(Field::new("text", DataType::Utf8, false));
    let columns = Arc::clone(&index);
    let columns = move |hits: &[&Ranked]| {
        let ranked: Vec<Ranked> = hits.iter().map(|hit| **hit).collect();
        let texts = columns.texts(&ranked).map_err(external)?;
        let mut passages = TextColumn::default();
        for hit in hits {
            passages.append(texts.of(hit))?;
        }
        let mut columns = columns.id_and_score(hits)?;
        columns.push(passages.finish());
        Ok(columns)
    };
    search_function("bm25_passages", fields, search(index), columns)
}

fn fields() -> Vec<Field> {
    vec![
        Field::new("corpus_id", DataType::Utf8, false),
        Field::new("bm25", DataType::Float32, false),
    ]
}

fn search(index: Arc<Index>) -> impl Fn(&[&str], usize) -> Result<Vec<Vec<Ranked>>> {
    move |queries, top_k| index.search_all(queries, top_k).map_err(external)
}

impl Index {
    fn id_and_score(&self, hits: &[&Ranked]) -> Result<Vec<ArrayRef>> {
        let mut ids = TextColumn::default();
        for hit in hits {
            ids.append(self.id(hit))?;
        }
        let scores: Float32Array = hits.iter().map(|hit| Some(hit.score)).collect();
        Ok(vec![ids.finish(), Arc::new(scores)])
    }
}

pub(crate) fn external(error: crate::LexicalError) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}
