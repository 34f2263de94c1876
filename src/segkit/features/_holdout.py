"""The log cut in two: customers as of a day in the past, and what they did afterwards.

The split of the literature on customer lifetime value (Fader & Hardie 2001, "Forecasting repeat
sales at CDNOW"): a model is fitted on the calibration period and judged on the holdout period.
"""

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Literal

import narwhals.stable.v2 as nw
from narwhals.typing import IntoFrameT

from segkit._frames import RESERVED, Frame, require_frame
from segkit.exceptions import ColumnError, SegkitError, SegkitValueError
from segkit.features._calendar import AsOf, Moment, parse_as_of, time_zone
from segkit.features._expression_plan import rows_until
from segkit.features._log_checks import check_eager_log, with_clean_types
from segkit.features._options import OWNER as SUMMARY
from segkit.features._options import SummaryOptions, check_roles, checked_options
from segkit.features._pandas_log import (
    are_known_in_pandas,
    as_pyarrow,
    from_pyarrow,
    rows_until_in_pandas,
)
from segkit.features._summarize import customer_table

OWNER = "calibration_holdout_split"

HOLDOUT_COLUMNS = ("holdout_days", "holdout_orders", "holdout_order_days", "holdout_monetary")

_IS_KNOWN = f"{RESERVED}is_known"
_ORDERS = f"{RESERVED}orders"
_ORDER_DAYS = f"{RESERVED}order_days"


