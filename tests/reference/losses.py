"""Losses and their gradients at fixed embeddings, made with sentence-transformers.

    pip install -r tests/reference/requirements.txt
    python tests/reference/losses.py

Made with Python 3.11, sentence-transformers 6.2.0, torch 2.11.0 (CPU, float64; LambdaLoss computes in float32). The
real loss classes run on a model that hands out fixed embeddings. These are not of unit length, so that gradients go
through the normalisation of the cosine, and are rounded before use: the JSON holds them exactly. The last anchor and
its positive are the same point, where a distance has no gradient.
"""

import torch
from sentence_transformers import CrossEncoder
from sentence_transformers.cross_encoder import losses as ranker
from sentence_transformers.sentence_transformer import losses as embedder
from sentence_transformers.util import pairwise_cos_sim, pairwise_dot_score
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from torch import nn
from torch.nn.functional import pairwise_distance
from transformers import PreTrainedTokenizerFast

from reference import rounded, versions, write

ROWS, DIMENSION, SEED = 6, 8, 20
PAIR = ["anchors", "positives"]
TRIPLET = [*PAIR, "negatives_1"]
TUPLE = [*TRIPLET, "negatives_2"]
# Documents of each query of the LambdaLoss cases.
LIST_LENGTHS = [6, 4, 5, 1]


def tensors() -> dict[str, list]:
    """Positives lie near their anchors and negatives a little further off, as in a real batch."""
    generator = torch.Generator().manual_seed(SEED)

    def noise(*size: int):
        return torch.randn(*(size or (ROWS, DIMENSION)), generator=generator, dtype=torch.float64)

    anchors = noise()
    named = {
        "anchors": anchors,
        "positives": anchors + 0.9 * noise(),
        "negatives_1": anchors + 1.1 * noise(),
        "negatives_2": 0.5 * anchors + 1.2 * noise(),
    }
    named["positives"][-1] = anchors[-1]
    for name in TRIPLET:
        named[f"guide_{name}"] = named[name] + 0.5 * noise()
    named["sentences"] = torch.cat([named["anchors"], named["positives"]])
    named["odd_1"], named["odd_2"] = anchors[:, :7], named["positives"][:, :7]
    named["logits"] = 2 * noise(ROWS)
    named["logits_lists"] = 2 * noise(len(LIST_LENGTHS), max(LIST_LENGTHS))
    figures = {name: rounded(tensor.tolist(), 6) for name, tensor in named.items()}
    # Targets are whole numbers of 1/64: the library rounds some of them to float32.
    return figures | {
        "binary": [1.0, 0.0, 1.0, 0.0, 0.0, 1.0],
        "positive": [1.0] * ROWS,
        "negative": [0.0] * ROWS,
        "graded": [0.75, 0.25, 0.75, 0.0, 0.5, 1.0],
        # The sentence of class 3 has no positive.
        "classes": [0, 0, 1, 1, 2, 3, 0, 1, 1, 2, 2, 0],
        "margins_1": [[0.5], [-1.25], [2.0], [4.0], [0.0], [1.75]],
        "margins_2": [[0.5, 1.0], [-1.25, 3.5], [2.0, 0.25], [4.0, 1.0], [0.0, -0.5], [1.75, 5.0]],
        "scores_3": [[3, 1, 0.5], [2, 2.5, -1], [4, 0, 0.25], [1, 1, 1], [0.5, 2, 3], [6, 1.5, 2]],
        "grades": [[2, 0, 1, 0, 3, 0], [0, 1, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0], [1, 0, 0, 0, 0, 0]],
        "scores_lists": [[0.5, 0.25, 1, 0, -0.5, 0], [1.5, 1.5, 0, 2.25, 0, 0], [1, 0, 1, 0, 1, 0], [1, 0, 0, 0, 0, 0]],
    }


class Embeddings(nn.Module):
    """A model that hands out the embeddings it is given."""

    max_seq_length = 8
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=Tokenizer(WordLevel({"[UNK]": 0}, unk_token="[UNK]")))

    def __init__(self, key: str = "embedding"):
        super().__init__()
        self.key = key

    def forward(self, features: dict) -> dict:
        return {"sentence_embedding": features[self.key]}

    def get_embedding_dimension(self) -> int:
        return DIMENSION


class Logits(CrossEncoder):
    """A cross-encoder that hands out logits; query and document are their row and column."""

    num_labels = 1
    device = torch.device("cpu")

    def __init__(self, logits: torch.Tensor):
        nn.Module.__init__(self)
        self.logits = logits

    def preprocess(self, pairs, prompt=None, task=None) -> dict:
        return {"pairs": pairs}

    def forward(self, inputs: dict) -> dict:
        return {"scores": torch.stack([self.logits[int(row), int(column)] for row, column in inputs["pairs"]])[:, None]}


class Float64MSE(nn.MSELoss):
    """The library rounds labels to float32, to which torch finds no gradient from float64."""

    def forward(self, values, labels):
        return super().forward(values, labels.double())


