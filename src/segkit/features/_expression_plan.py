"""``summarize_transactions`` as one plan of expressions, run by the frame's own engine."""

import datetime as dt
from typing import Any

import narwhals.stable.v2 as nw
import pandas as pd

from segkit._frames import RESERVED, Frame
from segkit._ibis_tables import legible
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

# Columns that the plan adds, out of the way of the user's names.
_DAY = f"{RESERVED}day"
_ORDER_DAY = f"{RESERVED}order_day"
_ORDER_TIME = f"{RESERVED}order_time"
_ORDER_ID = f"{RESERVED}order_id"
_N_ROWS = f"{RESERVED}n_rows"
_N_ORDERS = f"{RESERVED}n_orders"
_N_AMOUNTS = f"{RESERVED}n_amounts"
_N_ORDER_IDS = f"{RESERVED}n_order_ids"
_RETURNED = f"{RESERVED}returned"
_COUNTED = f"{RESERVED}counted"
_FIRST_DAY = f"{RESERVED}first_day"
_LAST_DAY = f"{RESERVED}last_day"
_FIRST_DAY_OF = f"{RESERVED}first_day_of"
_LAST_DAY_OF = f"{RESERVED}last_day_of"
_FIRST_DAY_AMOUNT = f"{RESERVED}first_day_amount"
_DAY_BEFORE_LAST = f"{RESERVED}day_before_last"

# The number of a day beyond every calendar, which is too large for some engines.
_FAR = 10**9


def summarize_by_expressions(log: Frame, options: SummaryOptions) -> Frame:
    """Return the customer table of a log with clean types; a lazy frame stays lazy."""
    log, moment = rows_until(log, options)
    if isinstance(log, nw.LazyFrame):
        lazy: Frame = _customer_table(_with_bad_amounts_masked(log, options), moment, options)
        return nw.from_native(legible(lazy.to_native())) if lazy.implementation.is_ibis() else lazy
    log = check_eager_log(log, options)
    has_returns = bool(log[options.amount].min() < 0)
    # polars runs a lazy plan faster than the same steps one by one.
    plan = log.lazy() if log.implementation.is_polars() else log
    table = _customer_table(plan, moment, options, has_returns=has_returns, may_be_bad=False)
    table = table.sort(options.customer_id)
    if isinstance(table, nw.LazyFrame):
        table = table.collect()
    check_orders(len(table))
    check_finite_sums(bool(table["monetary"].is_finite().all()))
    eager: Frame = nw.maybe_reset_index(table)
    return eager


def rows_until(log: Frame, options: SummaryOptions) -> tuple[Any, AsOf]:
    """Return the rows known at `as_of`, those without a timestamp included, and the moment."""
    timestamp, as_of = options.timestamp, options.as_of
    first, last = None, None
    if isinstance(log, nw.DataFrame):
        first, last = _first_and_last_day(log, timestamp)
        refuse_the_epoch(first, last, len(log), timestamp)
    if as_of is None:
        if isinstance(log, nw.LazyFrame):
            raise SegkitValueError(
                f"{OWNER}: a lazy frame needs as_of, because its last row is not known before it "
                "is executed. Pass a date such as as_of='2024-06-30'."
            )
        check_any_time(last is not None, timestamp)
        return log, AsOf(date_of(last + 1 if last else 0, owner=OWNER))
    moment = parse_as_of(as_of, zone=time_zone(log, timestamp), owner=OWNER)
    if last is not None and last < moment.day.toordinal():
        return log, moment
    dtype = log.collect_schema()[timestamp]
    known = moment.is_known(nw.col(timestamp), dtype, log.implementation)
    until: Any = log.filter(known | nw.col(timestamp).is_null())
    if isinstance(until, nw.DataFrame):
        check_known_rows(len(until), first, as_of)
    return until, moment


def _first_and_last_day(log: nw.DataFrame[Any], timestamp: str) -> tuple[Any, Any]:
    """Return the numbers of the first and of the last day, None where there is no timestamp."""
    engine, time = log.implementation, nw.col(timestamp)
    if engine.is_polars() and time_zone(log, timestamp) is None:
        ends = log.select(first=time.min(), last=time.max())
        ends = ends.select(day_number(nw.col("first"), engine), day_number(nw.col("last"), engine))
    else:  # a clock set back over midnight takes a later instant to an earlier day
        day = day_number(time, engine)
        ends = log.select(first=day.min(), last=day.max())
    first, last = ends.row(0)
    if pd.isna(first):
        return None, None
    return int(first), _FAR if pd.isna(last) else int(last)


