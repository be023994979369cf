#!/usr/bin/env python3
"""Few clean rows against many of which some are wrong, and against what `check --fix` makes of those.

    make build
    target/release/pairmill-train export --model .deps/models/all-MiniLM-L6-v2 --output runs/onnx
    python3 bench/hygiene/quality.py --data DIR --onnx runs/onnx

Of each set: 2,000 training rows as they are; all of them, of which 30 % have another category,
drawn evenly; and those after `check --fix label_noise` and after `check --fix relabel`. An encoder is
trained on pairs of each (`generate tickets`, one epoch), and tells the categories of the test rows
from the rows that it was trained on.
"""

import argparse
import random
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from pairmill import DATA, MODEL, kept, pairmill, save

SETS = {"banking77": ("tickets_train", "tickets_test"), "stackoverflow20": ("tickets", None)}
FEW, MANY, WRONG = 2_000, 10_000, 0.3


def write(file: Path, rows: list[dict]) -> None:
    pq.write_table(pa.table({name: [row[name] for row in rows] for name in ("id", "text", "category")}), file)


def tables(name: str, seed: int, args: argparse.Namespace, work: Path) -> dict[str, Path]:
    """The tables to train on, and that of the test rows."""
    draw = random.Random(seed)
    train, test = SETS[name]
    rows = pq.read_table(args.data / name / f"{train}.parquet", columns=["id", "text", "category"]).to_pylist()
    draw.shuffle(rows)
    if test:
        test = pq.read_table(args.data / name / f"{test}.parquet", columns=["id", "text", "category"]).to_pylist()
    else:
        rows, test = rows[:MANY], rows[MANY:MANY + 3_000]
    categories = sorted({row["category"] for row in rows})
    rows = rows[:MANY]
    wrong = set(draw.sample(range(len(rows)), round(WRONG * len(rows))))
    noisy = [
        row | {"category": draw.choice([one for one in categories if one != row["category"]])} if at in wrong else row
        for at, row in enumerate(rows)
    ]
    made = {"few": rows[:FEW], "noisy": noisy, "all": rows, "test": test}
    files = {one: work / f"{one}.parquet" for one in made}
    for one, of in made.items():
        write(files[one], of)
    for fix in ("label_noise", "relabel"):
        folder = work / f"check-{fix}"
        kept(work / f"check-{fix}.json", lambda: pairmill(
            "generate", "check", "--input", files["noisy"], "--model", args.onnx, "--cache", args.work / "cache",
            "--only", "label_noise", "--fix", fix, "--output", folder, "--force"))
        files[fix] = folder / "mended.parquet"
    return files


def trained(table: Path, test: Path, name: str, work: Path, args: argparse.Namespace) -> dict:
    """Accuracies on the test rows of an encoder that was trained on pairs of the table."""
    data, model = work / f"{name}-data", work / f"{name}-model"
    pairmill("generate", "tickets", "--input", table, "--output", data, "--split", "0.9,0.05,0.05", "--max-pairs", args.pairs,
             "--force")
    run = pairmill("train", "encoder", "--model", args.model, "--train", data / "pairs_train.parquet",
                   "--groups", data / "corpus.parquet", "--eval", data, "--epochs", 1, "--output", model, "--force")
    figures = pairmill("evaluate", "classification", "--model", model, "--train", table, "--test", test, "--resamples", 0)
    return {"rows": pq.read_metadata(table).num_rows, "pairs": run["rows"], "seconds": run["seconds"],
            "metrics": figures["model"]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the data sets")
    parser.add_argument("--model", default=MODEL)
    parser.add_argument("--onnx", type=Path, required=True, help="the model with an ONNX file")
    parser.add_argument("--sets", nargs="*", default=["banking77"], choices=list(SETS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--pairs", type=int, default=3_000, help="pairs to train on, at most")
    parser.add_argument("--work", type=Path, default=Path("runs/quality"), help="folder for what is kept")
    args = parser.parse_args()
    args.data = Path(args.data)
    trials = []
    for name in args.sets:
        for seed in range(1, args.seeds + 1):
            work = args.work / f"{name}-{seed}"
            work.mkdir(parents=True, exist_ok=True)
            files = tables(name, seed, args, work)
            for one in ("few", "noisy", "label_noise", "relabel", "all"):
                made = kept(work / f"{one}.json", lambda: trained(files[one], files["test"], one, work, args))
                trials.append({"set": name, "seed": seed, "trained_on": one} | made)
                print(trials[-1], flush=True)
    save(HERE, "quality", {"few": FEW, "wrong": WRONG, "pairs": args.pairs, "trials": trials})


if __name__ == "__main__":
    main()
