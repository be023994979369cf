"""Figures of sentence-transformers' evaluators and of scikit-learn for the tasks besides retrieval.

    pip install -r tests/reference/requirements.txt
    HF_HUB_OFFLINE=1 OMP_NUM_THREADS=2 python tests/reference/tasks.py .deps/models/all-MiniLM-L6-v2 "$PAIRMILL_DATA"

Made with Python 3.11, sentence-transformers 6.2.0, scikit-learn 1.9.1, torch 2.11.0 (CPU, float32).

`similarity`, `pairs`, `triplets` and `paraphrases` hold what the evaluators return, whose names tell what they are of.
Of pairs there is also the number that are equal to the model (cosine above 0.99999), and `ap` where these are tied.
A triplet is a pair of stsb/sts_test.parquet with the second sentence of the next row as negative. The paraphrases are
the sentences of mrpc/pairs_test.parquet, numbered from 0 in the order in which they turn up, and its pairs of label 1.
`classification` has scikit-learn's logistic regression at its optimum, and k nearest neighbours and nearest centroid
by their definition. `rerank` has a small run, and a stand-in for a cross-encoder that counts shared words, as the tiny
model of the tests does.
"""

import argparse
import random
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow.parquet as parquet
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.cross_encoder.evaluation import CrossEncoderRerankingEvaluator
from sentence_transformers.sentence_transformer.evaluation import (
    BinaryClassificationEvaluator,
    EmbeddingSimilarityEvaluator,
    ParaphraseMiningEvaluator,
    TripletEvaluator,
)
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, average_precision_score, f1_score

from reference import rounded, versions, write

FUNCTIONS = ["cosine", "dot", "euclidean", "manhattan"]
MARGINS = {"cosine": 0.6, "dot": 0.7, "euclidean": 0.4, "manhattan": 6.0}
NEIGHBOURS, TOP_K, MAX_PAIRS, SEED = 10, 20, 3000, 7
EQUAL = 0.99999
WORDS = "reset the password device invoice late paid cable red light router blinks".split()


class Remembering(SentenceTransformer):
    """Embeds each text once, whatever number of evaluators ask for it."""

    known: dict[str, np.ndarray] = {}

    def encode(self, texts: list[str], **_) -> np.ndarray:
        fresh = [text for text in dict.fromkeys(texts) if text not in self.known]
        if fresh:
            self.known.update(zip(fresh, super().encode(fresh, batch_size=64)))
        return np.stack([self.known[text] for text in texts])

    encode_query = encode_document = encode


def plain(figures: dict) -> dict:
    return {name: float(value) for name, value in figures.items()}


def table(path: Path) -> dict:
    return parquet.read_table(path).to_pydict()


def similarity(encoder: SentenceTransformer, rows: dict) -> dict:
    evaluator = EmbeddingSimilarityEvaluator(
        rows["sentence1"], rows["sentence2"], rows["score"], similarity_fn_names=FUNCTIONS, write_csv=False
    )
    return {"rows": len(rows["score"]), **plain(evaluator(encoder))}


def pairs(encoder: SentenceTransformer, rows: dict) -> dict:
    evaluator = BinaryClassificationEvaluator(
        rows["sentence1"], rows["sentence2"], rows["label"], similarity_fn_names=FUNCTIONS, write_csv=False
    )
    return {"rows": len(rows["label"]), **plain(evaluator(encoder)), **tied(encoder, rows)}


def tied(encoder: SentenceTransformer, rows: dict) -> dict:
    """Average precision where pairs that are equal to the model stand together, which rounding puts in any order."""
    first, second = (encoder.encode(rows[name]).astype(np.float64) for name in ("sentence1", "sentence2"))
    dot = (first * second).sum(axis=1)
    similarities = {
        "cosine": dot / np.linalg.norm(first, axis=1) / np.linalg.norm(second, axis=1),
        "dot": dot,
        "euclidean": -np.linalg.norm(first - second, axis=1),
        "manhattan": -np.abs(first - second).sum(axis=1),
    }
    equal = similarities["cosine"] > EQUAL
    tied = {name: np.where(equal, values.max(), values) for name, values in similarities.items()}
    figures = {f"{name}_ap_tied": average_precision_score(rows["label"], values) for name, values in tied.items()}
    return {"equal": int(equal.sum()), **plain(figures)}


def triplets(encoder: SentenceTransformer, rows: dict, margins: dict | None) -> dict:
    negatives = rows["sentence2"][1:] + rows["sentence2"][:1]
    evaluator = TripletEvaluator(
        rows["sentence1"], rows["sentence2"], negatives, similarity_fn_names=FUNCTIONS, margin=margins, write_csv=False
    )
    return plain(evaluator(encoder))