class Cases:
    def __init__(self, figures: dict[str, list]):
        self.figures = figures
        self.cases = []

    def tensor(self, name: str, requires_grad: bool = False) -> torch.Tensor:
        return torch.tensor(self.figures[name], dtype=torch.float64, requires_grad=requires_grad)

    def add(self, name: str, inputs: list[str], target: str | None, options: dict, compute) -> None:
        leaves = [self.tensor(column, requires_grad=True) for column in inputs]
        value = compute(*leaves)
        value.backward()
        self.cases.append(
            {
                "loss": name,
                "inputs": inputs,
                "target": target,
                "options": options,
                "value": round(value.item(), 10),
                "gradients": [rounded(leaf.grad.tolist(), 10) for leaf in leaves],
            }
        )

    def embedded(self, name: str, loss, inputs: list[str], target: str | None = None, guide=False, **options) -> None:
        def compute(*leaves):
            features = [{"embedding": leaf} for leaf in leaves]
            if guide:
                for feature, column in zip(features, inputs):
                    feature["guide"] = self.tensor(f"guide_{column}")
            labels = self.tensor(target) if target else None
            return loss(features, labels.long() if target == "classes" else labels)

        self.add(name, inputs, target, options, compute)

    def ranking(self) -> None:
        model, guide = Embeddings(), Embeddings("guide")
        for columns in (PAIR, TRIPLET, TUPLE):
            loss = embedder.MultipleNegativesRankingLoss(model, scale=20.0)
            self.embedded("multiple_negatives_ranking", loss, columns, scale=20.0)
        for columns in (PAIR, TUPLE):
            loss = embedder.MultipleNegativesSymmetricRankingLoss(model, scale=20.0)
            self.embedded("multiple_negatives_symmetric_ranking", loss, columns, scale=20.0)
        for columns, strategy, margin, anchors, positives in [
            (PAIR, "absolute", 0.7, True, True),
            (TRIPLET, "absolute", 0.1, True, True),
            (TRIPLET, "relative", 0.5, True, True),
            (TRIPLET, "absolute", -0.05, False, True),
            (TRIPLET, "relative", 0.9, True, False),
        ]:
            options = {
                "temperature": 0.05,
                "margin_strategy": strategy,
                "margin": margin,
                "contrast_anchors": anchors,
                "contrast_positives": positives,
            }
            loss = embedder.GISTEmbedLoss(model, guide, **options)
            self.embedded("gist_embed", loss, columns, guide=True, **options)

    def pairs(self) -> None:
        model = Embeddings()
        # The library's own Euclidean and Manhattan distances add 1e-6 to every component.
        distances = {
            "cosine": embedder.SiameseDistanceMetric.COSINE_DISTANCE,
            "euclidean": lambda x, y: pairwise_distance(x, y, p=2, eps=0.0),
            "manhattan": lambda x, y: pairwise_distance(x, y, p=1, eps=0.0),
        }
        for (distance, metric), margin in zip(distances.items(), (0.5, 3.0, 6.0)):
            loss = embedder.ContrastiveLoss(model, distance_metric=metric, margin=margin)
            self.embedded("contrastive", loss, PAIR, "binary", distance=distance, margin=margin)
        for target in ("binary", "positive", "negative"):
            loss = embedder.OnlineContrastiveLoss(model, margin=0.5)
            self.embedded("online_contrastive", loss, PAIR, target, distance="cosine", margin=0.5)
        self.embedded("cosine_similarity", embedder.CosineSimilarityLoss(model, Float64MSE()), PAIR, "graded")
        for target in ("graded", "positive"):
            self.embedded("cosent", embedder.CoSENTLoss(model, scale=20.0), PAIR, target, scale=20.0)
        for columns in (PAIR, ["anchors", "negatives_2"], ["odd_1", "odd_2"]):
            self.embedded("angle", embedder.AnglELoss(model, scale=20.0), columns, "graded", scale=20.0)

    def triplets(self) -> None:
        model = Embeddings()
        metrics, functions = embedder.TripletDistanceMetric, embedder.BatchHardTripletLossDistanceFunction
        for distance, metric, margin in [
            ("euclidean", metrics.EUCLIDEAN, 5.0),
            ("cosine", metrics.COSINE, 0.25),
            ("manhattan", metrics.MANHATTAN, 2.0),
        ]:
            loss = embedder.TripletLoss(model, distance_metric=metric, triplet_margin=margin)
            self.embedded("triplet", loss, TRIPLET, distance=distance, margin=margin)
        for distance, function, margin in [
            ("euclidean", functions.euclidean_distance, 5.0),
            ("euclidean", functions.euclidean_distance, 0.5),
            ("cosine", functions.cosine_distance, 0.25),
        ]:
            options = {"distance": distance, "margin": margin}
            for name, loss in [
                ("batch_all_triplet", embedder.BatchAllTripletLoss),
                ("batch_hard_triplet", embedder.BatchHardTripletLoss),
                ("batch_semi_hard_triplet", embedder.BatchSemiHardTripletLoss),
            ]:
                self.embedded(name, loss(model, function, margin), ["sentences"], "classes", **options)
        for distance, function in (("euclidean", functions.euclidean_distance), ("cosine", functions.cosine_distance)):
            loss = embedder.BatchHardSoftMarginTripletLoss(model, function)
            self.embedded("batch_hard_soft_margin_triplet", loss, ["sentences"], "classes", distance=distance)

    def distillation(self) -> None:
        model = Embeddings()
        functions = {"dot": pairwise_dot_score, "cosine": pairwise_cos_sim}
        for columns, target, similarity in [
            (TRIPLET, "margins_1", "dot"),
            (TUPLE, "margins_2", "dot"),
            (TUPLE, "margins_2", "cosine"),
        ]:
            loss = embedder.MarginMSELoss(model, functions[similarity])
            self.embedded("margin_mse", loss, columns, target, similarity=similarity)
        for similarity, student, teacher in [("dot", 1.0, 1.0), ("dot", 2.0, 2.0), ("cosine", 0.1, 1.5)]:
            loss = embedder.DistillKLDivLoss(
                model, functions[similarity], student_temperature=student, teacher_temperature=teacher
            )
            options = {"similarity": similarity, "student_temperature": student, "teacher_temperature": teacher}
            self.embedded("distill_kl_div", loss, TUPLE, "scores_3", **options)

    def matryoshka(self) -> None:
        model = Embeddings()
        for inner, loss in [
            ("multiple_negatives_ranking", embedder.MultipleNegativesRankingLoss(model, scale=20.0)),
            ("triplet", embedder.TripletLoss(model, triplet_margin=5.0)),
        ]:
            for dims, weights in (([8, 4, 2], [1.0, 1.0, 1.0]), ([2, 6], [0.25, 2.0])):
                wrapped = embedder.MatryoshkaLoss(model, loss, dims, weights)
                self.embedded("matryoshka", wrapped, TRIPLET, inner=inner, dims=dims, weights=weights)

    def reranking(self) -> None:
        def with_float64(loss):
            loss.loss_fct = Float64MSE()
            return loss

        def pairs(loss):
            rows, columns = ["0"] * ROWS, [str(column) for column in range(ROWS)]
            return lambda logits: loss(Logits(logits[None]))([rows, columns], self.tensor("graded"))

        self.add("binary_cross_entropy", ["logits"], "graded", {}, pairs(ranker.BinaryCrossEntropyLoss))
        weighted = pairs(lambda model: ranker.BinaryCrossEntropyLoss(model, pos_weight=torch.tensor(4.0)))
        self.add("weighted_binary_cross_entropy", ["logits"], "graded", {"pos_weight": 4.0}, weighted)
        self.add("mse", ["logits"], "graded", {}, pairs(lambda model: with_float64(ranker.MSELoss(model))))

        def margin_mse(logits):
            rows = [str(row) for row in range(ROWS)]
            columns = [[str(column)] * ROWS for column in range(3)]
            return with_float64(ranker.MarginMSELoss(Logits(logits)))([rows, *columns], self.tensor("margins_2"))

        def multiple_negatives(logits):
            return ranker.MultipleNegativesRankingLoss(Logits(logits)).calculate_loss(list(logits.T), logits.shape[0])

        self.add("logits_margin_mse", ["scores_3"], "margins_2", {}, margin_mse)
        self.add("logits_multiple_negatives_ranking", ["logits_lists"], None, {"scale": 10.0}, multiple_negatives)
        schemes = {
            "none": ranker.NoWeightingScheme(),
            "ndcg_loss1": ranker.NDCGLoss1Scheme(),
            "ndcg_loss2": ranker.NDCGLoss2Scheme(),
            "lambda_rank": ranker.LambdaRankScheme(),
            "ndcg_loss2pp": ranker.NDCGLoss2PPScheme(),
        }
        settings = [(scheme, None, 1.0, "binary", "grades") for scheme in schemes]
        settings += [("ndcg_loss2pp", 2, 0.5, "natural", "grades"), ("ndcg_loss2pp", 3, 1.0, "binary", "scores_lists")]
        for scheme, k, sigma, base, target in settings:
            options = {"k": k, "sigma": sigma, "reduction_log": base}

            def lists(logits):
                rows = [str(row) for row in range(len(LIST_LENGTHS))]
                columns = [[str(column) for column in range(length)] for length in LIST_LENGTHS]
                labels = [row[:length] for row, length in zip(self.tensor(target), LIST_LENGTHS)]
                loss = ranker.LambdaLoss(Logits(logits), weighting_scheme=schemes[scheme], **options)
                return loss([rows, columns], labels)

            options_written = options | {"weighting": scheme, "lengths": LIST_LENGTHS}
            self.add("lambda_loss", ["logits_lists"], target, options_written, lists)


def main() -> None:
    figures = tensors()
    cases = Cases(figures)
    for group in (cases.ranking, cases.pairs, cases.triplets, cases.distillation, cases.matryoshka, cases.reranking):
        group()
    write(
        "losses.json",
        {"versions": versions("sentence-transformers", "torch"), "tensors": figures, "cases": cases.cases},
    )


if __name__ == "__main__":
    main()
