use matrixmultiply::sgemm;
use pairmill_checkpoint::SimilarityFunction;

/// Computes how alike vectors of `dimension` components are, row-major: `scores[q, p]` of
/// `queries[q]` and `passages[p]`, the higher the more alike. Its bits are the same whatever else
/// is compared with it.
///
/// # Panics
/// If the sizes do not fit.
pub fn similarities(
    kind: SimilarityFunction,
    queries: &[f32],
    passages: &[f32],
    dimension: usize,
    scores: &mut [f32],
) {
    match kind {
        SimilarityFunction::Cosine | SimilarityFunction::Dot => {
            products(queries, passages, dimension, scores)
        }
        SimilarityFunction::Euclidean | SimilarityFunction::Manhattan => {
            let rows = scores.chunks_exact_mut(passages.len() / dimension);
            for (query, scores) in queries.chunks_exact(dimension).zip(rows) {
                let passages = passages.chunks_exact(dimension);
                for (score, passage) in scores.iter_mut().zip(passages) {
                    // Zero has no sign here: -0 would not tie with 0.
                    *score = kind.of(query, passage) + 0.0;
                }
            }
        }
    }
}

/// Returns how alike two vectors are, equal to the bit to what [`similarities`] gives.
pub fn similarity(kind: SimilarityFunction, query: &[f32], passage: &[f32]) -> f32 {
    let mut score = [0.0];
    similarities(kind, query, passage, query.len(), &mut score);
    score[0]
}

/// Computes the dot products of vectors of `dimension` components, row-major: `scores[q, p]` of
/// `queries[q]` and `passages[p]`.
///
/// Each is summed in an order that only the dimension decides, so its bits are the same whatever
/// else is multiplied with it.
///
/// # Panics
/// If the sizes do not fit.
pub fn products(queries: &[f32], passages: &[f32], dimension: usize, scores: &mut [f32]) {
    let (rows, columns) = (queries.len() / dimension, passages.len() / dimension);
    assert_eq!(queries.len(), rows * dimension);
    assert_eq!(passages.len(), columns * dimension);
    assert_eq!(scores.len(), rows * columns);
    let along = dimension as isize;
    // SAFETY: the matrices are the slices, whose lengths were checked: queries are `rows` by
    // `dimension`, passages, read as transposed, `dimension` by `columns`, scores `rows` by
    // `columns`; scores are borrowed mutably, so they overlap with neither.
    unsafe {
        sgemm(
            rows,
            dimension,
            columns,
            1.0,
            queries.as_ptr(),
            along,
            1,
            passages.as_ptr(),
            1,
            along,
            0.0,
            scores.as_mut_ptr(),
            columns as isize,
            1,
        );
    }
    // Zero has no sign here: -0 would not tie with 0.
    scores.iter_mut().for_each(|score| *score += 0.0);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vectors(count: usize, dimension: usize, seed: u32) -> Vec<f32> {
        let mut state = seed;
        let mut draw = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 24) as f32 - 0.5
        };
        (0..count * dimension).map(|_| draw()).collect()
    }

    #[test]
    fn a_product_has_the_same_bits_whatever_is_beside_it() {
        for dimension in [1, 3, 8, 255, 256, 257, 384, 769] {
            let (rows, columns) = (37, 1_100);
            let (queries, passages) = (vectors(rows, dimension, 1), vectors(columns, dimension, 2));
            let mut whole = vec![0.0; rows * columns];
            products(&queries, &passages, dimension, &mut whole);
            for (height, width) in [(1, 1_100), (37, 1), (5, 7), (8, 64), (16, 1_024)] {
                for (row, queries) in (0..)
                    .step_by(height)
                    .zip(queries.chunks(height * dimension))
                {
                    for (column, passages) in (0..)
                        .step_by(width)
                        .zip(passages.chunks(width * dimension))
                        .take(5)
                    {
                        let width = passages.len() / dimension;
                        let mut part = vec![0.0; queries.len() / dimension * width];
                        products(queries, passages, dimension, &mut part);
                        for (offset, part) in part.chunks(width).enumerate() {
                            let start = (row + offset) * columns + column;
                            assert_eq!(part, &whole[start..start + width], "{dimension}");
                        }
                    }
                }
            }
            let last = similarity(
                SimilarityFunction::Dot,
                &queries[(rows - 1) * dimension..],
                &passages[(columns - 1) * dimension..],
            );
            assert_eq!(last.to_bits(), whole[rows * columns - 1].to_bits());
        }
    }

    #[test]
    fn products_are_those_of_plain_sums() {
        let (queries, passages) = (vectors(3, 100, 7), vectors(5, 100, 8));
        let mut scores = vec![0.0; 15];
        products(&queries, &passages, 100, &mut scores);
        for (q, query) in queries.chunks(100).enumerate() {
            for (p, passage) in passages.chunks(100).enumerate() {
                let both = query.iter().zip(passage);
                let sum: f64 = both.map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
                assert!((f64::from(scores[q * 5 + p]) - sum).abs() < 1e-5);
            }
        }
    }

    #[test]
    fn zero_has_no_sign() {
        let of = |kind, a: &[f32], b: &[f32]| similarity(kind, a, b).to_bits();
        assert_eq!(of(SimilarityFunction::Dot, &[-1.0, 0.0], &[0.0, 5.0]), 0);
        assert_eq!(
            of(SimilarityFunction::Euclidean, &[1.0, 2.0], &[1.0, 2.0]),
            0
        );
    }
}
