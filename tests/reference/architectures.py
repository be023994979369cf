"""Hidden states, embeddings, gradients and logits of tiny random models of every architecture, made with
transformers and sentence-transformers.

    pip install -r tests/reference/requirements.txt
    HF_HUB_OFFLINE=1 python tests/reference/architectures.py
    HF_HUB_OFFLINE=1 python tests/reference/architectures.py --check target/tmp/architectures

The second reads what crates/modeling/tests/architectures wrote back into the Python libraries.
Made with Python 3.11, sentence-transformers 6.2.0, transformers 5.23.0, tokenizers 0.23.3, torch 2.11.0 (CPU, float32).
Weights are whole tenths, so that the file holds them exactly and in few bytes. Each text is computed by itself, so that
no padding takes part. Gradients are those of `sum over texts and components j of embedding[j] * ((j % 7) - 3)`, as the
norm for each parameter, without the text that holds a padding token.
"""

import argparse
import copy
import json
import tempfile
from pathlib import Path

import torch
from safetensors.torch import load_file
from sentence_transformers import SentenceTransformer
from sentence_transformers.base.modules import Dense, Normalize, Transformer
from sentence_transformers.sentence_transformer.modules import Pooling
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import AutoModel, AutoModelForSequenceClassification, CONFIG_MAPPING, PreTrainedTokenizerFast
from transformers.models.mpnet.modeling_mpnet import MPNetEncoder

from reference import FOLDER, read, rounded, versions, write

SPECIAL = ["<s>", "<pad>", "</s>", "<unk>"]
WORDS = "how do i reset my a the printer is offline again since monday vpn drops every hour Help please".split()
PADDED = "my <pad> printer is <pad> offline"
TEXTS = [
    "printer offline",
    "how do i reset my vpn since monday please",
    "Help",
    PADDED,
    "the vpn drops every hour since monday and the printer is offline again how do i reset the printer "
    "every monday please Help my vpn is offline again and again since the hour",
]
PAIRS = [["how do i reset my vpn", "the vpn drops every hour"], ["Help", "printer"], ["is the printer offline", TEXTS[4]]]
MAX_LENGTH = 32

SHAPE = {"vocab_size": len(SPECIAL) + len(WORDS), "hidden_size": 16, "num_attention_heads": 2, "intermediate_size": 24}
TOKENS = {"bos_token_id": 0, "pad_token_id": 1, "eos_token_id": 2}
CONFIGS = {
    "bert": {**SHAPE, "num_hidden_layers": 2, "max_position_embeddings": 40, "pad_token_id": 1},
    "roberta": {
        **SHAPE, **TOKENS, "num_hidden_layers": 2, "max_position_embeddings": 40, "type_vocab_size": 1,
        "hidden_act": "gelu_new", "layer_norm_eps": 1e-5,
    },
    "xlm-roberta": {**SHAPE, **TOKENS, "num_hidden_layers": 1, "max_position_embeddings": 40, "type_vocab_size": 1},
    "distilbert": {
        "vocab_size": SHAPE["vocab_size"], "dim": 16, "n_heads": 2, "hidden_dim": 24, "n_layers": 2, "pad_token_id": 1,
        "max_position_embeddings": 40, "activation": "relu",
    },
    "mpnet": {**SHAPE, **TOKENS, "num_hidden_layers": 2, "max_position_embeddings": 40},
    "modernbert": {
        **SHAPE, **TOKENS, "cls_token_id": 0, "sep_token_id": 2, "intermediate_size": 16, "num_hidden_layers": 4,
        "max_position_embeddings": 40, "local_attention": 8, "embedding_dropout": 0.1, "attention_dropout": 0.1,
        "mlp_dropout": 0.1, "classifier_pooling": "mean", "classifier_dropout": 0.1,
    },
}  # fmt: skip
POOLINGS = ["cls", "max", "mean", "mean_sqrt_len_tokens", "weightedmean", "lasttoken", ["lasttoken", "mean", "max"]]


def tokenizer() -> PreTrainedTokenizerFast:
    backend = Tokenizer(models.WordLevel({word: n for n, word in enumerate(SPECIAL + WORDS)}, unk_token="<unk>"))
    backend.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    backend.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> $B:1 </s>:1", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=backend, model_max_length=MAX_LENGTH, pad_token="<pad>", unk_token="<unk>",
        cls_token="<s>", sep_token="</s>",
    )  # fmt: skip


@torch.no_grad()
def randomise(module: torch.nn.Module) -> None:
    """Whole tenths, large enough that attention is far from uniform."""
    for name, parameter in module.named_parameters():
        values = torch.randn_like(parameter)
        is_norm = parameter.dim() == 1 and name.endswith("weight")
        values = 1 + 0.2 * values if is_norm else 0.4 * values
        parameter.copy_((values * 10).round() / 10)


def saved(model: SentenceTransformer) -> dict:
    """The JSON files and the weights of the folder that the library writes."""
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder, create_model_card=False)
        root = Path(folder)
        paths = {str(path.relative_to(root)): path for path in sorted(root.rglob("*")) if path.is_file()}
        files = {name: json.loads(path.read_text()) for name, path in paths.items() if name.endswith(".json")}
        weights = {name: tensors(load_file(path)) for name, path in paths.items() if name.endswith(".safetensors")}
    return {"files": files, "weights": weights}


def tensors(state: dict[str, torch.Tensor]) -> dict:
    """Shape and values of each tensor, in tenths."""
    return {name: [list(t.shape), (t.flatten() * 10).round().int().tolist()] for name, t in sorted(state.items())}


def embeddings(model: SentenceTransformer) -> list:
    return rounded([model.encode(text, convert_to_tensor=True).tolist() for text in TEXTS], 6)


