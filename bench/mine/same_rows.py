"""Prints the share of the first table's triplets that the second has too."""

import sys

import pyarrow.parquet as pq

COLUMNS = ["anchor", "positive", "negative"]

theirs, ours = (
    {tuple(row.values()) for row in pq.read_table(file, columns=COLUMNS).select(COLUMNS).to_pylist()} for file in sys.argv[1:]
)
print(len(theirs & ours) / len(theirs))
