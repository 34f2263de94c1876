"""Checks of what a user passes in, shared by every estimator and function.

Messages name the owner (class or function), the column, what was expected and what came, then
the remedy. They never show a row of the data.
"""

import decimal
import difflib
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.frozen import FrozenEstimator

from segkit._frames import Frame, dtype_of
from segkit.exceptions import (
    ColumnError,
    MissingValuesError,
    SegkitTypeError,
    SegkitValueError,
)

# Columns of the customer table that count something, so that a negative number is a mistake.
_COUNTS = ("recency_days", "frequency", "order_days", "tenure_days")
# Columns that the customer table has when asked for, and by which extra.
_EXTRAS = {
    "first_day_amount": "clv",
    "last_gap_days": "last_gap",
    "return_count": "returns",
    "return_amount": "returns",
}
# Squares of numbers up to this, and their sums, do not overflow.
_LARGEST = 1e100
# (smaller, larger): the first of each pair can never exceed the second.
_ORDERED_PAIRS = (("recency_days", "tenure_days"),)

# Single numbers, of the types that a column of a frame can hold.
_NUMBERS = (int, float, np.integer, np.float16, np.float32, decimal.Decimal)
_NO_NUMBERS = (bool, np.timedelta64)

#: What to do about missing values where a segmenter can leave customers out.
UNASSIGNED_REMEDY = (
    "Fill or drop them, or construct it with missing='unassigned' to leave these customers "
    "without a segment."
)


@dataclass(frozen=True)
class RowLimits:
    """Which of a row's values count something, and which may not exceed which."""

    counts: tuple[int, ...]
    ordered: tuple[tuple[int, int], ...]


def row_limits(columns: Sequence[str | int]) -> RowLimits:
    """Return the positions of the columns with segkit's standard names."""
    position = {column: i for i, column in enumerate(columns)}
    return RowLimits(
        counts=tuple(position[name] for name in _COUNTS if name in position),
        ordered=tuple(
            (position[smaller], position[larger])
            for smaller, larger in _ORDERED_PAIRS
            if smaller in position and larger in position
        ),
    )


def check_columns_present(names: Sequence[str], frame: Frame, *, owner: str, remedy: str) -> None:
    """Raise for the first of `names` that the frame lacks, with the nearest name it has."""
    available = frame.collect_schema().names()
    absent = [name for name in names if name not in available]
    if not absent:
        _check_names_can_be_read(names, frame, owner=owner)
        return
    name = absent[0]
    if name in _EXTRAS:
        remedy = (
            f"summarize_transactions(..., extras={_EXTRAS[name]!r}) adds it to the customer table."
        )
    elif isinstance(native := frame.to_native(), pd.DataFrame) and name in native.index.names:
        remedy = "It is in the index: pass frame.reset_index()."
    elif absent == [*names] and len(names) > 1 and not any(nearest(n, available) for n in names):
        remedy += (
            " One row per customer is expected: make it from a transaction log with "
            "segkit.summarize_transactions."
        )
    elif near := nearest(name, available):
        remedy = f"Did you mean {near!r}? {remedy}"
    raise ColumnError(f"{owner}: column {name!r} is missing; the frame has {available}. {remedy}")


def _check_names_can_be_read(names: Sequence[str], frame: Frame, *, owner: str) -> None:
    """Raise where the frame's engine takes a name for more than a name."""
    if not frame.implementation.is_spark_like():
        return
    if unread := [name for name in names if "." in name or "`" in name]:
        raise ColumnError(
            f"{owner}: Spark reads a dot in the name of a column as a field within it, and a "
            f"backtick as a quotation mark: {unread}. Rename them first, with withColumnRenamed."
        )


def nearest(name: str, available: Sequence[str]) -> str | None:
    """Return the name that was probably meant, whatever its case and underscores."""
    folded = {_folded(candidate): candidate for candidate in reversed(available)}
    wanted = _folded(name)
    close = difflib.get_close_matches(wanted, folded, n=1, cutoff=0.7)
    begins = [
        one for one in folded if len(one) > 3 and (wanted.startswith(one) or one.startswith(wanted))
    ]
    return next((folded[match] for match in (*close, *begins)), None)


