"""Hard negatives at fixed scores, mined with sentence-transformers' mine_hard_negatives.

    pip install -r tests/reference/requirements.txt
    python tests/reference/mine_hard_negatives.py

Made with Python 3.11, sentence-transformers 6.2.0, torch 2.11.0 (CPU, float32), datasets 5.2.0.

The real function runs on a model whose similarities are a table. All scores of the table are exact in float32, and no
two of a query are equal but in the scenario "tied". `plain` below says in plain Python what the function does; every
case, and many random sets of options besides, must give the same by both. In words:

Texts. Queries and documents are told apart by their text alone. The documents are those of `corpus`, then all
positives of all queries, each text once, at its first place; without `corpus` only the positives. Queries go by first
occurrence, and so do the positives of a query; a pair that occurs twice counts once. But `max_positives`, the largest
number of *rows* of the data set that a query has, counts it twice.

Columns. A column that the data set does not have is silently the first (anchor) or the second (positive).
`output_format="n-tuple-scores"` is n-tuple with output_scores, `margin` is absolute_margin, `as_triplets` is triplet or
n-tuple: old names, with a warning.

range_max. If it is not given it is range_min + num_negatives + max_positives; where absolute_margin, relative_margin or
max_score is set (or min_score together with a cross-encoder) it is range_min + 10 · num_negatives + max_positives.

Selection, for each query:

1. The range_max + max_positives best documents are retrieved, positives included, by falling score. Nothing below
   this depth is ever looked at.
2. With a cross-encoder *and* any of max_score, min_score, absolute_margin, relative_margin, its scores take the place
   of the retriever's, for these documents and for the positives. Otherwise the cross-encoder is not asked at all.
3. The query's own positives are taken out, unless include_positives is set.
4. A document is taken out if any of these is true, where P is the lowest score of the query's positives, the ones that
   were not retrieved included: score + absolute_margin > P; score > P − |P| · relative_margin; score > max_score;
   score < min_score. So equality always keeps. All in float32, thresholds too.
5. What is left is sorted by falling score, the range_max best are kept, and of these the first range_min are dropped.
   So both count survivors, not ranks of the retrieval, and with fewer than range_min survivors none is left.
6. "top" takes the first num_negatives, "random" takes num_negatives at random without repetition, all if there are no
   more, and sorts them by falling score.

Equal scores stay in the order that torch.topk gives, which is not specified: compare the scores in "tied", no texts.
The function fails with a division by zero where the margins took out everything that was retrieved, positives included,
and min_score is set: it counts, for a message, what min_score takes out, and what is out already with it.

Output, query by query, positive by positive:

- triplet: a row for each positive and each negative; with output_scores `scores` = [positive's, negative's]
- n-tuple: a row for each positive, only if there are num_negatives negatives; `scores` = [positive's, negatives' ...]
- labeled-pair: a row for each positive, label 1, even where there is no negative; then a row for each negative, label
  0, once a query; output_scores replaces `label` by `score`
- labeled-list: a row for each positive, with the list of that one positive and the negatives there are, only if there
  is one; output_scores replaces `labels` by `scores`

So a row has no trace of the query's other positives, and a query without negatives only exists in labeled-pair.

include_positives changes step 3 alone and forces n-tuple: the negatives become the plain ranking, in which the
positives stand as long as steps 1, 4 and 5 leave them. (P stays, so a margin of 0 or more takes out the positives that
score above it.)

In the JSON a case has the options that differ from `defaults`; `corpus` and `cross_encoder` say whether those of the
scenario were passed. `range_max` is the one used, `negatives` the number found for each query. `scores` and `rescored`
hold a row for each query and a column for each document. A case of `random` lists for each query the documents that
step 6 may choose from.
"""

import contextlib
import inspect
import io
import logging
import os
import random
import re
import warnings

os.environ["TQDM_DISABLE"] = "1"

import numpy as np
import torch
from datasets import Dataset, disable_progress_bars
from sentence_transformers.util import dot_score, mine_hard_negatives, pairwise_dot_score

