"""Clusterers that a user passes in: cloned, told how many clusters to find and what seed to use."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.cluster import KMeans

from segkit._frames import as_frame, collected
from segkit._input_checks import estimator_name
from segkit.exceptions import MissingValuesError, SegkitError, SegkitTypeError, SegkitValueError

_NUMBERS = ("n_clusters", "n_components", "n_segments")


def check_clusterer(clusterer: Any, *, owner: str) -> None:
    """Raise unless a clusterer can be cloned and fitted, and tells the cluster of each row."""
    is_instance = hasattr(clusterer, "get_params") and not isinstance(clusterer, type)
    if not (is_instance and (hasattr(clusterer, "fit_predict") or hasattr(clusterer, "fit"))):
        raise SegkitTypeError(
            f"{owner}: clusterer must be a scikit-learn clusterer such as KMeans(5), got "
            f"{clusterer!r}."
        )


def check_is_estimator(segmenter: Any, *, owner: str) -> None:
    """Raise unless a segmenter can be cloned and fitted; never show what came instead."""
    if isinstance(segmenter, type):
        raise SegkitTypeError(
            f"{owner}: segmenter must be an estimator, got the class {segmenter.__name__}. Write "
            f"{segmenter.__name__}(...)."
        )
    if not (hasattr(segmenter, "fit") and hasattr(segmenter, "get_params")):
        raise SegkitTypeError(
            f"{owner}: segmenter must be an estimator, got {type(segmenter).__name__}. Labels that "
            "are there already go to fit: fit(X, y=labels)."
        )


@contextmanager
def refusals_named(segmenter: Any, rows: Any, *, owner: str) -> Iterator[None]:
    """Name the columns of text, or with missing values, for which a user's estimator raises.

    What it says itself may quote a customer's value.
    """
    try:
        yield
    except SegkitError:
        raise
    except (TypeError, ValueError) as error:
        text, incomplete = _columns_of_text(rows), _columns_with_missing(rows)
        name, said = estimator_name(segmenter), str(error)
        if text and ("could not convert" in said or "dtype" in said or "type" in said):
            raise SegkitTypeError(
                f"{owner}: {name} needs numbers, and there is something else in the columns "
                f"{text}. Name the columns to use (basis=[...]), or encode these first, in a "
                "Pipeline."
            ) from None
        if incomplete and "NaN" in said:
            raise MissingValuesError(
                f"{owner}: {name} takes no missing values (NaN), and there are some in the columns "
                f"{incomplete}. Fill or drop them, or impute them in a Pipeline; ClusterSegmenter "
                "does it by itself."
            ) from None
        raise SegkitValueError(f"{owner}: {name} refuses these customers. {said}") from error


def _columns_of_text(rows: Any) -> list[str]:
    frame = as_frame(rows, owner="")
    if frame is None:
        return ["of the array"] if np.asarray(rows).dtype.kind in "OUS" else []
    schema = frame.collect_schema()
    return [
        name for name, dtype in schema.items() if not (dtype.is_numeric() or dtype.is_boolean())
    ]


def _columns_with_missing(rows: Any) -> list[str]:
    frame = as_frame(rows, owner="")
    if isinstance(frame, nw.LazyFrame):
        frame = collected(frame)
    table = pd.DataFrame(rows) if frame is None else frame.to_pandas()
    prefix = "x" if frame is None else ""
    return [f"{prefix}{name}" for name in table.columns[table.isna().any()]]


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
