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
                    let is_norm = name.to_lowercase().contains("norm");
                    let exempt = is_norm || name.ends_with("bias") || !tensor.requires_grad();
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

    /// First moment, second moment and number of steps: all there is to know to go on.
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

/// The gradient of a step for all parameters as one flat tensor, summed over the losses added.
/// Frozen parameters, and those no loss depends on, have gradient 0.
pub(crate) struct Gradient<'a> {
    parameters: &'a Parameters,
    flat: Option<Tensor>,
}

impl<'a> Gradient<'a> {
    /// No loss yet.
    pub fn new(parameters: &'a Parameters) -> Self {
        Self {
            parameters,
            flat: None,
        }
    }

    /// Adds the gradient of a loss.
    ///
    /// # Errors
    /// If libtorch fails.
    pub fn add(&mut self, loss: &Tensor) -> Result<()> {
        let all: Vec<&Tensor> = self.parameters.iter().map(|(_, tensor)| tensor).collect();
        let trainable: Vec<&Tensor> = all
            .iter()
            .copied()
            .filter(|tensor| tensor.requires_grad())
            .collect();
        let mut gradients = Tensor::f_run_backward(&[loss], &trainable, false, false)?.into_iter();
        let parts: Vec<Tensor> = all
            .into_iter()
            .map(|input| {
                let gradient = match input.requires_grad() {
                    true => gradients.next().filter(Tensor::defined),
                    false => None,
                };
                match gradient {
                    Some(gradient) => gradient.flatten(0, -1),
                    None => Tensor::zeros([input.numel() as i64], (Kind::Float, input.device())),
                }
            })
            .collect();
        let gradient = Tensor::f_cat(&parts, 0)?;
        match &mut self.flat {
            Some(flat) => _ = flat.f_add_(&gradient)?,
            None => self.flat = Some(gradient),
        }
        Ok(())
    }

    /// The sum, scaled down to `max_norm`, and its norm before that.
    ///
    /// # Errors
    /// If libtorch fails.
    pub fn clipped(self, max_norm: f64) -> Result<(Tensor, f64)> {
        let mut flat = match self.flat {
            Some(flat) => flat,
            None => self.parameters.flat().f_zeros_like()?,
        };
        let norm = flat.norm().f_double_value(&[])?;
        if norm > max_norm {
            let _ = flat.f_mul_scalar_(max_norm / (norm + 1e-6))?;
        }
        Ok((flat, norm))
    }
}
