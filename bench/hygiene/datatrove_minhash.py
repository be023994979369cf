"""datatrove's MinHash over a table, as its example has it: signatures, buckets, clusters."""

import json
import shutil
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
from datatrove.executor.local import LocalPipelineExecutor
from datatrove.pipeline.dedup import MinhashDedupCluster, MinhashDedupSignature
from datatrove.pipeline.dedup.minhash import MinhashConfig, MinhashDedupBuckets
from datatrove.pipeline.readers import ParquetReader
from datatrove.utils.hashing import HashConfig


def main() -> None:
    table, folder, workers = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    shutil.rmtree(folder, ignore_errors=True)
    # One file for each worker, which is how its readers share the work.
    parts = folder / "parts"
    parts.mkdir(parents=True)
    whole = pq.read_table(table)
    size = -(-whole.num_rows // workers)
    for number in range(workers):
        pq.write_table(whole.slice(number * size, size), parts / f"{number}.parquet", row_group_size=32_768)
    del whole
    config = MinhashConfig(hash_config=HashConfig(precision=64), num_buckets=14, hashes_per_bucket=8, n_grams=5)
    steps = {
        "signatures": ([
            ParquetReader(str(parts), text_key="text", id_key="id"),
            MinhashDedupSignature(output_folder=str(folder / "signatures"), config=config),
        ], workers),
        "buckets": ([
            MinhashDedupBuckets(input_folder=str(folder / "signatures"), output_folder=str(folder / "buckets"), config=config),
        ], config.num_buckets),
        "clusters": ([
            MinhashDedupCluster(input_folder=str(folder / "buckets"), output_folder=str(folder / "remove"), config=config),
        ], 1),
    }
    figures, start = {}, time.perf_counter()
    for name, (pipeline, tasks) in steps.items():
        begin = time.perf_counter()
        logs = str(folder / "logs" / name)
        LocalPipelineExecutor(pipeline=pipeline, tasks=tasks, workers=min(workers, tasks), logging_dir=logs).run()
        figures[f"{name}_seconds"] = time.perf_counter() - begin
    figures["steps_seconds"] = time.perf_counter() - start
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
