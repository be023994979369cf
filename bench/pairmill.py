"""What the scripts of this folder share: running Pairmill's programs, and keeping raw results."""

import json
import os
import platform
import subprocess
import sys
import time
from datetime import datetime, timezone
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release"
DATA = os.environ.get("PAIRMILL_DATA")
MODEL = os.environ.get("PAIRMILL_MODEL", ROOT / ".deps/models/all-MiniLM-L6-v2")


def pairmill(program: str, *words: object, code: int = 0) -> dict:
    """What the program prints as JSON; the seconds that it took go to the log."""
    start = time.perf_counter()
    line = [str(word) for word in [BIN / f"pairmill-{program}", *words, "--json", "--quiet"]]
    done = subprocess.run(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode != code:
        raise SystemExit(f"{' '.join(line)}\n{done.stderr}")
    print(f"  {program} {words[0]}: {time.perf_counter() - start:.0f} s", file=sys.stderr, flush=True)
    return json.loads(done.stdout) if done.stdout.strip() else {}


def kept(file: Path, make) -> dict:
    """What was made before, or is made now and kept, so that a script can be stopped at any time."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(make(), indent=1))
    return json.loads(file.read_text())


def save(folder: Path, name: str, figures: dict) -> None:
    """Keeps raw results under a name with the time."""
    commit = subprocess.run(["git", "-C", ROOT, "rev-parse", "HEAD"], stdout=subprocess.PIPE, text=True).stdout.strip()
    machine = f"{platform.machine()}, {os.cpu_count()} cores"
    file = folder / "results" / f"{datetime.now(timezone.utc):%Y-%m-%d-%H%M%S}-{name}.json"
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps({"commit": commit, "machine": machine} | figures, indent=1) + "\n")
    print("raw results:", file.relative_to(ROOT))
