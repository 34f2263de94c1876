"""k-means for many fits to much the same rows: restarts in batches, and Lloyd's algorithm from
where it was before.

Restarts run together on a sample of the rows (k-means++ of Arthur & Vassilvitskii 2007, then
Lloyd 1982). From the best of them, :class:`AnchoredLloyd` goes on with all rows, or with weights on
them. It remembers by how much the second nearest centre of each row is farther away than the
nearest (its margin, as in Hamerly 2010): while centres stay near, few rows can change clusters,
and only these are looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segkit._blocks import row_blocks
from segkit.metrics._arguments import Codes, Floats

# Rows that restarts run on, at least, and for each cluster.
_SAMPLE, _SAMPLE_PER_CLUSTER = 2_000, 50
_MOST_STEPS = 300
# Steps end when the centres' squared moves sum to this part of the mean variance of the columns.
# From the solution of all rows the way is short: with scikit-learn's 1e-4, resamples would stay
# there and look more stable than they are.
_TOLERANCE = 1e-6
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
    drawn = plus_plus(sample, n_clusters, rng, n_restarts)
    found = [*lloyd(sample, np.concatenate([drawn, *(one[np.newaxis] for one in starts)]))]
    # The best one on a sample need not be the best one on all rows.
    found = _competitors(sample, found, max(most, 3) if is_sampled else most)
    ones = np.ones(len(X))
    polished = [AnchoredLloyd(X, centers).solve(ones, _TOLERANCE).centers for centers in found]
    return _competitors(X, polished, most)


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


def plus_plus(X: Floats, n_clusters: int, rng: np.random.RandomState, n_restarts: int) -> Floats:
    """Draw the first centres of all restarts by k-means++, the best of a few at each step."""
    n_trials = 2 + int(np.log(n_clusters))
    centers = np.empty((n_restarts, n_clusters, X.shape[1]))
    centers[:, 0] = X[rng.randint(len(X), size=n_restarts)]
    nearest = squared_distances(X, centers[:, 0])
    restarts = np.arange(n_restarts)
    for step in range(1, n_clusters):
        reached = np.cumsum(nearest, axis=1)
        aims = rng.random_sample((n_restarts, n_trials)) * reached[:, -1:]
        places = np.array([np.searchsorted(*pair) for pair in zip(reached, aims, strict=True)])
        trials = X[np.minimum(places, len(X) - 1)]
        to_trials = squared_distances(X, trials.reshape(-1, X.shape[1]))
        closer = np.minimum(to_trials.reshape(n_restarts, n_trials, -1), nearest[:, np.newaxis])
        chosen = closer.sum(axis=2).argmin(axis=1)
        centers[:, step], nearest = trials[restarts, chosen], closer[restarts, chosen]
    return centers


def lloyd(X: Floats, centers: Floats) -> Floats:
    """Return the centres at which each of several starts ends."""
    centers = centers.copy()
    n_clusters, n_features = centers.shape[1:]
    least = _TOLERANCE * float(X.var(axis=0).mean())
    clusters = np.arange(n_clusters)[:, np.newaxis, np.newaxis]
    active = np.arange(len(centers))
    for _ in range(_MOST_STEPS):
        by_cluster = centers[active].transpose(1, 0, 2)
        distances = squared_distances(X, by_cluster.reshape(-1, n_features))
        labels = nearest_cluster(distances.reshape(n_clusters, active.size, -1))
        members = (labels == clusters).astype(np.float64)
        counts = members.sum(axis=2)[:, :, np.newaxis]
        means = (members.reshape(-1, len(X)) @ X).reshape(by_cluster.shape)
        means = np.where(counts > 0, means / np.maximum(counts, 1), by_cluster).transpose(1, 0, 2)
        moved = ((means - centers[active]) ** 2).sum(axis=(1, 2)) > least
        centers[active] = means
        active = active[moved]
        if not active.size:
            break
    return centers


def nearest_cluster(distances: Floats) -> NDArray[np.intp]:
    """Return where along the first axis the smallest is (argmin is slow along that one)."""
    smallest, labels = distances[0].copy(), np.zeros(distances.shape[1:], dtype=np.intp)
    for place in range(1, len(distances)):
        labels[distances[place] < smallest] = place
        np.minimum(smallest, distances[place], out=smallest)
    return labels


def squared_distances(X: Floats, centers: Floats) -> Floats:
    """Return the squared distances, a row for each centre."""
    # Relative to a centre, so that what is far from zero loses no digits.
    origin = centers[0]
    rows, columns = X - origin, centers - origin
    distances = (-2 * columns) @ rows.T
    distances += np.einsum("ij,ij->i", rows, rows)
    distances += np.einsum("ij,ij->i", columns, columns)[:, np.newaxis]
    squared: Floats = np.maximum(distances, 0.0, out=distances)
    return squared


def cluster_means(X: Floats, codes: Codes, n_clusters: int) -> Floats:
    """Return the mean of the rows of each code; rows below 0 belong to none."""
    members = codes >= 0
    if not members.all():
        X, codes = X[members], codes[members]
    counts = np.bincount(codes, minlength=n_clusters)
    sums = [np.bincount(codes, weights=column, minlength=n_clusters) for column in X.T]
    means: Floats = np.array(sums).T / np.maximum(counts, 1)[:, np.newaxis]
    return means


@dataclass(frozen=True)
class Lloyd:
    """Where weighted Lloyd steps end.

    `moved` are the rows, in the anchor's order, that left the cluster they have there, `moved_to`
    their clusters. `explained` is the sum of squares that the clusters explain: of two solutions
    for the same weights, the better one has more.
    """

    centers: Floats
    moved: Codes
    moved_to: Codes
    explained: float


class AnchoredLloyd:
    """Lloyd's algorithm from one set of centres, for any weights of the rows.

    Attributes
    ----------
    order : ndarray of shape (n_samples,)
        The rows by cluster, and within a cluster by margin; all else is in this order.
    labels : ndarray of shape (n_samples,)
        The cluster of each row, given the centres.
    squared : ndarray of shape (n_samples,)
        The squared distance of each row to its centre.
    """

    def __init__(self, X: Floats, centers: Floats) -> None:
        labels, squared, margin = _assigned(X, centers)
        self.order: NDArray[np.intp] = np.lexsort((margin, labels))
        self.labels: Codes = labels[self.order]
        self.squared: Floats = squared[self.order]
        self._origin = X.mean(axis=0)
        self._X = X[self.order] - self._origin
        self._centers = centers - self._origin
        self._margin = margin[self.order]
        self._starts = np.searchsorted(self.labels, np.arange(len(centers) + 1))
        self._variance = float(self._X.var(axis=0).mean())

    def solve(self, weights: Floats, tolerance: float = _TOLERANCE) -> Lloyd:
        """Return where Lloyd's steps end, given the weights of the rows in their first order."""
        least = tolerance * self._variance
        weights = weights[self.order]
        base_sums, base_counts = self._anchored_sums(weights)
        sums, counts, centers = base_sums, base_counts, self._centers
        moved = moved_to = np.empty(0, dtype=np.intp)
        for _ in range(_MOST_STEPS):
            previous = centers
            has_rows = counts[:, np.newaxis] > 0
            divisor = np.where(has_rows, counts[:, np.newaxis], 1.0)
            centers = np.where(has_rows, sums / divisor, previous)
            if ((centers - previous) ** 2).sum() <= least:
                break
            moved, moved_to = self._movers(centers)
            change = self._change(weights[moved], moved, moved_to)
            sums, counts = base_sums + change[:, 1:], base_counts + change[:, 0]
        explained = float((counts * (centers**2).sum(axis=1)).sum())
        return Lloyd(centers + self._origin, moved, moved_to, explained)

    def _anchored_sums(self, weights: Floats) -> tuple[Floats, Floats]:
        """Return the weighted sums and the weights of the clusters as they are at the anchor."""
        sums, counts = np.empty_like(self._centers), np.empty(len(self._centers))
        for cluster in range(len(counts)):
            rows = slice(self._starts[cluster], self._starts[cluster + 1])
            sums[cluster] = weights[rows] @ self._X[rows]
            counts[cluster] = weights[rows].sum()
        return sums, counts

    def _movers(self, centers: Floats) -> tuple[Codes, Codes]:
        """Return the rows for which another centre than at the anchor is nearest, and which."""
        # A row stays while its margin exceeds the way of its centre plus the farthest other one's.
        ways = np.sqrt(((centers - self._centers) ** 2).sum(axis=1))
        candidates = []
        for cluster, way in enumerate(ways):
            start, end = self._starts[cluster], self._starts[cluster + 1]
            farthest = np.delete(ways, cluster).max(initial=0.0)
            reach = (way + farthest) * (1 + 1e-9)
            within = int(np.searchsorted(self._margin[start:end], reach, side="right"))
            candidates.append(np.arange(start, start + within))
        rows = np.concatenate(candidates)
        nearest = nearest_cluster(squared_distances(self._X[rows], centers))
        is_moved = nearest != self.labels[rows]
        return rows[is_moved], nearest[is_moved]

    def _change(self, weights: Floats, moved: Codes, moved_to: Codes) -> Floats:
        """Return by how much moves change the weight and the sums of each cluster."""
        clusters = np.arange(len(self._centers))[:, np.newaxis]
        signs = (moved_to == clusters).astype(np.float64) - (self.labels[moved] == clusters)
        signs *= weights
        change: Floats = np.column_stack([signs.sum(axis=1), signs @ self._X[moved]])
        return change


def _assigned(X: Floats, centers: Floats) -> tuple[Codes, Floats, Floats]:
    """Return each row's nearest centre, the squared distance to it, and the margin."""
    labels, squared = np.empty(len(X), dtype=np.intp), np.empty(len(X))
    margin = np.empty(len(X))
    for rows in row_blocks(len(X), _ROWS):
        distances = squared_distances(X[rows], centers)
        labels[rows] = nearest_cluster(distances)
        places = labels[rows], np.arange(distances.shape[1])
        squared[rows] = distances[places]
        distances[places] = np.inf
        margin[rows] = np.sqrt(distances.min(axis=0)) - np.sqrt(squared[rows])
    return labels, squared, margin
