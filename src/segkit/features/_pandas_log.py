"""``summarize_transactions`` for pandas and pyarrow logs, which the integer kernel counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from segkit.features._calendar import AsOf, date_of, parse_as_of
from segkit.features._customer_codes import CustomerCodes, numbered
from segkit.features._integer_kernel import Floats, RowsByCustomer
from segkit.features._log_checks import (
    check_any_time,
    check_eager_log,
    check_finite_sums,
    check_known_rows,
    check_orders,
    refuse_the_epoch,
)
from segkit.features._options import OWNER, SummaryOptions
from segkit.features._times import EPOCH, NOT_A_TIME, UNITS_A_DAY, Times


def summarize_in_pandas(log: pd.DataFrame, options: SummaryOptions) -> pd.DataFrame:
    """Return the customer table of a pandas log with clean types."""
    times = Times.of(log[options.timestamp])
    known, moment = _known(times, options)
    if known is not None:
        log, times = log[known], times.where(known)
    if not is_complete(log, times, options):
        log = check_eager_log(nw.from_native(log), options).to_native()
        times = Times.of(log[options.timestamp])
    return _customer_table(log, times, moment, options)


def summarize_in_pyarrow(log: Any, options: SummaryOptions) -> Any:
    """Return the customer table of a pyarrow log with clean types, read where Arrow has it."""
    return as_pyarrow(summarize_in_pandas(from_pyarrow(log), options))


def from_pyarrow(log: Any) -> pd.DataFrame:
    """Return a pyarrow table as a pandas frame of Arrow's columns."""
    import pyarrow as pa

    for place, field in enumerate(log.schema):
        if str(field.type) == "string_view":  # which pandas does not know
            text = log.column(place).cast(pa.large_string())
            log = log.set_column(place, field.name, text)
    frame: pd.DataFrame = log.to_pandas(types_mapper=pd.ArrowDtype)
    return frame


def as_pyarrow(table: pd.DataFrame) -> Any:
    """Return a pandas frame as a pyarrow table."""
    import pyarrow as pa

    return pa.Table.from_pandas(table, preserve_index=False).replace_schema_metadata()


def rows_until_in_pandas(log: pd.DataFrame, options: SummaryOptions) -> tuple[pd.DataFrame, AsOf]:
    """Return the rows known at `as_of`, those without a timestamp included, and the moment."""
    known, moment = _known(Times.of(log[options.timestamp]), options)
    return (log if known is None else log[known]), moment


def are_known_in_pandas(timestamps: pd.Series[Any], moment: AsOf) -> NDArray[np.bool_]:
    """Return which timestamps of a log without missing ones are not after a moment."""
    return Times.of(timestamps).up_to(moment)


