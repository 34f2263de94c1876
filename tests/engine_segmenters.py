"""Every segmenter, fitted to customers in pandas."""

import warnings

from segkit import (
    ClusterSegmenter,
    CrossSegmenter,
    LifecycleStager,
    RFMScorer,
    RuleSegmenter,
    ValueTierer,
)
from segkit.exceptions import SegkitWarning

RULES = [
    {
        "name": "Big and recent",
        "when": {
            "all": [
                {"column": "monetary", "at_least": 300},
                {"column": "recency_days", "below": 60},
            ]
        },
    },
    {"name": "Once", "when": {"column": "order_days", "equals": 1}},
    {"name": "Steady", "when": {"column": "mean_gap_days", "at_least": 1, "below": 45}},
    {"name": "Returns much", "when": {"column": "return_amount", "at_least": 50}},
]
FEATURES = ["recency_days", "frequency", "mean_order_value", "mean_gap_days"]


def fitted(customers):
    """Return every segmenter by its name, fitted to a customer table with every extra."""
    segmenters = {
        "RFMScorer": RFMScorer(),
        "LifecycleStager": LifecycleStager(),
        "ValueTierer": ValueTierer(),
        "RuleSegmenter": RuleSegmenter(RULES),
        "CrossSegmenter": CrossSegmenter([ValueTierer(), LifecycleStager()]),
        "ClusterSegmenter": ClusterSegmenter(columns=FEATURES, n_segments=5, random_state=0),
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SegkitWarning)  # of ties, and of clouds without clusters
        return {name: segmenter.fit(customers) for name, segmenter in segmenters.items()}
