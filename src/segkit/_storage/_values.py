"""Values as JSON, exact to the last bit, from a closed set of types.

What JSON knows is written as it is. Everything else is an object with one key that begins with
``$``, such as ``{"$tuple": [1, 2]}``.
"""

from __future__ import annotations

import datetime as dt
import decimal
import math
import re
from collections.abc import Callable, Mapping
from itertools import chain
from typing import Any, Protocol, TypeAlias, runtime_checkable

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from segkit._storage._tables import read_frame, read_index, read_series, stored_table
from segkit.exceptions import SegkitTypeError, SegkitValueError, SegmenterFileError

#: What json reads and writes.
Json: TypeAlias = Any

_NOT_FINITE = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}
_NUMBERS = re.compile(r"bool|u?int(8|16|32|64)|float(16|32|64)")
_TIMES = re.compile(r"(datetime|timedelta)64\[(Y|M|W|D|h|m|s|ms|us|ns)\]")
_OTHER_WAYS = (
    "JSON holds numbers, text, dates, lists, mappings, arrays and small tables. For other objects "
    "use skops.io.dump or, among people who trust each other, joblib.dump."
)


@runtime_checkable
class Stored(Protocol):
    """An object that says itself what is stored of it, under a name that the reader knows."""

    _stored_as: str

    def _stored(self) -> dict[str, Any]: ...


class Encoder:
    """Makes JSON of values; `estimator` makes a mapping of an estimator."""

    def __init__(self, owner: str, estimator: Callable[[Any, str], dict[str, Any]]) -> None:
        self._owner = owner
        self._estimator = estimator

    def value(self, value: Any, where: str) -> Json:
        """Return a value as JSON; `where` it stands is said in errors."""
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, str):
            return str(value)
        if isinstance(value, np.generic):
            return self._numpy_scalar(value, where)
        if isinstance(value, int):
            return int(value)
        if isinstance(value, float):
            return value if math.isfinite(value) else {"$float": _float_text(value)}
        return self._object(value, where)

    def fields(self, fields: Mapping[str, Any], where: str) -> dict[str, Json]:
        """Return a mapping of names to values as JSON."""
        return {name: self.value(value, f"{where}.{name}") for name, value in fields.items()}

    def _object(self, value: Any, where: str) -> Json:
        if isinstance(value, Stored):
            return {f"${value._stored_as}": self.fields(value._stored(), where)}
        if isinstance(value, BaseEstimator):
            return {"$estimator": self._estimator(value, where)}
        if type(value) is np.ndarray:
            return {"$array": self._array(value, where)}
        if isinstance(value, Mapping):
            return self._mapping(value, where)
        if type(value) is list:
            return self._items(value, where)
        if type(value) is tuple:
            return {"$tuple": self._items(value, where)}
        if type(value) in (set, frozenset):
            return {f"${type(value).__name__}": sorted(self._items(value, where), key=repr)}
        return self._time_or_table(value, where)

    def _time_or_table(self, value: Any, where: str) -> Json:
        if isinstance(value, dt.datetime) and value.tzinfo is None and not pd.isna(value):
            if isinstance(value, pd.Timestamp):
                return {"$timestamp": [value.isoformat(), value.unit]}
            return {"$datetime": value.isoformat()}
        if type(value) is dt.date:
            return {"$date": value.isoformat()}
        if type(value) is decimal.Decimal:
            return {"$decimal": str(value)}
        table = stored_table(value)
        if table is None:
            what = type(value).__name__
            raise SegkitTypeError(
                f"{self._owner}.save: {where} holds {what}, which has no place in the file. "
                f"{_OTHER_WAYS}"
            )
        kind, fields = table
        return {f"${kind}": self.fields(fields, where)}

    def _items(self, values: Any, where: str) -> list[Json]:
        return [self.value(value, f"{where}[{place}]") for place, value in enumerate(values)]

    def _mapping(self, values: Mapping[Any, Any], where: str) -> Json:
        if all(type(key) is str and key[:1] != "$" for key in values):
            return self.fields(values, where)
        return {"$mapping": [self._items(pair, where) for pair in values.items()]}

    def _numpy_scalar(self, value: np.generic, where: str) -> Json:
        dtype = value.dtype.name
        if _NUMBERS.fullmatch(dtype) or _TIMES.fullmatch(dtype):
            return {"$numpy": self._array(np.array(value), where)}
        raise SegkitTypeError(
            f"{self._owner}.save: {where} is of numpy's type {value.dtype}, which has no place in "
            f"the file. {_OTHER_WAYS}"
        )

    def _array(self, array: NDArray[Any], where: str) -> dict[str, Json]:
        dtype = array.dtype.name
        if array.dtype.kind == "U":
            dtype, values = "text", array.tolist()
        elif array.dtype.kind == "O":
            values = _nested(array, lambda item: self.value(item, where))
        elif array.dtype.kind in "mM" and _TIMES.fullmatch(dtype):
            values = array.astype(str).tolist()
            if array.dtype.kind == "m":
                values = array.astype(np.int64).tolist()
        elif array.dtype.kind == "f" and _NUMBERS.fullmatch(dtype):
            values = array.tolist()
            if not np.isfinite(array).all():
                values = _nested(array.astype(np.float64), _number_or_text)
        elif _NUMBERS.fullmatch(dtype):
            values = array.tolist()
        else:
            raise SegkitTypeError(
                f"{self._owner}.save: {where} is an array of {array.dtype}, which has no place in "
                f"the file. {_OTHER_WAYS}"
            )
        return {"dtype": dtype, "shape": list(array.shape), "values": values}


