"""Loads a folder that Pairmill wrote with sentence-transformers and with plain transformers.

    HF_HUB_OFFLINE=1 python tests/reference/check_folder.py MODEL_DIR [--expected FILE.json]

Says which files are there, whether every tensor is used and none is missing, and how far the embeddings of the
two libraries lie apart on the texts of embeddings.json. `--expected` is a file of the same form (`texts`,
`embeddings`, and `token_ids` where known), written by our program for this folder; the texts are then taken from
there. Exit code 1 if a file is missing, a tensor does not fit, or a difference is above the tolerance.
"""

import argparse
import json
import sys
import warnings
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors import safe_open
from sentence_transformers import SentenceTransformer
from transformers import AutoModel, AutoTokenizer
from transformers.utils import logging as transformers_logging

from reference import FOLDER, read

REQUIRED = [
    "config.json",
    "model.safetensors",
    "modules.json",
    "sentence_bert_config.json",
    "config_sentence_transformers.json",
    "tokenizer.json",
    "tokenizer_config.json",
]
OPTIONAL = ["README.md", "special_tokens_map.json", "vocab.txt"]
# The pooler of BertModel takes no part in a pooled embedding; many checkpoints leave it out.
UNUSED = ("pooler.dense.weight", "pooler.dense.bias")


def check_files(folder: Path) -> list[str]:
    problems = []
    pooling = [
        f"{module['path']}/config.json"
        for module in (read(folder / "modules.json") if (folder / "modules.json").is_file() else [])
        if module["type"].endswith("Pooling")
    ]
    for name in REQUIRED + (pooling or ["1_Pooling/config.json"]):
        there = (folder / name).is_file()
        print(f"  {name}: {'there' if there else 'MISSING'}")
        if not there:
            problems.append(f"{name} is missing")
    for name in OPTIONAL:
        print(f"  {name}: {'there' if (folder / name).is_file() else 'not there (optional)'}")
    if (folder / "model.safetensors").is_file():
        with safe_open(folder / "model.safetensors", framework="pt") as tensors:
            metadata = tensors.metadata()
            print(f"  model.safetensors: {len(list(tensors.keys()))} tensors, metadata {json.dumps(metadata)}")
        if (metadata or {}).get("format") != "pt":
            problems.append(f'model.safetensors has metadata {metadata}, expected {{"format": "pt"}}')
    return problems


def plain(folder: Path, texts: list[str], reference: SentenceTransformer) -> tuple[torch.Tensor, list[str]]:
    """The embeddings without sentence-transformers' loading: AutoModel, then pooling by hand."""
    model, info = AutoModel.from_pretrained(folder, output_loading_info=True, local_files_only=True)
    model.eval()
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    problems = []
    for kind in ("missing_keys", "unexpected_keys", "mismatched_keys"):
        keys = sorted(str(key) for key in info[kind] if key not in UNUSED)
        print(f"  {kind.replace('_', ' ')}: {', '.join(keys) or 'none'}")
        problems += [f"{kind.replace('_', ' ')}: {key}" for key in keys]

    modes = reference[1].pooling_mode
    normalize = any(type(module).__name__ == "Normalize" for module in reference)
    if modes not in ("mean", "cls"):
        print(f"  pooling {modes} is not done by hand here")
        return torch.empty(0), problems
    rows = []
    with torch.no_grad():
        for text in texts:
            features = tokenizer(
                text, truncation=True, max_length=reference.max_seq_length, padding=False, return_tensors="pt"
            )
            states = model(**features).last_hidden_state[0]
            rows.append(states.mean(dim=0) if modes == "mean" else states[0])
    embeddings = torch.stack(rows)
    return F.normalize(embeddings, dim=1) if normalize else embeddings, problems


def largest(left: torch.Tensor, right: torch.Tensor) -> float:
    return (left.double() - right.double()).abs().max().item()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--expected", type=Path)
    parser.add_argument("--tolerance", type=float, default=1e-5)
    args = parser.parse_args()
    transformers_logging.disable_progress_bar()

    print(f"files of {args.model}")
    problems = check_files(args.model)
    if problems:
        print("FAILED: " + "; ".join(problems))
        return 1

    torch.set_num_threads(2)
    print("sentence-transformers")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = SentenceTransformer(str(args.model), device="cpu", local_files_only=True)
    for warning in caught:
        print(f"  warning: {warning.message}")
    print(f"  {' > '.join(type(module).__name__ for module in model)}, pooling {model[1].pooling_mode}")
    print(f"  max_seq_length {model.max_seq_length}, similarity {model.similarity_fn_name}")

    expected = read(args.expected or FOLDER / "embeddings.json")
    texts = expected["texts"]
    embeddings = torch.stack([model.encode(text, convert_to_tensor=True) for text in texts])
    print(f"  {len(texts)} texts, embeddings of {embeddings.shape[1]} numbers")

    print("transformers")
    by_hand, found = plain(args.model, texts, model)
    problems += found
    if len(by_hand):
        difference = largest(embeddings, by_hand)
        print(f"  largest difference to sentence-transformers: {difference:.3g}")
        if difference > args.tolerance:
            problems.append(f"transformers differs from sentence-transformers by {difference:.3g}")

    if args.expected:
        print(f"expected: {args.expected}")
        theirs = torch.tensor(expected["embeddings"], dtype=torch.float64)
        if theirs.shape != embeddings.shape:
            problems.append(f"expected embeddings have shape {tuple(theirs.shape)}, found {tuple(embeddings.shape)}")
        else:
            difference = largest(embeddings, theirs)
            print(f"  largest absolute difference: {difference:.3g}")
            # A NaN fails too.
            if not difference <= args.tolerance:
                worst = (embeddings.double() - theirs).abs().max(dim=1).values.argmax().item()
                problems.append(f"embeddings differ by {difference:.3g}, most at text {worst} {texts[worst][:60]!r}")
        for row, ids in enumerate(expected.get("token_ids", [])):
            found_ids = model.preprocess([texts[row]])["input_ids"][0].tolist()
            if ids != found_ids:
                problems.append(
                    f"token ids of text {row} differ: {ids[:8]}… ({len(ids)}), found {found_ids[:8]}… ({len(found_ids)})"
                )

    print("FAILED: " + "; ".join(problems) if problems else "OK")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
