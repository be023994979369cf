"""Scores pairs of texts with sentence-transformers; prints what it took and writes the scores. Prints too what the pairs
need and what the machine gives: operations of a pass that computes no padding and in the last layer only the first token,
and operations a second of products of matrices of that size alone."""

import json
import sys
import time

import pyarrow as pa
import pyarrow.parquet as pq
import sentence_transformers
import torch
from sentence_transformers import CrossEncoder

model_folder, pairs_file, max_length, threads, output = sys.argv[1:]
torch.set_num_threads(int(threads))


def needed(tokens: int, config) -> float:
    """Float32 operations of a pair."""
    size, wide = config.hidden_size, config.intermediate_size
    whole = 2 * tokens * (4 * size * size + 2 * size * wide) + 4 * tokens * tokens * size
    last = 2 * tokens * 2 * size * size + 2 * (2 * size * size + 2 * size * wide) + 4 * tokens * size
    return (config.num_hidden_layers - 1) * whole + last


def given(config) -> float:
    """Operations a second of a feed-forward layer's first product for 1,024 tokens, the best of ten times."""
    tokens, weight = torch.rand(1024, config.hidden_size), torch.rand(config.intermediate_size, config.hidden_size)
    seconds = []
    for _ in range(10):
        start = time.perf_counter()
        for _ in range(20):
            torch.nn.functional.linear(tokens, weight)
        seconds.append((time.perf_counter() - start) / 20)
    return 2 * 1024 * weight.numel() / min(seconds)


pairs = pq.read_table(pairs_file)
model = CrossEncoder(model_folder, max_length=int(max_length), device="cpu")
texts = list(zip(pairs["query"].to_pylist(), pairs["text"].to_pylist()))
model.predict(texts[:32], batch_size=32)
start = time.perf_counter()
scores = model.predict(texts, batch_size=32, activation_fn=torch.nn.Identity())
seconds = time.perf_counter() - start
pq.write_table(pa.table({"score": scores.tolist()}), output)
lengths = [len(ids) for ids in model.tokenizer(*map(list, zip(*texts)), truncation="longest_first", max_length=int(max_length))["input_ids"]]
config = model.config
print(json.dumps({"tokens": sum(lengths) / len(lengths), "whole_length": sum(length == int(max_length) for length in lengths) / len(lengths),
                  "gigaflop_a_pair": sum(needed(length, config) for length in lengths) / len(lengths) / 1e9, "machine_gigaflops": given(config) / 1e9,
                  "seconds": seconds, "pairs_per_second": len(texts) / seconds,
                  "version": sentence_transformers.__version__, "torch": torch.__version__}))
