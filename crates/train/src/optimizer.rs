use pairmill_modeling::Parameters;
use rayon::prelude::*;
use tch::{Device, Kind, Tensor};

use crate::error::Result;

const BETA1: f64 = 0.9;
const BETA2: f64 = 0.999;
const EPS: f64 = 1e-8;
/// Values that one task updates.
const CHUNK: usize = 1 << 14;

/// AdamW (Loshchilov and Hutter 2019) over the model's one flat tensor of parameters.
#[derive(Debug)]
pub struct AdamW {
    first_moment: Tensor,
    second_moment: Tensor,
    /// 1 where weight decay applies; `None` where there is none.
    decayed: Option<Tensor>,
    weight_decay: f64,
    steps: i32,
}

impl AdamW {
    /// Begins with moments of 0. Weight decay leaves biases and norms out.
    pub fn new(parameters: &Parameters, weight_decay: f64) -> Self {
        let flat = parameters.flat();
        let decayed = (weight_decay > 0.0).then(|| {
            let parts: Vec<Tensor> = parameters
                .trained()
                .map(|(name, tensor)| {
                    let is_norm = name.to_lowercase().contains("norm");
                    let exempt = is_norm || name.ends_with("bias");
                    let options = (Kind::Float, tensor.device());
                    Tensor::full([tensor.numel() as i64], f64::from(!exempt), options)
                })
                .collect();
            Tensor::cat(&parts, 0)
        });
        Self {
            first_moment: flat.zeros_like(),
            second_moment: flat.zeros_like(),
            decayed,
            weight_decay,
            steps: 0,
        }
    }

    /// Returns first moment, second moment and number of steps: all there is to know to go on.
    pub fn state(&self) -> (&Tensor, &Tensor, i32) {
        (&self.first_moment, &self.second_moment, self.steps)
    }

    /// Goes on from a saved state.
    ///
    /// # Errors
    /// If the moments are not as long as the parameters.
    pub fn restore(
        &mut self,
        first_moment: &Tensor,
        second_moment: &Tensor,
        steps: i32,
    ) -> Result<()> {
        tch::no_grad(|| {
            self.first_moment.f_copy_(first_moment)?;
            self.second_moment.f_copy_(second_moment)
        })?;
        self.steps = steps;
        Ok(())
    }

    /// Moves the parameters against `scale` times `gradient`, which is as long as the flat tensor.
    pub fn step(&mut self, parameters: &Parameters, gradient: &Tensor, scale: f64, rate: f64) {
        self.steps += 1;
        let update = Update {
            scale,
            rate: rate / (1.0 - BETA1.powi(self.steps)),
            decay: rate * self.weight_decay,
            root_correction: (1.0 - BETA2.powi(self.steps)).sqrt(),
        };
        let state = State {
            parameters: parameters.flat(),
            first_moment: &self.first_moment,
            second_moment: &self.second_moment,
            decayed: self.decayed.as_ref(),
        };
        match gradient.device() {
            Device::Cpu => update.on_cpu(&state, gradient),
            _ => update.by_libtorch(&state, gradient),
        }
    }
}

/// Tensors of one length that a step reads and, but for the last, changes.
struct State<'a> {
    parameters: &'a Tensor,
    first_moment: &'a Tensor,
    second_moment: &'a Tensor,
    decayed: Option<&'a Tensor>,
}

/// The numbers of one step.
#[derive(Debug, Clone, Copy)]
struct Update {
    /// Factor on the gradient.
    scale: f64,
    /// Learning rate, corrected for the start of the first moment from 0.
    rate: f64,
    /// Learning rate times weight decay.
    decay: f64,
    /// What the root of the second moment is divided by, for its start from 0.
    root_correction: f64,
}

impl Update {
    /// Updates in one pass over memory on all threads.
    fn on_cpu(self, state: &State<'_>, gradient: &Tensor) {
        let [scale, rate, decay, root] =
            [self.scale, self.rate, self.decay, self.root_correction].map(|value| value as f32);
        let (keep1, keep2, eps) = (BETA1 as f32, BETA2 as f32, EPS as f32);
        let (new1, new2) = (1.0 - BETA1 as f32, (1.0 - BETA2) as f32);
        let parameters = values_of(state.parameters).par_chunks_mut(CHUNK);
        let first = values_of(state.first_moment).par_chunks_mut(CHUNK);
        let second = values_of(state.second_moment).par_chunks_mut(CHUNK);
        let gradient = values_of(gradient).par_chunks(CHUNK);
        let decayed: Option<&[f32]> = state.decayed.map(|decayed| &*values_of(decayed));
        let chunks = parameters.zip(first).zip(second).zip(gradient);
        chunks.enumerate().for_each(|(n, (((p, m), v), g))| {
            if let Some(decayed) = decayed {
                for (p, decayed) in p.iter_mut().zip(&decayed[n * CHUNK..]) {
                    *p -= *p * decayed * decay;
                }
            }
            for (((p, m), v), g) in p.iter_mut().zip(m).zip(v).zip(g) {
                let g = g * scale;
                *m = keep1 * *m + new1 * g;
                *v = keep2 * *v + new2 * g * g;
                *p -= rate * *m / (v.sqrt() / root + eps);
            }
        });
    }