from reference import versions, write

SEED = 11
FUZZED = 600
FIXED = {"dataset", "model", "corpus", "cross_encoder", "verbose", "batch_size", "faiss_batch_size", "use_faiss"}
MARGINS = ("absolute_margin", "relative_margin")


class Scenario:
    """A data set and the score of every document for every query."""

    def __init__(self, pairs: list, corpus: list | None, scores: dict, rescored: dict | None = None):
        self.pairs, self.corpus, self.device = pairs, corpus, torch.device("cpu")
        self.queries = list(dict.fromkeys(query for query, _ in pairs))
        self.documents = list(dict.fromkeys((corpus or []) + [positive for _, positive in pairs]))
        self.tables = {"scores": scores, "rescored": rescored}

    # What the function asks of a model: a document is a unit vector, a query its row of the table.
    similarity, similarity_pairwise = staticmethod(dot_score), staticmethod(pairwise_dot_score)

    def encode_document(self, texts, **_):
        return np.eye(len(self.documents), dtype=np.float32)[[self.documents.index(text) for text in texts]]

    def encode_query(self, texts, **_):
        return np.array([[self.score(text, document) for document in self.documents] for text in texts])

    # What it asks of a cross-encoder.
    def predict(self, pairs, **_):
        return torch.tensor([float(self.score(*pair, "rescored")) for pair in pairs])

    def score(self, query: str, document: str, table: str = "scores") -> np.float32:
        return np.float32(self.tables[table][query][document])

    def figures(self) -> dict:
        tables = {
            name: [[float(self.score(query, document, name)) for document in self.documents] for query in self.queries]
            for name, table in self.tables.items()
            if table
        }
        documents = {"queries": self.queries, "documents": self.documents}
        return {"pairs": self.pairs, "corpus": self.corpus} | documents | tables

    def mine(self, corpus: bool, cross_encoder: bool, options: dict) -> tuple[list, list, int]:
        """Columns and rows by the library, and the range_max it used."""
        pairs = Dataset.from_dict({"query": [q for q, _ in self.pairs], "document": [p for _, p in self.pairs]})
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            mined = mine_hard_negatives(
                pairs, self, corpus=self.corpus if corpus else None,
                cross_encoder=self if cross_encoder else None, **options,
            )  # fmt: skip
        chosen = re.search(r"Setting range_max to (\d+)", printed.getvalue())
        columns = mined.column_names
        rows = [[row[column] for column in columns] for row in mined]
        return columns, rows, int(chosen[1]) if chosen else options["range_max"]


