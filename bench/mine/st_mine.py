"""Mines with sentence-transformers' mine_hard_negatives; prints the seconds it took."""

import json
import sys
import time

import torch
from datasets import Dataset
from sentence_transformers import SentenceTransformer
from sentence_transformers.util import mine_hard_negatives

model, pairs, threads, *output = sys.argv[1:]
torch.set_num_threads(int(threads))
dataset = Dataset.from_parquet(pairs).select_columns(["anchor", "positive"])
encoder = SentenceTransformer(model, device="cpu")
start = time.perf_counter()
mined = mine_hard_negatives(dataset, encoder, num_negatives=3, range_max=50, verbose=False)
seconds = time.perf_counter() - start
for file in output:
    mined.to_parquet(file)
print(json.dumps({"seconds": seconds, "rows": len(mined)}))
