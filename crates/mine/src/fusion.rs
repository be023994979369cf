use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Float32Array, Float32Builder, Int32Builder, ListArray, StringArray,
    StructArray,
};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, FieldRef, Fields, Float32Type};
use datafusion::common::{Result, exec_datafusion_err};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};
use pairmill_tables::TextColumn;

/// `reciprocal_rank_fusion(bm25_hits, dense_hits)`: the hits of `bm25_search` and `dense_search` in
/// one list, best first and no longer than `top_k`.
///
/// A passage scores Σ 1 / (k + rank) over the lists that have it (Cormack, Clarke and Büttcher,
/// "Reciprocal Rank Fusion outperforms Condorcet and individual Rank Learning Methods", 2009);
/// equal scores are ordered by id. Gives `List<Struct<corpus_id Utf8, rank Int32, rrf Float32,
/// bm25 Float32, dense Float32, bm25_rank Int32, dense_rank Int32>>`, the last four null where that
/// list does not have the passage.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct ReciprocalRankFusion {
    k: u32,
    top_k: usize,
    signature: Signature,
}

impl ReciprocalRankFusion {
    pub fn new(k: u32, top_k: usize) -> Self {
        Self {
            k,
            top_k,
            signature: Signature::any(2, Volatility::Immutable),
        }
    }

    fn fuse(&self, bm25: &ListArray, dense: &ListArray) -> Result<ListArray> {
        let mut fused = FusedColumns::default();
        let mut lengths = Vec::with_capacity(bm25.len());
        for row in 0..bm25.len() {
            let (bm25, dense) = (Hits::of(bm25, row, "bm25")?, Hits::of(dense, row, "dense")?);
            let both = fuse(&bm25.ids(), &dense.ids(), self.k);
            lengths.push(both.len().min(self.top_k));
            for (hit, rank) in both.iter().zip(1..).take(self.top_k) {
                fused.append(rank, hit, &bm25, &dense)?;
            }
        }
        Ok(ListArray::try_new(
            item(),
            OffsetBuffer::from_lengths(lengths),
            Arc::new(StructArray::try_new(fields(), fused.finish(), None)?),
            bm25.nulls().cloned(),
        )?)
    }
}

/// A passage that at least one list has.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Fused<'a> {
    id: &'a str,
    score: f32,
    /// Its places in both lists, from 0.
    places: [Option<usize>; 2],
}

/// Returns the passages of two ranked lists, best first.
fn fuse<'a>(first: &[&'a str], second: &[&'a str], k: u32) -> Vec<Fused<'a>> {
    let mut places: HashMap<&str, [Option<usize>; 2]> = HashMap::new();
    for (list, ids) in [first, second].into_iter().enumerate() {
        for (place, id) in ids.iter().enumerate() {
            places.entry(id).or_default()[list] = Some(place);
        }
    }
    let share =
        |place: Option<usize>| place.map_or(0.0, |place| 1.0 / (f64::from(k) + place as f64 + 1.0));
    let mut fused: Vec<Fused> = places
        .into_iter()
        .map(|(id, places)| Fused {
            id,
            // Compared as it is written.
            score: (share(places[0]) + share(places[1])) as f32,
            places,
        })
        .collect();
    fused.sort_unstable_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.id.cmp(b.id)));
    fused
}

/// The hits of one list.
struct Hits {
    ids: StringArray,
    scores: Float32Array,
}

impl Hits {
    fn of(lists: &ListArray, row: usize, score: &str) -> Result<Self> {
        let hits = lists.value(row);
        let hits = hits.as_struct();
        let column = |name: &str| {
            let missing = || exec_datafusion_err!("reciprocal_rank_fusion: hits without `{name}`");
            hits.column_by_name(name).ok_or_else(missing)
        };
        Ok(Self {
            ids: column("corpus_id")?.as_string::<i32>().clone(),
            scores: column(score)?.as_primitive::<Float32Type>().clone(),
        })
    }

