"""Multiple-negatives ranking loss and its gradients at fixed embeddings, made with sentence-transformers.

    pip install -r tests/reference/requirements.txt
    python tests/reference/mnrl.py

Made with Python 3.11, sentence-transformers 6.2.0, torch 2.11.0 (CPU, float64). The embeddings are not of unit
length, so that the gradient goes through the normalisation of the cosine, and are rounded before use: the JSON
holds them exactly. Gradients and losses are rounded to ten decimals.
"""

import torch
from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss

from reference import rounded, versions, write

ROWS, DIMENSION, SEED, SCALE = 6, 8, 20, 20.0


def columns() -> dict[str, list[list[float]]]:
    """Positives lie near their anchors and negatives a little further off, as in a real batch."""
    generator = torch.Generator().manual_seed(SEED)

    def noise():
        return torch.randn(ROWS, DIMENSION, generator=generator, dtype=torch.float64)

    anchors = noise()
    named = {
        "anchors": anchors,
        "positives": anchors + 0.9 * noise(),
        "negatives_1": anchors + 1.1 * noise(),
        "negatives_2": 0.5 * anchors + 1.2 * noise(),
    }
    return {name: rounded(column.tolist(), 6) for name, column in named.items()}


def case(embeddings: dict[str, list[list[float]]], names: list[str]) -> dict:
    leaves = [torch.tensor(embeddings[name], dtype=torch.float64, requires_grad=True) for name in names]
    loss = MultipleNegativesRankingLoss(model=None, scale=SCALE).compute_loss_from_embeddings(leaves, labels=None)
    loss.backward()
    return {
        "columns": names,
        "loss": round(loss.item(), 10),
        "gradients": {name: rounded(leaf.grad.tolist(), 10) for name, leaf in zip(names, leaves)},
    }


def main() -> None:
    embeddings = columns()
    names = list(embeddings)
    write(
        "mnrl.json",
        {
            "versions": versions("sentence-transformers", "torch"),
            "scale": SCALE,
            "embeddings": embeddings,
            "cases": [case(embeddings, names[:count]) for count in (2, 3, 4)],
        },
    )


if __name__ == "__main__":
    main()
