"""Customers as numbers: the columns that an estimator uses, from a frame by name or by position."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.utils.validation import validate_data

from segkit._blocks import row_blocks
from segkit._frames import Frame, collected, number_columns, plain_values
from segkit._input_checks import (
    UNASSIGNED_REMEDY,
    check_columns_present,
    check_complete,
    check_customer_columns,
    check_numeric,
    total,
)
from segkit.exceptions import ColumnError, SegkitTypeError, SegkitValueError

if TYPE_CHECKING:
    from segkit.base._customer_columns import CustomerColumnsMixin


@dataclass(frozen=True)
class Customers:
    """One row per customer: an array of numbers for each column, NaN where one is missing.

    Behind the columns may stand the positions of the customers' groups.
    """

    columns: Sequence[str | int]
    numbers: Sequence[NDArray[Any]]
    by_name: bool

    def __len__(self) -> int:
        return len(self.numbers[0])

    @cached_property
    def values(self) -> NDArray[np.float64]:
        """All customers, as floats of shape (n_customers, n_columns), each column in one piece."""
        return self._floats(slice(None))

    @cached_property
    def is_complete(self) -> bool:
        """Whether every value is there, and finite."""
        return all(np.isfinite(total(column)) for column in self.numbers)

    def blocks(self) -> Iterator[tuple[slice, NDArray[np.float64]]]:
        """Yield the same, some rows at a time."""
        for rows in row_blocks(len(self)):
            yield rows, self._floats(rows)

    def with_groups(self, positions: NDArray[np.intp]) -> Customers:
        """Return the customers with other positions of their groups."""
        return replace(self, numbers=[*self.numbers[:-1], positions])

    def check(self, *, owner: str, allow_missing: bool, remedy: str = UNASSIGNED_REMEDY) -> None:
        """Raise for infinities, unwanted missing values and, by name, impossible counts."""
        columns = dict(zip(map(str, self.columns), self.numbers, strict=False))
        if not self.is_complete:
            check_complete(columns, owner=owner, allow_missing=allow_missing, remedy=remedy)
        if self.by_name:
            check_customer_columns(columns, owner=owner)

    def _floats(self, rows: slice) -> NDArray[np.float64]:
        first = self.numbers[0][rows]
        floats = np.empty((len(first), len(self.numbers)), dtype=np.float64, order="F")
        for position, column in enumerate(self.numbers):
            floats[:, position] = column[rows]
        return floats


def customers_from_frame(
    estimator: CustomerColumnsMixin, frame: Frame, *, reset: bool
) -> Customers:
    """Pick an estimator's columns by name; a lazy frame is collected, only these columns."""
    owner = type(estimator).__name__
    names = names_in_frame(estimator, frame, reset=reset)
    group = group_in_frame(estimator, frame, reset=reset)
    check_numeric(names, frame, owner=owner)
    if isinstance(frame, nw.LazyFrame):
        used = dict.fromkeys([*names, *([] if group is None else [group])])
        frame = collected(frame.select(list(used)))
    if reset and not len(frame):
        raise SegkitValueError(f"{owner}: the frame has no rows; there is nothing to learn from.")
    try:
        numbers = number_columns(frame, names)
    except (TypeError, ValueError, OverflowError):
        raise SegkitTypeError(
            f"{owner}: one of the columns {names} holds values that are no floating point "
            "numbers. Convert it first, for example with pandas.to_numeric."
        ) from None
    if group is not None:
        numbers.append(estimator._group_positions(plain_values(frame[group]), reset=reset))
    return Customers(names, numbers, by_name=True)


