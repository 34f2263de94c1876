"""Checks of a transaction log before anything is counted."""

import datetime as dt
import warnings
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd

from segkit._frames import Frame, dtype_of, float_values
from segkit._input_checks import check_columns_present, check_numeric
from segkit.exceptions import (
    ColumnError,
    LazyFrameError,
    MissingValuesError,
    SegkitTypeError,
    SegkitValueError,
)
from segkit.features._calendar import date_of
from segkit.features._options import OWNER, SummaryOptions


def with_clean_types(log: Frame, options: SummaryOptions) -> Frame:
    """Return the log's needed columns, timestamps as such and amounts as Float64."""
    named, timestamp, amount = options.roles, options.timestamp, options.amount
    for role, name in named.items():
        check_columns_present([name], log, owner=OWNER, remedy=f"Pass {role}=... to name it.")
    if len(set(named.values())) < len(named):
        raise ColumnError(
            f"{OWNER}: customer_id, timestamp, amount and order_id must be different columns, got "
            f"{named}."
        )
    if isinstance(log, nw.DataFrame) and not len(log):
        raise SegkitValueError(f"{OWNER}: the log is empty.")
    check_numeric([amount], log, owner=OWNER)
    log = log.select(list(named.values()))
    if isinstance(log, nw.LazyFrame):
        _check_lazy_timestamps(log, timestamp)
        return log.with_columns(nw.col(amount).cast(nw.Float64))
    _check_ids(log[options.customer_id])
    log = nw.maybe_reset_index(log)
    if options.order_id is not None:
        _check_ids(log[options.order_id])
    if not _are_plain_floats(log[amount]):
        amounts = float_values(log[amount])
        floats = nw.new_series(amount, amounts, nw.Float64, backend=log.implementation)
        log = log.with_columns(floats)
    dtype = log[timestamp].dtype
    if dtype == nw.Date or dtype == nw.Datetime:
        return log
    return log.with_columns(_parsed_timestamps(log[timestamp], log.implementation))


def _are_plain_floats(series: nw.Series[Any]) -> bool:
    native = series.to_native()
    if isinstance(native, pd.Series):
        return bool(native.dtype == np.dtype("float64"))
    return series.dtype == nw.Float64 and series.implementation.is_polars()


def check_eager_log(
    log: nw.DataFrame[Any], options: SummaryOptions, *, may_be_empty: bool = False
) -> nw.DataFrame[Any]:
    """Raise for infinite amounts; raise for missing values or leave their rows out."""
    if _is_plainly_complete(log, options):
        return log
    amount = options.amount
    infinite = int((~log[amount].is_nan() & ~log[amount].is_finite()).sum())
    if infinite:
        raise SegkitValueError(
            f"{OWNER}: column {amount!r} is infinite in {infinite:,} of {len(log):,} rows; "
            "amounts must be finite. Correct or drop these rows."
        )
    absent = missing_values(log, options)
    flags = log.select(**absent)
    counts = {name: int(flags[name].sum()) for name in absent}
    if not any(counts.values()):
        return log
    if options.missing == "raise":
        found = ", ".join(f"{name!r} in {count:,}" for name, count in counts.items() if count)
        raise MissingValuesError(
            f"{OWNER}: missing values in column {found} of {len(log):,} rows. Look where they "
            "come from, then fill them, or pass missing='drop' to leave these rows out."
        )
    present = log.filter(*(~condition for condition in absent.values()))
    if not len(present) and not may_be_empty:
        raise SegkitValueError(f"{OWNER}: every row of the log has a missing value.")
    return present


def _is_plainly_complete(log: nw.DataFrame[Any], options: SummaryOptions) -> bool:
    """Tell by a pass over the amounts, and what the frame knows of nulls, that nothing is bad."""
    ids = [options.customer_id, *([] if options.order_id is None else [options.order_id])]
    has_nulls = any(log[name].null_count() for name in options.roles.values())
    if has_nulls or any(log[name].dtype.is_float() for name in ids):
        return False
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.isfinite(log[options.amount].sum()))


def missing_values(log: Frame, options: SummaryOptions) -> dict[str, nw.Expr]:
    """Return, for each column, the condition that a row lacks what it must have.

    A return needs no order id, because it is never an order.
    """
    customer_id, timestamp = options.customer_id, options.timestamp
    amount, order_id = options.amount, options.order_id
    no_id = nw.col(customer_id).is_null()
    if log.collect_schema()[customer_id].is_float():
        no_id = no_id | nw.col(customer_id).is_nan()
    absent = {
        customer_id: no_id,
        timestamp: nw.col(timestamp).is_null(),
        amount: nw.col(amount).is_null() | nw.col(amount).is_nan(),
    }
    if order_id is not None:
        no_order = nw.col(order_id).is_null()
        if log.collect_schema()[order_id].is_float():
            no_order = no_order | nw.col(order_id).is_nan()
        is_return = (nw.col(amount) < 0).fill_null(value=False)
        absent[order_id] = no_order & ~is_return
    return absent


