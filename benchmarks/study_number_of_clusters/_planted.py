"""Tables with planted segments: their number, shape, size and separation are known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: What makes each kind of table harder than round segments of equal size and spread.
FAMILIES = {
    "round": "round segments of equal size and spread",
    "sizes": "unequal sizes, the smallest with .3 of an equal share",
    "spreads": "unequal spreads, .5 to 1.5",
    "shared": "correlated columns, the same in all segments",
    "own": "correlated columns, each segment its own way",
    "irrelevant": "half as many columns again that tell nothing apart",
    "heavy": "heavy tails (Student's t with 4 degrees of freedom)",
    "skewed": "skewed segments (gamma with shape 2)",
    "mixed": "rounded, with one or two columns of 0 and 1 and a count",
    "levels": "one or two categories of 3 to 5 levels, a column of 0 and 1 for each level",
    "uniform": "segments with sharp edges (uniform)",
    "log": "round segments of logarithms, the columns not logarithmic",
    "all": "unequal sizes and spreads, correlated and irrelevant columns",
}


@dataclass(frozen=True)
class Plan:
    """What a table is made of."""

    family: str
    n_segments: int
    #: Least distance of two centres, in the mean standard deviation along the line between them.
    separation: float
    n_rows: int


def plant(plan: Plan, rng: np.random.Generator) -> Floats:
    """Draw a table of 2 to 10 columns, and the irrelevant ones."""
    k, family = plan.n_segments, plan.family
    n_columns = int(rng.integers(2, 11))
    shares = np.full(k, 1 / k)
    if family in ("sizes", "all"):
        shares = np.maximum(rng.dirichlet(np.full(k, 1.5)), 0.3 / k)
    spreads = np.ones(k)
    if family in ("spreads", "all"):
        spreads = rng.uniform(*((0.5, 1.5) if family == "spreads" else (0.75, 1.25)), k)
    round_one = np.eye(n_columns)
    shared = _correlation(n_columns, rng) if family in ("shared", "all") else round_one
    correlations = [_correlation(n_columns, rng) if family == "own" else shared for _ in range(k)]
    centers = _place(plan, spreads, correlations, rng)
    segment = rng.choice(k, plan.n_rows, p=shares / shares.sum())
    X = np.empty((plan.n_rows, n_columns))
    for i in range(k):
        own = segment == i
        drawn = _noise(family, (int(own.sum()), n_columns), rng)
        X[own] = centers[i] + spreads[i] * drawn @ np.linalg.cholesky(correlations[i]).T
    return _finish(family, X, segment, k, rng)


def _noise(family: str, shape: tuple[int, int], rng: np.random.Generator) -> Floats:
    """Return values of mean 0 and variance 1."""
    if family == "uniform":
        return rng.uniform(-np.sqrt(3), np.sqrt(3), shape)
    if family == "skewed":
        return (rng.gamma(2, 1, shape) - 2) / np.sqrt(2)
    drawn = rng.standard_normal(shape)
    if family == "heavy":
        return drawn / np.sqrt(rng.chisquare(4, shape[0]) / 4)[:, None] / np.sqrt(2)
    return drawn


def _finish(
    family: str, X: Floats, segment: NDArray[np.int64], k: int, rng: np.random.Generator
) -> Floats:
    n, n_columns = X.shape
    if family in ("irrelevant", "all"):
        return np.column_stack([X, rng.standard_normal((n, max(1, n_columns // 2)))])
    if family == "mixed":
        n_categories = int(rng.integers(1, 3))
        likely = rng.uniform(0.1, 0.9, (k, n_categories))[segment]
        X[:, 0] = np.round(X[:, 0] * 3)
        categories = rng.random((n, n_categories)) < likely
        return np.column_stack([X, categories, rng.poisson(rng.uniform(1, 6, k)[segment])])
    if family == "levels":
        indicators = [_indicators(segment, k, rng) for _ in range(int(rng.integers(1, 3)))]
        return np.column_stack([X, *indicators])
    if family == "log":
        return np.exp(X * (1.2 / X.std(axis=0)))
    return X


def _indicators(segment: NDArray[np.int64], k: int, rng: np.random.Generator) -> Floats:
    """Return the levels of a category, of which each segment has its own shares."""
    n_levels = int(rng.integers(3, 6))
    reached = np.cumsum(rng.dirichlet(np.ones(n_levels), k), axis=1)[segment]
    level = (rng.random((len(segment), 1)) > reached[:, :-1]).sum(axis=1)
    return np.eye(n_levels)[level]


def _correlation(n_columns: int, rng: np.random.Generator) -> Floats:
    loadings = rng.standard_normal((n_columns, max(1, n_columns // 2)))
    covariance = loadings @ loadings.T + 0.35 * n_columns / 2 * np.eye(n_columns)
    deviations = np.sqrt(np.diag(covariance))
    return covariance / deviations / deviations[:, None]


def _place(
    plan: Plan, spreads: Floats, correlations: list[Floats], rng: np.random.Generator
) -> Floats:
    """Return centres in a ball that is grown until all of them are far enough apart."""
    radius = plan.separation * spreads.max() * 0.5
    while True:
        centers: list[Floats] = []
        for i in range(plan.n_segments):
            for _ in range(40):
                center = _in_ball(len(correlations[0]), rng) * radius
                if all(
                    _are_apart(
                        center - centers[j],
                        (spreads[i], correlations[i]),
                        (spreads[j], correlations[j]),
                        plan.separation,
                    )
                    for j in range(len(centers))
                ):
                    centers.append(center)
                    break
            else:
                break
        if len(centers) == plan.n_segments:
            return np.array(centers)
        radius *= 1.08


def _in_ball(n_columns: int, rng: np.random.Generator) -> Floats:
    direction = rng.standard_normal(n_columns)
    return direction * rng.random() ** (1 / n_columns) / np.linalg.norm(direction)


def _are_apart(
    line: Floats, one: tuple[float, Floats], other: tuple[float, Floats], separation: float
) -> bool:
    distance = float(np.linalg.norm(line))
    along = line / distance
    deviations = [
        spread * np.sqrt(along @ correlation @ along) for spread, correlation in (one, other)
    ]
    return bool(distance >= separation * sum(deviations) / 2)
