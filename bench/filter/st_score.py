"""Scores pairs of texts with sentence-transformers; prints what it took and writes the scores."""

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
pairs = pq.read_table(pairs_file)
model = CrossEncoder(model_folder, max_length=int(max_length), device="cpu")
texts = list(zip(pairs["query"].to_pylist(), pairs["text"].to_pylist()))
model.predict(texts[:32], batch_size=32)
start = time.perf_counter()
scores = model.predict(texts, batch_size=32)
seconds = time.perf_counter() - start
pq.write_table(pa.table({"score": scores.tolist()}), output)
print(json.dumps({"seconds": seconds, "pairs_per_second": len(texts) / seconds,
                  "version": sentence_transformers.__version__, "torch": torch.__version__}))