def _folded(name: str) -> str:
    return name.casefold().replace("_", "").replace(" ", "")


def check_numeric(names: Sequence[str], frame: Frame, *, owner: str) -> None:
    """Raise unless each of `names` is a column of numbers. Executes nothing on a lazy frame."""
    schema = frame.collect_schema()
    for name in names:
        dtype = schema[name]
        if dtype.is_numeric():
            continue
        found = str(dtype)
        if isinstance(frame, nw.DataFrame):
            if frame[name].null_count() == len(frame):
                continue
            if dtype_of(frame[name]) == nw.Object:
                found = pd.api.types.infer_dtype(frame[name].to_native(), skipna=True)
                if found in {"integer", "floating", "mixed-integer-float", "decimal"}:
                    continue
        elif dtype == nw.Unknown and _is_null_type(frame, name):
            continue
        remedy = (
            "Pass it as a number of days."
            if dtype.is_temporal()
            else "Convert it first, for example with pandas.to_numeric, and look at what does not "
            "convert."
        )
        raise SegkitTypeError(f"{owner}: column {name!r} must hold numbers, got {found}. {remedy}")


def _is_null_type(frame: nw.LazyFrame[Any], name: str) -> bool:
    """Tell whether a lazy column is of the type of nothing but nulls."""
    native = frame.to_native()
    if frame.implementation.is_polars():
        return str(native.collect_schema()[name]) == "Null"
    dtypes = dict(zip(native.columns, getattr(native, "dtypes", ()), strict=False))
    return str(dtypes.get(name)).strip('"') == "NULL"


def check_complete(
    columns: Mapping[str, NDArray[Any]],
    *,
    owner: str,
    allow_missing: bool,
    remedy: str = UNASSIGNED_REMEDY,
) -> None:
    """Raise for infinities, and for NaN unless they are allowed."""
    for name, column in columns.items():
        refuse_infinite(name, int(np.isinf(column).sum()), column.size, owner=owner)
        missing = 0 if allow_missing else int(np.isnan(column).sum())
        refuse_missing(name, missing, column.size, owner=owner, remedy=remedy)


def check_magnitude(columns: Mapping[str, NDArray[Any]], *, owner: str) -> None:
    """Raise for numbers whose squares overflow, where squares are taken."""
    for name, column in columns.items():
        with np.errstate(invalid="ignore"):
            beyond = int((np.abs(column) > _LARGEST).sum())
        if beyond:
            raise SegkitValueError(
                f"{owner}: column {name!r} is beyond {_LARGEST:g} in {beyond:,} of "
                f"{column.size:,} rows, which nothing about a customer is. Correct or drop these "
                "rows."
            )


def check_customer_columns(columns: Mapping[str, NDArray[Any]], *, owner: str) -> None:
    """Raise where columns with segkit's standard names hold what no customer table can hold."""
    check_limits(list(columns), list(columns.values()), row_limits(list(columns)), owner=owner)


def check_limits(
    names: Sequence[str | int], columns: Sequence[NDArray[Any]], limits: RowLimits, *, owner: str
) -> None:
    """Raise where a column that counts is negative, or exceeds one that it can't exceed."""
    for place in limits.counts:
        negative = int((columns[place] < 0).sum())
        refuse_negative(names[place], negative, columns[place].size, owner=owner)
    for low, high in limits.ordered:
        swapped = int((columns[low] > columns[high]).sum())
        refuse_swapped(names[low], names[high], swapped, columns[low].size, owner=owner)


def refuse_infinite(name: str | int, count: int, n_rows: int, *, owner: str) -> None:
    """Raise where a column is infinite in some rows."""
    if count:
        raise SegkitValueError(
            f"{owner}: column {name!r} contains infinity in {count:,} of {n_rows:,} rows; finite "
            "numbers are expected. Correct or drop these rows."
        )


