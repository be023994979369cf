"""Times two builds on the same tables, in turn: whole stages that read Parquet, CSV and JSON Lines.

    python reading.py OLD NEW [--rounds 5]

OLD and NEW are folders with `pairmill-generate` and `pairmill-mine`; `PAIRMILL_DATA` names the data sets.
Needs pyarrow. Prints seconds and the ratio of the two (new by old: below 1 is faster), and writes them all to
results/.
"""

import argparse
import datetime
import json
import os
import pathlib
import statistics
import subprocess
import tempfile
import time

import pyarrow.csv
import pyarrow.parquet


def run(line):
    """Seconds of one run."""
    start = time.perf_counter()
    ended = subprocess.run(line, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    seconds = time.perf_counter() - start
    if ended.returncode != 0:
        raise SystemExit(f"{line}\n{ended.stderr.decode()}")
    return seconds


def tables(data, folder):
    """medquad, repeated until it is some hundred megabytes of text, in three formats."""
    table = pyarrow.parquet.read_table(data / "medquad/qa.parquet")
    rows = table.to_pylist()
    big = [
        {**row, "id": f"{row['id']}-{n}", "question": f"{row['question']} ({n})"}
        for n in range(4)
        for row in rows
    ]
    table = pyarrow.Table.from_pylist(big)
    pyarrow.parquet.write_table(table, folder / "qa.parquet")
    pyarrow.csv.write_csv(table, folder / "qa.csv")
    with open(folder / "qa.jsonl", "w") as lines:
        for row in big:
            lines.write(json.dumps(row) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("old", type=pathlib.Path)
    parser.add_argument("new", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    data = pathlib.Path(os.environ["PAIRMILL_DATA"])
    results = {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        tables(data, folder)
        run([args.old / "pairmill-generate", "qa", "--input", data / "medquad/qa.parquet", "--output", folder / "medquad"])
        generate = lambda ending: ["generate", "qa", "--input", folder / f"qa.{ending}"]
        mine = lambda corpus, *more: ["mine", *more, "--corpus", corpus]
        pairs = ["--pairs", folder / "medquad/pairs_train.parquet"]
        queries = ["search", "--queries", data / "msdocs_raw/queries_silver.parquet"]
        tasks = {
            "generate qa, Parquet": (generate("parquet"), "out"),
            "generate qa, CSV": (generate("csv"), "out"),
            "generate qa, JSON Lines": (generate("jsonl"), "out"),
            "mine medquad": (mine(folder / "medquad/corpus.parquet", *pairs), "out.parquet"),
            "search msdocs_raw": (mine(data / "msdocs_raw/corpus.parquet", *queries), "run.parquet"),
        }
        for name, ((program, *line), output) in tasks.items():
            measured = {"old": [], "new": []}
            for turn in range(args.rounds):
                for build, bin in [("old", args.old), ("new", args.new)]:
                    target = folder / f"{build}-{turn}-{output}"
                    command = [bin / f"pairmill-{program}", *line, "--output", target]
                    measured[build].append(run([str(part) for part in command]))
            ratios = [new / old for new, old in zip(measured["new"], measured["old"])]
            results[name] = {"seconds": measured, "ratios": ratios}
            old, new = (statistics.median(measured[build]) for build in ("old", "new"))
            print(
                f"{name:26} {old:7.2f} s {new:7.2f} s  ratio {statistics.median(ratios):.2f} "
                f"({min(ratios):.2f} to {max(ratios):.2f})",
                flush=True,
            )
    folder = pathlib.Path(__file__).parent / "results"
    folder.mkdir(exist_ok=True)
    name = datetime.datetime.now().strftime("%Y-%m-%d-%H%M%S.json")
    (folder / name).write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
