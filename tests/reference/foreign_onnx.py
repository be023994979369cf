#!/usr/bin/env python3
"""What onnxruntime in Python gives of ONNX files that others have made of sentence encoders.

python3 scripts/setup.py paraphrase-minilm-l3-onnx minilm-l6-int8-onnx
python3 tests/reference/foreign_onnx.py .deps/models > tests/reference/foreign_onnx.json
(needs numpy, onnxruntime and tokenizers)

Both take the tokenizer of all-MiniLM-L6-v2. Each text runs alone, since the int8 file rounds to a scale
that a whole batch shares. The embedding is the mean over the tokens, brought to length 1.
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

TEXTS = [
    "The printer on floor 3 jams when I print both sides.",
    "How do I reset my password?",
    "",
    "Straße, naïve, 東京タワー, Привет",
    "GET /v1/users returns 401 after the token has expired; a refresh does not help. " * 30,
]
# The output of token embeddings in each file.
FILES = {"paraphrase-minilm-l3-onnx": "onnx::Shape_422", "minilm-l6-int8-onnx": "last_hidden_state"}


def main() -> None:
    models = Path(sys.argv[1])
    tokenizer = Tokenizer.from_file(str(models / "all-MiniLM-L6-v2/tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(256)
    found = {"texts": TEXTS, "onnxruntime": onnxruntime.__version__}
    for name, output in FILES.items():
        session = onnxruntime.InferenceSession(str(models / name / "model.onnx"))
        inputs = {given.name for given in session.get_inputs()}
        embeddings = []
        for text in TEXTS:
            encoded = tokenizer.encode(text)
            feed = {
                "input_ids": np.array([encoded.ids]),
                "attention_mask": np.array([encoded.attention_mask]),
                "token_type_ids": np.array([encoded.type_ids]),
            }
            states = session.run([output], {key: feed[key] for key in inputs})[0][0]
            mean = states.mean(axis=0)
            embeddings.append([round(float(value), 7) for value in mean / np.linalg.norm(mean)])
        found[name] = embeddings
    json.dump(found, sys.stdout, ensure_ascii=False)
    print()


main()