def refuse_the_epoch(first_day: Any, last_day: Any, n_rows: int, timestamp: str) -> None:
    """Raise where the whole log lies on 1 January 1970: numbers were read as nanoseconds."""
    if n_rows > 1 and first_day == last_day == dt.date(1970, 1, 1).toordinal():
        raise SegkitValueError(
            f"{OWNER}: every row of {timestamp!r} is on 1970-01-01. Numbers such as 20240131 were "
            "probably read as nanoseconds since then; read them again, for example with "
            "pandas.to_datetime(..., format='%Y%m%d') or unit='s'."
        )


def check_any_time(is_any: bool, timestamp: str) -> None:
    """Raise where no row has a timestamp."""
    if not is_any:
        raise MissingValuesError(f"{OWNER}: column {timestamp!r} has only missing values.")


def check_known_rows(n_known: int, first_day: Any, as_of: Any) -> None:
    """Raise where no row is known yet at `as_of`."""
    if not n_known:
        raise SegkitValueError(
            f"{OWNER}: no row of the log is at or before as_of={as_of}; the first is on day "
            f"{date_of(int(first_day), owner=OWNER)}."
        )


def check_orders(n_customers: int) -> None:
    """Raise where no customer has an order."""
    if not n_customers:
        raise SegkitValueError(
            f"{OWNER}: the log holds no order: every amount is negative, which makes a "
            "return. Are purchases booked as negative amounts?"
        )


def check_finite_sums(are_finite: bool) -> None:
    """Raise where finite amounts have an infinite sum."""
    if not are_finite:
        raise SegkitValueError(
            f"{OWNER}: the amounts of a customer add up to more than a number can hold."
        )


def _check_ids(ids: nw.Series[Any]) -> None:
    if dtype_of(ids) != nw.Object:
        return
    kind = pd.api.types.infer_dtype(ids.to_native(), skipna=True)
    if kind.startswith("mixed") and len(set(map(type, ids.drop_nulls().to_list()))) > 1:
        raise SegkitTypeError(
            f"{OWNER}: column {ids.name!r} mixes kinds of ids (pandas calls it {kind!r}), such as "
            "numbers and text, so that one customer or order may have two. Make them one kind, for "
            "example with astype(str)."
        )


def _check_lazy_timestamps(log: nw.LazyFrame[Any], timestamp: str) -> None:
    dtype = log.collect_schema()[timestamp]
    if dtype != nw.Date and dtype != nw.Datetime:
        raise LazyFrameError(
            f"{OWNER}: column {timestamp!r} must hold dates or datetimes, got {dtype}; in a lazy "
            "frame it cannot be parsed. Cast it in the query first."
        )


def _parsed_timestamps(series: nw.Series[Any], implementation: nw.Implementation) -> Any:
    """Read dates and ISO 8601 text; anything ambiguous, such as 03/04/2024, is an error."""
    name = series.name
    is_pandas = implementation.is_pandas_like()
    native = series.to_native() if is_pandas else pd.Series(series.to_list(), dtype=object)
    kind = pd.api.types.infer_dtype(native, skipna=True)
    if kind not in {"string", "date", "datetime", "datetime64", "empty"}:
        raise SegkitTypeError(
            f"{OWNER}: column {name!r} must hold dates or datetimes, got {series.dtype} "
            f"({kind}). Convert it first, for example with pandas.to_datetime(..., "
            "format='%Y%m%d')."
        )
    if kind == "string":
        # pandas would read "now" and "today" by the clock, and a month as its first day.
        dated = native.dropna().astype(str).str.match(r"\s*\d{4}-?\d{2}-?\d{2}")
        if not dated.all():
            raise _unreadable(name, int((~dated).sum()), len(native))
    try:
        with warnings.catch_warnings():
            # pandas 2 only warns of mixed zones, and then returns objects.
            warnings.simplefilter("error", FutureWarning)
            parsed = pd.to_datetime(native, format="ISO8601" if kind == "string" else None)
    except (ValueError, TypeError, OverflowError, FutureWarning) as error:
        if "imezone" in str(error) or "Tz-aware" in str(error) or "time zone" in str(error):
            raise SegkitValueError(
                f"{OWNER}: column {name!r} mixes time zones, so its calendar days are not "
                "defined. Convert it to one zone first, for example with "
                "pandas.to_datetime(..., utc=True).dt.tz_convert('Europe/London')."
            ) from None
        unreadable = pd.to_datetime(native, format="ISO8601", errors="coerce", utc=True)
        count = int((unreadable.isna() & ~native.isna()).sum())
        raise _unreadable(name, count, len(native)) from None
    if is_pandas:
        return nw.from_native(parsed, series_only=True).alias(name)
    if parsed.dt.tz is not None:
        raise SegkitTypeError(
            f"{OWNER}: column {name!r} holds text with time zones; parse it in the frame first."
        )
    backend: Any = implementation
    return nw.new_series(name, parsed.astype("datetime64[us]").to_numpy(), backend=backend)


def _unreadable(name: str, count: int, n_rows: int) -> SegkitValueError:
    return SegkitValueError(
        f"{OWNER}: column {name!r} holds text that is no ISO 8601 date in {count:,} of "
        f"{n_rows:,} rows. Parse it first, with its format, for example with "
        "pandas.to_datetime(..., format='%d/%m/%Y'); errors='coerce' makes what is no date "
        "missing."
    )
