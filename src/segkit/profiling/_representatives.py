"""Typical customers of each segment: medoids by Gower's distance.

A medoid is the customer with the least sum of distances to all others (Kaufman & Rousseeuw 1990);
Gower (1971) averages over columns the difference of numbers and the mismatch of categories. A sum
over customers of a sum over columns is a sum over columns first: sorted once, each column says how
far each of its values is from all others, and no table of distances is needed.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from segkit.metrics._arguments import Codes, Floats
from segkit.profiling._variables import Variable

# Of a larger segment so many customers are compared, evenly spaced over its rows.
_MOST_COMPARED = 5_000


class Representatives:
    """Looks for typical customers, a variable at a time."""

    def __init__(self, codes: Codes, n_segments: int, n_representatives: int) -> None:
        self._n, self._n_segments = n_representatives, n_segments
        self._rows: list[NDArray[np.intp]] = []
        self._costs: list[Floats] = []
        if not n_representatives:
            return
        # Rows in order of their segment, and within it as they come.
        by_segment = np.argsort(codes.astype(np.int16), kind="stable")
        ends = np.cumsum(np.bincount(codes + 1, minlength=n_segments + 1))
        for start, end in pairwise(ends):
            step = -(-(end - start) // _MOST_COMPARED)
            self._rows.append(by_segment[start:end:step])
            self._costs.append(np.zeros(len(self._rows[-1])))

    def add(self, variable: Variable) -> None:
        """Add how far each customer is from the others of the segment, in one variable."""
        if not self._n:
            return
        far = _distances_of_numbers if variable.kind in ("number", "date") else _mismatches
        distances = [far(variable.values[rows]) for rows in self._rows]
        # Each variable counts as much as any other.
        mean = np.concatenate(distances).mean()
        if mean > 0:
            for costs, distance in zip(self._costs, distances, strict=True):
                costs += distance / mean

    def rows(self) -> list[tuple[int, ...]]:
        """Return the rows of the most typical customers of each segment; the best first."""
        if not self._n:
            return [()] * self._n_segments
        return [
            tuple(int(rows[place]) for place in np.argsort(costs, kind="stable")[: self._n])
            for rows, costs in zip(self._rows, self._costs, strict=True)
        ]


def _distances_of_numbers(values: NDArray[np.float64]) -> Floats:
    """Return each value's mean distance to all; a missing one is as far as the farthest."""
    values = values.astype(np.float64)
    known = ~np.isnan(values)
    distances = np.zeros(len(values))
    if not known.any():
        return distances
    order = np.argsort(values[known], kind="stable")
    ascending = values[known][order]
    ascending = ascending - ascending[0]
    n = len(ascending)
    up_to = ascending.cumsum()
    below = np.arange(1, n + 1)
    found = np.empty(n)
    found[order] = ascending * (2 * below - n) + up_to[-1] - 2 * up_to
    distances[known] = found / n
    distances[~known] = distances.max()
    return distances


def _mismatches(levels: Codes) -> Floats:
    """Return the share of the others with another level; a missing one is no other's."""
    counts = np.bincount(levels + 1)
    counts[0] = 0
    return 1 - counts[levels + 1] / len(levels)
