"""The vital few (Juran): the fewest customers who together bring a given share of the spend."""

from numbers import Real

import narwhals.stable.v2 as nw
import numpy as np
from sklearn.base import BaseEstimator

from segkit.base import SegmenterMixin


class VitalFewSegmenter(SegmenterMixin, BaseEstimator):
    """Tell the fewest customers who bring a share of the spend from the many others."""

    _label_column = "spend_segment"

    def __init__(self, *, columns=("monetary",), share=0.8, missing="raise"):
        self.columns = columns
        self.share = share
        self.missing = missing

    def fit(self, X, y=None):
        """Learn the spend at which the vital few begin."""
        values = self._validate_customers(X, reset=True)
        if not isinstance(self.share, Real) or not 0 < self.share <= 1:
            raise ValueError(
                f"VitalFewSegmenter: share must be above 0 and at most 1, got {self.share!r}."
            )
        spend = values[:, 0]
        spend = np.sort(spend[spend > 0])[::-1]  # neither NaN nor refunds are spend
        running = np.cumsum(spend)
        last = np.searchsorted(running, self.share * running[-1]) if spend.size else 0
        self.threshold_ = float(spend[min(last, spend.size - 1)]) if spend.size else 0.0
        self.segments_ = np.array(["Vital few", "Useful many"], dtype=object)
        return self._finish_fit(X, values)

    def _codes(self, values):
        return np.where(values[:, 0] >= self.threshold_, 0, 1)

    def _code_expression(self, values):
        return nw.when(values[0] >= self.threshold_).then(nw.lit(0)).otherwise(nw.lit(1))

    def _rules(self):
        return [f"{bound} {self.threshold_:,.2f}" for bound in ("spend ≥", "spend <")]