def plain(scenario: Scenario, corpus: bool, cross_encoder: bool, options: dict) -> tuple[list, list, int, dict]:
    """What `Scenario.mine` must give, and the documents that step 6 may choose from."""
    option = DEFAULTS | options
    documents = list(dict.fromkeys((scenario.corpus if corpus else []) + [positive for _, positive in scenario.pairs]))
    positives = {query: [] for query in scenario.queries}
    for query, positive in scenario.pairs:
        if positive not in positives[query]:
            positives[query].append(positive)
    max_positives = max(sum(query == other for other, _ in scenario.pairs) for query in scenario.queries)

    wanted, range_min, range_max = (option[name] for name in ("num_negatives", "range_min", "range_max"))
    if range_max is None:
        deep = any(option[name] is not None for name in (*MARGINS, "max_score"))
        deep = deep or (cross_encoder and option["min_score"] is not None)
        range_max = range_min + wanted * (10 if deep else 1) + max_positives
    filters = any(option[name] is not None for name in (*MARGINS, "max_score", "min_score"))
    table = "rescored" if cross_encoder and filters else "scores"
    absolute, relative, most, least = (
        None if option[name] is None else np.float32(option[name]) for name in (*MARGINS, "max_score", "min_score")
    )

    def keeps(score: np.float32, lowest: np.float32) -> bool:
        return (
            (absolute is None or score + absolute <= lowest)
            and (relative is None or score <= lowest - abs(lowest) * relative)
            and (most is None or score <= most)
            and (least is None or score >= least)
        )

    output = "n-tuple" if option["include_positives"] else option["output_format"]
    scored = option["output_scores"]
    columns = {
        "triplet": ["query", "document", "negative"] + scored * ["scores"],
        "n-tuple": ["query", "document", *(f"negative_{i + 1}" for i in range(wanted))] + scored * ["scores"],
        "labeled-pair": ["query", "document", "score" if scored else "label"],
        "labeled-list": ["query", "document", "scores" if scored else "labels"],
    }[output]
    rows, eligible = [], {}
    for query in scenario.queries:
        retrieved = sorted(documents, key=lambda document: -scenario.score(query, document))
        score = {
            document: scenario.score(query, document, table)
            for document in retrieved[: range_max + max_positives] + positives[query]
        }
        lowest = min(score[positive] for positive in positives[query])
        candidates = [
            document
            for document in retrieved[: range_max + max_positives]
            if (option["include_positives"] or document not in positives[query]) and keeps(score[document], lowest)
        ]
        candidates.sort(key=lambda document: -score[document])
        eligible[query] = candidates[:range_max][range_min:]
        negatives = eligible[query][:wanted]
        score = {document: float(value) for document, value in score.items()}
        of_negatives = [score[negative] for negative in negatives]
        for positive in positives[query]:
            if output == "triplet":
                for negative in negatives:
                    scores = [[score[positive], score[negative]]] if scored else []
                    rows.append([query, positive, negative, *scores])
            elif output == "n-tuple" and len(negatives) == wanted:
                rows.append([query, positive, *negatives] + ([[score[positive], *of_negatives]] if scored else []))
            elif output == "labeled-pair":
                rows.append([query, positive, score[positive] if scored else 1])
            elif output == "labeled-list" and negatives:
                labels = [score[positive], *of_negatives] if scored else [1] + [0] * len(negatives)
                rows.append([query, [positive, *negatives], labels])
        if output == "labeled-pair":
            rows.extend([query, negative, score[negative] if scored else 0] for negative in negatives)
    return columns, rows, range_max, eligible


DEFAULTS = {
    name: parameter.default
    for name, parameter in inspect.signature(mine_hard_negatives).parameters.items()
    if parameter.default is not inspect.Parameter.empty and name not in FIXED
}


def names(letter: str, numbers) -> list[str]:
    return [f"{letter}{number:02}" for number in numbers]


def table(draw: random.Random, bounds: dict, documents: list, unit: int, **given: dict) -> dict:
    """Distinct scores, whole numbers of 1/unit, within the bounds of each query; some of them are given."""
    scores = {}
    for query, (low, high) in bounds.items():
        fixed = given.get(query, {})
        numbers = [number for number in range(low, high) if number not in fixed.values()]
        drawn = dict(zip(documents, draw.sample(numbers, len(documents))))
        scores[query] = {document: number / unit for document, number in (drawn | fixed).items()}
    return scores


