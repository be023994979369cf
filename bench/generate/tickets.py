"""Time and memory of `generate tickets` over a million generated tickets in 50 categories.

    make build
    python3 bench/generate/tickets.py [--tickets N] [--categories N] [--form jsonl|csv] [--keep DIR]
"""

import argparse
import csv
import datetime
import json
import os
import platform
import random
import subprocess
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
WORDS = """account access battery billing button cable code connection contract crash delivery device display
door driver email error filter firmware hinge invoice keyboard lamp license light login meeting message monitor motor mouse
network order paper password payment phone plan plug policy port power printer pump refund report request router scanner
screen server signal software speaker station storage sync tablet timer token update user valve vehicle wallet""".split()
VERBS = "fails shows drops asks blinks stops loses repeats rejects delays empties ignores".split()


def write(path: Path, tickets: int, categories: int, form: str) -> None:
    draw = random.Random(42)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        if form == "csv":
            writer.writerow(["id", "text", "category"])
        for number in range(tickets):
            words = draw.choices(WORDS, k=draw.randint(8, 24))
            text = f"Ticket {number}: the {words[0]} {draw.choice(VERBS)} and the {' '.join(words[1:])} too."
            # A few categories have most of the tickets.
            category = f"Category {int(categories * draw.random() ** 1.5)}"
            row = [f"T{number:07}", text, category]
            if form == "csv":
                writer.writerow(row)
            else:
                file.write(json.dumps(dict(zip(["id", "text", "category"], row))) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--tickets", type=int, default=1_000_000)
    parser.add_argument("--categories", type=int, default=50)
    parser.add_argument("--form", choices=["jsonl", "csv"], default="jsonl")
    parser.add_argument("--program", default=os.environ.get("BIN", "target/release") + "/pairmill-generate")
    parser.add_argument("--keep", help="folder of the tables, which is kept")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(arguments.keep or temporary)
        folder.mkdir(exist_ok=True)
        path = folder / f"tickets.{arguments.form}"
        write(path, arguments.tickets, arguments.categories, arguments.form)
        command = [arguments.program, "tickets", "--input", str(path), "--output", str(folder / "out"),
                   "--threads", "2", "--json", "--force"]
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        output = process.stdout.read()
        messages = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        assert os.waitstatus_to_exitcode(status) == 0, messages
        written = sum(file.stat().st_size for file in (folder / "out").iterdir())
        result = {
            "tickets": arguments.tickets, "categories": arguments.categories, "form": arguments.form,
            "input_mb": round(path.stat().st_size / 1e6), "output_mb": round(written / 1e6),
            "seconds": round(seconds, 1), "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 1),
            "peak_mb": round(usage.ru_maxrss / 1024), "load": round(os.getloadavg()[0], 1),
            "machine": f"{platform.machine()}, {os.cpu_count()} cores", "summary": json.loads(output),
        }
    result["summary"].pop("output", None)
    name = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d-%H%M%S-tickets.json")
    (HERE / "results" / name).write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))


main()
