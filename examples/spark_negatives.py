#!/usr/bin/env python3
"""Hard negatives in a pipeline of Spark: a folder of Parquet goes over, a file comes back.

    pip install pyspark        # and Java
    python3 examples/spark_negatives.py data/qa.jsonl negatives

Wants pairmill-mine on the PATH (`make build` puts it into target/release). It runs on the driver,
so the folder must lie where the driver can read it.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

source, output = sys.argv[1:3]
spark = SparkSession.builder.appName("negatives").getOrCreate()
rows = spark.read.json(source) if source.endswith("l") else spark.read.csv(source, header=True)

with tempfile.TemporaryDirectory() as folder:
    pairs, candidates = Path(folder, "pairs"), Path(folder, "candidates.parquet")
    columns = F.col("question").alias("anchor"), F.col("answer").alias("positive")
    rows.select(*columns).write.parquet(str(pairs))
    # Without --corpus, the positives are what is searched.
    command = ["pairmill-mine", "--pairs", pairs, "--top-k", "20", "--output", candidates]
    subprocess.run(command, check=True)
    mined = spark.read.parquet(str(candidates))
    mined.groupBy("reason").count().show()
    kept = mined.where("decision = 'keep' AND rank <= 10")
    kept.select("query", "positive", F.col("text").alias("negative")).write.parquet(output)
print(f"{spark.read.parquet(output).count()} rows in {output}")