    fn ids(&self) -> Vec<&str> {
        self.ids.iter().flatten().collect()
    }
}

fn fields() -> Fields {
    let fields = vec![
        Field::new("corpus_id", DataType::Utf8, false),
        Field::new("rank", DataType::Int32, false),
        Field::new("rrf", DataType::Float32, false),
        Field::new("bm25", DataType::Float32, true),
        Field::new("dense", DataType::Float32, true),
        Field::new("bm25_rank", DataType::Int32, true),
        Field::new("dense_rank", DataType::Int32, true),
    ];
    fields.into()
}

fn item() -> FieldRef {
    Arc::new(Field::new_list_field(DataType::Struct(fields()), true))
}

#[derive(Default)]
struct FusedColumns {
    ids: TextColumn,
    ranks: Int32Builder,
    rrf: Float32Builder,
    scores: [Float32Builder; 2],
    places: [Int32Builder; 2],
}

impl FusedColumns {
    fn append(&mut self, rank: i32, hit: &Fused, bm25: &Hits, dense: &Hits) -> Result<()> {
        self.ids.append(hit.id)?;
        self.ranks.append_value(rank);
        self.rrf.append_value(hit.score);
        for (number, list) in [bm25, dense].into_iter().enumerate() {
            let place = hit.places[number];
            self.scores[number].append_option(place.map(|place| list.scores.value(place)));
            self.places[number].append_option(place.map(|place| place as i32 + 1));
        }
        Ok(())
    }

    fn finish(self) -> Vec<ArrayRef> {
        let [mut bm25, mut dense] = self.scores;
        let [mut bm25_rank, mut dense_rank] = self.places;
        let (mut ranks, mut rrf) = (self.ranks, self.rrf);
        vec![
            self.ids.finish(),
            Arc::new(ranks.finish()),
            Arc::new(rrf.finish()),
            Arc::new(bm25.finish()),
            Arc::new(dense.finish()),
            Arc::new(bm25_rank.finish()),
            Arc::new(dense_rank.finish()),
        ]
    }
}

impl ScalarUDFImpl for ReciprocalRankFusion {
    fn name(&self) -> &str {
        "reciprocal_rank_fusion"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::List(item()))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let lists = ColumnarValue::values_to_arrays(&args.args)?;
        let [bm25, dense] = [0, 1].map(|number| lists[number].as_list::<i32>());
        Ok(ColumnarValue::Array(Arc::new(self.fuse(bm25, dense)?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reciprocal_ranks_are_added_and_ties_go_by_id() {
        let fused = fuse(&["b", "a", "c"], &["c", "d", "b"], 60);
        let found: Vec<_> = fused.iter().map(|hit| (hit.id, hit.places)).collect();
        assert_eq!(
            found,
            [
                ("b", [Some(0), Some(2)]),
                ("c", [Some(2), Some(0)]),
                ("a", [Some(1), None]),
                ("d", [None, Some(1)]),
            ]
        );
        assert!((fused[0].score - (1.0 / 61.0 + 1.0 / 63.0)).abs() < 1e-7);
        assert_eq!(fused[0].score, fused[1].score);
        assert!((fused[3].score - 1.0 / 62.0).abs() < 1e-7);
    }

    #[test]
    fn a_small_k_favours_the_top_of_one_list() {
        let first = |k| fuse(&["a", "b", "c", "d"], &["e", "f", "b", "g"], k)[0].id;
        assert_eq!((first(1), first(60)), ("b", "b"));
        let far: Vec<String> = (0..40).map(|number| format!("x{number}")).collect();
        let mut lists: Vec<&str> = far.iter().map(String::as_str).collect();
        lists[9] = "both";
        let mut other = vec!["top"];
        other.extend((0..20).map(|_| "filler"));
        other[10] = "both";
        let first = |k| fuse(&lists, &other, k)[0].id.to_owned();
        assert_eq!((first(1).as_str(), first(60).as_str()), ("top", "both"));
    }
}
