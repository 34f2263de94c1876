"""Every segmenter, and every verb of it, called with hostile input."""

from collections.abc import Callable
from functools import cache
from typing import Any

import duckdb
import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
import polars as pl
from sklearn.base import BaseEstimator
from sklearn.cluster import KMeans

from hostile_cases import Case
from hostile_frames import GOOD_CUSTOMERS
from hostile_judge import check_codes, check_no_silent_nan, judged, learned_numbers
from segkit.base import SegmenterMixin
from segkit.cluster import KPrototypes
from segkit.exceptions import LazyFrameError
from segkit.segmenters import (
    ClusterSegmenter,
    CrossSegmenter,
    LifecycleStager,
    RFMScorer,
    RuleSegmenter,
    ValueTierer,
)

RFM = ("recency_days", "frequency", "monetary")
DAYS = ("recency_days", "order_days", "tenure_days")

# Where no customer has any value.
_DOCUMENTED_AS_INFINITE = (
    "ValueTierer.thresholds_",
    "ValueTierer.gini_",
    "ValueTierer.lorenz_curve_",
)
_RULES = (
    {"name": "Lost", "when": {"column": "recency_days", "at_least": 400}},
    {
        "name": "North",
        "when": {
            "all": [
                {"column": "country", "in": ["Norway", "日本"]},
                {"column": "monetary", "at_least": 50},
            ]
        },
    },
    {"name": "Regulars", "when": {"column": "frequency", "at_least": 3}},
)


class SpendSegmenter(SegmenterMixin, BaseEstimator):
    """A segmenter of the few lines that the contract asks for."""

    def __init__(self, *, columns=("monetary",), missing="raise"):
        self.columns = columns
        self.missing = missing

    def fit(self, X, y=None):
        """Learn the median."""
        values = self._validate_customers(X, reset=True)
        known = values[~np.isnan(values[:, 0]), 0]
        self.middle_ = float(np.quantile(known, 0.5, method="lower")) if known.size else 0.0
        self.segments_ = np.array(["above", "below"], dtype=object)
        return self._finish_fit(X, values)

    def _codes(self, values):
        return np.where(values[:, 0] > self.middle_, 0, 1)

    def _code_expression(self, values):
        return nw.when(values[0] > self.middle_).then(nw.lit(0)).otherwise(nw.lit(1))


#: Ways to construct each segmenter, and the columns that it then uses.
VARIANTS: dict[str, dict[str, tuple[Callable[[], Any], tuple[str, ...]]]] = {
    "SegmenterMixin": {
        "raise": (SpendSegmenter, ("monetary",)),
        "unassigned": (lambda: SpendSegmenter(missing="unassigned"), ("monetary",)),
    },
    "RFMScorer": {
        "plain": (RFMScorer, RFM),
        "unassigned": (lambda: RFMScorer(missing="unassigned"), RFM),
        "uniform": (lambda: RFMScorer(binning="uniform", segment_map="r_rfm"), RFM),
        "kmeans": (lambda: RFMScorer(binning="kmeans"), RFM),
        "nested": (lambda: RFMScorer(binning="nested", missing="unassigned"), RFM),
        "groups": (lambda: RFMScorer(groups="country"), (*RFM, "country")),
        "edges": (
            lambda: RFMScorer(
                binning={"recency_days": [30, 90, 180, 365], "frequency": [1, 2, 3, 5]}
            ),
            RFM,
        ),
    },
    "LifecycleStager": {
        "cadence": (LifecycleStager, DAYS),
        "fixed": (
            lambda: LifecycleStager(method="fixed", new_days=30, at_risk_days=90, churned_days=180),
            DAYS,
        ),
        "alive": (lambda: LifecycleStager(method="alive"), DAYS),
        "last gap": (
            lambda: LifecycleStager(columns=(*DAYS, "last_gap_days")),
            (*DAYS, "last_gap_days"),
        ),
    },
    "ValueTierer": {
        "pareto": (ValueTierer, ("monetary",)),
        "quantile": (
            lambda: ValueTierer(method="quantile", cuts=[0.2, 0.5], missing="unassigned"),
            ("monetary",),
        ),
        "fixed": (lambda: ValueTierer(method="fixed", cuts=[500, 100]), ("monetary",)),
        "return amount": (lambda: ValueTierer(column="return_amount"), ("return_amount",)),
    },
    "RuleSegmenter": {
        "plain": (lambda: RuleSegmenter(_RULES), ("recency_days", "country", "monetary")),
        "no default": (
            lambda: RuleSegmenter(_RULES[1:], default=None),
            ("country", "monetary", "frequency"),
        ),
    },
    "CrossSegmenter": {
        "value and stage": (
            lambda: CrossSegmenter([ValueTierer(), LifecycleStager()]),
            ("monetary", *DAYS),
        ),
        "rfm and rules": (
            lambda: CrossSegmenter(
                [RFMScorer(missing="unassigned"), RuleSegmenter(_RULES)], max_segments=99
            ),
            (*RFM, "country"),
        ),
    },
    "ClusterSegmenter": {
        "k-means": (
            lambda: ClusterSegmenter(
                KMeans(n_init=2, random_state=0), columns=RFM, n_segments=3, random_state=0
            ),
            RFM,
        ),
        "all columns": (
            lambda: ClusterSegmenter(
                KMeans(n_init=2, random_state=0),
                columns=(*RFM, "tenure_days", "country"),
                n_segments=3,
                random_state=0,
            ),
            (*RFM, "tenure_days", "country"),
        ),
        "k-prototypes": (
            lambda: ClusterSegmenter(
                KPrototypes(n_init=2, random_state=0),
                columns=("monetary", "frequency", "country"),
                n_segments=3,
                random_state=0,
            ),
            ("monetary", "frequency", "country"),
        ),
    },
}