def calibration_holdout_split(
    transactions: IntoFrameT,
    *,
    calibration_end: Moment,
    holdout_end: Moment | None = None,
    customer_id: str = "customer_id",
    timestamp: str = "timestamp",
    amount: str = "amount",
    order_id: str | None = None,
    order_per: Literal["day", "row"] = "day",
    returns: Literal["net", "exclude"] = "net",
    missing: Literal["raise", "drop"] = "raise",
    extras: str | Sequence[str] = (),
    decimals: int = 6,
) -> IntoFrameT:
    """Summarize a transaction log as of a cut, and beside it what came after.

    The result is the customer table that was known at the cut, with the orders and the spend of
    each customer in the time from the cut to `holdout_end`. Fit a segmenter or a model of lifetime
    value on the former and compare what it says with the latter. It is computed inside the frame's
    own engine, and a lazy frame stays lazy.

    Parameters
    ----------
    transactions : pandas, polars, pyarrow, DuckDB or another frame that narwhals reads
        The log, as for :func:`~segkit.summarize_transactions`.
    calibration_end : str, date, datetime or numpy.datetime64
        The cut: the last moment of the calibration period. A date means the end of that day, a
        datetime (also ``pandas.Timestamp("2024-06-30")``, which is a midnight) that instant.
    holdout_end : str, date, datetime or numpy.datetime64, default=None
        The last moment of the holdout period, on a later day than the cut. Later rows are left
        out. None means the last day in the log; a lazy frame must be given a moment.
    customer_id, timestamp, amount : str, default="customer_id", "timestamp", "amount"
        Names of the columns.
    order_id : str, default=None
        Column whose distinct values, per customer, are the orders.
    order_per : {"day", "row"}, default="day"
        What an order is where there is no `order_id`: a customer's distinct day, or a row.
    returns : {"net", "exclude"}, default="net"
        Whether returns are subtracted from `monetary` and `holdout_monetary` or ignored. A return
        counts when it is made, wherever the order lies.
    missing : {"raise", "drop"}, default="raise"
        What a row up to `holdout_end` without id, timestamp, amount or order id does, as in
        :func:`~segkit.summarize_transactions`. In a lazy frame, where it cannot raise, one in the
        calibration period gives its customer nulls, one after it nulls in the holdout only.
    extras : str or sequence of str, default=()
        Further columns of the customer table: ``"returns"``, ``"clv"``, ``"last_gap"``.
    decimals : int, default=6
        Decimals to which sums of money are rounded.

    Returns
    -------
    frame of the same kind
        One row per customer with at least one order up to the cut, sorted by customer id where
        eager: the columns of :func:`~segkit.summarize_transactions` with
        ``as_of=calibration_end``, then

        - ``holdout_days``: calendar days from the cut to `holdout_end`, the same for all,
        - ``holdout_orders``: number of orders after the cut, counted as in ``frequency``,
        - ``holdout_order_days``: number of days with an order after the cut,
        - ``holdout_monetary``: spend after the cut, counted as in ``monetary``.

        The last three are 0 for those who did not come back. Customers whose first order comes
        after the cut are left out.

    Raises
    ------
    ColumnError
        For a column that is missing, or a customer id named like a result.
    SegkitTypeError
        For amounts that are not numbers, timestamps that are not dates, ids of mixed types, a
        log that is not a frame, a moment that is none.
    SegkitValueError
        For a `holdout_end` that is not on a later day than `calibration_end`, no order up to the
        cut, a moment whose time zone does not go with the log's, a lazy frame without
        `holdout_end`, and all else for which :func:`~segkit.summarize_transactions` raises it.
    MissingValuesError
        For missing values in an eager frame where ``missing="raise"``.

    See Also
    --------
    segkit.summarize_transactions : The table at one moment.

    Notes
    -----
    What is known at the cut is not counted again: an order id with rows on both sides is an order
    of the calibration period, and where the cut lies within a day, so is the customer's day if it
    had an order before. Only the money of the rows after the cut is holdout money. Hence
    ``frequency + holdout_orders``, ``order_days + holdout_order_days`` and, but for rounding,
    ``monetary + holdout_monetary`` are the values as of `holdout_end`, and ``holdout_days`` is what
    ``tenure_days`` grows by.

    A log that ends before `holdout_end` looks like one in which nobody orders any more.

    DuckDB and Spark read zoned timestamps in the zone of their session: set it to the log's.

    References
    ----------
    Fader, P. S. and Hardie, B. G. S. (2001). Forecasting repeat sales at CDNOW: a case study.
    Interfaces 31(3), S94-S107.

    Examples
    --------
    >>> import pandas as pd
    >>> from segkit.features import calibration_holdout_split
    >>> log = pd.DataFrame(
    ...     [
    ...         (7, "2024-01-05", 20.0),
    ...         (7, "2024-04-01", 35.0),
    ...         (7, "2024-05-09", 5.0),
    ...         (8, "2024-02-10", 12.5),
    ...         (8, "2024-04-02", -12.5),
    ...         (9, "2024-06-01", 8.0),
    ...     ],
    ...     columns=["customer_id", "timestamp", "amount"],
    ... )
    >>> split = calibration_holdout_split(
    ...     log, calibration_end="2024-03-31", holdout_end="2024-06-30"
    ... )
    >>> split[["customer_id", "frequency", "monetary", "holdout_orders", "holdout_monetary"]]
       customer_id  frequency  monetary  holdout_orders  holdout_monetary
    0            7          1      20.0               2              40.0
    1            8          1      12.5               0             -12.5
    >>> split["holdout_days"].unique()
    array([91])
    """
    with _errors_of_the_split("calibration_end"):
        options = SummaryOptions(
            customer_id=customer_id,
            timestamp=timestamp,
            amount=amount,
            order_id=order_id,
            order=order_per if order_id is None else "id",
            as_of=calibration_end,
            returns=returns,
            missing=missing,
            extras=checked_options(order_per, returns, missing, extras, decimals),
            decimals=decimals,
        )
        _check_roles(options)
        log = with_clean_types(require_frame(transactions, owner=OWNER), options)
        cut = parse_as_of(calibration_end, zone=time_zone(log, timestamp), owner=OWNER)
    is_pyarrow = log.implementation.is_pyarrow()
    if is_pyarrow:
        log = nw.from_native(from_pyarrow(log.to_native()))
    with _errors_of_the_split("holdout_end"):
        log, end = _rows_until(log, replace(options, as_of=holdout_end))
        if end.day <= cut.day:
            given = "the last day of the log, " if holdout_end is None else ""
            raise SegkitValueError(
                f"{OWNER}: the holdout period must end on a later day than calibration_end="
                f"{calibration_end}, got {given}{end.day}."
            )
        if isinstance(log, nw.DataFrame):
            log = check_eager_log(log, options)
    with _errors_of_the_split("calibration_end"):
        customers = customer_table(log, options)
    with _errors_of_the_split("holdout_end"):
        # The orders up to the cut stay, without their money, so that none is counted again.
        emptied = _without_money_up_to(cut, log, options)
        in_the_end = customer_table(emptied, replace(options, as_of=end.day, extras=()))
    table = _with_holdout(customers, in_the_end, (end.day - cut.day).days, options)
    native: Any = table.to_native()
    split: IntoFrameT = as_pyarrow(native) if is_pyarrow else native
    return split


