"""Every estimator through every check of the contract."""

import pandas as pd
import pytest
from sklearn.cluster import HDBSCAN, AgglomerativeClustering, MiniBatchKMeans
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression
from sklearn.mixture import GaussianMixture

from segkit import (
    ClusterSegmenter,
    CrossSegmenter,
    KPrototypes,
    LifecycleStager,
    RFMScorer,
    RuleSegmenter,
    ValueTierer,
    summarize_transactions,
)
from segkit.datasets import make_transactions
from segkit.testing import check_segmenter

CUSTOMERS = summarize_transactions(make_transactions(300, random_state=1), order_id="order_id")
PREDICTED_FROM = ["tenure_days", "frequency", "recency_days"]
REGRESSOR = LinearRegression().fit(CUSTOMERS[PREDICTED_FROM], CUSTOMERS["monetary"])

ONE_TIME = {"name": "One-time", "when": {"column": "frequency", "equals": 1}}
LAPSED_OR_NOT = [
    {"name": "Big", "when": {"column": "monetary", "at_least": 500}},
    {
        "name": "Lapsed",
        "when": {
            "all": [
                {"column": "recency_days", "at_least": 180, "below": 400},
                {"not": {"column": "frequency", "equals": 1}},
            ]
        },
    },
    {
        "name": "Small or unknown",
        "when": {
            "any": [
                {"column": "frequency", "in": [1, 2]},
                {"column": "monetary", "missing": True},
            ]
        },
    },
]

ESTIMATORS = [
    CrossSegmenter([ValueTierer(), ValueTierer(column=1, method="quantile")], min_size=5),
    CrossSegmenter([RFMScorer(), ValueTierer()], max_segments=6),
    CrossSegmenter([("rfm", RFMScorer(missing="unassigned")), ("one", RuleSegmenter([ONE_TIME]))]),
    LifecycleStager(),
    LifecycleStager(at_risk_gaps=2, churned_gaps=6, stages={"churned": "dormant"}),
    LifecycleStager(method="fixed"),
    LifecycleStager(method="alive"),
    RFMScorer(),
    RFMScorer(missing="unassigned"),
    RFMScorer(n_bins=3),
    RFMScorer(n_bins=(5, 10, 4)),
    RFMScorer(columns=["recency_days", "order_days", "monetary", "mean_order_value"]),
    RFMScorer(binning={"recency_days": [7, 30, 90, 365], "frequency": [1, 2, 4, 9]}),
    RFMScorer(binning=[[30, 90], [1, 3], [50, 250]], n_bins=3),
    RFMScorer(segment_map="r_rfm"),
    RFMScorer(segment_map="pymc", n_bins=4),
    RFMScorer(columns=(1, 2, 4)),
    RuleSegmenter(),
    RuleSegmenter(LAPSED_OR_NOT),
    RuleSegmenter(LAPSED_OR_NOT, default=None),
    RuleSegmenter([ONE_TIME], first_match=False),
    ValueTierer(),
    ValueTierer(missing="unassigned"),
    ValueTierer(method="quantile", column="mean_order_value"),
    ValueTierer(method="quantile", cuts=(0.1, 0.4, 0.9), tiers=tuple("wxyz"), column=3),
    ValueTierer(method="fixed", cuts=(300, 60), tiers=("Gold", "Silver", "Bronze", "None")),
    ValueTierer(estimator=FrozenEstimator(REGRESSOR)),
    ValueTierer(estimator=FrozenEstimator(REGRESSOR), missing="unassigned"),
]


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=repr)
def test_estimator_keeps_the_contract(estimator):
    check_segmenter(estimator)


@pytest.mark.parametrize("method", ["cadence", "fixed", "alive"])
def test_stagers_keep_the_contract_with_last_gaps_and_prospects(method):
    customers = summarize_transactions(make_transactions(150, random_state=2), extras="last_gap")
    prospects = pd.DataFrame({"customer_id": [901, 902], "order_days": [0, 0]})
    everyone = pd.concat([customers, prospects], ignore_index=True)
    check_segmenter(LifecycleStager(method=method), customers=everyone)


OF_AN_ARRAY = [
    {"name": "Slow", "when": {"column": "x0", "at_least": 90}},
    {"name": "Rich", "when": {"column": "x2", "at_least": 200.5}},
    {"name": "Unknown", "when": {"column": "x1", "missing": True}},
]
OF_TEXT = [
    {"name": "Left", "when": {"column": "opted_out", "equals": True}},
    {"name": "Neighbours", "when": {"column": "country", "in": ["DE", "FR"]}},
    {
        "name": "Work",
        "when": {
            "all": [
                {"column": "mail", "matches": r"@(x|y)\.com$"},
                {"column": "monetary", "below": 100},
            ]
        },
    },
]


OF_A_NUMBER = [{"name": "Far", "when": {"column": "distance", "at_least": 20}}]


def test_rules_for_arrays_keep_the_contract():
    customers = CUSTOMERS[["recency_days", "frequency", "monetary"]].set_axis(
        ["x0", "x1", "x2"], axis=1
    )
    check_segmenter(RuleSegmenter(OF_AN_ARRAY), customers=customers)


@pytest.mark.parametrize(
    "segmenter",
    [
        RuleSegmenter(OF_TEXT),
        CrossSegmenter([RuleSegmenter(OF_TEXT), ValueTierer(missing="unassigned")], min_size=3),
        CrossSegmenter([RuleSegmenter(OF_TEXT[:2]), ValueTierer()], min_size=3),
        CrossSegmenter([RuleSegmenter(OF_A_NUMBER), ValueTierer()], min_size=3),
    ],
    ids=repr,
)
def test_rules_for_text_keep_the_contract(segmenter):
    customers = CUSTOMERS[["monetary"]].head(60).copy()
    customers["country"] = ["DE", "FR", "US"] * 20
    customers["mail"] = ["a@x.com", "b@y.com", "c@z.com", "d@x.com.org"] * 15
    customers["opted_out"] = [True, False, False, False, False] * 12
    customers["distance"] = [5.0, 15.0, 25.0, 35.0] * 15
    check_segmenter(segmenter, customers=customers)


CLUSTERED = CUSTOMERS[["recency_days", "frequency", "monetary"]].head(80)


@pytest.mark.filterwarnings("ignore::segkit.exceptions.SegkitWarning")
@pytest.mark.parametrize(
    "segmenter",
    [
        ClusterSegmenter(),
        ClusterSegmenter(n_segments=3),
        ClusterSegmenter(n_segments=3, preprocessor=None),
        ClusterSegmenter(MiniBatchKMeans(n_init=3), n_segments=3),
        ClusterSegmenter(GaussianMixture(), n_segments=3),
        ClusterSegmenter(AgglomerativeClustering(), n_segments=3),
        ClusterSegmenter(AgglomerativeClustering(), n_segments=3, assigner="neighbours"),
        ClusterSegmenter(HDBSCAN(copy=True)),
        ClusterSegmenter(KPrototypes(n_init=2), n_segments=3),
    ],
    ids=repr,
)
def test_clusters_keep_the_contract(segmenter):
    check_segmenter(segmenter, customers=CLUSTERED)
