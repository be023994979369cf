//! A loss over labelled pairs: row i of `first` and row i of `second`, both `[batch, dimension]`,
//! with `labels`, `[batch]`, of any kind.

use tch::Tensor;

use super::cosent::misordered;
use super::data::{Data, Loss};
use crate::labels::Labels;
use crate::losses::registry::LossOption;
use crate::losses::similarity::unit;

/// Factor on the similarity.
const SCALE: f64 = 20.0;

pub(crate) const LOSS: Loss = Loss {
    name: "angle",
    class: "AnglELoss",
    source: "angle.py#L91",
    help: "AnglE: labelled pairs with similarities",
    options: &[LossOption::number("scale", SCALE)],
    data: Data::LabeledPairs(Labels::Order, |options| {
        let scale = options.scale(SCALE);
        Box::new(move |first, second, labels| angle(first, second, labels, scale))
    }),
};

/// Computes the AnglE loss (Li and Li 2023, arXiv 2309.12871; `AnglELoss` of
/// sentence-transformers): [`cosent`](super::cosent::cosent) with the magnitude of the sum of
/// cosine and sine of two vectors as similarity. The vectors are taken as complex numbers, real
/// parts in their first half and imaginary parts in their second, one zero longer where the
/// dimension is odd. The reference's default scale is 20.
pub fn angle(first: &Tensor, second: &Tensor, labels: &Tensor, scale: f64) -> Tensor {
    let complex = |vectors: &Tensor| {
        let vectors = unit(vectors);
        let padded = vectors.constant_pad_nd([0, vectors.size()[1] % 2]);
        let mut halves = padded.chunk(2, 1);
        let imaginary = halves.remove(1);
        (halves.remove(0), imaginary)
    };
    let ((a, b), (c, d)) = (complex(first), complex(second));
    let sum = &a * &c + &b * &d + &b * &c - &a * &d;
    let similarities = sum
        .sum_dim_intlist([1i64].as_slice(), false, first.kind())
        .abs();
    misordered(&(similarities * scale), labels)
}

#[cfg(test)]
mod tests {
    use super::super::tests::unusual_pairs;
    use super::*;
    use crate::losses::finite;

    #[test]
    fn gradients_are_finite_at_coinciding_zero_and_opposite_vectors() {
        let (first, second) = unusual_pairs();
        let labels = Tensor::from_slice(&[0i64, 1, 1]);
        finite(&[&first, &second], |x| angle(&x[0], &x[1], &labels, 20.0));
    }

    #[test]
    fn pairs_of_one_label_are_in_order() {
        let (first, second) = unusual_pairs();
        let labels = Tensor::from_slice(&[0.5f32, 0.5, 0.5]);
        let (value, _) = finite(&[&first, &second], |x| angle(&x[0], &x[1], &labels, 20.0));
        assert_eq!(value, 0.0);
    }
}
