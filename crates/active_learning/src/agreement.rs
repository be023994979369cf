/// Returns Cohen's kappa of two classifications of the same rows: 1 where they agree everywhere, 0
/// where they agree as often as chance would have it. Two that give every row the same one class
/// agree.
///
/// Where it stays high from round to round, more labels hardly change what the classifier says:
/// Bloodgood and Vijay-Shanker, A method for stopping active learning based on stabilizing
/// predictions, 2009, stop at 0.99 over three rounds.
pub fn kappa(first: &[usize], second: &[usize]) -> f64 {
    let rows = first.len() as f64;
    let classes = first.iter().chain(second).max().map_or(0, |last| last + 1);
    let mut counts = vec![[0u32; 2]; classes];
    let mut agreed = 0;
    for (&a, &b) in first.iter().zip(second) {
        counts[a][0] += 1;
        counts[b][1] += 1;
        agreed += u32::from(a == b);
    }
    let observed = f64::from(agreed) / rows;
    let product = |[a, b]: &[u32; 2]| f64::from(*a) / rows * f64::from(*b) / rows;
    let expected: f64 = counts.iter().map(product).sum();
    match expected < 1.0 {
        true => (observed - expected) / (1.0 - expected),
        false => 1.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kappa_is_that_of_scikit_learn() {
        let found = kappa(&[0, 0, 1, 1, 2, 2], &[0, 0, 1, 2, 2, 2]);
        assert!((found - 0.75).abs() < 1e-12, "{found}");
        assert_eq!(kappa(&[1, 1], &[1, 1]), 1.0);
    }
}
