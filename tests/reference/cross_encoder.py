"""A small cross-encoder that pairmill-train has trained, and sentence-transformers' logits and scores of it.

    make build && pip install -r tests/reference/requirements.txt
    HF_HUB_OFFLINE=1 python tests/reference/cross_encoder.py

Writes the folder cross_encoder/, which the tests score with, and cross_encoder.json. Made with Python 3.11,
sentence-transformers 6.2.0, transformers 5.23.0, torch 2.11.0 (CPU, float32). The network has two layers of width 32 and
the most frequent words of data/qa.jsonl. Each pair is scored by itself, so that no padding takes part.
"""

import json
import os
import re
import shutil
import subprocess
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import torch
from sentence_transformers import CrossEncoder
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

from check_cross_encoder import PAIRS
from reference import FOLDER, rounded, versions, write

ROOT = FOLDER.parent.parent
BIN = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release"
SAMPLE = ROOT / "data" / "qa.jsonl"
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
VOCABULARY, MAX_LENGTH, OF_THE_TABLE = 600, 48, 60


def base(folder: Path) -> None:
    rows = [json.loads(line) for line in SAMPLE.read_text(encoding="utf-8").splitlines()]
    words = Counter(word for row in rows for text in (row["question"], row["answer"]) for word in re.findall(r"\w+|[^\w\s]+", text.lower()))
    vocabulary = SPECIAL + [word for word, _ in words.most_common(VOCABULARY - len(SPECIAL))]
    backend = Tokenizer(models.WordLevel({word: n for n, word in enumerate(vocabulary)}, unk_token="[UNK]"))
    backend.normalizer, backend.pre_tokenizer = normalizers.Lowercase(), pre_tokenizers.Whitespace()
    backend.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    PreTrainedTokenizerFast(
        tokenizer_object=backend, model_max_length=MAX_LENGTH, pad_token="[PAD]", unk_token="[UNK]",
        cls_token="[CLS]", sep_token="[SEP]", model_input_names=["input_ids", "token_type_ids", "attention_mask"],
    ).save_pretrained(folder)  # fmt: skip
    torch.manual_seed(1)
    BertModel(
        BertConfig(
            vocab_size=VOCABULARY, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64,
            max_position_embeddings=MAX_LENGTH, initializer_range=0.1,
        )  # fmt: skip
    ).save_pretrained(folder)


def pairmill(program: str, *words: object) -> None:
    subprocess.run([str(word) for word in (BIN / f"pairmill-{program}", *words)], check=True)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        base(work / "base")
        pairmill("generate", "qa", "--input", SAMPLE, "--output", work / "data")
        pairmill(
            "train", "cross-encoder", "--model", work / "base", "--train", work / "data" / "labeled_train.parquet",
            "--output", work / "trained", "--num-train-epochs", 100, "--learning-rate", "5e-4",
        )  # fmt: skip
        model = CrossEncoder(str(work / "trained"), device="cpu", local_files_only=True)
        assert model.max_seq_length == MAX_LENGTH
        table = pq.read_table(work / "data" / "labeled_train.parquet").slice(0, OF_THE_TABLE)
        pairs = PAIRS + [list(pair) for pair in zip(table["sentence1"].to_pylist(), table["sentence2"].to_pylist())]
        logits = [float(model.predict([pair], activation_fn=torch.nn.Identity())[0]) for pair in pairs]
        scores = [float(model.predict([pair])[0]) for pair in pairs]
        kept = FOLDER / "cross_encoder"
        shutil.rmtree(kept, ignore_errors=True)
        kept.mkdir()
        for name in ("model.onnx", "tokenizer.json", "tokenizer_config.json", "config.json"):
            shutil.copy(work / "trained" / name, kept / name)
    print(f"logits from {min(logits):.3f} to {max(logits):.3f}, standard deviation {np.std(logits):.3f}")
    write("cross_encoder.json", {
        "versions": versions("sentence-transformers", "transformers", "torch"), "pairs": pairs,
        "logits": rounded(logits), "scores": rounded(scores),
    })  # fmt: skip


if __name__ == "__main__":
    main()
