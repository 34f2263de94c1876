"""Customer lifetime value: expected orders times expected spend, discounted (Fader, Hardie & Lee
2005).
"""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from typing import Any, ClassVar, Self, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import roots_legendre
from sklearn.base import BaseEstimator, clone
from sklearn.frozen import FrozenEstimator
from sklearn.utils.validation import check_is_fitted

from segkit._compat import Interval, fit_context
from segkit._input_checks import estimator_name
from segkit.base._customer_columns import CustomerColumnsMixin
from segkit.base._customers import Customers
from segkit.clv._gamma_gamma import GammaGamma
from segkit.clv._model_inputs import check_number_of_columns, checked_horizon, model_input
from segkit.clv._pareto_nbd import ParetoNBD
from segkit.clv._purchase_histories import MOST_DAYS, check_histories
from segkit.clv._purchase_model import PurchaseModel
from segkit.exceptions import SegkitTypeError

Floats: TypeAlias = NDArray[np.float64]

_DAYS_A_YEAR = 365.25
# Of the discounting integral: expected orders are a smooth curve, which few nodes follow.
_NODES, _NODE_WEIGHTS = roots_legendre(10)
_CROWDING = 3
# Where the five columns stand that each model takes.
_PURCHASES, _SPEND = [0, 1, 2], [1, 3, 4]


