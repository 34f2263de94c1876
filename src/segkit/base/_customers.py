"""Customers as numbers: the columns that a segmenter uses, from a frame by name or by position."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import narwhals.stable.v2 as nw
import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import assert_all_finite, validate_data

from segkit._frames import Frame, float_matrix, float_series
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
    named: bool

    def check(self, *, owner: str, allow_missing: bool) -> None:
        """Raise for infinities, unwanted missing values and, by name, impossible counts."""
        if self.named:
            names = [str(column) for column in self.columns]
            check_complete(self.values, names, owner=owner, allow_missing=allow_missing)
            check_customer_columns(self.values, names, owner=owner)
        else:
            assert_all_finite(
                self.values, allow_nan=allow_missing, estimator_name=owner, input_name="X"
            )


def customers_from_frame(segmenter: SegmenterMixin, frame: Frame, *, reset: bool) -> Customers:
    """Pick a segmenter's columns by name; a lazy frame is collected, only these columns."""
    names = names_in_frame(segmenter, frame, reset=reset)
    if isinstance(frame, nw.LazyFrame):
        check_numeric(names, frame, owner=type(segmenter).__name__)
        frame = frame.select(names).collect()
    values = float_matrix(numeric_columns(segmenter, frame, names))
    if reset and not len(values):
        raise SegkitValueError(
            f"{type(segmenter).__name__}: the frame has no rows; there is nothing to learn from."
        )
    return Customers(values, names, named=True)


def customers_from_array(segmenter: SegmenterMixin, X: Any, *, reset: bool) -> Customers:
    """Pick a segmenter's columns by position; further ones are ignored."""
    owner = type(segmenter).__name__
    try:
        array = validate_data(
            segmenter,
            X,
            reset=reset,
            dtype="numeric",
            ensure_all_finite=False,
            ensure_min_features=segmenter._min_columns if reset else 1,
            ensure_min_samples=1 if reset else 0,
        )
        array = np.asarray(array, dtype=np.float64)
    except ValueError as error:
        # numpy quotes the text that it cannot convert, which may be a customer's name.
        if "could not convert" not in str(error) and "dtype='numeric'" not in str(error):
            raise
        raise SegkitTypeError(
            f"{owner}: the array holds text; numbers are expected. Pass a frame, whose columns "
            "are picked by name, or only the numeric columns."
        ) from None
    columns = _columns_wanted(segmenter) if reset else segmenter._columns_used
    positions = _positions(columns, width=array.shape[1], owner=owner)
    return Customers(array[:, positions], columns[: len(positions)], named=False)


def names_in_frame(segmenter: SegmenterMixin, frame: Frame, *, reset: bool) -> list[str]:
    """Return the names of a segmenter's columns in a frame, which must have them all."""
    owner = type(segmenter).__name__
    columns = _columns_wanted(segmenter) if reset else segmenter._columns_used
    available = frame.collect_schema().names()
    if columns and isinstance(columns[0], int):
        positions = _positions(columns, width=len(available), owner=owner)
        return [available[position] for position in positions]
    names = [str(column) for column in columns]
    check_columns_present(
        names, frame, owner=owner, remedy="Rename it, or pass columns=... with the frame's names."
    )
    return names


def numeric_columns(
    segmenter: SegmenterMixin, frame: nw.DataFrame[Any], names: Sequence[str]
) -> nw.DataFrame[Any]:
    """Return the named columns of an eager frame as Float64, NaN where they are null."""
    check_numeric(names, frame, owner=type(segmenter).__name__)
    selected = frame.select(names)
    return selected.with_columns(float_series(selected[name]).alias(name) for name in names)


def _columns_wanted(segmenter: SegmenterMixin) -> list[str | int]:
    owner = type(segmenter).__name__
    columns = segmenter.columns
    wanted = [] if isinstance(columns, str) else list(columns)
    kinds = {int if isinstance(column, int | np.integer) else type(column) for column in wanted}
    if kinds not in ({str}, {int}) or len(set(wanted)) < len(wanted):
        raise ColumnError(
            f"{owner}: columns must be distinct column names, or distinct positions, got "
            f"{columns!r}."
        )
    if len(wanted) < segmenter._min_columns:
        raise ColumnError(
            f"{owner}: columns must name at least {segmenter._min_columns} columns, got "
            f"{columns!r}."
        )
    return [int(column) if kinds == {int} else column for column in wanted]


def _positions(columns: Sequence[str | int], *, width: int, owner: str) -> list[int]:
    if not isinstance(columns[0], int):
        return list(range(min(len(columns), width)))
    positions = [int(column) for column in columns]
    if min(positions) < 0 or max(positions) >= width:
        raise ColumnError(
            f"{owner}: columns={tuple(columns)} are positions, and X has {width} columns, "
            f"numbered 0 to {width - 1}."
        )
    return positions
