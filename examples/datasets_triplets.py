#!/usr/bin/env python3
"""A data set of Hugging Face with a hard negative in each row, as sentence-transformers trains on.

    pip install datasets
    python3 examples/datasets_triplets.py data/qa.jsonl triplets/

Wants pairmill-mine on the PATH (`make build` puts it into target/release).
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from datasets import Dataset

source, output = sys.argv[1:3]
rows = Dataset.from_json(source) if source.endswith("l") else Dataset.from_csv(source)
pairs = rows.select_columns(["question", "answer"])
pairs = pairs.rename_columns({"question": "anchor", "answer": "positive"})

with tempfile.TemporaryDirectory() as folder:
    saved, mined = Path(folder, "pairs"), Path(folder, "triplets.parquet")
    pairs.save_to_disk(str(saved))
    command = ["pairmill-mine", "--pairs", saved, "--format", "triplet", "--drop-ids"]
    subprocess.run([*command, "--num-negatives", "1", "--output", mined], check=True)
    triplets = Dataset.from_parquet(str(mined), cache_dir=folder)
    triplets.save_to_disk(output)
print(triplets)
print(triplets[0])
