"""Every estimator through every check of the contract."""

import pytest

from segkit import RFMScorer
from segkit.testing import check_segmenter

ESTIMATORS = [
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
]


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=repr)
def test_estimator_keeps_the_contract(estimator):
    check_segmenter(estimator)
