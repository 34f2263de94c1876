"""Every estimator through every check of the contract."""

import pandas as pd
import pytest
from sklearn.cluster import HDBSCAN, AgglomerativeClustering, MiniBatchKMeans
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression
from sklearn.mixture import GaussianMixture

from segkit import (
    ClusterSegmenter,
    KPrototypes,
    LifecycleStager,
    RFMScorer,
    ValueTierer,
    summarize_transactions,
)
from segkit.datasets import make_transactions
from segkit.testing import check_segmenter

CUSTOMERS = summarize_transactions(make_transactions(300, random_state=1), order_id="order_id")
PREDICTED_FROM = ["tenure_days", "frequency", "recency_days"]
REGRESSOR = LinearRegression().fit(CUSTOMERS[PREDICTED_FROM], CUSTOMERS["monetary"])

ESTIMATORS = [
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
