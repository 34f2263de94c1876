"""``summarize_transactions`` for pandas and pyarrow logs, which the integer kernel counts."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from segkit.features._calendar import AsOf, date_of, parse_as_of, time_zone
from segkit.features._customer_codes import CustomerCodes, numbered
from segkit.features._integer_kernel import Floats, Integers, RowsByCustomer
from segkit.features._log_checks import (
    check_any_time,
    check_eager_log,
    check_finite_sums,
    check_known_rows,
    check_orders,
    refuse_the_epoch,
)
from segkit.features._options import OWNER, SummaryOptions

_NOT_A_TIME = np.iinfo(np.int64).min
_UNITS_A_DAY = {"s": 86_400, "ms": 86_400 * 10**3, "us": 86_400 * 10**6, "ns": 86_400 * 10**9}
_EPOCH = dt.date(1970, 1, 1).toordinal()
_FAR = 2**31 - 1  # days, beyond every calendar
# Days with fewer rows than this are counted sooner by sorting all than slice by slice.
_ROWS_WORTH_A_SLICE = 500


def summarize_in_pandas(log: pd.DataFrame, options: SummaryOptions) -> pd.DataFrame:
    """Return the customer table of a pandas log with clean types."""
    times = _Times.of(log[options.timestamp])
    known, moment = _known(times, options)
    if known is not None:
        log, times = log[known], times.where(known)
    if not _is_complete(log, times, options):
        log = check_eager_log(nw.from_native(log), options).to_native()
        times = _Times.of(log[options.timestamp])
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
    known, moment = _known(_Times.of(log[options.timestamp]), options)
    return (log if known is None else log[known]), moment


def are_known_in_pandas(timestamps: pd.Series[Any], moment: AsOf) -> NDArray[np.bool_]:
    """Return which timestamps of a log without missing ones are not after a moment."""
    return _Times.of(timestamps).up_to(moment)


@dataclass(frozen=True)
class _Times:
    """The instant of each row, and what the clock showed there: counts of units since 1970."""

    instants: NDArray[np.int64]
    local: NDArray[np.int64]
    dtype: Any
    unit: str
    zone: dt.tzinfo | None

    @classmethod
    def of(cls, column: pd.Series[Any]) -> _Times:
        """Read a column of timestamps."""
        zone = time_zone(nw.from_native(column.to_frame()), str(column.name))
        instants, unit = _as_integers(column)
        local = instants if zone is None else _as_integers(column.dt.tz_localize(None))[0]
        return cls(instants, local, column.dtype, unit, zone)

    @cached_property
    def are_in_order(self) -> bool:
        """Whether the clock shows no row before one above it; what is missing stands first."""
        return bool((self.local[1:] >= self.local[:-1]).all())

    @cached_property
    def ends(self) -> tuple[int, int]:
        """The first and the last of what the clock shows, a missing one included."""
        if self.are_in_order:
            return int(self.local[0]), int(self.local[-1])
        return int(self.local.min()), int(self.local.max())

    @cached_property
    def missing(self) -> NDArray[np.bool_] | None:
        """Which rows have no timestamp; None: all have one."""
        is_missing = self.ends[0] == _NOT_A_TIME
        return np.equal(self.local, _NOT_A_TIME) if is_missing else None

    @cached_property
    def days(self) -> NDArray[np.int32]:
        """The day of the calendar, from 1970 on."""
        days = self.days_of(self.local)
        if days.size and (days.max() > _FAR or days.min() < -_FAR):
            days = days.clip(-_FAR, _FAR)
        return days.astype(np.int32)

    def days_of(self, local: Integers) -> Integers:
        """Return the days of what the clock shows."""
        return local // _UNITS_A_DAY[self.unit]

    def day_bounds(self) -> Integers | None:
        """Return where, in a log in the order of time, the second day begins, the third, and so on.

        None where the log is in no order, or its days are so small that there is no gain.
        """
        if not self.are_in_order:
            return None
        first, last = self.days_of(self.local[[0, -1]])
        if (last - first) * _ROWS_WORTH_A_SLICE > self.local.size:
            return None
        starts = np.arange(first + 1, last + 1) * _UNITS_A_DAY[self.unit]
        return np.searchsorted(self.local, starts)

    def where(self, rows: NDArray[np.bool_]) -> _Times:
        """Return the times of some rows."""
        instants = self.instants[rows]
        local = instants if self.zone is None else self.local[rows]
        return _Times(instants, local, self.dtype, self.unit, self.zone)

    def up_to(self, moment: AsOf) -> NDArray[np.bool_]:
        """Return which rows are not after a moment."""
        is_date = isinstance(self.dtype, pd.ArrowDtype) and "date" in str(self.dtype)
        if moment.instant is None or is_date:
            return self.days <= moment.day.toordinal() - _EPOCH
        instant = moment.instant
        if instant.tzinfo is not None:
            instant = instant.astimezone(dt.UTC).replace(tzinfo=None)
        microseconds = int(np.datetime64(instant, "us").astype(np.int64))
        if moment.finer and self.unit == "ns":
            return self.instants < (microseconds + 1) * 1_000
        return self.instants <= microseconds * _UNITS_A_DAY[self.unit] // _UNITS_A_DAY["us"]

    def as_column(self, instants: NDArray[np.int64]) -> Any:
        """Return instants as timestamps of the column's own type."""
        stamps = pd.Series(instants.view(f"M8[{self.unit}]"))
        return (stamps if self.zone is None else stamps.dt.tz_localize("UTC")).astype(self.dtype)


def _as_integers(column: pd.Series[Any]) -> tuple[NDArray[np.int64], str]:
    """Return timestamps as counts since 1970 (in UTC where they have a zone), and their unit."""
    if isinstance(column.dtype, pd.ArrowDtype):
        if "date" in str(column.dtype):
            column = column.astype("timestamp[s][pyarrow]")
        dtype: Any = column.dtype
        unit = dtype.pyarrow_dtype.unit
        stamps = column.array.to_numpy(dtype=f"M8[{unit}]", na_value=np.datetime64("NaT"))
    else:
        unit = column.dt.unit
        stamps = column.to_numpy(dtype=f"M8[{unit}]")
    return stamps.view(np.int64), unit


def _known(times: _Times, options: SummaryOptions) -> tuple[NDArray[np.bool_] | None, AsOf]:
    """Return which rows are known at the moment to describe (None: all), and that moment."""
    missing = times.missing
    earliest, latest = times.ends
    if missing is not None and not missing.all():
        earliest = int(times.local[~missing].min())
    first, last = (end // _UNITS_A_DAY[times.unit] + _EPOCH for end in (earliest, latest))
    is_any = latest != _NOT_A_TIME
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


def _is_complete(log: pd.DataFrame, times: _Times, options: SummaryOptions) -> bool:
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
    times: _Times
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
    log: pd.DataFrame, times: _Times, moment: AsOf, options: SummaryOptions
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
    columns = _customer_columns(found, moment.day.toordinal() - _EPOCH, options)
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


def _customer_columns(
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
