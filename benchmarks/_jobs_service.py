"""One customer in a service: from a mapping of column to value to the name of the segment.

Three ways of each segmenter: ``predict_one``, ``predict_segments`` of a frame of one row, and the
same thresholds in plain pandas and numpy, as a script has them. All begin with the mapping.
"""

import functools
import itertools
import operator
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from sklearn.preprocessing import StandardScaler

from segkit import (
    ClusterSegmenter,
    CrossSegmenter,
    LifecycleStager,
    RFMScorer,
    RuleSegmenter,
    ValueTierer,
)

from ._job import Job

Row = Mapping[str, Any]

_RFM = ["recency_days", "frequency", "monetary"]
_RULES = [
    {
        "name": "Big online",
        "when": {
            "all": [
                {"column": "monetary", "at_least": 500},
                {"column": "channel", "equals": "Web"},
            ]
        },
    },
    {"name": "Big", "when": {"column": "monetary", "at_least": 500}},
    {
        "name": "Regular",
        "when": {
            "any": [
                {"column": "frequency", "at_least": 4},
                {"column": "monetary", "at_least": 200, "below": 500},
            ]
        },
    },
    {"name": "By phone", "when": {"column": "channel", "in": ["Phone", "Fax"]}},
]
_UNFITTED = {
    "RFMScorer": RFMScorer(),
    "LifecycleStager": LifecycleStager(),
    "ValueTierer": ValueTierer(),
    "RuleSegmenter": RuleSegmenter(_RULES),
    "ClusterSegmenter": ClusterSegmenter(columns=_RFM, n_segments=5, random_state=0),
    "CrossSegmenter": CrossSegmenter([RFMScorer(), LifecycleStager()], min_size=0.001),
}
# So many customers are asked for, in turn.
_ASKED = 100
# About a millisecond, in which a processor that is shared is seldom taken away.
_LOOPS = 300


def predict_one(customers: str, segmenter: str) -> Job:
    """Call ``predict_one``."""
    fitted, _, rows = _loaded(customers, segmenter)
    return _asked_in_turn(fitted.predict_one, fitted, rows, loops=_LOOPS)


def predict_one_of_all_columns(customers: str, segmenter: str) -> Job:
    """Call ``predict_one`` with whole numbers as such and further columns."""
    fitted, table, _ = _loaded(customers, segmenter)
    rows = table.head(_ASKED).to_dict("records")
    return _asked_in_turn(fitted.predict_one, fitted, rows, loops=_LOOPS)


def predict_frame(customers: str, segmenter: str) -> Job:
    """Make a frame of one row and call ``predict_segments``."""
    fitted, _, rows = _loaded(customers, segmenter)
    return _asked_in_turn(
        lambda row: fitted.predict_segments(pd.DataFrame([row]))[0], fitted, rows, loops=1
    )


def pandas_by_hand(customers: str, segmenter: str) -> Job:
    """Make a frame of one row and look it up in pandas."""
    fitted, table, rows = _loaded(customers, segmenter)
    by_hand = _BY_HAND[segmenter](fitted, table)
    return _asked_in_turn(lambda row: by_hand(pd.DataFrame([row])), fitted, rows, loops=1)


def _loaded(customers: str, segmenter: str) -> tuple[Any, pd.DataFrame, list[Row]]:
    """Return a fitted segmenter, its customers, and some of them with just its columns."""
    table = pd.read_parquet(customers)
    table["frequency"] = table["order_days"]
    table["channel"] = np.random.default_rng(0).choice(["Web", "Phone", "Shop"], len(table))
    fitted = _UNFITTED[segmenter].fit(table)
    some = table.head(_ASKED)[list(fitted.feature_names_in_)]
    return fitted, table, some.to_dict("records")


def _asked_in_turn(ask: Callable[[Row], str], fitted: Any, rows: list[Row], *, loops: int) -> Job:
    turns = itertools.cycle(rows)
    code = {name: code for code, name in enumerate(fitted.segments_)}
    return Job(
        lambda: ask(next(turns)),
        lambda _: {"codes": float(sum((k + 1) * code[ask(row)] for k, row in enumerate(rows)))},
        loops=loops,
    )


# The scripts: each takes what it needs from a fitted segmenter, and then a frame of one row.