def _rows_until(log: Frame, options: SummaryOptions) -> tuple[Frame, AsOf]:
    """Return the rows up to `as_of`, and that moment; None: the last day in the log."""
    rows: Frame
    if log.implementation.is_pandas():
        native, end = rows_until_in_pandas(log.to_native(), options)
        rows = nw.from_native(native)
    else:
        rows, end = rows_until(log, options)
    if options.as_of is None:  # which gave the day after
        end = AsOf(end.day - dt.timedelta(days=1))
    return rows, end


def _without_money_up_to(cut: AsOf, log: Frame, options: SummaryOptions) -> Frame:
    """Make the orders up to a moment free, and leave out the returns up to it.

    Rows that lack something, or are infinite, stay as they are: in a lazy frame they make their
    customer unknown.
    """
    value, time = nw.col(options.amount), nw.col(options.timestamp)
    if log.implementation.is_pandas():
        known = are_known_in_pandas(log.to_native()[options.timestamp], cut)
        flags = nw.new_series(_IS_KNOWN, known, nw.Boolean, backend="pandas")
        log = log.with_columns(flags)
        is_known = nw.col(_IS_KNOWN)
    else:
        dtype = log.collect_schema()[options.timestamp]
        is_known = cut.is_known(time, dtype, log.implementation)
    is_settled = is_known & value.is_finite()
    is_return = (is_settled & (value < 0)).fill_null(value=False)
    money = nw.when(is_settled).then(nw.lit(0.0)).otherwise(value).alias(options.amount)
    without: Frame = log.filter(~is_return).with_columns(money)
    return without


def _with_holdout(
    customers: Frame, in_the_end: Frame, holdout_days: int, options: SummaryOptions
) -> Frame:
    """Join what customers did in all, with the money after the cut only, to the table at it."""
    customer_id = options.customer_id
    totals: Any = in_the_end.select(
        customer_id,
        nw.col("frequency").alias(_ORDERS),
        nw.col("order_days").alias(_ORDER_DAYS),
        nw.col("monetary").alias("holdout_monetary"),
    )
    joined: Any = customers.join(totals, on=customer_id, how="left")
    table = joined.with_columns(
        nw.lit(holdout_days, nw.Int64).alias("holdout_days"),
        (nw.col(_ORDERS) - nw.col("frequency")).alias("holdout_orders"),
        (nw.col(_ORDER_DAYS) - nw.col("order_days")).alias("holdout_order_days"),
    ).select(customer_id, *options.result_columns, *HOLDOUT_COLUMNS)
    if isinstance(table, nw.DataFrame) and not table.implementation.is_pandas():
        table = table.sort(customer_id)  # a join promises no order
    result: Frame = table
    return result


def _check_roles(options: SummaryOptions) -> None:
    check_roles(options)
    if options.customer_id.casefold() in HOLDOUT_COLUMNS:
        raise ColumnError(
            f"{OWNER}: the customer id is named {options.customer_id!r}, as a column of the result "
            "is. Rename it."
        )


@contextmanager
def _errors_of_the_split(moment: str) -> Iterator[None]:
    """Tell errors of the summary by the name of this function, and of its parameter for `as_of`."""
    try:
        yield
    except SegkitError as error:
        message = re.sub(f"^{SUMMARY}:", f"{OWNER}:", str(error))
        # Not within quotes, in which the names of columns stand.
        message = re.sub(r"(?<!['\w])as_of(?!['\w])", moment, message)
        raise type(error)(message.replace(f"an {moment}", f"a {moment}")) from None
