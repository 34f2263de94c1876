"""Prediction strength (Tibshirani & Walther 2005): clusters that other customers have, too."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from numpy.typing import ArrayLike

from segkit._progress import progress
from segkit.exceptions import SegkitTypeError
from segkit.metrics._arguments import (
    Codes,
    Floats,
    draw_seeds,
    read_count,
    read_criterion,
    read_matrix,
    read_n_clusters,
    read_number,
    read_numbers_tried,
    read_verbose,
)
from segkit.metrics._centers import cluster_means, squared_distances
from segkit.metrics._clusterers import (
    check_clusterer,
    fitted_labels,
    is_k_means,
    n_restarts_of,
    prepared,
)
from segkit.metrics._k_means import k_means
from segkit.metrics._threads import one_thread

_OWNER = "prediction_strength"
_RESTARTS = 10


def prediction_strength(
    X: ArrayLike,
    *,
    n_clusters: int | Iterable[int] = range(2, 11),
    clusterer: Any = None,
    n_splits: int = 50,
    random_state: int | np.random.RandomState | None = None,
    n_jobs: int | None = None,
    verbose: bool | int = False,
) -> pd.DataFrame:
    """Tell whether the clusters of one half of the rows are found again in the other half.

    Parameters
    ----------
    X : array-like or eager frame of shape (n_samples, n_features)
        The rows, scaled as for the clusters.
    n_clusters : int or iterable of int, default=range(2, 11)
        Numbers of clusters to try.
    clusterer : clusterer, default=None
        A scikit-learn clusterer with a parameter ``n_clusters`` or ``n_components``, which is
        cloned; of a pipeline, the last step has it. None is k-means from ten restarts, and so is
        a ``KMeans`` that starts by k-means++.
    n_splits : int, default=50
        Number of random splits into halves.
    random_state : int, RandomState instance or None, default=None
        Draws the splits and the restarts.
    n_jobs : int, default=None
        Number of threads. The result does not depend on it.
    verbose : bool or int, default=False
        Whether to show progress over the splits, with tqdm where it is installed.

    Returns
    -------
    pandas.DataFrame
        A row for each number of clusters (the index ``n_clusters``): ``prediction_strength``, the
        mean over the splits, from 0 to 1, and its ``standard_error``.

    See Also
    --------
    n_clusters_by_prediction_strength : The number of clusters that the table speaks for.
    bootstrap_jaccard : Which of the clusters are stable.

    Notes
    -----
    Both halves are clustered. Each row of one half is put to the nearest mean of the other
    half's clusters. For each cluster of the one half counts the share of its pairs of rows that
    are together there, too; the lowest share counts, and the mean of both directions. A cluster of
    one row has no pairs and counts as 1. That is ``prediction.strength`` of the R package fpc
    with its default, classification by centroid. Rows that a clusterer calls noise (-1) have no
    part in it.

    References
    ----------
    .. [1] R. Tibshirani & G. Walther (2005). "Cluster validation by prediction strength". Journal
       of Computational and Graphical Statistics 14, 511-528.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from segkit.metrics import n_clusters_by_prediction_strength, prediction_strength
    >>> strengths = prediction_strength(
    ...     load_iris().data, n_clusters=[2, 3, 4], n_splits=200, random_state=0
    ... )
    >>> n_clusters_by_prediction_strength(strengths)
    2
    """
    values = read_matrix(X, owner=_OWNER)
    numbers = read_n_clusters(n_clusters, len(values) // 2, least=1, owner=_OWNER)
    n_drawn = read_count(n_splits, least=2, name="n_splits", owner=_OWNER)
    if clusterer is not None:
        check_clusterer(clusterer, owner=_OWNER)
    is_shown = read_verbose(verbose, owner=_OWNER)
    seeds = draw_seeds(random_state, n_drawn, owner=_OWNER)
    with one_thread():
        work = Parallel(n_jobs=n_jobs, prefer="threads", return_as="generator")(
            delayed(_strengths_of_split)(values, numbers, clusterer, seed) for seed in seeds
        )
        shown = progress(work, total=n_drawn, description=_OWNER, is_shown=is_shown)
        strengths = np.array([*shown])
    return pd.DataFrame(
        {
            "prediction_strength": strengths.mean(axis=0),
            "standard_error": strengths.std(axis=0, ddof=1) / np.sqrt(n_drawn),
        },
        index=pd.Index(numbers, name="n_clusters"),
    )


def n_clusters_by_prediction_strength(strengths: pd.DataFrame, threshold: float = 0.8) -> int:
    """Return the largest number of clusters that are found again.

    Parameters
    ----------
    strengths : pandas.DataFrame
        What :func:`prediction_strength` returns.
    threshold : float, default=0.8
        The mean must be above it; the paper advises 0.8 to 0.9.

    Returns
    -------
    int
        The largest number above the threshold; 1 where there is none.

    See Also
    --------
    prediction_strength : Makes the table.

    Examples
    --------
    >>> import pandas as pd
    >>> from segkit.metrics import n_clusters_by_prediction_strength
    >>> n_clusters_by_prediction_strength(
    ...     pd.DataFrame({"prediction_strength": [0.95, 0.84, 0.4]}, index=[2, 3, 4])
    ... )
    3
    """
    if not isinstance(strengths, pd.DataFrame) or "prediction_strength" not in strengths:
        raise SegkitTypeError(
            "n_clusters_by_prediction_strength: strengths must be the table that "
            f"prediction_strength returns, got {type(strengths).__name__}."
        )
    owner = "n_clusters_by_prediction_strength"
    numbers = read_numbers_tried(strengths, name="strengths", owner=owner)
    least = read_number(threshold, name="threshold", owner=owner)
    above = numbers[read_criterion(strengths, "prediction_strength", owner=owner) > least]
    return max(map(int, above), default=1)


def _strengths_of_split(
    values: Floats, numbers: Sequence[int], clusterer: Any, seed: int
) -> list[float]:
    """Return the strength for each number of clusters, with one split for all."""
    rng = np.random.RandomState(seed)
    shuffled = values[rng.permutation(len(values))]
    middle = len(values) // 2
    halves = shuffled[:middle], shuffled[middle:]
    strengths = []
    for number in numbers:
        found = [_clusters(half, number, clusterer, rng) for half in halves]
        here, there = (
            _found_again(halves[one], found[one][0], found[1 - one][1]) for one in (0, 1)
        )
        strengths.append((here + there) / 2)
    return strengths


def _clusters(
    values: Floats, number: int, clusterer: Any, rng: np.random.RandomState
) -> tuple[Codes, Floats]:
    """Return the cluster of each row and the means of the clusters."""
    if is_k_means(clusterer):
        n_restarts = n_restarts_of(clusterer, _RESTARTS)
        solution = k_means(values, number, rng, n_restarts=n_restarts)
        return solution.labels, solution.centers
    seed = rng.randint(np.iinfo(np.int32).max)
    labels = fitted_labels(prepared(clusterer, seed, number, owner=_OWNER), values)
    names, codes = np.unique(labels[labels >= 0], return_inverse=True)
    labels[labels >= 0] = codes
    return labels, cluster_means(values, labels, len(names))


def _found_again(values: Floats, codes: Codes, centers: Floats) -> float:
    """Return the lowest share, over clusters, of pairs of rows that have the same nearest mean."""
    if not len(centers) or not (codes >= 0).any():
        return 0.0
    nearest = squared_distances(values, centers).argmin(axis=0)
    n_clusters, n_centers = int(codes.max()) + 1, len(centers)
    members = codes >= 0
    together = np.bincount(
        codes[members] * n_centers + nearest[members], minlength=n_clusters * n_centers
    ).reshape(n_clusters, n_centers)
    sizes = together.sum(axis=1)
    pairs = sizes * (sizes - 1)
    same = (together * (together - 1)).sum(axis=1)
    return float(np.where(pairs > 0, same / np.maximum(pairs, 1), 1.0).min())
