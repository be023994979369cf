#!/usr/bin/env python3
"""Labels of banking77 and clinc150 changed at random: which are found, beside cleanlab.

    make build
    cargo build --release --workspace --example label_noise
    target/release/pairmill-train export --model .deps/models/all-MiniLM-L6-v2 --output runs/onnx
    python3 bench/hygiene/label_noise.py --data DIR --model runs/onnx

A share of the training labels is changed to another class, drawn evenly, by three seeds. Both rank
all rows by the same probabilities, those of `cross_fitted`: Pairmill by the odds of the label and
the likeliest other class, cleanlab by each of its scores. Average precision is over that ranking.
Precision and recall are of what `check` and cleanlab's filter call wrong; the labels that were
wrong before count as right, so precision is too low for both.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cleanlab
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from cleanlab.filter import find_label_issues
from cleanlab.rank import get_label_quality_scores
from sklearn.metrics import average_precision_score

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from pairmill import BIN, DATA, save

SETS = ["banking77", "clinc150"]
SCORES = ["self_confidence", "normalized_margin", "confidence_weighted_entropy"]


def run(program: Path, *words: object) -> None:
    subprocess.run([str(program), *map(str, words)], check=True, stderr=subprocess.DEVNULL)


def changed(labels: np.ndarray, classes: int, share: float, seed: int) -> np.ndarray:
    """The labels, of which a share is that of another class."""
    draw = np.random.default_rng(seed)
    rows = draw.choice(len(labels), round(len(labels) * share), replace=False)
    result = labels.copy()
    result[rows] = (labels[rows] + draw.integers(1, classes, len(rows))) % classes
    return result


def quality(is_wrong: np.ndarray, found: np.ndarray) -> dict:
    hits = int((is_wrong & found).sum())
    return {"found": int(found.sum()), "precision": round(hits / max(int(found.sum()), 1), 4),
            "recall": round(hits / max(int(is_wrong.sum()), 1), 4)}


def by_check(names: np.ndarray, texts: list, given: np.ndarray, model: Path, cache: Path, folder: Path) -> tuple:
    """The rows that `check` finds, and its seconds."""
    ids = [str(row) for row in range(len(given))]
    pq.write_table(pa.table({"id": ids, "text": texts, "category": names[given].tolist()}), folder / "tickets.parquet")
    start = time.monotonic()
    run(BIN / "pairmill-generate", "check", "--input", folder / "tickets.parquet", "--output", folder / "out", "--model", model,
        "--cache", cache, "--only", "label_noise", "--force")
    seconds = time.monotonic() - start
    found = np.zeros(len(given), bool)
    found[[int(row) for row in pq.read_table(folder / "out/findings.parquet")["id"].to_pylist()]] = True
    return found, seconds


def trial(vectors: np.ndarray, labels: np.ndarray, given: np.ndarray, folder: Path) -> dict:
    """Average precision of each ranking by the same probabilities."""
    vectors.astype("<f4").tofile(folder / "embeddings.f32")
    (folder / "labels.txt").write_text("\n".join(map(str, given)) + "\n")
    run(BIN / "examples/label_noise", folder)
    shares = np.fromfile(folder / "probabilities.f32", "<f4").reshape(len(given), -1).astype(float)
    shares /= shares.sum(axis=1, keepdims=True)
    odds = np.fromfile(folder / "odds.f32", "<f4")
    is_wrong = given != labels
    result = {"pairmill": round(average_precision_score(is_wrong, -odds), 4)}
    for score in SCORES:
        ranking = get_label_quality_scores(given, shares, method=score)
        result[f"cleanlab {score}"] = round(average_precision_score(is_wrong, -ranking), 4)
    return result | {"cleanlab filter": quality(is_wrong, find_label_issues(given, shares, n_jobs=1))}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA, help="folder of data sets")
    parser.add_argument("--model", type=Path, required=True, help="sentence encoder with model.onnx")
    parser.add_argument("--vectors", type=Path, help="folder with its embeddings as SET.npy; then `check`, which embeds, is left out")
    parser.add_argument("--share", type=float, default=0.1)
    parser.add_argument("--seeds", type=int, default=3)
    args = parser.parse_args()
    args.data = Path(args.data)
    results = []
    for name in SETS:
        table = pq.read_table(args.data / name / "tickets_train.parquet", columns=["text", "category"])
        texts = table["text"].to_pylist()
        names, labels = np.unique(np.array(table["category"].to_pylist()), return_inverse=True)
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            pq.write_table(pa.table({"id": [str(row) for row in range(len(texts))], "text": texts}), folder / "texts.parquet")
            if not args.vectors:
                run(BIN / "pairmill-evaluate", "embed", "--model", args.model, "--backend", "onnx", "--normalize",
                    "--input", folder / "texts.parquet", "--output", folder / "vectors.npy")
            vectors = np.load(args.vectors / f"{name}.npy" if args.vectors else folder / "vectors.npy")
            for seed in range(1, args.seeds + 1):
                given = changed(labels, len(names), args.share, seed)
                of = {"set": name, "seed": seed} | trial(vectors, labels, given, folder)
                if not args.vectors:
                    found, seconds = by_check(names, texts, given, args.model, folder / "cache", folder)
                    of |= {"check": quality(given != labels, found), "check_seconds": round(seconds, 1)}
                results.append(of)
                print(json.dumps(of), flush=True)
    save(HERE, "label-noise", {"share": args.share, "model": args.model.name, "cleanlab": cleanlab.__version__, "trials": results})


if __name__ == "__main__":
    sys.exit(main())
