"""For authors of segmenters: the suite that tells whether an estimator keeps the contract."""

from segkit.testing._check_segmenter import check_segmenter

__all__ = ["check_segmenter"]
