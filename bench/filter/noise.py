#!/usr/bin/env python3
"""Plants wrong positives and false negatives in a real set and measures how many pairmill-filter finds.

Questions with answers: a share of the training questions gets the answer of another question, so that the right
answer, still in the corpus, becomes a false negative of the question; of questions with several answers one is hidden.
Tickets with categories: a share of the pairs gets a ticket of another category, and some tickets of the category of
each ticket are hidden from the judgements.
"""

import argparse
import json
import os
import random
import re
import subprocess
import tempfile
import time
from datetime import datetime, timezone
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from compare import processor

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
BIN = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release"
WRONG = 0.2
# Which candidates are promoted.
PROMOTIONS = {"above 0.8": ["--promote-above", 0.8],
              "above 0.95": ["--promote-above", 0.95],
              "above 0.8, below the positive too": ["--promote-above", 0.8, "--promote-below-positive"],
              "above 0.8, one a query": ["--promote-above", 0.8, "--max-promoted", 1],
              "above 0.8, margin 0.3": ["--promote-above", 0.8, "--promote-margin", 0.3],
              "above 0.8, margin 0.3, one a query": ["--promote-above", 0.8, "--promote-margin", 0.3, "--max-promoted", 1]}
CHIEF = "above 0.8, margin 0.3, one a query"
# The same where the retriever has given similarities, which then have a say.
AGREED = {f"above {above}, similarity too by {margin}{name}": ["--promote-above", above, "--promote-dense-margin", margin,
                                                           "--min-positive-dense", 0.4, *most]
          for above in [0.5, 0.8] for margin in [0.2, 0.3] for name, most in [("", []), (", one a query", ["--max-promoted", 1])]}
CHIEF_AGREED = "above 0.5, similarity too by 0.2, one a query"
HIDDEN_TICKETS = 3
# Set: the folder and the table in it.
SETS = {"medquad": ("medquad", "qa"), "nl2bash": ("nl2bash", "qa"), "pubmedqa": ("pubmedqa", "qa"),
        "bitext_faq": ("bitext_support", "qa_faq"), "bitext_tickets": ("bitext_support", "tickets"),
        "banking77": ("banking77", "tickets_train"), "clinc150": ("clinc150", "tickets_train")}


def pairmill(program: str, *words: object) -> dict:
    start = time.perf_counter()
    line = [BIN / f"pairmill-{program}", *words, "--json"]
    done = subprocess.run([str(word) for word in line], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, line))}\n{done.stderr}")
    print(f"  {program} {words[0]}: {time.perf_counter() - start:.0f} s", flush=True)
    return json.loads(done.stdout) if done.stdout.strip().startswith("{") else {}


def rows(file: Path) -> list[dict]:
    return pq.read_table(file).to_pylist()


def write(file: Path, rows: list[dict], like: Path) -> None:
    pq.write_table(pa.Table.from_pylist(rows, schema=pq.read_schema(like).remove_metadata()), file)


def folded(text: str) -> str:
    return re.sub(r"\s+", " ", text.strip().lower())


def sample_tickets(source: Path, tickets: int, file: Path, seed: int) -> None:
    table = rows(source)
    write(file, random.Random(seed).sample(table, min(tickets, len(table))), source)


def sample_questions(source: Path, questions: int, file: Path, seed: int) -> dict[str, set[str]]:
    """Rows of some questions; returns all answers of each."""
    table = rows(source)
    answers: dict[str, set[str]] = {}
    for row in table:
        answers.setdefault(folded(row["question"]), set()).add(folded(row["answer"]))
    chosen = set(random.Random(seed).sample(sorted(answers), min(questions, len(answers))))
    write(file, [row for row in table if folded(row["question"]) in chosen], source)
    return answers


