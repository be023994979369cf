#!/usr/bin/env python3
"""Trains on what documents alone give, and measures on queries that people wrote and judged.

For each set and maker: `generate corpus --queries MAKER` over the set's corpus, one epoch of `train encoder` on its
pairs, and `evaluate retrieval` of both models on the set's own queries, none of which the training has seen. What is
done is not done again.
"""

import argparse
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from pairmill import DATA, MODEL, kept, pairmill, save

SETS = ["cranfield", "cisi", "cacm", "scifact", "vaswani", "gitbugs_hadoop", "medquad_liveqa"]
MAKERS = ["titles", "sentences", "model"]


def measured(name: str, maker: str, args: argparse.Namespace) -> dict:
    work = args.work / f"{name}-{maker}"
    corpus, data, model = args.data / name / "corpus.parquet", work / "data", work / "model"
    asked = []
    if maker == "model":
        asked = ["--endpoint", args.endpoint, "--model", args.language_model, "--passages", args.passages]
    made = pairmill(
        "generate", "corpus", "--input", corpus, "--queries", maker, *asked, "--seed", args.seed, "--output", data)
    run = pairmill(
        "train", "encoder", "--model", args.model, "--train", data / "pairs_train.parquet", "--eval", data,
        "--epochs", args.epochs, "--max-length", args.max_length, "--seed", args.seed, "--output", model)
    truth = pairmill(
        "evaluate", "retrieval", "--model", model, "--baseline", args.model, "--corpus", corpus,
        "--queries", args.data / name / "queries_test.parquet", "--qrels", args.data / name / "qrels_test.parquet",
        "--cache", args.work / "embeddings")
    metric = next(one for one in truth["evidence"]["metrics"] if one["metric"] == "ndcg@10")
    interval = metric["difference"]["interval"]
    return {
        "set": name, "maker": maker, "pairs": run["rows"], "queries_made": made["queries"],
        "written": made.get("model"),
        "before": truth["baseline"]["ndcg@10"], "after": truth["model"]["ndcg@10"],
        "low": interval["low"], "high": interval["high"],
        "made_before": run["score_before"], "made_after": run["trained_score"], "seconds": run["seconds"],
    }


def table(rows: list[dict]) -> str:
    lines = ["| set | queries by | pairs | judged queries: before | after | 95 % interval | made queries: before | after |",
             "|---|---|--:|--:|--:|--:|--:|--:|"]
    lines += [
        f"| {row['set']} | {row['maker']} | {row['pairs']} | {row['before']:.4f} | {row['after']:.4f} | "
        f"{row['low']:+.4f} to {row['high']:+.4f} | {row['made_before']:.4f} | {row['made_after']:.4f} |"
        for row in rows]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the data sets")
    parser.add_argument("--model", default=MODEL)
    parser.add_argument("--work", type=Path, default=Path("runs/judged"), help="folder for what is kept")
    parser.add_argument("--sets", nargs="*", default=SETS, choices=SETS)
    parser.add_argument("--makers", nargs="*", default=MAKERS[:2], choices=MAKERS)
    parser.add_argument("--endpoint", help="of the language model, for the maker `model`")
    parser.add_argument("--language-model", default="model", help="its name")
    parser.add_argument("--passages", type=int, default=500, help="passages that it is asked about")
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--max-length", type=int, default=200)
    parser.add_argument("--seed", type=int, default=42)
    args = parser.parse_args()
    args.data = Path(args.data)
    args.work.mkdir(parents=True, exist_ok=True)
    rows = []
    for name in args.sets:
        for maker in args.makers:
            print(name, maker, file=sys.stderr, flush=True)
            file = args.work / f"{name}-{maker}" / "result.json"
            rows.append(kept(file, lambda: measured(name, maker, args)))
            print(table(rows), flush=True)
    save(HERE, "judged-queries", {"seed": args.seed, "epochs": args.epochs, "rows": rows})


if __name__ == "__main__":
    main()
