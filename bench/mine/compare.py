#!/usr/bin/env python3
"""Searches and mines with Pairmill and with others in turn and archives what each took."""

import argparse
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timezone
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
VENV = HERE.parent / ".venv-mine"
REQUIREMENTS = HERE / "requirements.txt"
BINARY = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release/pairmill-mine"
TOP_K = 100


def interpreter(wanted: str | None) -> str:
    if wanted:
        return wanted
    python = VENV / "bin/python"
    if not python.exists():
        print(f"making {VENV}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", VENV], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "-r", REQUIREMENTS], check=True)
    return str(python)


def run(command: list) -> dict:
    """Seconds, peak resident megabytes and what the program said."""
    start = time.perf_counter()
    process = subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    with process.stdout, process.stderr:
        out, err = process.stdout.read(), process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{command[0]} failed:\n{err}")
    return {"seconds": time.perf_counter() - start, "megabytes": usage.ru_maxrss / 1024, "out": out, "err": err}


def median(values: list[float]) -> str:
    return f"{statistics.median(values):.1f} ({min(values):.1f} to {max(values):.1f})"


def search(args: argparse.Namespace, python: str, folder: Path) -> dict:
    """msdocs_raw: 199,418 passages, 4,249 queries, top 100, k1 = 1.2, b = 0.75."""
    corpus, queries = (args.data / "msdocs_raw" / file for file in ("corpus.parquet", "queries_silver.parquet"))
    rounds = []
    for number in range(args.rounds):
        theirs = run([python, HERE / "bm25s_search.py", corpus, queries, folder / "theirs.parquet", TOP_K, args.threads])
        figures = json.loads(theirs["out"].splitlines()[-1]) | {"megabytes": theirs["megabytes"]}
        ours = run([BINARY, "search", "--corpus", corpus, "--queries", queries, "--output", folder / "ours.parquet",
                    "--top-k", TOP_K, "--threads", args.threads, "--force"])
        said = re.search(r"indexed .* in ([\d.]+) s", ours["err"]), re.search(r"\((\d+) a second\)", ours["err"])
        rounds.append({"bm25s": figures,
                       "pairmill": {"index": float(said[0][1]), "queries_per_second": float(said[1][1]),
                                    "seconds": ours["seconds"], "megabytes": ours["megabytes"]}})
        print(f"round {number + 1}:", json.dumps(rounds[-1]), flush=True)
    overlap = run([python, HERE / "overlap.py", folder / "theirs.parquet", folder / "ours.parquet"])
    both = [(one["pairmill"], one["bm25s"]) for one in rounds]
    print("indexing, times as fast:", median([(b["tokenise"] + b["index"]) / a["index"] for a, b in both]))
    print("queries a second, times as many:", median([a["queries_per_second"] / b["queries_per_second"] for a, b in both]))
    print("peak memory, share:", f"{statistics.median(a['megabytes'] / b['megabytes'] for a, b in both):.2f}")
    print("overlap of the top 100:", overlap["out"].strip())
    return {"rounds": rounds, "overlap": float(overlap["out"])}


def mine(args: argparse.Namespace, python: str, folder: Path) -> dict:
    """medquad: all pairs lexically, and the first 4,000 beside mine_hard_negatives."""
    run([python, HERE / "pairs.py", args.data / "medquad/qa.parquet", folder])
    line = [BINARY, "--output", folder / "candidates.parquet", "--threads", args.threads, "--force"]
    of = lambda name: ["--pairs", folder / f"pairs_{name}.parquet", "--corpus", folder / f"corpus_{name}.parquet"]
    everything = run([*line, *of("all")])
    print(f"all pairs, top 50, lexically: {everything['seconds']:.1f} s, {everything['megabytes']:.0f} MB")
    rounds = []
    for number in range(args.rounds):
        theirs = run([python, HERE / "st_mine.py", args.model, folder / "pairs_4000.parquet", args.threads])
        ours = run([*line, *of("4000"), "--format", "triplet"])
        rounds.append({"mine_hard_negatives": json.loads(theirs["out"].splitlines()[-1]) | {"megabytes": theirs["megabytes"]},
                       "pairmill_lexical": {"seconds": ours["seconds"], "megabytes": ours["megabytes"]}})
        print(f"round {number + 1}:", json.dumps(rounds[-1]), flush=True)
    return {"all": {key: everything[key] for key in ("seconds", "megabytes")}, "rounds": rounds}


def exported(args: argparse.Namespace, folder: Path) -> Path:
    """The model's folder with an ONNX file."""
    model = folder / "onnx"
    run([BINARY.with_name("pairmill-train"), "export", "--model", args.model, "--output", model])
    return model


