"""Every estimator through every check of the contract."""

import pytest

from segkit import RFMScorer
from segkit.testing import check_segmenter

# scikit-learn's checks pass arrays of two columns, so maps that need three are left to
# segmenters/test_rfm.py.
ESTIMATORS = [
    RFMScorer(),
    RFMScorer(missing="unassigned"),
    RFMScorer(n_bins=3),
    RFMScorer(n_bins=(5, 10, 4)),
    RFMScorer(columns=["recency_days", "order_days", "monetary", "mean_order_value"]),
    RFMScorer(binning={"recency_days": [7, 30, 90, 365], "frequency": [1, 2, 4, 9]}),
    RFMScorer(binning=[[30, 90], [1, 3], [50, 250]], n_bins=3),
]


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=repr)
def test_estimator_keeps_the_contract(estimator):
    check_segmenter(estimator)
