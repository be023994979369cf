#!/usr/bin/env python3
"""Hard negatives in a pipeline of Polars. The candidates come back as an Arrow IPC stream.

    pip install polars
    python3 examples/polars_negatives.py data/qa.jsonl negatives.parquet

Wants pairmill-mine on the PATH (`make build` puts it into target/release).
"""

import io
import subprocess
import sys
import tempfile
from pathlib import Path

import polars as pl

source, output = sys.argv[1:3]
rows = pl.read_ndjson(source) if source.endswith("l") else pl.read_csv(source)

with tempfile.TemporaryDirectory() as folder:
    pairs = Path(folder, "pairs.arrow")
    rows.select(anchor="question", positive="answer").write_ipc(pairs)
    # Without --corpus, the positives are what is searched.
    command = ["pairmill-mine", "--pairs", pairs, "--top-k", "20", "--output", "-"]
    mined = subprocess.run(command, stdout=subprocess.PIPE, check=True)
candidates = pl.read_ipc_stream(io.BytesIO(mined.stdout))

print(candidates.group_by("reason").len().sort("len", descending=True))
negatives = candidates.filter(pl.col("decision") == "keep", pl.col("rank") <= 10)
negatives.select("query", "positive", negative="text").write_parquet(output)
print(f"{len(negatives)} rows in {output}")
