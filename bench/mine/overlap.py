"""Prints the mean share of the first run's passages that the second has too."""

import sys
from collections import defaultdict

import pyarrow.parquet as pq

runs = []
for file in sys.argv[1:]:
    found = defaultdict(set)
    table = pq.read_table(file, columns=["query_id", "corpus_id"])
    for query, passage in zip(table["query_id"].to_pylist(), table["corpus_id"].to_pylist()):
        found[query].add(passage)
    runs.append(found)
theirs, ours = runs
print(sum(len(theirs[query] & ours[query]) / len(theirs[query]) for query in theirs) / len(theirs))
