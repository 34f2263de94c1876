"""Edges between scores, learned from the values of one column.

Quantiles are those of Hyndman & Fan (1996), type 7. The one-dimensional k-means is the dynamic
programme of Wang & Song (2011), "Ckmeans.1d.dp: Optimal k-means clustering in one dimension by
dynamic programming".
"""

from functools import cached_property
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from segkit._blocks import row_blocks

Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.integer[Any]]

# Whole numbers in a range up to this are counted, which takes a fraction of the time of sorting.
_MOST_COUNTED = 1 << 16
# Beyond, floats are not all whole numbers.
_EXACT = 2.0**53
# Beyond, the sums of many values may be more than a float can hold.
_LARGE = 1e290
# Of so many values, selecting some takes less time than sorting all.
_MANY_VALUES = 1 << 18
_SAMPLE = 1 << 16
# The dynamic programme takes the square of this, in time and memory; more values are pooled first.
_MOST_POINTS = 1_024
# Each step lowers the inertia, so there is an end; rounding must not keep two steps going forever.
_MOST_STEPS = 1_000


class ValuesByRank(Protocol):
    """Finite values, in memory or in a query engine, as far as edges are learned from them."""

    @property
    def size(self) -> int:
        """The number of values."""

    @property
    def lowest(self) -> float:
        """The lowest value."""

    @property
    def highest(self) -> float:
        """The highest value."""

    def at(self, ranks: NDArray[np.int64]) -> tuple[Floats, Floats]:
        """Return the values at a few ranks, from 0, and the values that come next."""

    def distinct(self) -> tuple[Floats, Integers]:
        """Return the distinct values, ascending, and how often each occurs."""


class OrderedValues:
    """Finite values by rank: sorted, or, where they are whole numbers in a small range, counted."""

    def __init__(self, values: NDArray[Any]) -> None:
        self.size = values.size
        self._values = values
        self.lowest, self.highest = float(values.min()), float(values.max())
        self._counts = _counts_of_whole_numbers(values, self.lowest, self.highest)

    def at(self, ranks: NDArray[np.int64]) -> tuple[Floats, Floats]:
        """Return the values at a few ranks, from 0, and the values that come next."""
        after = np.minimum(ranks + 1, self.size - 1)
        if self._counts is not None:
            up_to = np.cumsum(self._counts)
            low, high = np.searchsorted(up_to, [ranks, after], side="right")
            return np.asarray(self.lowest + low), np.asarray(self.lowest + high)
        if self.size >= _MANY_VALUES:
            selected = _selected(self._values, ranks, after)
            if selected is not None:
                return selected
        return self._sorted[ranks], self._sorted[after]

    def distinct(self) -> tuple[Floats, Integers]:
        """Return the distinct values, ascending, and how often each occurs."""
        if self._counts is not None:
            places = np.flatnonzero(self._counts)
            return (self.lowest + places).astype(np.float64), self._counts[places]
        differs = np.concatenate([[True], self._sorted[1:] != self._sorted[:-1]])
        starts = np.flatnonzero(differs)
        return self._sorted[starts], np.diff(starts, append=self.size)

    @cached_property
    def _sorted(self) -> Floats:
        return np.sort(self._values).astype(np.float64, copy=False)


def _counts_of_whole_numbers(values: NDArray[Any], low: float, high: float) -> Integers | None:
    """Return how often each whole number from `low` occurs; None where there are others."""
    if low + _MOST_COUNTED <= high or not low.is_integer() or max(-low, high) > _EXACT:
        return None
    counts = np.zeros(int(high - low) + 1, dtype=np.int64)
    are_whole = values.dtype.kind in "iu"
    for rows in row_blocks(values.size):
        block = values[rows]
        if not are_whole and (block != np.floor(block)).any():
            return None
        places = block.astype(np.int64) - int(low)
        counts += np.bincount(places, minlength=counts.size)
    return counts