def gradients(model: SentenceTransformer) -> dict[str, float]:
    model.zero_grad()
    for text in TEXTS:
        if text != PADDED:
            embedding = model(model.preprocess([text]))["sentence_embedding"][0]
            direction = torch.arange(len(embedding)) % 7 - 3
            (embedding * direction).sum().backward()
    parameters = dict(model[0].model.named_parameters())
    for n, module in enumerate(model):
        if isinstance(module, Dense):
            parameters |= {f"{n}_Dense.{name}": parameter for name, parameter in module.named_parameters()}
    return {n: float(f"{p.grad.norm().item():.6g}") for n, p in parameters.items() if p.grad is not None}


def classifier(encoder: torch.nn.Module, tokenize: PreTrainedTokenizerFast) -> dict:
    """Logits of pairs under a classifier with this encoder and a random head."""
    config = copy.deepcopy(encoder.config)
    config.num_labels = 1
    model = AutoModelForSequenceClassification.from_config(config).eval()
    randomise(model)
    missing, _ = model.base_model.load_state_dict(encoder.state_dict(), strict=False)
    assert not missing, missing
    prefix = model.base_model_prefix + "."
    encoder_names = {prefix + name for name in encoder.state_dict()}
    logits = []
    for pair in PAIRS:
        segments = config.model_type == "bert"
        inputs = tokenize(
            *pair, return_tensors="pt", truncation=True, max_length=MAX_LENGTH, return_token_type_ids=segments
        )
        logits.append(model(**inputs).logits.item())
    return {
        "class": type(model).__name__,
        "prefix": prefix,
        "head": tensors({n: t for n, t in model.state_dict().items() if n not in encoder_names}),
        "names": sorted(model.state_dict()),
        "logits": rounded(logits, 7),
    }


def check(folder: Path) -> None:
    """Compares what the test crates/modeling/tests/architectures wrote: folders that load as they are, and ONNX files
    over one padded batch."""
    import numpy as np
    import onnxruntime

    figures = read(FOLDER / "architectures.json")
    for name, model in {**figures["models"], "dense": figures["modules"]}.items():
        found = embeddings(SentenceTransformer(str(folder / name), device="cpu", local_files_only=True))
        difference = np.abs(np.array(found) - np.array(model["embeddings"])).max()
        print(f"{name}: largest difference {difference:.1e}")
        assert difference < 1e-5

    for name, model in figures["models"].items():
        session = onnxruntime.InferenceSession(folder / name / "model.onnx")
        ids = model["token_ids"]
        longest = max(len(row) for row in ids)
        inputs = {
            "input_ids": np.array([row + [1] * (longest - len(row)) for row in ids]),
            "attention_mask": np.array([[1] * len(row) + [0] * (longest - len(row)) for row in ids]),
            "token_type_ids": np.zeros((len(ids), longest), dtype=np.int64),
        }
        wanted = {i.name for i in session.get_inputs()}
        (states,) = session.run(["last_hidden_state"], {n: v for n, v in inputs.items() if n in wanted})
        pairs = zip(states, model["last_hidden_state"])
        difference = max(np.abs(found[: len(row)] - np.array(row)).max() for found, row in pairs)
        print(f"{name} in ONNX: inputs {sorted(wanted)}, largest difference {difference:.1e}")
        assert difference < 1e-4


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", type=Path, metavar="FOLDER", help="compare what the Rust test wrote there instead")
    args = parser.parse_args()
    if args.check:
        return check(args.check)

    torch.manual_seed(1)
    tokenize = tokenizer()
    figures = {}
    for name, settings in CONFIGS.items():
        with tempfile.TemporaryDirectory() as folder:
            network = AutoModel.from_config(CONFIG_MAPPING[name](**settings)).eval()
            randomise(network)
            network.save_pretrained(folder)
            tokenize.save_pretrained(folder)
            transformer = Transformer(folder)
            model = SentenceTransformer(modules=[transformer, Pooling(16, "mean")], device="cpu").eval()
        network = transformer.model
        ids = [model.preprocess([text])["input_ids"] for text in TEXTS]
        with torch.no_grad():
            states = [network(input_ids=i, attention_mask=torch.ones_like(i)).last_hidden_state[0] for i in ids]
            head = classifier(network, tokenize)
        figures[name] = {
            **saved(model),
            "token_ids": [i[0].tolist() for i in ids],
            "last_hidden_state": rounded([s.tolist() for s in states], 6),
            "embeddings": embeddings(model),
            "gradients": gradients(model),
            "classifier": head,
        }
        if name != "bert":
            continue
        poolings = []
        for mode in POOLINGS:
            model = SentenceTransformer(modules=[transformer, Pooling(16, mode)], device="cpu").eval()
            config = saved(model)["files"]["1_Pooling/config.json"]
            poolings.append({"config": config, "embeddings": embeddings(model)})
        dense = [Dense(16, 12), Dense(12, 8, bias=False, activation_function=torch.nn.GELU())]
        modules = [transformer, Pooling(16, "mean"), *dense, Normalize()]
        model = SentenceTransformer(modules=modules, device="cpu").eval()
        for module in dense:
            randomise(module)
        modules = {**saved(model), "embeddings": embeddings(model), "gradients": gradients(model)}
        del modules["weights"]["model.safetensors"]
        network.zero_grad()

    distances = torch.arange(-200, 201)
    write(
        "architectures.json",
        {
            "versions": versions("sentence-transformers", "transformers", "tokenizers", "torch"),
            "texts": TEXTS,
            "pairs": PAIRS,
            "models": figures,
            "poolings": poolings,
            "modules": modules,
            "mpnet_buckets": MPNetEncoder.relative_position_bucket(distances).tolist(),
        },
    )


if __name__ == "__main__":
    main()
