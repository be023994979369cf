"""Evaluates a search with sentence-transformers' InformationRetrievalEvaluator; prints the seconds and the figures."""

import json
import sys
import time
from pathlib import Path

import pyarrow.parquet as parquet
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.evaluation import InformationRetrievalEvaluator

model_folder, data, threads = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
torch.set_num_threads(threads)
corpus, queries, judgements = (parquet.read_table(data / f"{name}.parquet").to_pydict() for name in ["corpus", "queries_test", "qrels_test"])
relevant: dict[str, set] = {}
for query, document, grade in zip(judgements["query_id"], judgements["corpus_id"], judgements["score"]):
    if grade > 0:
        relevant.setdefault(query, set()).add(document)
model = SentenceTransformer(model_folder, device="cpu", local_files_only=True)
evaluator = InformationRetrievalEvaluator(
    {query: text for query, text in zip(queries["id"], queries["text"]) if query in relevant},
    {i: f"{title} {text}".strip() for i, title, text in zip(corpus["id"], corpus["title"], corpus["text"])},
    relevant, precision_recall_at_k=[1, 10, 100], accuracy_at_k=[1], mrr_at_k=[10], ndcg_at_k=[10], map_at_k=[100], write_csv=False,
)  # fmt: skip
start = time.perf_counter()
figures = evaluator(model)
seconds = time.perf_counter() - start
print(json.dumps({"evaluator_seconds": seconds, "figures": {name.removeprefix("cosine_"): float(value) for name, value in figures.items()}}))
