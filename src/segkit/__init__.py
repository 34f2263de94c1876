"""segkit: customer segmentation for scikit-learn, from a transaction log to named segments."""

from segkit.cluster import KPrototypes
from segkit.features import summarize_transactions
from segkit.segmenters import (
    ClusterSegmenter,
    LifecycleStager,
    RFMScorer,
    SegmentMap,
    ValueTierer,
)
from segkit.validation import SegmentValidator

__version__ = "0.1.0"

__all__ = [
    "ClusterSegmenter",
    "KPrototypes",
    "LifecycleStager",
    "RFMScorer",
    "SegmentMap",
    "SegmentValidator",
    "ValueTierer",
    "__version__",
    "summarize_transactions",
]
