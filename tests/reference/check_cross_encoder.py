"""Loads a cross-encoder folder that Pairmill wrote and holds its scores against ONNX Runtime's.

    pairmill-filter score --model DIR --pairs TABLE --output SCORED.parquet
    HF_HUB_OFFLINE=1 python tests/reference/check_cross_encoder.py DIR [--onnx FILE] [--scored SCORED.parquet]

DIR is loaded as sentence_transformers.CrossEncoder; DIR/model.onnx (or DIR/onnx/model.onnx) gives the logits of the
same tokens. `--scored` is what the first line writes, the scores after the sigmoid as CrossEncoder.predict gives them;
at most 500 of its rows are looked at. Exit code 1 if a file is missing, a tensor does not fit, or a
difference is above the tolerance.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pyarrow.parquet as pq
import torch
from safetensors import safe_open
from sentence_transformers import CrossEncoder
from transformers import AutoModelForSequenceClassification, AutoTokenizer
from transformers.utils import logging as transformers_logging

from reference import read

PAIRS = [
    ["How do I reset my password?", "Open the portal, choose Forgot password and follow the mail."],
    ["How do I reset my password?", "Invoices are sent on the first working day of each month."],
    ["printer offline", "Check the cable, then restart the spooler service and print a test page."],
    ["printer offline", ""],
    ["", "An answer without a question."],
    ["Où est ma facture n° 4711 ?", "请问如何重置密码？ 😡"],
    ["vpn drops evry 5min w/ SSO", "Set the idle timeout of the gateway to zero. " * 60],
    ["The same text on both sides.", "The same text on both sides."],
]
REQUIRED = ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"]
OPTIONAL = ["README.md", "special_tokens_map.json", "vocab.txt", "modules.json", "config_sentence_transformers.json"]


def check_files(folder: Path) -> list[str]:
    problems = []
    for name in REQUIRED:
        there = (folder / name).is_file()
        print(f"  {name}: {'there' if there else 'MISSING'}")
        if not there:
            problems.append(f"{name} is missing")
    for name in OPTIONAL:
        print(f"  {name}: {'there' if (folder / name).is_file() else 'not there (optional)'}")
    if problems:
        return problems
    config = read(folder / "config.json")
    labels = len(config["id2label"]) if "id2label" in config else config.get("num_labels")
    print(f"  config.json: architectures {config.get('architectures')}, labels {labels}")
    if config.get("architectures") != ["BertForSequenceClassification"]:
        problems.append(f"architectures is {config.get('architectures')}")
    if labels != 1:
        problems.append(f"the config gives {labels} labels, expected 1 (id2label with one entry)")
    with safe_open(folder / "model.safetensors", framework="pt") as tensors:
        metadata = tensors.metadata()
        print(f"  model.safetensors: {len(list(tensors.keys()))} tensors, metadata {json.dumps(metadata)}")
    if (metadata or {}).get("format") != "pt":
        problems.append(f'model.safetensors has metadata {metadata}, expected {{"format": "pt"}}')
    # Without a model_type the library takes a folder with modules.json for a SentenceTransformer and converts it.
    if (folder / "modules.json").is_file():
        settings = folder / "config_sentence_transformers.json"
        kind = read(settings).get("model_type") if settings.is_file() else None
        if kind != "CrossEncoder":
            problems.append(f"modules.json is there, but config_sentence_transformers.json has model_type {kind}")
    return problems


def scored(file: Path) -> tuple[list[list[str]], np.ndarray]:
    """The pairs of texts of a table that pairmill-filter has scored, and their scores."""
    table = pq.read_table(file).slice(0, 500)
    known = [("sentence1", "sentence2"), ("anchor", "positive"), ("query", "text")]
    columns = next(pair for pair in known if set(pair) <= set(table.column_names))
    pairs = zip(*(table[name].to_pylist() for name in columns))
    return [list(pair) for pair in pairs], table["score"].to_numpy().astype(np.float64)


def onnx_logits(path: Path, tokenizer, max_length: int, pairs: list[list[str]]) -> np.ndarray:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    inputs = {item.name: item.type for item in session.get_inputs()}
    outputs = [f"{item.name} {item.shape}" for item in session.get_outputs()]
    print(f"  inputs {', '.join(inputs)}; outputs {', '.join(outputs)}")
    features = tokenizer(
        [pair[0] for pair in pairs], [pair[1] for pair in pairs],
        padding=True, truncation="longest_first", max_length=max_length, return_tensors="np",
    )  # fmt: skip
    logits = session.run(None, {name: features[name].astype(np.int64) for name in inputs})[0]
    return logits.reshape(len(pairs))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--onnx", type=Path)
    parser.add_argument("--scored", type=Path)
    parser.add_argument("--tolerance", type=float, default=1e-4)
    args = parser.parse_args()
    transformers_logging.disable_progress_bar()

    print(f"files of {args.model}")
    problems = check_files(args.model)
    graph = args.onnx or next(
        (path for path in (args.model / "model.onnx", args.model / "onnx" / "model.onnx") if path.is_file()), None
    )
    if graph is None:
        problems.append("there is no model.onnx")
    if problems:
        print("FAILED: " + "; ".join(problems))
        return 1

    torch.set_num_threads(2)
    _, info = AutoModelForSequenceClassification.from_pretrained(
        args.model, output_loading_info=True, local_files_only=True
    )
    print("transformers")
    for kind in ("missing_keys", "unexpected_keys", "mismatched_keys"):
        keys = sorted(str(key) for key in info[kind])
        print(f"  {kind.replace('_', ' ')}: {', '.join(keys) or 'none'}")
        problems += [f"{kind.replace('_', ' ')}: {key}" for key in keys]

    print("sentence-transformers")
    model = CrossEncoder(str(args.model), device="cpu", local_files_only=True)
    print(f"  labels {model.num_labels}, activation {model.activation_fn}, max_seq_length {model.max_seq_length}")
    pairs, given = scored(args.scored) if args.scored else (PAIRS, None)
    logits = np.array([model.predict([pair], activation_fn=torch.nn.Identity())[0] for pair in pairs], dtype=np.float64)
    scores = np.array([model.predict([pair])[0] for pair in pairs], dtype=np.float64)

    print(f"ONNX Runtime on {graph}")
    tokenizer = AutoTokenizer.from_pretrained(args.model, local_files_only=True)
    found = onnx_logits(graph, tokenizer, model.max_seq_length, pairs).astype(np.float64)
    for pair, logit, score, onnx in list(zip(pairs, logits, scores, found))[:8]:
        print(f"  logit {logit:+.6f}  onnx {onnx:+.6f}  score {score:.6f}  {pair[0][:30]!r} | {pair[1][:40]!r}")
    difference = np.abs(logits - found).max()
    print(f"  largest absolute difference of the logits: {difference:.3g}")
    # A NaN fails too.
    if not difference <= args.tolerance:
        problems.append(f"the ONNX logits differ by {difference:.3g}")

    if given is not None:
        difference = np.abs(scores - given).max()
        print(f"{args.scored}\n  largest absolute difference of the scores: {difference:.3g}")
        if not difference <= args.tolerance:
            problems.append(f"the scores of {args.scored} differ by {difference:.3g}")

    print("FAILED: " + "; ".join(problems) if problems else "OK")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
