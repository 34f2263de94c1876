"""The segmenter contract: what makes an estimator a segmenter."""

from segkit.base._segmenter import SegmenterMixin, is_segmenter

__all__ = ["SegmenterMixin", "is_segmenter"]
