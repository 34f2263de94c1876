"""The columns that rules test, in memory: numbers, text, true or false, or known and missing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from segkit._frames import Frame, dtype_of, number_columns, plain_values
from segkit._input_checks import check_numeric, is_missing, one_number
from segkit.exceptions import SegkitTypeError

#: What a column must hold for the tests of it; "any": it is only asked whether a value is there.
Kind: TypeAlias = Literal["number", "text", "boolean", "any"]
Truths: TypeAlias = NDArray[np.bool_]

_HELD = {"number": "numbers", "text": "text", "boolean": "true or false"}
_PLAIN = {"number": float, "text": str, "boolean": bool, "any": str}
# What pandas calls what it finds in a column of objects.
_INFERRED = {
    "string": "text",
    "boolean": "boolean",
    "integer": "number",
    "floating": "number",
    "mixed-integer-float": "number",
    "decimal": "number",
}
_WRITTEN = {
    "number": "Compare it with numbers, such as 1",
    "text": 'Compare it with text, such as "1"',
    "boolean": "Compare it with true or false",
}


@dataclass(frozen=True)
class Values:
    """A column: for each customer the position of their value among some values.

    `places` is None where each customer has a value of their own, as of numbers; -1 is missing.
    """

    values: Any
    places: NDArray[np.intp] | None = None

    def truths(self, of_values: Callable[[Any], Truths]) -> Truths:
        """Return for each customer what holds for their value; nothing does for a missing one."""
        if self.places is None:
            return of_values(self.values)
        truths: Truths = np.append(of_values(self.values), False)[self.places]
        return truths

    def missing(self) -> Truths:
        """Return whose value is missing."""
        missing: Truths = np.isnan(self.values) if self.places is None else self.places < 0
        return missing


def check_kinds(kinds: Mapping[str, Kind], frame: Frame, *, owner: str) -> None:
    """Raise unless the columns of a frame hold what rules compare them with."""
    numbers = [name for name, kind in kinds.items() if kind == "number"]
    schema = frame.collect_schema()
    for name, kind in kinds.items():
        found = _kind_of(schema[name], frame, name)
        if kind != "any" and found not in (kind, "any") and not _is_empty(frame, name):
            held = _HELD.get(found, found)
            remedy = _WRITTEN.get(found, "Make it one of them")
            raise SegkitTypeError(
                f"{owner}: the rules compare column {name!r} with {_HELD[kind]}, and it holds "
                f"{held}. {remedy}, or convert the column."
            )
    check_numeric(numbers, frame, owner=owner)


def values_in_frame(frame: nw.DataFrame[Any], name: str, kind: Kind, *, owner: str) -> Values:
    """Return a column of an eager frame."""
    series = frame[name]
    if kind == "number" or (kind == "any" and series.dtype.is_numeric()):
        return Values(_floats(frame, name, owner=owner))
    if kind == "text":
        return _text(series, name, owner=owner)
    missing = np.asarray(series.is_null().to_numpy(), dtype=bool)
    if kind == "boolean":
        truths = np.full(len(series), np.nan)
        truths[~missing] = plain_values(series).to_numpy()[~missing].astype(np.float64)
        return Values(truths)
    return Values(np.where(missing, np.nan, 0.0))


def value_in_row(value: Any, kind: Kind, name: str, *, owner: str) -> Any:
    """Return one value as tests compare it, None where it is missing."""
    if type(value) is _PLAIN[kind] and value == value:
        return value
    if kind == "number" and type(value) is int:
        return one_number(value, name, owner=owner)
    if is_missing(value):
        return None
    if kind == "text" and isinstance(value, str):
        return str(value)
    if kind == "any":
        return float(value) if isinstance(value, np.floating) else value
    if kind == "boolean" and isinstance(value, bool | np.bool_):
        return bool(value)
    if kind == "number" and not isinstance(value, bool):
        return one_number(value, name, owner=owner)
    raise SegkitTypeError(
        f"{owner}: the rules compare {name!r} with {_HELD[kind]}, got {type(value).__name__}."
    )


def _floats(frame: nw.DataFrame[Any], name: str, *, owner: str) -> NDArray[np.float64]:
    try:
        (numbers,) = number_columns(frame, [name])
        return np.asarray(numbers, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise SegkitTypeError(
            f"{owner}: column {name!r} holds values that are no floating point numbers. Convert "
            "it first, for example with pandas.to_numeric."
        ) from None


def _text(series: nw.Series[Any], name: str, *, owner: str) -> Values:
    places, distinct = _distinct_texts(series)
    for value in distinct:
        if not isinstance(value, str):
            raise SegkitTypeError(
                f"{owner}: the rules compare column {name!r} with text, and some of its values "
                f"are {type(value).__name__}. Make them all text."
            )
    return Values([str(value) for value in distinct], np.asarray(places, dtype=np.intp))


def _distinct_texts(series: nw.Series[Any]) -> tuple[Any, list[Any]]:
    """Return the place of each value among the distinct ones, -1 where it is missing, and those."""
    native = series.to_native()
    if isinstance(native, pd.Series):
        if isinstance(native.dtype, pd.CategoricalDtype):
            return native.cat.codes.to_numpy(), native.cat.categories.tolist()
        places, distinct = pd.factorize(native)
        return places, list(distinct)
    if series.dtype in (nw.String, nw.Categorical, nw.Enum):
        try:
            encoded = series.cast(nw.String).to_arrow().dictionary_encode()
        except ModuleNotFoundError:  # polars alone
            pass
        else:
            places = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
            return places, encoded.dictionary.to_pylist()
    places, distinct = pd.factorize(plain_values(series))
    return places, list(distinct)


def _kind_of(dtype: Any, frame: Frame, name: str) -> str:
    """Return what a column holds; "any" where only its values can tell."""
    if isinstance(frame, nw.DataFrame):
        dtype = dtype_of(frame[name])
    if dtype in (nw.Categorical, nw.Enum) and isinstance(frame, nw.DataFrame):
        native = frame[name].to_native()
        if isinstance(native, pd.Series):
            inferred = pd.api.types.infer_dtype(native.cat.categories, skipna=True)
            found = _INFERRED.get(inferred, inferred)
            if found not in ("text", "empty"):
                return f"categories that are {_HELD.get(found, found)}"
    if dtype in (nw.String, nw.Categorical, nw.Enum):
        return "text"
    if dtype == nw.Boolean:
        return "boolean"
    if dtype.is_numeric():
        return "number"
    if dtype == nw.Object and isinstance(frame, nw.DataFrame):
        inferred = pd.api.types.infer_dtype(frame[name].to_native(), skipna=True)
        return _INFERRED.get(inferred, inferred)
    # Only of lazy columns it is not known yet: those of nothing but nulls have no type.
    return "any" if dtype == nw.Unknown and isinstance(frame, nw.LazyFrame) else str(dtype)


def _is_empty(frame: Frame, name: str) -> bool:
    """Tell whether an eager column holds nothing but missing values, whatever its type."""
    return isinstance(frame, nw.DataFrame) and frame[name].null_count() == len(frame)
