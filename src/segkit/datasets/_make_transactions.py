"""Transaction logs drawn from the BG/NBD process for orders (Fader, Hardie & Lee, 2005)
and the Gamma-Gamma process for order values (Fader & Hardie, 2013).
"""

import datetime
from collections.abc import Callable
from numbers import Integral, Real
from typing import Any, Literal, overload

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.utils import check_random_state

from segkit.exceptions import SegkitTypeError, SegkitValueError

_Ints = NDArray[np.int64]
_Floats = NDArray[np.float64]

_MINUTES_PER_DAY = 24 * 60

# Opening hours and the share of a day's orders up to each of them: quiet mornings, a lunch
# hour, a busy evening.
# What is beyond these is a slip of the keyboard, and would not fit into memory or a float.
_MOST, _LARGEST = 10**9, 1e100
_HOUR = np.array([8.0, 12.0, 14.0, 18.0, 21.0, 22.0])
_SHARE_OF_DAY = np.array([0.0, 0.2, 0.36, 0.62, 0.95, 1.0])
_LAST_MINUTE = 22 * 60 - 1

# Where order values settle, in cents: (distance between points, how far below a whole multiple,
# share of orders). A step of 1 leaves the value as it was drawn.
_PRICE_GRIDS = ((1, 0, 0.25), (50, 0, 0.15), (100, 1, 0.35), (500, 1, 0.25))

_FULL_RETURN_SHARE = 0.7
_MEAN_DAYS_TO_RETURN = 10.0


@overload
def make_transactions(
    n_customers: int = ...,
    *,
    start: str | datetime.date = ...,
    end: str | datetime.date = ...,
    r: float = ...,
    alpha: float = ...,
    a: float = ...,
    b: float = ...,
    p: float = ...,
    q: float = ...,
    v: float = ...,
    price_points: bool = ...,
    same_day_rate: float = ...,
    return_rate: float = ...,
    random_state: int | np.random.RandomState | None = ...,
    return_parameters: Literal[False] = ...,
) -> pd.DataFrame: ...


@overload
def make_transactions(
    n_customers: int = ...,
    *,
    start: str | datetime.date = ...,
    end: str | datetime.date = ...,
    r: float = ...,
    alpha: float = ...,
    a: float = ...,
    b: float = ...,
    p: float = ...,
    q: float = ...,
    v: float = ...,
    price_points: bool = ...,
    same_day_rate: float = ...,
    return_rate: float = ...,
    random_state: int | np.random.RandomState | None = ...,
    return_parameters: Literal[True],
) -> tuple[pd.DataFrame, pd.DataFrame]: ...


