"""Groups of customers, such as countries: the values of a column, as positions."""

from __future__ import annotations

import datetime as dt
import decimal
import numbers
from dataclasses import dataclass
from functools import cached_property
from operator import add
from typing import Any, TypeAlias

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from segkit._frames import balanced, one_where
from segkit._input_checks import is_missing
from segkit._warn import warn
from segkit.exceptions import SegkitTypeError, SegmenterFileError, SmallGroupsWarning

#: A label and its kind: a number is no text and no boolean, in whatever engine.
Key: TypeAlias = tuple[str, Any]


@dataclass(frozen=True)
class CustomerGroups:
    """The groups that are known, in order; any other value, or none, has the position behind."""

    labels: tuple[Any, ...]

    @classmethod
    def among(cls, values: Any) -> CustomerGroups:
        """Return the groups that occur among these values."""
        keys = {key for key in map(_key, _distinct(values)[1]) if key is not None}
        return cls(tuple(label for _, label in sorted(keys)))

    @classmethod
    def of_stored(cls, labels: list[Any]) -> CustomerGroups:
        """Return the groups that a file has, in the order in which they were learned."""
        keys = [_key(label) for label in labels]
        if None in keys or len(set(keys)) < len(keys):
            raise SegmenterFileError("RFMScorer: the groups in the file are not all different.")
        return cls(tuple(labels))

    def positions(self, values: Any) -> NDArray[np.intp]:
        """Return the position of each value."""
        codes, distinct = _distinct(values)
        places = [self.position(label) for label in distinct]
        positions: NDArray[np.intp] = np.array([*places, len(self.labels)], dtype=np.intp)[codes]
        return positions

    def position(self, value: Any) -> int:
        """Return the position of one value."""
        key = ("text", value) if type(value) is str else _key(value)
        try:
            return len(self.labels) if key is None else self._places.get(key, len(self.labels))
        except TypeError:  # a signalling NaN has no hash
            raise _no_group(value) from None

    def expression(self, values: nw.Expr, dtype: Any) -> nw.Expr:
        """Return the positions inside an engine, for a column of this type."""
        others, kind = len(self.labels), _kind_of_column(dtype)
        if kind == "text":
            values = values.cast(nw.String)
        steps = [
            one_where(values == label) * (place - others)
            for (of_kind, label), place in self._places.items()
            if of_kind == kind
        ]
        if not steps:
            nobody: nw.Expr = nw.lit(others)
            return nobody
        place: nw.Expr = balanced(add, steps)
        return place.fill_null(0) + others

    def those(
        self, chosen: NDArray[np.bool_], positions: NDArray[np.intp]
    ) -> tuple[CustomerGroups, NDArray[np.intp]]:
        """Return some of the groups, and the positions among them of those among all."""
        labels = [label for label, keep in zip(self.labels, chosen, strict=True) if keep]
        place = np.where(chosen, np.cumsum(chosen) - 1, len(labels))
        moved: NDArray[np.intp] = np.append(place, len(labels))[positions]
        return CustomerGroups(tuple(labels)), moved

    @cached_property
    def _places(self) -> dict[Key, int]:
        return {_key(label) or ("", None): place for place, label in enumerate(self.labels)}


def warn_of_small_groups(large_enough: NDArray[np.bool_], column: Any, n_bins: int) -> None:
    """Warn of groups that have fewer customers than there are scores."""
    if not large_enough.all():
        warn(
            f"RFMScorer: {int((~large_enough).sum()):,} of {large_enough.size:,} groups in "
            f"{column!r} have fewer than {n_bins} customers with all values, one for each score. "
            "They are scored with the edges of all customers.",
            SmallGroupsWarning,
        )


def _distinct(values: Any) -> tuple[NDArray[np.intp], list[Any]]:
    """Return the number of each value, -1 where it is missing, and the distinct values."""
    try:
        codes, distinct = pd.factorize(values)
    except TypeError:  # lists and others that have no hash
        raise _no_group(values.iloc[0] if isinstance(values, pd.Series) else values) from None
    return codes, distinct.tolist()


def _key(value: Any) -> Key | None:
    """Return a value with its kind, None where it is missing."""
    if isinstance(value, str):
        return "text", str(value)
    if isinstance(value, bool | np.bool_):
        return "boolean", bool(value)
    if is_missing(value):
        return None
    is_number = isinstance(value, numbers.Real | decimal.Decimal)
    if is_number and not isinstance(value, np.timedelta64):
        return "number", value
    if isinstance(value, dt.date | np.datetime64):
        time: Any = pd.Timestamp(value)
        if pd.isna(time) or time.tzinfo is None:
            return None if pd.isna(time) else ("date", time)
    raise _no_group(value)


def _kind_of_column(dtype: Any) -> str | None:
    if dtype in (nw.String, nw.Categorical, nw.Enum):
        return "text"
    if dtype == nw.Boolean:
        return "boolean"
    if dtype.is_numeric():
        return "number"
    if dtype == nw.Date or (dtype == nw.Datetime and dtype.time_zone is None):
        return "date"
    return None


def _no_group(value: Any) -> SegkitTypeError:
    return SegkitTypeError(
        "RFMScorer: groups must be text, numbers, booleans, or dates without a time zone, got "
        f"{type(value).__name__}. Make them text, for example with astype(str)."
    )