def paraphrases(encoder: SentenceTransformer, rows: dict) -> dict:
    ids: dict[str, str] = {}
    for first, second in zip(rows["sentence1"], rows["sentence2"]):
        for sentence in (first, second):
            ids.setdefault(sentence, str(len(ids)))
    triples = zip(rows["sentence1"], rows["sentence2"], rows["label"])
    duplicates = [(ids[first], ids[second]) for first, second, label in triples if label == 1]
    evaluator = ParaphraseMiningEvaluator(
        {number: sentence for sentence, number in ids.items()}, duplicates, max_pairs=MAX_PAIRS, top_k=TOP_K,
        write_csv=False,
    )  # fmt: skip
    figures = plain(evaluator(encoder))
    return {"sentences": len(ids), "duplicates": evaluator.total_num_duplicates, **figures}


def scores(truth: list, predicted: list) -> dict:
    return {"accuracy": accuracy_score(truth, predicted), "macro_f1": f1_score(truth, predicted, average="macro")}


def classification(encoder: SentenceTransformer, train: dict, test: dict) -> dict:
    # Equally near tickets rank, and equally frequent categories win, as in Pairmill: in order of text and category.
    known = sorted(zip(train["text"], train["category"]))
    asked = sorted(zip(test["text"], test["category"]))
    x, z = (encoder.encode([text for text, _ in rows]) for rows in (known, asked))
    y, truth = (np.array([category for _, category in rows]) for rows in (known, asked))
    fitted = LogisticRegression(tol=1e-9, max_iter=10_000).fit(x.astype(np.float64), y)
    unit, unit_test = (rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (x, z))
    nearest = np.argsort(-(unit_test @ unit.T), axis=1, kind="stable")[:, :NEIGHBOURS]
    votes = [Counter(y[row]).most_common(1)[0][0] for row in nearest]
    categories = np.unique(y)
    centroids = np.stack([unit[y == category].mean(axis=0) for category in categories])
    centroids /= np.linalg.norm(centroids, axis=1, keepdims=True)
    methods = {
        "knn": votes,
        "centroid": categories[(unit_test @ centroids.T).argmax(axis=1)],
        "logistic": fitted.predict(z.astype(np.float64)),
    }
    figures = {name: scores(truth, predicted) for name, predicted in methods.items()}
    return {f"{method}_{name}": float(value) for method, of in figures.items() for name, value in of.items()}


class SharedWords:
    """Twice the number of words that two texts share, less 3."""

    model_card_data = type("Card", (), {"set_evaluation_metrics": lambda *_: None})()

    def predict(self, texts: list, **_) -> np.ndarray:
        return np.array([2.0 * len(set(query.split()) & set(text.split())) - 3 for query, text in texts])


def rerank() -> dict:
    draw = random.Random(SEED)
    samples, queries = [], []
    for number in range(12):
        asked = draw.sample(WORDS, 9)
        # Each text shares another number of words with its query, so that no two scores are equal.
        texts = [" ".join(asked[:shared] + ["filler"] * (12 - shared)) for shared in range(10)]
        ranked = draw.sample(texts, 10)
        relevant = draw.sample(ranked, draw.randint(1, 4))
        missing = [] if number % 3 else relevant[:1]
        ranked = [text for text in ranked if text not in missing]
        queries.append({"query": " ".join(asked), "ranked": ranked, "relevant": relevant})
        samples.append({"query": " ".join(asked), "documents": ranked, "positive": relevant})
    figures = CrossEncoderRerankingEvaluator(samples, write_csv=False)(SharedWords())
    return {"queries": queries, "figures": plain(figures)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, help="folder of all-MiniLM-L6-v2")
    parser.add_argument("data", type=Path, help="folder of the real data sets")
    args = parser.parse_args()

    torch.set_num_threads(2)
    encoder = Remembering(str(args.model), device="cpu", local_files_only=True)
    sts = table(args.data / "stsb" / "sts_test.parquet")
    mrpc = table(args.data / "mrpc" / "pairs_test.parquet")
    tickets = {
        name: [table(args.data / name / f"tickets_{split}.parquet") for split in ("train", "test")]
        for name in ("stackexchange_intents", "banking77")
    }
    write(
        "tasks.json",
        rounded(
            {
                "versions": versions("sentence-transformers", "scikit-learn", "torch"),
                "similarity": {
                    "stsb": similarity(encoder, sts),
                    "sick": similarity(encoder, table(args.data / "sick" / "sts_test.parquet")),
                },
                "pairs": {
                    "mrpc": pairs(encoder, mrpc),
                    "qqp": pairs(encoder, table(args.data / "qqp" / "pairs_dev.parquet")),
                },
                "triplets": {
                    "plain": triplets(encoder, sts, None),
                    "margins": MARGINS,
                    "with_margins": triplets(encoder, sts, MARGINS),
                },
                "paraphrases": {"top_k": TOP_K, "max_pairs": MAX_PAIRS, **paraphrases(encoder, mrpc)},
                "classification": {name: classification(encoder, *rows) for name, rows in tickets.items()},
                "rerank": rerank(),
            }
        ),
    )


if __name__ == "__main__":
    main()
