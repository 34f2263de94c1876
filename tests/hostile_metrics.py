"""Every function of ``segkit.metrics``, called with hostile rows, labels and values."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
from sklearn.cluster import KMeans

from hostile_cases import Case
from hostile_judge import check_no_silent_nan, judged
from segkit import metrics

COLUMNS = ("recency_days", "frequency", "monetary")


@dataclass(frozen=True)
class Metric:
    """How a function is called with a case, and the range of what it answers."""

    call: Callable[[Any, Case], Any]
    low: float = -np.inf
    high: float = np.inf
    read: Callable[[Any], Any] = lambda answer: answer
    parameters: tuple[str, ...] = ("X", "labels")


def codes_of(case: Case) -> np.ndarray:
    """Return labels of the rows of a case as it was before it was spoiled."""
    return np.arange(_n_rows(case.given, len(case.good))) % 3


def _n_rows(given: Any, default: int) -> int:
    if isinstance(given, pl.LazyFrame | duckdb.DuckDBPyRelation):
        return default
    shape = getattr(given, "shape", None)
    if isinstance(shape, tuple) and shape:
        return int(shape[0])
    return len(given) if isinstance(given, list) else default


def _with_labels(name: str, **arguments: Any) -> Callable[[Any, Case], Any]:
    return lambda given, case: getattr(metrics, name)(given, codes_of(case), **arguments)


def _of_rows(name: str, **arguments: Any) -> Callable[[Any, Case], Any]:
    return lambda given, case: getattr(metrics, name)(given, random_state=0, **arguments)


def _kmeans() -> KMeans:
    return KMeans(n_clusters=2, n_init=1, random_state=0)


#: Functions of rows.
OF_ROWS: dict[str, Metric] = {
    "silhouette": Metric(_with_labels("silhouette"), -1, 1),
    "simplified_silhouette": Metric(_with_labels("simplified_silhouette"), -1, 1),
    "bootstrap_jaccard": Metric(
        lambda given, case: metrics.bootstrap_jaccard(
            given, clusterer=_kmeans(), n_bootstraps=2, random_state=0
        ),
        read=lambda answer: answer["mean_jaccard"],
        parameters=("X", "labels", "clusterer"),
    ),
    "gap_statistic": Metric(
        _of_rows("gap_statistic", n_clusters=[1, 2], n_references=2),
        read=lambda answer: answer["gap"],
    ),
    "prediction_strength": Metric(
        _of_rows("prediction_strength", n_clusters=[2], n_splits=2),
        0,
        1,
        read=lambda answer: answer["prediction_strength"],
    ),
    "number_of_clusters": Metric(
        _of_rows("number_of_clusters", n_clusters_range=(2, 3)),
        2,
        3,
        read=lambda answer: answer.n_clusters,
    ),
    "structure_test": Metric(
        _of_rows("structure_test", n_clusters_range=(2, 3), n_references=19),
        0,
        1,
        read=lambda answer: answer.p_value,
    ),
}

#: Functions of two columns, of which the first is spoiled.
OF_VALUES: dict[str, Metric] = {
    name: Metric(
        lambda given, case, name=name: getattr(metrics, name)(given, codes_of(case)),
        0 if name != "omega_squared" else -1,
        1,
        parameters=("values", "labels"),
    )
    for name in ("cramers_v", "epsilon_squared", "omega_squared")
} | {
    "population_stability_index": Metric(
        lambda given, case: metrics.population_stability_index(
            case.good["monetary"].to_numpy(), given
        ),
        0,
        parameters=("expected", "actual"),
    ),
    "migration_matrix": Metric(
        lambda given, case: metrics.migration_matrix(codes_of(case), given),
        read=lambda answer: answer["customers"],
        parameters=("before", "after"),
    ),
}

#: Tables that other functions give.
TABLES = {
    "n_clusters_by_gap": pd.DataFrame(
        {"gap": [0.1, 0.5, 0.52], "standard_error": [0.05, 0.05, 0.05]}, index=[1, 2, 3]
    ),
    "n_clusters_by_prediction_strength": pd.DataFrame(
        {"prediction_strength": [0.95, 0.84, 0.4]}, index=[2, 3, 4]
    ),
}
#: Functions of the table that another function gives.
OF_TABLES: dict[str, Callable[[Any], Any]] = {
    "n_clusters_by_gap": metrics.n_clusters_by_gap,
    "n_clusters_by_prediction_strength": metrics.n_clusters_by_prediction_strength,
}


def check_metric_of_rows(name: str, case: Case) -> None:
    """Call a function of rows with the case."""
    _check(name, OF_ROWS[name], case.given, case)


def check_metric_of_values(name: str, case: Case) -> None:
    """Call a function of values with a column of the case, or with the case where it has none."""
    given = case.given
    if isinstance(given, pd.DataFrame | pl.DataFrame) and "monetary" in given.columns:
        given = given["monetary"]
    _check(name, OF_VALUES[name], given, case)


def check_metric_of_tables(name: str, case: Case) -> None:
    """Call a function of a table with the case."""
    outcome = judged(
        f"metrics.{name}",
        lambda: OF_TABLES[name](case.given),
        given=[case.given],
        culprits=[name],
    )
    assert not outcome.answered or isinstance(outcome.value, int)


def _check(name: str, metric: Metric, given: Any, case: Case) -> None:
    outcome = judged(
        f"metrics.{name}",
        lambda: metric.call(given, case),
        given=[given],
        culprits=[name, *metric.parameters, *COLUMNS],
    )
    if outcome.answered:
        values = np.asarray(metric.read(outcome.value), dtype=float)
        if not (name in OF_VALUES and np.isnan(values).all()):  # nothing varies, or all does
            check_no_silent_nan(f"metrics.{name}", values)
        values = values[~np.isnan(values)]
        assert (values >= metric.low).all(), f"metrics.{name} is below {metric.low}: {values}"
        assert (values <= metric.high + 1e-12).all(), f"{name} is above {metric.high}: {values}"