class Decoder:
    """Makes values of JSON; nothing but the types named here, and those in `kinds`.

    `kinds` has for each name of a stored object what makes it of its fields, `estimator` makes an
    estimator of JSON.
    """

    def __init__(
        self,
        kinds: Mapping[str, Callable[[dict[str, Any], str], Any]],
        estimator: Callable[[dict[str, Json], str], Any],
    ) -> None:
        self._kinds = {
            **kinds,
            "frame": read_frame,
            "series": read_series,
            "index": read_index,
        }
        self._tags: dict[str, Callable[[Json, str], Any]] = {
            "estimator": lambda given, where: estimator(object_in(given, where), where),
            "float": self._float,
            "tuple": lambda given, where: tuple(self._items(given, where)),
            "set": lambda given, where: set(self._items(given, where)),
            "frozenset": lambda given, where: frozenset(self._items(given, where)),
            "mapping": self._pairs,
            "array": self._array,
            "numpy": lambda given, where: self._array(given, where)[()],
            "timestamp": self._timestamp,
            "datetime": lambda given, where: dt.datetime.fromisoformat(given),
            "date": lambda given, where: dt.date.fromisoformat(given),
            "decimal": lambda given, where: decimal.Decimal(given),
        }

    def value(self, given: Json, where: str) -> Any:
        """Return the value of what stands at a place in a file."""
        if isinstance(given, list):
            return self._items(given, where)
        if not isinstance(given, dict):
            return given
        tag = next((key for key in given if key[:1] == "$"), None)
        if tag is None:
            return self.fields(given, where)
        if len(given) > 1:
            raise SegmenterFileError(f"{where}: {tag!r} stands alone in its object.")
        name, inside = tag[1:], given[tag]
        try:
            if name in self._kinds:
                return self._kinds[name](self.fields(object_in(inside, where), where), where)
            if name in self._tags:
                return self._tags[name](inside, where)
        except (TypeError, ValueError, KeyError, IndexError, ArithmeticError) as error:
            if isinstance(error, SegkitValueError | SegkitTypeError):
                raise
            raise SegmenterFileError(
                f"{where}: what stands in {tag!r} is no such value."
            ) from error
        raise SegmenterFileError(f"{where}: {tag!r} is unknown.")

    def fields(self, given: dict[str, Json], where: str) -> dict[str, Any]:
        """Return the values of the fields of an object."""
        return {name: self.value(value, f"{where}.{name}") for name, value in given.items()}

    def _items(self, given: Json, where: str) -> list[Any]:
        if not isinstance(given, list):
            raise SegmenterFileError(f"{where} must be a list, got {type(given).__name__}.")
        return [self.value(value, f"{where}[{place}]") for place, value in enumerate(given)]

    def _float(self, given: Json, where: str) -> float:
        return _NOT_FINITE[given]

    def _pairs(self, given: Json, where: str) -> dict[Any, Any]:
        return dict(self._items(given, where))

    def _timestamp(self, given: Json, where: str) -> pd.Timestamp:
        text, unit = given
        return pd.Timestamp(text).as_unit(unit)

    def _array(self, given: Json, where: str) -> NDArray[Any]:
        fields = object_in(given, where)
        dtype, shape = fields["dtype"], fields["shape"]
        flat = fields["values"]
        are_lengths = all(type(length) is int and length >= 0 for length in shape)
        if not isinstance(dtype, str) or not are_lengths:
            raise SegmenterFileError(f"{where}: an array has a dtype and a shape of numbers.")
        flat = _flat(flat, shape, where)
        if dtype == "object":
            array = np.empty(len(flat), dtype=object)
            array[:] = self._items(flat, where)
        else:
            array = np.array(_checked_items(flat, dtype, where), dtype=_numpy_dtype(dtype, where))
        return array.reshape(shape)


def object_in(given: Json, where: str) -> dict[str, Json]:
    """Return a JSON object; raise for anything else."""
    if not isinstance(given, dict):
        raise SegmenterFileError(f"{where} must be an object, got {type(given).__name__}.")
    return given


def _float_text(value: float) -> str:
    return "nan" if math.isnan(value) else ("inf" if value > 0 else "-inf")


def _number_or_text(value: float) -> float | str:
    return float(value) if math.isfinite(value) else _float_text(value)


def _nested(array: NDArray[Any], item: Callable[[Any], Json]) -> Json:
    """Return an array as lists in lists, item by item."""
    if array.ndim == 0:
        return item(array[()])
    return [
        _nested(row, item) if isinstance(row, np.ndarray) and array.ndim > 1 else item(row)
        for row in array
    ]


def _flat(values: Json, shape: list[int], where: str) -> list[Json]:
    """Return the items of lists in lists, which must have this shape."""
    flat = [values]
    for length in shape:
        if not all(isinstance(inside, list) and len(inside) == length for inside in flat):
            raise SegmenterFileError(f"{where}: an array has other values than its shape says.")
        flat = list(chain.from_iterable(flat))
    return flat


def _numpy_dtype(dtype: str, where: str) -> Any:
    if dtype == "text":
        return np.str_
    if _NUMBERS.fullmatch(dtype) or _TIMES.fullmatch(dtype):
        return np.dtype(dtype)
    raise SegmenterFileError(f"{where}: arrays of {dtype!r} are unknown.")


def _checked_items(flat: list[Json], dtype: str, where: str) -> list[Any]:
    """Return the items of an array, each of the type that its dtype asks for."""
    if dtype.startswith("float"):
        flat = [_NOT_FINITE.get(item, item) if type(item) is str else item for item in flat]
        wanted: type = float
    elif dtype == "bool":
        wanted = bool
    elif dtype == "text" or dtype.startswith("datetime"):
        wanted = str
    else:
        wanted = int
    if not set(map(type, flat)) <= {wanted}:
        raise SegmenterFileError(f"{where}: an array of {dtype} holds other values.")
    return flat
