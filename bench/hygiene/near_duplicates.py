#!/usr/bin/env python3
"""Near-duplicates of a million texts: time, peak memory and recall, beside datatrove's MinHash.

    make build
    python3 bench/hygiene/near_duplicates.py --data DIR [--texts N] [--skip-datatrove]
"""

import argparse
import collections
import json
import os
import random
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from pairmill import BIN, DATA, save

BINARY = BIN / "pairmill-generate"
WORD = re.compile(r"[^\W_]+")
# As crates/hygiene/src/word_sets.rs has them.
SHORT, RUN, THRESHOLD = 50, 5, 0.8
# Partners of a text that are listed, as crates/hygiene/src/checks/near_duplicates.rs has it.
PARTNERS = 100
# Share of the words that a varied copy has anew, and of the texts that are planted edits.
VARIED, PLANTED = 0.35, 0.05


def make(corpus: Path, target: Path, texts: int, seed: int) -> list[tuple[int, int]]:
    """Writes the corpus again and again with other words, and edits of what was written before."""
    draw = random.Random(seed)
    originals = pq.read_table(corpus, columns=["text"]).column("text").to_pylist()
    words = sorted({word for text in originals[::20] for word in text.split()})
    schema = pa.schema([("id", pa.string()), ("text", pa.string())])
    planted, recent, rows, number = [], [], [], 0
    with pq.ParquetWriter(target, schema, compression="zstd") as writer:
        while number < texts:
            if recent and draw.random() < PLANTED:
                source, text = recent[draw.randrange(len(recent))]
                text = edited(text, draw, words)
                planted.append((source, number))
            else:
                text = originals[number % len(originals)].split()
                if number >= len(originals):
                    text = [draw.choice(words) if draw.random() < VARIED else word for word in text]
                text = " ".join(text)
                if draw.random() < 0.2:
                    recent = recent[-4_999:] + [(number, text)]
            rows.append((str(number), text))
            number += 1
            if len(rows) == 32_768 or number == texts:
                ids, cells = zip(*rows)
                writer.write_table(pa.table([ids, cells], schema=schema))
                rows = []
    return planted


def edited(text: str, draw: random.Random, words: list[str]) -> str:
    """One to four words changed, added or taken away."""
    parts = text.split()
    for _ in range(draw.randint(1, 4)):
        at, kind = draw.randrange(len(parts) + 1), draw.randrange(3)
        if kind == 0 or at == len(parts):
            parts.insert(at, draw.choice(words))
        elif kind == 1:
            parts[at] = draw.choice(words)
        elif len(parts) > 1:
            del parts[at]
    return " ".join(parts)


def jaccard(one: str, other: str) -> float:
    """As the page has it: of words where one text is short, else of runs of five."""
    words = [WORD.findall(text.lower()) for text in (one, other)]
    sets = [set(found) for found in words]
    if min(map(len, sets)) >= SHORT:
        sets = [{tuple(found[at:at + RUN]) for at in range(len(found) - RUN + 1)} for found in words]
    together = len(sets[0] | sets[1])
    return len(sets[0] & sets[1]) / together if together else 0.0


