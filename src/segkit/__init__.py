"""segkit: customer segmentation for scikit-learn, from a transaction log to named segments."""

from segkit.cluster import KPrototypes
from segkit.features import summarize_transactions
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
from segkit.validation import SegmentValidator

__version__ = "0.1.0"

__all__ = [
    "ClusterSegmenter",
    "CrossSegmenter",
    "KPrototypes",
    "LifecycleStager",
    "RFMScorer",
    "RuleSegmenter",
    "SegmentMap",
    "SegmentProfiler",
    "SegmentValidator",
    "ValueTierer",
    "__version__",
    "summarize_transactions",
]
