"""Segmenters as a third party would write them, which keep the contract; and their customers."""

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from segkit._compat import StrOptions, check_feature_names_in, fit_context
from segkit.base import SegmenterMixin

#: Nine customers, with ties and with customers on both medians (40 days, 80.0).
CUSTOMERS = pd.DataFrame(
    {
        "recency_days": [3, 10, 10, 40, 40, 90, 200, 365, 5],
        "monetary": [20.0, 50.5, 300.0, 50.5, 80.0, 80.0, 10.0, 999.0, 120.0],
        "age": [31, 64, 45, 45, 22, 58, 70, 39, 27],
    }
)
SEGMENTS = ("active big", "active small", "dormant big", "dormant small")


class EagerSegmenter(SegmenterMixin, BaseEstimator):
    """Active or dormant by the median recency, big or small by the median spend; eager only."""

    _min_columns = 2

    def __init__(self, *, columns=("recency_days", "monetary"), missing="raise"):
        self.columns = columns
        self.missing = missing

    def fit(self, X, y=None):
        values = self._validate_customers(X, reset=True)
        self.medians_ = self._learn(values)
        self.segments_ = np.array(SEGMENTS, dtype=object)
        return self._finish_fit(X, values)

    def _learn(self, values):
        return np.nanmedian(values[:, :2], axis=0)

    def _codes(self, values):
        dormant, big = (values[:, :2] > self.medians_).T
        return 2 * dormant.astype(np.int64) + ~big

    def _rules(self):
        recency, monetary = self.medians_
        active, big = f"recency_days ≤ {recency:g}", f"monetary > {monetary:g}"
        dormant, small = f"recency_days > {recency:g}", f"monetary ≤ {monetary:g}"
        return [f"{one}, {two}" for one in (active, dormant) for two in (big, small)]


class LazySegmenter(EagerSegmenter):
    """The same, written as an expression too: assign works inside an engine."""

    def _code_expression(self, values):
        recency, monetary = (float(median) for median in self.medians_)
        dormant = nw.when(values[0] > recency).then(nw.lit(2)).otherwise(nw.lit(0))
        small = nw.when(values[1] > monetary).then(nw.lit(0)).otherwise(nw.lit(1))
        return dormant + small


class LoyaltySegmenter(LazySegmenter, TransformerMixin, BaseEstimator):
    """The same, and a transformer: two flags, which assign adds too."""

    _parameter_constraints = {  # noqa: RUF012
        "columns": [list, tuple],
        "missing": [StrOptions({"raise", "unassigned"})],
    }

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        return super().fit(X, y)

    def transform(self, X):
        check_is_fitted(self)
        self._refuse_lazy(X, verb="transform")
        return self._flags(self._validate_customers(X, reset=False))

    def get_feature_names_out(self, input_features=None):
        check_is_fitted(self)
        check_feature_names_in(self, input_features, generate_names=False)
        return np.array(["dormant_code", "big_code"], dtype=object)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []
        return tags

    def _flags(self, values):
        return np.where(np.isnan(values[:, :2]), np.nan, values[:, :2] > self.medians_)

    def _feature_columns(self, frame, values):
        names = self.get_feature_names_out()
        flags = zip(names, self._flags(values).T, strict=True)
        return [nw.new_series(name, flag, backend=frame.implementation) for name, flag in flags]

    def _feature_expressions(self, values):
        flags = zip(("dormant", "big"), values, self.medians_, strict=False)
        features = {
            f"{name}_code": nw.when(~value.is_null()).then((value > float(median)).cast(nw.Float64))
            for name, value, median in flags
        }
        return [features]


class NeverBoughtSegmenter(SegmenterMixin, BaseEstimator):
    """Spend above the median, up to it, or none at all: a missing value means a prospect."""

    def __init__(self, *, columns=("monetary",)):
        self.columns = columns

    def fit(self, X, y=None):
        values = self._validate_customers(X, reset=True)
        self.median_ = float(np.nanmedian(values[:, 0]))
        self.segments_ = np.array(["big", "small", "prospect"], dtype=object)
        return self._finish_fit(X, values)

    def memberships(self, X):
        return np.eye(3, dtype=bool)[self.predict(X)]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    def _codes(self, values):
        spend = values[:, 0]
        return np.select([np.isnan(spend), spend > self.median_], [2, 0], 1)

    def _code_expression(self, values):
        (spend,) = values
        chain = nw.when(spend.is_null()).then(nw.lit(2))
        return chain.when(spend > self.median_).then(nw.lit(0)).otherwise(nw.lit(1))


class AgeSegmenter(LoyaltySegmenter):
    """By age and spend: the drawn customer table knows no age."""

    def __init__(self, *, columns=("age", "monetary"), missing="raise"):
        super().__init__(columns=columns, missing=missing)