    /// Does the same in libtorch's operations, on any device.
    fn by_libtorch(self, state: &State<'_>, gradient: &Tensor) {
        tch::no_grad(|| {
            let gradient = gradient * self.scale;
            let mut parameters = state.parameters.shallow_clone();
            if let Some(decayed) = state.decayed {
                let shrunk = &parameters * decayed * self.decay;
                let _ = parameters.g_sub_(&shrunk);
            }
            let mut first = state.first_moment.shallow_clone();
            let _ = first.lerp_(&gradient, 1.0 - BETA1);
            let mut second = state.second_moment.shallow_clone();
            let _ = second.g_mul_scalar_(BETA2);
            let _ = second.g_add_(&(gradient.square() * (1.0 - BETA2)));
            let divisor = second.sqrt() / self.root_correction + EPS;
            let _ = parameters.g_sub_(&(&first / divisor * self.rate));
        });
    }
}

/// Returns the values of a contiguous single-precision tensor in main memory.
#[expect(
    clippy::mut_from_ref,
    reason = "a tensor lends its memory to whoever holds it"
)]
fn values_of(tensor: &Tensor) -> &mut [f32] {
    assert!(tensor.is_contiguous() && tensor.kind() == Kind::Float);
    // SAFETY: so many values lie there, for as long as the tensor is borrowed. Those that are
    // written to are the optimiser's own and the parameters', which nobody reads during a step.
    unsafe { std::slice::from_raw_parts_mut(tensor.data_ptr().cast::<f32>(), tensor.numel()) }
}

/// The gradient of a step for all parameters that are trained as one flat tensor, summed over the
/// losses added. Those no loss depends on have gradient 0.
pub(crate) struct Gradient<'a> {
    parameters: &'a Parameters,
    flat: Option<Tensor>,
}

impl<'a> Gradient<'a> {
    /// Begins without a loss.
    pub fn new(parameters: &'a Parameters) -> Self {
        Self {
            parameters,
            flat: None,
        }
    }

    /// Adds the gradient of `share` times a loss, unless it is not finite; the loss.
    ///
    /// # Errors
    /// If libtorch fails.
    pub fn add_loss(&mut self, loss: &Tensor, share: f64) -> Result<f64> {
        let value = loss.f_double_value(&[])?;
        if value.is_finite() {
            self.add(&(loss * share))?;
        }
        Ok(value)
    }

    /// Adds the gradient of a loss.
    ///
    /// # Errors
    /// If libtorch fails.
    pub fn add(&mut self, loss: &Tensor) -> Result<()> {
        let trained: Vec<&Tensor> = self
            .parameters
            .trained()
            .map(|(_, tensor)| tensor)
            .collect();
        let gradients = Tensor::f_run_backward(&[loss], &trained, false, false)?;
        let parts = gradients
            .into_iter()
            .zip(trained)
            .map(|(gradient, tensor)| {
                if gradient.defined() {
                    return gradient.flatten(0, -1);
                }
                Tensor::zeros([tensor.numel() as i64], (Kind::Float, tensor.device()))
            });
        let parts: Vec<Tensor> = parts.collect();
        let gradient = Tensor::f_cat(&parts, 0)?;
        match &mut self.flat {
            Some(flat) => _ = flat.f_add_(&gradient)?,
            None => self.flat = Some(gradient),
        }
        Ok(())
    }

    /// Returns the sum, its norm, and the factor that brings this down to `max_norm`.
    ///
    /// # Errors
    /// If libtorch fails.
    pub fn clipped(self, max_norm: f64) -> Result<Clipped> {
        let gradient = match self.flat {
            Some(flat) => flat,
            None => self.parameters.flat().f_zeros_like()?,
        };
        let norm = gradient.norm().f_double_value(&[])?;
        let scale = match norm > max_norm {
            true => max_norm / (norm + 1e-6),
            false => 1.0,
        };
        Ok(Clipped {
            gradient,
            norm,
            scale,
        })
    }
}

/// A gradient with the factor that clips it.
pub(crate) struct Clipped {
    pub gradient: Tensor,
    /// Before clipping.
    pub norm: f64,
    pub scale: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns parameters and moments after two steps.
    fn after_two_steps(step: impl Fn(Update, &State<'_>, &Tensor)) -> [Tensor; 3] {
        let length = 40_000;
        let values = |n: i64| {
            let places = Tensor::arange(length, (Kind::Float, Device::Cpu));
            (places * (0.37 + n as f64)).sin()
        };
        let tensors = [values(0), values(1) * 0.1, values(2).square()];
        let decayed = values(3).gt(0.0).to_kind(Kind::Float);
        for n in 0..2 {
            let update = Update {
                scale: 0.3,
                rate: 1e-2 / (1.0 + f64::from(n)),
                decay: 1e-3,
                root_correction: 0.2,
            };
            let state = State {
                parameters: &tensors[0],
                first_moment: &tensors[1],
                second_moment: &tensors[2],
                decayed: Some(&decayed),
            };
            step(update, &state, &values(4 + i64::from(n)));
        }
        tensors
    }

    #[test]
    fn one_pass_does_what_libtorchs_operations_do() {
        let ours = after_two_steps(Update::on_cpu);
        let theirs = after_two_steps(Update::by_libtorch);
        for (ours, theirs) in ours.iter().zip(&theirs) {
            let difference = (ours - theirs).abs().max().double_value(&[]);
            assert!(difference < 1e-6, "{difference}");
        }
    }
}
