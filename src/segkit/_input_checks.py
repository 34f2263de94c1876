"""Checks of what a user passes in, shared by every estimator and function.

Messages name the owner (class or function), the column, what was expected and what came, then
the remedy. They never show a row of the data.
"""

import difflib
import math
from collections.abc import Mapping, Sequence
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from segkit._frames import Frame
from segkit.exceptions import (
    ColumnError,
    MissingValuesError,
    SegkitTypeError,
    SegkitValueError,
)

# Columns of the customer table that count something, so that a negative number is a mistake.
_COUNTS = ("recency_days", "frequency", "order_days", "tenure_days")
# (smaller, larger): the first of each pair can never exceed the second.
_ORDERED_PAIRS = (("recency_days", "tenure_days"), ("order_days", "frequency"))


def check_columns_present(names: Sequence[str], frame: Frame, *, owner: str, remedy: str) -> None:
    """Raise for the first of `names` that the frame lacks, with the nearest name it has."""
    available = frame.collect_schema().names()
    for name in names:
        if name not in available:
            raise ColumnError(
                f"{owner}: column {name!r} is missing; the frame has {available}."
                f"{_nearest(name, available)} {remedy}"
            )


def check_numeric(names: Sequence[str], frame: Frame, *, owner: str) -> None:
    """Raise unless each of `names` is a column of numbers. Executes nothing on a lazy frame."""
    schema = frame.collect_schema()
    for name in names:
        dtype = schema[name]
        if dtype.is_numeric():
            continue
        found = str(dtype)
        if dtype == nw.Object and isinstance(frame, nw.DataFrame):
            found = pd.api.types.infer_dtype(frame[name].to_native(), skipna=True)
            if found in {"integer", "floating", "mixed-integer-float", "decimal", "empty"}:
                continue
        raise SegkitTypeError(
            f"{owner}: column {name!r} must hold numbers, got {found}. Convert it first, for "
            "example with pandas.to_numeric, and look at what does not convert."
        )


def check_complete(
    values: NDArray[np.float64], names: Sequence[str], *, owner: str, allow_missing: bool
) -> None:
    """Raise for infinities, and for NaN unless they are allowed."""
    if np.isfinite(values).all():
        return
    for position, name in enumerate(names):
        column = values[:, position]
        infinite = int(np.isinf(column).sum())
        if infinite:
            raise SegkitValueError(
                f"{owner}: column {name!r} contains infinity in {infinite:,} of {column.size:,} "
                "rows; finite numbers are expected. Correct or drop these rows."
            )
        missing = 0 if allow_missing else int(np.isnan(column).sum())
        if missing:
            raise MissingValuesError(
                f"{owner}: column {name!r} contains NaN or null in {missing:,} of "
                f"{column.size:,} rows. Fill or drop them, or pass missing='unassigned' to leave "
                "these customers without a segment."
            )


def check_customer_columns(
    values: NDArray[np.float64], names: Sequence[str], *, owner: str
) -> None:
    """Raise where columns with segkit's standard names hold what no customer table can hold."""
    columns = {name: values[:, position] for position, name in enumerate(names)}
    for name in _COUNTS:
        if name in columns and (negative := int((columns[name] < 0).sum())):
            raise SegkitValueError(
                f"{owner}: column {name!r} is negative in {negative:,} of {len(values):,} rows; "
                "it counts days or orders and starts at 0. Was the table made with an as_of "
                "before the last order?"
            )
    for smaller, larger in _ORDERED_PAIRS:
        if smaller in columns and larger in columns:
            swapped = int((columns[smaller] > columns[larger]).sum())
            if swapped:
                raise SegkitValueError(
                    f"{owner}: {smaller!r} exceeds {larger!r} in {swapped:,} of "
                    f"{len(values):,} rows, which no customer can do. Are the columns swapped?"
                )


def row_values(row: Mapping[Any, Any], keys: Sequence[str | int], *, owner: str) -> list[float]:
    """Pick numbers out of one customer's mapping; NaN where a value is missing."""
    if not isinstance(row, Mapping):
        raise SegkitTypeError(
            f"{owner}: predict_one expects one mapping of column to value, got "
            f"{type(row).__name__}. For many customers use predict_segments or assign."
        )
    values = []
    for key in keys:
        try:
            value = row[key]
        except KeyError:
            names = [str(name) for name in row]
            raise ColumnError(
                f"{owner}: the row has no {key!r}; it has {names}.{_nearest(str(key), names)}"
            ) from None
        values.append(value if type(value) is float else _one_number(value, key, owner=owner))
    return values


def row_is_plain(values: Sequence[float], names: Sequence[str | int]) -> bool:
    """Tell in well under a microsecond that nothing in a row calls for the checks of a batch."""
    if not (sum(values) < math.inf and min(values) >= 0):  # NaN fails the comparison
        return False
    return not any(
        smaller in names
        and larger in names
        and values[names.index(smaller)] > values[names.index(larger)]
        for smaller, larger in _ORDERED_PAIRS
    )


def _one_number(value: Any, key: str | int, *, owner: str) -> float:
    if value is None or value is pd.NA or value is pd.NaT:
        return math.nan
    if not isinstance(value, str | bytes | bool | np.bool_):
        try:
            return float(value)
        except (TypeError, ValueError, OverflowError):
            pass
    raise SegkitTypeError(f"{owner}: {key!r} must be a number, got {type(value).__name__}.")


def _nearest(name: str, available: Sequence[str]) -> str:
    nearest = difflib.get_close_matches(name, available, n=1)
    return f" Did you mean {nearest[0]!r}?" if nearest else ""
