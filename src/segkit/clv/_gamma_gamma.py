"""The Gamma-Gamma model of spend per order (Colombo & Jiang 1999; Fader & Hardie 2013)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Self, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import digamma, gammaln
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from segkit._blocks import row_blocks
from segkit._compat import fit_context
from segkit._input_checks import check_magnitude
from segkit._warn import warn
from segkit.base._customer_columns import CustomerColumnsMixin
from segkit.base._customers import Customers
from segkit.clv._maximum_likelihood import Maximum, maximize, symmetric
from segkit.clv._model_inputs import (
    check_number_of_columns,
    check_shape,
    checked_count,
    numbers_of,
    warn_not_converged,
)
from segkit.clv._nbd import trigamma
from segkit.exceptions import CorrelatedSpendWarning, NotIdentifiedWarning, SegkitValueError

Floats: TypeAlias = NDArray[np.float64]

# A correlation that matters, whatever the number of customers. In data drawn from the model it is
# up to 0.09, because the mean of few skewed amounts is mostly low.
_MATERIAL_CORRELATION = 0.15
# In standard deviations: p < .01.
_SIGNIFICANT = 2.576
# So many customers lead near to where all would.
_SOME = 10_000
# So few rows at a time that what is computed of them stays in the processor's cache.
_ROWS = 1 << 13


class GammaGamma(CustomerColumnsMixin, BaseEstimator):
    r"""Mean spend per order, shrunk toward that of all customers: the Gamma-Gamma model.

    The amount of an order is gamma distributed around a mean of the customer's own (shape `p_`),
    and the inverse scale of that distribution is gamma distributed over customers (shape `q_`,
    inverse scale `v_`). What a customer has spent so far tells the more of their mean, the more
    orders there are.

    Parameters
    ----------
    columns : sequence of str or of int, default=("order_days", "monetary", "first_day_amount")
        The columns that hold days with an order, total spend, and the spend on the first of these
        days, which ``summarize_transactions(..., extras="clv")`` adds. Integers are positions.

    Attributes
    ----------
    p_, q_ : float
        Shapes of the distributions of amounts and of customers.
    v_ : float
        Inverse scale of the distribution of customers, in units of money. The mean over all
        customers is ``p_ * v_ / (q_ - 1)``.
    log_likelihood_ : float
        Of the mean repeat spend of the customers used.
    n_customers_ : int
        Customers used in ``fit``: those with spend on repeat orders.
    n_without_repeat_, n_without_spend_ : int
        Customers left out in ``fit``: without a repeat order, and with repeat orders on which
        they spent nothing (or, net of returns, less).
    spend_correlation_ : float
        Correlation of the logarithms of repeat orders and mean spend, which the model takes for 0.
    converged_ : bool
        Whether the search ended where the gradient is zero.
    standard_errors_ : Series of shape (3,)
        From the observed information; NaN where the data do not determine a parameter.
    correlation_ : DataFrame of shape (3, 3)
        Correlation of the estimates.
    summary_ : DataFrame of shape (3, 4)
        A row a parameter: ``estimate``, ``standard_error``, ``ci_low``, ``ci_high`` (95 %).
    n_features_in_ : int
        Number of columns used of a frame, or the width of the array seen in ``fit``.
    feature_names_in_ : ndarray of shape (3,), dtype object
        Names of the columns used; only after fitting on a frame.

    Warns
    -----
    CorrelatedSpendWarning
        In ``fit``, where spend per order goes with the number of orders: a correlation of their
        logarithms of at least 0.15 in size, and significant (p < .01).
    NotIdentifiedWarning
        In ``fit``, where the likelihood has its maximum on the boundary, or the mean over all
        customers is infinite (`q_` of 1 or less).
    NotConvergedWarning
        In ``fit``, where the search found no maximum.

    See Also
    --------
    CustomerLifetimeValue : Expected value, with a model of repeat buying.

    Notes
    -----
    The spend on the first day is left out, as in Fader & Hardie's own example (CDNOW): their
    parameters are those of the mean spend per *repeat* order,
    (monetary - first_day_amount) / (order_days - 1). Several orders on one day are one.

    References
    ----------
    Colombo, R. & Jiang, W. (1999). A stochastic RFM model. *Journal of Interactive Marketing*,
    13(3), 2-12.

    Fader, P. S. & Hardie, B. G. S. (2013). The Gamma-Gamma model of monetary value.
    https://www.brucehardie.com/notes/025/

    Examples
    --------
    >>> from segkit import summarize_transactions
    >>> from segkit.clv import GammaGamma
    >>> from segkit.datasets import make_transactions
    >>> log = make_transactions(2_000, random_state=0)
    >>> customers = summarize_transactions(log, order_id="order_id", extras="clv")
    >>> spend = GammaGamma().fit(customers)
    >>> spend.n_customers_, spend.n_without_repeat_
    (1190, 780)
    >>> spend.expected_order_value(customers)[:3].round(2)
    array([23.11, 37.77, 63.2 ])
    """

    _min_columns: ClassVar[int] = 3
    _missing_remedy: ClassVar[str] = "Fill or drop them."
    _lazy_remedy: ClassVar[str] = "Collect the frame first"
    _parameter_names: ClassVar[tuple[str, ...]] = ("p", "q", "v")
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"columns": [list, tuple]}

    p_: float
    q_: float
    v_: float
    log_likelihood_: float
    n_customers_: int
    n_without_repeat_: int
    n_without_spend_: int
    spend_correlation_: float
    converged_: bool
    standard_errors_: pd.Series[float]
    correlation_: pd.DataFrame
    summary_: pd.DataFrame

    def __init__(
        self,
        *,
        columns: Sequence[str | int] = ("order_days", "monetary", "first_day_amount"),
    ) -> None:
        self.columns = columns

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> Self:
        """Estimate the parameters by maximum likelihood.

        Parameters
        ----------
        X : frame or array of shape (n_customers, n_columns)
            One row per customer. Of a lazy frame the columns used are collected.
        y : None
            Ignored.

        Returns
        -------
        GammaGamma
            The fitted model.

        Raises
        ------
        ColumnError, SegkitTypeError, SegkitValueError, MissingValuesError
            For a missing column, text in place of numbers, missing or infinite values, impossible
            counts, no customer with spend on repeat orders.
        """
        x, mean = _repeat_spend(self._validate_customers(X, reset=True))
        used = (x > 0) & (mean > 0)
        self.n_without_repeat_ = int((x <= 0).sum())
        self.n_without_spend_ = int(((x > 0) & (mean <= 0)).sum())
        self.n_customers_ = int(used.sum())
        if not self.n_customers_:
            owner = type(self).__name__
            raise SegkitValueError(
                f"{owner}: none of the {len(x):,} customers has spend on a repeat order, from "
                "which the model learns. Observe them for a longer time."
            )
        x, mean = x[used], mean[used]
        found = _most_likely(x, mean)
        self.p_, self.q_, self.v_ = map(float, found.parameters)
        self.log_likelihood_ = found.log_likelihood
        self.converged_ = found.converged
        self.summary_ = found.summary(self._parameter_names)
        self.standard_errors_ = self.summary_["standard_error"]
        self.correlation_ = found.correlation(self._parameter_names)
        self._warn_of_correlation(x, mean)
        if not found.is_inside or self.q_ <= 1:
            self._warn_not_identified(is_inside=found.is_inside)
        elif not found.converged:
            warn_not_converged(self, found)
        return self

    def predict(self, X: Any) -> Floats:
        """Return each customer's expected spend per order: :meth:`expected_order_value`.

        Parameters
        ----------
        X : eager frame or array of shape (n_customers, n_columns)
            One row per customer, as for ``fit``.

        Returns
        -------
        ndarray of shape (n_customers,)
            In the units of the amounts.

        Raises
        ------
        NotFittedError, LazyFrameError, ColumnError, SegkitTypeError, SegkitValueError
            As :meth:`expected_order_value`.
        """
        return self._expected(X, "predict")

    def expected_order_value(self, X: Any) -> Floats:
        """Return each customer's expected spend per order.

        It lies between the customer's mean repeat spend and the mean over all customers, nearer to
        the former the more repeat orders there are. A customer without one gets the latter; one
        who spent nothing on them, or less, counts with 0.

        Parameters
        ----------
        X : eager frame or array of shape (n_customers, n_columns)
            One row per customer, as for ``fit``.

        Returns
        -------
        ndarray of shape (n_customers,)
            In the units of the amounts. Infinite for customers without repeat orders where `q_`
            is 1 or less.

        Raises
        ------
        NotFittedError
            Before ``fit``.
        LazyFrameError
            For a lazy frame.
        ColumnError, SegkitTypeError, SegkitValueError, MissingValuesError
            As ``fit``.
        """
        return self._expected(X, "expected_order_value")

    def simulate(
        self,
        n_customers: int,
        *,
        order_days: ArrayLike,
        random_state: int | np.random.RandomState | None = None,
    ) -> pd.DataFrame:
        """Draw customers from the fitted model.

        Parameters
        ----------
        n_customers : int
            Number of customers.
        order_days : int or array-like of shape (n_customers,)
            Days with an order, at least 1, for all or for each.
        random_state : int, RandomState instance or None, default=None
            Pass an int for the same customers every time.

        Returns
        -------
        pandas.DataFrame of shape (n_customers, 4)
            ``order_days``, ``monetary``, ``first_day_amount``, and what no table tells:
            ``true_order_value``, the customer's own mean.

        Raises
        ------
        NotFittedError
            Before ``fit``.
        SegkitValueError
            For numbers of orders below 1, or not as many as customers.
        """
        check_is_fitted(self, "summary_")
        n_customers = checked_count(self, n_customers)
        numbers = numbers_of(order_days)
        if numbers is None or not (numbers >= 1).all() or (numbers % 1 != 0).any():
            raise SegkitValueError(
                f"{type(self).__name__}: order_days must be whole numbers of at least 1."
            )
        check_shape(self, "order_days", numbers, n_customers)
        orders = np.broadcast_to(numbers.astype(np.int64), n_customers)
        rng = check_random_state(random_state)
        inverse_scale = rng.gamma(self.q_, 1 / self.v_, n_customers)
        first = rng.gamma(self.p_, 1 / inverse_scale)
        # The sum of as many amounts, which is 0 for none.
        repeats = rng.gamma(np.maximum(self.p_ * (orders - 1), 1e-9), 1 / inverse_scale)
        return pd.DataFrame(
            {
                "order_days": orders,
                "monetary": first + np.where(orders > 1, repeats, 0.0),
                "first_day_amount": first,
                "true_order_value": self.p_ / inverse_scale,
            }
        )

    def _expected(self, X: Any, verb: str) -> Floats:
        check_is_fitted(self, "summary_")
        self._refuse_lazy(X, verb=verb)
        x, mean = _repeat_spend(self._validate_customers(X, reset=False))
        # Fader & Hardie (2013), (5).
        certainty = self.p_ * x + self.q_ - 1
        with np.errstate(divide="ignore"):
            expected: Floats = self.p_ * (self.v_ + x * np.maximum(mean, 0)) / certainty
        return np.where(certainty > 0, expected, np.inf)

    def _check(self, customers: Customers) -> None:
        check_number_of_columns(self, customers)
        super()._check(customers)
        columns = dict(zip(map(str, customers.columns), customers.numbers, strict=True))
        check_magnitude(columns, owner=type(self).__name__)

    def _warn_of_correlation(self, x: Floats, mean: Floats) -> None:
        self.spend_correlation_ = 0.0
        if np.ptp(x) == 0 or np.ptp(mean) == 0:
            return
        correlation = float(np.corrcoef(np.log(x), np.log(mean))[0, 1])
        self.spend_correlation_ = correlation
        # Where there is none, its variance is about 1 / (n - 1).
        deviations = abs(correlation) * np.sqrt(x.size - 1)
        if abs(correlation) >= _MATERIAL_CORRELATION and deviations > _SIGNIFICANT:
            more = "more" if correlation > 0 else "less"
            warn(
                f"{type(self).__name__}: customers who order more often spend {more} per order "
                f"(correlation of logarithms {correlation:.2f}); the model takes the two for "
                "unrelated, so that the values of frequent customers are drawn toward a mean that "
                "is not theirs. Fit groups of customers apart.",
                CorrelatedSpendWarning,
            )

    def _warn_not_identified(self, *, is_inside: bool) -> None:
        what = (
            f"q_ is {self.q_:.3g}, and from 1 down the mean over all customers is infinite: so is "
            "the expected value of customers without repeat orders, and that of the others leans "
            "on it. Few customers spend far more than the rest. Look at them apart."
            if is_inside
            else "the likelihood has its maximum on the boundary: the customers' means are all "
            "alike, or their amounts are. p_, q_ and v_ are not identified, and the expected "
            "values of customers with few repeat orders mean little. Look at summary_."
        )
        warn(f"{type(self).__name__}: {what}", NotIdentifiedWarning)


class SpendLikelihood:
    """Log-likelihood and derivatives of p, q and v, given repeat orders and mean spend (> 0)."""

    def __init__(self, x: Floats, mean: Floats) -> None:
        self._x, customers = np.unique(x, return_counts=True)
        self._weights = customers.astype(np.float64)
        self._orders, self._total = x, x * mean
        self._n_customers, self._n_orders = float(x.size), float(x.sum())
        self._log_mean = float(np.log(mean).sum())
        self._log_total = float(x @ np.log(self._total))

    def __call__(self, parameters: Floats) -> tuple[float, Floats, Floats]:
        """Return the log-likelihood and its first and second derivatives."""
        p, q, v = parameters
        x, n_x, n = self._x, self._weights, self._n_customers
        both = p * x + q
        value = n_x @ (gammaln(both) - gammaln(p * x)) - n * gammaln(q)
        value += n * q * np.log(v) + p * self._log_total - self._log_mean
        gradient, hessian = np.zeros(3), np.zeros((3, 3))
        gradient[0] = n_x @ (x * (digamma(both) - digamma(p * x))) + self._log_total
        gradient[1] = n_x @ digamma(both) - n * digamma(q) + n * np.log(v)
        gradient[2] = n * q / v
        hessian[0, 0] = n_x @ (x**2 * (trigamma(both) - trigamma(p * x)))
        hessian[0, 1] = n_x @ (x * trigamma(both))
        hessian[1, 1] = n_x @ trigamma(both) - n * trigamma(q)
        hessian[1, 2], hessian[2, 2] = n / v, -n * q / v**2
        for rows in row_blocks(len(self._total), _ROWS):
            orders, money = self._orders[rows], v + self._total[rows]
            log_money, share = np.log(money), 1 / money
            by_orders, alone = orders @ log_money, log_money.sum()
            value -= p * by_orders + q * alone
            per_orders, once = orders @ share, share.sum()
            gradient -= by_orders, alone, p * per_orders + q * once
            hessian[0, 2] -= per_orders
            hessian[1, 2] -= once
            hessian[2, 2] += (p * orders + q) @ share**2
        return float(value), gradient, symmetric(hessian)


def _most_likely(x: Floats, mean: Floats) -> Maximum:
    """Return the maximum for all customers, from that for some of them where there are many."""
    typical = float(np.median(mean[:: max(1, x.size // _SOME)]))
    starts = [(p, q, typical * (q - 1) / p) for p, q in ((4.0, 4.0), (1.0, 3.0), (20.0, 10.0))]
    bounds = [(1e-3, 1e5), (1e-3, 1e5), (1e-6 * typical, 1e6 * typical)]
    if x.size >= 2 * _SOME:
        some = slice(None, None, x.size // _SOME)
        first = maximize(SpendLikelihood(x[some], mean[some]), starts, bounds, x[some].size)
        starts = [tuple(first.parameters), *starts]
    return maximize(SpendLikelihood(x, mean), starts, bounds, x.size)


def _repeat_spend(values: Floats) -> tuple[Floats, Floats]:
    """Return repeat orders, and the mean spend on them (0 where there are none)."""
    order_days, monetary, first_day_amount = values.T
    x = np.maximum(order_days - 1, 0.0)
    return x, np.where(x > 0, (monetary - first_day_amount) / np.where(x > 0, x, 1.0), 0.0)
