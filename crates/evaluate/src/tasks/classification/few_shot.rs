use std::collections::HashMap;

use pairmill_schema::draw::seeded;
use rand::seq::SliceRandom;

/// The training rows of each experiment, ascending.
pub(crate) struct FewShot {
    pub experiments: Vec<Vec<usize>>,
}

impl FewShot {
    /// Takes one experiment with all rows.
    pub fn all(rows: usize) -> Self {
        Self {
            experiments: vec![(0..rows).collect()],
        }
    }

    /// Experiments with so many rows of each class, drawn without replacement; all of a class that
    /// has fewer. The protocol of MTEB's classification tasks (Muennighoff et al., 2023).
    pub fn draw(classes: &[usize], samples: usize, experiments: usize, seed: u64) -> Self {
        let mut random = seeded(seed, 0);
        let mut rows: Vec<usize> = (0..classes.len()).collect();
        let mut draw = || {
            rows.shuffle(&mut random);
            let mut taken: HashMap<usize, usize> = HashMap::new();
            let mut drawn = rows.clone();
            drawn.retain(|&row| {
                let taken = taken.entry(classes[row]).or_default();
                *taken += 1;
                *taken <= samples
            });
            drawn.sort_unstable();
            drawn
        };
        Self {
            experiments: (0..experiments).map(|_| draw()).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_experiment_draws_of_each_class_anew() {
        let classes: Vec<usize> = (0..60)
            .map(|row| if row < 2 { 9 } else { row % 3 })
            .collect();
        let few_shot = FewShot::draw(&classes, 5, 4, 42);
        assert_eq!(few_shot.experiments.len(), 4);
        for rows in &few_shot.experiments {
            let of = |class| rows.iter().filter(|&&row| classes[row] == class).count();
            assert_eq!([of(0), of(1), of(2), of(9)], [5, 5, 5, 2]);
            assert!(rows.is_sorted());
        }
        assert_ne!(few_shot.experiments[0], few_shot.experiments[1]);
        let again = FewShot::draw(&classes, 5, 4, 42);
        assert_eq!(again.experiments, few_shot.experiments);
        let other = FewShot::draw(&classes, 5, 4, 43);
        assert_ne!(other.experiments, few_shot.experiments);
    }
}
