"""Whether segments are real and of use: criteria, each with its evidence."""

from segkit.validation._durable import SegmentDurability
from segkit.validation._segment_validator import SegmentValidator

__all__ = ["SegmentDurability", "SegmentValidator"]
