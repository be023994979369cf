#!/usr/bin/env python3
"""Hard negatives in a pipeline of DuckDB: SQL, then pairmill-mine, then SQL again.

    pip install duckdb
    python3 examples/duckdb_negatives.py data/qa.jsonl negatives.parquet

Wants pairmill-mine on the PATH (`make build` puts it into target/release).
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import duckdb

source, output = sys.argv[1:3]
with tempfile.TemporaryDirectory() as folder:
    pairs, candidates = Path(folder, "pairs.parquet"), Path(folder, "candidates.parquet")
    rows = duckdb.read_json(source) if source.endswith("l") else duckdb.read_csv(source)
    # Any query that gives an anchor and a positive in each row.
    rows.project("question AS anchor, answer AS positive").write_parquet(str(pairs))
    # Without --corpus, the positives are what is searched.
    command = ["pairmill-mine", "--pairs", pairs, "--top-k", "20", "--output", candidates]
    subprocess.run(command, check=True)
    mined = duckdb.read_parquet(str(candidates))
    print(mined.aggregate("reason, count(*) AS n").order("n DESC"))
    kept = mined.filter("decision = 'keep' AND rank <= 10")
    kept.project("query, positive, text AS negative").write_parquet(output)
print(f"{len(duckdb.read_parquet(output))} rows in {output}")
