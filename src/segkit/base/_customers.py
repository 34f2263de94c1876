"""Customers as numbers: the columns that a segmenter uses, from a frame by name or by position."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.utils.validation import validate_data

from segkit._frames import Frame, collected, float_matrix
from segkit._input_checks import (
    check_columns_present,
    check_complete,
    check_customer_columns,
    check_numeric,
)
from segkit.exceptions import ColumnError, SegkitTypeError, SegkitValueError

if TYPE_CHECKING:
    from segkit.base._segmenter import SegmenterMixin


@dataclass(frozen=True)
class Customers:
    """One row per customer: float values of shape (n_customers, n_columns), NaN where missing."""

    values: NDArray[np.float64]
    columns: Sequence[str | int]
    by_name: bool

    def check(self, *, owner: str, allow_missing: bool) -> None:
        """Raise for infinities, unwanted missing values and, by name, impossible counts."""
        names = [str(column) for column in self.columns]
        check_complete(self.values, names, owner=owner, allow_missing=allow_missing)
        if self.by_name:
            check_customer_columns(self.values, names, owner=owner)


def customers_from_frame(segmenter: SegmenterMixin, frame: Frame, *, reset: bool) -> Customers:
    """Pick a segmenter's columns by name; a lazy frame is collected, only these columns."""
    owner = type(segmenter).__name__
    names = names_in_frame(segmenter, frame, reset=reset)
    check_numeric(names, frame, owner=owner)
    if isinstance(frame, nw.LazyFrame):
        frame = collected(frame.select(names))
    if reset and not len(frame):
        raise SegkitValueError(f"{owner}: the frame has no rows; there is nothing to learn from.")
    try:
        values = float_matrix(frame, names)
    except (TypeError, ValueError, OverflowError):
        raise SegkitTypeError(
            f"{owner}: one of the columns {names} holds values that are no floating point "
            "numbers. Convert it first, for example with pandas.to_numeric."
        ) from None
    return Customers(values, names, by_name=True)


def customers_from_array(segmenter: SegmenterMixin, X: Any, *, reset: bool) -> Customers:
    """Pick a segmenter's columns by position; further ones are ignored."""
    if isinstance(X, list | tuple | pd.DataFrame):
        X = np.asarray(X)
    if reset:
        array = _checked_array(segmenter, X, reset=True)
        columns = columns_wanted(segmenter)
        positions = _positions(columns, array.shape[1])
        return Customers(array[:, positions], columns[: len(positions)], by_name=False)
    # What a fitted segmenter needs stands where it stood in fit; further columns are ignored.
    columns, wanted = segmenter._columns_used, segmenter._positions_used
    positions = wanted or list(range(len(columns)))
    if isinstance(X, np.ndarray) and X.ndim == 2:
        if wanted is not None and hasattr(segmenter, "feature_names_in_"):
            # After a frame, n_features_in_ counts the columns used, so they are picked first.
            if X.shape[1] > max(wanted):
                X, positions = X[:, wanted], list(range(len(columns)))
        else:
            X = X[:, : segmenter.n_features_in_]
    array = _checked_array(segmenter, X, reset=False)
    return Customers(array[:, positions], columns, by_name=False)


def _positions(columns: Sequence[str | int], width: int) -> list[int]:
    if isinstance(columns[0], int):
        return [int(column) for column in columns]
    return list(range(min(len(columns), width)))


def names_in_frame(segmenter: SegmenterMixin, frame: Frame, *, reset: bool) -> list[str]:
    """Return the names of a segmenter's columns in a frame, which must have them all."""
    owner = type(segmenter).__name__
    columns = columns_wanted(segmenter) if reset else segmenter._columns_used
    if isinstance(columns[0], int):
        available = frame.collect_schema().names()
        positions = [int(column) for column in columns]
        if max(positions) >= len(available):
            raise ColumnError(
                f"{owner}: columns={tuple(columns)} are positions, and the frame has "
                f"{len(available)} columns, numbered 0 to {len(available) - 1}."
            )
        return [available[position] for position in positions]
    names = [str(column) for column in columns]
    check_columns_present(
        names,
        frame,
        owner=owner,
        remedy=f"Rename it, or pass {owner}(columns=[...]) with the frame's names.",
    )
    return names


def columns_wanted(segmenter: SegmenterMixin) -> list[str | int]:
    """Return the parameter `columns`, which must be distinct names or distinct positions."""
    owner = type(segmenter).__name__
    columns = getattr(segmenter, "columns", None)
    wanted = list(columns) if isinstance(columns, list | tuple | pd.Index) else []
    by_name = all(isinstance(column, str) for column in wanted)
    by_position = all(
        isinstance(column, int | np.integer) and not isinstance(column, bool) and column >= 0
        for column in wanted
    )
    if not wanted or not (by_name or by_position) or len(set(wanted)) < len(wanted):
        raise ColumnError(
            f"{owner}: columns must be distinct column names, or distinct positions from 0, got "
            f"{columns!r}."
        )
    if len(wanted) < segmenter._min_columns:
        raise ColumnError(
            f"{owner}: columns must name at least {segmenter._min_columns} columns, got "
            f"{columns!r}."
        )
    return [str(column) if by_name else int(column) for column in wanted]


def _checked_array(segmenter: SegmenterMixin, X: Any, *, reset: bool) -> NDArray[np.float64]:
    """Return an array-like as floats, NaN where it is masked, with scikit-learn's checks."""
    owner = type(segmenter).__name__
    if isinstance(X, np.ndarray):
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
        if X.dtype == object and "string" in pd.api.types.infer_dtype(X.ravel(), skipna=True):
            raise _text_in_array(owner)
        if isinstance(X, np.ma.MaskedArray):
            X = np.ma.filled(X.astype(np.float64), np.nan)
    try:
        array = validate_data(
            segmenter,
            X,
            reset=reset,
            dtype="numeric",
            ensure_all_finite=False,
            ensure_min_features=_min_width(segmenter) if reset else 1,
            ensure_min_samples=1 if reset else 0,
        )
        return np.asarray(array, dtype=np.float64)
    except ValueError as error:
        # numpy quotes the text that it cannot convert, which may be a customer's name.
        if "could not convert" not in str(error) and "dtype='numeric'" not in str(error):
            raise
        raise _text_in_array(owner) from None
    except (TypeError, OverflowError) as error:
        raise SegkitTypeError(
            f"{owner}: the array holds what is no number: {error} Pass a frame, whose columns are "
            "picked by name, or only the numeric columns."
        ) from None


def _min_width(segmenter: SegmenterMixin) -> int:
    columns = columns_wanted(segmenter)
    if isinstance(columns[0], int):
        return max(int(column) for column in columns) + 1
    return segmenter._columns_needed()


def _text_in_array(owner: str) -> SegkitTypeError:
    return SegkitTypeError(
        f"{owner}: the array holds text; numbers are expected. Pass a frame, whose columns are "
        "picked by name, or only the numeric columns."
    )
