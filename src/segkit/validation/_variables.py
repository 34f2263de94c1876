"""A column as a variable: numbers, or categories as codes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from segkit._frames import dtype_of, float_values, plain_values
from segkit._input_checks import check_magnitude
from segkit.exceptions import SegkitTypeError, SegkitValueError

Floats: TypeAlias = NDArray[np.float64]
Codes: TypeAlias = NDArray[np.intp]

# Of a category more levels than these must each have two customers, on average.
_MOST_LEVELS = 20
_NUMBERS = {"integer", "floating", "mixed-integer-float", "decimal"}


@dataclass(frozen=True)
class Numbers:
    """A numeric variable, NaN where it is missing. A boolean is 0 or 1."""

    values: Floats

    @property
    def is_missing(self) -> NDArray[np.bool_]:
        """Where there is no value."""
        missing: NDArray[np.bool_] = np.isnan(self.values)
        return missing

    @property
    def is_binary(self) -> bool:
        """Whether it says yes or no."""
        known = self.values[~self.is_missing]
        return bool(((known == 0) | (known == 1)).all())

    def take(self, rows: Any) -> Numbers:
        """Return some customers' values."""
        return Numbers(self.values[rows])


@dataclass(frozen=True)
class Categories:
    """A categorical variable: the position of each customer's level, -1 where it is missing."""

    codes: Codes
    levels: tuple[str, ...]

    @property
    def is_missing(self) -> NDArray[np.bool_]:
        """Where there is no value."""
        missing: NDArray[np.bool_] = self.codes < 0
        return missing

    def take(self, rows: Any) -> Categories:
        """Return some customers' values."""
        return Categories(self.codes[rows], self.levels)


Variable: TypeAlias = Numbers | Categories


def variable_of(series: nw.Series[Any], *, owner: str) -> Variable:
    """Return an eager column as a variable."""
    dtype, name = dtype_of(series), series.name
    found = ""
    if dtype == nw.Object:
        found = pd.api.types.infer_dtype(series.to_native(), skipna=True)
    if dtype.is_temporal() or found in {"datetime", "datetime64", "date"}:
        raise SegkitTypeError(
            f"{owner}: column {name!r} holds dates. Pass it as a number of days, or leave it out."
        )
    if dtype.is_numeric() or found in _NUMBERS:
        values = float_values(series)
        if np.isinf(values).any():
            raise SegkitValueError(
                f"{owner}: column {name!r} contains infinity in {int(np.isinf(values).sum()):,} of "
                f"{len(values):,} rows. Correct or drop these rows."
            )
        check_magnitude({name: values}, owner=owner)
        return Numbers(values)
    if dtype == nw.Boolean or found == "boolean":
        held = pd.Series(series.to_list(), dtype=object)
        flags = held.astype("boolean")
        return Numbers(np.asarray(flags.to_numpy(dtype="float64", na_value=np.nan), np.float64))
    if (
        found == "complex"
        or getattr(getattr(series.to_native(), "dtype", None), "kind", "") == "c"
        or isinstance(dtype, nw.List | nw.Array | nw.Struct)
        or _is_nested(series)
    ):
        raise SegkitTypeError(
            f"{owner}: column {name!r} holds lists, complex numbers or the like; numbers, booleans "
            "and categories can be judged."
        )
    values_of_any_kind = plain_values(series).astype(object)
    held_or_missing = zip(values_of_any_kind, values_of_any_kind.isna(), strict=True)
    # As objects: pandas' own text has no place for half of a character in two parts.
    texts = [None if missing else str(one) for one, missing in held_or_missing]
    codes, levels = pd.factorize(np.array(texts, dtype=object), sort=True)
    known = int((codes >= 0).sum())
    if len(levels) > _MOST_LEVELS and 2 * len(levels) > known:
        raise SegkitTypeError(
            f"{owner}: column {name!r} holds {len(levels):,} different texts of {known:,} "
            "customers: ids or free text, or numbers held as text, which pandas.to_numeric makes "
            "numbers. Convert it, or leave it out."
        )
    return Categories(codes.astype(np.intp), tuple(map(str, levels)))


def _is_nested(series: nw.Series[Any]) -> bool:
    if dtype_of(series) != nw.Object:
        return False
    return any(isinstance(one, list | tuple | dict | set | np.ndarray) for one in series.to_list())
