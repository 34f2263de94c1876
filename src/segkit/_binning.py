"""Edges between scores, learned from the values of one column.

Quantiles are those of Hyndman & Fan (1996), type 7. The one-dimensional k-means is the dynamic
programme of Wang & Song (2011), "Ckmeans.1d.dp: Optimal k-means clustering in one dimension by
dynamic programming".
"""

from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.integer[Any]]

# Whole numbers in a range up to this are counted, which takes a fraction of the time of sorting.
_MOST_COUNTED = 1 << 16
# The dynamic programme takes the square of this, in time and memory; more values are pooled first.
_MOST_POINTS = 1_024
# Each step lowers the inertia, so there is an end; rounding must not keep two steps going forever.
_MOST_STEPS = 1_000


class OrderedValues:
    """Finite values by rank: sorted, or, where they are whole numbers in a small range, counted."""

    def __init__(self, values: Floats) -> None:
        self.size = values.size
        self._counts = _counts_of_whole_numbers(values)
        if self._counts is None:
            self._sorted = np.sort(values)
        else:
            self._first = float(values.min())

    def at(self, ranks: Any) -> Floats:
        """Return the values at these ranks, from 0."""
        if self._counts is None:
            values: Floats = self._sorted[ranks]
            return values
        return np.asarray(self._first + np.searchsorted(self._up_to, ranks, side="right"))

    def distinct(self) -> tuple[Floats, Integers]:
        """Return the distinct values, ascending, and how often each occurs."""
        if self._counts is None:
            differs = np.concatenate([[True], self._sorted[1:] != self._sorted[:-1]])
            starts = np.flatnonzero(differs)
            return self._sorted[starts], np.diff(starts, append=self.size)
        places = np.flatnonzero(self._counts)
        return (self._first + places).astype(np.float64), self._counts[places]

    @cached_property
    def _up_to(self) -> Integers:
        counts: Any = self._counts
        return np.cumsum(counts)


def _counts_of_whole_numbers(values: Floats) -> Integers | None:
    few = values[:1_000]
    if not (few == np.floor(few)).all():
        return None
    low, high = values.min(), values.max()
    if low + _MOST_COUNTED <= high:  # high - low can overflow
        return None
    places = (values - low).astype(np.intp)
    return np.bincount(places) if (places + low == values).all() else None


def quantile_edges(ordered: OrderedValues, n_bins: int) -> Floats:
    """Return the n_bins - 1 inner quantiles, linearly interpolated.

    The positions are counted in whole numbers: k (n - 1) / n_bins computed in floating point can
    miss a data point by one digit, and would then cut its ties off from the score below.
    """
    position = np.arange(1, n_bins, dtype=np.int64) * (ordered.size - 1)
    below, remainder = np.divmod(position, n_bins)
    above = np.minimum(below + 1, ordered.size - 1)
    low, high = ordered.at(below), ordered.at(above)
    return _between(low, high, remainder / n_bins)


def uniform_edges(ordered: OrderedValues, n_bins: int) -> Floats:
    """Return the n_bins - 1 edges that cut the range of the values into equal widths."""
    low, high = ordered.at(np.array([0, ordered.size - 1]))
    return _between(low, high, np.arange(1, n_bins) / n_bins)


def kmeans_edges(ordered: OrderedValues, n_bins: int) -> Floats:
    """Return the edges halfway between the centres of the clusters with the least inertia.

    Up to 1,024 distinct values are clustered exactly; more are pooled to as many points first,
    and the clusters of the points refined on all values until no value is nearer to another
    centre. Where there are fewer distinct values than clusters, the lowest scores do not occur.
    """
    values, counts = ordered.distinct()
    n_clusters = min(n_bins, values.size)
    starts = _optimal_starts(*_pooled(values, counts), n_clusters)
    edges = _refined(values, counts, starts)
    lowest = np.full(n_bins - n_clusters, values[0])
    return np.concatenate([lowest, edges])


def _between(low: Any, high: Any, share: Floats) -> Floats:
    with np.errstate(over="ignore", invalid="ignore"):
        values: Floats = np.asarray(low + (high - low) * share)
    far_apart = ~np.isfinite(values)  # high - low is beyond the largest float
    values[far_apart] = (low * (1 - share) + high * share)[far_apart]
    return values


def _pooled(values: Floats, counts: Integers) -> tuple[Floats, Integers, Floats]:
    """Return the values, their counts and where each begins, pooled to at most 1,024 points.

    Half of the points divide the customers evenly, half the range, so that neither the bulk nor
    the long tail is seen too coarsely.
    """
    if values.size <= _MOST_POINTS:
        return values, counts, values
    half = _MOST_POINTS // 2
    customers = np.cumsum(counts) / counts.sum()
    span = (values - values[0]) / (values[-1] - values[0])
    pool = np.floor(customers * (half - 1)) + np.floor(span * (half - 1))
    starts = np.flatnonzero(np.diff(pool, prepend=-1))
    pooled_counts = np.add.reduceat(counts, starts)
    pooled_sums = np.add.reduceat(values * counts, starts)
    return pooled_sums / pooled_counts, pooled_counts, values[starts]


def _optimal_starts(values: Floats, counts: Integers, begins: Floats, n_clusters: int) -> Floats:
    """Return the value at which each cluster but the first begins, for the least inertia."""
    scale = max(abs(values[0]), abs(values[-1])) or 1.0
    weight, total, square = (
        np.concatenate([[0.0], np.cumsum(counts * (values / scale) ** power)]) for power in range(3)
    )
    first, end = np.arange(values.size)[:, None], np.arange(1, values.size + 1)
    weights = np.where(first < end, weight[end] - weight[first], 1.0)
    inertia = square[end] - square[first] - (total[end] - total[first]) ** 2 / weights
    # inertia[i, j]: of one cluster from value i to value j
    inertia[first >= end] = np.inf
    best, begin = inertia[0], []
    for _ in range(1, n_clusters):
        # best[j]: the least of the values up to j; the last cluster begins at i
        candidates = np.concatenate([[np.inf], best[:-1]])[:, None] + inertia
        begin.append(np.argmin(candidates, axis=0))
        best = candidates[begin[-1], np.arange(values.size)]
    starts: list[float] = []
    last = values.size - 1
    for begin_of_last in reversed(begin):
        starts.append(begins[begin_of_last[last]])
        last = begin_of_last[last] - 1
    return np.array(starts[::-1])


def _refined(values: Floats, counts: Integers, starts: Floats) -> Floats:
    """Return edges halfway between centres, after moving values to the nearest centre (Lloyd)."""
    weight = np.concatenate([[0], np.cumsum(counts)])
    total = np.concatenate([[0.0], np.cumsum(counts * values)])
    cuts = np.searchsorted(values, starts)
    for _ in range(_MOST_STEPS):
        bounds = np.concatenate([[0], cuts, [values.size]])
        centres = np.diff(total[bounds]) / np.diff(weight[bounds])
        edges = centres[:-1] + np.diff(centres) / 2
        moved = np.searchsorted(values, edges, side="right")
        if (moved == cuts).all() or (np.diff(moved, prepend=0, append=values.size) == 0).any():
            break
        cuts = moved
    return np.asarray(edges, dtype=np.float64)
