"""A fitted segmenter of each kind, and the customers that it was fitted to."""

import warnings
from functools import cache

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression
from sklearn.mixture import GaussianMixture

from segkit import (
    CrossSegmenter,
    LifecycleStager,
    RFMScorer,
    RuleSegmenter,
    ValueTierer,
    summarize_transactions,
)
from segkit.datasets import make_transactions
from segkit.exceptions import SegkitWarning
from segkit.segmenters import ClusterSegmenter

RFM = ["recency_days", "frequency", "monetary"]

RULES = [
    {"name": "age unknown", "when": {"column": "age", "missing": True}},
    {"name": "vip", "when": {"column": "vip", "equals": True}},
    {
        "name": "big online",
        "when": {
            "all": [
                {"column": "monetary", "at_least": 300},
                {"column": "channel", "matches": "^[Ww]"},
            ]
        },
    },
    {"name": "other shops", "when": {"not": {"column": "channel", "in": ["Web", "Phone"]}}},
    {"name": "regular", "when": {"column": "frequency", "at_least": 3, "below": 8}},
]


@cache
def customers() -> pd.DataFrame:
    """Return customers with columns of every kind; some have missing values."""
    table = summarize_transactions(make_transactions(1_500, random_state=0), extras="last_gap")
    rng = np.random.default_rng(0)
    table["channel"] = rng.choice(["Web", "Phone", "Shop"], len(table), p=[0.5, 0.3, 0.2])
    table["vip"] = table["monetary"] > 600
    table["age"] = np.where(rng.random(len(table)) < 0.2, np.nan, rng.integers(18, 90, len(table)))
    sizes = pd.cut(table["frequency"], [0, 1, 4, 10**6], labels=["S", "M", "L"])
    table["size"] = sizes.astype(pd.CategoricalDtype(["S", "M", "L"], ordered=True))
    return table


def _unfitted() -> dict:
    kinds = ["vip", "age", "size", "channel", "frequency"]
    tierer = ValueTierer(column="monetary")
    known = customers()[["recency_days", "frequency"]]
    return {
        "rfm": RFMScorer(),
        "rfm, unassigned": RFMScorer(missing="unassigned"),
        "rfm, nested in groups": RFMScorer(groups="channel", binning="nested"),
        "stages": LifecycleStager(),
        "stages, fixed": LifecycleStager(method="fixed"),
        "stages, three columns": LifecycleStager(
            columns=("recency_days", "order_days", "tenure_days"), method="fixed"
        ),
        "stages, alive": LifecycleStager(method="alive"),
        "tiers": tierer,
        "tiers, unassigned": ValueTierer(missing="unassigned"),
        "tiers, predicted": ValueTierer(
            estimator=FrozenEstimator(LinearRegression().fit(known, customers()["monetary"]))
        ),
        "rules": RuleSegmenter(RULES),
        "rules, no default": RuleSegmenter(RULES[1:3], default=None),
        "clusters": ClusterSegmenter(columns=RFM, n_segments=5, random_state=0),
        "clusters, kinds": ClusterSegmenter(columns=kinds, n_segments=4, random_state=0),
        "clusters, mixture": ClusterSegmenter(
            GaussianMixture(), columns=RFM, n_segments=3, random_state=0
        ),
        "clusters, as they come": ClusterSegmenter(
            columns=RFM, n_segments=3, random_state=0, preprocessor=None
        ),
        "crossed": CrossSegmenter([tierer, LifecycleStager()], min_size=0.01),
        "crossed, three": CrossSegmenter(
            [
                ("tier", ValueTierer(missing="unassigned")),
                ("rule", RuleSegmenter(RULES[1:3])),
                ("rfm", RFMScorer(missing="unassigned")),
            ],
            min_size=0.01,
        ),
    }


NAMES = tuple(_unfitted())


def newly_fitted(name: str):
    """Return a segmenter that has not been asked for anybody."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SegkitWarning)
        return clone(_unfitted()[name]).fit(customers())


@cache
def fitted(name: str):
    """Return a fitted segmenter, for all tests the same."""
    return newly_fitted(name)
