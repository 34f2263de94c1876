"""Criteria of the number of clusters, for all numbers at once."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from segkit.metrics._arguments import Floats
from segkit.metrics._batched_k_means import ClusterCounts


def log_determinant_ratios(
    tables: NDArray[Any], members: NDArray[Any], counts: ClusterCounts, *, ridge: float = 0.01
) -> Floats:
    """Return log det T − log det W of each table and number of clusters.

    T is the scatter of a table, W that within its clusters: the criterion of Friedman & Rubin
    (1967), which neither the scale of columns nor correlation changes. `ridge` times the number of
    rows is added to the diagonals, so that columns that are nearly collinear don't decide.
    """
    X = np.asarray(tables, dtype=np.float64)
    n_tables, n_rows, n_columns = X.shape
    X = X - X.mean(axis=1, keepdims=True)
    total = X.transpose(0, 2, 1) @ X
    total += ridge * n_rows * np.eye(n_columns)
    sizes = np.maximum(members.sum(axis=2, dtype=np.float64), 1)[..., None]
    sums = members.astype(np.float64) @ X
    scaled = sums / np.sqrt(sizes)
    of_all = np.linalg.slogdet(total)[1]
    ratios = np.empty((n_tables, len(counts)))
    for i, block in enumerate(counts.blocks):
        between = scaled[:, block].transpose(0, 2, 1) @ scaled[:, block]
        ratios[:, i] = of_all - np.linalg.slogdet(total - between)[1]
    return ratios


def silhouettes(table: NDArray[Any], members: NDArray[Any], counts: ClusterCounts) -> Floats:
    """Return the mean silhouette (Rousseeuw, 1987) of each number of clusters.

    One matrix of distances serves all of them. Rows in no cluster are left out.
    """
    X = np.asarray(table, dtype=np.float64)
    to_clusters = members.astype(np.float64) @ cdist(X, X)
    sizes = members.sum(axis=1, dtype=np.float64)
    means = []
    for block in counts.blocks:
        own, size = members[block] > 0, sizes[block][:, None]
        own_size = np.where(own, size, 0).sum(axis=0)
        within = np.where(own, to_clusters[block], 0).sum(axis=0) / np.maximum(own_size - 1, 1)
        others = to_clusters[block] / np.maximum(size, 1)
        nearest = np.where(own | (size == 0), np.inf, others).min(axis=0)
        larger = np.maximum(within, nearest)
        told = (own_size > 1) & np.isfinite(nearest) & (larger > 0)
        difference = np.subtract(nearest, within, where=told, out=np.zeros_like(within))
        of_rows = np.divide(difference, larger, where=told, out=difference)
        means.append(of_rows.sum() / max(int(own.any(axis=0).sum()), 1))
    return np.array(means)


def calinski_harabasz(table: NDArray[Any], members: NDArray[Any], counts: ClusterCounts) -> Floats:
    """Return the variance ratio (Caliński & Harabasz, 1974) of each number of clusters."""
    X = np.asarray(table, dtype=np.float64)
    X = X - X.mean(axis=0)
    all_squares = np.square(X).sum()
    sizes = np.maximum(members.sum(axis=1, dtype=np.float64), 1)
    of_clusters = np.square(members.astype(np.float64) @ X).sum(axis=1) / sizes
    between = np.array([of_clusters[block].sum() for block in counts.blocks])
    k = np.asarray(counts)
    # Where nothing is left within clusters, what is left is rounding.
    within = np.maximum(all_squares - between, max(1e-12 * all_squares, np.finfo(np.float64).tiny))
    ratios: Floats = (between / np.maximum(k - 1, 1)) / (within / np.maximum(len(X) - k, 1))
    return ratios


def davies_bouldin(table: NDArray[Any], members: NDArray[Any], counts: ClusterCounts) -> Floats:
    """Return the index of Davies & Bouldin (1979) of each number of clusters."""
    X = np.asarray(table, dtype=np.float64)
    means = []
    for block in counts.blocks:
        own = members[block][members[block].any(axis=1)].astype(np.float64)
        sizes = own.sum(axis=1)
        centers = (own @ X) / sizes[:, None]
        spreads = (own * cdist(centers, X)).sum(axis=1) / sizes
        between = cdist(centers, centers)
        np.fill_diagonal(between, np.inf)
        between[between == 0] = np.inf
        means.append(((spreads[:, None] + spreads) / between).max(axis=1).mean())
    return np.array(means)
