#!/usr/bin/env python3
"""Trains with Pairmill and with sentence-transformers in turn and archives what each took."""

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timezone
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
VENV = HERE.parent / ".venv"
REQUIREMENTS = ROOT / "tests/reference/requirements.txt"

# data set → longest text in tokens, steps
SPEED = {"nl2bash": (128, 30), "medquad": (256, 12)}


def interpreter(wanted: str | None) -> str:
    if wanted:
        return wanted
    python = VENV / "bin/python"
    if not python.exists():
        print(f"making {VENV}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", VENV], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "-r", REQUIREMENTS], check=True)
    return str(python)


def command_of_pairmill(model: Path, pairs: Path, length: int, options: list[str], output: Path) -> list[str]:
    binary = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release/pairmill-train"
    command = [binary, "encoder", "--model", model, "--train", pairs, "--output", output,
               "--max-length", length, "--save-steps", 0, "--json", "--quiet", *options]
    return [str(part) for part in command]


def pairmill(model: Path, pairs: Path, length: int, options: list[str], output: Path) -> dict:
    command = command_of_pairmill(model, pairs, length, options, output)
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def memory(args: argparse.Namespace, python: str, model: Path, folder: Path) -> dict:
    """Resident memory of a long run, sampled once a second (Linux)."""
    prepare(python, args.data, "nl2bash", folder / "data")
    command = command_of_pairmill(model, folder / "data/pairs.parquet", 128,
                                  ["--max-steps", str(args.steps), "--num-train-epochs", "10"], folder / "model")
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    samples = []
    while process.poll() is None:
        status = Path(f"/proc/{process.pid}/status").read_text()
        samples += [int(line.split()[1]) // 1024 for line in status.splitlines() if line.startswith("VmRSS")]
        time.sleep(1)
    tenths = [max(samples[len(samples) * n // 10:len(samples) * (n + 1) // 10]) for n in range(10)]
    print("largest resident memory in each tenth of the run, MB:", *tenths)
    return {"megabytes": samples}


def sentence_transformers(python: str, model: Path, pairs: Path, length: int, steps: int) -> dict:
    command = [python, HERE / "st_train.py", model, pairs, length, steps]
    done = subprocess.run([str(part) for part in command], check=True, stdout=subprocess.PIPE)
    return json.loads(done.stdout.splitlines()[-1])


def prepare(python: str, data: Path, name: str, folder: Path) -> None:
    subprocess.run([python, str(HERE / "prepare.py"), str(data), name, str(folder)], check=True)


def speed(args: argparse.Namespace, python: str, model: Path, folder: Path) -> dict:
    rounds = []
    for name, (length, steps) in SPEED.items():
        prepare(python, args.data, name, folder / name)
        pairs = folder / name / "pairs.parquet"
        for number in range(args.rounds):
            ours = pairmill(model, pairs, length, ["--max-steps", str(steps)], folder / "model")
            shutil.rmtree(folder / "model")
            theirs = sentence_transformers(python, model, pairs, length, steps)
            per_second = {"pairmill": 32 * steps / ours["seconds"],
                          "sentence_transformers": 32 * steps / theirs["seconds"]}
            ratio = per_second["pairmill"] / per_second["sentence_transformers"]
            rounds.append({"data": name, "round": number + 1, "pairs_per_second": per_second,
                           "final_loss": {"pairmill": ours["final_loss"],
                                          "sentence_transformers": theirs["loss"]},
                           "ratio": ratio})
            print(f"{name} round {number + 1}: {per_second['pairmill']:.1f} against "
                  f"{per_second['sentence_transformers']:.1f} pairs/s, {ratio:.2f}×", file=sys.stderr)
    print("| data | longest text | pairmill pairs/s | sentence-transformers pairs/s | ratio (least to most) |\n|---|--:|--:|--:|--:|")
    for name, (length, _) in SPEED.items():
        mine = [r for r in rounds if r["data"] == name]
        median = {side: statistics.median(r["pairs_per_second"][side] for r in mine)
                  for side in ("pairmill", "sentence_transformers")}
        ratios = sorted(r["ratio"] for r in mine)
        print(f"| {name} | {length} | {median['pairmill']:.1f} | {median['sentence_transformers']:.1f} | "
              f"{statistics.median(ratios):.2f}× ({ratios[0]:.2f} to {ratios[-1]:.2f}) |")
    return {"rounds": rounds}


def quality(args: argparse.Namespace, python: str, model: Path, folder: Path) -> dict:
    prepare(python, args.data, "medquad-protocol", folder / "data")
    binary = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release/pairmill-evaluate"

    def evaluate(tuned: Path) -> dict:
        data = folder / "data"
        command = [binary, "retrieval", "--model", tuned, "--corpus", data / "corpus.parquet", "--queries",
                   data / "queries.parquet", "--qrels", data / "qrels.parquet", "--max-length", 128, "--json", "--quiet"]
        done = subprocess.run([str(part) for part in command], check=True, stdout=subprocess.PIPE)
        return json.loads(done.stdout)

    runs = [{"seed": None, "scores": evaluate(model)}]
    for seed in range(args.rounds):
        report = pairmill(model, folder / "data/pairs.parquet", 128, ["--seed", str(seed)], folder / "model")
        runs.append({"seed": seed, "seconds": report["seconds"], "scores": evaluate(folder / "model")})
        shutil.rmtree(folder / "model")
        print(json.dumps(runs[-1]), file=sys.stderr)
    return {"runs": runs}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["speed", "quality", "memory"])
    parser.add_argument("--data", type=Path, default=os.environ.get("PAIRMILL_DATA"), help="folder of the data sets")
    parser.add_argument("--model", type=Path, default=os.environ.get("PAIRMILL_MODEL", ROOT / ".deps/models/all-MiniLM-L6-v2"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=600, help="of the run whose memory is watched")
    parser.add_argument("--python", help="interpreter with the packages of tests/reference/requirements.txt")
    args = parser.parse_args()
    if args.data is None:
        parser.error("--data or PAIRMILL_DATA must name the folder of the data sets")
    python = interpreter(args.python)
    with tempfile.TemporaryDirectory() as folder:
        result = {"speed": speed, "quality": quality, "memory": memory}[args.what](args, python, args.model, Path(folder))
    now = datetime.now(timezone.utc)
    result |= {"what": args.what, "when": now.isoformat(timespec="seconds"), "cores": os.cpu_count(),
               "machine": platform.machine(), "load_at_end": os.getloadavg()}
    (HERE / "results").mkdir(exist_ok=True)
    path = HERE / "results" / f"{now:%Y-%m-%d-%H%M%S}-{args.what}.json"
    path.write_text(json.dumps(result, indent=1) + "\n")
    print(f"raw results: {path.relative_to(ROOT)}", file=sys.stderr)


if __name__ == "__main__":
    main()
