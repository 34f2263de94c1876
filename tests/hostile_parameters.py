"""Every parameter of every public class and function, given what it should not be."""

import datetime as dt
import decimal
import inspect
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from sklearn.cluster import DBSCAN, KMeans
from sklearn.linear_model import LinearRegression

from hostile_frames import GOOD_CUSTOMERS, GOOD_LOGS
from hostile_judge import judged
from segkit import metrics
from segkit.base import is_segmenter
from segkit.cluster import KPrototypes
from segkit.clv import BetaGeoNBD, CustomerLifetimeValue, GammaGamma, ParetoNBD
from segkit.datasets import make_transactions
from segkit.features import calibration_holdout_split, summarize_transactions
from segkit.plugins import get
from segkit.profiling import SegmentProfiler
from segkit.segmenters import (
    ClusterSegmenter,
    CrossSegmenter,
    LifecycleStager,
    RFMScorer,
    RuleSegmenter,
    SegmentMap,
    ValueTierer,
)
from segkit.typing import Segmenter
from segkit.validation import SegmentValidator

ODD: dict[str, Any] = {
    "None": None,
    "True": True,
    "-1": -1,
    "0": 0,
    "1": 1,
    "3": 3,
    "1.5": 1.5,
    "0.5": 0.5,
    "NaN": float("nan"),
    "infinity": float("inf"),
    "long": 10**30,
    "huge": 1e308,
    "complex": 1j,
    "empty text": "",
    "text": "x",
    "emoji": "💥",
    "monetary": "monetary",
    "newline": "a\nb",
    "lone surrogate": "\ud800",
    "bytes": b"x",
    "date text": "2024-13-45",
    "empty list": [],
    "list of numbers": [1, 2],
    "list of text": ["x", "y"],
    "list of the same": ["monetary", "monetary"],
    "list of lists": [[1], [2, 3]],
    "list of None": [None],
    "falling numbers": [3.0, 2.0, float("nan")],
    "tuple": (2, 1),
    "set": {"monetary"},
    "empty dict": {},
    "dict": {"monetary": [1, 2]},
    "dict of dicts": {"x": {"y": {}}},
    "object": object(),
    "numpy integer": np.int64(2),
    "numpy bool": np.True_,
    "numpy text": np.str_("monetary"),
    "array": np.array([1.0, 2.0]),
    "array of text": np.array(["x", "y"]),
    "no dimension": np.array(3),
    "pd.NA": pd.NA,
    "NaT": pd.NaT,
    "timestamp": pd.Timestamp("2024-01-01"),
    "zoned timestamp": pd.Timestamp("2024-01-01", tz="Asia/Kathmandu"),
    "first date": dt.date.min,
    "last date": dt.date.max,
    "last datetime": dt.datetime.max,
    "numpy date": np.datetime64("2024-01"),
    "decimal": decimal.Decimal("0.5"),
    "function": len,
    "class": KMeans,
    "clusterer": DBSCAN(),
    "regressor": LinearRegression(),
    "segmenter": ValueTierer(),
    "segmenters": [ValueTierer(), LifecycleStager()],
    "frame": pd.DataFrame({"a": [1]}),
    "series": pd.Series([1.0, 2.0]),
    "range": range(3),
    "generator": (one for one in ()),
}

_CUSTOMERS = GOOD_CUSTOMERS[1]
_LOG = GOOD_LOGS[1]
_ROWS = _CUSTOMERS[["recency_days", "frequency", "monetary"]].to_numpy(dtype=float)
_CODES = np.arange(len(_ROWS)) % 3
_RULES = [{"name": "Lost", "when": {"column": "recency_days", "at_least": 400}}]


def _fitted(build: Callable[..., Any], **usual: Any) -> Callable[..., Any]:
    def call(**odd: Any) -> Any:
        estimator = build(**{**usual, **odd}).fit(_CUSTOMERS)
        return estimator.predict(_CUSTOMERS) if hasattr(estimator, "predict") else estimator

    return call


def _called(function: Callable[..., Any], *first: Any, **usual: Any) -> Callable[..., Any]:
    return lambda **odd: function(*first, **{**usual, **odd})


def _of_labels(build: Callable[..., Any], **usual: Any) -> Callable[..., Any]:
    return lambda **odd: build(**{**usual, **odd}).fit(
        _CUSTOMERS, None if "segmenter" in odd else _CODES
    )