def _with_bad_amounts_masked(log: Any, options: SummaryOptions) -> Any:
    """Take the amount from rows of a lazy frame that an eager one would raise for, or drop them.

    A masked amount is no order and no return, cannot poison a sum, and tells that its customer has
    such a row.
    """
    absent = missing_values(log, options)
    value, time = nw.col(options.amount), nw.col(options.timestamp)
    # A missing amount is not finite, and a missing time not later than another: null is not true.
    good = value.is_finite()
    if options.missing == "drop":
        log = log.filter(*(~condition for condition in absent.values()))
    else:
        for name, condition in absent.items():
            if name not in (options.amount, options.timestamp):
                good = good & ~condition
    if log.implementation.is_duckdb():  # which has timestamps at infinity
        unit = getattr(log.collect_schema()[options.timestamp], "time_unit", None)
        good = good & (time >= nw.lit(dt.datetime(1678 if unit == "ns" else 1, 1, 1)))
    else:
        good = good & ~time.is_null()
    return log.with_columns(nw.when(good).then(value).alias(options.amount))


def _customer_table(
    log: Any,
    moment: AsOf,
    options: SummaryOptions,
    *,
    has_returns: bool = True,
    may_be_bad: bool = True,
) -> Any:
    """Return the table, knowing or not that no row is a return, and that no amount is masked."""
    rows = _transaction_columns(log, options, has_returns=has_returns)
    has_zone = time_zone(log, options.timestamp) is not None
    customers = _per_customer(rows, options, has_zone=has_zone, may_be_bad=may_be_bad)
    return _customer_columns(customers, moment, options, may_be_bad=may_be_bad)


def _transaction_columns(log: Any, options: SummaryOptions, *, has_returns: bool) -> Any:
    """Add what each row contributes: null where it contributes nothing to a minimum or count."""
    value = nw.col(options.amount)

    def of_orders(column: str) -> nw.Expr:
        return nw.when(value >= 0).then(nw.col(column)) if has_returns else nw.col(column)

    added = {_ORDER_TIME: of_orders(options.timestamp)}
    if options.returns == "exclude":
        added[_COUNTED] = of_orders(options.amount)
    if options.order_id is not None:
        added[_ORDER_ID] = of_orders(options.order_id)
    if "returns" in options.extras:
        added[_RETURNED] = nw.when(value < 0).then(-value).otherwise(nw.lit(0.0))
    if "clv" in options.extras:
        # Only where there is an amount: DuckDB does not count the days to a timestamp at infinity.
        time = nw.when(~value.is_null()).then(nw.col(options.timestamp))
        added[_DAY] = day_number(time, log.implementation)
    rows = log.with_columns(**added)
    order_day = day_number(nw.col(_ORDER_TIME), log.implementation)
    return rows.with_columns(order_day.alias(_ORDER_DAY))


def _per_customer(rows: Any, options: SummaryOptions, *, has_zone: bool, may_be_bad: bool) -> Any:
    customer_id, wanted = options.customer_id, options.extras
    counted = nw.col(options.amount if options.returns == "net" else _COUNTED)
    order_day, order_time = nw.col(_ORDER_DAY), nw.col(_ORDER_TIME)
    aggregates = [
        order_time.min().alias("first_order"),
        order_time.max().alias("last_order"),
        nw.len().alias(_N_ROWS),
        counted.sum().alias("monetary"),
    ]
    if may_be_bad:
        aggregates.append(nw.col(options.amount).count().alias(_N_AMOUNTS))
    if has_zone:  # a clock set back over midnight takes a later instant to an earlier day
        aggregates += [order_day.min().alias(_FIRST_DAY), order_day.max().alias(_LAST_DAY)]
    if "returns" in wanted:
        aggregates.append(nw.col(_RETURNED).sum().alias("return_amount"))
    distinct = {"order_days": _ORDER_DAY}
    if options.order_id is not None:
        distinct[_N_ORDER_IDS] = _ORDER_ID
    # DuckDB takes twice as long beside other sums; dask does not count nulls.
    counted_apart = rows.implementation.is_duckdb() or rows.implementation.is_dask()
    if not counted_apart or options.order == "row" or "returns" in wanted:
        aggregates.append(order_time.count().alias(_N_ORDERS))
    if not counted_apart:
        aggregates += [nw.col(column).n_unique().alias(name) for name, column in distinct.items()]
    if "clv" in wanted or "last_gap" in wanted:
        # A join and no window, which would sort the rows of each customer.
        bounds = rows.group_by(customer_id).agg(
            order_day.min().alias(_FIRST_DAY_OF), order_day.max().alias(_LAST_DAY_OF)
        )
        rows = rows.join(bounds, on=customer_id, how="left")
    if "clv" in wanted:
        on_first = nw.when(nw.col(_DAY) == nw.col(_FIRST_DAY_OF)).then(counted)
        rows = rows.with_columns(on_first.alias(_FIRST_DAY_AMOUNT))
        aggregates.append(nw.col(_FIRST_DAY_AMOUNT).sum().alias("first_day_amount"))
    if "last_gap" in wanted:
        earlier = nw.when(order_day < nw.col(_LAST_DAY_OF)).then(order_day)
        rows = rows.with_columns(earlier.alias(_DAY_BEFORE_LAST))
        aggregates.append(nw.col(_DAY_BEFORE_LAST).max().alias(_DAY_BEFORE_LAST))
    customers = rows.group_by(customer_id).agg(*aggregates)
    if counted_apart:
        for name, column in distinct.items():
            counts = _distinct_counts(rows, customer_id, column, name)
            customers = customers.join(counts, on=customer_id, how="left")
        return customers.with_columns(nw.col(*distinct).fill_null(0))
    # What is no order leaves a null among the days and order ids, which n_unique counts.
    has_others = nw.col(_N_ROWS) > nw.col(_N_ORDERS)
    null_among_them = nw.when(has_others).then(nw.lit(1)).otherwise(nw.lit(0))
    return customers.with_columns(
        (nw.col(name).cast(nw.Int64) - null_among_them).alias(name) for name in distinct
    )


