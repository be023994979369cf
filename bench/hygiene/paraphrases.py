#!/usr/bin/env python3
"""Paraphrases of training texts planted in a test split: which `check --model` finds.

    make build
    python3 scripts/setup.py mpnet
    target/release/pairmill-train export --model .deps/models/all-MiniLM-L6-v2 --output runs/onnx
    target/release/pairmill-train export --model .deps/models/all-mpnet-base-v2 --output runs/mpnet-onnx
    python3 bench/hygiene/paraphrases.py --data DIR --model runs/onnx --gate runs/mpnet-onnx \\
        --translate FOLDER,FOLDER

Half of the categories, drawn by the seed, are the training split. The test split has wordings of
its texts, translated into another language and back, and as many texts of the other categories,
which no training text says. Wordings that came back as they were, but for case and punctuation, are
left out: `leakage` finds those. So are wordings that another, larger model than that of the check
finds to mean something else (`augment --model`): a paraphrase has to be one.
"""

import argparse
import random
import sys
import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from pairmill import DATA, pairmill, save

SETS = {
    "hint3": "tickets_train",
    "bitext_support": "tickets",
    "banking77": "tickets_train",
    "clinc150": "tickets_train",
    "stackoverflow20": "tickets",
}


def write(file: Path, rows: list[dict]) -> None:
    pq.write_table(pa.table({name: [row[name] for row in rows] for name in ("id", "text", "category")}), file)


def trial(name: str, seed: int, args: argparse.Namespace, folder: Path) -> dict:
    draw = random.Random(seed)
    rows = pq.read_table(args.data / name / f"{SETS[name]}.parquet").to_pylist()
    categories = sorted({row["category"] for row in rows})
    known = set(draw.sample(categories, len(categories) // 2))
    train = [row for row in rows if row["category"] in known]
    others = [row for row in rows if row["category"] not in known]
    write(folder / "train.parquet", train)
    write(folder / "sources.parquet", draw.sample(train, min(args.rows, len(train))))
    pairmill("generate", "augment", "--kind", "tickets", "--input", folder / "sources.parquet", "--method", "back-translation",
             "--translate", args.translate, "--model", args.gate, "--variants-only", "--output", folder / "wordings.parquet",
             "--force")
    planted = pq.read_table(folder / "wordings.parquet", columns=["id", "text", "category"]).to_pylist()
    planted = [row | {"id": f"planted-{row['id']}"} for row in planted]
    drawn = draw.sample(others, min(len(planted), len(others)))
    write(folder / "test.parquet", planted + [row | {"id": f"drawn-{row['id']}"} for row in drawn])
    found = pairmill("generate", "check", "--input", folder / "test.parquet", "--against", folder / "train.parquet",
                     "--only", "leakage,near_leakage,paraphrase_leakage", "--model", args.model, "--cache", args.cache,
                     "--paraphrases", args.paraphrases, "--output", folder / "check", "--force")
    leaks = {row["id"]: row["kind"] for row in pq.read_table(folder / "check/findings.parquet").to_pylist()}
    hits = sum(row["id"] in leaks for row in planted)
    wrong = sum(f"drawn-{row['id']}" in leaks for row in drawn)
    return {
        "set": name, "seed": seed, "train": len(train), "planted": len(planted), "drawn": len(drawn),
        "found": hits, "wrong": wrong, "recall": round(hits / len(planted), 4),
        "precision": round(hits / max(hits + wrong, 1), 4), "counts": found["counts"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the data sets")
    parser.add_argument("--model", type=Path, required=True, help="sentence encoder with an ONNX file")
    parser.add_argument("--gate", type=Path, required=True, help="another one, which judges the wordings")
    parser.add_argument("--translate", required=True, help="two folders of Marian models, parted by a comma")
    parser.add_argument("--sets", nargs="*", default=list(SETS), choices=list(SETS))
    parser.add_argument("--rows", type=int, default=500)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--paraphrases", type=float, default=0.85, help="the similarity to find them by, fixed on the first three sets")
    parser.add_argument("--cache", type=Path, default=Path("runs/paraphrases-cache"))
    args = parser.parse_args()
    args.data = Path(args.data)
    trials = []
    for name in args.sets:
        for seed in range(1, args.seeds + 1):
            with tempfile.TemporaryDirectory() as folder:
                trials.append(trial(name, seed, args, Path(folder)))
            print(trials[-1], flush=True)
    save(HERE, "paraphrases", {"threshold": args.paraphrases, "trials": trials})


if __name__ == "__main__":
    main()
