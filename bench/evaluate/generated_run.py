"""Generates a ranked run over a million documents, and graded judgements of which a part is found."""

import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

DOCUMENTS, DEPTH, JUDGED, PART = 1_000_000, 100, 10, 2_000

queries, folder = int(sys.argv[1]), Path(sys.argv[2])
random = np.random.default_rng(42)
run_schema = pa.schema([("query_id", pa.string()), ("corpus_id", pa.string()), ("rank", pa.int32()), ("score", pa.float32())])
qrels_schema = pa.schema([("query_id", pa.string()), ("corpus_id", pa.string()), ("score", pa.int32())])
# Scores that 32 bits hold exactly and of which no two of a query are equal, so that no library has a tie to break.
scores = (np.arange(DEPTH, 0, -1) / 128).astype(np.float32)
with (
    pq.ParquetWriter(folder / "run.parquet", run_schema, compression="zstd") as run,
    pq.ParquetWriter(folder / "qrels.parquet", qrels_schema, compression="zstd") as qrels,
    open(folder / "run.trec", "w") as run_trec,
    open(folder / "qrels.trec", "w") as qrels_trec,
):
    for start in range(0, queries, PART):
        run_rows, qrels_rows = [], []
        for number in range(start, min(queries, start + PART)):
            # A stride through the documents names none twice.
            first, stride = random.integers(DOCUMENTS), int(random.integers(1, DOCUMENTS // 1_000)) * 2 + 1
            documents = (first + stride * np.arange(DEPTH + JUDGED)) % DOCUMENTS
            random.shuffle(documents)
            places = random.choice(DEPTH + JUDGED, JUDGED, replace=False)
            query = f"query-{number:06}"
            results = [(query, f"doc-{document}", rank, score) for rank, document, score in zip(range(1, DEPTH + 1), documents, scores)]
            run_rows += results
            qrels_rows += [(query, f"doc-{documents[place]}", int(random.integers(0, 4))) for place in places[1:]]
            qrels_rows.append((query, f"doc-{documents[places[0]]}", 1))
        for writer, schema, rows in ((run, run_schema, run_rows), (qrels, qrels_schema, qrels_rows)):
            columns = [pa.array(column, field.type) for column, field in zip(zip(*rows), schema)]
            writer.write_table(pa.table(columns, schema=schema), row_group_size=1 << 20)
        run_trec.writelines(f"{query} Q0 {document} {rank} {score} generated\n" for query, document, rank, score in run_rows)
        qrels_trec.writelines(f"{query} 0 {document} {grade}\n" for query, document, grade in qrels_rows)
