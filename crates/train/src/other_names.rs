//! Options of the trainers of transformers, sentence-transformers and FlagEmbedding that have no
//! like here; the others go by both names.

use pairmill_cli::OtherName;

pub(crate) const OTHER_NAMES: [OtherName; 29] = [
    OtherName::new(
        "warmup-steps",
        "warmup-ratio",
        "use --warmup-ratio SHARE, the share of all steps: N of S steps are N / S",
    ),
    OtherName::new(
        "fp16",
        "bf16",
        "use --bf16, mixed precision in bfloat16, with --device cuda",
    ),
    OtherName::new(
        "use-amp",
        "bf16",
        "use --bf16, mixed precision in bfloat16, with --device cuda",
    ),
    OtherName::new(
        "no-cuda",
        "device",
        "use --device cpu, which is the default",
    ),
    OtherName::new(
        "use-cpu",
        "device",
        "use --device cpu, which is the default",
    ),
    OtherName::new("use-cuda", "device", "use --device cuda"),
    OtherName::new("gpu", "device", "use --device cuda"),
    OtherName::new(
        "eval-strategy",
        "eval-steps",
        "give --eval DIR, and the model is evaluated after each epoch, or every N steps with --eval-steps N",
    ),
    OtherName::new(
        "evaluation-strategy",
        "eval-steps",
        "give --eval DIR, and the model is evaluated after each epoch, or every N steps with --eval-steps N",
    ),
    OtherName::new(
        "validation-file",
        "eval",
        "use --eval DIR, a folder of `pairmill-generate`",
    ),
    OtherName::new(
        "eval-data",
        "eval",
        "use --eval DIR, a folder of `pairmill-generate`",
    ),
    OtherName::new(
        "per-device-eval-batch-size",
        "batch-size",
        "leave it out: evaluation bounds its batches itself",
    ),
    OtherName::new(
        "load-best-model-at-end",
        "batch-size",
        "leave it out: with --eval DIR the weights that scored best on dev are delivered",
    ),
    OtherName::new(
        "metric-for-best-model",
        "batch-size",
        "leave it out: the metric on dev of --eval DIR decides",
    ),
    OtherName::new("save-strategy", "save-steps", "use --save-steps N"),
    OtherName::new(
        "resume-from-checkpoint",
        "resume",
        "use --resume, which goes on from the newest checkpoint beside the output",
    ),
    OtherName::new(
        "overwrite-output-dir",
        "batch-size",
        "use --force, which does the work again even if the output is up to date",
    ),
    OtherName::new(
        "logging-steps",
        "batch-size",
        "leave it out: training_log.jsonl in the output has every step",
    ),
    OtherName::new(
        "report-to",
        "batch-size",
        "leave it out: training_log.jsonl in the output has every step",
    ),
    OtherName::new(
        "optim",
        "learning-rate",
        "leave it out: the optimiser is AdamW",
    ),
    OtherName::new(
        "adam-beta1",
        "learning-rate",
        "leave it out: AdamW has the betas 0.9 and 0.999",
    ),
    OtherName::new(
        "adam-beta2",
        "learning-rate",
        "leave it out: AdamW has the betas 0.9 and 0.999",
    ),
    OtherName::new(
        "adam-epsilon",
        "learning-rate",
        "leave it out: AdamW has the epsilon 1e-8",
    ),
    OtherName::new(
        "scheduler",
        "lr-scheduler-type",
        "use --lr-scheduler-type linear, cosine or constant; all rise first, by --warmup-ratio",
    ),
    OtherName::new(
        "steps-per-epoch",
        "max-steps",
        "use --max-steps N, the steps of the whole training",
    ),
    OtherName::new(
        "gradient-checkpointing",
        "mini-batch-size",
        "use --mini-batch-size N, which bounds the memory of a batch",
    ),
    OtherName::new(
        "train-group-size",
        "loss",
        "leave it out: hard negatives are those of the table; `pairmill-mine --num-negatives N --format n-tuple` writes N to a row",
    ),
    OtherName::new(
        "dataloader-num-workers",
        "batch-size",
        "use --threads N, which bounds all threads",
    ),
    OtherName::new(
        "push-to-hub",
        "output",
        "leave it out: sentence-transformers loads the output folder and can upload it",
    ),
];
