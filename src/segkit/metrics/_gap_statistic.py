"""The gap statistic (Tibshirani, Walther & Hastie 2001): how many clusters, or none at all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from numpy.typing import ArrayLike

from segkit._progress import progress
from segkit.exceptions import SegkitTypeError, SegkitValueError
from segkit.metrics._arguments import (
    Codes,
    Floats,
    draw_seeds,
    read_choice,
    read_count,
    read_criterion,
    read_matrix,
    read_n_clusters,
    read_numbers_tried,
    read_verbose,
)
from segkit.metrics._centers import cluster_means
from segkit.metrics._clusterers import (
    check_clusterer,
    fitted_labels,
    is_k_means,
    n_restarts_of,
    prepared,
)
from segkit.metrics._k_means import k_means
from segkit.metrics._threads import one_thread

_OWNER = "gap_statistic"
_RESTARTS = 10


def gap_statistic(
    X: ArrayLike,
    *,
    n_clusters: int | Iterable[int] = range(1, 11),
    clusterer: Any = None,
    n_references: int = 50,
    reference: Literal["box", "pca"] = "box",
    random_state: int | np.random.RandomState | None = None,
    n_jobs: int | None = None,
    verbose: bool | int = False,
) -> pd.DataFrame:
    """Compare the spread within clusters with that in data without any clusters.

    It is the measure that can say that there is one cluster only, which means none.

    Parameters
    ----------
    X : array-like or eager frame of shape (n_samples, n_features)
        The rows, scaled as for the clusters.
    n_clusters : int or iterable of int, default=range(1, 11)
        Numbers of clusters to try.
    clusterer : clusterer, default=None
        A scikit-learn clusterer with a parameter ``n_clusters`` or ``n_components``, which is
        cloned; of a pipeline, the last step has it. None is k-means from ten restarts, and so is
        a ``KMeans`` that starts by k-means++.
    n_references : int, default=50
        Number of data sets without clusters that are drawn and clustered.
    reference : {"box", "pca"}, default="box"
        Where they are uniform: over the range of each column, or over the range along each
        principal axis, which is the tighter one where columns are correlated.
    random_state : int, RandomState instance or None, default=None
        Draws the references and the restarts.
    n_jobs : int, default=None
        Number of threads. The result does not depend on it.
    verbose : bool or int, default=False
        Whether to show progress over the references, with tqdm where it is installed.

    Returns
    -------
    pandas.DataFrame
        A row for each number of clusters (the index ``n_clusters``): ``log_within``, the log of
        the sum of squared distances to the mean of the own cluster; ``expected_log_within``, its
        mean over the references; ``gap``, their difference; ``standard_error``, that of the mean,
        with the factor √(1 + 1/n_references).

    Raises
    ------
    SegkitValueError
        Where so many clusters leave no spread in them, whose log there is not.

    See Also
    --------
    n_clusters_by_gap : The number of clusters that the table speaks for.

    References
    ----------
    .. [1] R. Tibshirani, G. Walther & T. Hastie (2001). "Estimating the number of clusters in a
       data set via the gap statistic". Journal of the Royal Statistical Society B 63, 411-423.

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from segkit.metrics import gap_statistic, n_clusters_by_gap
    >>> X, _ = make_blobs(300, centers=[[0, 0], [8, 0], [0, 8]], random_state=0)
    >>> gaps = gap_statistic(X, n_clusters=range(1, 6), random_state=0)
    >>> n_clusters_by_gap(gaps)
    3
    """
    values = read_matrix(X, owner=_OWNER)
    numbers = read_n_clusters(n_clusters, len(values), least=1, owner=_OWNER)
    n_drawn = read_count(n_references, least=2, name="n_references", owner=_OWNER)
    kind = read_choice(reference, ("box", "pca"), name="reference", owner=_OWNER)
    if clusterer is not None:
        check_clusterer(clusterer, owner=_OWNER)
    is_shown = read_verbose(verbose, owner=_OWNER)
    seeds = draw_seeds(random_state, n_drawn + 1, owner=_OWNER)
    box = _Box(values, axes=kind == "pca")
    with one_thread():
        # The first piece of work is the data themselves.
        work = Parallel(n_jobs=n_jobs, prefer="threads", return_as="generator")(
            delayed(_logs_within)(values if place == 0 else box, numbers, clusterer, seed)
            for place, seed in enumerate(seeds)
        )
        logs = [*progress(work, total=len(seeds), description=_OWNER, is_shown=is_shown)]
    observed, expected = logs[0], np.array(logs[1:])
    return pd.DataFrame(
        {
            "log_within": observed,
            "expected_log_within": expected.mean(axis=0),
            "gap": expected.mean(axis=0) - observed,
            "standard_error": expected.std(axis=0) * np.sqrt(1 + 1 / n_drawn),
        },
        index=pd.Index(numbers, name="n_clusters"),
    )


def n_clusters_by_gap(gaps: pd.DataFrame) -> int:
    """Return the smallest number of clusters that the next one is not clearly better than.

    Parameters
    ----------
    gaps : pandas.DataFrame
        What :func:`gap_statistic` returns, for consecutive numbers of clusters.

    Returns
    -------
    int
        The smallest k with gap(k) ≥ gap(k + 1) - standard_error(k + 1), as in the paper; the
        largest of the table where there is none.

    See Also
    --------
    gap_statistic : Makes the table.

    Examples
    --------
    >>> import pandas as pd
    >>> from segkit.metrics import n_clusters_by_gap
    >>> n_clusters_by_gap(
    ...     pd.DataFrame(
    ...         {"gap": [0.1, 0.5, 0.52], "standard_error": [0.05, 0.05, 0.05]}, index=[1, 2, 3]
    ...     )
    ... )
    2
    """
    if not isinstance(gaps, pd.DataFrame) or not {"gap", "standard_error"} <= {*gaps.columns}:
        raise SegkitTypeError(
            "n_clusters_by_gap: gaps must be the table that gap_statistic returns, got "
            f"{type(gaps).__name__}."
        )
    owner = "n_clusters_by_gap"
    numbers = read_numbers_tried(gaps, name="gaps", owner=owner)
    if not len(numbers) or (np.diff(numbers) != 1).any():
        raise SegkitValueError(
            f"{owner}: gaps must have consecutive numbers of clusters, got {numbers.tolist()}."
        )
    gap = read_criterion(gaps, "gap", owner=owner)
    error = read_criterion(gaps, "standard_error", owner=owner)
    is_enough = np.append(gap[:-1] >= gap[1:] - error[1:], True)
    return int(numbers[is_enough.argmax()])


class _Box:
    """The smallest box around some rows, along the columns or along their principal axes."""

    def __init__(self, values: Floats, *, axes: bool) -> None:
        self._shape = values.shape
        self._mean = values.mean(axis=0)
        centred = values - self._mean
        self._axes = np.eye(values.shape[1])
        if axes:
            self._axes = np.linalg.svd(centred, full_matrices=False)[2]
        turned = centred @ self._axes.T
        self._low, self._high = turned.min(axis=0), turned.max(axis=0)

    def draw(self, rng: np.random.RandomState) -> Floats:
        """Return as many rows, uniform in the box."""
        size = self._shape[0], len(self._low)
        drawn: Floats = rng.uniform(self._low, self._high, size=size) @ self._axes + self._mean
        return drawn


def _logs_within(
    data: Floats | _Box, numbers: Sequence[int], clusterer: Any, seed: int
) -> list[float]:
    """Return the logs of the sums of squares within clusters, of rows or of a reference."""
    rng = np.random.RandomState(seed)
    values = data.draw(rng) if isinstance(data, _Box) else data
    logs = []
    for number in numbers:
        within = _within(values, number, clusterer, rng)
        # What centring leaves of equal rows is no spread.
        if within <= 1e-20 * float((values**2).sum()):
            raise SegkitValueError(
                f"{_OWNER}: {number} clusters leave no spread within them: X has hardly more "
                "different rows. Try fewer."
            )
        logs.append(float(np.log(within)))
    return logs


def _within(values: Floats, number: int, clusterer: Any, rng: np.random.RandomState) -> float:
    """Return the sum of squared distances to the mean of the own cluster."""
    labels: Codes
    if number == 1:
        labels = np.zeros(len(values), dtype=np.intp)
    elif is_k_means(clusterer):
        n_restarts = n_restarts_of(clusterer, _RESTARTS)
        labels = k_means(values, number, rng, n_restarts=n_restarts).labels
    else:
        seed = rng.randint(np.iinfo(np.int32).max)
        labels = fitted_labels(prepared(clusterer, seed, number, owner=_OWNER), values)
    values, labels = values[labels >= 0], labels[labels >= 0]
    if not len(values):
        return 0.0
    means = cluster_means(values, labels, int(labels.max()) + 1)
    return float(((values - means[labels]) ** 2).sum())
