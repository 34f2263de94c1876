"""Lloyd's algorithm (1982) from where it was before, for any weights of the rows.

It remembers by how much the second nearest centre of each row is farther away than the nearest
(its margin, as in Hamerly 2010): while centres stay near, few rows can change clusters, and only
these are looked at.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segkit._blocks import row_blocks
from segkit.metrics._arguments import Codes, Floats
from segkit.metrics._centers import nearest_cluster, squared_distances

_MOST_STEPS = 300
# Steps end when the centres' squared moves sum to this part of the mean variance of the columns.
# From the solution of all rows the way is short: with scikit-learn's 1e-4, resamples would stay
# there and look more stable than they are.
_TOLERANCE = 1e-6
_ROWS = 1 << 13


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
        self._places = np.arange(len(X))
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
        farthest = np.full(len(ways), ways.max())
        farthest[ways.argmax()] = np.partition(ways, -2)[-2] if len(ways) > 1 else 0.0
        reaches = (ways + farthest) * (1 + 1e-9)
        bounds = zip(self._starts, self._starts[1:], reaches, strict=False)
        within = [
            self._places[start : start + self._margin[start:end].searchsorted(reach, "right")]
            for start, end, reach in bounds
        ]
        rows = np.concatenate(within)
        # Squared distances less the square of the row, which all centres have in common.
        distances = (-2 * centers) @ self._X[rows].T
        distances += (centers**2).sum(axis=1)[:, np.newaxis]
        nearest = nearest_cluster(distances)
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
