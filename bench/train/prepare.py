"""Writes the pairs of a data set, and for the quality protocol its test, as Parquet.

medquad-protocol: rows by the hexadecimal sha256 of `id`; the first 3,000 are training pairs, the
next 500 questions the test, the 3,500 answers the corpus.
"""

import hashlib
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq


def main() -> None:
    data, name, folder = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
    folder.mkdir(parents=True, exist_ok=True)
    protocol = name == "medquad-protocol"
    rows = pq.read_table(data / (name.removesuffix("-protocol")) / "qa.parquet").to_pylist()
    rows.sort(key=lambda row: hashlib.sha256(row["id"].encode()).hexdigest())
    train = rows[:3000]
    pairs = {"anchor": [row["question"] for row in train], "positive": [row["answer"] for row in train]}
    pq.write_table(pa.table(pairs), folder / "pairs.parquet")
    if not protocol:
        return
    corpus, test = rows[:3500], rows[3000:3500]
    pq.write_table(pa.table({"id": [row["id"] for row in corpus], "title": [""] * len(corpus),
                             "text": [row["answer"] for row in corpus]}), folder / "corpus.parquet")
    pq.write_table(pa.table({"id": [row["id"] for row in test], "text": [row["question"] for row in test]}),
                   folder / "queries.parquet")
    pq.write_table(pa.table({"query_id": [row["id"] for row in test], "corpus_id": [row["id"] for row in test],
                             "score": pa.array([1] * len(test), pa.int32())}), folder / "qrels.parquet")


main()
