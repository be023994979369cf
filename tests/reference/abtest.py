"""Figures of A/B tests, made with SciPy, statsmodels and the Python binding of BLAKE3.

    pip install scipy==1.17.1 statsmodels==0.15.0 blake3==1.0.11
    python tests/reference/abtest.py

`proportions`: successes and trials of treatment and control, Wilson's interval of the first, the z test, the intervals of
the difference and of the ratio that the score test does not refuse (by likelihoods maximised here; the latter checked
against statsmodels), the chance that the first is higher under uniform priors, and Fisher's exact test.
`means`: count, mean and standard deviation of treatment and control, the t interval of the first and Welch's test.
`chi_square`: observed counts, shares, statistic and p-value.
`clusters`: clicks and impressions of each user; the ratio and its error by least squares with errors robust to
clusters, times sqrt(k / (k - 1)).
`trials` and `values`: what a test needs in each arm.
`assign`: the arm that each id gets, by a program of its own.
"""

import math
import random

import blake3
import numpy as np
import statsmodels.api as sm
from scipy import integrate, optimize, stats
from statsmodels.stats.power import TTestIndPower
from statsmodels.stats.proportion import (
    proportions_ztest,
    samplesize_proportions_2indep_onetail,
    score_test_proportions_2indep,
)

from reference import versions, write

random.seed(6)


def chance(a, n, b, m):
    ours, theirs = stats.beta(1 + a, 1 + n - a), stats.beta(1 + b, 1 + m - b)
    tails = [1e-15, 1e-9, 1e-5, 0.01, 0.2, 0.5]
    knots = sorted({q for d in (ours, theirs) for q in [*d.ppf(tails), *d.isf(tails)]})
    pieces = zip([0, *knots], [*knots, 1])
    integrand = lambda x: ours.pdf(x) * theirs.cdf(x)
    return sum(integrate.quad(integrand, low, high, epsabs=1e-12, limit=200)[0] for low, high in pieces)


def score(a, n, b, m, value, compare):
    """The score statistic at rates p and q with p - q = value or p / q = value, the likeliest ones."""
    ours = (lambda q: q + value) if compare == "diff" else (lambda q: q * value)
    step = 1 if compare == "diff" else value
    low = max(0, -value) if compare == "diff" else 0
    high = min(1, 1 - value) if compare == "diff" else min(1, 1 / value)
    part = lambda count, rate: count / max(rate, 1e-300) if count else 0

    def slope(q):
        p = ours(q)
        return step * (part(a, p) - part(n - a, 1 - p)) + part(b, q) - part(m - b, 1 - q)

    inside = [low + (high - low) * 1e-13, high - (high - low) * 1e-13]
    signs = [slope(at) for at in inside]
    if signs[0] <= 0:
        q = low
    elif signs[1] >= 0:
        q = high
    else:
        q = optimize.brentq(slope, *inside, xtol=1e-18, rtol=1e-14, maxiter=500)
    p = min(max(ours(q), 0), 1)
    beyond = a / n - (b / m + value if compare == "diff" else b / m * value)
    return beyond / math.sqrt(p * (1 - p) / n + (1 if compare == "diff" else value * value) * q * (1 - q) / m)


def score_interval(a, n, b, m, compare, alpha):
    z = stats.norm.isf(alpha / 2)
    found = a / n - b / m if compare == "diff" else (a / n) / (b / m)
    least, most = (-1 + 1e-12, 1 - 1e-12) if compare == "diff" else (1e-12, max(found, 1) * 1e6)
    end = lambda low, high, wanted: optimize.brentq(
        lambda value: score(a, n, b, m, value, compare) - wanted, low, high, xtol=1e-16, rtol=1e-14, maxiter=500
    )
    near = 1e-13 if compare == "diff" else max(found, 1e-3) * 1e-13
    low = 0.0 if compare == "ratio" and a == 0 else end(least, found - near, z)
    ends = [low, end(found + near, most, -z)]
    if compare == "ratio" and a:
        # statsmodels 0.15.0 has the right test of a ratio, though not always the right interval, and a count of
        # successes for one of trials in its test of a difference (Miettinen and Nurminen 1985).
        tests = [score_test_proportions_2indep(a, n, b, m, value=end, compare="ratio", correction=False) for end in ends]
        assert np.allclose([test.statistic for test in tests], [z, -z], rtol=1e-6), (ends, tests)
    return ends


def proportion(a, n, b, m, confidence=0.95):
    alpha = 1 - confidence
    wilson = stats.binomtest(a, n).proportion_ci(confidence, method="wilson")
    z, p = proportions_ztest([a, b], [n, m])
    difference = score_interval(a, n, b, m, "diff", alpha)
    ratio = score_interval(a, n, b, m, "ratio", alpha) if b else None
    return {
        "treatment": [a, n],
        "control": [b, m],
        "confidence": confidence,
        "wilson": [float(wilson.low), float(wilson.high)],
        "z": None if math.isnan(z) else float(z),
        "p_value": None if math.isnan(p) else float(p),
        "difference": difference,
        "ratio": ratio,
        "chance": float(chance(a, n, b, m)),
        "fisher": float(stats.fisher_exact([[a, n - a], [b, m - b]]).pvalue),
    }