def plant(data: Path, noisy: Path, answers: dict[str, set[str]], seed: int) -> tuple[set, dict[str, set]]:
    """Writes the training tables with noise; returns the wrong pairs and what is hidden of each query."""
    draw = random.Random(seed)
    noisy.mkdir(exist_ok=True)
    for name in ("corpus", "queries_dev", "qrels_dev"):
        link = noisy / f"{name}.parquet"
        link.unlink(missing_ok=True)
        link.symlink_to(data / link.name)
    pairs = rows(data / "pairs_train.parquet")
    corpus = rows(data / "corpus.parquet")
    of_tickets = "category" in corpus[0]
    kept, qrels, wrong, hidden = plant_tickets(pairs, corpus, draw) if of_tickets else plant_questions(pairs, answers, draw)
    write(noisy / "pairs_train.parquet", kept, data / "pairs_train.parquet")
    # The judgements of other forms of a question are hidden with it.
    write(noisy / "qrels_train.parquet", qrels, data / "qrels_dev.parquet")
    for split in ("train", "dev"):
        file = f"labeled_{split}.parquet"
        labeled = rows(data / file)
        negatives = [row for row in labeled if row["score"] == 0]
        # Drawn anew, since those of the clean data know what is hidden.
        given = {(row["query_id"], row["corpus_id"]) for row in qrels}
        for row in negatives if split == "train" else []:
            other = draw.choice([document for document in draw.sample(corpus, 50) if (row["sentence1_id"], document["id"]) not in given])
            row["sentence2_id"], row["sentence2"] = other["id"], other["text"]
        if split == "train":
            positives = [{"sentence1_id": pair["anchor_id"], "sentence1": pair["anchor"], "sentence2_id": pair["positive_id"],
                          "sentence2": pair["positive"], "score": 1.0} for pair in kept]
        else:
            positives = [row for row in labeled if row["score"] == 1]
            for row in positives:
                if draw.random() < WRONG:
                    other = draw.choice(positives)
                    row["sentence2_id"], row["sentence2"] = other["sentence2_id"], other["sentence2"]
        write(noisy / file, positives + negatives, data / file)
    return wrong, hidden


def plant_questions(pairs: list[dict], answers: dict[str, set[str]], draw: random.Random) -> tuple[list, list, set, dict[str, set]]:
    of_query: dict[str, list[dict]] = {}
    for pair in pairs:
        of_query.setdefault(pair["anchor_id"], []).append(pair)
    texts = {pair["positive_id"]: pair["positive"] for pair in pairs}
    plain = {id: folded(text) for id, text in texts.items()}
    wrong, hidden, kept = set(), {}, []
    for query, own in of_query.items():
        ids = {pair["positive_id"] for pair in own}
        if draw.random() < WRONG:
            right = answers[folded(own[0]["anchor"])]
            other = draw.choice([id for id in texts if plain[id] not in right])
            hidden[query] = ids
            wrong.add((query, other))
            kept.append(own[0] | {"positive_id": other, "positive": texts[other]})
        else:
            if len(own) > 1:
                hidden[query] = {own.pop(draw.randrange(len(own)))["positive_id"]}
            kept += own
    return kept, [judgement(pair["anchor_id"], pair["positive_id"]) for pair in kept], wrong, hidden


def plant_tickets(pairs: list[dict], corpus: list[dict], draw: random.Random) -> tuple[list, list, set, dict[str, set]]:
    members: dict[str, list[str]] = {}
    for row in corpus:
        members.setdefault(row["category"], []).append(row["id"])
    category = {row["id"]: row["category"] for row in corpus}
    wrong, kept = set(), []
    given: dict[str, set[str]] = {}
    for pair in pairs:
        query = pair["anchor_id"]
        if draw.random() < WRONG:
            other = draw.choice([row for row in corpus if row["category"] != category[query]])
            wrong.add((query, other["id"]))
            pair = pair | {"positive_id": other["id"], "positive": other["text"]}
        kept.append(pair)
        given.setdefault(query, set()).add(pair["positive_id"])
    hidden, qrels = {}, []
    for query, positives in given.items():
        others = [id for id in members[category[query]] if id != query and id not in positives]
        hidden[query] = set(draw.sample(others, min(HIDDEN_TICKETS, len(others))))
        qrels += [judgement(query, id) for id in sorted(positives | (set(others) - hidden[query]))]
    return kept, qrels, wrong, hidden


def judgement(query: str, document: str) -> dict:
    return {"query_id": query, "corpus_id": document, "score": 1}


