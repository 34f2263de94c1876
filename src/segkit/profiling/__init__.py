"""Who the segments are: profiles of customers by segment, from any source of labels."""

from segkit.profiling._personas import Persona, Trait
from segkit.profiling._segment_profiler import SegmentProfiler

__all__ = ["Persona", "SegmentProfiler", "Trait"]
