"""segkit: customer segmentation for scikit-learn, from a transaction log to named segments."""

from segkit.features import summarize_transactions
from segkit.segmenters import RFMScorer, SegmentMap, ValueTierer

__version__ = "0.1.0"

__all__ = ["RFMScorer", "SegmentMap", "ValueTierer", "__version__", "summarize_transactions"]
