#!/usr/bin/env python3
"""500 of a million texts from stored embeddings: seconds and peak memory of `select`.

    make build
    target/release/pairmill-train export --model .deps/models/all-MiniLM-L6-v2 --output runs/onnx
    python3 bench/active_learning/million.py --data DIR --onnx runs/onnx

The embeddings are those of banking77's and clinc150's training texts, then again and again with noise
of a fifth of their length, so that they lie as real ones do. They are written into `select`'s cache, so no
text is embedded. Timed are a first choice, and a choice by margin with 1,000 labels.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

import blake3
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from pairmill import BIN, DATA, pairmill, save

NOISE = 0.2


def measured(*words: object) -> dict:
    """Seconds and peak resident megabytes of the program, without those of this script."""
    line = ["/usr/bin/time", "-f", "%M", str(BIN / "pairmill-generate"), *map(str, words), "--quiet", "--force", "--json"]
    start = time.perf_counter()
    done = subprocess.run(line, capture_output=True, text=True)
    seconds = time.perf_counter() - start
    if done.returncode:
        raise SystemExit(done.stderr)
    report = json.loads(done.stdout)
    return {"seconds": round(seconds, 1), "megabytes": int(done.stderr.split()[-1]) // 1024, "chosen": report["chosen"]}


def key(text: str) -> bytes:
    """As crates/schema/src/key.rs has it."""
    return blake3.blake3(text.encode()).digest()[:16]


def write(file: Path, texts: list[str], categories: list[str] | None = None) -> None:
    columns = {"id": [str(row) for row in range(len(texts))], "text": texts}
    pq.write_table(pa.table(columns | ({"category": categories} if categories else {})), file)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the data sets")
    parser.add_argument("--onnx", type=Path, required=True, help="the model with an ONNX file")
    parser.add_argument("--texts", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--work", type=Path, default=Path("runs/million"), help="folder for what is kept")
    args = parser.parse_args()
    work, cache = args.work, args.work / "cache"
    work.mkdir(parents=True, exist_ok=True)
    columns = ["text", "category"]
    known = pa.concat_tables([pq.read_table(Path(args.data) / name / "tickets_train.parquet", columns=columns)
                              for name in ("banking77", "clinc150")])
    categories = dict(zip(known["text"].to_pylist(), known["category"].to_pylist()))
    part, pool, labelled = (work / f"{name}.parquet" for name in ("part", "pool", "labelled"))
    write(part, list(categories))
    options = ["--model", args.onnx, "--cache", cache, "--number", 500]
    if not cache.exists():
        # The program embeds the originals; the others are added to its store as it would.
        pairmill("generate", "select", "--pool", part, *options, "--output", work / "sheet.parquet", "--force")
        (store,) = cache.iterdir()
        stored = (store / "keys").read_bytes()
        places = {stored[at:at + 16]: at // 24 for at in range(0, len(stored), 24)}
        # Texts that differ in blanks alone were embedded once.
        originals = [text for text in categories if key(text) in places]
        vectors = np.fromfile(store / "embeddings.f32", "<f4").reshape(len(places), -1)
        draw = np.random.default_rng(0)
        texts = list(originals)
        with open(store / "keys", "ab") as keys, open(store / "embeddings.f32", "ab") as embeddings:
            for row in range(len(originals), args.texts):
                original = originals[row % len(originals)]
                texts.append(f"{original} ({row})")
                noise = draw.standard_normal(vectors.shape[1])
                vector = vectors[places[key(original)]] + NOISE * noise / np.linalg.norm(noise)
                vector = (vector / np.linalg.norm(vector)).astype("<f4").tobytes()
                its_key = key(texts[-1])
                keys.write(its_key + blake3.blake3(its_key + vector).digest()[:8])
                embeddings.write(vector)
        write(pool, texts)
        chosen = [originals[row] for row in draw.choice(len(originals), 1_000, replace=False)]
        write(labelled, chosen, [categories[text] for text in chosen])
    rounds = []
    for _ in range(args.rounds):
        select = ["select", "--pool", pool, *options, "--output", work / "sheet.parquet"]
        rounds.append({"first": measured(*select), "margin": measured(*select, "--labelled", labelled)})
        print(rounds[-1], flush=True)
    save(HERE, "million", {"texts": args.texts, "rounds": rounds})


if __name__ == "__main__":
    main()