def dense(args: argparse.Namespace, python: str, folder: Path) -> dict:
    """medquad: the first 4,000 pairs by embeddings, beside mine_hard_negatives with the same model."""
    run([python, HERE / "pairs.py", args.data / "medquad/qa.parquet", folder])
    model, theirs_file, ours_file = exported(args, folder), folder / "theirs.parquet", folder / "ours.parquet"
    line = [BINARY, "--retriever", "dense", "--model", model, "--pairs", folder / "pairs_4000.parquet",
            "--corpus", folder / "corpus_4000.parquet", "--top-k", 51, "--near-duplicates", 1, "--format", "triplet",
            "--output", ours_file, "--threads", args.threads, "--force"]
    rounds = []
    for number in range(args.rounds):
        ours = run(line)
        theirs = run([python, HERE / "st_mine.py", args.model, folder / "pairs_4000.parquet", args.threads, theirs_file])
        embedding = re.search(r"embedded .* in ([\d.]+) s", ours["err"])
        rounds.append({"mine_hard_negatives": json.loads(theirs["out"].splitlines()[-1])
                       | {"process_seconds": theirs["seconds"], "megabytes": theirs["megabytes"]},
                       "pairmill": {"seconds": ours["seconds"], "embedding": float(embedding[1]), "megabytes": ours["megabytes"]},
                       "load": os.getloadavg()[0]})
        print(f"round {number + 1}:", json.dumps(rounds[-1]), flush=True)
    same = run([python, HERE / "same_rows.py", theirs_file, ours_file])
    both = [(one["pairmill"], one["mine_hard_negatives"]) for one in rounds]
    print("times as fast, our process by their function:", median([b["seconds"] / a["seconds"] for a, b in both]))
    print("peak memory, share:", f"{statistics.median(a['megabytes'] / b['megabytes'] for a, b in both):.2f}")
    print("the same triplets:", same["out"].strip())
    return {"rounds": rounds, "same": float(same["out"])}


def dense_scale(args: argparse.Namespace, python: str, folder: Path) -> dict:
    """msdocs_raw: 199,418 passages and 4,249 queries, their first tokens embedded, top 100; then from the kept embeddings."""
    corpus, queries = (args.data / "msdocs_raw" / file for file in ("corpus.parquet", "queries_silver.parquet"))
    line = [BINARY, "search", "--retriever", "dense", "--model", exported(args, folder), "--max-length", 8, "--corpus", corpus,
            "--queries", queries, "--output", folder / "ours.parquet", "--index", folder / "index", "--top-k", TOP_K,
            "--threads", args.threads, "--force"]
    rounds = []
    for name in ("embedded", "reused"):
        ours = run(line)
        said = re.search(r"\((\d+) a second\)\n", ours["err"][ours["err"].find("searched"):])
        rounds.append({name: {"seconds": ours["seconds"], "megabytes": ours["megabytes"], "queries_per_second": float(said[1])}})
        print(json.dumps(rounds[-1]), flush=True)
    return {"rounds": rounds}


def scale(args: argparse.Namespace, python: str, folder: Path) -> dict:
    """Generated corpora of short passages: time and memory by their number."""
    rounds = []
    for millions in args.millions:
        made = folder / f"{millions}"
        run([python, HERE / "generated.py", millions * 1_000_000, made])
        ours = run([BINARY, "--pairs", made / "pairs.parquet", "--corpus", made / "corpus.parquet",
                    "--output", made / "candidates.parquet", "--threads", args.threads])
        indexed = re.search(r"indexed .* in ([\d.]+) s", ours["err"])
        rounds.append({"millions": millions, "index": float(indexed[1]), "seconds": ours["seconds"], "megabytes": ours["megabytes"]})
        print(json.dumps(rounds[-1]), flush=True)
    return {"rounds": rounds}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["search", "mine", "dense", "dense-scale", "scale"])
    parser.add_argument("--data", type=Path, default=os.environ.get("PAIRMILL_DATA"), help="folder of the data sets")
    parser.add_argument("--model", type=Path, default=os.environ.get("PAIRMILL_MODEL", ROOT / ".deps/models/all-MiniLM-L6-v2"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--millions", type=int, nargs="+", default=[1, 2, 5], help="passages of the generated corpora")
    parser.add_argument("--python", help="interpreter with the packages of requirements.txt")
    args = parser.parse_args()
    if args.data is None and args.what != "scale":
        parser.error("--data or PAIRMILL_DATA is needed")
    python = interpreter(args.python)
    with tempfile.TemporaryDirectory() as folder:
        result = {"search": search, "mine": mine, "dense": dense, "dense-scale": dense_scale, "scale": scale}[args.what](args, python, Path(folder))
    commit = subprocess.run(["git", "-C", ROOT, "rev-parse", "HEAD"], stdout=subprocess.PIPE, text=True).stdout.strip()
    result |= {"commit": commit, "processor": processor(), "threads": args.threads}
    file = HERE / "results" / f"{datetime.now(timezone.utc):%Y-%m-%d-%H%M%S}-{args.what}.json"
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(result, indent=1) + "\n")
    print("raw results:", file.relative_to(ROOT))


def processor() -> str:
    info = Path("/proc/cpuinfo")
    names = [line.split(":")[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")] if info.exists() else []
    return names[0] if names else platform.processor()


if __name__ == "__main__":
    main()
