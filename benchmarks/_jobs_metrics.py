"""Measures of clusters: what segkit does, and the same with scikit-learn and sets.

Rows come from five clouds in six columns (`_data_clouds.py`).
"""

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.metrics import silhouette_score

from segkit.metrics import bootstrap_jaccard, silhouette

from ._data_clouds import N_CLOUDS, clouds, distinct_clouds
from ._job import Job

_N_BOOTSTRAPS = 100
_SAMPLE = 10_000
_NUMBERS = range(2, 11)


def bootstrap(n_rows: int) -> Job:
    """Stability of five clusters by segkit."""
    rows, labels = _clustered(n_rows)
    return Job(
        lambda: bootstrap_jaccard(rows, labels, n_bootstraps=_N_BOOTSTRAPS, random_state=0),
        lambda found: _by_cluster(found["mean_jaccard"].to_numpy()),
    )


def bootstrap_by_sets(n_rows: int) -> Job:
    """The same with a fit from scratch for each resample, and sets of its rows."""
    rows, labels = _clustered(n_rows)
    return Job(lambda: _mean_by_sets(rows, labels), _by_cluster)


def silhouettes(n_rows: int) -> Job:
    """Silhouettes of nine labellings by segkit, from one sample."""
    rows, labellings = _labellings(n_rows)
    return Job(
        lambda: silhouette(rows, labellings, sample_size=_SAMPLE, random_state=0), _by_number
    )


def silhouettes_one_by_one(n_rows: int, *, are_distinct: bool = False) -> Job:
    """The same by nine calls of scikit-learn's ``silhouette_score``."""
    rows, labellings = _labellings(n_rows, are_distinct=are_distinct)

    def run():
        options = {"sample_size": _SAMPLE, "random_state": 0}
        return [silhouette_score(rows, labels, **options) for labels in labellings]

    return Job(run, _by_number)


def _mean_by_sets(rows: NDArray[np.float64], labels: NDArray[np.int32]) -> NDArray[np.float64]:
    rng = np.random.RandomState(1)
    similarities = []
    for seed in range(_N_BOOTSTRAPS):
        drawn = rng.randint(len(rows), size=len(rows))
        found = KMeans(N_CLOUDS, n_init=10, random_state=seed).fit(rows[drawn]).labels_
        before = [set(drawn[labels[drawn] == one].tolist()) for one in range(N_CLOUDS)]
        after = [set(drawn[found == one].tolist()) for one in range(N_CLOUDS)]
        similarities.append([max(len(a & b) / len(a | b) for b in after) for a in before])
    return np.mean(similarities, axis=0)


def _clustered(n_rows: int) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    rows = clouds(n_rows)
    return rows, KMeans(N_CLOUDS, n_init=10, random_state=0).fit(rows).labels_


def _labellings(
    n_rows: int, *, are_distinct: bool = False
) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    rows = distinct_clouds(n_rows) if are_distinct else clouds(n_rows)
    few = rows[:_SAMPLE]
    fitted = [KMeans(k, n_init=1, random_state=0).fit(few) for k in _NUMBERS]
    return rows, np.array([one.predict(rows) for one in fitted])


def _by_cluster(jaccards: NDArray[np.float64]) -> dict[str, float]:
    return {f"jaccard_{place}": float(one) for place, one in enumerate(jaccards)}


def _by_number(means) -> dict[str, float]:
    return {f"silhouette_{k}": float(one) for k, one in zip(_NUMBERS, means, strict=True)}
