"""Estimators that put customers into named segments."""

from segkit.segmenters._cluster import ClusterSegmenter
from segkit.segmenters._cross import CrossSegmenter
from segkit.segmenters._edges_spread import EdgesSpread
from segkit.segmenters._lifecycle import LifecycleStager
from segkit.segmenters._rfm import RFMScorer
from segkit.segmenters._rules import RuleSegmenter
from segkit.segmenters._segment_map import SegmentMap
from segkit.segmenters._value_tiers import ValueTierer

__all__ = [
    "ClusterSegmenter",
    "CrossSegmenter",
    "EdgesSpread",
    "LifecycleStager",
    "RFMScorer",
    "RuleSegmenter",
    "SegmentMap",
    "ValueTierer",
]