def customers_from_array(estimator: CustomerColumnsMixin, X: Any, *, reset: bool) -> Customers:
    """Pick an estimator's columns by position; further ones are ignored."""
    if isinstance(X, list | tuple | pd.DataFrame):
        X = np.asarray(X)
    if reset:
        array = checked_array(estimator, X, reset=True, min_width=_min_width(estimator))
        columns = columns_wanted(estimator)
        positions = _positions(columns, array.shape[1])
        columns = columns[: len(positions)]
        group = _group_position(estimator._group_column(), positions)
        return _by_position(estimator, array, columns, positions, group, reset=True)
    # What a fitted estimator needs stands where it stood in fit; further columns are ignored.
    columns, wanted = estimator._columns_used, estimator._positions_used
    positions = wanted or list(range(len(columns)))
    group = _group_position(estimator._group_wanted, positions)
    if isinstance(X, np.ndarray) and X.ndim == 2:
        if hasattr(estimator, "feature_names_in_"):
            # After a frame, n_features_in_ counts the columns used, so they are picked first.
            used = [*positions, *([] if group is None else [group])]
            if X.shape[1] > max(used):
                X, positions = X[:, used], list(range(len(columns)))
                group = None if group is None else len(columns)
        else:
            X = X[:, : estimator.n_features_in_]
    array = checked_array(estimator, X, reset=False)
    needed = max([*positions, *([] if group is None else [group])], default=-1)
    if needed >= array.shape[1]:
        raise ColumnError(
            f"{type(estimator).__name__}: the column at position {needed} is needed, and the array "
            f"has {array.shape[1]} columns. Pass all columns, or a frame."
        )
    return _by_position(estimator, array, columns, positions, group, reset=False)


def _by_position(
    estimator: CustomerColumnsMixin,
    array: NDArray[np.float64],
    columns: Sequence[str | int],
    positions: Sequence[int],
    group: int | None,
    *,
    reset: bool,
) -> Customers:
    numbers: list[NDArray[Any]] = [array[:, position] for position in positions]
    if group is not None:
        numbers.append(estimator._group_positions(array[:, group], reset=reset))
    return Customers(columns, numbers, by_name=False)


def group_in_frame(estimator: CustomerColumnsMixin, frame: Frame, *, reset: bool) -> str | None:
    """Return the name of the column of groups, which the frame must have; None without groups."""
    group = estimator._group_column() if reset else estimator._group_used
    if group is None:
        return None
    owner, available = type(estimator).__name__, frame.collect_schema().names()
    if not isinstance(group, int):
        remedy = f"Rename it, or pass {owner}(groups=...) with the frame's name."
        check_columns_present([group], frame, owner=owner, remedy=remedy)
        return group
    if group >= len(available):
        raise ColumnError(
            f"{owner}: groups={group} is a position, and the frame has {len(available)} columns, "
            f"numbered 0 to {len(available) - 1}."
        )
    return available[group]


def _group_position(group: str | int | None, positions: Sequence[int]) -> int | None:
    """Return where an array has the groups: where they are said to be, or behind the columns."""
    return len(positions) if isinstance(group, str) else group


def _positions(columns: Sequence[str | int], width: int) -> list[int]:
    if isinstance(columns[0], int):
        return [int(column) for column in columns]
    return list(range(min(len(columns), width)))


def names_in_frame(estimator: CustomerColumnsMixin, frame: Frame, *, reset: bool) -> list[str]:
    """Return the names of an estimator's columns in a frame, which must have them all."""
    owner, parameter = type(estimator).__name__, estimator._columns_parameter
    columns = columns_wanted(estimator) if reset else estimator._columns_used
    if isinstance(columns[0], int):
        available = frame.collect_schema().names()
        positions = [int(column) for column in columns]
        if max(positions) >= len(available):
            raise ColumnError(
                f"{owner}: {parameter}={tuple(columns)} are positions, and the frame has "
                f"{len(available)} columns, numbered 0 to {len(available) - 1}."
            )
        return [available[position] for position in positions]
    names = [str(column) for column in columns]
    if reset:
        names += _optional_names(estimator, names, frame)
    check_columns_present(
        names,
        frame,
        owner=owner,
        remedy=(
            f"Rename it, or pass {owner}(column=...) with the frame's name."
            if parameter == "column"
            else f"Rename it, or pass {owner}({parameter}=[...]) with the frame's names."
            if reset
            else "It was there in fit: rename the frame's column."
        ),
    )
    return names


def _optional_names(
    estimator: CustomerColumnsMixin, names: Sequence[str], frame: Frame
) -> list[str]:
    if not estimator._optional_columns or len(names) > estimator._min_columns:
        return []
    available = frame.collect_schema().names()
    return [n for n in estimator._optional_columns if n in available and n not in names]