def scenarios() -> dict[str, Scenario]:
    draw = random.Random(SEED)
    documents = names("d", range(40))
    bounds = {query: (-300, 700) for query in names("q", range(12))}
    bounds["q08"], bounds["q09"] = (-400, -10), (600, 900)
    main = table(
        draw, bounds, documents, 1024,
        q00={"d00": 920},
        q01={"d01": 830, "d02": 210},  # one positive high, one low
        q02={"d03": 400, "d22": 512, "d23": 0},  # scores equal to max_score or min_score
        q03={"d04": 660, "d05": 640, "d06": 300},
        q04={"d07": -100},  # below 0, where a relative margin must lower the threshold still
        q05={"d08": 0},
        q06={"d09": -301},  # the last of all: no margin leaves a negative
        q07={"d10": 500, "d00": 750},  # d00 is a positive of q00 too
        q08={"d11": 970},  # everything else scores below 0
        q09={"d12": 950},  # everything else scores high
        q10={"d13": 512, "d20": 384, "d21": 385},  # d20 is at the margin exactly
        q11={"d14": 460, "d15": 512},
    )  # fmt: skip
    rescored = table(draw, {query: (-500, 500) for query in bounds}, documents, 64)
    pairs = [
        ("q00", "d00"), ("q01", "d01"), ("q03", "d04"), ("q02", "d03"), ("q01", "d02"), ("q03", "d05"), ("q04", "d07"),
        ("q05", "d08"), ("q06", "d09"), ("q07", "d10"), ("q03", "d06"), ("q08", "d11"), ("q09", "d12"), ("q07", "d00"),
        ("q10", "d13"), ("q11", "d14"), ("q11", "d15"),
    ]  # fmt: skip
    corpus = draw.sample(documents[6:], 34)
    corpus.insert(9, corpus[3])
    corpus.append(corpus[20])

    few = names("d", range(14))
    repeated = table(draw, dict.fromkeys(names("q", range(3)), (-100, 900)), few, 1024)
    repeated_pairs = [("q00", "d00")] * 3 + [("q01", "d01"), ("q02", "d03"), ("q00", "d00"), ("q01", "d02")]

    tied = {"d00": 0.75, "d01": 0.5, "d02": 0.5, "d03": 0.25, "d04": 0.25, "d05": 0.25, "d06": 0.0, "d07": -0.25}
    single = {"d00": 0.9, "d01": 0.8, "d02": 0.7, "d03": 0.6, "d04": 0.3, "d05": 0.1, "d06": 0.2, "d07": 0.855}
    return {
        "main": Scenario(pairs, corpus, main, rescored),
        "repeated": Scenario(repeated_pairs, few, repeated),
        "tied": Scenario([("q00", "d00")], names("d", range(8)), {"q00": tied}),
        "float32": Scenario([("q00", "d00")], names("d", range(8)), {"q00": single}),
    }


