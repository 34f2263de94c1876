"""``summarize_transactions`` as one plan of expressions, run by the frame's own engine."""

from typing import Any

import narwhals.stable.v2 as nw
import pandas as pd

from segkit._frames import RESERVED, Frame
from segkit.exceptions import SegkitValueError
from segkit.features._calendar import AsOf, date_of, day_number, parse_as_of, time_zone
from segkit.features._log_checks import (
    check_any_time,
    check_eager_log,
    check_finite_sums,
    check_known_rows,
    check_orders,
    missing_values,
    refuse_the_epoch,
)
from segkit.features._options import OWNER, SummaryOptions

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


def summarize_by_expressions(log: Frame, options: SummaryOptions) -> Frame:
    """Return the customer table of a log with clean types; a lazy frame stays lazy."""
    log = log.with_columns(day_number(nw.col(options.timestamp)).alias(_DAY))
    log, moment = _until(log, options)
    if isinstance(log, nw.DataFrame):
        log = check_eager_log(log, options).with_columns(nw.lit(0).alias(_BAD))
    else:
        log = _flag_bad_rows(log, options)
    customers = _per_customer(_transaction_columns(log, options), options)
    table: Frame = _customer_columns(customers, moment, options)
    if isinstance(table, nw.DataFrame):
        check_orders(len(table))
        check_finite_sums(bool(table["monetary"].is_finite().all()))
        table = nw.maybe_reset_index(table.sort(options.customer_id))
    return table


def _until(log: Frame, options: SummaryOptions) -> tuple[Any, AsOf]:
    """Return the rows known at `as_of`, those without a timestamp included, and the moment."""
    timestamp, as_of = options.timestamp, options.as_of
    if isinstance(log, nw.DataFrame):
        refuse_the_epoch(log[_DAY].min(), log[_DAY].max(), len(log), timestamp)
    if as_of is None:
        if isinstance(log, nw.LazyFrame):
            raise SegkitValueError(
                f"{OWNER}: a lazy frame needs as_of, because its last row is not known before it "
                "is executed. Pass a date such as as_of='2024-06-30'."
            )
        last_day = log[_DAY].max()
        check_any_time(not pd.isna(last_day), timestamp)
        return log, AsOf(date_of(int(last_day) + 1, owner=OWNER))
    moment = parse_as_of(as_of, zone=time_zone(log, timestamp), owner=OWNER)
    is_date = log.collect_schema()[timestamp] == nw.Date
    known = moment.is_known(nw.col(timestamp), nw.col(_DAY), is_date=is_date)
    until: Any = log.filter(known | nw.col(_DAY).is_null())
    if isinstance(until, nw.DataFrame) and isinstance(log, nw.DataFrame):
        check_known_rows(len(until), log[_DAY].min(), as_of)
    return until, moment


def _flag_bad_rows(log: Any, options: SummaryOptions) -> Any:
    """Mark the rows of a lazy frame that an eager one would raise for, or leave them out."""
    absent = missing_values(log, options)
    value = nw.col(options.amount)
    bad = ~value.is_null() & ~value.is_nan() & ~value.is_finite()
    # DuckDB has timestamps at infinity, which are on no day.
    bad = bad | (nw.col(_DAY).is_null() & ~nw.col(options.timestamp).is_null())
    if options.missing == "drop":
        log = log.filter(*(~condition for condition in absent.values()))
    else:
        for condition in absent.values():
            bad = bad | condition
    flagged = log.with_columns(nw.when(bad).then(nw.lit(1)).otherwise(nw.lit(0)).alias(_BAD))
    # A masked amount counts as no order and no return, and cannot poison a sum.
    return flagged.with_columns(nw.when(nw.col(_BAD) == 0).then(value).alias(options.amount))


def _transaction_columns(log: Any, options: SummaryOptions) -> Any:
    """Add what each row contributes: null where it contributes nothing to a minimum or count."""
    value = nw.col(options.amount)
    is_order, is_return = value >= 0, value < 0
    rows = log.with_columns(
        nw.when(is_order).then(nw.col(_DAY)).alias(_ORDER_DAY),
        nw.when(is_order).then(nw.col(options.timestamp)).alias(_ORDER_TIME),
        nw.when(is_order).then(value).otherwise(nw.lit(0.0)).alias(_PAID),
        nw.when(is_return).then(-value).otherwise(nw.lit(0.0)).alias(_RETURNED),
        nw.when(is_order).then(nw.lit(1)).otherwise(nw.lit(0)).alias(_IS_ORDER),
        nw.when(is_return).then(nw.lit(1)).otherwise(nw.lit(0)).alias(_IS_RETURN),
    )
    if options.order_id is not None:
        order = nw.when(is_order).then(nw.col(options.order_id))
        rows = rows.with_columns(order.alias(_ORDER_ID))
    net = options.returns == "net"
    counted = nw.col(_PAID) - nw.col(_RETURNED) if net else nw.col(_PAID)
    return rows.with_columns(counted.alias(_COUNTED))


def _per_customer(rows: Any, options: SummaryOptions) -> Any:
    customer_id, wanted = options.customer_id, options.extras
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


def _customer_columns(customers: Any, moment: AsOf, options: SummaryOptions) -> Any:
    order, decimals, wanted = options.order, options.decimals, options.extras
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
    columns = options.result_columns
    if isinstance(customers, nw.LazyFrame):
        return customers.select(
            nw.col(options.customer_id),
            *(nw.when(nw.col(_BAD) == 0).then(nw.col(name)).alias(name) for name in columns),
        )
    return customers.select(options.customer_id, *columns)


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
