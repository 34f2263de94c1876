"""From a transaction log to one row per customer: recency, frequency, monetary value, tenure.

The words are those of RFM (Hughes 1994): recency counts from the last order, frequency counts
orders, not repeat orders.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Any, Literal

import narwhals.stable.v2 as nw
from narwhals.typing import IntoFrameT

from segkit._frames import RESERVED, Frame, require_frame
from segkit.exceptions import MissingValuesError, SegkitValueError
from segkit.features._calendar import AsOf, Moment, date_of, day_number, parse_as_of, time_zone
from segkit.features._log_checks import (
    check_eager_log,
    missing_values,
    with_clean_types,
)
from segkit.features._options import EXTRAS, OWNER, RESULT_COLUMNS, check_roles, checked_options

# Columns that the plan adds to the log, out of the way of the user's names.
_DAY = f"{RESERVED}day"
_BAD = f"{RESERVED}bad"
_ORDER_DAY = f"{RESERVED}order_day"
_ORDER_TIME = f"{RESERVED}order_time"
_ORDER_ID = f"{RESERVED}order_id"
_PAID = f"{RESERVED}paid"
_RETURNED = f"{RESERVED}returned"
_COUNTED = f"{RESERVED}counted"
_IS_ORDER = f"{RESERVED}is_order"
_IS_RETURN = f"{RESERVED}is_return"
_FIRST_DAY = f"{RESERVED}first_day"
_LAST_DAY = f"{RESERVED}last_day"
_FIRST_DAY_AMOUNT = f"{RESERVED}first_day_amount"
_DAY_BEFORE_LAST = f"{RESERVED}day_before_last"


def summarize_transactions(
    transactions: IntoFrameT,
    *,
    customer_id: str = "customer_id",
    timestamp: str = "timestamp",
    amount: str = "amount",
    order_id: str | None = None,
    order_per: Literal["day", "row"] = "day",
    as_of: Moment | None = None,
    returns: Literal["net", "exclude"] = "net",
    missing: Literal["raise", "drop"] = "raise",
    extras: str | Sequence[str] = (),
    decimals: int = 6,
) -> IntoFrameT:
    """Summarize a transaction log into one row per customer.

    The result is the customer table on which every segmenter works. It is computed inside the
    frame's own engine, and a lazy frame stays lazy.

    Parameters
    ----------
    transactions : pandas, polars, pyarrow, DuckDB or another frame that narwhals reads
        The log, a row per transaction or line item, in any order; it may have further columns.
    customer_id, timestamp, amount : str, default="customer_id", "timestamp", "amount"
        Names of the columns. Timestamps are dates or datetimes (in an eager frame also ISO 8601
        text, with offsets in pandas only); days are whole calendar days in their own time zone.
        A row with a negative amount is a return and never an order; a row with amount zero is an
        order.
    order_id : str, default=None
        Column whose distinct values, per customer, are the orders. An order with rows on two
        days counts on both in ``order_days``.
    order_per : {"day", "row"}, default="day"
        What an order is where there is no `order_id`: a customer's distinct day, or a row.
    as_of : str, date, datetime or numpy.datetime64, default=None
        The moment that the table describes. A date, or text such as ``"2024-06-30"``, means the
        end of that day; a datetime (also ``pandas.Timestamp("2024-06-30")``, which is a
        midnight) means that instant. Later rows are left out. None means the day after the last
        row, so pass a date where the log may hold mistaken ones in the future; a lazy frame must
        be given a moment.
    returns : {"net", "exclude"}, default="net"
        Whether returns are subtracted from `monetary` or ignored.
    missing : {"raise", "drop"}, default="raise"
        What a row without id, timestamp or amount (or order id, unless it is a return) does: an
        error, or it is left out. A lazy frame cannot raise: there, the customer of such a row,
        which may be the missing one, gets nulls. Infinite amounts are an error, and in a lazy
        frame nulls, in either case.
    extras : str or sequence of str, default=()
        Further columns: ``"returns"``, ``"clv"``, ``"last_gap"``; see below.
    decimals : int, default=6
        Decimals to which sums of money are rounded, once, here, because engines add in
        different orders and their last digits would move ties.

    Returns
    -------
    frame of the same kind
        One row per customer with at least one order (those with nothing but returns are left
        out), sorted by customer id where eager:

        - the customer id under its own name and of its own type,
        - ``recency_days``: days from the last order to `as_of`,
        - ``frequency``: number of orders,
        - ``order_days``: number of distinct days with an order,
        - ``monetary``: total spend,
        - ``tenure_days``: days from the first order to `as_of`,
        - ``mean_order_value``: monetary / frequency,
        - ``mean_gap_days``: mean days between order days, missing where there is one,
        - ``first_order``, ``last_order``: timestamps;
        - with ``"returns"``: ``return_count`` (rows) and ``return_amount`` (positive),
        - with ``"clv"``: ``first_day_amount``, the spend on the first order day, counted as in
          ``monetary``,
        - with ``"last_gap"``: ``last_gap_days``, days between the last two order days, missing
          where there is one.

    Raises
    ------
    ColumnError
        For a column that is missing, or a customer id named like a result.
    SegkitTypeError
        For amounts that are not numbers, timestamps that are not dates, ids of mixed types, a
        log that is not a frame.
    SegkitValueError
        For infinite amounts or sums, text that is no date, mixed time zones, an empty log, no
        order up to `as_of`, an `as_of` whose time zone does not go with the log's, a lazy frame
        without `as_of`, an unknown option.
    MissingValuesError
        For missing values in an eager frame where ``missing="raise"``.

    See Also
    --------
    segkit.RFMScorer : Scores the table.

    Notes
    -----
    DuckDB and Spark read zoned timestamps in the zone of their session: set it to the log's.

    Examples
    --------
    >>> import pandas as pd
    >>> from segkit import summarize_transactions
    >>> log = pd.DataFrame(
    ...     {
    ...         "customer_id": [7, 7, 7, 8],
    ...         "timestamp": ["2024-01-05", "2024-03-01", "2024-03-09", "2024-02-10"],
    ...         "amount": [20.0, 35.0, -5.0, 12.5],
    ...     }
    ... )
    >>> customers = summarize_transactions(log, as_of="2024-03-31")
    >>> customers[["customer_id", "recency_days", "frequency", "monetary", "tenure_days"]]
       customer_id  recency_days  frequency  monetary  tenure_days
    0            7            30          2      50.0           86
    1            8            50          1      12.5           50
    """
    wanted = checked_options(order_per, returns, missing, extras, decimals)
    check_roles(customer_id, timestamp, amount, order_id)
    log = require_frame(transactions, owner=OWNER)
    names: dict[str, Any] = {
        "customer_id": customer_id,
        "timestamp": timestamp,
        "amount": amount,
        "order_id": order_id,
    }
    log = with_clean_types(log, **names).with_columns(day_number(nw.col(timestamp)).alias(_DAY))
    if isinstance(log, nw.DataFrame):
        _refuse_the_epoch(log, timestamp)
    log, moment = _until(log, as_of, timestamp)
    if isinstance(log, nw.DataFrame):
        log = check_eager_log(log, **names, missing=missing).with_columns(nw.lit(0).alias(_BAD))
    else:
        log = _flag_bad_rows(log, **names, missing=missing)
    rows = _transaction_columns(log, timestamp, amount, order_id, returns)
    customers = _per_customer(rows, customer_id, wanted)
    order = order_per if order_id is None else "id"
    table = _customer_columns(customers, customer_id, moment, wanted, order, decimals)
    if isinstance(table, nw.DataFrame):
        if not len(table):
            raise SegkitValueError(
                f"{OWNER}: the log holds no order: every amount is negative, which makes a "
                "return. Are purchases booked as negative amounts?"
            )
        if not table["monetary"].is_finite().all():
            raise SegkitValueError(
                f"{OWNER}: the amounts of a customer add up to more than a number can hold."
            )
        table = nw.maybe_reset_index(table.sort(customer_id))
        if table.implementation.is_pandas_like():
            # pandas' group-by may choose another dtype for the ids of an object column.
            dtype = log.to_native()[customer_id].dtype
            table = nw.from_native(table.to_native().astype({customer_id: dtype}))
    native: IntoFrameT = table.to_native()
    return native


def _refuse_the_epoch(log: nw.DataFrame[Any], timestamp: str) -> None:
    """Raise where the whole log lies on 1 January 1970: numbers were read as nanoseconds."""
    epoch = dt.date(1970, 1, 1).toordinal()
    if len(log) > 1 and (log[_DAY].min(), log[_DAY].max()) == (epoch, epoch):
        raise SegkitValueError(
            f"{OWNER}: every row of {timestamp!r} is on 1970-01-01. Numbers such as 20240131 were "
            "probably read as nanoseconds since then; read them again, for example with "
            "pandas.to_datetime(..., format='%Y%m%d') or unit='s'."
        )


def _until(log: Frame, as_of: Moment | None, timestamp: str) -> tuple[Any, AsOf]:
    """Return the rows known at `as_of`, those without a timestamp included, and the moment."""
    if as_of is None:
        if isinstance(log, nw.LazyFrame):
            raise SegkitValueError(
                f"{OWNER}: a lazy frame needs as_of, because its last row is not known before it "
                "is executed. Pass a date such as as_of='2024-06-30'."
            )
        last_day = log[_DAY].max()
        if last_day is None or last_day != last_day:
            raise MissingValuesError(f"{OWNER}: column {timestamp!r} has only missing values.")
        return log, AsOf(date_of(int(last_day) + 1, owner=OWNER))
    moment = parse_as_of(as_of, zone=time_zone(log, timestamp), owner=OWNER)
    is_date = log.collect_schema()[timestamp] == nw.Date
    known = moment.is_known(nw.col(timestamp), nw.col(_DAY), is_date=is_date)
    until: Any = log.filter(known | nw.col(_DAY).is_null())
    if isinstance(until, nw.DataFrame) and not len(until):
        raise SegkitValueError(
            f"{OWNER}: no row of the log is at or before as_of={as_of}; the first is on day "
            f"{date_of(int(log[_DAY].min()), owner=OWNER)}."
        )
    return until, moment


def _flag_bad_rows(
    log: Any,
    *,
    customer_id: str,
    timestamp: str,
    amount: str,
    order_id: str | None,
    missing: str,
) -> Any:
    """Mark the rows of a lazy frame that an eager one would raise for, or leave them out."""
    absent = missing_values(log, customer_id, timestamp, amount, order_id)
    value = nw.col(amount)
    bad = ~value.is_null() & ~value.is_nan() & ~value.is_finite()
    # DuckDB has timestamps at infinity, which are on no day.
    bad = bad | (nw.col(_DAY).is_null() & ~nw.col(timestamp).is_null())
    if missing == "drop":
        log = log.filter(*(~condition for condition in absent.values()))
    else:
        for condition in absent.values():
            bad = bad | condition
    flagged = log.with_columns(nw.when(bad).then(nw.lit(1)).otherwise(nw.lit(0)).alias(_BAD))
    # A masked amount counts as no order and no return, and cannot poison a sum.
    return flagged.with_columns(nw.when(nw.col(_BAD) == 0).then(value).alias(amount))


def _transaction_columns(
    log: Any, timestamp: str, amount: str, order_id: str | None, returns: str
) -> Any:
    """Add what each row contributes: null where it contributes nothing to a minimum or count."""
    value = nw.col(amount)
    is_order, is_return = value >= 0, value < 0
    rows = log.with_columns(
        nw.when(is_order).then(nw.col(_DAY)).alias(_ORDER_DAY),
        nw.when(is_order).then(nw.col(timestamp)).alias(_ORDER_TIME),
        nw.when(is_order).then(value).otherwise(nw.lit(0.0)).alias(_PAID),
        nw.when(is_return).then(-value).otherwise(nw.lit(0.0)).alias(_RETURNED),
        nw.when(is_order).then(nw.lit(1)).otherwise(nw.lit(0)).alias(_IS_ORDER),
        nw.when(is_return).then(nw.lit(1)).otherwise(nw.lit(0)).alias(_IS_RETURN),
    )
    if order_id is not None:
        rows = rows.with_columns(nw.when(is_order).then(nw.col(order_id)).alias(_ORDER_ID))
    counted = nw.col(_PAID) - nw.col(_RETURNED) if returns == "net" else nw.col(_PAID)
    return rows.with_columns(counted.alias(_COUNTED))


def _per_customer(rows: Any, customer_id: str, wanted: Sequence[str]) -> Any:
    order_day = nw.col(_ORDER_DAY)
    aggregates = [
        order_day.min().alias(_FIRST_DAY),
        order_day.max().alias(_LAST_DAY),
        order_day.n_unique().alias("order_days"),
        nw.col(_ORDER_TIME).min().alias("first_order"),
        nw.col(_ORDER_TIME).max().alias("last_order"),
        nw.col(_COUNTED).sum().alias("monetary"),
        nw.col(_IS_ORDER).sum().alias(_IS_ORDER),
        nw.col(_IS_RETURN).sum().alias("return_count"),
        nw.col(_RETURNED).sum().alias("return_amount"),
        nw.col(_BAD).max().alias(_BAD),
    ]
    if _ORDER_ID in rows.collect_schema().names():
        aggregates.append(nw.col(_ORDER_ID).n_unique().alias(_ORDER_ID))
    if "clv" in wanted or "last_gap" in wanted:
        # A join and no window: narwhals' window on pyarrow returns the rows in another order.
        bounds = rows.group_by(customer_id).agg(
            order_day.min().alias(_FIRST_DAY), order_day.max().alias(_LAST_DAY)
        )
        rows = rows.join(bounds, on=customer_id, how="left").with_columns(
            nw.when(nw.col(_DAY) == nw.col(_FIRST_DAY))
            .then(nw.col(_COUNTED))
            .otherwise(nw.lit(0.0))
            .alias(_FIRST_DAY_AMOUNT),
            nw.when(order_day < nw.col(_LAST_DAY)).then(order_day).alias(_DAY_BEFORE_LAST),
        )
        aggregates += [
            nw.col(_FIRST_DAY_AMOUNT).sum().alias("first_day_amount"),
            nw.col(_DAY_BEFORE_LAST).max().alias(_DAY_BEFORE_LAST),
        ]
    return rows.group_by(customer_id).agg(*aggregates)


def _customer_columns(
    customers: Any,
    customer_id: str,
    moment: AsOf,
    wanted: Sequence[str],
    order: str,
    decimals: int,
) -> Any:
    customers = customers.filter((nw.col(_IS_ORDER) > 0) | (nw.col(_BAD) > 0))
    as_of_day = moment.day.toordinal()
    # Returns leave a null among the days and order ids, which n_unique counts.
    null_among_orders = nw.when(nw.col("return_count") > 0).then(nw.lit(1)).otherwise(nw.lit(0))
    order_days = nw.col("order_days") - null_among_orders
    if order == "day":
        frequency = order_days
    elif order == "row":
        frequency = nw.col(_IS_ORDER)
    else:
        frequency = nw.col(_ORDER_ID) - null_among_orders
    customers = customers.with_columns(
        (as_of_day - nw.col(_LAST_DAY)).cast(nw.Int64).alias("recency_days"),
        frequency.cast(nw.Int64).alias("frequency"),
        order_days.cast(nw.Int64).alias("order_days"),
        _rounded("monetary", decimals),
        (as_of_day - nw.col(_FIRST_DAY)).cast(nw.Int64).alias("tenure_days"),
        nw.col("return_count").cast(nw.Int64).alias("return_count"),
        _rounded("return_amount", decimals),
    )
    span = (nw.col(_LAST_DAY) - nw.col(_FIRST_DAY)).cast(nw.Float64)
    customers = customers.with_columns(
        (nw.col("monetary") / nw.col("frequency")).alias("mean_order_value"),
        nw.when(nw.col("order_days") > 1)
        .then(span / (nw.col("order_days") - 1))
        .alias("mean_gap_days"),
    )
    if "clv" in wanted:
        customers = customers.with_columns(_rounded("first_day_amount", decimals))
    if "last_gap" in wanted:
        gap = nw.col(_LAST_DAY) - nw.col(_DAY_BEFORE_LAST)
        customers = customers.with_columns(gap.cast(nw.Float64).alias("last_gap_days"))
    columns = [*RESULT_COLUMNS, *(name for extra in wanted for name in EXTRAS[extra])]
    if isinstance(customers, nw.LazyFrame):
        return customers.select(
            nw.col(customer_id),
            *(nw.when(nw.col(_BAD) == 0).then(nw.col(name)).alias(name) for name in columns),
        )
    return customers.select(customer_id, *columns)


def _rounded(name: str, decimals: int) -> nw.Expr:
    """Round money to whole units of the last decimal, halves up, the same in every engine.

    Rounding to decimals is not: pyarrow and numpy can differ in the last digit, and some engines
    round halves to even. Nor is dividing by a constant, which polars turns into a product, hence
    a column of constants. Sums too large to have these decimals stay as they are.
    """
    value = nw.col(name)
    units = nw.col(_IS_ORDER).cast(nw.Float64) * 0 + 10.0**decimals
    scaled = value * units
    rounded = (scaled + 0.5).floor() / units
    return nw.when(scaled.abs() < 2.0**52).then(rounded).otherwise(value).alias(name)
