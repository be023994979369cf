"""Metrics of a run by ranx or by trec_eval's Python binding: seconds of reading and of scoring, and the means."""

import json
import sys
import time

import pandas as pd

library, run_file, qrels_file, threads = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])


def frames() -> tuple[pd.DataFrame, pd.DataFrame]:
    return pd.read_parquet(run_file), pd.read_parquet(qrels_file)


def nested(frame: pd.DataFrame, kind: type) -> dict:
    found: dict[str, dict] = {}
    for query, document, score in zip(frame["query_id"], frame["corpus_id"], frame["score"]):
        found.setdefault(query, {})[document] = kind(score)
    return found


if library == "ranx":
    import numba
    from ranx import Qrels, Run, evaluate

    numba.set_num_threads(threads)
    measures = {"ndcg@10": "ndcg@10", "mrr@10": "mrr@10", "map@100": "map@100", "recall@1": "recall@1",
                "recall@10": "recall@10", "recall@100": "recall@100", "precision@1": "precision@1",
                "precision@10": "precision@10", "accuracy@1": "hit_rate@1"}
    start = time.perf_counter()
    run, qrels = frames()
    names = {"q_id_col": "query_id", "doc_id_col": "corpus_id", "score_col": "score"}
    run, qrels = Run.from_df(run.astype({"score": float}), **names), Qrels.from_df(qrels.astype({"score": int}), **names)
    read = time.perf_counter()
    figures = evaluate(qrels, run, list(measures.values()))
    end = time.perf_counter()
    # numba compiles in the first call.
    evaluate(qrels, run, list(measures.values()))
    again = time.perf_counter() - end
    means = {ours: float(figures[theirs]) for ours, theirs in measures.items()}
else:
    import pytrec_eval

    measures = {"ndcg@10": "ndcg_cut_10", "map@100": "map_cut_100", "recall@1": "recall_1", "recall@10": "recall_10",
                "recall@100": "recall_100", "precision@1": "P_1", "precision@10": "P_10", "accuracy@1": "success_1"}
    start = time.perf_counter()
    run, qrels = frames()
    run, qrels = nested(run, float), nested(qrels, int)
    read = time.perf_counter()
    rows = pytrec_eval.RelevanceEvaluator(qrels, set(measures.values()) | {"recip_rank"}).evaluate(run)
    end = time.perf_counter()
    again = None
    means = {ours: sum(row[theirs] for row in rows.values()) / len(rows) for ours, theirs in measures.items()}
print(json.dumps({"reading": read - start, "scoring": end - read, "scoring_again": again, "figures": means}))
