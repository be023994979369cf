use clap::{Args, ValueEnum};
use pairmill_cli::numbers::{positive, share};
use serde::Serialize;
use tch::Device;

use crate::error::Result;
use crate::schedule::ScheduleKind;

/// Options of every training command. Names and defaults follow sentence-transformers' trainer.
#[derive(Debug, Clone, Args, Serialize)]
#[command(next_help_heading = "Training options")]
pub struct Hyperparameters {
    /// Passes over the training rows
    #[arg(long, visible_alias = "epochs", alias = "num-epochs", default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub num_train_epochs: u32,
    /// Steps to train for, whatever the number of epochs
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub max_steps: Option<u32>,
    /// Rows in a batch
    #[arg(long, aliases = ["per-device-train-batch-size", "train-batch-size"], default_value_t = 32, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub batch_size: u32,
    /// Highest learning rate, reached after the warm-up
    #[arg(long, alias = "lr", default_value_t = 2e-5, value_name = "RATE", value_parser = positive::<f64>)]
    pub learning_rate: f64,
    /// Share of the steps over which the rate rises from 0; less than one step is none
    #[arg(long, default_value_t = 0.1, value_name = "SHARE", value_parser = share::<f64>)]
    pub warmup_ratio: f64,
    /// How the rate goes on after that
    #[arg(long, value_enum, default_value_t = ScheduleKind::Linear)]
    pub lr_scheduler_type: ScheduleKind,
    /// Batches whose gradients make one step
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub gradient_accumulation_steps: u32,
    /// Decoupled weight decay; not applied to biases and layer norms
    #[arg(long, default_value_t = 0.0, value_name = "RATE", value_parser = share::<f64>)]
    pub weight_decay: f64,
    /// Gradients are scaled down to this norm
    #[arg(long, default_value_t = 1.0, value_name = "NORM", value_parser = positive::<f64>)]
    pub max_grad_norm: f64,
    /// Evaluate on dev every N steps instead of after each epoch
    #[arg(long, alias = "evaluation-steps", value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub eval_steps: Option<u32>,
    /// Stop after this many evaluations without a better score
    #[arg(long, visible_alias = "early-stopping-patience", default_value_t = 3, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub patience: u32,
    /// End with exit code 3 if no step scores as high on dev as the start; the start's weights are
    /// delivered either way
    #[arg(long)]
    #[serde(skip)]
    pub fail_below_start: bool,
    /// Keep the embedding tables as they are
    #[arg(long)]
    pub freeze_embeddings: bool,
    /// Keep the first N transformer layers as they are
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub freeze_layers: usize,
    /// Train low-rank adapters of this width on the attention, and nothing else of the encoder;
    /// they are merged into the weights at the end (LoRA). Wants a higher --learning-rate, such as
    /// 5e-4
    #[arg(long, alias = "lora-r", value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub lora_rank: Option<u16>,
    /// Their output is multiplied by this over their width [default: twice the width]
    #[arg(long, value_name = "X", requires = "lora_rank", value_parser = positive::<f64>)]
    pub lora_alpha: Option<f64>,
    /// Compute linear layers and attention in bfloat16, for GPUs (mixed precision); weights, sums
    /// and norms stay in single precision
    #[arg(long)]
    pub bf16: bool,
    /// Where to compute
    #[arg(long, value_enum, default_value_t = DeviceKind::Cpu)]
    pub device: DeviceKind,
    /// Write a checkpoint beside the output every N steps; 0 for none
    #[arg(
        long,
        alias = "checkpoint-save-steps",
        default_value_t = 500,
        value_name = "N"
    )]
    #[serde(skip)]
    pub save_steps: u32,
    /// Checkpoints to keep, the newest
    #[arg(long, alias = "checkpoint-save-total-limit", default_value_t = 2, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    #[serde(skip)]
    pub save_total_limit: u32,
    /// Go on from the newest checkpoint, to the same weights as without the interruption
    #[arg(long)]
    #[serde(skip)]
    pub resume: bool,
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
    /// Returns the libtorch device.
    ///
    /// # Errors
    /// If this libtorch or machine has no CUDA.
    pub fn resolve(self) -> Result<Device> {
        match self {
            Self::Cpu => Ok(Device::Cpu),
            Self::Cuda => Ok(pairmill_modeling::cuda()?),
        }
    }
}
