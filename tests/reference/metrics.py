"""Figures of retrieval and similarity metrics, made with trec_eval, sentence-transformers and SciPy.

    pip install -r tests/reference/requirements.txt
    HF_HUB_OFFLINE=1 OMP_NUM_THREADS=2 python tests/reference/metrics.py .deps/models/all-MiniLM-L6-v2 "$PAIRMILL_DATA"

Made with Python 3.11, pytrec-eval-terrier 0.5.11, sentence-transformers 6.2.0, SciPy 1.17.1, torch 2.11.0 (CPU, float32).

`run` lists the documents of each query by falling score (no two scores of a query are equal) and `qrels` the
judged ones, grade 0 included. `trec_eval` has the figures of each query, graded nDCG with linear gain,
`recip_rank` without a cut-off, mean average precision over all relevant documents whatever the cut-off;
`sentence_transformers` has the means of InformationRetrievalEvaluator, which counts every grade above 0 as 1.
`stsb_test` has the cosine of each pair of stsb/sts_test.parquet and its correlation with the human score.
"""

import argparse
import random
from pathlib import Path

import pyarrow.parquet as parquet
import pytrec_eval
import torch
from scipy.stats import pearsonr, spearmanr
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.evaluation import InformationRetrievalEvaluator

from reference import rounded, versions, write

QUERIES, DEPTH, CORPUS, SEED = 20, 30, 80, 7
MEASURES = {
    "ndcg_cut_10", "recall_10", "recall_100", "P_1", "P_10", "recip_rank", "map", "map_cut_10", "map_cut_100",
    "success_1", "success_10",
}  # fmt: skip


def ranked_run() -> tuple[dict, dict]:
    draw = random.Random(SEED)
    corpus = [f"d{number:02}" for number in range(CORPUS)]
    run, qrels = {}, {}
    for number in range(QUERIES):
        query = f"q{number:02}"
        documents = draw.sample(corpus, DEPTH)
        scores = sorted(draw.sample(range(1, 10_000), DEPTH), reverse=True)
        run[query] = [[document, score / 100] for document, score in zip(documents, scores)]
        others = [document for document in corpus if document not in documents]
        if number == 3:  # relevant documents, none of them retrieved
            judged = draw.sample(others, 4)
        elif number == 5:  # more relevant documents than any cut-off of 10 can hold
            judged = draw.sample(documents, 14) + draw.sample(others, 3)
        elif number == 8:  # one relevant document, at the very top
            judged = documents[:1]
        elif number == 13:  # one relevant document, just below the cut-off of 10
            judged = documents[10:11]
        else:
            judged = draw.sample(documents, draw.randint(1, 7)) + draw.sample(others, draw.randint(0, 3))
        grades = {document: draw.choice([0, 1, 1, 1, 2, 2, 3]) for document in judged}
        grades[judged[0]] = max(1, grades[judged[0]])
        qrels[query] = dict(sorted(grades.items()))
    return run, qrels


def trec_eval(run: dict, qrels: dict) -> dict:
    scores = {query: dict(documents) for query, documents in run.items()}
    figures = pytrec_eval.RelevanceEvaluator(qrels, MEASURES).evaluate(scores)
    return {query: {name: figures[query][name] for name in sorted(figures[query])} for query in sorted(figures)}


def mean(figures: dict) -> dict:
    rows = list(figures.values())
    return {name: sum(row[name] for row in rows) / len(rows) for name in rows[0]}


def sentence_transformers(run: dict, qrels: dict) -> dict:
    relevant = {query: {document for document, grade in grades.items() if grade > 0} for query, grades in qrels.items()}
    texts = {document: document for documents in run.values() for document, _ in documents}
    evaluator = InformationRetrievalEvaluator(
        {query: query for query in run}, texts, relevant,
        precision_recall_at_k=[1, 10, 100], accuracy_at_k=[1, 10], mrr_at_k=[10], ndcg_at_k=[10], map_at_k=[10, 100],
    )  # fmt: skip
    hits = [[{"corpus_id": document, "score": score} for document, score in run[query]] for query in evaluator.queries_ids]
    figures = evaluator.compute_metrics(hits)
    return {name.replace("@k", f"@{k}"): float(value) for name, cuts in figures.items() for k, value in cuts.items()}


def stsb(model: Path, data: Path) -> dict:
    torch.set_num_threads(2)
    encoder = SentenceTransformer(str(model), device="cpu", local_files_only=True)
    table = parquet.read_table(data / "stsb" / "sts_test.parquet").to_pydict()
    first, second = (
        encoder.encode(table[column], convert_to_tensor=True, normalize_embeddings=True)
        for column in ("sentence1", "sentence2")
    )
    cosine = (first * second).sum(dim=1).double().tolist()
    return {
        "model": model.resolve().name,
        "pairs": len(cosine),
        "spearman_cosine": spearmanr(cosine, table["score"]).statistic.item(),
        "pearson_cosine": pearsonr(cosine, table["score"]).statistic.item(),
        "cosine": rounded(cosine, 6),
        "score": table["score"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, help="folder of all-MiniLM-L6-v2")
    parser.add_argument("data", type=Path, help="folder of the real data sets")
    args = parser.parse_args()

    run, qrels = ranked_run()
    per_query = trec_eval(run, qrels)
    write(
        "metrics.json",
        {
            "versions": versions("pytrec-eval-terrier", "sentence-transformers", "scipy", "torch"),
            "run": run,
            "qrels": qrels,
            "trec_eval": rounded(per_query),
            "trec_eval_mean": rounded(mean(per_query)),
            "sentence_transformers": rounded(sentence_transformers(run, qrels)),
            "stsb_test": rounded(stsb(args.model, args.data)),
        },
    )


if __name__ == "__main__":
    main()
