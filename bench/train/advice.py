#!/usr/bin/env python3
"""Asks for advice before training, then trains, and counts where the advice was right.

For each set: splits, at most 3,000 training pairs drawn by the seed, `pairmill-train advise`, and only then the
training it judged (one epoch) and the other losses that fit. What is done is not done again, so the script can be
stopped at any time; its table is made from what is there.
"""

import argparse
import random
import sys
from pathlib import Path

import pyarrow.parquet as pq

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from pairmill import DATA, MODEL, kept, pairmill, save

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
OTHERS = {"mnrl": ["mnrl --bidirectional", "gist"]}
# How near is right: of the gain, of the time, of the best loss.
GAIN, TIME, LOSS = 0.03, 0.25, 0.01


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


def one_set(name: str, args: argparse.Namespace) -> dict:
    work = args.work / name
    work.mkdir(parents=True, exist_ok=True)
    pairs = prepare(name, args, work)
    data = work / "data"
    options = ["--model", args.model, "--train", pairs, "--eval", data, "--epochs", 1, "--seed", args.seed]
    if SETS[name][0] == "tickets":
        # As the pipeline has it: tickets of one category are no negatives of each other.
        options += ["--groups", data / "corpus.parquet"]
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
            "train", "encoder", *options, "--loss", *loss.split(), *(["--guide", args.model] if loss == "gist" else []), "--output", file.with_suffix("")))["trained_score"]
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
        "time_hit": abs(took - 1) <= TIME,
        "loss_hit": best - run["trained_score"] <= LOSS if result["losses"] else None,
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
    hits = {key: [row[f"{key}_hit"] for row in rows if row[f"{key}_hit"] is not None]
            for key in ("verdict", "gain", "interval", "time", "loss")}
    lines.append("\n" + ", ".join(f"{key} {sum(of)} of {len(of)}" for key, of in hits.items()))
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the data sets")
    parser.add_argument("--model", default=MODEL)
    parser.add_argument("--work", type=Path, default=Path("runs/advice"), help="folder for what is kept")
    parser.add_argument("--sets", nargs="*", default=list(SETS), choices=list(SETS))
    parser.add_argument("--limit", type=int, default=3_750, help="rows of the set to begin with")
    parser.add_argument("--losses", action="store_true", help="train with the other losses too")
    parser.add_argument("--seed", type=int, default=42)
    args = parser.parse_args()
    args.data = Path(args.data)
    results = []
    for name in args.sets:
        print(name, file=sys.stderr, flush=True)
        results.append(judged(one_set(name, args)))
        print(table(results), flush=True)
    save(HERE, "advice", {"seed": args.seed, "rows": results})


if __name__ == "__main__":
    main()
