"""The columns that a profile describes: numbers, yes or no, categories and dates."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from segkit._frames import float_values
from segkit._input_checks import check_complete
from segkit.metrics._arguments import Codes

Kind: TypeAlias = Literal["number", "flag", "category", "date"]

#: The levels of a column of yes and no.
NO, YES = "no", "yes"

#: Why a column of ids is left out.
IDS = "different whole numbers, by their name ids, tell customers apart"
# A text column with more levels than these, most of them of one customer, tells customers apart.
_MANY_LEVELS, _NEAR_UNIQUE = 50, 0.5
_ID = re.compile(r"(^|[_\s])(id|uuid|guid|key)$|[a-z]ID$|[a-z]Id$|^ID$", re.ASCII)
_DATE = r"\d{4}-\d{1,2}-\d{1,2}|\d{1,2}[./]\d{1,2}[./]\d{2,4}"
_MOST_OF = 0.9


@dataclass(frozen=True)
class Variable:
    """A column: its values, as its kind asks for.

    Parameters
    ----------
    name : str
        Its name.
    kind : {"number", "flag", "category", "date"}
        Numbers; yes or no (booleans, and whole numbers that are all 0 or 1); categories; dates.
    values : ndarray of shape (n_customers,)
        Numbers, NaN where missing; of dates microseconds since 1970, NaN where missing; else the
        position of each level, -1 where missing.
    levels : sequence of str
        The levels of flags and categories.
    is_ordered : bool
        Whether the levels have an order.
    """

    name: str
    kind: Kind
    values: NDArray[Any]
    levels: Sequence[str] = ()
    is_ordered: bool = False


class LeftOutError(Exception):
    """Raised where a column says nothing about kinds of customers; holds why."""


def read_variable(name: str, series: nw.Series[Any], *, is_value: bool, owner: str) -> Variable:
    """Return a column of an eager frame, or raise `LeftOutError`.

    A column of value stays one of numbers, even where they are all 0 or 1.
    """
    variable = _read_variable(name, series, owner=owner)
    if is_value and variable.kind == "flag":
        numbers = np.where(variable.values < 0, np.nan, variable.values)
        return Variable(name, "number", numbers)
    return variable


def _read_variable(name: str, series: nw.Series[Any], *, owner: str) -> Variable:
    dtype = series.dtype
    if dtype == nw.Boolean:
        return _flag(name, _codes_of_booleans(series))
    if dtype.is_numeric():
        return _number_or_flag(name, _numbers(series), owner=owner)
    if dtype in (nw.Datetime, nw.Date):
        return _date(name, pd.Series(_as_pandas(series)))
    if dtype == nw.Duration:
        days = pd.to_timedelta(_as_pandas(series)) / pd.Timedelta(days=1)
        return Variable(name, "number", np.asarray(days, dtype=np.float64))
    values = _as_pandas(series)
    if isinstance(values.dtype, pd.SparseDtype):
        values = pd.Series(np.asarray(values))
    if isinstance(values.dtype, pd.CategoricalDtype):
        return _category(name, values)
    if isinstance(values.dtype, pd.PeriodDtype):
        return _date(name, values.dt.to_timestamp())
    if isinstance(values.dtype, np.dtype) and values.dtype.kind in "iufcb":
        return _number_or_flag(name, values.to_numpy(), owner=owner)
    if values.dtype.kind == "O":
        return _of_objects(name, values, owner=owner)
    return _category(name, values)


def _of_objects(name: str, values: pd.Series[Any], *, owner: str) -> Variable:
    found = pd.api.types.infer_dtype(values, skipna=True)
    if found == "boolean":
        return _flag(name, np.array([-1 if pd.isna(one) else int(one) for one in values]))
    if found in {"integer", "floating", "mixed-integer-float", "decimal"}:
        numbers = pd.to_numeric(values.map(lambda one: np.nan if pd.isna(one) else float(one)))
        return _number_or_flag(name, np.asarray(numbers, dtype=np.float64), owner=owner)
    if found in {"datetime", "datetime64", "date"}:
        return _date(name, pd.to_datetime(values))
    if found in {"timedelta", "timedelta64"}:
        days = pd.to_timedelta(values) / pd.Timedelta(days=1)
        return Variable(name, "number", np.asarray(days, dtype=np.float64))
    if values.isna().all():
        raise LeftOutError("all values are missing")
    try:
        return _category(name, values)
    except TypeError:
        raise LeftOutError(f"{found} values are neither numbers nor categories") from None


def _number_or_flag(name: str, numbers: NDArray[Any], *, owner: str) -> Variable:
    if numbers.dtype.kind == "c":
        raise LeftOutError("complex numbers are neither numbers of a scale nor categories")
    if numbers.dtype.kind == "f":
        with np.errstate(over="ignore", invalid="ignore"):
            total = numbers.sum()
        if not np.isfinite(total):
            check_complete({name: numbers}, owner=owner, allow_missing=True)
            if np.isnan(numbers).all():
                raise LeftOutError("all values are missing")
    if _are_all_0_or_1(numbers):
        known = ~np.isnan(numbers) if numbers.dtype.kind == "f" else np.True_
        return _flag(name, np.where(known, np.nan_to_num(numbers), -1).astype(np.intp))
    if looks_like_ids(name, numbers):
        raise LeftOutError(IDS)
    return Variable(name, "number", numbers)


def looks_like_ids(name: str, numbers: NDArray[Any]) -> bool:
    """Tell whether numbers are all different in a column whose name says that it is an id."""
    if not may_be_id_column(name, len(numbers)):
        return False
    ordered = np.sort(numbers)
    return bool((ordered[1:] != ordered[:-1]).all() and (ordered % 1 == 0).all())


def may_be_id_column(name: str, n_rows: int) -> bool:
    """Tell whether a column of so many numbers is one of ids by its name."""
    return n_rows > _MANY_LEVELS and _ID.search(name) is not None


def _are_all_0_or_1(numbers: NDArray[Any]) -> bool:
    head = numbers[:256]
    if not _is_0_or_1(head).all():
        return False
    return bool(_is_0_or_1(numbers).all() and (numbers == 1).any() and (numbers == 0).any())


def _is_0_or_1(numbers: NDArray[Any]) -> NDArray[np.bool_]:
    are: NDArray[np.bool_] = (numbers == 0) | (numbers == 1) | (numbers != numbers)
    return are


def _flag(name: str, codes: Codes) -> Variable:
    return Variable(name, "flag", codes, (NO, YES), is_ordered=True)


def _date(name: str, values: pd.Series[Any]) -> Variable:
    # The date that a customer's clock showed.
    local = values.dt.tz_localize(None) if values.dt.tz is not None else values
    missing = np.asarray(local.isna(), dtype=bool)
    if missing.all():
        raise LeftOutError("all values are missing")
    moments = local.to_numpy().astype("datetime64[us]").astype(np.int64)
    if not missing.any():
        return Variable(name, "date", moments)
    return Variable(name, "date", np.where(missing, np.nan, moments))


def _category(name: str, values: pd.Series[Any]) -> Variable:
    if isinstance(values.dtype, pd.CategoricalDtype):
        codes, found = values.cat.codes.to_numpy(), values.cat.categories
        levels, is_ordered = [str(one) for one in found], bool(values.cat.ordered)
    else:
        try:
            codes, found = pd.factorize(values)
        except NotImplementedError:  # of the nested types of Arrow
            raise LeftOutError(f"{values.dtype} holds no categories") from None
        levels, is_ordered = [str(one) for one in found], False
    if not (codes >= 0).any():
        raise LeftOutError("all values are missing")
    check_levels(levels, name=name, n_rows=len(codes))
    if len(set(levels)) < len(levels):  # 1 and "1"
        to, distinct = pd.factorize(np.array(levels, dtype=object))
        codes, levels = np.append(to, -1)[codes], list(distinct)
    return Variable(name, "category", codes.astype(np.intp), levels, is_ordered)


def check_levels(levels: Sequence[str], *, name: str, n_rows: int) -> None:
    """Raise `LeftOutError` for ids, free text and dates as text."""
    if levels and np.mean([re.match(_DATE, one) is not None for one in levels[:200]]) > _MOST_OF:
        raise LeftOutError("dates as text; convert them, for example with pandas.to_datetime")
    # A few customers are told by their ids, too.
    are_ids = _ID.search(name) is not None or all("@" in one for one in levels)
    fewest = 1 if are_ids else _MANY_LEVELS
    if len(levels) > fewest and len(levels) > _NEAR_UNIQUE * n_rows:
        raise LeftOutError(f"{len(levels):,} texts in {n_rows:,} rows are ids or free text")


def _codes_of_booleans(series: nw.Series[Any]) -> Codes:
    missing = np.asarray(series.is_null().to_numpy(), dtype=bool)
    values = np.asarray(series.fill_null(False).to_numpy() if missing.any() else series.to_numpy())
    return np.where(missing, -1, values.astype(np.intp))


def _numbers(series: nw.Series[Any]) -> NDArray[Any]:
    native = series.to_native()
    if isinstance(native, pd.Series) and isinstance(native.dtype, np.dtype):
        return native.to_numpy()
    if not series.null_count() and series.dtype.is_integer():
        values = np.asarray(series.to_numpy())
        if values.dtype.kind in "iu":
            return values
    return float_values(series)


def _as_pandas(series: nw.Series[Any]) -> pd.Series[Any]:
    native = series.to_native()
    if isinstance(native, pd.Series):
        return native
    if isinstance(series.dtype, nw.Enum):
        ordered = pd.CategoricalDtype(list(series.dtype.categories), ordered=True)
        return pd.Series(series.to_list(), dtype=ordered)
    if series.dtype in (nw.Datetime, nw.Date):
        return pd.to_datetime(pd.Series(series.to_list(), dtype=object))
    return pd.Series(series.to_list(), dtype=object)


def microseconds_to_dates(values: Any) -> NDArray[np.datetime64]:
    """Return microseconds since 1970 as dates with time, NaT where NaN."""
    numbers = np.asarray(values, dtype=np.float64)
    missing = np.isnan(numbers)
    whole = np.where(missing, 0, np.rint(np.nan_to_num(numbers))).astype(np.int64)
    dates: NDArray[np.datetime64] = np.where(
        missing, np.datetime64("NaT", "us"), whole.astype("datetime64[us]")
    )
    return dates