def _selected(
    values: NDArray[Any], ranks: NDArray[np.int64], after: NDArray[np.int64]
) -> tuple[Floats, Floats] | None:
    """Return the values at a few ranks, and after them, without sorting all.

    A sample tells between which two values a rank lies almost surely, and only the values between
    these are sorted. None where the sample was wrong.
    """
    sample = np.sort(values[:: values.size // _SAMPLE])
    margin = 3 * np.sqrt(sample.size) + 2  # six standard deviations of a sample's median rank
    place, last = ranks / values.size * sample.size, sample.size - 1
    lows = sample[np.clip(place - margin, 0, last).astype(np.intp)]
    highs = sample[np.clip(place + margin, 0, last).astype(np.intp)]
    n_below = np.zeros(ranks.size, dtype=np.int64)
    between: list[list[Floats]] = [[] for _ in ranks]
    for rows in row_blocks(values.size):
        block = values[rows].astype(np.float64, copy=False)
        for position, (low, high) in enumerate(zip(lows, highs, strict=True)):
            is_below = block < low
            n_below[position] += np.count_nonzero(is_below)
            between[position].append(block[~is_below & (block <= high)])
    found = []
    for position, parts in enumerate(between):
        inside = np.sort(np.concatenate(parts))
        first, second = ranks[position] - n_below[position], after[position] - n_below[position]
        if first < 0 or second >= inside.size:
            return None
        found.append((inside[first], inside[second]))
    low_values, high_values = np.array(found).T
    return low_values, high_values


def quantile_edges(ordered: ValuesByRank, n_bins: int) -> Floats:
    """Return the n_bins - 1 inner quantiles, linearly interpolated.

    The positions are counted in whole numbers: k (n - 1) / n_bins computed in floating point can
    miss a data point by one digit, and would then cut its ties off from the score below.
    """
    below, remainder = quantile_ranks(ordered.size, n_bins)
    low, high = ordered.at(below)
    return _between(low, high, remainder / n_bins)


def quantile_ranks(size: int, n_bins: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the ranks, from 0, below the inner quantiles, and how many n_bins-ths are beyond."""
    below, remainder = np.divmod(np.arange(1, n_bins, dtype=np.int64) * (size - 1), n_bins)
    return below, remainder


def uniform_edges(ordered: ValuesByRank, n_bins: int) -> Floats:
    """Return the n_bins - 1 edges that cut the range of the values into equal widths."""
    return _between(ordered.lowest, ordered.highest, np.arange(1, n_bins) / n_bins)


def kmeans_edges(ordered: ValuesByRank, n_bins: int) -> Floats:
    """Return the edges halfway between the centres of the clusters with the least inertia.

    Up to 1,024 distinct values are clustered exactly; more are pooled to as many points first,
    and the clusters of the points refined on all values until no value is nearer to another
    centre. Where there are fewer distinct values than clusters, the lowest scores do not occur.
    """
    values, counts = ordered.distinct()
    # From the lowest value on, so that no digits are lost on what all values share; and where
    # sums would overflow, in a unit that is a power of two.
    unit = 1.0 if max(-ordered.lowest, ordered.highest) < _LARGE else 2.0**-100
    shifted, places = np.unique(values * unit - values[0] * unit, return_index=True)
    counts = np.add.reduceat(counts, places)  # far from the lowest, values can fall together
    n_clusters = min(n_bins, shifted.size)
    starts = _optimal_starts(*_pooled(shifted, counts), n_clusters)
    edges = values[0] + _refined(shifted, counts, starts) / unit
    lowest = np.full(n_bins - n_clusters, values[0])
    return np.concatenate([lowest, edges])


def _between(low: Any, high: Any, share: Floats) -> Floats:
    with np.errstate(over="ignore", invalid="ignore"):
        values: Floats = np.asarray(low + (high - low) * share)
    far_apart = ~np.isfinite(values)  # high - low is beyond the largest float
    values[far_apart] = (low * (1 - share) + high * share)[far_apart]
    return values


def _pooled(values: Floats, counts: Integers) -> tuple[Floats, Integers, Floats]:
    """Return values from 0 on, their counts and where each begins, pooled to at most 1,024 points.

    Half of the points divide the customers evenly, half the range, so that neither the bulk nor
    the long tail is seen too coarsely.
    """
    if values.size <= _MOST_POINTS:
        return values, counts, values
    half = _MOST_POINTS // 2
    customers = np.cumsum(counts) / counts.sum()
    span = values / values[-1]
    pool = np.floor(customers * (half - 1)) + np.floor(span * (half - 1))
    starts = np.flatnonzero(np.diff(pool, prepend=-1))
    pooled_counts = np.add.reduceat(counts, starts)
    pooled_sums = np.add.reduceat(values * counts, starts)
    return pooled_sums / pooled_counts, pooled_counts, values[starts]


def _optimal_starts(values: Floats, counts: Integers, begins: Floats, n_clusters: int) -> Floats:
    """Return the value at which each cluster but the first begins, for the least inertia."""
    scale = values[-1] or 1.0
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
