use anyhow::Result;
use pairmill_modeling::Parameters;
use tch::{Kind, Tensor};

const BETA1: f64 = 0.9;
const BETA2: f64 = 0.999;
const EPS: f64 = 1e-8;
/// Values updated at a time: the working set of a chunk stays in the cache.
const CHUNK: i64 = 1 << 18;

/// AdamW (Loshchilov and Hutter 2019) over the model's one flat tensor of parameters.
#[derive(Debug)]
pub(crate) struct AdamW {
    first_moment: Tensor,
    second_moment: Tensor,
    /// 1 where weight decay applies; `None` where there is none.
    decayed: Option<Tensor>,
    weight_decay: f64,
    steps: i32,
}

impl AdamW {
    pub fn new(parameters: &Parameters, weight_decay: f64) -> Self {
        let flat = parameters.flat();
        let decayed = (weight_decay > 0.0).then(|| {
            let parts: Vec<Tensor> = parameters
                .iter()
                .map(|(name, tensor)| {
                    let exempt = name.ends_with(".bias") || name.contains("LayerNorm");
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

    /// Moves the parameters against `gradient`, which is as long as the flat tensor.
    pub fn step(&mut self, parameters: &Parameters, gradient: &Tensor, rate: f64) {
        self.steps += 1;
        let correction1 = 1.0 - BETA1.powi(self.steps);
        let correction2 = (1.0 - BETA2.powi(self.steps)).sqrt();
        let total = gradient.size()[0];
        tch::no_grad(|| {
            for start in (0..total).step_by(CHUNK as usize) {
                let length = CHUNK.min(total - start);
                let part = |tensor: &Tensor| tensor.narrow(0, start, length);
                let g = part(gradient);
                let mut p = part(parameters.flat());
                if let Some(decayed) = &self.decayed {
                    let shrunk = &p * part(decayed) * (rate * self.weight_decay);
                    let _ = p.g_sub_(&shrunk);
                }
                let mut m = part(&self.first_moment);
                let _ = m.lerp_(&g, 1.0 - BETA1);
                let mut v = part(&self.second_moment);
                let _ = v.g_mul_scalar_(BETA2);
                let mut squared = g.square();
                let _ = v.g_add_(&squared.g_mul_scalar_(1.0 - BETA2));
                let mut update = v.sqrt();
                let _ = update.g_div_scalar_(correction2).g_add_scalar_(EPS);
                let _ = update
                    .reciprocal_()
                    .g_mul_(&m)
                    .g_mul_scalar_(rate / correction1);
                let _ = p.g_sub_(&update);
            }
        });
    }
}

/// The gradient of `loss` for all parameters as one flat tensor, scaled down to `max_norm`, with
/// its norm before that. A parameter the loss does not depend on has gradient 0.
pub(crate) fn clipped_gradient(
    loss: &Tensor,
    parameters: &Parameters,
    max_norm: f64,
) -> Result<(Tensor, f64)> {
    let inputs: Vec<&Tensor> = parameters.iter().map(|(_, tensor)| tensor).collect();
    let gradients = Tensor::f_run_backward(&[loss], &inputs, false, false)?;
    let parts: Vec<Tensor> = gradients
        .into_iter()
        .zip(&inputs)
        .map(|(gradient, input)| {
            if gradient.defined() {
                gradient.flatten(0, -1)
            } else {
                Tensor::zeros([input.numel() as i64], (Kind::Float, input.device()))
            }
        })
        .collect();
    let mut flat = Tensor::f_cat(&parts, 0)?;
    let norm = flat.norm().double_value(&[]);
    if norm > max_norm {
        let _ = flat.g_mul_scalar_(max_norm / (norm + 1e-6));
    }
    Ok((flat, norm))
}
