"""Calendar days: as numbers inside any engine, and the moment that a customer table describes."""

import datetime as dt
import re
from dataclasses import dataclass
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd

from segkit._frames import Frame
from segkit.exceptions import SegkitTypeError, SegkitValueError

_EPOCH = dt.date(1970, 1, 1)

#: What ``as_of`` may be.
Moment: TypeAlias = str | dt.date | dt.datetime | np.datetime64


def day_number(timestamp: nw.Expr, implementation: nw.Implementation) -> nw.Expr:
    """Return the calendar day of a date or datetime column, in its own zone, as a whole number.

    Days are numbered as by ``datetime.date.toordinal`` (1 January of year 1 is day 1). Differences
    of dates are durations, which engines count in units of their own; so, beside the two engines in
    which a date is known to be a number of days, the number is made from the year and the day of
    the year.
    """
    if implementation.is_polars():
        return timestamp.dt.date().cast(nw.Int32) + _EPOCH.toordinal()
    if implementation.is_duckdb():
        return (timestamp.dt.date() - nw.lit(_EPOCH)) + _EPOCH.toordinal()
    past = timestamp.dt.year() - 1
    leap_days = past // 4 - past // 100 + past // 400
    return past * 365 + leap_days + timestamp.dt.ordinal_day()


@dataclass(frozen=True)
class AsOf:
    """The moment that a customer table describes.

    Recency and tenure are counted from `day`. Rows after it are not yet known: those of later
    days, or, where there is an `instant`, those after that instant. One that is `finer` than a
    microsecond stands for the whole of its microsecond.
    """

    day: dt.date
    instant: dt.datetime | None = None
    finer: bool = False

    def is_known(self, timestamp: nw.Expr, dtype: Any, implementation: Any) -> nw.Expr:
        """Return whether a row of a column of this type is not after this moment."""
        is_date, zone = dtype == nw.Date, getattr(dtype, "time_zone", None)
        if self.instant is not None and not is_date:
            if self.finer and dtype.time_unit == "ns":
                later = self.instant + dt.timedelta(microseconds=1)
                return timestamp < _literal(later, implementation)
            return timestamp <= _literal(self.instant, implementation)
        if is_date or zone is not None or not 1678 <= self.day.year <= 2261:
            return day_number(timestamp, implementation) <= self.day.toordinal()
        next_day = dt.datetime.combine(self.day + dt.timedelta(days=1), dt.time())
        return timestamp < _literal(next_day, implementation)


def _literal(moment: dt.datetime, implementation: nw.Implementation) -> nw.Expr:
    """Return a moment for an engine.

    Spark takes one without a zone for a local time of the driver, so there it is written out.
    """
    if implementation.is_spark_like() and moment.tzinfo is None:
        return nw.lit(moment.isoformat(sep=" ")).cast(nw.Datetime("us"))
    return nw.lit(moment)


def parse_as_of(as_of: Moment, *, zone: dt.tzinfo | None, owner: str) -> AsOf:
    """Read `as_of` for a log in this time zone (None: without one)."""
    moment = _as_date_or_timestamp(as_of, owner=owner)
    if not isinstance(moment, pd.Timestamp):
        return AsOf(moment)
    if (moment.tzinfo is None) != (zone is None):
        log = "no time zone" if zone is None else f"the time zone {zone}"
        given = "none" if moment.tzinfo is None else f"{moment.tzinfo}"
        raise SegkitValueError(
            f"{owner}: the log has {log} and as_of={as_of} has {given}; time zones are never "
            "guessed. Give as_of in the log's own terms, or as a date, which means the end of "
            "that day there."
        )
    try:
        instant = moment.to_pydatetime(warn=False)
        if zone is not None:
            instant = instant.astimezone(zone)
    except (ValueError, OverflowError) as error:
        raise SegkitValueError(
            f"{owner}: as_of={as_of} lies outside of years 1 to 9999."
        ) from error
    if not 1678 <= instant.year <= 2261:
        # Out of reach of timestamps in nanoseconds, some of which wrap around: days will do.
        return AsOf(instant.date())
    return AsOf(instant.date(), instant, finer=bool(moment.nanosecond))


def date_of(day: int, *, owner: str) -> dt.date:
    """Return the date of a day number."""
    try:
        return dt.date.fromordinal(day)
    except (ValueError, OverflowError):
        raise SegkitValueError(
            f"{owner}: the log has timestamps at or beyond the ends of years 1 to 9999, perhaps "
            "placeholders for unknown ones. Make them missing, or pass an as_of before them."
        ) from None


def _as_date_or_timestamp(as_of: Any, *, owner: str) -> dt.date:
    """Return a date, or, for what names a time of day, a pandas Timestamp."""
    readable = (
        f"{owner}: as_of must be a date such as '2024-06-30' or a datetime such as "
        f"'2024-06-30 18:00', got "
    )
    if isinstance(as_of, np.datetime64) and not np.isnat(as_of):
        unit = np.datetime_data(as_of)[0]
        if unit in ("Y", "M", "W"):
            raise SegkitValueError(f"{readable}{as_of!r}, which names no day.")
        found: dt.date = as_of.item() if unit == "D" else pd.Timestamp(as_of)
        return found
    if isinstance(as_of, str):
        text = as_of.strip()
        try:
            if re.fullmatch(r"\d{4}-?\d{2}-?\d{2}", text):
                return dt.date.fromisoformat(text)
            if re.match(r"\d{4}-?\d{2}-?\d{2}[T ]\d", text):
                return pd.Timestamp(text)
        except ValueError:
            pass
        raise SegkitValueError(f"{readable}{as_of[:40]!r}.")
    if isinstance(as_of, dt.datetime) and as_of is not pd.NaT:
        return pd.Timestamp(as_of)
    if isinstance(as_of, dt.date) and as_of is not pd.NaT:
        return as_of
    raise SegkitTypeError(f"{readable}{type(as_of).__name__}.")


def time_zone(log: Frame, timestamp: str) -> dt.tzinfo | None:
    """Return the zone of a column of timestamps, None where they have none."""
    if log.implementation.is_pandas_like():
        # narwhals does not know every zone of pandas.
        zone: dt.tzinfo | None = getattr(log.to_native()[timestamp].dtype, "tz", None)
        if zone is not None:
            return zone
    name = getattr(log.collect_schema()[timestamp], "time_zone", None)
    return None if name is None else _zone_info(name)


def _zone_info(name: str) -> dt.tzinfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        offset = re.fullmatch(r"(?:UTC)?([+-])(\d{2}):?(\d{2})", name)
        if offset is None:
            raise
        minutes = int(offset[2]) * 60 + int(offset[3])
        return dt.timezone(dt.timedelta(minutes=minutes if offset[1] == "+" else -minutes))