def exact_pairs(texts: list[str]) -> set[tuple[int, int]]:
    """All pairs of a part of the texts, each compared that has a rare word in common."""
    where: dict[str, list[int]] = {}
    sets = [set(WORD.findall(text.lower())) for text in texts]
    for number, found in enumerate(sets):
        for word in found:
            where.setdefault(word, []).append(number)
    pairs = set()
    for number, found in enumerate(sets):
        # A pair of 0.8 of words or of runs shares one of the rarest third of the words.
        rare = sorted(found, key=lambda word: len(where[word]))[: len(found) // 3 + 1]
        near = {other for word in rare for other in where[word] if other < number}
        for other in near:
            sizes = sorted((len(found), len(sets[other])))
            if sizes[0] >= 0.6 * sizes[1] and jaccard(texts[other], texts[number]) >= THRESHOLD:
                pairs.add((other, number))
    return pairs


def run(command: list) -> dict:
    """Seconds and peak resident megabytes of the program and its children."""
    start = time.perf_counter()
    process = subprocess.Popen([str(part) for part in command], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with process.stdout, process.stderr:
        out, err = process.communicate()
    seconds = time.perf_counter() - start
    if process.returncode:
        sys.exit(f"{command[0]} failed:\n{err}")
    return {"seconds": seconds, "out": out, "err": err}


def ours(table: Path, folder: Path, threads: int) -> dict:
    line = [BINARY, "check", "--kind", "queries", "--input", table, "--output", folder / "ours", "--only", "two_ids,near_duplicate",
            "--threads", threads, "--force", "--json"]
    start = time.perf_counter()
    process = subprocess.Popen([str(part) for part in line], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit("pairmill-generate check failed")
    return {"seconds": time.perf_counter() - start, "megabytes": usage.ru_maxrss / 1024}


def datatrove(table: Path, folder: Path, workers: int) -> dict:
    """The four steps of its MinHash example, with as many workers as we have threads."""
    made = run([sys.executable, HERE / "datatrove_minhash.py", table, folder / "datatrove", workers])
    figures = json.loads(made["out"].splitlines()[-1])
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    return {"seconds": made["seconds"], "largest_process_megabytes": peak} | figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--texts", type=int, default=1_000_000)
    parser.add_argument("--part", type=int, default=3_000, help="texts compared pair by pair")
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--skip-datatrove", action="store_true")
    parser.add_argument("--keep", type=Path, help="folder of the texts, made once")
    args = parser.parse_args()
    args.data = Path(args.data)
    folder = Path(tempfile.mkdtemp()) if args.keep is None else args.keep
    folder.mkdir(exist_ok=True)
    table, plan = folder / "texts.parquet", folder / "planted.json"
    if not plan.exists():
        plan.write_text(json.dumps(make(args.data / "msdocs_raw/corpus.parquet", table, args.texts, args.seed)))
    planted = json.loads(plan.read_text())
    # Before the texts are here: what is started from a large process counts as large as it.
    measured = ours(table, folder, args.threads)
    print("pairmill:", json.dumps(measured), flush=True)
    texts = pq.read_table(table).column("text").to_pylist()
    result = {"texts": len(texts), "megabytes_of_text": sum(map(len, texts)) / 1e6, "planted": len(planted), "pairmill": measured}
    rows = pq.read_table(folder / "ours/findings.parquet", columns=["id", "other_id", "similarity"]).to_pydict()
    # What is the same text under two ids has no similarity.
    rows = [(int(one), int(other), similarity or 1) for one, other, similarity in zip(*rows.values())]
    found = {tuple(sorted(row[:2])) for row in rows}
    # Texts of the same words stand for each other: only the first of them is held against others.
    same: dict[int, int] = {max(row[:2]): min(row[:2]) for row in rows if row[2] == 1}

    def is_found(pair: tuple[int, int]) -> bool:
        first = {same.get(number, number) for number in pair}
        return tuple(sorted(pair)) in found or len(first) == 1 or tuple(sorted(first)) in found

    result["pairs_found"] = len(found)

    near = [pair for pair in planted if jaccard(texts[pair[0]], texts[pair[1]]) >= THRESHOLD]
    result["planted_of_0.8"] = len(near)
    result["recall_of_planted"] = sum(map(is_found, near)) / max(len(near), 1)
    # A part: planted texts with their sources, and others at even distances.
    part = sorted({number for pair in planted[: args.part // 4] for number in pair} | set(range(0, len(texts), max(1, 2 * len(texts) // args.part))))
    exact = {(part[one], part[other]) for one, other in exact_pairs([texts[number] for number in part])}
    inside = set(part)
    found_there = {pair for pair in found if pair[0] in inside and pair[1] in inside}
    # Of a text with more than 100 partners, as those of one template have, 100 are listed.
    partners = collections.Counter(number for pair in found for number in pair)
    open_pairs = {pair for pair in exact if max(partners[number] for number in pair) < PARTNERS}

    result["part"] = {
        "texts": len(part), "exact_pairs": len(exact), "found": len(exact & found_there), "others_found": len(found_there - exact),
        "exact_pairs_of_texts_with_fewer_partners": len(open_pairs), "found_of_those": sum(is_found(pair) for pair in open_pairs),
        "texts_with_a_partner": len({number for pair in exact for number in pair}),
        "found_with_any_partner": sum(partners[number] > 0 for number in {number for pair in exact for number in pair}),
    }
    result["recall_of_part"] = result["part"]["found_of_those"] / max(len(open_pairs), 1)
    print(json.dumps({key: value for key, value in result.items() if key != "pairmill"}), flush=True)
    del texts
    if not args.skip_datatrove:
        result["datatrove"] = datatrove(table, folder, args.threads)
        result["times_as_fast"] = result["datatrove"]["seconds"] / result["pairmill"]["seconds"]
        print("datatrove:", json.dumps(result["datatrove"]), flush=True)
    save(HERE, "near-duplicates", result | {"threads": args.threads, "load": os.getloadavg()[0]})
    if args.keep is None:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
