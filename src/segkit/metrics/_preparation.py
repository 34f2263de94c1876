"""Columns made comparable before their clusters are counted: no ties, no skew, no units.

A lattice of counts, a long tail and the unit of a column are no segments, and each of them moves
every criterion of the number of clusters.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from segkit.exceptions import SegkitTypeError, SegkitValueError
from segkit.metrics._arguments import Floats, is_integer
from segkit.metrics._batched_k_means import ClusterCounts, batched_k_means

# Columns that are skewed less stay as they are: segments of unequal size skew a column, too.
_LEAST_SKEWNESS = 1.0
_BISECTIONS = 16
_OUTERMOST = 0.01


def read_counts(n_clusters_range: Any, *, n_rows: int, owner: str) -> ClusterCounts:
    """Return the numbers of clusters that are to be tried and that so many rows can have."""
    is_pair = isinstance(n_clusters_range, Sequence) and len(n_clusters_range) == 2
    if not is_pair or not all(is_integer(k) for k in n_clusters_range):
        raise SegkitTypeError(
            f"{owner}: n_clusters_range must be two integers, the least and the largest number of "
            f"clusters, got {n_clusters_range!r}."
        )
    least, most = (int(k) for k in n_clusters_range)
    if not 2 <= least <= most:
        raise SegkitValueError(
            f"{owner}: n_clusters_range must be two integers of at least 2, the smaller first, "
            f"got {n_clusters_range!r}."
        )
    if least >= n_rows:
        raise SegkitValueError(
            f"{owner}: {least} clusters are looked for in {n_rows} rows, which are too few. Pass "
            "more rows, or smaller numbers in n_clusters_range."
        )
    return ClusterCounts(tuple(range(least, min(most, n_rows - 1) + 1)))


def sample_rows(X: Floats, size: int, rng: np.random.Generator) -> Floats:
    """Return at most so many rows, shuffled, without the columns that are constant in them.

    The rows are sorted before they are shuffled, so that their order in the table tells nothing
    where all of them are taken.
    """
    if len(X) > size:
        X = X[rng.choice(len(X), size, replace=False)]
    X = X[:, np.ptp(X, axis=0) > 0]
    if not X.shape[1]:
        return X
    return X[np.lexsort(X.T[::-1])][rng.permutation(len(X))]


def check_varied(X: Floats, *, owner: str) -> None:
    """Raise for a table without a column that varies."""
    if not X.shape[1]:
        raise SegkitValueError(
            f"{owner}: no column of X varies, so there is nothing that could tell clusters apart."
        )


def columns_of_categories(X: Floats) -> list[list[int]]:
    """Return sets of neighbouring columns of which each row has exactly one that is not 0.

    These are the levels of a category. A column that holds more than 0 and one other value is none.
    """
    found: list[list[int]] = []
    taken, columns = np.zeros(len(X), dtype=bool), list[int]()
    for j, column in enumerate(X.T):
        inside = column != 0
        is_level = inside.any() and np.ptp(column[inside]) == 0
        if not is_level or (taken & inside).any():
            taken, columns = np.zeros(len(X), dtype=bool), []
        if is_level:
            taken, columns = taken | inside, [*columns, j]
            if len(columns) > 1 and taken.all():
                found.append(columns)
                taken, columns = np.zeros(len(X), dtype=bool), []
    return found


def prepare(X: Floats, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Return the columns without ties, in standard deviations; and the same with skew taken out."""
    plain = standardise(np.column_stack([spread_ties(column, rng) for column in X.T]))
    return plain, standardise(np.column_stack([deskew(column) for column in plain.T]))


def spread_ties(column: Floats, rng: np.random.Generator) -> Floats:
    """Return a column, from 0 to 1, with equal values spread evenly halfway to their neighbours."""
    column = column / np.abs(column).max()
    column = column - column.min()
    column = column / column.max()
    values, places, sizes = np.unique(column, return_inverse=True, return_counts=True)
    if sizes.max() == 1:
        return column
    halfway = np.diff(values) / 2
    below, above = np.append(halfway[0], halfway), np.append(halfway, halfway[-1])
    drawn = rng.uniform(-1, 1, column.size)
    spread = drawn * np.where(drawn < 0, below[places], above[places])
    untied: Floats = column + np.where(sizes[places] > 1, spread, 0)
    return untied


def deskew(column: Floats) -> Floats:
    """Return log(x − min + c) with the c that leaves no skewness, if the skewness is 1 or more.

    A column skewed to the left is mirrored before and after. The column is in standard deviations.
    """
    skewed = skewness(column)
    if abs(skewed) < _LEAST_SKEWNESS:
        return column
    sign = np.sign(skewed)
    above = sign * column
    above = above - above.min()
    low, high = np.log(0.01), np.log(100.0)
    middle = (low + high) / 2
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        if skewness(np.log(above + np.exp(middle))) > 0:
            high = middle
        else:
            low = middle
    deskewed: Floats = sign * np.log(above + np.exp(middle))
    return deskewed


def skewness(column: Floats) -> float:
    """Return the third standardised moment."""
    from_mean = column - column.mean()
    variance = np.square(from_mean).mean()
    return float((from_mean**3).mean() / max(variance**1.5, np.finfo(np.float64).tiny))


def standardise(X: Floats) -> Floats:
    """Return the columns with mean 0 and standard deviation 1."""
    standardised: Floats = (X - X.mean(axis=0)) / np.maximum(X.std(axis=0), 1e-12)
    return standardised


def trim(X: Floats) -> Floats:
    """Return the rows without the hundredth farthest out: single outliers are no segments."""
    variances, axes = np.linalg.eigh(np.atleast_2d(np.cov(X.T)))
    scores = np.square((X - X.mean(axis=0)) @ axes) / np.maximum(variances, 1e-9)
    kept = np.sort(np.argsort(scores.sum(axis=1), kind="stable")[: n_rows_within(len(X))])
    return standardise(X[kept])


def n_rows_within(n_rows: int) -> int:
    """Return how many rows `trim` leaves."""
    return n_rows - int(np.ceil(_OUTERMOST * n_rows))


def scale_within(
    X: Floats,
    counts: ClusterCounts,
    rng: np.random.Generator,
    categories: Sequence[Sequence[int]] = (),
) -> Floats:
    """Return the columns half way to equal spread within the clusters of the largest number.

    A column that tells no clusters apart varies within them as much as it does at all, so it
    comes to weigh less. The square root stops half way, because the clusters are a first guess.
    The levels of a category together weigh as one column.
    """
    weights = np.ones(X.shape[1])
    for columns in categories:
        weights[list(columns)] = 1 / np.sqrt(len(columns))
    weighted = X * weights
    largest = ClusterCounts(counts.counts[-1:])
    partitions = batched_k_means(weighted[None], largest, n_init=2, rng=rng)
    spread = (weighted - partitions.centers[0][partitions.labels(0, 0)]).std(axis=0) / weights
    scaled: Floats = weighted / np.sqrt(np.maximum(spread, 1e-3))
    return scaled
