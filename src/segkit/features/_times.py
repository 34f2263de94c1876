"""Timestamps of a pandas log as whole numbers: the instants, and the days of the calendar."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from segkit.features._calendar import AsOf, time_zone
from segkit.features._integer_kernel import Integers

NOT_A_TIME = np.iinfo(np.int64).min
UNITS_A_DAY = {"s": 86_400, "ms": 86_400 * 10**3, "us": 86_400 * 10**6, "ns": 86_400 * 10**9}
EPOCH = dt.date(1970, 1, 1).toordinal()
FAR_DAY = 2**31 - 1  # days, beyond every calendar
# Days with fewer rows than this are counted sooner by sorting all than slice by slice.
_ROWS_WORTH_A_SLICE = 500


@dataclass(frozen=True)
class Times:
    """The instant of each row, and what the clock showed there: counts of units since 1970."""

    instants: NDArray[np.int64]
    local: NDArray[np.int64]
    dtype: Any
    unit: str
    zone: dt.tzinfo | None

    @classmethod
    def of(cls, column: pd.Series[Any]) -> Times:
        """Read a column of timestamps."""
        zone = time_zone(nw.from_native(column.to_frame()), str(column.name))
        instants, unit = as_integers(column)
        local = instants if zone is None else as_integers(column.dt.tz_localize(None))[0]
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
        is_missing = self.ends[0] == NOT_A_TIME
        return np.equal(self.local, NOT_A_TIME) if is_missing else None

    @cached_property
    def days(self) -> NDArray[np.int32]:
        """The day of the calendar, from 1970 on."""
        days = self.days_of(self.local)
        if days.size and (days.max() > FAR_DAY or days.min() < -FAR_DAY):
            days = days.clip(-FAR_DAY, FAR_DAY)
        return days.astype(np.int32)

    def days_of(self, local: Integers) -> Integers:
        """Return the days of what the clock shows."""
        return local // UNITS_A_DAY[self.unit]

    def day_bounds(self) -> Integers | None:
        """Return where, in a log in the order of time, the second day begins, the third, and so on.

        None where the log is in no order, or its days are so small that there is no gain.
        """
        if not self.are_in_order:
            return None
        first, last = self.days_of(self.local[[0, -1]])
        if (last - first) * _ROWS_WORTH_A_SLICE > self.local.size:
            return None
        starts = np.arange(first + 1, last + 1) * UNITS_A_DAY[self.unit]
        return np.searchsorted(self.local, starts)

    def where(self, rows: NDArray[np.bool_]) -> Times:
        """Return the times of some rows."""
        instants = self.instants[rows]
        local = instants if self.zone is None else self.local[rows]
        return Times(instants, local, self.dtype, self.unit, self.zone)

    def up_to(self, moment: AsOf) -> NDArray[np.bool_]:
        """Return which rows are not after a moment."""
        is_date = isinstance(self.dtype, pd.ArrowDtype) and "date" in str(self.dtype)
        if moment.instant is None or is_date:
            return self.days <= moment.day.toordinal() - EPOCH
        instant = moment.instant
        if instant.tzinfo is not None:
            instant = instant.astimezone(dt.UTC).replace(tzinfo=None)
        microseconds = int(np.datetime64(instant, "us").astype(np.int64))
        if moment.finer and self.unit == "ns":
            return self.instants < (microseconds + 1) * 1_000
        return self.instants <= microseconds * UNITS_A_DAY[self.unit] // UNITS_A_DAY["us"]

    def as_column(self, instants: NDArray[np.int64]) -> Any:
        """Return instants as timestamps of the column's own type."""
        stamps = pd.Series(instants.view(f"M8[{self.unit}]"))
        return (stamps if self.zone is None else stamps.dt.tz_localize("UTC")).astype(self.dtype)


def as_integers(column: pd.Series[Any]) -> tuple[NDArray[np.int64], str]:
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
