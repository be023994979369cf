#!/usr/bin/env python3
"""Asks for advice before training, then trains, and counts where the advice was right.

For each set: splits, at most 3,000 training pairs drawn by the seed, `pairmill-train advise`, and only then the
training it judged (one epoch) and the other losses that fit. What is done is not done again, so the script can be
stopped at any time; its table is made from what is there.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import time
from datetime import datetime, timezone
from pathlib import Path

import pyarrow.parquet as pq

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
BIN = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release"
ROWS = 3_000
# Set: what its rows are, the folder and the table in it.
SETS = {
    "stackexchange_qa": ("qa", "stackexchange_intents", "qa"),
    "msdocs_faq": ("qa", "msdocs_faq", "qa"),
    "pubmedqa": ("qa", "pubmedqa", "qa"),
    "hint3": ("tickets", "hint3", "tickets_train"),
    "banking77": ("tickets", "banking77", "tickets_train"),
    "clinc150": ("tickets", "clinc150", "tickets_train"),
    "stackoverflow20": ("tickets", "stackoverflow20", "tickets"),
    "bitext_tickets": ("tickets", "bitext_support", "tickets"),
    "bitext_faq": ("qa", "bitext_support", "qa_faq"),
    "nl2bash": ("qa", "nl2bash", "qa"),
    "tldr_pages": ("qa", "tldr_pages", "qa"),
    "medquad": ("qa", "medquad", "qa"),
}
# Losses that fit pairs and triplets, beside the one that is named.
OTHERS = {"mnrl": ["mnrl --bidirectional"]}
# How near is right: of the gain, of the time, of the best loss.
GAIN, TIME, LOSS = 0.03, 0.25, 0.01


def pairmill(program: str, *words: object, code: int = 0) -> dict:
    start = time.perf_counter()
    line = [BIN / f"pairmill-{program}", *words, "--json", "--quiet"]
    done = subprocess.run([str(word) for word in line], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode != code:
        raise SystemExit(f"{' '.join(map(str, line))}\n{done.stderr}")
    print(f"  {program} {words[0]}: {time.perf_counter() - start:.0f} s", file=sys.stderr, flush=True)
    return json.loads(done.stdout)


def prepare(name: str, args: argparse.Namespace, work: Path) -> Path:
    """Splits of the set, and a table of at most ROWS training pairs."""
    kind, folder, table = SETS[name]
    data, pairs = work / "data", work / "pairs.parquet"
    if not pairs.exists():
        pairmill("generate", kind, "--input", args.data / folder / f"{table}.parquet", "--output", data,
                 "--limit", args.limit, "--seed", args.seed)
        rows = pq.read_table(data / "pairs_train.parquet").replace_schema_metadata()
        chosen = sorted(random.Random(args.seed).sample(range(len(rows)), min(ROWS, len(rows))))
        pq.write_table(rows.take(chosen), pairs)
    return pairs


def kept(file: Path, make) -> dict:
    if not file.exists():
        result = make()
        file.write_text(json.dumps(result, indent=1))
    return json.loads(file.read_text())


def one_set(name: str, args: argparse.Namespace) -> dict:
    work = args.work / name
    work.mkdir(parents=True, exist_ok=True)
    pairs = prepare(name, args, work)
    data = work / "data"
    options = ["--model", args.model, "--train", pairs, "--eval", data, "--epochs", 1, "--seed", args.seed]
    advice = kept(work / "advice.json", lambda: pairmill("train", "advise", *options))
    run = kept(work / "run.json", lambda: pairmill("train", "encoder", *options, "--output", work / "model"))
    # The gain and its interval on the same dev queries, of the whole corpus.
    truth = kept(work / "truth.json", lambda: pairmill(
        "evaluate", "retrieval", "--model", work / "model", "--baseline", args.model, "--corpus",
        data / "corpus.parquet", "--queries", data / "queries_dev.parquet", "--qrels", data / "qrels_dev.parquet"))
    losses = {}
    for loss in OTHERS.get(advice["losses"][0]["fits"], []) if args.losses else []:
        file = work / f"run-{loss.replace(' --', '-')}.json"
        losses[loss] = kept(file, lambda: pairmill(
            "train", "encoder", *options, "--loss", *loss.split(), "--output", file.with_suffix("")))["trained_score"]
    return {"set": name, "advice": advice, "run": run, "truth": truth, "losses": losses}


def difference(truth: dict) -> tuple[float, float, float]:
    """The difference in nDCG@10 with its interval."""
    found = next(one for one in truth["evidence"]["metrics"] if one["metric"] == "ndcg@10")
    interval = found["difference"]["interval"]
    return truth["difference"]["ndcg@10"], interval["low"], interval["high"]


def judged(result: dict) -> dict:
    advice, run = result["advice"], result["run"]
    gain = run["trained_score"] - run["score_before"]
    _, low, _ = difference(result["truth"])
    predicted = advice["prediction"] or {"gain": 0.0, "low": 0.0, "high": 0.0}
    took = advice["time"]["seconds"] / run["seconds"]
    best = max([run["trained_score"], *result["losses"].values()])
    return {
        "set": result["set"], "rows": run["rows"], "before": run["score_before"], "verdict": advice["verdict"],
        "predicted": predicted["gain"], "interval": [predicted["low"], predicted["high"]], "gain": gain,
        "worth_it": low > 0, "advice_seconds": advice["time"]["advice"], "predicted_seconds": advice["time"]["seconds"],
        "seconds": run["seconds"], "verdict_hit": (advice["verdict"] == "train") == (low > 0),
        "gain_hit": abs(predicted["gain"] - gain) <= GAIN,
        "interval_hit": predicted["low"] <= gain <= predicted["high"],
        "time_hit": abs(took - 1) <= TIME, "loss_hit": best - run["trained_score"] <= LOSS,
    }


def table(rows: list[dict]) -> str:
    mark = {True: "yes", False: "**no**"}
    lines = ["| set | rows | nDCG@10 before | advice | predicted gain (interval) | gain | worth it | "
             "advice right | within 0.03 | in interval | time predicted / taken | within 25 % |",
             "|---|--:|--:|---|--:|--:|---|---|---|---|--:|---|"]
    for row in rows:
        low, high = row["interval"]
        lines.append(
            f"| {row['set']} | {row['rows']} | {row['before']:.3f} | {row['verdict']} | {row['predicted']:+.3f} "
            f"({low:+.3f} to {high:+.3f}) | {row['gain']:+.3f} | {mark[row['worth_it']]} | {mark[row['verdict_hit']]} | "
            f"{mark[row['gain_hit']]} | {mark[row['interval_hit']]} | {row['predicted_seconds']:.0f} s / "
            f"{row['seconds']:.0f} s | {mark[row['time_hit']]} |")
    count = {key: sum(row[f"{key}_hit"] for row in rows) for key in ("verdict", "gain", "interval", "time", "loss")}
    lines.append("\n" + ", ".join(f"{key} {hits} of {len(rows)}" for key, hits in count.items()))
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=os.environ.get("PAIRMILL_DATA"), help="folder of the data sets")
    parser.add_argument("--model", default=os.environ.get("PAIRMILL_MODEL", ROOT / ".deps/models/all-MiniLM-L6-v2"))
    parser.add_argument("--work", type=Path, default=Path("runs/advice"), help="folder for what is kept")
    parser.add_argument("--sets", nargs="*", default=list(SETS), choices=list(SETS))
    parser.add_argument("--limit", type=int, default=10_000, help="rows of the set to begin with")
    parser.add_argument("--losses", action="store_true", help="train with the other losses too")
    parser.add_argument("--seed", type=int, default=42)
    args = parser.parse_args()
    args.data = Path(args.data)
    results = []
    for name in args.sets:
        print(name, file=sys.stderr, flush=True)
        results.append(judged(one_set(name, args)))
        print(table(results), flush=True)
    file = HERE / "results" / f"{datetime.now(timezone.utc):%Y-%m-%d-%H%M%S}-advice.json"
    file.write_text(json.dumps({"seed": args.seed, "rows": results}, indent=1) + "\n")


if __name__ == "__main__":
    main()
