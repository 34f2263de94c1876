"""The best solutions of k-means for one table, to the last digit.

Restarts run together on a sample of the rows, in single precision. What they find is compared on
all rows in double precision, and Lloyd's algorithm goes on with all rows from the best.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from segkit._blocks import row_blocks
from segkit.metrics._anchored_lloyd import AnchoredLloyd
from segkit.metrics._arguments import Codes, Floats
from segkit.metrics._batched_k_means import ClusterCounts, k_means_runs
from segkit.metrics._centers import squared_distances

# Rows that restarts run on, at least, and for each cluster.
_SAMPLE, _SAMPLE_PER_CLUSTER = 2_000, 50
# Restarts go on until each is at its own solution: from where they were with less, two on the way
# to the same one would look like two.
_MOST_STEPS = 300
_TOLERANCE = 1e-7
# Solutions that are worse by more standard deviations than this do not become the best one.
_DEVIATIONS = 4.0
_ROWS = 1 << 13


@dataclass(frozen=True)
class KMeansSolution:
    """Centres, the cluster of each row, and the sum of squared distances to the own centre."""

    centers: Floats
    labels: Codes
    inertia: float


def k_means(
    X: Floats, n_clusters: int, rng: np.random.RandomState, *, n_restarts: int = 10
) -> KMeansSolution:
    """Return the best solution of some restarts."""
    best = k_means_optima(X, n_clusters, rng, n_restarts=n_restarts, most=1)[0]
    anchor = AnchoredLloyd(X, best)
    labels = np.empty(len(X), dtype=np.intp)
    labels[anchor.order] = anchor.labels
    return KMeansSolution(best, labels, float(anchor.squared.sum()))


def k_means_optima(
    X: Floats,
    n_clusters: int,
    rng: np.random.RandomState,
    *,
    n_restarts: int = 10,
    most: int = 10,
    starts: Sequence[Floats] = (),
) -> list[Floats]:
    """Return the centres of different solutions, best first.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        The rows.
    n_clusters : int
        Number of clusters.
    rng : RandomState
        Draws the rows that the restarts run on, and their first centres.
    n_restarts : int
        Number of restarts.
    most : int
        Number of solutions, at most. Those that no resample of the rows is likely to make the
        best are left out.
    starts : sequence of ndarray of shape (n_clusters, n_features)
        Centres to start from beside those drawn.
    """
    size = max(_SAMPLE, _SAMPLE_PER_CLUSTER * n_clusters)
    is_sampled = len(X) > size
    sample = X[rng.permutation(len(X))[:size]] if is_sampled else X
    found = restarted(sample, n_clusters, rng, n_restarts=n_restarts, starts=starts)
    # The best one on a sample need not be the best one on all rows.
    found = _competitors(sample, found, max(most, 3) if is_sampled else most)
    ones = np.ones(len(X))
    polished = [AnchoredLloyd(X, centers).solve(ones).centers for centers in found]
    return _competitors(X, polished, most)


def restarted(
    X: Floats,
    n_clusters: int,
    rng: np.random.RandomState,
    *,
    n_restarts: int,
    starts: Sequence[Floats] = (),
) -> list[Floats]:
    """Return the centres at which each restart ends, in single precision, best first."""
    runs = k_means_runs(
        X[np.newaxis],
        ClusterCounts((n_clusters,)),
        n_init=n_restarts,
        rng=np.random.default_rng(rng.randint(np.iinfo(np.int32).max)),
        max_iter=_MOST_STEPS,
        tolerance=_TOLERANCE,
        starts=starts,
    )
    order = np.argsort(runs.inertia[0, :, 0], kind="stable")
    return [*runs.centers[0, order]]


def _competitors(X: Floats, found: list[Floats], most: int) -> list[Floats]:
    """Return the different solutions that might be the best one of a resample, best first."""
    costs = [_costs(X, centers) for centers in found]
    order = np.argsort([cost.sum() for cost in costs], kind="stable")
    best = costs[order[0]]
    scale = float(np.sqrt(best.mean())) + float(np.abs(X).max()) * 1e-9
    kept: list[Floats] = []
    for place in order:
        centers = found[place][np.lexsort(found[place].T)]
        worse = costs[place] - best
        deviation = np.sqrt(((worse - worse.mean()) ** 2).sum())
        is_known = any(np.abs(centers - other).max() <= 1e-3 * scale for other in kept)
        if len(kept) < most and not is_known and worse.sum() <= _DEVIATIONS * deviation + 1e-12:
            kept.append(centers)
    return kept


def _costs(X: Floats, centers: Floats) -> Floats:
    """Return the squared distance of each row to its nearest centre."""
    costs = np.empty(len(X))
    for rows in row_blocks(len(X), _ROWS):
        costs[rows] = squared_distances(X[rows], centers).min(axis=0)
    return costs