def make_transactions(
    n_customers: int = 1000,
    *,
    start: str | datetime.date = "2024-01-01",
    end: str | datetime.date = "2025-12-31",
    r: float = 0.5,
    alpha: float = 40.0,
    a: float = 0.8,
    b: float = 6.0,
    p: float = 4.0,
    q: float = 4.0,
    v: float = 45.0,
    price_points: bool = True,
    same_day_rate: float = 0.02,
    return_rate: float = 0.05,
    random_state: int | np.random.RandomState | None = None,
    return_parameters: bool = False,
) -> pd.DataFrame | tuple[pd.DataFrame, pd.DataFrame]:
    """Draw the transaction log of customers whose true behaviour is known.

    Use it to try a segmentation where no real log is at hand, and to test one: with
    ``return_parameters=True`` the customers' true purchase rates, dropout probabilities and
    mean order values come along, so that what a model estimates can be held against the truth.

    Parameters
    ----------
    n_customers : int, default=1000
        Number of customers, each with at least one order.
    start, end : str or datetime.date, default="2024-01-01" and "2025-12-31"
        First and last day of the log, both included. Days have no time of day and no time
        zone; a datetime at midnight stands for its day.
    r : float, default=0.5
        Shape of the Gamma distribution of purchase rates over customers. Small values mean
        many light and a few heavy buyers.
    alpha : float, default=40.0
        Rate of that Gamma distribution, in days: a customer who has not dropped out orders
        ``r / alpha`` times a day on average. Published values are often in weeks; multiply
        them by 7.
    a, b : float, default=0.8 and 6.0
        Parameters of the Beta distribution of dropout probabilities over customers. After each
        repeat order a customer stops for good with a probability of ``a / (a + b)`` on average.
    p : float, default=4.0
        Shape of the Gamma distribution of a customer's order values. The standard deviation of
        these values is ``1 / sqrt(p)`` of the customer's mean.
    q, v : float, default=4.0 and 45.0
        Shape (above 1) and rate of the Gamma distribution of the customers' rates nu, in units
        of money. The mean order value over customers is ``p * v / (q - 1)``, 60 by default.
    price_points : bool, default=True
        Whether three in four order values move to the nearest point such as 17.50, 17.99 or
        19.99, as prices do, so that customers tie in their spend. With ``False``, values are
        rounded to cents only.
    same_day_rate : float, default=0.02
        Probability that an order is followed by a second one later on the same day. These
        come on top of the BG/NBD process.
    return_rate : float, default=0.05
        Probability that an order is sent back, seven times in ten as a whole and else in part,
        one or more days later (10 on average). Returns that would fall after `end` are not in
        the log.
    random_state : int, RandomState instance or None, default=None
        Seed of the draw: the same integer gives the same log. ``None`` draws a different log
        each time and leaves NumPy's global generator alone.
    return_parameters : bool, default=False
        Whether to return the customers' true parameters too.

    Returns
    -------
    transactions : pandas.DataFrame of shape (n_transactions, 4)
        One row per order or return, sorted by time:

        - `customer_id` (int64): 1 to `n_customers`.
        - `timestamp` (datetime64, naive): whole minutes between 8:00 and 22:00.
        - `amount` (float64): order value in units of money, whole cents; negative for a return.
        - `order_id` (int64): 1 to `n_transactions`; a return has its own.

    parameters : pandas.DataFrame of shape (n_customers, 7)
        One row per customer; only with ``return_parameters=True``:

        - `customer_id` (int64).
        - `purchase_rate` (float64): lambda, orders per day while the customer is alive.
        - `dropout_probability` (float64): probability to stop after a repeat order.
        - `mean_spend` (float64): the customer's true mean order value E[z] = p / nu.
        - `first_purchase_date` (datetime64): day of the first order.
        - `tenure_days` (float64): time from the first order to the end of the last day, the
          process's T. Its clock runs in opening hours only, a whole day from 8:00 to 22:00.
        - `alive_at_end` (bool): whether the customer has not dropped out by then.

    Raises
    ------
    SegkitTypeError
        If a parameter is of the wrong kind.
    SegkitValueError
        If a parameter is out of its range, or `end` is before `start`.

    Notes
    -----
    Orders follow the BG/NBD process [1]_. Customer i's first order falls uniformly between
    `start` and `end`. From then on orders arrive as a Poisson process with rate
    lambda_i ~ Gamma(`r`, rate `alpha`), and after each *repeat* order the customer drops out
    with probability p_i ~ Beta(`a`, `b`). A customer without repeat orders is alive.

    Order values follow the Gamma-Gamma process [2]_: z_ij ~ Gamma(`p`, rate nu_i) with
    nu_i ~ Gamma(`q`, rate `v`), independent of when the orders are placed, rounded to cents
    and at least one cent.

    The two pure processes, for testing an estimator, come with ``price_points=False``,
    ``same_day_rate=0`` and ``return_rate=0``. There is no season and no trend.

    References
    ----------
    .. [1] P. S. Fader, B. G. S. Hardie & K. L. Lee (2005). "Counting Your Customers" the Easy
       Way: An Alternative to the Pareto/NBD Model. Marketing Science 24(2), 275-284.
    .. [2] P. S. Fader & B. G. S. Hardie (2013). The Gamma-Gamma Model of Monetary Value.
       http://www.brucehardie.com/notes/025/

    Examples
    --------
    >>> from segkit.datasets import make_transactions
    >>> log = make_transactions(500, start="2025-01-01", end="2025-12-31", random_state=0)
    >>> log.columns.tolist()
    ['customer_id', 'timestamp', 'amount', 'order_id']
    >>> log["customer_id"].nunique()
    500

    The customers' true parameters, to compare estimates with:

    >>> log, truth = make_transactions(500, random_state=0, return_parameters=True)
    >>> truth.columns.tolist()
    ['customer_id', 'purchase_rate', 'dropout_probability', 'mean_spend',
     'first_purchase_date', 'tenure_days', 'alive_at_end']
    """
    _check("n_customers", n_customers, Integral, "an integer of at least 1", lambda n: n >= 1)
    _check("n_customers", n_customers, Integral, f"at most {_MOST:,}", lambda n: n <= _MOST)
    for name, value in {"r": r, "alpha": alpha, "a": a, "b": b, "p": p, "v": v}.items():
        _check(name, value, Real, "a finite number above 0", lambda x: 0 < x < np.inf)
        _check(name, value, Real, f"at most {_LARGEST:g}", lambda x: x <= _LARGEST)
    _check("alpha", alpha, Real, "at least r / 1440, an order a minute", lambda x: r / x <= 1440)
    _check("q", q, Real, "finite and above 1, else the mean is not", lambda x: 1 < x <= _LARGEST)
    for name, value in {"same_day_rate": same_day_rate, "return_rate": return_rate}.items():
        _check(name, value, Real, "a probability from 0 to 1", lambda x: 0 <= x <= 1)
    _check("price_points", price_points, bool, "True or False", lambda _: True)
    _check("return_parameters", return_parameters, bool, "True or False", lambda _: True)
    first_day, last_day = _read_day("start", start), _read_day("end", end)
    not_before = f"on or after the start, {first_day}"
    _check("end", last_day, datetime.date, not_before, lambda day: day >= first_day)
    n_days = (last_day - first_day).days + 1
    rng = _read_random_state(random_state)

    first_order = rng.uniform(0.0, n_days, n_customers)
    tenure_days = n_days - first_order
    purchase_rate = rng.gamma(r, 1.0 / alpha, n_customers)
    dropout_probability = rng.beta(a, b, n_customers)
    mean_spend = p / rng.gamma(q, 1.0 / v, n_customers)

    customer, order, alive_at_end = _draw_order_times(
        rng, first_order, tenure_days, purchase_rate, dropout_probability
    )
    minute = _opening_hours(order, n_days)
    customer, minute = _add_same_day_orders(rng, customer, minute, same_day_rate)
    cents = _draw_order_values(rng, mean_spend[customer], p, price_points)
    customer, minute, cents = _add_returns(rng, customer, minute, cents, return_rate, n_days)

    midnight = np.datetime64(first_day, "us")
    by_time = np.argsort(minute, kind="stable")
    transactions = pd.DataFrame(
        {
            "customer_id": customer[by_time] + 1,
            "timestamp": midnight + minute[by_time].astype("timedelta64[m]"),
            "amount": cents[by_time] / 100.0,
            "order_id": np.arange(1, len(by_time) + 1, dtype=np.int64),
        }
    )
    if not return_parameters:
        return transactions
    parameters = pd.DataFrame(
        {
            "customer_id": np.arange(1, n_customers + 1, dtype=np.int64),
            "purchase_rate": purchase_rate,
            "dropout_probability": dropout_probability,
            "mean_spend": mean_spend,
            "first_purchase_date": midnight + np.floor(first_order).astype("timedelta64[D]"),
            "tenure_days": tenure_days,
            "alive_at_end": alive_at_end,
        }
    )
    return transactions, parameters


