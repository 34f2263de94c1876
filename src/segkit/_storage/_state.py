"""What was learned, as read from a file: each value is looked at before it is used."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NoReturn, TypeVar

import numpy as np
from numpy.typing import NDArray

from segkit.exceptions import SegmenterFileError

T = TypeVar("T")


class LearnedState:
    """The values that an estimator stored, by name, and where they stand in the file."""

    def __init__(self, fields: Any, where: str) -> None:
        self.where = where
        if not isinstance(fields, dict):
            raise SegmenterFileError(f"{where} must be an object, got {type(fields).__name__}.")
        self._fields = fields

    def __contains__(self, name: str) -> bool:
        return name in self._fields

    def values(self) -> dict[str, Any]:
        """Return all values as they are."""
        return dict(self._fields)

    def of_type(self, name: str, *types: type[T]) -> T:
        """Return a value of one of some types; a boolean is no integer."""
        value: Any = self._fields.get(name)
        if type(value) not in types or name not in self._fields:
            self.refuse(name, " or ".join(kind.__name__ for kind in types), value)
        found: T = value
        return found

    def count(self, name: str, least: int = 0) -> int:
        """Return a whole number that counts something."""
        value = self.of_type(name, int)
        return value if value >= least else self.refuse(name, f"at least {least}", value)

    def number(self, name: str, least: float = -np.inf) -> float:
        """Return a number, which may be infinite where `least` is 0 or more, but not missing."""
        value = float(self.of_type(name, float, int))
        return value if value >= least else self.refuse(name, f"a number from {least:g}", value)

    def texts(self, name: str) -> list[str]:
        """Return a list of text."""
        values = self.of_type(name, list)
        if not all(isinstance(value, str) for value in values):
            self.refuse(name, "a list of text", values)
        return values

    def floats(self, name: str, n: int | None = None) -> NDArray[np.float64]:
        """Return a list of numbers as an array; `n` is how many there must be."""
        values = self.of_type(name, list)
        if not all(type(value) is float for value in values) or n not in (None, len(values)):
            self.refuse(name, f"a list of {'' if n is None else f'{n} '}numbers", values)
        return np.array(values, dtype=np.float64)

    def counts(self, name: str, n: int | None = None, least: int = 0) -> NDArray[np.int64]:
        """Return a list of whole numbers as an array."""
        values = self.of_type(name, list)
        are_counts = all(type(value) is int and least <= value < 2**62 for value in values)
        if not are_counts or n not in (None, len(values)):
            n_wanted = "" if n is None else f"{n} "
            self.refuse(name, f"a list of {n_wanted}whole numbers from {least}", values)
        return np.array(values, dtype=np.int64)

    def array(self, name: str, dtype: str, shape: Sequence[int | None]) -> NDArray[Any]:
        """Return an array of this dtype and shape, in which None is any length."""
        value = self.of_type(name, np.ndarray)
        fits = value.dtype.name == dtype and value.ndim == len(shape)
        if not fits or any(w not in (None, n) for w, n in zip(shape, value.shape, strict=True)):
            lengths = ", ".join("any" if length is None else str(length) for length in shape)
            self.refuse(name, f"an array of {dtype} and shape ({lengths})", value)
        return value

    def inside(self, name: str) -> LearnedState:
        """Return the values inside an object."""
        return LearnedState(self._fields.get(name), f"{self.where}.{name}")

    def each(self, name: str) -> Iterator[LearnedState]:
        """Yield the objects of a list."""
        for place, fields in enumerate(self.of_type(name, list)):
            yield LearnedState(fields, f"{self.where}.{name}[{place}]")

    def refuse(self, name: str, expected: str, value: Any = None) -> NoReturn:
        """Raise for a value that is absent or another than is expected."""
        found = type(value).__name__ if name in self._fields else "nothing"
        if isinstance(value, np.ndarray):
            found = f"one of {value.dtype} and shape {value.shape}"
        raise SegmenterFileError(f"{self.where}.{name} must be {expected}, got {found}.")
