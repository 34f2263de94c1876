"""What the models of repeat buying have in common: fit, predictions, honesty and simulation."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from numbers import Real
from typing import Any, ClassVar, Self, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from segkit._compat import Interval, fit_context
from segkit._warn import warn
from segkit.base._customer_columns import CustomerColumnsMixin
from segkit.base._customers import Customers
from segkit.clv._maximum_likelihood import LogLikelihood, Maximum, maximize
from segkit.clv._model_inputs import (
    check_number_of_columns,
    check_shape,
    checked_count,
    checked_horizon,
    numbers_of,
    warn_not_converged,
)
from segkit.clv._nbd import fit_nbd
from segkit.clv._purchase_histories import MOST_DAYS, PurchaseHistories, check_histories
from segkit.exceptions import (
    NotIdentifiedWarning,
    SegkitValueError,
)

Floats: TypeAlias = NDArray[np.float64]

# A likelihood ratio of e^2: less is what chance gives (AIC asks 2 for two parameters, too).
_LEAST_GAIN = 2.0


class PurchaseModel(CustomerColumnsMixin, BaseEstimator, ABC):
    """Base of the models of repeat buying with dropout.

    A concrete model names its parameters and writes the likelihood, the chance of being active
    and the expected purchases, each over distinct purchase histories.
    """

    _min_columns: ClassVar[int] = 3
    _missing_remedy: ClassVar[str] = "Fill or drop them."
    _lazy_remedy: ClassVar[str] = "Collect the frame first"
    _parameter_names: ClassVar[tuple[str, ...]]
    _dropout_parameters: ClassVar[tuple[str, ...]]
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "columns": [list, tuple],
        "horizon_days": [Interval(Real, 0, MOST_DAYS, closed="both")],
    }

    log_likelihood_: float
    nbd_log_likelihood_: float
    dropout_identified_: bool
    converged_: bool
    standard_errors_: pd.Series[float]
    correlation_: pd.DataFrame
    summary_: pd.DataFrame

    def __init__(
        self,
        *,
        columns: Sequence[str | int] = ("recency_days", "order_days", "tenure_days"),
        horizon_days: float = 365,
    ) -> None:
        self.columns = columns
        self.horizon_days = horizon_days

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> Self:
        """Estimate the parameters by maximum likelihood.

        Parameters
        ----------
        X : frame or array of shape (n_customers, n_columns)
            One row per customer, each with at least one order. Of a lazy frame the columns used
            are collected.
        y : None
            Ignored.

        Returns
        -------
        PurchaseModel
            The fitted model.

        Raises
        ------
        ColumnError, SegkitTypeError, SegkitValueError, MissingValuesError
            For a missing column, text in place of numbers, missing or infinite values, impossible
            counts, customers without an order, no customers.
        """
        histories = PurchaseHistories.of(self._validate_customers(X, reset=True))
        nbd = fit_nbd(histories)
        found = maximize(
            self._likelihood(histories),
            self._starts(histories, nbd.parameters),
            self._bounds(histories),
            histories.n_customers,
        )
        for name, value in zip(self._parameter_names, found.parameters, strict=True):
            setattr(self, f"{name}_", float(value))
        self.log_likelihood_ = found.log_likelihood
        self.nbd_log_likelihood_ = nbd.log_likelihood
        self.converged_ = found.converged
        gain = max(found.log_likelihood - nbd.log_likelihood, 0.0)
        self.dropout_identified_ = bool(gain >= _LEAST_GAIN and found.is_inside)
        self.summary_ = found.summary(self._parameter_names)
        self.standard_errors_ = self.summary_["standard_error"]
        self.correlation_ = found.correlation(self._parameter_names)
        if not self.dropout_identified_:
            self._warn_not_identified(found, gain, histories)
        elif not found.converged:
            warn_not_converged(self, found)
        return self

    def predict(self, X: Any, horizon_days: float | None = None) -> Floats:
        """Return how many orders each customer is expected to place in the days that come.

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
        NotFittedError
            Before ``fit``.
        LazyFrameError
            For a lazy frame.
        ColumnError, SegkitTypeError, SegkitValueError, MissingValuesError
            As ``fit``; SegkitValueError for a negative horizon.
        """
        days = checked_horizon(self, horizon_days)
        return self._predict_weighted(X, np.array([days]), np.ones(1))

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
        NotFittedError
            Before ``fit``.
        LazyFrameError
            For a lazy frame.
        ColumnError, SegkitTypeError, SegkitValueError, MissingValuesError
            As ``fit``.
        """
        return self._of_each(X, self._alive, "predict_alive")

    def expected_repeat_orders(self, days: ArrayLike) -> Floats:
        """Return how many repeat orders a customer of whom nothing is known places on average.

        Parameters
        ----------
        days : array-like of float
            Days since the first order.

        Returns
        -------
        ndarray of the shape of `days`
            Expected days with a repeat order up to then.

        Raises
        ------
        NotFittedError
            Before ``fit``.
        SegkitValueError
            For negative or missing days.
        """
        check_is_fitted(self, "summary_")
        elapsed = numbers_of(days)
        if elapsed is None or not (elapsed >= 0).all():
            raise SegkitValueError(
                f"{type(self).__name__}: days must be finite numbers from 0, days since the "
                "first order."
            )
        return self._expected_of_new(elapsed)

    def simulate(
        self,
        n_customers: int,
        *,
        tenure_days: ArrayLike,
        random_state: int | np.random.RandomState | None = None,
    ) -> pd.DataFrame:
        """Draw customers from the fitted model.

        Parameters
        ----------
        n_customers : int
            Number of customers.
        tenure_days : float or array-like of shape (n_customers,)
            Days since the first order, for all or for each.
        random_state : int, RandomState instance or None, default=None
            Pass an int for the same customers every time.

        Returns
        -------
        pandas.DataFrame of shape (n_customers, 4)
            ``recency_days``, ``order_days``, ``tenure_days``, and what no table tells:
            ``is_alive``. Time is continuous: days are not whole.

        Raises
        ------
        NotFittedError
            Before ``fit``.
        SegkitValueError
            For negative numbers, or tenures that are not as many as customers.
        """
        check_is_fitted(self, "summary_")
        n_customers = checked_count(self, n_customers)
        tenure = numbers_of(tenure_days)
        if tenure is None or not (tenure >= 0).all():
            raise SegkitValueError(
                f"{type(self).__name__}: tenure_days must be finite numbers of days from 0."
            )
        check_shape(self, "tenure_days", tenure, n_customers)
        tenure = np.broadcast_to(tenure, n_customers)
        x, t_x, is_alive = self._draw(check_random_state(random_state), tenure)
        return pd.DataFrame(
            {
                "recency_days": tenure - t_x,
                "order_days": x + 1,
                "tenure_days": tenure,
                "is_alive": is_alive,
            }
        )

    # What a concrete model writes.

    @abstractmethod
    def _likelihood(self, histories: PurchaseHistories) -> LogLikelihood: ...

    @abstractmethod
    def _starts(self, histories: PurchaseHistories, nbd: Floats) -> list[tuple[float, ...]]: ...

    @abstractmethod
    def _bounds(self, histories: PurchaseHistories) -> list[tuple[float, float]]: ...

    @abstractmethod
    def _alive(self, histories: PurchaseHistories) -> Floats: ...

    @abstractmethod
    def _expected_while_active(
        self, histories: PurchaseHistories, days: Floats, weights: Floats
    ) -> Floats:
        """Return weighted sums, over some horizons, of the orders expected of active customers."""

    @abstractmethod
    def _expected_of_new(self, days: Floats) -> Floats: ...

    @abstractmethod
    def _draw(
        self, rng: np.random.RandomState, tenure: Floats
    ) -> tuple[NDArray[np.int64], Floats, NDArray[np.bool_]]: ...

    # Private helpers.

    def _predict_weighted(self, X: Any, days: Floats, weights: Floats) -> Floats:
        """Return the weighted sum of the predictions for some horizons, in one pass."""

        def expected(histories: PurchaseHistories) -> Floats:
            orders = self._expected_while_active(histories, days, weights)
            return orders * self._alive(histories)

        return self._of_each(X, expected, "predict")

    def _of_each(
        self, X: Any, of_history: Callable[[PurchaseHistories], Floats], verb: str
    ) -> Floats:
        check_is_fitted(self, "summary_")
        self._refuse_lazy(X, verb=verb)
        histories, places = PurchaseHistories.each_of(self._validate_customers(X, reset=False))
        found = of_history(histories)
        return found if places is None else found[places]

    def _check(self, customers: Customers) -> None:
        check_number_of_columns(self, customers)
        super()._check(customers)
        if customers.by_name:
            check_histories(customers, owner=type(self).__name__)

    def _warn_not_identified(
        self, found: Maximum, gain: float, histories: PurchaseHistories
    ) -> None:
        names = self._parameter_names
        alive = self._alive(histories)
        low, high = f"{alive.min():.2f}", f"{alive.max():.2f}"
        chances = f"{low} for all of" if low == high else f"{low} to {high} for"
        bounds = [
            f"{name} → {'0' if low else '∞'}"
            for name, low, high in zip(names, found.lowest, found.highest, strict=True)
            if low or high
        ]
        where = f"has its maximum on the boundary ({', '.join(bounds)})"
        if not bounds:
            flat = [name for name, is_flat in zip(names, found.flat, strict=True) if is_flat]
            where = f"hardly changes along {' and '.join(flat)}"
        if gain < _LEAST_GAIN:
            dropout = " and ".join(f"{name}_" for name in self._dropout_parameters)
            message = (
                "the data do not tell dropout from slow buying: the log-likelihood is "
                f"{gain:.2f} above that of a model without dropout"
                + (f", and {where}" if bounds else "")
                + f". {dropout} are not identified, and predict_alive is what the form of the "
                f"model makes of it: {chances} these customers. Observe them for a longer time, or "
                "stage them by their own rhythm (LifecycleStager, method='cadence')."
            )
        else:
            in_dropout = (found.lowest | found.highest | found.flat)[2:].any()
            respect = "how they drop out" if in_dropout else "how often they buy"
            message = (
                f"the likelihood {where}: customers do not seem to differ in {respect}. These "
                "parameters are not identified, only what they give together; predict and "
                f"predict_alive ({chances} these customers) take the customers for alike in it."
            )
        warn(f"{type(self).__name__}: {message}", NotIdentifiedWarning)