def columns_wanted(estimator: CustomerColumnsMixin) -> list[str | int]:
    """Return the parameter `columns`, which must be distinct names or distinct positions.

    Where the parameter is `column`, it must be one name or one position.
    """
    owner, parameter = type(estimator).__name__, estimator._columns_parameter
    columns: Any = getattr(estimator, parameter, None)
    if parameter == "column":
        wanted, expected = [columns], "the name of a column, or its position from 0"
    else:
        wanted = list(columns) if isinstance(columns, list | tuple | pd.Index) else []
        expected = "distinct column names, or distinct positions from 0"
    by_name = all(isinstance(column, str) for column in wanted)
    by_position = all(
        isinstance(column, int | np.integer) and not isinstance(column, bool) and column >= 0
        for column in wanted
    )
    if not wanted or not (by_name or by_position) or len(set(wanted)) < len(wanted):
        raise ColumnError(f"{owner}: {parameter} must be {expected}, got {columns!r}.")
    if len(wanted) < estimator._min_columns:
        raise ColumnError(
            f"{owner}: columns must name at least {estimator._min_columns} columns, got "
            f"{columns!r}."
        )
    return [str(column) if by_name else int(column) for column in wanted]


def checked_array(
    estimator: CustomerColumnsMixin, X: Any, *, reset: bool, min_width: int = 1
) -> NDArray[np.float64]:
    """Return an array-like as floats, NaN where it is masked, with scikit-learn's checks."""
    owner = type(estimator).__name__
    array_like = ("shape", "__array__", "__array_interface__", "__dlpack__")
    if not isinstance(X, Sequence) and not any(hasattr(X, name) for name in array_like):
        # scikit-learn prints what it cannot read, which may be a row of the data.
        raise SegkitTypeError(
            f"{owner}: Expected 2D array or a frame with one row per customer, got "
            f"{type(X).__name__}. Make it a frame, for example with pandas.DataFrame(...)."
        )
    if isinstance(X, np.ndarray):
        if X.dtype.names is not None:
            raise SegkitTypeError(
                f"{owner}: the columns of a structured array are not picked by name. Pass "
                "pandas.DataFrame(X)."
            )
        if X.ndim != 2:
            raise SegkitValueError(
                f"{owner}: Expected 2D array with one row per customer, got {X.ndim}D array "
                "instead. Reshape your data, or pass one customer as a dict to predict_one."
            )
        if X.dtype.kind == "c":
            raise SegkitValueError(f"{owner}: Complex data not supported.")
        if X.dtype.kind in "mMSU":
            raise SegkitTypeError(
                f"{owner}: the array must hold numbers, got {X.dtype}. Times are passed as days."
            )
        if X.dtype == object and any(isinstance(value, str) for value in X.ravel()):
            raise _text_in_array(owner)
        if isinstance(X, np.ma.MaskedArray):
            X = np.ma.filled(X.astype(np.float64), np.nan)
    try:
        array = validate_data(
            estimator,
            X,
            reset=reset,
            dtype="numeric",
            ensure_all_finite=False,
            ensure_min_features=min_width,
            ensure_min_samples=1 if reset else 0,
        )
        return np.asarray(array, dtype=np.float64)
    except ValueError as error:
        # numpy quotes the text that it cannot convert, which may be a customer's name.
        if "could not convert" not in str(error) and "dtype='numeric'" not in str(error):
            raise SegkitValueError(f"{owner}: {error}") from None
        raise _text_in_array(owner) from None
    except (TypeError, OverflowError) as error:
        raise SegkitTypeError(
            f"{owner}: the array holds what is no number: {error} Pass a frame, whose columns are "
            "picked by name, or only the numeric columns."
        ) from None


def _min_width(estimator: CustomerColumnsMixin) -> int:
    columns, group = columns_wanted(estimator), estimator._group_column()
    if isinstance(columns[0], int):
        width = max(int(column) for column in columns) + 1
    else:
        width = estimator._columns_needed() if group is None else len(columns)
    if group is None:
        return width
    return max(width, (len(columns) if isinstance(group, str) else group) + 1)


def _text_in_array(owner: str) -> SegkitTypeError:
    return SegkitTypeError(
        f"{owner}: the array holds text; numbers are expected. Pass a frame, whose columns are "
        "picked by name, or only the numeric columns."
    )
