/// How likely each row is of each class: `[rows, classes]`, each row summing to 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Probabilities {
    values: Vec<f32>,
    classes: usize,
}

impl Probabilities {
    /// Takes a row-major matrix as it is.
    pub fn new(values: Vec<f32>, classes: usize) -> Self {
        Self { values, classes }
    }

    /// Returns the number of rows.
    pub fn len(&self) -> usize {
        self.values.len() / self.classes.max(1)
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Returns the number of classes.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// Returns the probabilities of a row.
    pub fn row(&self, row: usize) -> &[f32] {
        &self.values[row * self.classes..][..self.classes]
    }

    /// Returns the most likely class of a row; of equally likely ones the lowest.
    pub fn most_likely(&self, row: usize) -> usize {
        let row = self.row(row);
        (1..row.len()).fold(0, |best, class| match row[class] > row[best] {
            true => class,
            false => best,
        })
    }

    /// Returns how much likelier the most likely class of a row is than the second: from 0, where
    /// the two are level, to 1.
    pub fn margin(&self, row: usize) -> f32 {
        let [mut first, mut second] = [0f32; 2];
        for &share in self.row(row) {
            if share > first {
                (first, second) = (share, first);
            } else {
                second = second.max(share);
            }
        }
        first - second
    }

    /// Returns the entropy of a row in nats.
    pub fn entropy(&self, row: usize) -> f32 {
        let row = self.row(row).iter();
        -row.filter(|&&share| share > 0.0)
            .map(|share| share * share.ln())
            .sum::<f32>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn margin_and_entropy_are_those_of_their_formulas() {
        let found = Probabilities::new(vec![0.5, 0.2, 0.3, 0.0, 1.0, 0.0], 3);
        assert_eq!(found.len(), 2);
        assert!((found.margin(0) - 0.2).abs() < 1e-6);
        assert_eq!(found.margin(1), 1.0);
        assert!((found.entropy(0) - 1.029_653).abs() < 1e-5);
        assert_eq!(found.entropy(1), 0.0);
        assert_eq!(found.most_likely(0), 0);
    }
}
