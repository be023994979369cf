"""Generates a corpus of short passages of words that are as rare as Zipf has it, and 1,000 pairs."""

import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

PART = 250_000
WORDS = np.array([f"w{number:x}" for number in range(200_000)])

passages, folder = int(sys.argv[1]), Path(sys.argv[2])
folder.mkdir()
random = np.random.default_rng(42)


def texts(number: int) -> list[str]:
    lengths = random.integers(6, 19, number)
    words = WORDS[(random.zipf(1.1, lengths.sum()) - 1) % len(WORDS)]
    return [" ".join(part) for part in np.split(words, np.cumsum(lengths)[:-1])]


schema = pa.schema([("id", pa.string()), ("title", pa.string()), ("text", pa.string())])
with pq.ParquetWriter(folder / "corpus.parquet", schema, compression="zstd") as writer:
    for start in range(0, passages, PART):
        rows = min(PART, passages - start)
        ids = [f"p{number}" for number in range(start, start + rows)]
        columns = {"id": ids, "title": [""] * rows, "text": texts(rows)}
        writer.write_table(pa.table(columns, schema=schema), row_group_size=32_768)
ids = [f"q{number}" for number in range(1_000)]
pairs = {"anchor_id": ids, "anchor": texts(1_000), "positive_id": [f"x{id}" for id in ids], "positive": texts(1_000)}
pq.write_table(pa.table(pairs), folder / "pairs.parquet")
