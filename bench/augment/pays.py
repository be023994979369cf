#!/usr/bin/env python3
"""Whether other wordings of few training rows make a better model, method by method.

    make build
    target/release/pairmill-train export --model .deps/models/all-MiniLM-L6-v2 --output runs/onnx
    python3 bench/augment/pays.py --data DIR --onnx runs/onnx --wordnet FOLDER [--translate FOLDER,FOLDER]

Tickets of banking77 and clinc150, 5, 10 and 25 of each category, and 200 and 500 pairs of medquad.
Each method makes two wordings of each text, judged by the model. With and without, an encoder is
trained for the same number of steps, those of four epochs without. Tickets: the accuracy of the k
nearest labelled tickets and of the nearest centroid on the test rows. Pairs: nDCG@10 of the test
questions. `as it is` is the model without training.
"""

import argparse
import math
import random
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from pairmill import DATA, MODEL, kept, pairmill, save

SIZES = {"banking77": (5, 10, 25), "clinc150": (5, 10, 25), "medquad": (200, 500)}
BATCH, EPOCHS = 32, 4


def augmented(source: Path, method: str, kind: str, args: argparse.Namespace, work: Path) -> Path:
    """The table with its wordings."""
    output = work / f"{method}.parquet"
    options = {"synonyms": ["--wordnet", args.wordnet], "back-translation": ["--translate", args.translate]}
    per_row = 1 if method == "back-translation" else 2
    kept(work / f"{method}.json", lambda: pairmill(
        "generate", "augment", "--kind", kind, "--input", source, "--method", method, *options.get(method, []),
        "--per-row", per_row, "--model", args.onnx, "--output", output, "--force"))
    return output


def tickets(name: str, size: int, method: str, seed: int, args: argparse.Namespace, work: Path) -> dict:
    columns = ["id", "text", "category"]
    rows = pq.read_table(args.data / name / "tickets_train.parquet", columns=columns).to_pylist()
    random.Random(seed).shuffle(rows)
    count: dict[str, int] = {}
    few = []
    for row in rows:
        count[row["category"]] = count.get(row["category"], 0) + 1
        if count[row["category"]] <= size:
            few.append(row)
    plain = work / "plain.parquet"
    pq.write_table(pa.table({column: [row[column] for row in few] for column in columns}), plain)
    table = plain if method in ("plain", "as it is") else augmented(plain, method, "tickets", args, work)
    model = args.model
    if method != "as it is":
        data, model = work / f"{method}-data", work / f"{method}-model"
        pairmill("generate", "tickets", "--input", table, "--output", data, "--split", "0.96,0.02,0.02", "--max-pairs", args.pairs, "--force")
        pairmill("train", "encoder", "--model", args.model, "--train", data / "pairs_train.parquet", "--groups",
                 data / "corpus.parquet", "--max-steps", EPOCHS * math.ceil(len(few) / BATCH), "--batch-size", BATCH,
                 "--seed", seed, "--output", model, "--force")
    found = pairmill("evaluate", "classification", "--model", model, "--train", table, "--test",
                     args.data / name / "tickets_test.parquet", "--resamples", 0)
    return {"rows": pq.read_metadata(table).num_rows, "metrics": found["model"]}


def pairs(name: str, size: int, method: str, seed: int, args: argparse.Namespace, work: Path) -> dict:
    data = args.work / f"{name}-data"
    kept(args.work / f"{name}-data.json", lambda: pairmill(
        "generate", "qa", "--input", args.data / name / "qa.parquet", "--output", data, "--limit", 3_000, "--force"))
    rows = pq.read_table(data / "pairs_train.parquet").replace_schema_metadata()
    chosen = sorted(random.Random(seed).sample(range(len(rows)), size))
    plain = work / "plain.parquet"
    pq.write_table(rows.take(chosen), plain)
    table = plain if method in ("plain", "as it is") else augmented(plain, method, "pairs", args, work)
    model = args.model
    if method != "as it is":
        model = work / f"{method}-model"
        pairmill("train", "encoder", "--model", args.model, "--train", table, "--max-steps", EPOCHS * math.ceil(size / BATCH),
                 "--batch-size", BATCH, "--max-length", 128, "--seed", seed, "--output", model, "--force")
    found = pairmill("evaluate", "retrieval", "--model", model, "--corpus", data / "corpus.parquet", "--queries",
                     data / "queries_test.parquet", "--qrels", data / "qrels_test.parquet", "--max-length", 128, "--resamples", 0)
    return {"rows": pq.read_metadata(table).num_rows, "metrics": found["model"]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the data sets")
    parser.add_argument("--model", default=MODEL)
    parser.add_argument("--onnx", type=Path, required=True, help="the model with an ONNX file")
    parser.add_argument("--wordnet", type=Path, required=True)
    parser.add_argument("--translate", help="two folders of Marian models, parted by a comma")
    parser.add_argument("--sets", nargs="*", default=list(SIZES), choices=list(SIZES))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--pairs", type=int, default=10_000, help="pairs of tickets to draw from, at most")
    parser.add_argument("--work", type=Path, default=Path("runs/augment"), help="folder for what is kept")
    args = parser.parse_args()
    args.data = Path(args.data)
    methods = ["as it is", "plain", "synonyms", "noise"] + (["back-translation"] if args.translate else [])
    trials = []
    for name in args.sets:
        for size in SIZES[name]:
            for seed in range(1, args.seeds + 1):
                for method in methods:
                    work = args.work / f"{name}-{size}-{seed}"
                    work.mkdir(parents=True, exist_ok=True)
                    run = pairs if name == "medquad" else tickets
                    made = kept(work / f"of {method}.json", lambda: run(name, size, method, seed, args, work))
                    trials.append({"set": name, "size": size, "seed": seed, "method": method} | made)
                    print(trials[-1], flush=True)
    save(HERE, "pays", {"epochs": EPOCHS, "trials": trials})


if __name__ == "__main__":
    main()
