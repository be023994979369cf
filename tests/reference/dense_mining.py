"""Hard negatives of the first medquad rows, mined with sentence-transformers' mine_hard_negatives.

    pip install -r tests/reference/requirements.txt
    PAIRMILL_DATA=DIR PAIRMILL_MODEL=DIR python tests/reference/dense_mining.py

Made with Python 3.11, sentence-transformers 6.2.0, torch 2.11.0 (CPU, float32), datasets 5.2.0.

Anchors are the questions of the first `rows` rows, positives and documents their answers; of rows with an equal question
or an equal answer only the first is taken, so that a row's number stands for its question and its answer. `ranked` lists
the ten best documents of each question with their scores, its own answer among them; each case has the options that
differ from the defaults, and for each question the numbers of its negatives, none where it has no row.
"""

import os

import pyarrow.parquet as pq
import torch
from datasets import Dataset
from sentence_transformers import SentenceTransformer
from sentence_transformers.util import mine_hard_negatives

from reference import rounded, versions, write

ROWS = 250
RANKED = 10
MAX_LENGTH = 128
CASES = {
    "top": {"num_negatives": 3, "range_max": 50},
    "range": {"num_negatives": 4, "range_min": 5, "range_max": 20},
    "relative_margin": {"num_negatives": 3, "range_max": 30, "relative_margin": 0.05},
    "absolute_margin": {"num_negatives": 3, "range_max": 30, "absolute_margin": 0.2},
    "bounds": {"num_negatives": 3, "range_max": 30, "max_score": 0.5, "min_score": 0.2},
}


def main() -> None:
    table = pq.read_table(os.path.join(os.environ["PAIRMILL_DATA"], "medquad/qa.parquet")).slice(0, ROWS)
    questions, answers, numbers = [], [], []
    for number, (question, answer) in enumerate(zip(table["question"].to_pylist(), table["answer"].to_pylist())):
        if question not in questions and answer not in answers:
            questions.append(question), answers.append(answer), numbers.append(number)
    model = SentenceTransformer(os.environ["PAIRMILL_MODEL"], device="cpu")
    model.max_seq_length = MAX_LENGTH
    asked, documents = (model.encode(texts, convert_to_tensor=True, normalize_embeddings=True) for texts in (questions, answers))
    scores, places = torch.topk(model.similarity(asked, documents), RANKED)
    figures = {
        "versions": versions("sentence-transformers", "torch", "datasets"),
        "rows": ROWS,
        "max_length": MAX_LENGTH,
        "numbers": numbers,
        "ranked": [[[numbers[place], score] for place, score in zip(*of_query)]
                   for of_query in zip(places.tolist(), rounded(scores.tolist(), 6))],
        "positive_scores": rounded((asked * documents).sum(1).tolist(), 6),
        "cases": {},
    }
    dataset = Dataset.from_dict({"anchor": questions, "positive": answers})
    for name, options in CASES.items():
        mined = mine_hard_negatives(dataset, model, output_format="triplet", verbose=False, **options)
        found = {question: [] for question in questions}
        for question, negative in zip(mined["anchor"], mined["negative"]):
            found[question].append(numbers[answers.index(negative)])
        figures["cases"][name] = {"options": options, "negatives": list(found.values())}
    write("dense_mining.json", figures)


if __name__ == "__main__":
    main()
