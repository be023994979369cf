//! Low-rank adapters (Hu et al. 2021) on the attention's linear layers: a layer with the weight `W`
//! computes `x Wᵀ + s · (x Aᵀ) Bᵀ`, where `A` and `B` are trained and `W` is not.

use tch::{Kind, Tensor};

use crate::adapter::{DOWN, UP, is_adapter};
use crate::torch::seeded;
use crate::{Parameters, Result};

/// Which adapters to add. Names and initial values are those of the PEFT library.
#[derive(Debug, Clone, Copy)]
pub struct Lora {
    /// Width between the two matrices.
    pub rank: i64,
    /// The adapters' output is multiplied by `alpha / rank`.
    pub alpha: f64,
    /// Seed of the initial values.
    pub seed: u64,
}

impl Parameters {
    /// Adds an adapter to each linear layer of the attention and freezes all tensors but these and
    /// those that `is_trained` names. Adapters change nothing before they are trained.
    ///
    /// # Errors
    /// If libtorch cannot allocate the memory.
    pub fn with_lora(self, lora: Lora, is_trained: &dyn Fn(&str) -> bool) -> Result<Self> {
        let options = (Kind::Float, self.flat().device());
        let mut fresh = Vec::new();
        seeded(lora.seed, || {
            for (name, weight) in self.iter() {
                let is_attention = name.contains(".attention.") || name.contains(".attn.");
                let (Some(layer), &[outputs, inputs]) =
                    (name.strip_suffix(".weight"), weight.size().as_slice())
                else {
                    continue;
                };
                if is_attention {
                    let bound = 1.0 / (inputs as f64).sqrt();
                    let down = Tensor::zeros([lora.rank, inputs], options).uniform_(-bound, bound);
                    fresh.push((format!("{layer}{DOWN}"), down));
                    let up = Tensor::zeros([outputs, lora.rank], options);
                    fresh.push((format!("{layer}{UP}"), up));
                }
            }
        });
        let mut adapted = self
            .with(fresh)?
            .frozen(&|name| !is_adapter(name) && !is_trained(name))?;
        adapted.set_lora_scale(lora.alpha / lora.rank as f64);
        Ok(adapted)
    }
}
