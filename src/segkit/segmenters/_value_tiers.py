"""Value tiers: who makes most of the value, in tiers with learned thresholds.

ABC analysis goes back to Dickie (1951), "ABC inventory analysis shoots for dollars, not pennies",
and the vital few to Juran, who named the principle after Pareto.
"""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral
from operator import add
from typing import Any, ClassVar, Literal, Self

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import Tags, get_tags
from sklearn.utils.validation import check_is_fitted

from segkit._compat import HasMethods, Interval, StrOptions, fit_context
from segkit._frames import as_frame, balanced, one_where
from segkit._input_checks import row_limits
from segkit._storage._state import LearnedState
from segkit.base import SegmenterMixin
from segkit.base._customers import Customers
from segkit.exceptions import LazyFrameError
from segkit.segmenters._predicted_values import fit_estimator, predict_customers, row_as_table
from segkit.segmenters._tier_definition import (
    checked_cuts,
    checked_tiers,
    tier_rules,
    tier_thresholds,
)
from segkit.segmenters._value_shares import TOLERANCE, ValueShares
from segkit.segmenters._value_shares_engine import shares_in_engine


class ValueTierer(SegmenterMixin, TransformerMixin, BaseEstimator):
    """Put customers into tiers by their value, with thresholds that are learned once.

    ABC analysis by default: A are the customers who make the first 80 % of the value, B those who
    make the next 15 %, C the rest. Customers whose value is zero or negative have a last tier of
    their own. Equal values share a tier, and a customer alone is put where the batch puts them.

    Parameters
    ----------
    column : str or int, default="monetary"
        The column of values: revenue, profit, or any other number of which more is better. An
        integer is a position. Of an array the first column is taken where a name is given. Not
        used where there is an `estimator`.
    estimator : object with ``fit`` and ``predict``, default=None
        Predicts the values, so that tiers are by what customers are expected to bring. A clone is
        fitted to the customers that ``fit`` gets, and to `y` where that is given; a fitted one is
        passed as ``sklearn.frozen.FrozenEstimator(fitted)``. Of a frame it gets, as pandas, the
        columns that it names in ``feature_names_in_`` (else those seen in ``fit``), which may hold
        more than numbers; arrays must hold numbers.
    method : {"pareto", "quantile", "fixed"}, default="pareto"
        How thresholds are found:

        - ``"pareto"``: by cumulative share of the positive value, largest value first. The
          customer who reaches a share still belongs to its tier;
        - ``"quantile"``: by cumulative share of the customers with positive value, largest value
          first;
        - ``"fixed"``: by amounts, in `cuts`.
    cuts : array-like of float, default=None
        Where a tier ends and the next begins, best tier first. For ``"pareto"`` and
        ``"quantile"`` cumulative shares between 0 and 1, increasing: by default (0.8, 0.95) and
        (0.2, 0.5). For ``"fixed"`` the lowest value of each tier but the last, positive and
        decreasing, such as (1000, 200); there is no default.
    tiers : sequence of str, default=None
        Names of the tiers, best first: one more than `cuts`, and, if there is one more again, the
        name of the tier for zero and negative values, else ``"No value"``. By default ``"A"``,
        ``"B"``, ``"C"`` and so on; for ``"quantile"`` with two cuts ``"Heavy"``, ``"Medium"`` and
        ``"Light"``.
    missing : {"raise", "unassigned"}, default="raise"
        What a missing value does: an error, or no tier for that customer. Infinities are an error
        in either case. In a lazy frame, where values cannot be looked at, missing and infinite
        ones always give ``"unassigned"``. With an `estimator`, a value is missing where the
        estimator refuses a row for what it lacks, or predicts NaN; what an estimator can read
        is not missing.

    Attributes
    ----------
    thresholds_ : ndarray of shape (n_cuts,)
        The lowest value of each tier but the last two, decreasing; read-only. A value belongs to
        the first tier whose threshold it reaches. Ties, or a customer who alone makes more than a
        tier, can make them equal: the tier between is then empty. Infinite where ``fit``
        saw no positive value.
    segments_ : ndarray of shape (n_cuts + 2,), dtype object
        Names of the tiers, best first, that for zero and negative values last; the position of a
        name is its code.
    gini_ : float
        Gini coefficient of the values seen in ``fit``: 0 where all are equal, towards 1 where one
        customer makes everything. Negative values count as 0, because with them the coefficient
        has no upper end. NaN where no value is positive.
    lorenz_curve_ : ndarray of shape (n_points, 2)
        Cumulative share of the customers and of the positive value, highest value first; from
        (0, 0) to (1, 1), read-only. The textbook's curve, lowest first, is ``1 - lorenz_curve_``.
        Of many distinct values about a thousand points are kept, and the corners of the tiers.
    estimator_ : object
        The fitted clone of `estimator`; only where there is one.
    labels_ : ndarray of shape (n_customers,), dtype int64
        Codes of the customers seen in ``fit``, -1 where unassigned. Only after fitting on eager
        data.
    n_features_in_ : int
        Number of columns used of a frame, or the width of the array seen in ``fit``.
    feature_names_in_ : ndarray of shape (n_features_in_,), dtype object
        Names of the columns used; only after fitting on a frame.

    Warns
    -----
    SegkitWarning
        In ``fit``, where no customer has a positive value: there is no threshold to learn.

    See Also
    --------
    segkit.plotting.LorenzDisplay : Draws the curve and the tiers.
    segkit.summarize_transactions : Makes the customer table from a transaction log.

    Notes
    -----
    With the distinct positive values in decreasing order, the threshold of a tier is the first
    whose cumulative share, ties included, is at least the cut. A share counts as reached within
    one part in 10^10, because sums of floating point numbers are not exact; without it the unit
    of money would move customers. Learned thresholds of predicted values lie lower by the same
    part, because a prediction for one customer can differ in its last digit from that in a batch.

    The Gini coefficient is the mean absolute difference of all pairs of customers, divided by
    twice the mean.

    References
    ----------
    Dickie, H. F. (1951). ABC inventory analysis shoots for dollars, not pennies. *Factory
    Management and Maintenance*, 109(7), 92-94.

    Lorenz, M. O. (1905). Methods of measuring the concentration of wealth. *Publications of the
    American Statistical Association*, 9(70), 209-219.

    Examples
    --------
    >>> import pandas as pd
    >>> from segkit import ValueTierer
    >>> customers = pd.DataFrame(
    ...     {
    ...         "customer": ["ann", "bob", "cem", "dee", "eva", "fay"],
    ...         "monetary": [700.0, 100.0, 90.0, 60.0, 50.0, -20.0],
    ...     }
    ... )
    >>> tierer = ValueTierer().fit(customers)
    >>> tierer.thresholds_
    array([100.,  60.])
    >>> print(tierer.assign(customers))
      customer  monetary value_tier
    0      ann     700.0          A
    1      bob     100.0          A
    2      cem      90.0          B
    3      dee      60.0          B
    4      eva      50.0          C
    5      fay     -20.0   No value
    >>> tierer.predict_one({"monetary": 350.0})
    'A'
    """

    _label_column: ClassVar[str] = "value_tier"
    _columns_parameter: ClassVar[str] = "column"
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "column": [str, Interval(Integral, 0, None, closed="left")],
        "estimator": [None, HasMethods(["fit", "predict"])],
        "method": [StrOptions({"pareto", "quantile", "fixed"})],
        "cuts": [None, "array-like"],
        "tiers": [None, list, tuple],
        "missing": [StrOptions({"raise", "unassigned"})],
    }

    thresholds_: NDArray[np.float64]
    gini_: float
    lorenz_curve_: NDArray[np.float64]
    estimator_: Any
    _categories: dict[str, Any]
    _tiers_seen: pd.DataFrame

    def __init__(
        self,
        *,
        column: str | int = "monetary",
        estimator: Any = None,
        method: Literal["pareto", "quantile", "fixed"] = "pareto",
        cuts: ArrayLike | None = None,
        tiers: Sequence[str] | None = None,
        missing: Literal["raise", "unassigned"] = "raise",
    ) -> None:
        self.column = column
        self.estimator = estimator
        self.method = method
        self.cuts = cuts
        self.tiers = tiers
        self.missing = missing

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn the thresholds of the tiers.

        Parameters
        ----------
        X : frame or array of shape (n_customers, n_columns)
            One row per customer. Inside the engine of a lazy frame values are only counted and
            summed; of more than 65,536 positive ones, ``gini_`` is a little low (in the sixth
            digit) and the curve coarser. With an `estimator` the columns used are collected.
        y : array-like of shape (n_customers,), default=None
            What the `estimator` is to predict; ignored without one.

        Returns
        -------
        ValueTierer
            The fitted tierer.

        Raises
        ------
        ColumnError, SegkitTypeError, SegkitValueError, MissingValuesError
            For a missing column, text in place of numbers, infinities, no customers, missing
            values where ``missing="raise"``, `cuts` or `tiers` that make no sense, and predictions
            that are not one number a customer.
        """
        cuts = checked_cuts(self.cuts, self.method)
        segments = checked_tiers(self.tiers, self.method, len(cuts))
        frame = as_frame(X, owner=type(self).__name__)
        values = None
        if self.estimator is None and isinstance(frame, nw.LazyFrame):
            shares = shares_in_engine(self._customers_in_engine(frame), self.method, cuts)
        else:
            if self.estimator is None:
                customers = self._customers(X, reset=True)
            else:
                customers = fit_estimator(self, X, y)
            self._check(customers)
            values = customers.values
            known = values[:, 0] if customers.is_complete else values[~np.isnan(values[:, 0]), 0]
            shares = ValueShares.of(known)
        thresholds = tier_thresholds(shares, self.method, cuts, segments, self._value_name)
        if self._predicts and self.method != "fixed":
            thresholds = thresholds * (1 - TOLERANCE)
        self.thresholds_, self.gini_ = thresholds, shares.gini
        self.lorenz_curve_ = shares.curve(thresholds)
        self._freeze()
        self._tiers_seen = shares.of_tiers(thresholds)
        self.segments_ = np.array(segments, dtype=object)
        return self._finish_fit(X, values)

    def transform(self, X: Any) -> NDArray[np.int64] | NDArray[np.float64]:
        """Return the code of each customer's tier, as a feature.

        Parameters
        ----------
        X : eager frame or array of shape (n_customers, n_columns)
            One row per customer.

        Returns
        -------
        ndarray of shape (n_customers, 1)
            ``value_tier_code``, from 0 for the best tier. int64; with ``missing="unassigned"``
            float64, NaN where the value is missing. ``set_output`` turns it into a frame.

        Raises
        ------
        NotFittedError
            Before ``fit``.
        LazyFrameError
            For a lazy frame: use ``assign``.
        ColumnError, SegkitTypeError, SegkitValueError, MissingValuesError
            As ``predict``.
        """
        check_is_fitted(self)
        self._refuse_lazy(X, verb="transform")
        codes = self.predict(X)
        if self.missing == "raise":
            return codes[:, np.newaxis]
        return np.where(codes < 0, np.nan, codes)[:, np.newaxis]

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Return the name of the feature.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Ignored, but must hold the columns seen in ``fit``; further ones may stand beside them.

        Returns
        -------
        ndarray of shape (1,), dtype object
            ``value_tier_code``.
        """
        self._check_input_features(input_features)
        return np.array(["value_tier_code"], dtype=object)

    def predict_one(self, row: Any) -> str:
        """Return the tier of one customer, without building a frame unless an estimator needs it.

        Parameters
        ----------
        row : mapping of column to value
            One customer, with at least the columns used in ``fit``; further keys are ignored.
            After fitting an `estimator` on an array, the keys are positions.

        Returns
        -------
        str
            A name from ``segments_``, or ``"unassigned"``.

        Raises
        ------
        NotFittedError
            Before ``fit``.
        ColumnError, SegkitTypeError, SegkitValueError, MissingValuesError
            As ``predict``.
        """
        if not self._predicts:
            return super().predict_one(row)
        check_is_fitted(self)
        return str(self.predict_segments(row_as_table(self, row))[0])

    def describe(self) -> pd.DataFrame:
        """Return what defines each tier, and what it is made of in the data seen in ``fit``.

        Returns
        -------
        pandas.DataFrame
            A row a tier, in code order: ``code``, ``segment``, ``rule``, ``threshold`` (its
            lowest value; of the last tier with positive value 0, which is not in it, and NaN for
            the tier of no value), ``customers``, ``share_of_customers`` (of all whose value is
            known) and ``share_of_value`` (of all positive value).
        """
        described = super().describe()
        described["threshold"] = [*self.thresholds_, 0.0, np.nan]
        return pd.concat([described, self._tiers_seen], axis="columns")

    def __sklearn_tags__(self) -> Tags:
        """Return the tags of a segmenter whose feature is a code, not floats as they came."""
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []
        if hasattr(self.estimator, "__sklearn_tags__"):
            tags.input_tags.allow_nan |= get_tags(self.estimator).input_tags.allow_nan
        return tags

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if hasattr(self, "thresholds_"):
            self._freeze()  # pickle forgets which arrays are read-only

    # What a file keeps.

    def _learned_state(self) -> dict[str, Any]:
        learned = {
            "thresholds": self.thresholds_.tolist(),
            "gini": self.gini_,
            "lorenz_curve": self.lorenz_curve_,
            "seen": {name: self._tiers_seen[name].tolist() for name in self._tiers_seen},
        }
        if self._predicts:
            learned["estimator"] = self.estimator_
            learned["categories"] = {
                name: {"levels": dtype.categories, "ordered": bool(dtype.ordered)}
                for name, dtype in self._categories.items()
            }
        return learned

    def _restore(self, state: LearnedState) -> None:
        n_tiers = len(self.segments_)
        self.thresholds_ = state.floats("thresholds", n_tiers - 2)
        if np.isnan(self.thresholds_).any() or (self.thresholds_[1:] > self.thresholds_[:-1]).any():
            state.refuse("thresholds", "numbers, each at most the one before", self.thresholds_)
        self.gini_ = state.of_type("gini", float)
        self.lorenz_curve_ = state.array("lorenz_curve", "float64", (None, 2))
        self._freeze()
        seen = state.inside("seen")
        self._tiers_seen = pd.DataFrame(
            {
                "customers": seen.counts("customers", n_tiers),
                "share_of_customers": seen.floats("share_of_customers", n_tiers),
                "share_of_value": seen.floats("share_of_value", n_tiers),
            }
        )
        if "estimator" in state:
            self.estimator_ = state.values()["estimator"]
            if not hasattr(self.estimator_, "predict"):
                state.refuse("estimator", "one that predicts", self.estimator_)
            categories = state.inside("categories")
            self._categories = {
                name: pd.CategoricalDtype(levels["levels"], levels["ordered"])
                for name, levels in categories.values().items()
            }
            self._row_limits = row_limits([])
        elif len(self._columns_used) != 1:
            state.refuse("thresholds", "those of one column", self.thresholds_)

    # The segmenter's hooks.

    def _customers(self, X: Any, *, reset: bool) -> Customers:
        if self._predicts and not reset:
            return predict_customers(self, X)
        return super()._customers(X, reset=reset)

    def _allows_missing(self) -> bool:
        return self.missing == "unassigned"

    def _codes(self, values: NDArray[np.float64]) -> NDArray[np.int64]:
        value = values[:, 0]
        codes = (value <= 0).astype(np.min_scalar_type(len(self.segments_)))
        for threshold in self.thresholds_:
            codes += value < threshold
        return codes.astype(np.int64)

    def _code_one(self, values: list[float]) -> int:
        value = values[0]
        code = int(value <= 0)
        for threshold in self.thresholds_.tolist():
            code += value < threshold
        return code

    def _code_expression(self, values: Sequence[nw.Expr]) -> nw.Expr:
        if self._predicts:
            raise LazyFrameError(
                "ValueTierer: an estimator cannot predict inside a query engine. Collect the frame "
                "first: .collect() in polars, .df() in DuckDB."
            )
        (value,) = values
        below = [value < float(threshold) for threshold in self.thresholds_]
        return balanced(add, [one_where(step) for step in [*below, value <= 0]])

    def _rules(self) -> list[str]:
        digits = 6 if self._predicts else 15  # further ones of predictions are noise
        return tier_rules(self._value_name, self.thresholds_.tolist(), digits=digits)

    # Private helpers.

    @property
    def _predicts(self) -> bool:
        """Whether it was fitted with an estimator, whatever the parameter has been set to since."""
        return hasattr(self, "estimator_")

    @property
    def _value_name(self) -> str:
        if self._predicts:
            return "predicted value"
        column = self._columns_used[0]
        return column if isinstance(column, str) else f"column {column}"

    def _freeze(self) -> None:
        """Make public arrays read-only, because changed ones would not be those in use."""
        self.thresholds_.setflags(write=False)
        self.lorenz_curve_.setflags(write=False)
