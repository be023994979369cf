"""Makes pairs and corpora of a table of questions with answers: all of it, and the first 4,000 rows."""

import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

qa, folder = pq.read_table(sys.argv[1]), Path(sys.argv[2])
for name, rows in ("all", qa), ("4000", qa.slice(0, 4_000)):
    ids = rows["id"].to_pylist()
    positives = [f"a-{id}" for id in ids]
    pq.write_table(pa.table({"anchor_id": ids, "anchor": rows["question"], "positive_id": positives,
                             "positive": rows["answer"]}), folder / f"pairs_{name}.parquet")
    pq.write_table(pa.table({"id": positives, "title": [""] * len(ids), "text": rows["answer"]}),
                   folder / f"corpus_{name}.parquet")