def case_list() -> list[tuple[str, bool, bool, dict]]:
    """Scenario, whether its corpus and its cross-encoder are passed, and the options."""
    formats = ["triplet", "n-tuple", "labeled-pair", "labeled-list"]
    main = [{}]
    main += [{"output_format": name} for name in formats[1:]]
    main += [{"output_format": name, "output_scores": True} for name in formats]
    # Ranges.
    main += [
        {"range_min": 2}, {"range_min": 5, "num_negatives": 2}, {"range_max": 3}, {"range_min": 2, "range_max": 5},
        {"range_min": 36, "num_negatives": 1}, {"range_min": 38, "num_negatives": 4, "output_format": "labeled-pair"},
    ]  # fmt: skip
    # One filter, and with a range: what is retrieved is bounded by range_max, what is skipped counts after the filter.
    main += [
        {"max_score": 0.5}, {"max_score": 0.0}, {"max_score": -0.1}, {"min_score": 0.0}, {"min_score": 0.5},
        {"min_score": 0.5, "output_format": "n-tuple"}, {"max_score": 0.5, "min_score": 0.25},
        {"max_score": 0.25, "range_max": 6}, {"max_score": 0.5, "range_max": 12, "range_min": 3},
        {"max_score": 0.5, "range_min": 3, "num_negatives": 2, "output_scores": True},
        {"min_score": 0.25, "range_max": 9, "range_min": 6, "output_format": "labeled-list"},
    ]  # fmt: skip
    # Margins.
    main += [{"absolute_margin": value} for value in (0, 0.125, 0.3, -0.125)]
    main += [{"relative_margin": value} for value in (0, 0.05, 0.25, 1.0, -0.25)]
    main += [
        {"absolute_margin": 0.125, "relative_margin": 0.05}, {"absolute_margin": 0.05, "relative_margin": 0.25},
        {"relative_margin": 0.05, "range_max": 5}, {"relative_margin": 0.05, "range_min": 4, "num_negatives": 2},
    ]  # fmt: skip
    main += [{"relative_margin": 0.05, "output_format": name, "output_scores": True} for name in formats]
    # All together, and many or few negatives.
    everything = {"absolute_margin": 0.05, "relative_margin": 0.1, "max_score": 0.4, "min_score": -0.125}
    ranged = everything | {"range_min": 1, "range_max": 20, "num_negatives": 4}
    main += [ranged | {"output_format": name} for name in formats]
    main += [
        {"num_negatives": 1}, {"num_negatives": 8, "output_format": "n-tuple"},
        {"num_negatives": 39, "range_min": 8, "output_format": "labeled-list"},
        everything | {"num_negatives": 12, "output_format": "labeled-list"},
        {"max_score": -0.2, "output_format": "labeled-pair"},
    ]  # fmt: skip
    # A full ranking.
    full = {"include_positives": True, "output_format": "n-tuple"}
    main += [
        full, full | {"num_negatives": 6, "output_scores": True}, full | {"max_score": 0.6},
        full | {"relative_margin": 0.05}, full | {"absolute_margin": -0.05}, full | {"range_min": 1},
        {"include_positives": True, "output_format": "labeled-list"},
    ]  # fmt: skip
    cases = [("main", True, False, options) for options in main]
    positives_only = [
        {}, {"num_negatives": 12, "output_format": "labeled-list"}, {"num_negatives": 14, "output_format": "n-tuple"},
    ]  # fmt: skip
    cases += [("main", False, False, options) for options in positives_only]
    rescored = [
        {}, {"min_score": 0.0, "output_scores": True}, {"max_score": 2.0, "output_scores": True},
        {"relative_margin": 0.05},
        {"absolute_margin": 1.0, "range_min": 2, "range_max": 16, "output_format": "labeled-pair"}
        | {"output_scores": True},
    ]  # fmt: skip
    cases += [("main", True, True, options) for options in rescored]
    repeated = [
        {}, {"output_format": "labeled-list"}, {"range_max": 3, "max_score": 0.5},
        {"max_score": 0.25, "num_negatives": 1},
    ]  # fmt: skip
    cases += [("repeated", True, False, options) for options in repeated]
    tied = [{}, {"num_negatives": 2}, {"absolute_margin": 0.25, "range_min": 1}, {"num_negatives": 1}]
    cases += [("tied", True, False, options | {"output_scores": True}) for options in tied]
    float32 = [{"max_score": value} for value in (0.8, 0.3)] + [{"min_score": 0.7}, {"relative_margin": 0.05}]
    float32 += [{"absolute_margin": value} for value in (0.1, 0.3, 0.7)]
    every = {"num_negatives": 7, "output_format": "labeled-list"}
    return cases + [("float32", True, False, options | every) for options in float32]


RANDOM = [
    {}, {"range_min": 3, "range_max": 12}, {"range_max": 5, "num_negatives": 4}, {"max_score": 0.5},
    {"relative_margin": 0.05},
    {"absolute_margin": 0.125, "min_score": -0.2, "range_min": 2, "range_max": 15, "num_negatives": 5},
]  # fmt: skip

ERRORS = [
    {"num_negatives": 0}, {"range_min": -1}, {"range_min": 3, "range_max": 3}, {"range_min": 5, "range_max": 3},
    {"range_max": 2}, {"range_min": 2, "range_max": 4}, {"output_format": "pairs"},
]  # fmt: skip


def cases(known: dict[str, Scenario]) -> list[dict]:
    written = []
    for name, corpus, cross_encoder, options in case_list():
        scenario = known[name]
        columns, rows, range_max = scenario.mine(corpus, cross_encoder, options)
        *expected, eligible = plain(scenario, corpus, cross_encoder, options)
        got = [columns, [row[-1] for row in rows] if name == "tied" else rows, range_max]
        if name == "tied":
            expected[1] = [row[-1] for row in expected[1]]
        assert got == expected, (name, corpus, cross_encoder, options)
        wanted = (DEFAULTS | options)["num_negatives"]
        head = {"scenario": name, "corpus": corpus, "cross_encoder": cross_encoder, "options": options}
        negatives = {query: min(wanted, len(documents)) for query, documents in eligible.items()}
        written.append(head | {"range_max": range_max, "negatives": negatives, "columns": columns, "rows": rows})
    return written


