"""Clusterers that a user passes in: cloned, told how many clusters to find and what seed to use."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.cluster import KMeans

from segkit.exceptions import SegkitTypeError, SegkitValueError

_NUMBERS = ("n_clusters", "n_components", "n_segments")


def check_clusterer(clusterer: Any, *, owner: str) -> None:
    """Raise unless a clusterer can be cloned and fitted, and tells the cluster of each row."""
    is_instance = hasattr(clusterer, "get_params") and not isinstance(clusterer, type)
    is_supervised = is_instance and (is_classifier(clusterer) or is_regressor(clusterer))
    if is_supervised or not (
        is_instance and (hasattr(clusterer, "fit_predict") or hasattr(clusterer, "fit"))
    ):
        raise SegkitTypeError(
            f"{owner}: clusterer must be a scikit-learn clusterer such as KMeans(5), got "
            f"{clusterer!r}."
        )


def is_k_means(clusterer: Any) -> bool:
    """Tell whether a clusterer does what our own k-means does, which is faster."""
    return clusterer is None or (type(clusterer) is KMeans and clusterer.init == "k-means++")


def n_restarts_of(clusterer: Any, least: int) -> int:
    """Return how often k-means is to be restarted."""
    n_init = 0 if clusterer is None or clusterer.n_init == "auto" else int(clusterer.n_init)
    return max(n_init, least)


def prepared(clusterer: Any, seed: int, n_clusters: int | None = None, *, owner: str) -> Any:
    """Return an unfitted copy with a number of clusters, and with a seed where it has none."""
    copy = clone(clusterer)
    parameters = copy.get_params()
    changes = {
        name: seed
        for name, value in parameters.items()
        if name.rpartition("__")[2] == "random_state" and value is None
    }
    if n_clusters is not None:
        name = number_parameter(clusterer)
        if name is None:
            raise SegkitValueError(
                f"{owner}: clusterer must have a parameter n_clusters or n_components, which "
                f"{type(clusterer).__name__} lacks."
            )
        changes[name] = n_clusters
    # A frozen estimator, which has none of them, returns nothing.
    copy.set_params(**changes)
    return copy


def number_parameter(clusterer: Any) -> str | None:
    """Return the parameter that says how many clusters; in a pipeline, that of its last step.

    None where there is none, or where it is None: the clusterer then finds its own number.
    """
    parameters = clusterer.get_params()
    last = ""
    while hasattr(clusterer, "steps"):
        name, clusterer = clusterer.steps[-1]
        last += f"{name}__"
    name = next((last + name for name in _NUMBERS if last + name in parameters), None)
    return None if name is None or parameters[name] is None else name


def fitted_labels(clusterer: Any, rows: Any) -> NDArray[np.intp]:
    """Fit a clusterer and return the cluster of each row, -1 for noise."""
    if hasattr(clusterer, "fit_predict"):
        labels = clusterer.fit_predict(rows)
    else:
        labels = clusterer.fit(rows).labels_
    codes: NDArray[np.intp] = np.asarray(labels).astype(np.intp)
    return codes


def labels_of(fitted: Any, rows: Any) -> NDArray[np.int64]:
    """Return the clusters in which a fitted clusterer puts the rows that it was fitted to.

    Every negative label is noise, and -1.
    """
    last = fitted
    while hasattr(last, "steps"):
        last = last.steps[-1][1]
    if not hasattr(fitted, "predict") and not hasattr(last, "labels_"):
        raise SegkitTypeError(
            f"clusterer must be one that predicts or has labels_ after fit, which "
            f"{type(last).__name__} does not. Pass a clusterer such as KMeans(5)."
        )
    labels = fitted.predict(rows) if hasattr(fitted, "predict") else last.labels_
    return np.maximum(np.asarray(labels, dtype=np.int64), -1)
