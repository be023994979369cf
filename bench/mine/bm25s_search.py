"""Searches a corpus with bm25s; prints what it took and writes the run."""

import json
import re
import sys
import time

import bm25s
import numba
import pyarrow as pa
import pyarrow.parquet as pq
import Stemmer

STOP_WORDS = """a an and are as at be but by for if in into is it no not of on or such that the their then there these
they this to was will with""".split()

corpus_file, queries_file, run_file, top_k, threads = sys.argv[1:]
top_k, threads = int(top_k), int(threads)
numba.set_num_threads(threads)
corpus = pq.read_table(corpus_file)
queries = pq.read_table(queries_file)
texts = [" ".join(part for part in row if part) for row in zip(corpus["title"].to_pylist(), corpus["text"].to_pylist())]


def tokens(texts: list[str]):
    # Runs of letters and digits, as tantivy cuts them.
    return bm25s.tokenize(texts, token_pattern=r"[^\W_]+", stopwords=STOP_WORDS, stemmer=Stemmer.Stemmer("english"),
                          show_progress=False)


start = time.perf_counter()
corpus_tokens = tokens(texts)
tokenised = time.perf_counter()
index = bm25s.BM25(method="lucene", k1=1.2, b=0.75, backend="numba")
index.index(corpus_tokens, show_progress=False)
indexed = time.perf_counter()
# The first call compiles.
index.retrieve(tokens(["warm up the compiler"]), k=top_k, show_progress=False, n_threads=threads)
searching = time.perf_counter()
query_tokens = tokens(queries["text"].to_pylist())
documents, scores = index.retrieve(query_tokens, k=top_k, show_progress=False, n_threads=threads)
searched = time.perf_counter()
ids = corpus["id"].to_pylist()
rows = [(query, ids[document], float(score))
        for query, of_query, with_scores in zip(queries["id"].to_pylist(), documents, scores)
        for document, score in zip(of_query, with_scores) if score > 0]
columns = list(zip(*rows))
pq.write_table(pa.table({"query_id": columns[0], "corpus_id": columns[1], "score": columns[2]}), run_file)
print(json.dumps({"tokenise": tokenised - start, "index": indexed - tokenised,
                  "queries_per_second": len(queries) / (searched - searching), "version": bm25s.__version__}))