def random_cases(scenario: Scenario) -> list[dict]:
    written = []
    for options in RANDOM:
        *_, range_max, eligible = plain(scenario, True, False, options)
        wanted = (DEFAULTS | options)["num_negatives"]
        pairs = {"output_format": "labeled-pair", "range_max": range_max}
        every = options | pairs | {"num_negatives": range_max - options.get("range_min", 0)}
        _, rows, _ = scenario.mine(True, False, every)
        assert [row[:2] for row in rows if row[2] == 0] == [[q, d] for q, found in eligible.items() for d in found]
        seen = {query: set() for query in eligible}
        for seed in range(200):
            random.seed(seed)
            _, rows, _ = scenario.mine(True, False, options | pairs | {"sampling_strategy": "random"})
            for query, allowed in eligible.items():
                drawn = [row[1] for row in rows if row[0] == query and row[2] == 0]
                assert len(drawn) == min(wanted, len(allowed))
                assert drawn == [document for document in allowed if document in drawn]
                seen[query].update(drawn)
        assert seen == {query: set(allowed) for query, allowed in eligible.items()}
        written.append({"scenario": "main", "options": options, "range_max": range_max, "eligible": eligible})
    return written


def errors(scenario: Scenario) -> list[dict]:
    written = []
    for options in ERRORS:
        try:
            scenario.mine(True, False, options)
        except ValueError as error:
            written.append({"options": options, "error": str(error)})
    assert len(written) == len(ERRORS)
    return written


def fuzz(known: dict[str, Scenario]) -> None:
    """Random options give the same by the library and by `plain`."""
    draw = random.Random(SEED)
    values = {
        "range_min": [1, 2, 5, 9], "range_max": [3, 6, 10, 20, 60], "max_score": [-0.2, 0.1, 0.3, 0.7],
        "min_score": [-0.2, 0.1, 0.4], "absolute_margin": [-0.1, 0, 0.1, 0.4], "relative_margin": [-0.3, 0, 0.05, 0.5],
        "num_negatives": [1, 2, 5, 12], "include_positives": [True], "output_scores": [True],
        "output_format": ["n-tuple", "labeled-pair", "labeled-list"],
    }  # fmt: skip
    compared = 0
    while compared < FUZZED:
        chosen = draw.sample(sorted(values), draw.randint(0, 6))
        options = {option: draw.choice(values[option]) for option in chosen}
        name = draw.choice(["main", "repeated"])
        corpus, cross_encoder = draw.random() < 0.7, name == "main" and draw.random() < 0.3
        *expected, _ = plain(known[name], corpus, cross_encoder, options)
        if (DEFAULTS | options)["num_negatives"] > expected[2] - options.get("range_min", 0):
            continue
        try:
            got = list(known[name].mine(corpus, cross_encoder, options))
        except ZeroDivisionError:  # the library's count of what it skipped, where margins left nothing for min_score
            assert "min_score" in options and not expected[1]
            continue
        assert got == expected, (name, corpus, cross_encoder, options)
        compared += 1


def main() -> None:
    disable_progress_bars()
    warnings.simplefilter("ignore")  # the library prints a standard deviation of nothing
    logging.getLogger("sentence_transformers").setLevel(logging.ERROR)
    known = scenarios()
    fuzz(known)
    write(
        "mine_hard_negatives.json",
        {
            "versions": versions("sentence-transformers", "torch"),
            "defaults": DEFAULTS,
            "scenarios": {name: scenario.figures() for name, scenario in known.items()},
            "cases": cases(known),
            "random": random_cases(known["main"]),
            "errors": errors(known["main"]),
        },
    )


if __name__ == "__main__":
    main()
