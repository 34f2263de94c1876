"""The columns that rules test, from a frame by name or from an array by position, checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from segkit._frames import Frame, as_frame
from segkit._input_checks import RowLimits, check_columns_present, row_is_plain
from segkit.base._customers import Customers, checked_array
from segkit.exceptions import ColumnError, SegkitError, SegkitTypeError
from segkit.segmenters._rule_columns import Kind, Values, check_kinds, values_in_frame

if TYPE_CHECKING:
    from segkit.segmenters._rules import RuleSegmenter

_OWNER = "RuleSegmenter"
# The largest number in a column of integers.
_MOST = 2**63 - 1


def columns_of_customers(
    segmenter: RuleSegmenter, X: Any, *, reset: bool
) -> tuple[dict[str, Values], int]:
    """Return the columns that a segmenter's rules test, and the number of customers."""
    kinds = segmenter._kinds
    frame = as_frame(X, owner=_OWNER)
    if frame is None:
        return _columns_of_array(segmenter, X, reset=reset)
    check_frame(kinds, frame)
    assert isinstance(frame, nw.DataFrame)
    columns = {
        name: values_in_frame(frame, name, kind, owner=_OWNER) for name, kind in kinds.items()
    }
    _check_numbers({name: columns[name].values for name in numbers_in(kinds, frame)}, by_name=True)
    for name, kind in kinds.items():
        if kind == "any" and frame[name].dtype == nw.Object:
            _check_numbers({name: _numbers_among(frame[name])}, by_name=True)
    if reset:
        segmenter._remember_columns(list(columns), frame)
    return columns, len(frame)


def check_frame(kinds: Mapping[str, Kind], frame: Frame) -> None:
    """Raise unless a frame has the columns that rules test, and they hold what it takes."""
    remedy = "Rename it, or write the rules with the frame's names (from_base takes column=...)."
    check_columns_present(list(kinds), frame, owner=_OWNER, remedy=remedy)
    check_kinds(kinds, frame, owner=_OWNER)


def numbers_in(kinds: Mapping[str, Kind], frame: Frame) -> list[str]:
    """Return the columns that hold numbers, also where only asked whether they are missing."""
    schema = frame.collect_schema()
    return [
        name
        for name, kind in kinds.items()
        if kind == "number" or (kind == "any" and schema[name].is_numeric())
    ]


def check_row(row: Mapping[str, Any], names: Sequence[str], limits: RowLimits) -> None:
    """Raise for one customer as for a frame: for infinities and impossible counts."""
    numbers = [_number_to_check(row[name]) for name in names]
    if not row_is_plain(numbers, limits):
        known = {name: np.array([row[name]]) for name in names}
        _check_numbers(
            {name: v.astype(np.float64) for name, v in known.items() if v.dtype.kind in "if"},
            by_name=True,
        )


def array_problem(kinds: Mapping[str, Kind]) -> SegkitError | None:
    """Return why rules that test these columns cannot be about an array; None: they can."""
    names = list(kinds)
    if _positions(names) is None:
        return ColumnError(
            f"{_OWNER}: the rules test the columns {names}, and the columns of an array are named "
            "x0, x1, ... Pass a frame, or write the rules with these names."
        )
    return _kind_problem(kinds)


def _columns_of_array(
    segmenter: RuleSegmenter, X: Any, *, reset: bool
) -> tuple[dict[str, Values], int]:
    kinds, names = segmenter._kinds, list(segmenter._kinds)
    if problem := (array_problem(kinds) if reset else _kind_problem(kinds)):
        raise problem
    positions = _positions(names) or list(range(len(names)))
    if isinstance(X, list | tuple | pd.DataFrame):
        X = np.asarray(X)
    if not reset and hasattr(segmenter, "feature_names_in_"):
        if not names:
            return {}, len(X)
        # After fitting on a frame, n_features_in_ counts the columns used: these are picked first,
        # those named x0, x1, ... by position, others as they stand in feature_names_in_.
        if isinstance(X, np.ndarray) and X.ndim == 2:
            if _positions(names) and X.shape[1] <= max(positions):
                raise ColumnError(
                    f"{_OWNER}: the rules test the columns {names}, which an array has by "
                    f"position, and it has {X.shape[1]} columns. Pass all columns, or a frame."
                )
            if X.shape[1] > max(positions):
                X = X[:, positions]
        positions = list(range(len(names)))
    elif not reset and isinstance(X, np.ndarray) and X.ndim == 2:
        X = X[:, : segmenter.n_features_in_]
    width = max(positions, default=0) + 1
    array = checked_array(segmenter, X, reset=reset, min_width=width)
    columns = {name: array[:, place] for name, place in zip(names, positions, strict=True)}
    _check_numbers(columns, by_name=False)
    if reset:
        segmenter._remember_columns(names, None)
    return {name: Values(column) for name, column in columns.items()}, len(array)


def _positions(names: Sequence[str]) -> list[int] | None:
    """Return the positions that the names x0, x1, ... stand for; None: others are among them."""
    if not all(name[:1] == "x" and name[1:].isascii() and name[1:].isdigit() for name in names):
        return None
    return [int(name[1:]) for name in names]


def _kind_problem(kinds: Mapping[str, Kind]) -> SegkitTypeError | None:
    for name, kind in kinds.items():
        if kind in ("text", "boolean"):
            held = "text" if kind == "text" else "true or false"
            return SegkitTypeError(
                f"{_OWNER}: the rules compare {name!r} with {held}, and an array holds numbers. "
                "Pass a frame."
            )
    return None


def _number_to_check(value: Any) -> float:
    """Return one value as a number; 0, which is always in order, where it is none of a column."""
    if type(value) is float:
        return value
    return value if type(value) is int and -_MOST <= value <= _MOST else 0.0


def _numbers_among(objects: nw.Series[Any]) -> NDArray[np.float64]:
    """Return the numbers among values of any kind, as check_row looks at them."""
    known = [value for value in objects.to_list() if isinstance(value, float | np.floating)]
    return np.array(known, dtype=np.float64)


def _check_numbers(columns: Mapping[str, NDArray[Any]], *, by_name: bool) -> None:
    if columns:
        customers = Customers(list(columns), list(columns.values()), by_name=by_name)
        customers.check(owner=_OWNER, allow_missing=True)
