#!/usr/bin/env python3
"""Makes synonyms with Pairmill and with nlpaug in turn and archives what each took."""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
VENV = HERE.parent / ".venv-augment"
sys.path.insert(0, str(HERE.parent))
from pairmill import BIN, DATA, save

BINARY = BIN / "pairmill-generate"


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
    """Seconds, peak resident megabytes and what the program printed."""
    start = time.perf_counter()
    process = subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    with process.stdout, process.stderr:
        out, err = process.stdout.read(), process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{command[0]} failed:\n{err}")
    return {"seconds": time.perf_counter() - start, "megabytes": usage.ru_maxrss / 1024, "report": json.loads(out.splitlines()[-1])}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the data sets")
    parser.add_argument("--wordnet", type=Path, default=Path("/usr/share/wordnet"), help="folder of the dictionary")
    parser.add_argument("--texts", type=int, default=2_000, help="texts that nlpaug gets")
    parser.add_argument("--per-row", type=int, default=10, help="wordings of each text that Pairmill makes")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--python", help="an interpreter that has the packages")
    args = parser.parse_args()
    args.data = Path(args.data)
    python = interpreter(args.python)
    table = args.data / "banking77/tickets_train.parquet"
    rounds = []
    with tempfile.TemporaryDirectory() as folder:
        line = [BINARY, "augment", "--input", table, "--output", Path(folder) / "out.parquet", "--method", "synonyms",
                "--wordnet", args.wordnet, "--force", "--json"]
        for number in range(args.rounds):
            theirs = run([python, HERE / "nlpaug_synonyms.py", table, args.wordnet, args.texts])
            ours = {}
            for name, per_row, threads in [("once", 1, args.threads), ("whole", args.per_row, args.threads),
                                           ("one_thread", args.per_row, 1)]:
                found = run([*line, "--per-row", per_row, "--threads", threads])
                made = found["report"]["kept"] + found["report"]["refused"]
                ours[name] = found | {"wordings_per_second": made / found["seconds"]}
            rounds.append({"nlpaug": theirs, "pairmill": ours})
            times = {name: one["wordings_per_second"] / theirs["report"]["texts_per_second"] for name, one in ours.items()}
            print(f"round {number + 1}: nlpaug {theirs['report']['texts_per_second']:.0f} texts a second,",
                  ", ".join(f"{name} {one['wordings_per_second']:.0f} ({times[name]:.0f} times)" for name, one in ours.items()),
                  flush=True)
    for name in rounds[0]["pairmill"]:
        of = [one["pairmill"][name]["wordings_per_second"] / one["nlpaug"]["report"]["texts_per_second"] for one in rounds]
        print(f"{name}: {statistics.median(of):.0f} times as many a second ({min(of):.0f} to {max(of):.0f})")
    options = {name: str(value) for name, value in vars(args).items() if name in ("texts", "per_row", "threads", "rounds")}
    save(HERE, "synonyms", {"python": platform.python_version(), "options": options, "rounds": rounds})


main()