def share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def found(audit: Path, pairs: Path, given: Path, wrong: set, hidden: dict, answers: dict) -> tuple[dict, dict]:
    """Precision and recall of the positives that are left out and of the candidates that are promoted."""
    left = {(row["anchor_id"], row["positive_id"]) for row in rows(pairs)}
    gone = {(row["anchor_id"], row["positive_id"]) for row in rows(given)} - left
    seen, promoted, dropped, right = set(), set(), set(), set()
    for row in rows(audit):
        pair = (row["query_id"], row["corpus_id"])
        if row["reason"] in ("positive_id", "positive_text", "query_id", "query_text"):
            continue
        planted = row["corpus_id"] in hidden.get(row["query_id"], ())
        if planted:
            seen.add(pair)
        if planted or folded(row["text"]) in answers.get(folded(row["query"]), ()):
            right.add(pair)
        if row["decision"] == "promote":
            promoted.add(pair)
        if row["decision"] != "keep" and row["reason"] not in ("surplus", "duplicate", "low_positive_score"):
            dropped.add(pair)
    wrong_positives = {"planted": len(wrong), "left_out": len(gone), "precision": share(len(gone & wrong), len(gone)),
                       "recall": share(len(gone & wrong), len(wrong))}
    return wrong_positives, {"planted": sum(len(ids) for ids in hidden.values()), "mined": len(seen), "promoted": len(promoted),
                             "precision": share(len(promoted & right), len(promoted)), "recall": share(len(promoted & seen), len(seen)),
                             "recall_dropped_or_promoted": share(len((promoted | dropped) & seen), len(seen))}


def quality(model: Path, tables: list[Path], data: Path, args: argparse.Namespace, work: Path) -> float:
    """nDCG@10 on the test questions after training on the tables."""
    output = work / f"encoder-{tables[0].stem}"
    pairmill("train", "encoder", "--model", model, *[word for table in tables for word in ("--train", table)], "--eval", data,
             "--num-train-epochs", 2, "--batch-size", 32, "--learning-rate", "2e-5", "--max-length", args.max_length,
             "--output", output)
    return evaluated(output, data, args, work)


def evaluated(model: Path, data: Path, args: argparse.Namespace, work: Path) -> float:
    report = pairmill("evaluate", "retrieval", "--model", model, "--corpus", data / "corpus.parquet", "--queries",
                      data / "queries_test.parquet", "--qrels", data / "qrels_test.parquet", "--max-length", args.max_length,
                      "--output", work / "report", "--force")
    return report["model"]["ndcg@10"]


def exported(model: Path, work: Path) -> Path:
    """The sentence model in ONNX."""
    pairmill("train", "export", "--model", model, "--output", work / "onnx")
    return work / "onnx"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("set", choices=list(SETS))
    parser.add_argument("--data", type=Path, default=os.environ.get("PAIRMILL_DATA"), required="PAIRMILL_DATA" not in os.environ)
    parser.add_argument("--model", type=Path, default=os.environ.get("PAIRMILL_MODEL", ROOT / ".deps/models/all-MiniLM-L6-v2"))
    parser.add_argument("--judge", type=Path, help="what the judges are trained from [default: the model]")
    parser.add_argument("--learning-rate", default="1e-4", help="of the judges")
    parser.add_argument("--mined-negatives", type=int, default=1, help="of each pair, for the judges")
    parser.add_argument("--seed", type=int, default=1, help="of the sample and of the noise")
    parser.add_argument("--questions", type=int, default=1500, help="questions or tickets to take of the set")
    parser.add_argument("--folds", type=int, nargs="+", default=[0, 3], help="0: one model judges the pairs it was trained on")
    parser.add_argument("--retriever", choices=["bm25", "dense", "hybrid"], default="bm25")
    parser.add_argument("--top-k", type=int, default=10, help="passages looked at for each question")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--max-length", type=int, default=128)
    parser.add_argument("--without-quality", action="store_true", help="train no encoder")
    parser.add_argument("--work", type=Path, help="folder to work in, which is kept: a stage whose inputs are the same is not run again")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = args.work or Path(folder)
        work.mkdir(exist_ok=True, parents=True)
        result = measure(args, work.resolve())
    commit = subprocess.run(["git", "-C", ROOT, "rev-parse", "HEAD"], stdout=subprocess.PIPE, text=True).stdout.strip()
    result |= {"commit": commit, "processor": processor(), "threads": os.cpu_count()}
    file = HERE / "results" / f"{datetime.now(timezone.utc):%Y-%m-%d-%H%M%S}-noise-{args.set}.json"
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(result, indent=1) + "\n")
    print("raw results:", file.relative_to(ROOT))