def _known(times: Times, options: SummaryOptions) -> tuple[NDArray[np.bool_] | None, AsOf]:
    """Return which rows are known at the moment to describe (None: all), and that moment."""
    missing = times.missing
    earliest, latest = times.ends
    if missing is not None and not missing.all():
        earliest = int(times.local[~missing].min())
    first, last = (end // UNITS_A_DAY[times.unit] + EPOCH for end in (earliest, latest))
    is_any = latest != NOT_A_TIME
    if is_any:
        refuse_the_epoch(first, last, times.local.size, options.timestamp)
    if options.as_of is None:
        check_any_time(is_any, options.timestamp)
        return None, AsOf(date_of(last + 1, owner=OWNER))
    moment = parse_as_of(options.as_of, zone=times.zone, owner=OWNER)
    is_whole_day = moment.instant is None
    if not is_any or last < moment.day.toordinal() + is_whole_day:
        return None, moment
    known = times.up_to(moment)
    if missing is not None:
        known |= missing
    check_known_rows(int(np.count_nonzero(known)), first, options.as_of)
    return None if known.all() else known, moment


def is_complete(log: pd.DataFrame, times: Times, options: SummaryOptions) -> bool:
    """Tell whether there is nothing to raise for, or to leave out."""
    names = [options.customer_id, *([] if options.order_id is None else [options.order_id])]
    ids = [log[name] for name in names]
    return bool(
        np.isfinite(log[options.amount].to_numpy()).all()
        and times.missing is None
        and not any(column.isna().any() for column in ids if not _is_of_integers(column))
    )


def _is_of_integers(column: pd.Series[Any]) -> bool:
    """Tell whether numpy holds the column as integers, none of which can be missing."""
    return isinstance(column.dtype, np.dtype) and column.dtype.kind in "iu"


@dataclass(frozen=True)
class _Rows:
    """Rows of the log: their customers, amounts, times and orders."""

    by_customer: RowsByCustomer
    amounts: Floats
    times: Times
    order_numbers: NDArray[np.intp] | None

    def where(self, chosen: NDArray[np.bool_]) -> _Rows:
        """Return some rows."""
        return _Rows(
            RowsByCustomer(self.by_customer.codes[chosen], self.by_customer.n_codes),
            self.amounts[chosen],
            self.times.where(chosen),
            None if self.order_numbers is None else self.order_numbers[chosen],
        )


def _customer_table(
    log: pd.DataFrame, times: Times, moment: AsOf, options: SummaryOptions
) -> pd.DataFrame:
    customers = CustomerCodes(log[options.customer_id])
    rows = _Rows(
        RowsByCustomer(customers.codes, customers.n_codes),
        log[options.amount].to_numpy(),
        times,
        None if options.order_id is None else numbered(log[options.order_id])[0],
    )
    orders = rows if rows.amounts.min() >= 0 else rows.where(rows.amounts >= 0)
    check_orders(orders.amounts.size)
    by_code = _aggregates(rows, orders, options)
    present, ids = customers.in_order(by_code["order_days"] > 0)
    # One after the other, so that there is never a second copy of all.
    found = {name: by_code.pop(name)[present] for name in list(by_code)}
    columns = customer_columns(found, moment.day.toordinal() - EPOCH, options)
    check_finite_sums(bool(np.isfinite(columns["monetary"]).all()))
    for name in ("first_order", "last_order"):
        columns[name] = times.as_column(found[name])
    names = options.result_columns
    return pd.DataFrame({options.customer_id: ids, **{n: columns[n] for n in names}}, copy=False)


def _aggregates(rows: _Rows, orders: _Rows, options: SummaryOptions) -> dict[str, NDArray[Any]]:
    """Return what is counted of the rows, for each code."""
    group, times = orders.by_customer, orders.times
    first_order, last_order = group.extremes(times.instants)
    if times.zone is None:
        first_day, last_day = times.days_of(first_order), times.days_of(last_order)
    else:  # a clock set back over midnight takes a later instant to an earlier day
        first_day, last_day = group.extremes(times.days)
    bounds = times.day_bounds()
    order_days = (
        group.distinct(times.days - times.days.min()) if bounds is None else group.n_slices(bounds)
    )
    counted = rows if options.returns == "net" else orders
    found = {
        "first_order": first_order,
        "last_order": last_order,
        "first_day": first_day,
        "last_day": last_day,
        "order_days": order_days,
        "monetary": counted.by_customer.sums(counted.amounts),
    }
    if orders.order_numbers is not None:
        found["frequency"] = group.distinct(orders.order_numbers)
    else:
        found["frequency"] = order_days if options.order == "day" else group.counts
    if "returns" in options.extras:
        found["return_count"] = rows.by_customer.counts - group.counts
        found["return_amount"] = rows.by_customer.sums(np.maximum(-rows.amounts, 0.0))
    if "clv" in options.extras:
        first = counted.where(counted.times.days == first_day[counted.by_customer.codes])
        found["first_day_amount"] = first.by_customer.sums(first.amounts)
    if "last_gap" in options.extras:
        earlier = orders.where(times.days < last_day[group.codes])
        _, found["day_before_last"] = earlier.by_customer.extremes(earlier.times.days)
    return found


def customer_columns(
    found: dict[str, NDArray[Any]], as_of_day: int, options: SummaryOptions
) -> dict[str, Any]:
    """Return the columns of the table, given what was counted for each customer."""
    first_day, last_day = found["first_day"].astype(np.int64), found["last_day"].astype(np.int64)
    order_days, frequency = found["order_days"], found["frequency"]
    several = order_days > 1
    money: dict[str, Any] = {
        name: _rounded(found[name], options.decimals)
        for name in ("monetary", "return_amount", "first_day_amount")
        if name in found
    }
    columns: dict[str, Any] = {
        "recency_days": as_of_day - last_day,
        "frequency": frequency,
        "order_days": order_days,
        "tenure_days": as_of_day - first_day,
        "mean_order_value": money["monetary"] / frequency,
        "mean_gap_days": np.where(
            several, (last_day - first_day) / np.maximum(order_days - 1, 1), np.nan
        ),
        "return_count": found.get("return_count"),
        **money,
    }
    if "day_before_last" in found:
        columns["last_gap_days"] = np.where(several, last_day - found["day_before_last"], np.nan)
    return columns


def _rounded(money: Floats, decimals: int) -> Floats:
    """Round to whole units of the last decimal, halves up, as the plan of expressions does."""
    units = 10.0**decimals
    with np.errstate(over="ignore"):
        scaled = money * units
    rounded: Floats = np.where(np.abs(scaled) < 2.0**52, np.floor(scaled + 0.5) / units, money)
    return rounded