def mean(n, x, s, m, y, t, confidence=0.95):
    margin = stats.t.ppf(0.5 + confidence / 2, n - 1) * s / math.sqrt(n)
    test = stats.ttest_ind_from_stats(x, s, n, y, t, m, equal_var=False)
    v, w = s * s / n, t * t / m
    degrees = (v + w) ** 2 / (v * v / (n - 1) + w * w / (m - 1))
    wide = stats.t.ppf(0.5 + confidence / 2, degrees) * math.sqrt(v + w)
    return {
        "treatment": [n, x, s],
        "control": [m, y, t],
        "confidence": confidence,
        "interval": [float(x - margin), float(x + margin)],
        "t": float(test.statistic),
        "degrees": float(degrees),
        "p_value": float(test.pvalue),
        "difference": [float(x - y - wide), float(x - y + wide)],
    }


def cluster(users):
    clicks, groups = [], []
    for user, (clicked, shown) in enumerate(users):
        clicks += [1] * clicked + [0] * (shown - clicked)
        groups += [user] * shown
    fit = sm.OLS(clicks, np.ones((len(clicks), 1))).fit(
        cov_type="cluster", cov_kwds={"groups": np.array(groups), "use_correction": False}
    )
    k = len(users)
    return {"users": users, "ratio": float(fit.params[0]), "error": float(fit.bse[0] * math.sqrt(k / (k - 1)))}


def assign(experiment, weights, identifier):
    clocks = {}
    for arm, weight in weights.items():
        key = blake3.blake3(
            experiment.encode() + b"\0" + arm.encode(), derive_key_context="pairmill 2026-11 evaluate assign arm"
        ).digest()
        first = int.from_bytes(blake3.blake3(identifier.encode(), key=key).digest()[:8], "little")
        clocks[arm] = -math.log(((first >> 12) + 0.5) / 2**52) / weight
    return min(clocks, key=clocks.get)


def users(count):
    drawn = []
    for _ in range(count):
        shown = random.randint(1, 12)
        rate = random.betavariate(0.5, 2)
        drawn.append([sum(random.random() < rate for _ in range(shown)), shown])
    return drawn


proportions = [
    proportion(120, 1000, 100, 1000),
    proportion(1, 7, 3, 5, 0.9),
    proportion(0, 20, 4, 25),
    proportion(30, 30, 25, 30, 0.99),
    proportion(52_310, 1_000_000, 51_802, 1_000_500),
    proportion(3, 2_000_000, 11, 3_000_000),
    proportion(40, 400, 1_000_000, 10_000_000),
    proportion(0, 12, 0, 15),
    proportion(2, 3, 300_000, 1_000_000),
    proportion(1, 900, 9, 1_000),
]
means = [
    mean(5, 4.2, 0.8, 7, 3.9, 1.1),
    mean(2, 1.5, 0.7, 2, 1.0, 0.1),
    mean(250, 0.61, 0.31, 90, 0.55, 0.12, 0.9),
    mean(100_000, 4.215, 1.02, 120_000, 4.207, 1.05),
    mean(30_000_000, 4.21, 1.0, 12, 4.0, 1.4, 0.99),
    mean(30_000_000, 4.2101, 1.0, 40_000_000, 4.2098, 1.2),
]
chi = [
    {"observed": list(o), "shares": s, "statistic": float(t.statistic), "p_value": float(t.pvalue)}
    for o, s in [([5100, 4900], [1, 1]), ([812, 400, 390], [2, 1, 1]), ([0, 31], [1, 9]), ([501, 499], [0.5, 0.5])]
    for t in [stats.chisquare(o, np.array(s) / sum(s) * sum(o))]
]
trials = [
    [b, t, a, p, float(samplesize_proportions_2indep_onetail(t - b, b, p, 1, a, 0, "two-sided"))]
    for b, t, a, p in [
        (0.1, 0.11, 0.05, 0.8),
        (0.5, 0.4, 0.01, 0.9),
        (0.02, 0.0205, 0.05, 0.8),
        (0.1, 0.11, 0.025, 0.8),
    ]
]
values = [
    [d, s, a, p, float(TTestIndPower().solve_power(d / s, alpha=a, power=p))]
    for d, s, a, p in [(0.1, 1.2, 0.05, 0.8), (1.0, 1.0, 0.01, 0.9), (0.5, 1.0, 0.05, 0.95)]
]
experiments = [
    ("ranker-2026-11", {"control": 0.5, "candidate": 0.5}),
    ("ranker-2026-11", {"control": 0.8, "candidate": 0.1, "bold": 0.1}),
    ("größer", {"a": 1, "b": 3}),
]
identifiers = ["1", "2", "42", "user-7", "Zoë", "b3c7e1d0-0000-4000-8000-00000000000a", " padded ", "0"]
assignments = [
    {"experiment": e, "weights": w, "arms": {i: assign(e, w, i) for i in identifiers}} for e, w in experiments
]

write(
    "abtest.json",
    {
        "versions": versions("scipy", "statsmodels", "blake3"),
        "proportions": proportions,
        "means": means,
        "chi_square": chi,
        "clusters": [cluster(users(12)), cluster(users(80))],
        "trials": trials,
        "values": values,
        "assign": assignments,
    },
)
