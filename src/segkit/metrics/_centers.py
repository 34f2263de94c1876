"""Distances from centres, which centre is nearest, and the means of clusters."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from segkit.metrics._arguments import Codes, Floats


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


def nearest_cluster(distances: Floats) -> NDArray[np.intp]:
    """Return where along the first axis the smallest is (argmin is slow along that one)."""
    smallest, labels = distances[0].copy(), np.zeros(distances.shape[1:], dtype=np.intp)
    for place in range(1, len(distances)):
        labels[distances[place] < smallest] = place
        np.minimum(smallest, distances[place], out=smallest)
    return labels


def cluster_means(X: Floats, codes: Codes, n_clusters: int) -> Floats:
    """Return the mean of the rows of each code; rows below 0 belong to none."""
    members = codes >= 0
    if not members.all():
        X, codes = X[members], codes[members]
    counts = np.bincount(codes, minlength=n_clusters)
    sums = [np.bincount(codes, weights=column, minlength=n_clusters) for column in X.T]
    means: Floats = np.array(sums).T / np.maximum(counts, 1)[:, np.newaxis]
    return means
