"""Figures of paired tests and of the correction for several tests, made with SciPy and statsmodels.

    pip install -r tests/reference/requirements.txt
    python tests/reference/paired_tests.py

Made with Python 3.11, SciPy 1.17.1, statsmodels 0.15.0, NumPy 2.4.6.

`paired`: two figures a query, `t`, `degrees` and `t_p` of ttest_rel, Cohen's `d_z`, and the p-value of
permutation_test, which tries all signs where `exact`. `corrections`: p-values as they are and corrected by Holm's procedure.
"""

import numpy as np
from scipy.stats import permutation_test, ttest_rel
from statsmodels.stats.multitest import multipletests

from reference import versions, write

PERMUTATIONS = 20_000


def mean_difference(a, b, axis=-1):
    return np.mean(a - b, axis=axis)


def paired(a: np.ndarray, b: np.ndarray) -> dict:
    student = ttest_rel(a, b)
    permuted = permutation_test(
        (a, b), mean_difference, permutation_type="samples", vectorized=True, n_resamples=PERMUTATIONS,
        batch=1_000, rng=np.random.default_rng(7),
    )  # fmt: skip
    differences = a - b
    return {
        "a": a.tolist(),
        "b": b.tolist(),
        "t": student.statistic.item(),
        "degrees": int(student.df),
        "t_p": student.pvalue.item(),
        "d_z": (differences.mean() / differences.std(ddof=1)).item(),
        "permutations": PERMUTATIONS,
        "randomisation_p": permuted.pvalue.item(),
        # Differences of 0 have no sign.
        "exact": bool(2 ** int(np.count_nonzero(differences)) <= PERMUTATIONS),
    }


def samples() -> dict:
    draw = np.random.default_rng(42)
    uniform = lambda n: draw.random(n).round(6)
    ranks = lambda n: 1 / draw.integers(1, 11, n)
    base = uniform(60)
    first = ranks(120)
    swapped = np.where(draw.random(120) < 0.2, ranks(120), first)
    return {
        "two": paired(np.array([0.5, 0.75]), np.array([0.25, 0.7])),
        "ten": paired(uniform(10), uniform(10)),
        "twelve_one_way": paired(uniform(12) + 1, uniform(12)),
        "ties": paired(np.array([1, 0, 1, 1, 0, 1, 1, 0, 1.0]), np.array([0, 0, 1, 0, 1, 0, 0, 0, 1.0])),
        "sixty_no_effect": paired(base, (base + draw.normal(0, 0.1, 60)).round(6)),
        "sixty_small_effect": paired(base + 0.03, (base + draw.normal(0, 0.1, 60)).round(6)),
        "reciprocal_ranks_mostly_equal": paired(first, swapped),
        "a_thousand_large_effect": paired(uniform(1_000).round(3) + 0.05, uniform(1_000).round(3)),
    }


def corrected(p: list[float]) -> dict:
    return {"p": p, "holm": multipletests(p, method="holm")[1].tolist()}


def main() -> None:
    draw = np.random.default_rng(3)
    write(
        "paired_tests.json",
        {
            "versions": versions("scipy", "statsmodels", "numpy"),
            "paired": samples(),
            "corrections": {
                "one": corrected([0.04]),
                "ascending": corrected([0.001, 0.008, 0.039, 0.041, 0.042, 0.06, 0.074, 0.205, 0.212, 0.9]),
                "ties_and_ends": corrected([1.0, 0.02, 0.0, 0.02, 0.5, 1.0]),
                "twenty": corrected((draw.random(20) ** 3).tolist()),
            },
        },
    )


if __name__ == "__main__":
    main()