def refuse_missing(
    name: str | int, count: int, n_rows: int, *, owner: str, remedy: str = UNASSIGNED_REMEDY
) -> None:
    """Raise where a column is missing in some rows."""
    if count:
        raise MissingValuesError(
            f"{owner}: column {name!r} contains NaN or null in {count:,} of {n_rows:,} rows. "
            f"{remedy}"
        )


def refuse_negative(name: str | int, count: int, n_rows: int, *, owner: str) -> None:
    """Raise where a column that counts days or orders is negative in some rows."""
    if count:
        hint = " Was it counted to a day before the last order?" if "days" in str(name) else ""
        raise SegkitValueError(
            f"{owner}: column {name!r} is negative in {count:,} of {n_rows:,} rows; it counts days "
            f"or orders and starts at 0.{hint}"
        )


def refuse_swapped(
    smaller: str | int, larger: str | int, count: int, n_rows: int, *, owner: str
) -> None:
    """Raise where a column exceeds, in some rows, one that it can't exceed."""
    if count:
        raise SegkitValueError(
            f"{owner}: {smaller!r} exceeds {larger!r} in {count:,} of {n_rows:,} rows, which no "
            "customer can do. Are the columns swapped?"
        )


def check_labels(labels: Any, index: Any, *, owner: str) -> None:
    """Raise where labels are no column, or a Series in another order than the customers' index."""
    if isinstance(labels, Mapping):
        raise SegkitTypeError(
            f"{owner}: y must have one label a row, got {type(labels).__name__}. Map it to "
            "the rows first: y=X['customer_id'].map(labels)."
        )
    if not (isinstance(labels, pd.Series) and isinstance(index, pd.Index)):
        return
    other = labels.index
    if len(other) != len(index) or other.equals(index) or other.has_duplicates:
        return
    if not index.has_duplicates and other.isin(index).all():
        raise SegkitValueError(
            f"{owner}: the index of y has the labels of the customers' index in another order, and "
            "labels are read row by row. Pass y.loc[X.index], or y.to_numpy() if the order of the "
            "rows is meant."
        )


def check_is_instance(estimator: Any, *, parameter: str, owner: str) -> None:
    """Raise for a class, which has what an instance has and cannot be fitted."""
    if isinstance(estimator, type):
        name = estimator.__name__
        raise SegkitTypeError(
            f"{owner}: {parameter} must be an estimator, got the class {name}. Write {name}(...)."
        )


def estimator_name(estimator: Any) -> str:
    """Return the class of an estimator, as a message names it: of a frozen one, what is inside."""
    inside = estimator.estimator if isinstance(estimator, FrozenEstimator) else estimator
    return type(inside).__name__


def row_values(row: Any, keys: Sequence[str | int], *, owner: str) -> list[float]:
    """Pick numbers out of one customer's mapping; NaN where a value is missing."""
    row = row_mapping(row, owner=owner)
    values = []
    for key in keys:
        value = row[key] if key in row else row_value(row, key, owner=owner)
        values.append(value if type(value) is float else one_number(value, key, owner=owner))
    return values


def check_keys_present(row: Any, keys: Iterable[str | int], *, owner: str) -> None:
    """Raise for the first of `keys` that one customer's mapping lacks."""
    row = row_mapping(row, owner=owner)
    for key in keys:
        row_value(row, key, owner=owner)


def row_mapping(row: Any, *, owner: str) -> Mapping[Any, Any]:
    """Return one customer as a mapping, which a pandas Series is made to be."""
    if not isinstance(row, Mapping):
        if not isinstance(row, pd.Series):
            raise SegkitTypeError(
                f"{owner}: predict_one expects one mapping of column to value, got "
                f"{type(row).__name__}. For many customers use predict_segments or assign."
            )
        as_mapping: dict[Any, Any] = row.to_dict()
        return as_mapping
    return row


