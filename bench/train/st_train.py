"""Trains with sentence-transformers as a user would and prints the seconds of the training loop."""

import json
import os
import sys
import tempfile
import time

import pyarrow.parquet as pq
import torch
from datasets import Dataset
from sentence_transformers import SentenceTransformer, SentenceTransformerTrainer, SentenceTransformerTrainingArguments
from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss
from sentence_transformers.sentence_transformer.training_args import BatchSamplers


def main() -> None:
    model_folder, pairs, length, steps = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    torch.set_num_threads(os.cpu_count())
    table = pq.read_table(pairs)
    model = SentenceTransformer(model_folder, device="cpu")
    model.max_seq_length = length
    with tempfile.TemporaryDirectory() as folder:
        arguments = SentenceTransformerTrainingArguments(
            output_dir=folder, max_steps=steps, per_device_train_batch_size=32, learning_rate=2e-5,
            warmup_steps=0.1, batch_sampler=BatchSamplers.NO_DUPLICATES, save_strategy="no", report_to="none",
            logging_strategy="no", disable_tqdm=True, use_cpu=True, seed=42)
        trainer = SentenceTransformerTrainer(
            model=model, args=arguments, train_dataset=Dataset.from_dict(table.to_pydict()),
            loss=MultipleNegativesRankingLoss(model))
        started = time.perf_counter()
        result = trainer.train()
        seconds = time.perf_counter() - started
    print(json.dumps({"seconds": seconds, "loss": result.training_loss}))


main()
