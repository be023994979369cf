use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde::Serialize;
use tch::Device;

/// Options of every training command. Names and defaults follow sentence-transformers' trainer.
#[derive(Debug, Clone, Args, Serialize)]
#[command(next_help_heading = "Training options")]
pub struct Hyperparameters {
    /// Passes over the training rows
    #[arg(long, visible_alias = "epochs", default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub num_train_epochs: u32,
    /// Rows in a batch
    #[arg(long, default_value_t = 32, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub batch_size: u32,
    /// Highest learning rate, reached after the warm-up
    #[arg(long, default_value_t = 2e-5, value_name = "RATE", value_parser = positive)]
    pub learning_rate: f64,
    /// Share of the steps over which the rate rises from 0; then it falls linearly to 0
    #[arg(long, default_value_t = 0.1, value_name = "SHARE", value_parser = share)]
    pub warmup_ratio: f64,
    /// Decoupled weight decay; not applied to biases and layer norms
    #[arg(long, default_value_t = 0.0, value_name = "RATE", value_parser = share)]
    pub weight_decay: f64,
    /// Gradients are scaled down to this norm
    #[arg(long, default_value_t = 1.0, value_name = "NORM", value_parser = positive)]
    pub max_grad_norm: f64,
    /// Evaluate on dev every N steps instead of after each epoch
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub eval_steps: Option<u32>,
    /// Stop after this many evaluations without a better score
    #[arg(long, visible_alias = "early-stopping-patience", default_value_t = 3, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub patience: u32,
    /// Where to compute
    #[arg(long, value_enum, default_value_t = DeviceKind::Cpu)]
    pub device: DeviceKind,
}

/// Where to compute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DeviceKind {
    /// All cores.
    Cpu,
    /// The first NVIDIA GPU.
    Cuda,
}

impl DeviceKind {
    /// The libtorch device.
    ///
    /// # Errors
    /// If this libtorch or machine has no CUDA.
    pub fn resolve(self) -> anyhow::Result<Device> {
        match self {
            Self::Cpu => Ok(Device::Cpu),
            Self::Cuda if tch::Cuda::is_available() => Ok(Device::Cuda(0)),
            Self::Cuda => anyhow::bail!(
                "--device cuda: this libtorch sees no CUDA device; build with `make build DEVICE=cuda` on a machine with a GPU, or use --device cpu"
            ),
        }
    }
}

/// Where the model comes from and goes to.
#[derive(Debug, Clone, Args)]
pub struct ModelPaths {
    /// Folder of the model to start from
    #[arg(long, value_name = "DIR")]
    pub model: PathBuf,
    /// Folder to write the trained model to
    #[arg(long, value_name = "DIR")]
    pub output: PathBuf,
}

fn positive(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if value > 0.0 && value.is_finite() => Ok(value),
        _ => Err("expected a number above 0".to_owned()),
    }
}

fn share(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if (0.0..=1.0).contains(&value) => Ok(value),
        _ => Err("expected a number from 0 to 1".to_owned()),
    }
}
