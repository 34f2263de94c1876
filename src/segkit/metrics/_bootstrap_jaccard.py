"""Which clusters are stable: Jaccard similarities under the bootstrap (Hennig 2007)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from numpy.typing import ArrayLike, NDArray

from segkit._input_checks import estimator_name
from segkit._progress import progress
from segkit.exceptions import SegkitError, SegkitTypeError, SegkitValueError
from segkit.metrics._anchored_lloyd import AnchoredLloyd
from segkit.metrics._arguments import (
    Codes,
    Floats,
    Labels,
    draw_seeds,
    read_choice,
    read_count,
    read_labels,
    read_matrix,
    read_rows,
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
from segkit.metrics._foreign_estimators import NO_NUMBER
from segkit.metrics._k_means import k_means_optima, restarted
from segkit.metrics._threads import one_thread

_OWNER = "bootstrap_jaccard"
# Restarts on the rows themselves; resamples start from the best solutions that these find.
_RESTARTS, _MOST_SOLUTIONS = 20, 5
# The fewer rows, the more often a resample has a best solution that is near none of all rows.
_FEW_ROWS, _RESTARTS_OF_RESAMPLE = 5_000, 10
# Hennig's bounds for a cluster that a resample has lost, and for one that it finds again.
_DISSOLVED, _RECOVERED = 0.5, 0.75


def bootstrap_jaccard(
    X: Any,
    labels: ArrayLike | None = None,
    *,
    clusterer: Any = None,
    n_bootstraps: int = 100,
    scheme: Literal["bootstrap", "fpc"] = "bootstrap",
    random_state: int | np.random.RandomState | None = None,
    n_jobs: int | None = None,
    verbose: bool | int = False,
) -> pd.DataFrame:
    """Tell for each cluster whether it is found again in resamples of the rows.

    Each resample is clustered anew. A cluster's similarity to the resample is the highest Jaccard
    similarity that it has, over the rows drawn, with a cluster found there: the number of rows in
    both, over that of rows in one or both.

    Parameters
    ----------
    X : array-like or eager frame of shape (n_samples, n_features)
        The rows, as the clusterer takes them; for k-means finite numbers, scaled as for the
        clusters.
    labels : array-like of shape (n_samples,), default=None
        The clusters to judge, a label a row; -1 is no cluster. None takes those that `clusterer`
        finds, so that one of the two is needed.
    clusterer : clusterer, default=None
        What clusters the resamples: a scikit-learn clusterer, a segmenter, or a pipeline that
        ends in one, which is cloned. None is k-means with as many clusters as `labels` has.
    n_bootstraps : int, default=100
        Number of resamples.
    scheme : {"bootstrap", "fpc"}, default="bootstrap"
        ``"bootstrap"``: as many rows as there are, drawn with replacement; who is drawn twice
        counts twice. ``"fpc"``: of these, each row once, as ``clusterboot`` of the R package fpc
        has it by default. That leaves 63 % of the rows.
    random_state : int, RandomState instance or None, default=None
        Draws the resamples and the restarts, and seeds a clusterer that has no seed.
    n_jobs : int, default=None
        Number of threads for k-means, of processes for other clusterers. The result does not
        depend on it.
    verbose : bool or int, default=False
        Whether to show progress over the resamples, with tqdm where it is installed.

    Returns
    -------
    pandas.DataFrame
        A row for each label (the index ``label``): ``customers``, the number of rows;
        ``mean_jaccard``; ``std_jaccard``, the standard deviation over the resamples;
        ``low_jaccard``, the 5 % quantile; ``dissolved`` and ``recovered``, the shares of resamples
        with a similarity of at most 0.5 and of more than 0.75.

    Raises
    ------
    SegkitValueError
        Where neither labels nor a clusterer are given, or the labels do not fit the rows.

    See Also
    --------
    prediction_strength : Are all clusters found again in the other half of the rows?

    Notes
    -----
    Hennig reads a mean above 0.85 as highly stable, from 0.75 as stable, from 0.6 to 0.75 as a
    pattern whose members are in doubt, and at most 0.5 as dissolved. Stable does not mean real:
    k-means cuts a single cloud of rows in the same way every time. A cluster of which no row is
    drawn counts as 0, as in fpc.

    k-means, which is None and any ``KMeans`` that starts by k-means++, is not fitted from scratch.
    The rows are clustered from many restarts. A resample gives weights to them, and Lloyd's
    algorithm goes on with these weights from the best solutions that differ, and, of up to 5,000
    rows, from ten fresh starts, too; the best result counts. One solution to start from would make
    clusters look more stable than they are. Of more rows, in clouds that overlap so much that
    resamples have best solutions of their own, the means may be up to 0.05 higher than those
    of ``KMeans(n_init=10)`` fitted to each resample.

    A refit from few starts often misses the best solution, so that a cluster which is there counts
    as dissolved: of six clusters of 200 customers, the weakest one has a mean of 0.45 where KMeans
    is fitted to 300 resamples with one start each, 0.54 with three, 0.57 with ten and 0.58 with
    fifty. The standard error of each is 0.02, and that of a mean over 100 resamples 0.035.

    References
    ----------
    .. [1] C. Hennig (2007). "Cluster-wise assessment of cluster stability". Computational
       Statistics & Data Analysis 52, 258-271.

    Examples
    --------
    >>> from sklearn.cluster import KMeans
    >>> from sklearn.datasets import load_iris
    >>> from segkit.metrics import bootstrap_jaccard
    >>> X = load_iris().data
    >>> labels = KMeans(3, n_init=10, random_state=0).fit(X).labels_
    >>> stability = bootstrap_jaccard(X, labels, random_state=0)
    >>> bool((stability["mean_jaccard"] > 0.75).all())
    True
    """
    if labels is None and clusterer is None:
        raise SegkitValueError(
            f"{_OWNER}: labels or a clusterer is needed. Pass the labels of the clusters to judge, "
            "or clusterer=KMeans(5)."
        )
    if clusterer is not None:
        check_clusterer(clusterer, owner=_OWNER)
    n_drawn = read_count(n_bootstraps, least=2, name="n_bootstraps", owner=_OWNER)
    once = read_choice(scheme, ("bootstrap", "fpc"), name="scheme", owner=_OWNER) == "fpc"
    is_shown = read_verbose(verbose, owner=_OWNER)
    first, *seeds = draw_seeds(random_state, n_drawn + 1, owner=_OWNER)
    rows = _Rows(X)
    if labels is None:
        given = read_matrix(X, owner=_OWNER) if is_k_means(clusterer) else rows.all()
        with one_thread():
            labels = _labels_of(prepared(clusterer, first, owner=_OWNER), given)
    labelled = read_labels(labels, len(rows), owner=_OWNER)
    if not len(labelled.names):
        raise SegkitValueError(f"{_OWNER}: labels must have a cluster, and all of them are -1.")
    if is_k_means(clusterer):
        with one_thread():
            values = read_matrix(X, owner=_OWNER)
            solutions = _solutions(values, labelled, clusterer, first)
            jaccards = _k_means_jaccards(
                values, labelled, solutions, seeds, once, n_jobs, is_shown=is_shown
            )
    else:
        work = Parallel(n_jobs=n_jobs, return_as="generator")(
            delayed(_refitted_jaccards)(clusterer, rows, labelled, seed, once) for seed in seeds
        )
        shown = progress(work, total=n_drawn, description=_OWNER, is_shown=is_shown)
        jaccards = np.array([*shown])
    return _table(labelled, jaccards)


def _labels_of(clusterer: Any, rows: Any) -> NDArray[np.intp]:
    """Fit a clusterer, and quote no value that it cannot read."""
    try:
        return fitted_labels(clusterer, rows)
    except SegkitError:
        raise
    except (ValueError, TypeError) as error:
        if not NO_NUMBER.search(str(error)):
            raise
        raise SegkitTypeError(
            f"{_OWNER}: {estimator_name(clusterer)} needs numbers, and X holds what is none. "
            "Encode text columns and leave ids and dates out."
        ) from None


def _table(labels: Labels, jaccards: Floats) -> pd.DataFrame:
    counts = np.bincount(labels.codes[labels.codes >= 0], minlength=len(labels.names))
    return pd.DataFrame(
        {
            "customers": counts,
            "mean_jaccard": jaccards.mean(axis=0),
            "std_jaccard": jaccards.std(axis=0, ddof=1),
            "low_jaccard": np.quantile(jaccards, 0.05, axis=0),
            "dissolved": (jaccards <= _DISSOLVED).mean(axis=0),
            "recovered": (jaccards > _RECOVERED).mean(axis=0),
        },
        index=pd.Index(labels.names, name="label"),
    )


@dataclass
class _Rows:
    """Rows of an array or of a frame, which may be taken by number."""

    held: Any

    def __post_init__(self) -> None:
        self.held = read_rows(self.held, owner=_OWNER)
        if not getattr(self.held, "shape", ()):
            raise SegkitTypeError(
                f"{_OWNER}: X must be an array or an eager frame, got {type(self.held).__name__}."
            )

    def __len__(self) -> int:
        return int(self.held.shape[0])

    def all(self) -> Any:
        """Return what was given."""
        return self.held.to_native() if isinstance(self.held, nw.DataFrame) else self.held

    def take(self, numbers: NDArray[np.intp]) -> Any:
        """Return some rows, a frame as a frame."""
        if isinstance(self.held, nw.DataFrame):
            return self.held[numbers.tolist()].to_native()
        return self.held[numbers]


def _draw(n_rows: int, seed: int, once: bool) -> Floats:
    """Return how often each row is drawn, or whether it is."""
    drawn = np.random.default_rng(seed).integers(n_rows, size=n_rows)
    counts = np.bincount(drawn, minlength=n_rows)
    weights: Floats = (np.minimum(counts, 1) if once else counts).astype(np.float64)
    return weights


def _solutions(values: Floats, labels: Labels, clusterer: Any, seed: int) -> list[Floats]:
    """Return the centres of the solutions that resamples start from."""
    n_clusters = len(labels.names) if clusterer is None else int(clusterer.n_clusters)
    if n_clusters > len(values):
        raise SegkitValueError(
            f"{_OWNER}: clusterer has n_clusters={n_clusters}, and X has {len(values):,} rows."
        )
    starts = []
    if n_clusters == len(labels.names):
        starts = [cluster_means(values, labels.codes, n_clusters)]
    return k_means_optima(
        values,
        n_clusters,
        np.random.RandomState(seed),
        n_restarts=n_restarts_of(clusterer, _RESTARTS),
        most=_MOST_SOLUTIONS,
        starts=starts,
    )


def _k_means_jaccards(
    values: Floats,
    labels: Labels,
    solutions: Sequence[Floats],
    seeds: Sequence[int],
    once: bool,
    n_jobs: int | None,
    *,
    is_shown: bool = False,
) -> Floats:
    """Return the similarities of each resample, by label, from the best solution for it."""
    starts: list[Floats | int] = [*solutions]
    if len(values) <= _FEW_ROWS:
        starts.append(len(solutions[0]))

    def of_starts() -> Iterator[tuple[float, Floats]]:
        for start in starts:
            # One solution after the other, so that memory is that of one.
            resampled = (
                _Restarted(values, start, labels, once)
                if isinstance(start, int)
                else _Resampled(AnchoredLloyd(values, start), labels, once)
            )
            yield from Parallel(n_jobs=n_jobs, prefer="threads", return_as="generator")(
                delayed(resampled.jaccards)(seed) for seed in seeds
            )

    most = np.full(len(seeds), -np.inf)
    best = np.empty((len(seeds), len(labels.names)))
    n_works = len(starts) * len(seeds)
    shown = progress(of_starts(), total=n_works, description=_OWNER, is_shown=is_shown)
    for work, (explained, jaccards) in enumerate(shown):
        place = work % len(seeds)
        if explained > most[place]:
            most[place], best[place] = explained, jaccards
    return best


class _Resampled:
    """Resamples that start from one solution, compared with the labels."""

    def __init__(self, anchor: AnchoredLloyd, labels: Labels, once: bool) -> None:
        self._anchor, self._once = anchor, once
        self._n_labels = len(labels.names)
        # Rows without a label are counted in a column of their own.
        codes = np.where(labels.codes < 0, self._n_labels, labels.codes)
        self._codes = codes[anchor.order]
        self._cells = anchor.labels * (self._n_labels + 1) + self._codes

    def jaccards(self, seed: int) -> tuple[float, Floats]:
        """Return how much the clusters of a resample explain, and the similarities."""
        anchor = self._anchor
        weights = _draw(len(anchor.order), seed, self._once)
        solution = anchor.solve(weights)
        weights = weights[anchor.order]
        n_columns = self._n_labels + 1
        n_cells = len(solution.centers) * n_columns
        counts = np.bincount(self._cells, weights=weights, minlength=n_cells)
        moved = solution.moved
        arrived = solution.moved_to * n_columns + self._codes[moved]
        counts += np.bincount(arrived, weights=weights[moved], minlength=n_cells)
        counts -= np.bincount(self._cells[moved], weights=weights[moved], minlength=n_cells)
        return solution.explained, _highest_jaccards(counts.reshape(-1, n_columns))


class _Restarted:
    """Resamples that are clustered from scratch, compared with the labels."""

    def __init__(self, values: Floats, n_clusters: int, labels: Labels, once: bool) -> None:
        self._values, self._labels, self._once = values, labels, once
        self._n_clusters = n_clusters

    def jaccards(self, seed: int) -> tuple[float, Floats]:
        """Return how much the clusters of a resample explain, and the similarities."""
        rows = self._values[_drawn_rows(len(self._values), seed, self._once)]
        rng = np.random.RandomState(seed)
        best = restarted(rows, self._n_clusters, rng, n_restarts=_RESTARTS_OF_RESAMPLE)[0]
        anchor = AnchoredLloyd(self._values, best)
        return _Resampled(anchor, self._labels, self._once).jaccards(seed)


def _refitted_jaccards(
    clusterer: Any, rows: _Rows, labels: Labels, seed: int, once: bool
) -> Floats:
    """Cluster a resample anew and return the similarities, by label."""
    drawn = _drawn_rows(len(rows), seed, once)
    with one_thread():
        found = fitted_labels(prepared(clusterer, seed, owner=_OWNER), rows.take(drawn))
    names, clusters = np.unique(found, return_inverse=True)
    counts = _counts(clusters, len(names), labels, drawn)
    return _highest_jaccards(counts, is_cluster=names >= 0)


def _drawn_rows(n_rows: int, seed: int, once: bool) -> NDArray[np.intp]:
    """Return the rows drawn, each as often as it is."""
    return np.repeat(np.arange(n_rows), _draw(n_rows, seed, once).astype(np.intp))


def _counts(
    clusters: Codes, n_clusters: int, labels: Labels, drawn: NDArray[np.intp]
) -> NDArray[np.intp]:
    """Return how many rows each cluster and each label share, in a last column those without."""
    n_columns = len(labels.names) + 1
    codes = np.where(labels.codes < 0, n_columns - 1, labels.codes)[drawn]
    counts = np.bincount(clusters * n_columns + codes, minlength=n_clusters * n_columns)
    return counts.reshape(n_clusters, n_columns)


def _highest_jaccards(
    counts: NDArray[Any], is_cluster: NDArray[np.bool_] | slice = slice(None)
) -> Floats:
    """Return for each label the highest similarity with a cluster, from the counts of both.

    A row of `counts` for each cluster found, a column for each label, and a last one for rows
    that have none.
    """
    sizes = counts.sum(axis=0)[:-1]
    clusters = counts[is_cluster]
    shared = clusters[:, :-1]
    either = sizes + clusters.sum(axis=1)[:, np.newaxis] - shared
    highest: Floats = (shared / np.where(either > 0, either, 1)).max(axis=0, initial=0.0)
    return highest
