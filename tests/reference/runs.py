"""Figures of real runs and of a real search, made with trec_eval, ranx and sentence-transformers.

    pip install -r tests/reference/requirements.txt
    HF_HUB_OFFLINE=1 OMP_NUM_THREADS=2 python tests/reference/runs.py \\
        .deps/models/all-MiniLM-L6-v2 "$PAIRMILL_DATA" target/release/pairmill-mine

Made with Python 3.11, pytrec-eval-terrier 0.5.11, ranx 0.3.21, sentence-transformers 6.2.0, torch 2.11.0 (CPU, float32).

`runs` has the means over all judged queries of runs that `pairmill-mine search` makes with its defaults, a query
without results counted as 0: `trec_eval` under its own names, `ndcg_burges@10` of ranx (with the scores in the order
of trec_eval), and capped recall and holes by the definitions of BEIR's `custom_metrics.py`. Runs hold equal scores, so
the figures also say how these rank. `searches` has what InformationRetrievalEvaluator returns for the model, whose name
tells what it is of; grades above 0 count as 1. `--searches` names the data sets to search, which are added to what the
file holds; scifact takes six minutes on an idle machine of two cores, medquad_liveqa some two and a half times that.
"""

import argparse
import subprocess
import tempfile
from pathlib import Path

import pyarrow.parquet as parquet
import pytrec_eval
import ranx
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.evaluation import InformationRetrievalEvaluator

from reference import FOLDER, read, rounded, versions, write

RUNS = SEARCHES = ["scifact", "cranfield", "medquad_liveqa"]
MEASURES = {
    "ndcg_cut_10", "ndcg_cut_100", "recall_1", "recall_10", "recall_100", "P_1", "P_10", "map_cut_10", "map_cut_100", "map",
    "recip_rank", "success_1", "success_10",
}  # fmt: skip


def table(path: Path) -> dict:
    return parquet.read_table(path).to_pydict()


def judgements(data: Path) -> dict:
    rows, qrels = table(data / "qrels_test.parquet"), {}
    for query, document, grade in zip(rows["query_id"], rows["corpus_id"], rows["score"]):
        qrels.setdefault(query, {})[document] = grade
    return {query: grades for query, grades in qrels.items() if max(grades.values()) > 0}


def searched(mine: Path, data: Path, folder: Path) -> dict:
    output = folder / f"{data.name}.parquet"
    subprocess.run(
        [mine, "search", "--corpus", data / "corpus.parquet", "--queries", data / "queries_test.parquet", "--output", output],
        check=True,
    )  # fmt: skip
    rows, run = table(output), {}
    for query, document, score in zip(rows["query_id"], rows["corpus_id"], rows["score"]):
        run.setdefault(query, {})[document] = score
    return run


def trec_order(results: dict) -> list:
    return sorted(results, key=lambda document: (results[document], document), reverse=True)


def exponential_ndcg(run: dict, qrels: dict) -> float:
    places = {query: {document: -float(place) for place, document in enumerate(trec_order(run[query]))} for query in run}
    asked = {query: {d: g for d, g in qrels[query].items() if g > 0} for query in places}
    return float(ranx.evaluate(ranx.Qrels(asked), ranx.Run(places), "ndcg_burges@10")) * len(run)


def beir(run: dict, qrels: dict) -> dict:
    annotated = {document for grades in qrels.values() for document in grades}
    capped = holes = 0.0
    for query, results in run.items():
        relevant = {document for document, grade in qrels[query].items() if grade > 0}
        order = trec_order(results)
        capped += len(relevant.intersection(order[:10])) / min(len(relevant), 10)
        holes += sum(document not in annotated for document in order[:10]) / 10
    return {"R_cap@10": capped, "Hole@10": holes}


def of_run(mine: Path, data: Path, folder: Path) -> dict:
    qrels = judgements(data)
    run = {query: results for query, results in searched(mine, data, folder).items() if query in qrels}
    rows = pytrec_eval.RelevanceEvaluator(qrels, MEASURES).evaluate(run)
    sums = {name: sum(row[name] for row in rows.values()) for name in sorted(MEASURES)}
    sums |= {"ndcg_burges@10": exponential_ndcg(run, qrels)} | beir(run, qrels)
    tied = sum(len(results) - len(set(results.values())) for results in run.values())
    return {"queries": len(qrels), "queries_without_results": len(qrels) - len(run), "tied": tied,
            **{name: total / len(qrels) for name, total in sums.items()}}  # fmt: skip


def search(encoder: SentenceTransformer, data: Path) -> dict:
    rows, asked = table(data / "corpus.parquet"), table(data / "queries_test.parquet")
    corpus = {i: f"{title} {text}".strip() for i, title, text in zip(rows["id"], rows["title"], rows["text"])}
    qrels = judgements(data)
    evaluator = InformationRetrievalEvaluator(
        {query: text for query, text in zip(asked["id"], asked["text"]) if query in qrels},
        corpus,
        {query: {document for document, grade in grades.items() if grade > 0} for query, grades in qrels.items()},
        precision_recall_at_k=[1, 10, 100], accuracy_at_k=[1], mrr_at_k=[10], ndcg_at_k=[10], map_at_k=[100],
        batch_size=64, write_csv=False,
    )  # fmt: skip
    return {name: float(value) for name, value in evaluator(encoder).items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, help="folder of all-MiniLM-L6-v2")
    parser.add_argument("data", type=Path, help="folder of the real data sets")
    parser.add_argument("mine", type=Path, help="pairmill-mine")
    parser.add_argument("--searches", nargs="*", default=SEARCHES, choices=SEARCHES, help="data sets to search")
    args = parser.parse_args()

    torch.set_num_threads(2)
    with tempfile.TemporaryDirectory() as folder:
        runs = {name: of_run(args.mine, args.data / name, Path(folder)) for name in RUNS}
    figures = {"versions": versions("pytrec-eval-terrier", "ranx", "sentence-transformers", "torch"), "runs": runs}
    encoder = SentenceTransformer(str(args.model), device="cpu", local_files_only=True)
    known = read(FOLDER / "runs.json")["searches"] if (FOLDER / "runs.json").exists() else {}
    found = {name: search(encoder, args.data / name) for name in args.searches}
    write("runs.json", rounded(figures | {"searches": known | found}))


if __name__ == "__main__":
    main()
