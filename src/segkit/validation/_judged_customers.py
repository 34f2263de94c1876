"""The customers to judge: their segments, and their columns by role."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import issparse

from segkit._frames import UNASSIGNED, array_of_rows, as_frame, collected, plain_values
from segkit._input_checks import check_columns_present
from segkit.exceptions import ColumnError, SegkitTypeError, SegkitValueError
from segkit.validation._variables import Codes, Floats, Numbers, Variable, variable_of

_OWNER = "SegmentValidator"


@dataclass(frozen=True)
class Table:
    """One row per customer: a frame, or an array whose columns are called x0, x1, ..."""

    frame: nw.DataFrame[Any]
    is_array: bool
    #: The index of a pandas frame.
    index: pd.Index[Any] | None

    @classmethod
    def of(cls, X: Any, *, owner: str = _OWNER) -> Table:
        """Return the customers; a lazy frame is collected."""
        frame = as_frame(X, owner=owner)
        if frame is None:
            return cls(_named(X, owner), is_array=True, index=None)
        if isinstance(frame, nw.LazyFrame):
            frame = collected(frame)
        if not len(frame):
            raise SegkitValueError(f"{owner}: the frame has no rows, so there is nothing to judge.")
        native = frame.to_native()
        index = native.index if isinstance(native, pd.DataFrame) else None
        return cls(frame, is_array=False, index=index)

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def names(self) -> list[str]:
        """Names of the columns."""
        return list(self.frame.columns)

    def named(self, columns: Any, role: str) -> list[str]:
        """Return the names of the columns of a role, given as one or several names or positions."""
        if columns is None:
            return []
        is_one = isinstance(columns, str | int | np.integer)
        wanted = [columns] if is_one else list(columns)
        names = []
        for one in wanted:
            if isinstance(one, int | np.integer) and not isinstance(one, bool):
                if not 0 <= one < len(self.names):
                    raise ColumnError(
                        f"{_OWNER}: {role} has the position {one}, and there are "
                        f"{len(self.names)} columns, numbered from 0."
                    )
                one = self.names[one]
            names.append(str(one))
        remedy = f"Pass {role}=... with names of its columns."
        check_columns_present(names, self.frame, owner=_OWNER, remedy=remedy)
        return list(dict.fromkeys(names))

    def numeric_names(self) -> list[str]:
        """Return the names of the columns of numbers."""
        schema = self.frame.schema
        return [name for name in self.names if schema[name].is_numeric()]

    def variables(self, names: Sequence[str]) -> dict[str, Variable]:
        """Return columns as variables, by name."""
        return {name: variable_of(self.frame[name], owner=_OWNER) for name in names}

    def rows(self, names: Sequence[str], rows: NDArray[np.intp] | None = None) -> Any:
        """Return columns of some rows, or of all, as an estimator takes them."""
        check_columns_present(names, self.frame, owner=_OWNER, remedy="It was there in fit.")
        chosen = self.frame.select(list(names))
        if rows is not None:
            chosen = chosen[rows.tolist()]
        return chosen.to_numpy() if self.is_array else chosen.to_native()

    def ids(self, customer_id: Any) -> pd.Index[Any] | None:
        """Return what tells the customers apart: a column, or else the index of a pandas frame."""
        if customer_id is None:
            return self.index
        (name,) = self.named([customer_id], "customer_id")
        found: pd.Index[Any] = pd.Index(plain_values(self.frame[name]))
        try:
            is_doubled = found.has_duplicates
        except TypeError:  # dicts and others without a hash
            raise SegkitTypeError(
                f"{_OWNER}: customer_id {name!r} must hold ids, such as numbers or text."
            ) from None
        if found.hasnans or is_doubled:
            raise SegkitValueError(
                f"{_OWNER}: customer_id {name!r} is missing or doubled in some rows. One row per "
                "customer is expected."
            )
        return found


@dataclass(frozen=True)
class JudgedCustomers:
    """Customers in segments: `codes` are positions in `segments`, -1 for those in none."""

    codes: Codes
    segments: tuple[str, ...]
    basis: Mapping[str, Variable]
    outcomes: Mapping[str, Variable]
    channels: Mapping[str, Variable]
    value: Floats | None

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def sizes(self) -> NDArray[np.intp]:
        """Customers of each segment."""
        return np.bincount(self.codes[self.codes >= 0], minlength=len(self.segments))


def only_counts(ids: pd.Index[Any] | None) -> bool:
    """Tell whether ids are none: the rows are numbered, or not even that."""
    if not isinstance(ids, pd.RangeIndex):
        return ids is None
    return (ids.start, ids.step) == (0, 1) and ids.name is None


def without_empty(codes: NDArray[Any], names: Sequence[str]) -> tuple[Codes, tuple[str, ...]]:
    """Return codes of the segments that have customers, in their order, and their names."""
    is_inside = codes >= 0
    sizes = np.bincount(codes[is_inside], minlength=len(names))
    if not sizes.any():
        raise SegkitValueError(f"{_OWNER}: no customer is in a segment; there is nothing to judge.")
    place = np.append(np.cumsum(sizes > 0) - 1, -1)
    kept = tuple(name for name, size in zip(names, sizes, strict=True) if size)
    return place[np.where(is_inside, codes, -1)].astype(np.intp), kept


def _is_no_segment(label: Any) -> bool:
    """Tell "unassigned" and negative codes, which are noise, from segments."""
    if isinstance(label, str):
        return label == UNASSIGNED
    is_number = isinstance(label, int | float | np.number) and not isinstance(label, bool)
    return is_number and bool(label < 0)


def labelled(y: Any, n_customers: int) -> tuple[Codes, tuple[str, ...]]:
    """Return labels of any source as codes and names; -1, "unassigned" and missing are none."""
    given: Any = pd.Series(y) if isinstance(y, pd.Categorical) else y
    native: Any = nw.from_native(given, series_only=True, pass_through=True)
    levels: list[Any] | None = None
    if isinstance(native, nw.Series):
        # polars' Categorical has no order of its own; its texts are sorted.
        is_pandas = native.implementation.is_pandas_like()
        if isinstance(native.dtype, nw.Enum) or (is_pandas and native.dtype == nw.Categorical):
            levels = native.cat.get_categories().to_list()
        values = plain_values(native).reset_index(drop=True).astype(object)
    else:
        # An array of a list would make text of numbers beside text.
        held: Any = pd.Series([*y], dtype=object) if isinstance(y, list | tuple) else np.asarray(y)
        if isinstance(native, nw.DataFrame | nw.LazyFrame):
            raise SegkitTypeError(
                f"{_OWNER}: y must be one label a row, got {type(y).__name__}. Pass a single "
                "column, or the name of a column of X."
            )
        if held.ndim != 1:
            raise SegkitValueError(
                f"{_OWNER}: y must have one label a customer, got {held.ndim} dimensions."
            )
        values = pd.Series(held).astype(object)
    if len(values) != n_customers:
        raise SegkitValueError(
            f"{_OWNER}: y must have one label for each of the {n_customers:,} customers, got "
            f"{len(values):,}."
        )
    is_none = (values.isna() | values.map(_is_no_segment)).to_numpy(dtype=bool)
    try:
        codes, found = pd.factorize(values.mask(is_none, None))
    except TypeError:
        raise SegkitTypeError(
            f"{_OWNER}: y must hold one label a customer, text or a number, and some are lists or "
            "the like."
        ) from None
    places = {label: place for place, label in enumerate(levels or ())}
    try:
        order = sorted(range(len(found)), key=lambda one: places.get(found[one], found[one]))
    except TypeError:
        raise SegkitTypeError(
            f"{_OWNER}: y must hold labels of one type, all numbers or all text."
        ) from None
    rank = np.append(np.argsort(order), -1)
    return without_empty(rank[codes], [_name(found[one]) for one in order])


def _name(label: Any) -> str:
    is_whole = isinstance(label, float | np.floating) and float(label).is_integer()
    return str(int(label)) if is_whole else str(label)


def _named(X: Any, owner: str) -> nw.DataFrame[Any]:
    if issparse(X):
        raise SegkitTypeError(
            f"{owner}: sparse input is not supported. Pass a frame, or X.toarray()."
        )
    held = X if isinstance(X, pd.DataFrame) else array_of_rows(X, owner=owner)
    if not isinstance(held, pd.DataFrame) and held.dtype.kind == "c":
        raise SegkitValueError(f"{owner}: Complex data not supported.")
    if held.ndim != 2:
        raise SegkitValueError(
            f"{owner}: Expected 2D array with one row per customer, got {held.ndim}D array "
            "instead. Reshape your data."
        )
    if 0 in held.shape:
        raise SegkitValueError(
            f"{owner}: X has {held.shape[0]} sample(s) and {held.shape[1]} feature(s) "
            f"(shape={held.shape}) while a minimum of 1 is required."
        )
    table = pd.DataFrame(held).reset_index(drop=True).infer_objects()
    table.columns = pd.Index([f"x{place}" for place in range(table.shape[1])])
    return nw.from_native(table, eager_only=True)


def reach_of(channel: Variable, name: str) -> NDArray[np.bool_]:
    """Return who may be reached on a channel; a missing consent is none."""
    if not isinstance(channel, Numbers) or not channel.is_binary:
        raise SegkitTypeError(
            f"{_OWNER}: channel {name!r} must hold booleans, or 0 and 1: who may be reached on it."
        )
    reached: NDArray[np.bool_] = channel.values == 1
    return reached
