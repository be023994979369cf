use std::cell::Cell;

use rayon::prelude::*;
use tch::{Device, Kind, Tensor};

/// Elements one task fills.
const CHUNK: usize = 1 << 15;

/// Dropout whose masks come from a counter: element `i` of the `n`-th mask of a step depends only
/// on (seed, step, n, i). So masks are the same for any number of threads, a run can resume at a
/// step without replaying a generator, and filling a mask is much cheaper than libtorch's.
#[derive(Debug)]
pub struct Dropout {
    seed: u64,
    step: Cell<u64>,
    mask: Cell<u64>,
}

impl Dropout {
    /// Masks of this seed, before the first step.
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            step: Cell::new(0),
            mask: Cell::new(0),
        }
    }

    /// Starts the masks of a training step.
    pub fn set_step(&self, step: u64) {
        self.step.set(step);
        self.mask.set(0);
    }

    /// Zeroes each element with probability `p` and scales the rest by 1 / (1 − p).
    pub fn apply(&self, x: &Tensor, p: f64) -> Tensor {
        if p <= 0.0 {
            return x.shallow_clone();
        }
        let index = self.mask.get();
        self.mask.set(index + 1);
        let stream = mix(mix(mix(self.seed) ^ self.step.get()) ^ index);
        let mut mask = Tensor::empty(x.size(), (Kind::Float, Device::Cpu));
        // SAFETY: a fresh, contiguous, single-precision CPU tensor of numel elements that nobody
        // else sees.
        let values =
            unsafe { std::slice::from_raw_parts_mut(mask.data_ptr().cast::<f32>(), mask.numel()) };
        fill(values, stream, p);
        if x.device() != Device::Cpu {
            mask = mask.to_device(x.device());
        }
        (x * mask).to_kind(x.kind())
    }
}

/// Draws the mask. Four elements share one 64-bit draw of 16 bits each: p is met within 1/65536.
fn fill(values: &mut [f32], stream: u64, p: f64) {
    let threshold = (p * 65_536.0).round() as u64;
    let scale = (1.0 / (1.0 - p)) as f32;
    values
        .par_chunks_mut(CHUNK)
        .enumerate()
        .for_each(|(chunk, values)| {
            let first = (chunk * CHUNK / 4) as u64;
            for (draw, four) in values.chunks_mut(4).enumerate() {
                let bits = mix(stream ^ (first + draw as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15));
                for (lane, value) in four.iter_mut().enumerate() {
                    let kept = (bits >> (16 * lane)) & 0xFFFF >= threshold;
                    *value = if kept { scale } else { 0.0 };
                }
            }
        });
}

/// Returns the finaliser of SplitMix64 (Steele, Lea, Flood 2014).
fn mix(mut x: u64) -> u64 {
    x = x.wrapping_add(0x9E37_79B9_7F4A_7C15);
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_of_zeros_is_p_and_the_mean_is_kept() {
        let mut values = vec![0f32; 1 << 20];
        fill(&mut values, 7, 0.1);
        let zeros = values.iter().filter(|&&v| v == 0.0).count() as f64 / values.len() as f64;
        let mean = values.iter().map(|&v| f64::from(v)).sum::<f64>() / values.len() as f64;
        assert!((zeros - 0.1).abs() < 0.002, "{zeros}");
        assert!((mean - 1.0).abs() < 0.003, "{mean}");
    }

    #[test]
    fn neighbouring_streams_are_independent() {
        let (mut a, mut b) = (vec![0f32; 1 << 16], vec![0f32; 1 << 16]);
        fill(&mut a, 7, 0.5);
        fill(&mut b, 8, 0.5);
        let equal = a.iter().zip(&b).filter(|(a, b)| a == b).count() as f64 / a.len() as f64;
        assert!((equal - 0.5).abs() < 0.01, "{equal}");
    }

    #[test]
    fn a_step_repeats_its_masks_and_differs_from_the_next() {
        let x = Tensor::ones([64, 64], (Kind::Float, Device::Cpu));
        let dropout = Dropout::new(1);
        let masks = |step| {
            dropout.set_step(step);
            (dropout.apply(&x, 0.1), dropout.apply(&x, 0.1))
        };
        let (first, second) = masks(3);
        let (again, _) = masks(3);
        let (other, _) = masks(4);
        assert!(first.equal(&again) && !first.equal(&second) && !first.equal(&other));
    }
}