def _rfm(scorer: RFMScorer, _: pd.DataFrame) -> Callable[[pd.DataFrame], str]:
    cuts = {}
    mapped = scorer.segment_map_.dimensions
    for column in [one for one in _RFM if one.removesuffix("_days") in mapped]:
        edges = scorer.bin_edges_[column]
        bins = np.unique(edges)
        scores = 1 + np.array([0, *np.searchsorted(edges, bins, side="right")])
        scores = 6 - scores if column == "recency_days" else scores
        cuts[column] = [-np.inf, *bins, np.inf], scores.tolist()
    cells = np.array(list(itertools.product(range(1, 6), repeat=len(mapped))))
    names = scorer.segments_[scorer.segment_map_.codes(cells)]
    segment_of = {"".join(map(str, cell)): name for cell, name in zip(cells, names, strict=True)}

    def segment(frame: pd.DataFrame) -> str:
        scores = [
            pd.cut(frame[column], bins, labels=labels).astype(str)
            for column, (bins, labels) in cuts.items()
        ]
        return functools.reduce(operator.add, scores).map(segment_of).iloc[0]

    return segment


def _stages(stager: LifecycleStager, _: pd.DataFrame) -> Callable[[pd.DataFrame], str]:
    limits, prior = stager.thresholds_, stager.prior_

    def segment(frame: pd.DataFrame) -> str:
        active = (frame["tenure_days"] - frame["recency_days"]).clip(lower=0)
        gap = (prior["alpha_days"] + active) / (prior["r"] + frame["order_days"] + 1)
        silent = frame["recency_days"] / gap
        conditions = [
            frame["order_days"] < 1,
            frame["tenure_days"] <= limits["new_days"],
            silent > limits["churned_gaps"],
            silent > limits["at_risk_gaps"],
        ]
        stages = ["prospect", "new", "churned", "at_risk"]
        return str(np.select(conditions, stages, default="active")[0])

    return segment


def _tiers(tierer: ValueTierer, _: pd.DataFrame) -> Callable[[pd.DataFrame], str]:
    above_zero = np.nextafter(0, 1)
    bins = [-np.inf, above_zero, *tierer.thresholds_[::-1], np.inf]
    labels = tierer.segments_[::-1].tolist()

    def segment(frame: pd.DataFrame) -> str:
        return pd.cut(frame["monetary"], bins, right=False, labels=labels).iloc[0]

    return segment


def _rules(segmenter: RuleSegmenter, _: pd.DataFrame) -> Callable[[pd.DataFrame], str]:
    names = segmenter.segments_.tolist()

    def segment(frame: pd.DataFrame) -> str:
        spend = frame["monetary"]
        conditions = [
            (spend >= 500) & (frame["channel"] == "Web"),
            spend >= 500,
            (frame["frequency"] >= 4) | spend.between(200, 500, inclusive="left"),
            frame["channel"].isin(["Phone", "Fax"]),
        ]
        return str(np.select(conditions, names[:-1], default=names[-1])[0])

    return segment


def _clusters(segmenter: ClusterSegmenter, table: pd.DataFrame) -> Callable[[pd.DataFrame], str]:
    treated = segmenter.preprocessing_summary_.set_index("column")["treatment"]
    skewed = [name for name in _RFM if "logarithm" in treated[name]]

    def less_skewed(frame: pd.DataFrame) -> pd.DataFrame:
        return frame[_RFM].assign(**{name: np.log1p(frame[name]) for name in skewed})

    scaler = StandardScaler().fit(less_skewed(table))
    clusterer = segmenter.clusterer_
    labels = clusterer.predict(scaler.transform(less_skewed(table)))
    name_of = dict(zip(labels.tolist(), segmenter.segments_[segmenter.labels_], strict=True))

    def segment(frame: pd.DataFrame) -> str:
        return name_of[clusterer.predict(scaler.transform(less_skewed(frame)))[0]]

    return segment


def _crossed(segmenter: CrossSegmenter, table: pd.DataFrame) -> Callable[[pd.DataFrame], str]:
    (_, scorer), (_, stager) = segmenter.segmenters_
    first, second = _rfm(scorer, table), _stages(stager, table)
    pairs = segmenter.cells_.iloc[:, :2].itertuples(index=False, name=None)
    name_of = dict(zip(pairs, segmenter.cells_["segment"], strict=True))
    return lambda frame: name_of[first(frame), second(frame)]


_BY_HAND = {
    "RFMScorer": _rfm,
    "LifecycleStager": _stages,
    "ValueTierer": _tiers,
    "RuleSegmenter": _rules,
    "ClusterSegmenter": _clusters,
    "CrossSegmenter": _crossed,
}
