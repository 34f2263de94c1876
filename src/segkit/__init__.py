"""segkit: customer segmentation for scikit-learn, from a transaction log to named segments."""

from segkit._version import __version__
from segkit.cluster import KPrototypes
from segkit.features import summarize_transactions
from segkit.persistence import load
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
    "load",
    "summarize_transactions",
]
