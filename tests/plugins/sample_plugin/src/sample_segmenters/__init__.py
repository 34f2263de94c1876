"""A distribution with a segmenter, and with what is none."""

import numpy as np
from sklearn.base import BaseEstimator

from segkit.base import SegmenterMixin

threshold = 100.0


class SpendSegmenter(SegmenterMixin, BaseEstimator):
    """Who spends more than the median."""

    def __init__(self, *, columns=("monetary",), missing="raise"):
        self.columns = columns
        self.missing = missing

    def fit(self, X, y=None):
        """Learn the median."""
        values = self._validate_customers(X, reset=True)
        self.median_ = float(np.nanmedian(values[:, 0]))
        self.segments_ = np.array(["above", "below"], dtype=object)
        return self._finish_fit(X, values)

    def _codes(self, values):
        return np.where(values[:, 0] > self.median_, 0, 1)


class Unfinished:
    """Has but one of the verbs."""

    def fit(self, X, y=None):
        """Learn nothing."""
        return self
