#!/usr/bin/env python3
"""Evaluates with Pairmill and with others in turn and archives what each took."""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timezone
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
VENV = HERE.parent / ".venv-evaluate"
BINARY = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release/pairmill-evaluate"
OTHERS = ["ranx", "pytrec_eval"]


def interpreter(wanted: str | None) -> str:
    if wanted:
        return wanted
    python = VENV / "bin/python"
    if not python.exists():
        print(f"making {VENV}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", VENV], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "-r", HERE / "requirements.txt"], check=True)
    return str(python)


def run(command: list) -> dict:
    """Seconds of the clock and of the processors, peak resident megabytes and what the program printed."""
    start = time.perf_counter()
    process = subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    out, err = process.stdout.read(), process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{command[0]} failed:\n{err}")
    return {"seconds": time.perf_counter() - start, "processor_seconds": usage.ru_utime + usage.ru_stime,
            "megabytes": usage.ru_maxrss / 1024, "out": out}


def spread(values: list[float]) -> str:
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def metrics(args: argparse.Namespace, python: str, folder: Path) -> dict:
    run([python, HERE / "generated_run.py", args.queries, folder])
    pairmill = lambda form, *options: [BINARY, "run", "--run", folder / f"run.{form}", "--qrels", folder / f"qrels.{form}",
                                       "--threads", args.threads, "--json", *options]
    rounds = []
    for number in range(args.rounds):
        taken = {"pairmill": run(pairmill("parquet", "--resamples", 0)),
                 "pairmill_trec": run(pairmill("trec", "--resamples", 0)),
                 "pairmill_intervals": run(pairmill("parquet"))}
        means = {name: json.loads(one.pop("out"))["model"] for name, one in taken.items()}
        for library in OTHERS:
            one = run([python, HERE / "library.py", library, folder / "run.parquet", folder / "qrels.parquet", args.threads])
            said = json.loads(one.pop("out").splitlines()[-1])
            means[library] = said.pop("figures")
            taken[library] = one | said
        for name, figures in means.items():
            for metric, value in figures.items():
                if abs(value - means["pairmill"][metric]) > 1e-6:
                    sys.exit(f"{metric}: {value} by {name} is not {means['pairmill'][metric]}")
        rounds.append(taken | {"load": os.getloadavg()[0]})
        print(f"round {number + 1}:", json.dumps(rounds[-1]), flush=True)
    for name in ["pairmill", "pairmill_trec", "pairmill_intervals", *OTHERS]:
        of = lambda key: [one[name][key] for one in rounds]
        print(f"{name}: {spread(of('seconds'))} s, {statistics.median(of('megabytes')):.0f} MB")
    for library in OTHERS:
        ratio = lambda seconds: spread([seconds(one[library]) / one["pairmill"]["seconds"] for one in rounds])
        process, scoring = ratio(lambda one: one["seconds"]), ratio(lambda one: one["scoring_again"] or one["scoring"])
        print(f"{library}: process {process}, scoring alone {scoring} times as long as Pairmill's process")
    return {"queries": args.queries, "rounds": rounds}


def search(args: argparse.Namespace, python: str, folder: Path) -> dict:
    """The whole evaluation of scifact from text to figures, beside sentence-transformers' evaluator."""
    data = args.data / "scifact"
    exported = folder / "model"
    run([BINARY.with_name("pairmill-train"), "export", "--model", args.model, "--output", exported, "--int8"])
    line = [BINARY, "retrieval", "--model", exported, "--corpus", data / "corpus.parquet", "--queries", data / "queries_test.parquet",
            "--qrels", data / "qrels_test.parquet", "--threads", args.threads, "--resamples", 0, "--json"]
    forms = {"torch": ["--backend", "torch"], "onnx": ["--backend", "onnx"], "int8": ["--backend", "onnx", "--int8"]}
    rounds = []
    for number in range(args.rounds):
        theirs = run([python, HERE / "st_search.py", args.model, data, args.threads])
        taken = {"sentence_transformers": theirs | json.loads(theirs.pop("out").splitlines()[-1])}
        figures = taken["sentence_transformers"]["figures"]
        for name, options in forms.items():
            ours = run([*line, *options])
            taken[name] = ours | {"figures": json.loads(ours.pop("out"))["model"]}
            for metric, value in taken[name]["figures"].items():
                if name != "int8" and abs(value - figures[metric]) > 1e-4:
                    sys.exit(f"{metric}: {value} by {name} is not {figures[metric]}")
        rounds.append(taken | {"load": os.getloadavg()[0]})
        print(f"round {number + 1}:", json.dumps(rounds[-1]), flush=True)
    ratios = {name: spread([one["sentence_transformers"]["evaluator_seconds"] / one[name]["seconds"] for one in rounds]) for name in forms}
    for name, ratio in ratios.items():
        print(f"sentence-transformers' evaluator takes {ratio} times as long as Pairmill's process, {name}")
    return {"rounds": rounds, "times_as_fast": ratios}


def processor() -> dict:
    info = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    of = lambda key: next((line.split(":", 1)[1].strip() for line in info.splitlines() if line.split(":")[0].strip() == key), "")
    return {"name": of("model name") or platform.processor(),
            "has": sorted({"avx2", "avx512f", "avx512_vnni", "avx_vnni", "amx_int8"}.intersection(of("flags").split()))}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["metrics", "search"])
    parser.add_argument("--data", type=Path, default=os.environ.get("PAIRMILL_DATA"), help="the real data sets, for `search`")
    parser.add_argument("--model", type=Path, help="folder of the sentence model, for `search`")
    parser.add_argument("--queries", type=int, default=100_000, help="queries of the generated run, 100 results each")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--python", help="interpreter with the packages of requirements.txt")
    args = parser.parse_args()
    if args.what == "search" and not (args.data and args.model):
        parser.error("search needs --model and --data (or PAIRMILL_DATA)")
    measure = {"metrics": metrics, "search": search}[args.what]
    with tempfile.TemporaryDirectory() as folder:
        result = measure(args, interpreter(args.python), Path(folder))
    commit = subprocess.run(["git", "-C", ROOT, "rev-parse", "HEAD"], stdout=subprocess.PIPE, text=True).stdout.strip()
    result |= {"commit": commit, "processor": processor(), "threads": args.threads}
    file = HERE / "results" / f"{datetime.now(timezone.utc):%Y-%m-%d-%H%M%S}-{args.what}.json"
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(result, indent=1) + "\n")
    print("raw results:", file.relative_to(ROOT))


if __name__ == "__main__":
    main()
