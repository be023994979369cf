use pairmill_retrieval::{Embeddings, products};
use pairmill_schema::draw;
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

/// Rounds after which clusters are taken as they are; most settle earlier.
const ROUNDS: usize = 20;
/// Rows for each cluster from which the centres are computed: of more rows, so many are drawn, as
/// more do not move the centres of so few clusters.
const ROWS_PER_CLUSTER: usize = 50;
/// Rows compared with the centres at a time.
const BLOCK: usize = 256;

/// Rows of length 1 in clusters.
pub(crate) struct Clusters {
    /// The cluster of each row.
    pub of_row: Vec<u32>,
    /// The cosine of each row and the centre of its cluster.
    pub closeness: Vec<f32>,
}

/// Puts rows into `k` clusters by cosine: spherical k-means (Dhillon and Modha, 2001) from centres
/// that are drawn as k-means++ draws them (Arthur and Vassilvitskii, 2007). Each row counts by its
/// weight.
pub(crate) fn k_means(rows: &Embeddings, weights: &[f32], k: usize, seed: u64) -> Clusters {
    let mut chance = draw::generator(seed, "k-means", &[]);
    let most = k.saturating_mul(ROWS_PER_CLUSTER);
    let centres = if rows.len() > most {
        let mut drawn = rand::seq::index::sample(&mut chance, rows.len(), most).into_vec();
        drawn.sort_unstable();
        let weights: Vec<f32> = drawn.iter().map(|&row| weights[row]).collect();
        centres(&rows.select(&drawn), &weights, k, &mut chance)
    } else {
        centres(rows, weights, k, &mut chance)
    };
    assign(rows, &centres)
}

fn centres(rows: &Embeddings, weights: &[f32], k: usize, chance: &mut ChaCha8Rng) -> Embeddings {
    let mut centres = rows.select(&first_centres(rows, weights, k, chance));
    let mut last = Vec::new();
    for _ in 0..ROUNDS {
        let clusters = assign(rows, &centres);
        if clusters.of_row == last {
            break;
        }
        centres = means(rows, weights, &clusters.of_row, &centres);
        last = clusters.of_row;
    }
    centres
}

/// Draws rows, each with a chance by its weight and its distance from those drawn.
fn first_centres(
    rows: &Embeddings,
    weights: &[f32],
    k: usize,
    chance: &mut ChaCha8Rng,
) -> Vec<usize> {
    // Squared distances of vectors of length 1 are 2 - 2 cosine.
    let mut distances = vec![1f32; rows.len()];
    let mut drawn = Vec::with_capacity(k);
    while drawn.len() < k.min(rows.len()) {
        let chances = distances
            .iter()
            .zip(weights)
            .map(|(far, weight)| far * weight);
        let Some(row) = draw_by(chances, chance) else {
            break;
        };
        drawn.push(row);
        let centre = rows.row(row);
        distances
            .par_chunks_mut(BLOCK)
            .zip(rows.values().par_chunks(BLOCK * rows.dimension()))
            .for_each(|(distances, rows)| {
                let mut cosines = vec![0.0; distances.len()];
                products(rows, centre, centre.len(), &mut cosines);
                for (distance, cosine) in distances.iter_mut().zip(cosines) {
                    *distance = distance.min((1.0 - cosine).max(0.0));
                }
            });
        distances[row] = 0.0;
    }
    drawn
}

/// Draws a place by its chance; `None` where none has any.
pub(crate) fn draw_by(
    chances: impl Iterator<Item = f32> + Clone,
    chance: &mut ChaCha8Rng,
) -> Option<usize> {
    let sum: f64 = chances.clone().map(f64::from).sum();
    let mut left = chance.random::<f64>() * sum;
    let mut last = None;
    for (place, share) in chances.enumerate() {
        if share > 0.0 {
            last = Some(place);
            left -= f64::from(share);
            if left < 0.0 {
                break;
            }
        }
    }
    last
}

/// Returns the nearest centre of each row; of equally near ones the first.
fn assign(rows: &Embeddings, centres: &Embeddings) -> Clusters {
    let blocks = rows.values().par_chunks(BLOCK * rows.dimension());
    let found = blocks.flat_map_iter(|block| {
        let mut cosines = vec![0.0; block.len() / rows.dimension() * centres.len()];
        products(block, centres.values(), rows.dimension(), &mut cosines);
        let nearest = cosines.chunks_exact(centres.len()).map(|row| {
            (0..)
                .zip(row)
                .fold((0u32, f32::NEG_INFINITY), |best, (at, &cosine)| {
                    match cosine > best.1 {
                        true => (at, cosine),
                        false => best,
                    }
                })
        });
        nearest.collect::<Vec<_>>()
    });
    let (of_row, closeness) = found.unzip();
    Clusters { of_row, closeness }
}

/// Returns the weighted mean of each cluster, of length 1; an empty one keeps its centre.
fn means(rows: &Embeddings, weights: &[f32], of_row: &[u32], centres: &Embeddings) -> Embeddings {
    let dimension = rows.dimension();
    let mut sums = vec![0f32; centres.len() * dimension];
    let mut is_empty = vec![true; centres.len()];
    for ((row, &weight), &cluster) in rows.rows().zip(weights).zip(of_row) {
        let cluster = cluster as usize;
        if weight > 0.0 {
            is_empty[cluster] = false;
            let sum = &mut sums[cluster * dimension..][..dimension];
            sum.iter_mut()
                .zip(row)
                .for_each(|(sum, &x)| *sum += weight * x);
        }
    }
    for (cluster, is_empty) in is_empty.into_iter().enumerate() {
        if is_empty {
            sums[cluster * dimension..][..dimension].copy_from_slice(centres.row(cluster));
        }
    }
    Embeddings::normalised(sums, dimension).unwrap_or_else(|_| centres.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_that_lie_together_are_one_cluster() {
        let angles = [0.0f32, 0.1, 1.5, 1.6, 3.0, 3.1, 0.05];
        let values = angles.iter().flat_map(|angle| [angle.cos(), angle.sin()]);
        let rows = Embeddings::new(values.collect(), 2).unwrap();
        let found = k_means(&rows, &[1.0; 7], 3, 5).of_row;
        assert_eq!(found[0], found[1]);
        assert_eq!(found[0], found[6]);
        assert_eq!(found[2], found[3]);
        assert_eq!(found[4], found[5]);
        assert_ne!(found[0], found[2]);
        assert_ne!(found[2], found[4]);
    }

    #[test]
    fn equal_rows_and_more_clusters_than_rows_are_no_trouble() {
        let rows = Embeddings::new([1.0, 0.0].repeat(5), 2).unwrap();
        let found = k_means(&rows, &[1.0; 5], 9, 5);
        assert_eq!(found.of_row, [0; 5]);
        assert_eq!(found.closeness, [1.0; 5]);
    }
}
