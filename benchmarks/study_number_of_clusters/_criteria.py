"""Criteria of the number of clusters, alone and together, on the same partitions."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from segkit.metrics._batched_k_means import ClusterCounts, Partitions, batched_k_means
from segkit.metrics._partition_criteria import (
    calinski_harabasz,
    davies_bouldin,
    log_determinant_ratios,
    silhouettes,
)

Floats = NDArray[np.float64]

COUNTS = ClusterCounts(tuple(range(2, 11)))
_REFERENCES = 10
_SPLITS = 4
_SAMPLES = 10
# The least that Tibshirani & Walther (2005) and Hennig (2007) ask of a cluster.
_PREDICTION_STRENGTH = 0.8
_STABLE = 0.75


def all_criteria(X: Floats, rng: np.random.Generator) -> dict[str, Floats]:
    """Return each criterion for 2 to 10 clusters, the higher, the better."""
    partitions = batched_k_means(X[None], COUNTS, n_init=6, rng=rng)
    members, centers = partitions.members[0], partitions.centers[0]
    return {
        "silhouette": silhouettes(X, members, COUNTS),
        "simplified silhouette": _simplified_silhouettes(X, centers),
        "Calinski-Harabasz": calinski_harabasz(X, members, COUNTS),
        "Davies-Bouldin": -davies_bouldin(X, members, COUNTS),
        "Marriott": log_determinant_ratios(X[None], partitions.members, partitions.counts)[0]
        - 2 * np.log(np.asarray(COUNTS)),
        "BIC, diagonal": -_bic(X, members),
        "prediction strength": _prediction_strength(X, rng),
        "bootstrap Jaccard": _jaccard(X, members, rng),
        **_gap(X, partitions, rng),
    }


def _simplified_silhouettes(X: Floats, centers: Floats) -> Floats:
    distances = cdist(centers, X)
    nearest_two = [np.partition(distances[block], 1, axis=0)[:2] for block in COUNTS.blocks]
    return np.array([np.mean(1 - one / np.maximum(two, 1e-12)) for one, two in nearest_two])


def _bic(X: Floats, members: Floats) -> Floats:
    """Return the BIC of Gaussians with variances of their own, each row in one of them."""
    n, d = X.shape
    values = []
    for k, block in zip(COUNTS.counts, COUNTS.blocks, strict=True):
        own = members[block].astype(np.float64)
        sizes = np.maximum(own.sum(axis=1), 1e-9)
        means = own @ X / sizes[:, None]
        variances = np.maximum(own @ X**2 / sizes[:, None] - means**2, 1e-3)
        likelihood = (sizes * np.log(sizes / n)).sum()
        likelihood -= 0.5 * (sizes[:, None] * (np.log(2 * np.pi * variances) + 1)).sum()
        values.append(-2 * likelihood + np.log(n) * (2 * k * d + k - 1))
    return np.array(values)


def _gap(X: Floats, partitions: Partitions, rng: np.random.Generator) -> dict[str, Floats]:
    """Return the gap statistic with a box along the principal axes, and its standard error.

    Both have a value for one cluster before the others.
    """
    mean = X.mean(axis=0)
    axes = np.linalg.eigh(np.atleast_2d(np.cov(X.T)))[1]
    scores = (X - mean) @ axes
    low, high = scores.min(axis=0), scores.max(axis=0)
    boxes = low + (high - low) * rng.random((_REFERENCES, *X.shape))
    inertia = batched_k_means(boxes, COUNTS, n_init=1, rng=rng).inertia
    of_one = np.square(boxes - boxes.mean(axis=1, keepdims=True)).sum(axis=(1, 2))
    logs = np.log(np.column_stack([of_one, inertia]))
    own = np.append(np.square(X - mean).sum(), partitions.inertia[0])
    error = logs.std(axis=0) * np.sqrt(1 + 1 / _REFERENCES)
    return {"gap": logs.mean(axis=0) - np.log(own), "gap error": error}


def _nearest(X: Floats, centers: Floats) -> Floats:
    """Return to which center of each number each row is nearest, as members."""
    distances = cdist(centers, X)
    members = np.zeros_like(distances)
    for block in COUNTS.blocks:
        members[block.start + distances[block].argmin(axis=0), np.arange(len(X))] = 1
    return members


def _prediction_strength(X: Floats, rng: np.random.Generator) -> Floats:
    """Return how well one half tells who is together in the other (Tibshirani & Walther, 2005)."""
    half = len(X) // 2
    halves = []
    for _ in range(_SPLITS):
        order = rng.permutation(len(X))
        halves += [X[order[:half]], X[order[half : 2 * half]]]
    found = batched_k_means(np.stack(halves), COUNTS, n_init=3, rng=rng)
    strengths = []
    for i, rows in enumerate(halves):
        told = _nearest(rows, found.centers[i ^ 1])
        own = found.members[i].astype(np.float64)
        strengths.append([_least_together(own[block], told[block]) for block in COUNTS.blocks])
    return np.mean(strengths, axis=0)


def _least_together(own: Floats, told: Floats) -> float:
    both = own @ told.T
    sizes = both.sum(axis=1)
    together = (np.square(both).sum(axis=1) - sizes) / np.maximum(sizes * (sizes - 1), 1)
    return float(np.where(sizes < 2, 0, together).min())


def _jaccard(X: Floats, members: Floats, rng: np.random.Generator) -> Floats:
    """Return how much of the least stable cluster is found in bootstrap samples (Hennig, 2007)."""
    samples = X[rng.integers(len(X), size=(_SAMPLES, len(X)))]
    found = batched_k_means(samples, COUNTS, n_init=2, rng=rng)
    similar = np.zeros(COUNTS.total)
    own = members.astype(np.float64)
    for centers in found.centers:
        again = _nearest(X, centers)
        for block in COUNTS.blocks:
            both = own[block] @ again[block].T
            either = own[block].sum(axis=1)[:, None] + again[block].sum(axis=1) - both
            similar[block] += (both / np.maximum(either, 1)).max(axis=1) / _SAMPLES
    return np.array([similar[block].min() for block in COUNTS.blocks])


def _share(values: Floats) -> Floats:
    return (values - values.min()) / max(np.ptp(values), 1e-12)


def _highest(name: str) -> Callable[[dict[str, Floats]], int]:
    return lambda criteria: int(COUNTS.counts[criteria[name].argmax()])


def _sum(**weights: float) -> Callable[[dict[str, Floats]], int]:
    names = {
        "s": "silhouette",
        "c": "Calinski-Harabasz",
        "m": "Marriott",
        "d": "Davies-Bouldin",
        "z": "simplified silhouette",
        "g": "gap",
    }

    def choose(criteria: dict[str, Floats]) -> int:
        shares = [w * _share(criteria[names[name]][-len(COUNTS) :]) for name, w in weights.items()]
        return int(COUNTS.counts[np.sum(shares, axis=0).argmax()])

    return choose


def _largest(name: str, least: float) -> Callable[[dict[str, Floats]], int]:
    def choose(criteria: dict[str, Floats]) -> int:
        reached = np.flatnonzero(criteria[name] >= least)
        return int(COUNTS.counts[reached[-1]]) if reached.size else 1

    return choose


def _first_gap(criteria: dict[str, Floats]) -> int:
    """Return the least k whose gap is at least the next one less its error (Tibshirani, 2001)."""
    gap, error = criteria["gap"], criteria["gap error"]
    reached = np.flatnonzero(gap[:-1] >= gap[1:] - error[1:])
    return int(reached[0]) + 1 if reached.size else len(gap)


#: How each criterion and each combination chooses.
RULES: dict[str, Callable[[dict[str, Floats]], int]] = {
    "silhouette": _highest("silhouette"),
    "simplified silhouette": _highest("simplified silhouette"),
    "Calinski-Harabasz": _highest("Calinski-Harabasz"),
    "Davies-Bouldin": _highest("Davies-Bouldin"),
    "Marriott": _highest("Marriott"),
    "BIC, diagonal": _highest("BIC, diagonal"),
    "gap, one error": _first_gap,
    "prediction strength ≥ .8": _largest("prediction strength", _PREDICTION_STRENGTH),
    "bootstrap Jaccard ≥ .75": _largest("bootstrap Jaccard", _STABLE),
    "sil + CH": _sum(s=1, c=1),
    "sil + Marriott": _sum(s=1, m=1),
    "CH + Marriott": _sum(c=1, m=1),
    "sil + CH + gap": _sum(s=1, c=1, g=1),
    "sil + CH + Marriott": _sum(s=1, c=1, m=1),
    "sil + CH + Marriott + DB": _sum(s=1, c=1, m=1, d=1),
    "2 simplified sil + CH + Marriott": _sum(z=2, c=1, m=1),
    "2 sil + CH + Marriott": _sum(s=2, c=1, m=1),
}