def _draw_order_times(
    rng: np.random.RandomState,
    first_order: _Floats,
    tenure_days: _Floats,
    purchase_rate: _Floats,
    dropout_probability: _Floats,
) -> tuple[_Ints, _Floats, NDArray[np.bool_]]:
    """Return customer index and time in days of each order, and who is alive at the end.

    Given their number, the arrivals of a Poisson process are independent and uniform. The
    customer drops out at repeat order G ~ Geometric(p), so the first G of them count.
    """
    n_customers = len(first_order)
    n_arrivals = rng.poisson(purchase_rate * tenure_days).astype(np.int64)
    # P(G > k) = (1 - p)^k = P(E >= -k log(1 - p)) for E ~ Exp(1). Unlike numpy's geometric, this
    # holds for a probability that underflows to 0 (G = inf) or rounds to 1.
    with np.errstate(divide="ignore"):
        n_until_dropout = 1.0 + np.floor(
            rng.exponential(size=n_customers) / -np.log1p(-dropout_probability)
        )
    everyone = np.arange(n_customers, dtype=np.int64)
    customer = np.repeat(everyone, n_arrivals)
    # One sort orders the arrivals within each customer: the whole part is the customer.
    share_of_tenure = np.sort(customer + rng.uniform(size=len(customer))) - customer
    rank = np.arange(len(customer)) - np.repeat(np.cumsum(n_arrivals) - n_arrivals, n_arrivals)
    kept = rank < n_until_dropout[customer]
    customer = customer[kept]
    repeat_order = first_order[customer] + share_of_tenure[kept] * tenure_days[customer]
    alive_at_end = n_arrivals < n_until_dropout
    return np.r_[everyone, customer], np.r_[first_order, repeat_order], alive_at_end


def _opening_hours(day: _Floats, n_days: int) -> _Ints:
    """Turn times in days into minutes since the first midnight.

    The fraction of the day maps monotonically to the opening hours, which keeps each order's
    date and the order of orders.
    """
    # A sum of floats may round up to the midnight after the last day.
    whole_day: _Ints = np.minimum(day.astype(np.int64), n_days - 1)
    hour = np.interp(day - whole_day, _SHARE_OF_DAY, _HOUR)
    minute_of_day: _Ints = np.minimum((hour * 60).astype(np.int64), _LAST_MINUTE)
    return whole_day * _MINUTES_PER_DAY + minute_of_day


