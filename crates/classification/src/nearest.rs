use pairmill_retrieval::{Embeddings, Search};

/// Returns the class of each test row by the vote of its nearest training rows: the most frequent
/// one, of equally frequent ones that of the nearest row.
pub fn nearest_neighbours(
    train: &Embeddings,
    classes: &[usize],
    test: &Embeddings,
    neighbours: usize,
) -> Vec<usize> {
    let mut search = Search::new(test, neighbours.min(train.len()));
    let keys: Vec<u32> = (0..train.len() as u32).collect();
    search.add(train, &keys);
    search
        .finish()
        .iter()
        .map(|hits| {
            let votes: Vec<usize> = hits.iter().map(|hit| classes[hit.key as usize]).collect();
            majority(&votes)
        })
        .collect()
}

/// Returns the most frequent class; of equally frequent ones that of the earliest vote.
fn majority(votes: &[usize]) -> usize {
    let count = |class: usize| votes.iter().filter(|&&vote| vote == class).count();
    let mut best = votes[0];
    for &vote in votes {
        if count(vote) > count(best) {
            best = vote;
        }
    }
    best
}

/// Returns the class of each test row by the highest cosine with the mean of a class; of equal ones
/// the lowest class. Rows have length 1.
pub fn nearest_centroid(train: &Embeddings, classes: &[usize], test: &Embeddings) -> Vec<usize> {
    let dimension = train.dimension();
    let mut known = classes.to_vec();
    known.sort_unstable();
    known.dedup();
    let mut sums = vec![0f64; known.len() * dimension];
    for (vector, class) in train.rows().zip(classes) {
        let at = known.partition_point(|other| other < class) * dimension;
        for (sum, &value) in sums[at..at + dimension].iter_mut().zip(vector) {
            *sum += f64::from(value);
        }
    }
    let sums = sums.into_iter().map(|sum| sum as f32).collect();
    let mut search = Search::new(test, 1);
    // Sums of vectors of length 1 are finite.
    if let Ok(centroids) = Embeddings::normalised(sums, dimension) {
        let keys: Vec<u32> = (0..known.len() as u32).collect();
        search.add(&centroids, &keys);
    }
    search
        .finish()
        .iter()
        .map(|hits| known[hits[0].key as usize])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(angles: &[f32]) -> Embeddings {
        let values = angles
            .iter()
            .flat_map(|angle| [angle.cos(), angle.sin()])
            .collect();
        Embeddings::normalised(values, 2).unwrap()
    }

    #[test]
    fn the_nearest_decides_where_votes_are_equal() {
        assert_eq!(majority(&[1, 0, 0, 1]), 1);
        assert_eq!(majority(&[1, 0, 0]), 0);
        assert_eq!(majority(&[2]), 2);
    }

    #[test]
    fn neighbours_vote_and_centroids_average() {
        // Class 0 lies around 0.0 with a stray member; class 3 around 1.5.
        let train = unit(&[0.0, 0.1, -0.1, 1.3, 1.4, 1.5, 1.6]);
        let classes = [0, 0, 0, 0, 3, 3, 3];
        let test = unit(&[0.05, 1.45]);
        assert_eq!(nearest_centroid(&train, &classes, &test), [0, 3]);
        // All seven vote: class 0 has four.
        assert_eq!(nearest_neighbours(&train, &classes, &test, 10), [0, 0]);
        assert_eq!(nearest_neighbours(&train, &classes, &test, 3), [0, 3]);
    }
}
