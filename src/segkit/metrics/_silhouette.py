"""The silhouette (Rousseeuw 1987) of one or several labellings, in one pass over the distances."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segkit._blocks import row_blocks
from segkit.exceptions import SegkitValueError
from segkit.metrics._arguments import (
    Floats,
    Labels,
    read_count,
    read_labels,
    read_matrix,
    read_random_state,
)

_OWNER = "silhouette"
# Distances are computed for so many rows against so many, which takes 8 MB.
_TILE = 1_024


def silhouette(
    X: ArrayLike,
    labels: ArrayLike,
    *,
    sample_size: int | None = None,
    random_state: int | np.random.RandomState | None = None,
) -> Any:
    """Tell how much nearer rows are to their own cluster than to the next: the mean silhouette.

    For one labelling it is what :func:`sklearn.metrics.silhouette_score` gives with Euclidean
    distances, for the same ``random_state`` from the same sample. Several labellings of the same
    rows, such as those of k-means with 2 to 10 clusters, cost little more than one.

    Parameters
    ----------
    X : array-like or eager frame of shape (n_samples, n_features)
        The rows, as they were clustered: scaled as for the clusters.
    labels : array-like of shape (n_samples,) or (n_labellings, n_samples)
        A label a row, of one labelling or of several. Rows with the label -1 belong to no cluster:
        the silhouette of this labelling is that of the other rows.
    sample_size : int, default=None
        Number of rows drawn without replacement, on which the mean is estimated. Time grows with
        its square: 10,000 rows take less than a second. None takes all rows.
    random_state : int, RandomState instance or None, default=None
        Draws the sample.

    Returns
    -------
    float or ndarray of shape (n_labellings,)
        From -1 to 1; the higher, the better separated. A cluster of one row counts as 0.

    Raises
    ------
    SegkitValueError
        Where labels do not fit the rows, or a labelling has fewer than two clusters (in the
        sample).

    See Also
    --------
    simplified_silhouette : Distances to centroids, for millions of rows without a sample.

    Notes
    -----
    With a(i) the mean distance of row i to the others of its cluster and b(i) the smallest mean
    distance to the rows of another, s(i) = (b(i) - a(i)) / max(a(i), b(i)). The distances between
    a tile of rows and a tile of rows, times a matrix with a column of zeros and ones for each
    cluster of each labelling, are the sums for all labellings. Memory is that matrix, its
    product and one tile, whatever the number of rows.

    References
    ----------
    .. [1] P. J. Rousseeuw (1987). "Silhouettes: a graphical aid to the interpretation and
       validation of cluster analysis". Journal of Computational and Applied Mathematics 20,
       53-65.

    Examples
    --------
    >>> from sklearn.cluster import KMeans
    >>> from sklearn.datasets import load_iris
    >>> from segkit.metrics import silhouette
    >>> X = load_iris().data
    >>> labellings = [KMeans(k, n_init=10, random_state=0).fit(X).labels_ for k in (2, 3, 4)]
    >>> silhouette(X, labellings).round(3)
    array([0.681, 0.553, 0.498])
    >>> round(silhouette(X, labellings[1]), 3)
    0.553
    """
    values = read_matrix(X, owner=_OWNER)
    stacked, is_one = _stack(labels, len(values))
    if sample_size is not None:
        size = read_count(sample_size, least=2, name="sample_size", owner=_OWNER)
        rng = read_random_state(random_state, owner=_OWNER)
        # The rows that scikit-learn's silhouette_score draws.
        rows = np.sort(rng.permutation(len(values))[:size])
        values, stacked = values[rows], [one[rows] for one in stacked]
    labellings = []
    for place, one in enumerate(stacked):
        read = read_labels(one, len(values), owner=_OWNER)
        if len(read.names) < 2:
            which = "" if is_one else f" in labelling {place}"
            drawn = "" if sample_size is None else " among the rows drawn"
            raise SegkitValueError(
                f"{_OWNER}: labels must have at least 2 clusters, got {len(read.names)}{which}"
                f"{drawn}."
            )
        labellings.append(read)
    means = _mean_silhouettes(values, labellings)
    return float(means[0]) if is_one else means


def _stack(labels: Any, n_rows: int) -> tuple[list[NDArray[Any]], bool]:
    """Return the labellings, and whether one alone was given."""
    try:
        given = np.asarray(labels)
    except (TypeError, ValueError):
        raise SegkitValueError(
            f"{_OWNER}: labels must have as many labels in each labelling, one a row of X."
        ) from None
    if given.ndim not in (1, 2) or given.shape[-1] != n_rows or not given.size:
        raise SegkitValueError(
            f"{_OWNER}: labels must have shape (n_samples,) or (n_labellings, n_samples) with "
            f"n_samples = {n_rows:,}, as X has, got {given.shape}."
        )
    return list(np.atleast_2d(given)), given.ndim == 1


def _mean_silhouettes(values: Floats, labellings: Sequence[Labels]) -> Floats:
    ends = np.cumsum([len(one.names) for one in labellings])
    starts = ends - [len(one.names) for one in labellings]
    indicators = np.zeros((len(values), ends[-1]))
    for labels, start in zip(labellings, starts, strict=True):
        members = np.flatnonzero(labels.codes >= 0)
        indicators[members, start + labels.codes[members]] = 1.0
    sums = np.zeros_like(indicators)
    for rows, columns, distances in _distance_tiles(values):
        sums[rows] += distances @ indicators[columns]
        if rows != columns:
            sums[columns] += distances.T @ indicators[rows]
    return np.array(
        [
            _mean_silhouette(sums[:, start:end], labels)
            for start, end, labels in zip(starts, ends, labellings, strict=True)
        ]
    )


def _distance_tiles(values: Floats) -> Iterator[tuple[slice, slice, Floats]]:
    """Yield the distances between rows and rows, of each pair of tiles once."""
    # The distance to an observed value: whole numbers stay whole, and so exact.
    shifted = values - np.sort(values, axis=0)[len(values) // 2]
    squared = np.einsum("ij,ij->i", shifted, shifted)[:, np.newaxis]
    ones = np.ones_like(squared)
    # ‖x‖² - 2 x'y + ‖y‖² as one matrix product.
    left = np.hstack([-2 * shifted, squared, ones])
    right = np.hstack([shifted, ones, squared])
    for rows in row_blocks(len(values), _TILE):
        for columns in row_blocks(rows.stop, _TILE):
            distances = left[rows] @ right[columns].T
            if rows == columns:
                np.fill_diagonal(distances, 0.0)
            np.maximum(distances, 0.0, out=distances)
            yield rows, columns, np.sqrt(distances, out=distances)


def _mean_silhouette(sums: Floats, labels: Labels) -> float:
    """Return the mean silhouette, given each row's sum of distances to each cluster."""
    members = np.flatnonzero(labels.codes >= 0)
    own = labels.codes[members]
    counts = np.bincount(own, minlength=len(labels.names))
    places = np.arange(members.size), own
    sums = sums[members]
    within = sums[places] / np.maximum(counts[own] - 1, 1)
    means = sums / counts
    means[places] = np.inf
    nearest = means.min(axis=1)
    larger = np.maximum(within, nearest)
    is_measured = (counts[own] > 1) & (larger > 0)
    silhouettes = (nearest - within) / np.where(is_measured, larger, 1.0)
    return float(np.where(is_measured, silhouettes, 0.0).mean())