def _add_same_day_orders(
    rng: np.random.RandomState, customer: _Ints, minute: _Ints, same_day_rate: float
) -> tuple[_Ints, _Ints]:
    """Follow some orders by a second one between them and closing time."""
    again = np.flatnonzero(rng.uniform(size=len(minute)) < same_day_rate)
    minutes_left = _LAST_MINUTE - minute[again] % _MINUTES_PER_DAY
    later = np.ceil(rng.uniform(size=len(again)) * minutes_left).astype(np.int64)
    return np.r_[customer, customer[again]], np.r_[minute, minute[again] + later]


def _draw_order_values(
    rng: np.random.RandomState, mean_spend: _Floats, p: float, price_points: bool
) -> _Floats:
    """Draw z ~ Gamma(p, rate nu) for each order, in whole cents, given E[z] = p / nu."""
    cents = 100.0 * rng.gamma(p, 1.0, len(mean_spend)) * (mean_spend / p)
    if not price_points:
        return np.maximum(np.rint(cents), 1.0)
    steps, offsets, shares = np.array(_PRICE_GRIDS).T
    grid = np.searchsorted(np.cumsum(shares)[:-1], rng.uniform(size=len(cents)), side="right")
    step, offset = steps[grid], offsets[grid]
    # Never below the first point, so that no order is free.
    point: _Floats = np.maximum(np.rint((cents + offset) / step), 1.0) * step - offset
    return point


def _add_returns(
    rng: np.random.RandomState,
    customer: _Ints,
    minute: _Ints,
    cents: _Floats,
    return_rate: float,
    n_days: int,
) -> tuple[_Ints, _Ints, _Floats]:
    """Send some orders back, each at most once, as rows with a negative amount."""
    returned = np.flatnonzero(rng.uniform(size=len(minute)) < return_rate)
    n_returns = len(returned)
    # Whole days with mean m, at least 1: the geometric distribution with p = 1 / m.
    days_later = rng.geometric(1.0 / _MEAN_DAYS_TO_RETURN, n_returns).astype(np.int64)
    day = minute[returned] // _MINUTES_PER_DAY + days_later
    hour_of_return = rng.uniform(size=n_returns)
    whole = rng.uniform(size=n_returns) < _FULL_RETURN_SHARE
    part = np.maximum(np.ceil(rng.uniform(size=n_returns) * cents[returned]), 1.0)
    refund = np.where(whole, cents[returned], part)

    known = day < n_days
    return_minute = _opening_hours(day[known] + hour_of_return[known], n_days)
    return (
        np.r_[customer, customer[returned[known]]],
        np.r_[minute, return_minute],
        np.r_[cents, -refund[known]],
    )


def _check(
    name: str, value: object, kind: type, expected: str, is_valid: Callable[[Any], bool]
) -> None:
    message = f"make_transactions: parameter {name!r} must be {expected}; got {value!r}"
    remedy = "Change it, or leave it out for the default."
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise SegkitTypeError(f"{message} of type {type(value).__name__}. {remedy}")
    if not is_valid(value):
        raise SegkitValueError(f"{message}. {remedy}")


def _read_day(name: str, value: object) -> datetime.date:
    expected = f"make_transactions: parameter {name!r} must be a day without time or time zone"
    remedy = "Pass a date or a string such as '2025-12-31'."
    if not isinstance(value, str | datetime.date):
        raise SegkitTypeError(f"{expected}; got {value!r} of type {type(value).__name__}. {remedy}")
    try:
        moment = pd.Timestamp(value)
    except ValueError as error:
        raise SegkitValueError(f"{expected}; got {value!r}. {remedy}") from error
    if pd.isna(moment) or moment.tz is not None or moment != moment.normalize():
        raise SegkitValueError(f"{expected}; got {value!r}. {remedy}")
    return moment.date()


def _read_random_state(random_state: Any) -> np.random.RandomState:
    # scikit-learn reads None as NumPy's global generator, which a draw would then change.
    if random_state is None:
        return np.random.RandomState()
    try:
        rng: np.random.RandomState = check_random_state(random_state)
    except (TypeError, ValueError) as error:
        raise SegkitValueError(
            "make_transactions: parameter 'random_state' must be an integer from 0 to 2**32 - 1, "
            f"a numpy.random.RandomState or None; got {random_state!r}. Pass an integer seed."
        ) from error
    return rng
