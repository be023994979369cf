#!/usr/bin/env python3
"""Scores pairs with Pairmill and with sentence-transformers in turn and archives what each took."""

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

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
BIN = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release"
# Set: what it has, number of pairs, tokens of a pair at most.
SETS = {"scifact": ("claims with abstracts", 320, 256), "nl2bash": ("descriptions with commands", 4_000, 256),
        "medquad": ("questions with answers of any length", 800, 256)}


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


def pairs_of(data: Path, name: str, count: int, file: Path) -> None:
    """Every question with its answer and with others, drawn at random."""
    draw = np.random.default_rng(1)
    if name == "scifact":
        queries = pq.read_table(data / name / "queries_test.parquet")["text"].to_pylist()
        corpus = pq.read_table(data / name / "corpus.parquet")
        texts = [f"{title} {text}" for title, text in zip(corpus["title"].to_pylist(), corpus["text"].to_pylist())]
    else:
        table = pq.read_table(data / name / "qa.parquet")
        queries, texts = table["question"].to_pylist(), table["answer"].to_pylist()
    rows = [(queries[draw.integers(len(queries))], texts[draw.integers(len(texts))]) for _ in range(count)]
    pq.write_table(pa.table({"query": [row[0] for row in rows], "text": [row[1] for row in rows]}), file)


def scored(ours: dict) -> float:
    """Pairs a second, as the program says."""
    pairs, seconds = re.search(r"scored (\d+) pairs of texts in ([\d.]+) s", ours["err"]).groups()
    return int(pairs) / float(seconds)


def ranks(values: np.ndarray) -> np.ndarray:
    return np.argsort(np.argsort(values)).astype(float)


def speed(args: argparse.Namespace, python: str, folder: Path) -> dict:
    """sentence-transformers' CrossEncoder.predict, batch 32, beside pairmill-filter score."""
    result = {}
    for name in args.sets:
        what, count, length = SETS[name]
        pairs, theirs_file = folder / f"{name}.parquet", folder / "theirs.parquet"
        pairs_of(args.data, name, count, pairs)
        rounds = []
        for _ in range(args.rounds):
            line = [BIN / "pairmill-filter", "score", "--pairs", pairs, "--model", args.model, "--max-length", length,
                    "--threads", args.threads, "--activation", "identity", "--force", "--output"]
            ours = run([*line, folder / "ours.parquet"])
            theirs = run([python, HERE / "st_score.py", args.model, pairs, length, args.threads, theirs_file])
            said = json.loads(theirs["out"].splitlines()[-1])
            work = said["gigaflop_a_pair"]
            figures = {"float32": scored(ours), "float32_megabytes": ours["megabytes"],
                       "sentence_transformers": said["pairs_per_second"], "gigaflops": {
                           "float32": scored(ours) * work, "sentence_transformers": said["pairs_per_second"] * work,
                           "one_product": said["machine_gigaflops"]},
                       "sentence_transformers_megabytes": theirs["megabytes"]}
            if args.int8:
                figures["int8"] = scored(run([*line, folder / "int8.parquet", "--int8"]))
            rounds.append(figures | {"load": os.getloadavg()[0]})
            print(name, json.dumps(rounds[-1]), flush=True)
        scores = {key: np.array(pq.read_table(folder / f"{key}.parquet")["score"].to_pylist())
                  for key in ["ours", "theirs", *(["int8"] if args.int8 else [])]}
        result[name] = {"what": what, "pairs": count, "max_length": length, "tokens": said["tokens"], "cut_share": said["whole_length"],
                        "share_of_one_product": median([one["gigaflops"]["float32"] / one["gigaflops"]["one_product"] for one in rounds]),
                        "rounds": rounds,
                        "times_as_fast": median([one["float32"] / one["sentence_transformers"] for one in rounds]),
                        "correlation": float(np.corrcoef(scores["ours"], scores["theirs"])[0, 1]),
                        "largest_difference": float(np.abs(scores["ours"] - scores["theirs"]).max())}
        if args.int8:
            result[name] |= {"int8_times_as_fast_as_float32": median([one["int8"] / one["float32"] for one in rounds]),
                             "int8_rank_correlation": float(np.corrcoef(ranks(scores["ours"]), ranks(scores["int8"]))[0, 1])}
        print(name, json.dumps({key: value for key, value in result[name].items() if key != "rounds"}), flush=True)
        if not (result[name]["largest_difference"] < 1e-4 and result[name]["correlation"] > 0.9999):
            sys.exit(f"{name}: the scores are not those of sentence-transformers")
    return result


def memory(args: argparse.Namespace, python: str, folder: Path) -> dict:
    """Resident memory by tenths of 200,000 short pairs."""
    pairs = folder / "pairs.parquet"
    pairs_of(args.data, "nl2bash", 200_000, pairs)
    line = [BIN / "pairmill-filter", "score", "--pairs", pairs, "--model", args.model, "--max-length", 16, "--threads", args.threads,
            "--output", folder / "out.parquet"]
    process = subprocess.Popen([str(word) for word in line], stderr=subprocess.DEVNULL)
    resident = []
    while process.poll() is None:
        status = Path(f"/proc/{process.pid}/status").read_text()
        found = re.search(r"VmRSS:\s+(\d+)", status)
        resident += [int(found[1]) / 1024] if found else []
        time.sleep(0.5)
    tenth = max(1, len(resident) // 10)
    tenths = [round(statistics.median(resident[at:at + tenth])) for at in range(0, len(resident) - tenth + 1, tenth)]
    print("resident MB by tenths:", *tenths)
    return {"megabytes_by_tenths": tenths, "pairs": 200_000, "seconds": len(resident) / 2}


def median(values: list[float]) -> str:
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def processor() -> dict:
    info = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    flags = set(re.search(r"^flags\s*:(.*)$", info, re.M)[1].split()) if "flags" in info else set()
    name = re.search(r"^model name\s*:(.*)$", info, re.M)
    return {"name": name[1].strip() if name else platform.processor(),
            "has": sorted(flags & {"avx2", "avx512f", "avx512_vnni", "avx_vnni", "amx_int8"})}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["speed", "memory"])
    parser.add_argument("--data", type=Path, default=os.environ.get("PAIRMILL_DATA"), required="PAIRMILL_DATA" not in os.environ)
    parser.add_argument("--model", type=Path, required=True, help="a cross-encoder that `make pipeline` or pairmill-train has made")
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument("--int8", action="store_true", help="the model has model_quantized.onnx: measure it too")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--python", default=sys.executable, help="interpreter with sentence-transformers")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        result = {"speed": speed, "memory": memory}[args.what](args, args.python, Path(folder))
    commit = subprocess.run(["git", "-C", ROOT, "rev-parse", "HEAD"], stdout=subprocess.PIPE, text=True).stdout.strip()
    result = {"result": result, "commit": commit, "processor": processor(), "threads": args.threads}
    file = HERE / "results" / f"{datetime.now(timezone.utc):%Y-%m-%d-%H%M%S}-{args.what}.json"
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(result, indent=1) + "\n")
    print("raw results:", file.relative_to(ROOT))


if __name__ == "__main__":
    main()