def measure(args: argparse.Namespace, work: Path) -> dict:
    data, noisy = work / "data", work / "noisy"
    folder, kind = SETS[args.set]
    source, taken = args.data / folder / f"{kind}.parquet", work / f"{kind}.parquet"
    answers = {}
    if kind.startswith("qa"):
        answers = sample_questions(source, args.questions, taken, args.seed)
        pairmill("generate", "qa", "--input", taken, "--output", data)
    else:
        sample_tickets(source, args.questions, taken, args.seed)
        pairmill("generate", "tickets", "--input", taken, "--output", data, "--max-pairs", 2 * args.questions)
    wrong, hidden = plant(data, noisy, answers, args.seed)
    candidates = work / "candidates.parquet"
    mine = ["--pairs", noisy / "pairs_train.parquet", "--corpus", noisy / "corpus.parquet", "--qrels", noisy / "qrels_train.parquet",
            "--top-k", args.top_k, *(["--retriever", args.retriever, "--model", exported(args.model, work)] if args.retriever != "bm25" else [])]
    pairmill("mine", *mine, "--output", candidates)
    asked = {name: getattr(args, name) for name in ["set", "questions", "seed", "epochs", "learning_rate", "mined_negatives", "max_length", "retriever", "top_k"]}
    result = asked | {"wrong": WRONG, "judge": args.judge.name if args.judge else None, "judges": {}}
    for folds in args.folds:
        name = f"folds-{folds}" if folds else "one-model"
        judge, pairs, triplets, audit = (work / f"{kind}-{name}{end}" for kind, end in
                                         [("judge", ""), ("pairs", ".parquet"), ("triplets", ".parquet"), ("audit", ".parquet")])
        pairmill("train", "cross-encoder", "--model", args.judge or args.model, "--train", noisy / "labeled_train.parquet", "--train", candidates,
                 "--eval", noisy, "--mined-negatives", args.mined_negatives, "--num-train-epochs", args.epochs, "--batch-size", 16, "--learning-rate", args.learning_rate,
                 "--max-length", args.max_length, "--output", judge, *(["--folds", folds] if folds else []))
        one = {"wrong_positives": {}, "promotions": {}}
        # The chief rule last: what it writes is trained on.
        rules, chief = (PROMOTIONS, CHIEF) if args.retriever == "bm25" else (PROMOTIONS | AGREED, CHIEF_AGREED)
        for rule in sorted(rules, key=lambda rule: rule == chief):
            pairmill("filter", "--candidates", candidates, "--model", judge, "--min-positive-score", 0.5, *rules[rule],
                     "--num-negatives", 1, "--allow-empty", "--output", triplets, "--audit", audit, "--also", f"pairs={pairs}",
                     "--cache", work / "scores")
            one["wrong_positives"][rule], one["promotions"][rule] = found(audit, pairs, noisy / "pairs_train.parquet", wrong, hidden, answers)
        if not args.without_quality:
            one["ndcg@10"] = quality(args.model, [pairs, triplets], data, args, work)
        result["judges"][name] = one
        print(name, json.dumps(one, indent=1), flush=True)
    if not args.without_quality:
        raw = work / "raw.parquet"
        pairmill("mine", *mine, "--format", "triplet", "--num-negatives", 1, "--output", raw)
        result["ndcg@10"] = {"untrained": evaluated(args.model, data, args, work),
                             "raw": quality(args.model, [noisy / "pairs_train.parquet", raw], data, args, work)}
        print(json.dumps(result["ndcg@10"]), flush=True)
    return result


if __name__ == "__main__":
    main()