def row_value(row: Any, key: str | int, *, owner: str) -> Any:
    """Pick a value of any type out of one customer's mapping."""
    if key not in row:
        names = [str(name) for name in row.keys()]  # noqa: SIM118 (of a Series, the names)
        near = nearest(str(key), names)
        hint = f" Did you mean {near!r}?" if near else ""
        raise ColumnError(f"{owner}: the row has no {key!r}; it has {names}.{hint}")
    return row[key]


def file_path(path: Any, *, owner: str) -> Path:
    """Return what a user passes for a file as a path, whether there is one or not."""
    if not isinstance(path, str | os.PathLike):
        raise SegkitTypeError(f"{owner}: path must be text or a path, got {type(path).__name__}.")
    file = Path(path)
    try:
        is_path = b"\0" not in os.fsencode(file)
    except UnicodeEncodeError:
        is_path = False
    if not is_path:
        raise SegkitValueError(
            f"{owner}: what holds the character 0, or half a character, is no path."
        )
    return file


def row_table(values: Mapping[Any, Any], *, owner: str) -> pd.DataFrame:
    """Return one customer's values as a table of one row."""
    for key, value in values.items():
        if isinstance(value, decimal.Decimal) and value.is_snan():
            raise SegkitTypeError(f"{owner}: {key!r} must be a number, got a signalling NaN.")
    try:
        return pd.DataFrame({key: [value] for key, value in values.items()})
    except UnicodeEncodeError:
        raise SegkitValueError(
            f"{owner}: one of {list(map(str, values))} is text with half a character, which no "
            "column can hold."
        ) from None


def one_number(value: Any, key: str | int, *, owner: str) -> float:
    """Return a value of one customer's mapping as a float, NaN where it is missing."""
    if isinstance(value, _NUMBERS) and not isinstance(value, _NO_NUMBERS):
        try:
            return float(value)
        except (ValueError, OverflowError):
            pass
    elif is_missing(value):
        return math.nan
    raise SegkitTypeError(f"{owner}: {key!r} must be a number, got {type(value).__name__}.")


def is_missing(value: Any) -> bool:
    """Tell whether one value is missing, as pandas tells it of a column."""
    if value is None or value is pd.NA or value is pd.NaT:
        return True
    if isinstance(value, float | np.floating):
        return bool(value != value)
    if isinstance(value, np.datetime64 | np.timedelta64):
        return bool(np.isnat(value))
    return isinstance(value, decimal.Decimal) and value.is_qnan()


def row_is_plain(
    values: Sequence[float], limits: RowLimits, *, allow_missing: bool = False
) -> bool:
    """Tell in under a microsecond that nothing in a row calls for the checks of a batch."""
    total = sum(values)
    if total - total != 0:  # NaN or infinity
        if not allow_missing:
            return False
        for value in values:
            if value - value != 0 and value == value:
                return False
    for position in limits.counts:
        if values[position] < 0:
            return False
    for smaller, larger in limits.ordered:  # noqa: SIM110 (all() takes twice as long)
        if values[smaller] > values[larger]:
            return False
    return True


def missing_rows(values: NDArray[np.float64]) -> NDArray[np.bool_] | None:
    """Return which rows have a NaN among finite numbers; None: no row has one."""
    if not np.isnan(total(values)):
        return None
    missing = np.isnan(values)
    return np.logical_or.reduce(missing, axis=1) if missing.any() else None


def total(values: NDArray[Any]) -> float:
    """Return the sum, in one fast pass: finite only if every value is, NaN if one is."""
    if values.dtype.kind in "iu":
        return 0.0
    with np.errstate(over="ignore", invalid="ignore"):
        return float(values.sum())


def block_is_plain(values: NDArray[np.float64], limits: RowLimits) -> bool:
    """Tell by a few passes that nothing in some rows calls for the checks of all."""
    if not np.isfinite(total(values)):
        return False
    if any(values[:, position].min() < 0 for position in limits.counts):
        return False
    return all((values[:, low] <= values[:, high]).all() for low, high in limits.ordered)
