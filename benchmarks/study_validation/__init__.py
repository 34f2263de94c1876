"""How often SegmentValidator passes segments that are not there, and ones that are."""