@cache
def fitted_on_good(entry: str, variant: str) -> SegmenterMixin:
    """Return a segmenter that has learned from good customers."""
    return VARIANTS[entry][variant][0]().fit(GOOD_CUSTOMERS[-1])


def check_segmenter_calls(entry: str, variant: str, case: Case) -> None:
    """Fit to the case, and call every verb of this segmenter and of one that is fitted well."""
    build, columns = VARIANTS[entry][variant]
    culprits = (*names_of(build()), *columns)
    fresh = build()
    fit = judged(
        f"{entry}.fit", lambda: fresh.fit(case.given), given=[case.given], culprits=culprits
    )
    if fit.answered:
        for name, numbers in learned_numbers(fresh).items():
            if f"{entry}.{name}" not in _DOCUMENTED_AS_INFINITE:
                check_no_silent_nan(f"{entry}({variant}).{name}", numbers)
        check_verbs(entry, fresh, case.given, culprits, must_answer=True)
    else:
        assert not fresh.__sklearn_is_fitted__(), f"{entry} is fitted after an error in fit"
    check_verbs(entry, fitted_on_good(entry, variant), case.given, culprits)


def names_of(segmenter: Any) -> list[str]:
    """Return the classes that a message may name: the segmenter's and those of its parts."""
    parts = getattr(segmenter, "segmenters", None) or []
    parts = [*parts, getattr(segmenter, "clusterer", None)]
    return [type(segmenter).__name__, *(type(part).__name__ for part in parts if part is not None)]


def check_verbs(
    entry: str, segmenter: Any, given: Any, culprits: Any, *, must_answer: bool = False
) -> None:
    """Call every verb and hold the answers against each other."""

    def outcome(verb: str, *arguments: Any) -> Any:
        call = getattr(segmenter, verb)
        return judged(
            f"{entry}.{verb}", lambda: call(*arguments), given=arguments, culprits=culprits
        )

    assigned = judged(
        f"{entry}.assign",
        lambda: run(segmenter.assign(given)),
        given=[given],
        culprits=culprits,
    )
    predicted = outcome("predict", given)
    named = outcome("predict_segments", given)
    assert predicted.answered == named.answered
    if not predicted.answered:
        assert not must_answer or isinstance(predicted.error, LazyFrameError), predicted.error
        return
    codes = predicted.value
    check_codes(codes, rows_in(given), len(segmenter.segments_))
    expected = [*map(str, segmenter.segments_), "unassigned"]
    names = [expected[code] for code in codes]
    assert named.value.tolist() == names
    if assigned.answered:
        label = segmenter._label_column
        labels = nw.from_native(assigned.value)[label].to_list()
        assert list(map(str, labels)) == names
    for row in range(min(3, len(codes))):
        mapping = row_of(given, row)
        if mapping is not None:
            one = outcome("predict_one", mapping)
            assert one.answered, f"predict answered and predict_one raised {one.error!r}"
            assert one.value == names[row]


def run(frame: Any) -> Any:
    """Execute a lazy frame."""
    if isinstance(frame, pl.LazyFrame):
        return frame.collect()
    return frame.df() if isinstance(frame, duckdb.DuckDBPyRelation) else frame


def rows_in(given: Any) -> int:
    """Return the number of rows of what was predicted for."""
    return given.shape[0] if hasattr(given, "shape") else len(given)


def row_of(given: Any, row: int) -> dict[str, Any] | None:
    """Return a row of a frame as a mapping, None where it has no names."""
    if isinstance(given, pd.DataFrame) and any(isinstance(name, str) for name in given.columns):
        return {name: given[name].iloc[row] for name in given.columns}
    if isinstance(given, pl.DataFrame):
        return given.row(row, named=True)
    return None
