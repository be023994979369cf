#!/usr/bin/env python3
"""What 500 chosen judgements bring beside 500 random ones, on questions with known answers.

    make build
    target/release/pairmill-train export --model .deps/models/all-MiniLM-L6-v2 --output runs/onnx
    python3 bench/active_learning/pairs.py --data DIR --onnx runs/onnx

500 pairs are known. Of the other training questions `select-pairs` chooses 500 passages to judge,
by each strategy; the known answers fill in the sheet. The encoder is trained on the known pairs and
on what was found relevant, with what was found irrelevant as hard negatives, for one epoch; the
figure is nDCG@10 of the test questions. `known` is trained on the known pairs alone. `any` judges
passages drawn from the first ten of random questions.
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

SETS = ("nl2bash", "medquad")
STRATEGIES = {
    "known": None, "any": ["random", 10], "random": ["random", 1], "diverse": ["diverse", 1], "margin": ["margin", 1],
    "diverse, 3 each": ["diverse", 3], "margin, 3 each": ["margin", 3],
}
KNOWN, JUDGED = 500, 500
LENGTH = ["--max-length", 128]


def judged(name: str, data: Path, pool: Path, answers: dict, seed: int, args: argparse.Namespace, work: Path) -> list[dict]:
    """Passages that were chosen, with whether they are relevant."""
    strategy, per_query = STRATEGIES[name]
    sheet = work / "sheet.parquet"
    number = JUDGED * per_query if name == "any" else JUDGED
    pairmill("generate", "select-pairs", "--pool", pool, "--corpus", data / "corpus.parquet", "--model", args.onnx, "--cache",
             args.work / "cache", "--number", number, "--per-query", per_query, "--strategy", strategy, "--seed", seed,
             "--output", sheet, "--force", *LENGTH)
    rows = pq.read_table(sheet).to_pylist()
    if name == "any":
        rows = random.Random(seed).sample(rows, JUDGED)
    return [row | {"is_relevant": row["corpus_id"] in answers[row["query_id"]]} for row in rows]


def trial(name: str, set_name: str, seed: int, args: argparse.Namespace) -> dict:
    data = args.work / f"{set_name}-data"
    kept(args.work / f"{set_name}-data.json", lambda: pairmill(
        "generate", "qa", "--input", args.data / set_name / "qa.parquet", "--output", data, "--limit", args.limit,
        "--split", "0.8,0.05,0.15", "--force"))
    pairs = pq.read_table(data / "pairs_train.parquet").to_pylist()
    answers: dict[str, set] = {}
    for pair in pairs:
        answers.setdefault(pair["anchor_id"], set()).add(pair["positive_id"])
    ids = sorted(answers)
    random.Random(seed).shuffle(ids)
    known = set(ids[:KNOWN])
    work = args.work / "trial"
    work.mkdir(exist_ok=True)
    texts = {pair["anchor_id"]: pair["anchor"] for pair in pairs if pair["anchor_id"] not in known}
    pq.write_table(pa.table({"id": list(texts), "text": list(texts.values())}), work / "pool.parquet")
    rows = judged(name, data, work / "pool.parquet", answers, seed, args, work) if STRATEGIES[name] else []
    columns = ["anchor_id", "anchor", "positive_id", "positive"]
    first = [{column: pair[column] for column in columns} for pair in pairs if pair["anchor_id"] in known]
    wrong: dict[str, list] = {}
    for row in rows:
        if not row["is_relevant"]:
            wrong.setdefault(row["query_id"], []).append(row)
    triplets = []
    for row in rows:
        if row["is_relevant"]:
            pair = dict(zip(columns, (row["query_id"], row["query"], row["corpus_id"], row["passage"])))
            negatives = wrong.get(row["query_id"], [])
            triplets += [pair | {"negative_id": no["corpus_id"], "negative": no["passage"]} for no in negatives[:1]]
            first += [] if negatives else [pair]
    files = ["--train", work / "pairs.parquet"]
    pq.write_table(pa.Table.from_pylist(first), work / "pairs.parquet")
    if triplets:
        pq.write_table(pa.Table.from_pylist(triplets), work / "triplets.parquet")
        files += ["--train", work / "triplets.parquet"]
    pairmill("train", "encoder", "--model", args.model, *files, "--epochs", 1, "--seed", seed, "--output", work / "model", "--force", *LENGTH)
    found = pairmill("evaluate", "retrieval", "--model", work / "model", "--corpus", data / "corpus.parquet", "--queries",
                     data / "queries_test.parquet", "--qrels", data / "qrels_test.parquet", "--resamples", 0, *LENGTH)
    return {"relevant": sum(row["is_relevant"] for row in rows), "judged": len(rows), "triplets": len(triplets),
            "rows": len(first) + len(triplets), "ndcg@10": found["model"]["ndcg@10"]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the data sets")
    parser.add_argument("--model", default=MODEL)
    parser.add_argument("--onnx", type=Path, required=True, help="the model with an ONNX file")
    parser.add_argument("--sets", nargs="*", default=list(SETS), choices=SETS)
    parser.add_argument("--strategies", nargs="*", default=list(STRATEGIES), choices=list(STRATEGIES))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--limit", type=int, default=4_000, help="rows of the set")
    parser.add_argument("--work", type=Path, default=Path("runs/judging"), help="folder for what is kept")
    args = parser.parse_args()
    args.data = Path(args.data)
    args.work.mkdir(parents=True, exist_ok=True)
    trials = []
    for set_name in args.sets:
        for seed in range(1, args.seeds + 1):
            for name in args.strategies:
                made = kept(args.work / f"{set_name} {seed} {name}.json", lambda: trial(name, set_name, seed, args))
                trials.append({"set": set_name, "seed": seed, "strategy": name} | made)
                print(trials[-1], flush=True)
    save(HERE, "pairs", {"known": KNOWN, "trials": trials})


if __name__ == "__main__":
    main()