def _distinct_counts(rows: Any, customer_id: str, column: str, name: str) -> Any:
    """Count distinct values by grouping twice."""
    present = rows.filter(~nw.col(column).is_null())
    pairs = present.group_by(customer_id, column).agg(nw.len().alias(_N_ROWS))
    return pairs.group_by(customer_id).agg(nw.len().alias(name))


def _customer_columns(
    customers: Any, moment: AsOf, options: SummaryOptions, *, may_be_bad: bool
) -> Any:
    is_bad = nw.col(_N_ROWS) > nw.col(_N_AMOUNTS)
    has_ordered = ~nw.col("first_order").is_null()
    customers = customers.filter(has_ordered | is_bad if may_be_bad else has_ordered)
    schema, engine = customers.collect_schema(), customers.implementation
    frequency = {"day": "order_days", "row": _N_ORDERS, "id": _N_ORDER_IDS}[options.order]
    customers = customers.with_columns(
        *(
            day_number(nw.col(order), engine).alias(day)
            for day, order in ((_FIRST_DAY, "first_order"), (_LAST_DAY, "last_order"))
            if day not in schema
        ),
        nw.col(frequency).cast(nw.Int64).alias("frequency"),
        nw.col("order_days").cast(nw.Int64).alias("order_days"),
    )
    if "returns" in options.extras:
        returned = nw.col(_N_ROWS) - nw.col(_N_ORDERS)
        customers = customers.with_columns(returned.cast(nw.Int64).alias("return_count"))
    as_of_day = moment.day.toordinal()
    span = (nw.col(_LAST_DAY) - nw.col(_FIRST_DAY)).cast(nw.Float64)
    sums = ("monetary", "return_amount", "first_day_amount")
    customers = customers.with_columns(
        # Without an order there is no day, and dask has no integer that is missing.
        (as_of_day - nw.col(_LAST_DAY).fill_null(0)).cast(nw.Int64).alias("recency_days"),
        (as_of_day - nw.col(_FIRST_DAY).fill_null(0)).cast(nw.Int64).alias("tenure_days"),
        nw.when(nw.col("order_days") > 1)
        .then(span / (nw.col("order_days") - 1))
        .alias("mean_gap_days"),
        *(_rounded(name, options.decimals, engine) for name in sums if name in schema),
    ).with_columns((nw.col("monetary") / nw.col("frequency")).alias("mean_order_value"))
    if "last_gap" in options.extras:
        gap = nw.col(_LAST_DAY) - nw.col(_DAY_BEFORE_LAST)
        customers = customers.with_columns(gap.cast(nw.Float64).alias("last_gap_days"))
    names = options.result_columns
    if not may_be_bad:
        return customers.select(options.customer_id, *names)
    return customers.select(
        nw.col(options.customer_id),
        *(nw.when(~is_bad).then(nw.col(name)).alias(name) for name in names),
    )


def _rounded(name: str, decimals: int, engine: nw.Implementation) -> nw.Expr:
    """Round money to whole units of the last decimal, halves up, the same in every engine.

    Rounding to decimals is not: pyarrow and numpy can differ in the last digit, and some engines
    round halves to even. Nor is dividing by a constant, which polars turns into a product, hence
    a column of constants. Sums too large to have these decimals stay as they are.
    """
    value = nw.col(name)
    units = nw.lit(10.0**decimals)
    if not engine.is_ibis():  # whose SQL is read by people
        units = units + nw.col("order_days").cast(nw.Float64) * 0
    scaled = value * units
    rounded = (scaled + 0.5).floor() / units
    return nw.when(scaled.abs() < 2.0**52).then(rounded).otherwise(value).alias(name)