#: How each public callable is called with one odd argument.
CALLS: dict[str, Callable[..., Any]] = {
    "features.summarize_transactions": _called(
        summarize_transactions, _LOG, as_of="2026-01-01", order_id="order_id"
    ),
    "features.calibration_holdout_split": _called(
        calibration_holdout_split, _LOG, calibration_end="2025-01-31", holdout_end="2025-12-31"
    ),
    "segmenters.RFMScorer": _fitted(RFMScorer),
    "segmenters.LifecycleStager": _fitted(LifecycleStager),
    "segmenters.ValueTierer": _fitted(ValueTierer),
    "segmenters.RuleSegmenter": _fitted(RuleSegmenter, rules=_RULES),
    "segmenters.CrossSegmenter": _fitted(
        CrossSegmenter, segmenters=[ValueTierer(), RuleSegmenter(_RULES)]
    ),
    "segmenters.ClusterSegmenter": _fitted(
        ClusterSegmenter,
        clusterer=KMeans(n_init=1),
        columns=["recency_days", "monetary"],
        n_segments=3,
        random_state=0,
    ),
    "segmenters.SegmentMap": _called(SegmentMap, segments={"all": "**"}),
    "cluster.KPrototypes": lambda **odd: KPrototypes(
        **{"n_clusters": 3, "n_init": 1, "random_state": 0, **odd}
    ).fit(_CUSTOMERS[["monetary", "frequency", "country"]]),
    "clv.BetaGeoNBD": _fitted(BetaGeoNBD),
    "clv.ParetoNBD": _fitted(ParetoNBD),
    "clv.GammaGamma": _fitted(GammaGamma),
    "clv.CustomerLifetimeValue": _fitted(CustomerLifetimeValue),
    "datasets.make_transactions": _called(make_transactions, n_customers=5, random_state=0),
    "metrics.silhouette": _called(metrics.silhouette, X=_ROWS, labels=_CODES),
    "metrics.simplified_silhouette": _called(metrics.simplified_silhouette, X=_ROWS, labels=_CODES),
    "metrics.bootstrap_jaccard": _called(
        metrics.bootstrap_jaccard, X=_ROWS, labels=_CODES, n_bootstraps=2, random_state=0
    ),
    "metrics.gap_statistic": _called(
        metrics.gap_statistic, X=_ROWS, n_clusters=[1, 2], n_references=2, random_state=0
    ),
    "metrics.prediction_strength": _called(
        metrics.prediction_strength, X=_ROWS, n_clusters=[2], n_splits=2, random_state=0
    ),
    "metrics.number_of_clusters": _called(
        metrics.number_of_clusters, X=_ROWS, n_clusters_range=(2, 3), random_state=0
    ),
    "metrics.structure_test": _called(
        metrics.structure_test, X=_ROWS, n_clusters_range=(2, 3), random_state=0
    ),
    "metrics.cramers_v": _called(metrics.cramers_v, values=_CODES, labels=_CODES),
    "metrics.epsilon_squared": _called(metrics.epsilon_squared, values=_CODES, labels=_CODES),
    "metrics.omega_squared": _called(metrics.omega_squared, values=_CODES, labels=_CODES),
    "metrics.population_stability_index": _called(
        metrics.population_stability_index, expected=_CODES, actual=_CODES
    ),
    "metrics.migration_matrix": _called(metrics.migration_matrix, before=_CODES, after=_CODES),
    "metrics.n_clusters_by_gap": _called(metrics.n_clusters_by_gap),
    "metrics.n_clusters_by_prediction_strength": _called(
        metrics.n_clusters_by_prediction_strength,
        strengths=pd.DataFrame({"prediction_strength": [0.9]}, index=[2]),
    ),
    "profiling.SegmentProfiler": _of_labels(SegmentProfiler),
    "validation.SegmentValidator": _of_labels(SegmentValidator, n_bootstraps=2, random_state=0),
    "plugins.get": _called(get),
    "base.is_segmenter": _called(is_segmenter),
    "typing.Segmenter": lambda **odd: isinstance(odd["instance"], Segmenter),
}
_PARAMETERS: Mapping[str, list[str]] = {"typing.Segmenter": ["instance"]}
_PUBLIC = {
    f"{package}.{name}": getattr(__import__(f"segkit.{package}", fromlist=[name]), name)
    for package, _, name in (entry.partition(".") for entry in CALLS)
}
# More threads and longer progress bars are no hostility.
_LEFT_ALONE = ("n_jobs", "verbose", "transactions")


def parameters_of(entry: str) -> list[str]:
    """Return the parameters that are given odd values."""
    if entry in _PARAMETERS:
        return _PARAMETERS[entry]
    names = inspect.signature(_PUBLIC[entry]).parameters
    return [name for name in names if name not in _LEFT_ALONE]


def check_odd_parameter(entry: str, parameter: str, odd: str) -> None:
    """Call with one odd argument."""
    name = entry.rpartition(".")[2]
    judged(
        f"{entry}({parameter})",
        lambda: CALLS[entry](**{parameter: ODD[odd]}),
        culprits=[name, parameter, "LinearRegression", "segkit.plugins"],
    )