class CustomerLifetimeValue(CustomerColumnsMixin, BaseEstimator):
    """What each customer will be worth: expected orders times expected spend, discounted.

    Composes a model of repeat buying with a model of spend. ``predict`` is the value of the days
    that come, not of what was spent before.

    Parameters
    ----------
    purchases : estimator, default=None
        The model of repeat buying, with ``predict(X, horizon_days)`` and ``predict_alive(X)``;
        None means :class:`ParetoNBD`. It is cloned; pass a fitted one as
        :class:`sklearn.frozen.FrozenEstimator`.
    spend : estimator, default=None
        The model of spend, with ``expected_order_value(X)``; None means :class:`GammaGamma`.
    horizon_days : float, default=365
        Days that ``predict`` looks ahead, unless it is told otherwise.
    annual_discount_rate : float, default=0.1
        Share by which a value a year ahead is worth less: 0.1 makes 100 in a year worth
        100 / 1.1 today. 0 discounts nothing.
    margin : float, default=1.0
        Share of spend that is counted. With 1.0 the value is revenue, which is not what a
        customer is worth: pass your margin of contribution.
    columns : sequence of str or of int, default=("recency_days", "order_days", "tenure_days", \
"monetary", "first_day_amount")
        The columns that the models need, in this order. Integers are positions. The models get
        them as arrays: the first three, and the second, fourth and fifth.

    Attributes
    ----------
    purchases_, spend_ : estimator
        The fitted models.
    summary_ : DataFrame
        Their parameters: a row each, under the name of the model.
    n_features_in_ : int
        Number of columns used of a frame, or the width of the array seen in ``fit``.
    feature_names_in_ : ndarray of shape (5,), dtype object
        Names of the columns used; only after fitting on a frame.

    Warns
    -----
    NotIdentifiedWarning, NotConvergedWarning, CorrelatedSpendWarning
        In ``fit``, what the models warn of.

    See Also
    --------
    segkit.ValueTierer : Tiers of customers by such a value, through its parameter `estimator`.

    Notes
    -----
    With E(t) orders expected up to day t, discounting continuously at rate d = ln(1 + annual rate)
    a year, expected discounted orders are the integral of e^(-d t) dE(t), which is
    e^(-d h) E(h) + d times the integral of e^(-d t) E(t) from 0 to the horizon h
    (Gauss-Legendre, 10 nodes in the cube root of t).

    References
    ----------
    Fader, P. S., Hardie, B. G. S. & Lee, K. L. (2005). RFM and CLV: Using iso-value curves for
    customer base analysis. *Journal of Marketing Research*, 42(4), 415-430.

    Examples
    --------
    >>> from segkit import summarize_transactions
    >>> from segkit.clv import CustomerLifetimeValue
    >>> from segkit.datasets import make_transactions
    >>> log = make_transactions(2_000, random_state=0)
    >>> customers = summarize_transactions(log, order_id="order_id", extras="clv")
    >>> clv = CustomerLifetimeValue(margin=0.3).fit(customers)
    >>> clv.predict(customers)[:3].round(2)
    array([42.55, 43.02, 24.66])
    """

    _min_columns: ClassVar[int] = 5
    _missing_remedy: ClassVar[str] = "Fill or drop them."
    _lazy_remedy: ClassVar[str] = "Collect the frame first"
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "purchases": [None, BaseEstimator],
        "spend": [None, BaseEstimator],
        "horizon_days": [Interval(Real, 0, MOST_DAYS, closed="both")],
        "annual_discount_rate": [Interval(Real, 0, 1e100, closed="both")],
        "margin": [Interval(Real, 0, 1e100, closed="right")],
        "columns": [list, tuple],
    }

    purchases_: Any
    spend_: Any
    summary_: pd.DataFrame

    def __init__(
        self,
        *,
        purchases: Any = None,
        spend: Any = None,
        horizon_days: float = 365,
        annual_discount_rate: float = 0.1,
        margin: float = 1.0,
        columns: Sequence[str | int] = (
            "recency_days",
            "order_days",
            "tenure_days",
            "monetary",
            "first_day_amount",
        ),
    ) -> None:
        self.purchases = purchases
        self.spend = spend
        self.horizon_days = horizon_days
        self.annual_discount_rate = annual_discount_rate
        self.margin = margin
        self.columns = columns

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any = None) -> Self:
        """Fit both models.

        Parameters
        ----------
        X : frame or array of shape (n_customers, n_columns)
            One row per customer, each with at least one order, from
            ``summarize_transactions(..., extras="clv")``. Of a lazy frame the columns used are
            collected.
        y : None
            Ignored.

        Returns
        -------
        CustomerLifetimeValue
            The fitted model.

        Raises
        ------
        ColumnError, SegkitTypeError, SegkitValueError, MissingValuesError
            For a missing column, text in place of numbers, missing or infinite values, impossible
            counts, customers without an order, no customer with spend on repeat orders.
        """
        values = self._validate_customers(X, reset=True)
        purchases = ParetoNBD() if self.purchases is None else clone(self.purchases)
        spend = GammaGamma() if self.spend is None else clone(self.spend)
        _check_part("purchases", purchases, ["predict", "predict_alive"], "ParetoNBD")
        _check_part("spend", spend, ["expected_order_value"], "GammaGamma")
        self.purchases_ = purchases.fit(model_input(purchases, values[:, _PURCHASES]), y)
        self.spend_ = spend.fit(model_input(spend, values[:, _SPEND]), y)
        summaries = {
            name: model.summary_
            for name, model in (("purchases", self.purchases_), ("spend", self.spend_))
            if hasattr(model, "summary_")
        }
        self.summary_ = pd.concat(summaries, names=["model"]) if summaries else pd.DataFrame()
        return self

    def predict(self, X: Any, horizon_days: float | None = None) -> Floats:
        """Return the expected value of each customer in the days that come.

        Parameters
        ----------
        X : eager frame or array of shape (n_customers, n_columns)
            One row per customer, as for ``fit``.
        horizon_days : float, default=None
            Days to look ahead; None means the model's own `horizon_days`.

        Returns
        -------
        ndarray of shape (n_customers,)
            Margin times expected spend per order times expected orders, discounted; in the units
            of the amounts. Infinite where the expected spend is.

        Raises
        ------
        NotFittedError
            Before ``fit``.
        LazyFrameError
            For a lazy frame.
        ColumnError, SegkitTypeError, SegkitValueError, MissingValuesError
            As ``fit``; SegkitValueError for a negative horizon.
        """
        days = checked_horizon(self, horizon_days)
        purchases, spend = self._inputs(X, "predict")
        orders = self._discounted_orders(purchases, days)
        amounts = self.spend_.expected_order_value(spend)
        # Whoever orders nothing is worth nothing, even where the expected amount is infinite.
        with np.errstate(invalid="ignore"):
            value: Floats = np.where(orders > 0, self.margin * orders * amounts, 0.0)
        return value

    def expected_orders(self, X: Any, horizon_days: float | None = None) -> Floats:
        """Return how many orders each customer is expected to place, not discounted.

        Parameters
        ----------
        X : eager frame or array of shape (n_customers, n_columns)
            One row per customer, as for ``fit``.
        horizon_days : float, default=None
            Days to look ahead; None means the model's own `horizon_days`.

        Returns
        -------
        ndarray of shape (n_customers,)
            Expected days with an order.

        Raises
        ------
        NotFittedError, LazyFrameError, ColumnError, SegkitTypeError, SegkitValueError
            As :meth:`predict`.
        """
        days = checked_horizon(self, horizon_days)
        purchases, _ = self._inputs(X, "expected_orders")
        orders: Floats = self.purchases_.predict(purchases, horizon_days=days)
        return orders

    def expected_order_value(self, X: Any) -> Floats:
        """Return each customer's expected spend per order.

        Parameters
        ----------
        X : eager frame or array of shape (n_customers, n_columns)
            One row per customer, as for ``fit``.

        Returns
        -------
        ndarray of shape (n_customers,)
            In the units of the amounts; the margin is not taken.

        Raises
        ------
        NotFittedError, LazyFrameError, ColumnError, SegkitTypeError, SegkitValueError
            As :meth:`predict`.
        """
        _, spend = self._inputs(X, "expected_order_value")
        amounts: Floats = self.spend_.expected_order_value(spend)
        return amounts

    def predict_alive(self, X: Any) -> Floats:
        """Return the probability that each customer is still active.

        Parameters
        ----------
        X : eager frame or array of shape (n_customers, n_columns)
            One row per customer, as for ``fit``.

        Returns
        -------
        ndarray of shape (n_customers,)
            Probabilities from 0 to 1.

        Raises
        ------
        NotFittedError, LazyFrameError, ColumnError, SegkitTypeError, SegkitValueError
            As :meth:`predict`.
        """
        purchases, _ = self._inputs(X, "predict_alive")
        alive: Floats = self.purchases_.predict_alive(purchases)
        return alive

    def _check(self, customers: Customers) -> None:
        check_number_of_columns(self, customers)
        super()._check(customers)
        if customers.by_name:
            check_histories(customers, owner=type(self).__name__)

    def _inputs(self, X: Any, verb: str) -> tuple[Any, Any]:
        """Return what the model of repeat buying gets, and the model of spend."""
        check_is_fitted(self, "summary_")
        self._refuse_lazy(X, verb=verb)
        values = self._validate_customers(X, reset=False)
        purchases = model_input(self.purchases_, values[:, _PURCHASES])
        return purchases, model_input(self.spend_, values[:, _SPEND])

    def _discounted_orders(self, values: Any, horizon: float) -> Floats:
        rate = np.log1p(float(self.annual_discount_rate)) / _DAYS_A_YEAR
        days, weights = _discounting(horizon, rate)
        model = self.purchases_
        if isinstance(model, FrozenEstimator):
            model = model.estimator
        if isinstance(model, PurchaseModel) and type(model).predict is PurchaseModel.predict:
            return model._predict_weighted(values, days, weights)
        discounted: Floats = weights[0] * self.purchases_.predict(values, horizon_days=days[0])
        for day, weight in zip(days[1:], weights[1:], strict=True):
            discounted += weight * self.purchases_.predict(values, horizon_days=float(day))
        return discounted


def _check_part(parameter: str, model: Any, verbs: Sequence[str], example: str) -> None:
    absent = [verb for verb in verbs if not hasattr(model, verb)]
    if absent:
        raise SegkitTypeError(
            f"CustomerLifetimeValue: {parameter} must have {' and '.join(verbs)}, as {example} "
            f"has; {estimator_name(model)} lacks {' and '.join(absent)}."
        )


def _discounting(horizon: float, rate: float) -> tuple[Floats, Floats]:
    """Return days, and what the orders expected up to each of them count for."""
    if rate == 0 or horizon == 0:
        return np.array([horizon]), np.ones(1)
    # Nodes are dense at first, when most customers who leave do so.
    share = (_NODES + 1) / 2
    days = horizon * share**_CROWDING
    widths = horizon * _CROWDING * share ** (_CROWDING - 1) * _NODE_WEIGHTS / 2
    weights = rate * widths * np.exp(-rate * days)
    return np.append(days, horizon), np.append(weights, np.exp(-rate * horizon))
