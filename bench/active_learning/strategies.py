#!/usr/bin/env python3
"""Choosing by margin, beside small-text's, at equal labels.

    make build
    target/release/pairmill-train export --model .deps/models/all-MiniLM-L6-v2 --output runs/onnx
    python3 bench/active_learning/strategies.py --data DIR --onnx runs/onnx

`pairmill-generate simulate` plays 500 labels and five rounds of 500 through, by margin and at random.
small-text's `BreakingTies` gets the same embeddings, and logistic regression with the same penalty;
once from 500 random labels, as its examples have it, and once from the 500 that Pairmill begins with.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression
from small_text import BreakingTies, PoolBasedActiveLearner, SklearnClassifierFactory, SklearnDataset

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from pairmill import DATA, kept, pairmill, save

# Table to choose from, and table to measure on: a part of the first where there is none.
SETS = {
    "banking77": ("tickets_train", "tickets_test"),
    "clinc150": ("tickets_train", "tickets_test"),
    "hint3": ("tickets_train", "tickets_test"),
    "stackoverflow20": ("tickets", None),
}
NUMBER, ROUNDS = 500, 5
# As crates/active_learning/src/choice.rs has it.
PENALTY = 10.0


def tables(name: str, args: argparse.Namespace) -> tuple[Path, Path]:
    """The pool and the test rows; the pool has each text once, as `simulate` takes it."""
    pool, test = SETS[name]
    columns = ["id", "text", "category"]
    rows = pq.read_table(args.data / name / f"{pool}.parquet", columns=columns).to_pylist()
    if test:
        tests = pq.read_table(args.data / name / f"{test}.parquet", columns=columns).to_pylist()
    else:
        order = np.random.default_rng(0).permutation(len(rows))
        rows, tests = [rows[at] for at in order[3_000:]], [rows[at] for at in order[:3_000]]
    if len(rows) > args.limit:
        rows = [rows[at] for at in np.sort(np.random.default_rng(1).choice(len(rows), args.limit, replace=False))]
    seen: set[str] = set()
    rows = [row for row in rows if row["text"].strip() and not (row["text"] in seen or seen.add(row["text"]))]
    known = {row["category"] for row in rows}
    files = (args.work / f"{name}-pool.parquet", args.work / f"{name}-test.parquet")
    for file, of in zip(files, (rows, [row for row in tests if row["category"] in known])):
        pq.write_table(pa.table({column: [str(row[column]) for row in of] for column in columns}), file)
    return files


def embedded(file: Path, args: argparse.Namespace) -> np.ndarray:
    output = file.with_suffix(".npy")
    if not output.exists():
        pairmill("evaluate", "embed", "--model", args.onnx, "--backend", "onnx", "--normalize", "--input", file, "--output", output)
    return np.load(output)


def theirs(pool: tuple, test: tuple, first: np.ndarray, classes: int) -> list[float]:
    """Accuracy after each round. It is measured here: small-text's own counts classes by their place
    among those that were met, and so is wrong where some were not."""
    (rows, labels), (tests, truth) = pool, test
    template = LogisticRegression(C=PENALTY, max_iter=2_000)
    learner = PoolBasedActiveLearner(SklearnClassifierFactory(template, classes), BreakingTies(),
                                     SklearnDataset(csr_matrix(rows), labels, target_labels=np.arange(classes)))
    start = getattr(learner, "initialize_data", None) or learner.initialize
    start(first, labels[first])
    known, curve = first, []
    while True:
        fitted = LogisticRegression(C=PENALTY, max_iter=2_000).fit(rows[known], labels[known])
        curve.append(float((fitted.predict(tests) == truth).mean()))
        left = len(labels) - len(known)
        if len(curve) > ROUNDS or left == 0:
            return curve
        chosen = learner.query(num_samples=min(NUMBER, left))
        learner.update(labels[chosen])
        known = np.concatenate([known, chosen])


def one_set(name: str, args: argparse.Namespace) -> dict:
    pool_file, test_file = tables(name, args)
    output = args.work / f"{name}-simulated"
    pairmill("generate", "simulate", "--pool", pool_file, "--test", test_file, "--model", args.onnx, "--cache", args.work / "cache",
             "--number", NUMBER, "--rounds", ROUNDS, "--runs", args.seeds, "--output", output)
    figures = json.loads((output / "metrics.json").read_text())
    result = {"pool": figures["pool"], "test": figures["test"], "accuracy_of_all": figures["accuracy_of_all"]}
    for strategy in ("margin", "random"):
        found = [one for one in figures["rounds"] if one["strategy"] == strategy]
        result[f"pairmill {strategy}"] = [one["accuracy"] for one in found]
        result[f"pairmill {strategy} ranges"] = [one["range"] for one in found]
    tables_of = [pq.read_table(file) for file in (pool_file, test_file)]
    names = np.unique(tables_of[0]["category"].to_pylist())
    labels = [np.searchsorted(names, table["category"].to_pylist()) for table in tables_of]
    pool, test = [(embedded(file, args), label) for file, label in zip((pool_file, test_file), labels)]
    places = {one: place for place, one in enumerate(tables_of[0]["id"].to_pylist())}
    for start in ("random", "Pairmill's"):
        curves = []
        for seed in range(1, args.seeds + 1):
            if start == "random":
                np.random.seed(seed)
                first = np.random.choice(len(labels[0]), NUMBER, replace=False)
            else:
                with tempfile.TemporaryDirectory() as folder:
                    sheet = Path(folder) / "sheet.parquet"
                    pairmill("generate", "select", "--pool", pool_file, "--model", args.onnx, "--cache", args.work / "cache",
                             "--number", NUMBER, "--seed", seed, "--output", sheet)
                    first = np.array([places[one] for one in pq.read_table(sheet)["id"].to_pylist()])
            curves.append(theirs(pool, test, first, len(names)))
        result[f"small-text from {start} first"] = np.mean(curves, axis=0).round(4).tolist()
    return {"set": name} | result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the data sets")
    parser.add_argument("--onnx", type=Path, required=True, help="the model with an ONNX file")
    parser.add_argument("--sets", nargs="*", default=list(SETS), choices=list(SETS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--limit", type=int, default=15_000, help="rows of the pool, at most")
    parser.add_argument("--work", type=Path, default=Path("runs/small-text"), help="folder for what is kept")
    args = parser.parse_args()
    args.data = Path(args.data)
    args.work.mkdir(parents=True, exist_ok=True)
    results = []
    for name in args.sets:
        results.append(kept(args.work / f"{name}.json", lambda: one_set(name, args)))
        print(json.dumps(results[-1]), flush=True)
    save(HERE, "small-text", {"sets": results})


if __name__ == "__main__":
    main()
