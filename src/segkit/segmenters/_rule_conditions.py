"""Conditions of rules: from data to what can be evaluated on arrays, on a row, in an engine.

Comparisons with a missing value are false, in every engine and also below a ``not``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import and_, or_
from typing import Any, TypeAlias

import narwhals.stable.v2 as nw
import numpy as np

from segkit._frames import balanced
from segkit.segmenters._rule_columns import Kind, Truths, Values
from segkit.segmenters._rule_patterns import Pattern

Columns: TypeAlias = Mapping[str, Values]
Row: TypeAlias = Mapping[str, Any]


class Condition(ABC):
    """What holds or does not hold for a customer."""

    @abstractmethod
    def truths(self, columns: Columns) -> Truths:
        """Return for which customers it holds."""

    @abstractmethod
    def holds(self, row: Row) -> bool:
        """Tell whether it holds for one customer, whose missing values are None."""

    @abstractmethod
    def expression(self, frame: nw.LazyFrame[Any]) -> nw.Expr:
        """Return the same for an engine, never null."""

    @abstractmethod
    def words(self) -> str:
        """Say it in words."""

    @abstractmethod
    def as_data(self) -> dict[str, Any]:
        """Return it as it is written in a list of rules."""

    @abstractmethod
    def tests(self) -> Iterator[Test]:
        """Yield the tests of columns that it is made of."""


@dataclass(frozen=True)
class Test(Condition):
    """A condition on one column."""

    __test__ = False  # for pytest, whose tests are something else

    column: str

    @property
    def kind(self) -> Kind:
        """What the column must hold."""
        return "number"

    def truths(self, columns: Columns) -> Truths:
        """Return for which customers it holds."""
        return columns[self.column].truths(self._of_values)

    def holds(self, row: Row) -> bool:
        """Tell whether it holds for one customer."""
        value = row[self.column]
        return value is not None and self._of_value(value)

    def expression(self, frame: nw.LazyFrame[Any]) -> nw.Expr:
        """Return the same for an engine."""
        return self._of_column(nw.col(self.column), frame).fill_null(False)

    def tests(self) -> Iterator[Test]:
        """Yield itself."""
        yield self

    def _of_values(self, values: Any) -> Truths:
        raise TypeError(f"{type(self).__name__} must define _of_values.")

    def _of_value(self, value: Any) -> bool:
        raise TypeError(f"{type(self).__name__} must define _of_value.")

    def _of_column(self, column: nw.Expr, frame: nw.LazyFrame[Any]) -> nw.Expr:
        raise TypeError(f"{type(self).__name__} must define _of_column.")


@dataclass(frozen=True)
class InRange(Test):
    """A number from `at_least` on and `below` another; None: no bound."""

    at_least: float | None
    below: float | None

    def _of_values(self, values: Any) -> Truths:
        if self.below is None:
            return np.asarray(values >= self.at_least)
        below: Truths = values < self.below
        return below if self.at_least is None else below & (values >= self.at_least)

    def _of_value(self, value: Any) -> bool:
        low, high = self.at_least, self.below
        return bool((low is None or value >= low) and (high is None or value < high))

    def _of_column(self, column: nw.Expr, frame: nw.LazyFrame[Any]) -> nw.Expr:
        value = column.cast(nw.Float64)
        is_whole = frame.collect_schema()[self.column].is_integer()
        # NaN is greater than any number in polars and DuckDB.
        parts = [] if is_whole else [~value.is_nan()]
        parts += [] if self.at_least is None else [value >= float(self.at_least)]
        parts += [] if self.below is None else [value < float(self.below)]
        return balanced(and_, parts)

    def words(self) -> str:
        """Say it in words."""
        if self.at_least is None:
            return f"{self.column} < {number_text(self.below)}"
        if self.below is None:
            return f"{self.column} ≥ {number_text(self.at_least)}"
        return f"{number_text(self.at_least)} ≤ {self.column} < {number_text(self.below)}"

    def as_data(self) -> dict[str, Any]:
        """Return it as it is written."""
        bounds = {"at_least": self.at_least, "below": self.below}
        given = {name: bound for name, bound in bounds.items() if bound is not None}
        return {"column": self.column, **given}


@dataclass(frozen=True)
class OneOf(Test):
    """A value among some, all numbers, all text, or all true or false."""

    members: tuple[Any, ...]

    @property
    def kind(self) -> Kind:
        """What the column must hold."""
        first = self.members[0]
        if isinstance(first, str):
            return "text"
        return "boolean" if isinstance(first, bool) else "number"

    def _of_values(self, values: Any) -> Truths:
        if self.kind == "text":
            known = set(self.members)
            return np.array([value in known for value in values], dtype=bool)
        return np.isin(values, np.array(self.members, dtype=np.float64))

    def _of_value(self, value: Any) -> bool:
        return value in self.members

    def _of_column(self, column: nw.Expr, frame: nw.LazyFrame[Any]) -> nw.Expr:
        if self.kind == "boolean":
            truth = column.cast(nw.Boolean)  # a column of nothing but nulls has no type
            return balanced(or_, [truth if member else ~truth for member in self.members])
        if self.kind == "text":
            return column.cast(nw.String).is_in(list(self.members))
        return column.cast(nw.Float64).is_in([float(member) for member in self.members])

    def words(self) -> str:
        """Say it in words."""
        said = [_member_text(member) for member in self.members]
        listed = said[0] if len(said) == 1 else f"{', '.join(said[:-1])} or {said[-1]}"
        return f"{self.column} is {listed}"

    def as_data(self) -> dict[str, Any]:
        """Return it as it is written."""
        return {"column": self.column, "in": list(self.members)}


@dataclass(frozen=True)
class Matching(Test):
    """Text in which a regular expression is found."""

    pattern: Pattern

    @property
    def kind(self) -> Kind:
        """What the column must hold."""
        return "text"

    def _of_values(self, values: Any) -> Truths:
        return np.array([self._of_value(value) for value in values], dtype=bool)

    def _of_value(self, value: Any) -> bool:
        return self.pattern.found_in(value)

    def _of_column(self, column: nw.Expr, frame: nw.LazyFrame[Any]) -> nw.Expr:
        engine = frame.implementation
        if engine.is_polars():
            pattern = self.pattern.for_polars
        elif engine.is_pyspark() or engine.is_pyspark_connect():
            pattern = self.pattern.for_spark
        else:
            pattern = self.pattern.for_engines
        return column.cast(nw.String).str.contains(pattern)

    def words(self) -> str:
        """Say it in words."""
        return f"{self.column} matches /{self.pattern.given}/"

    def as_data(self) -> dict[str, Any]:
        """Return it as it is written."""
        return {"column": self.column, "matches": self.pattern.given}


@dataclass(frozen=True)
class IsMissing(Test):
    """A value that is missing, or one that is known."""

    is_missing: bool

    @property
    def kind(self) -> Kind:
        """What the column must hold."""
        return "any"

    def truths(self, columns: Columns) -> Truths:
        """Return for which customers it holds."""
        missing = columns[self.column].missing()
        return missing if self.is_missing else ~missing

    def holds(self, row: Row) -> bool:
        """Tell whether it holds for one customer."""
        value = row[self.column]
        differs = value != value  # of an array an array, which is there
        return (value is None or (np.ndim(differs) == 0 and bool(differs))) is self.is_missing

    def expression(self, frame: nw.LazyFrame[Any]) -> nw.Expr:
        """Return the same for an engine."""
        column = nw.col(self.column)
        missing = column.is_null()
        if frame.collect_schema()[self.column].is_float():
            missing = missing | column.is_nan().fill_null(True)
        return missing if self.is_missing else ~missing

    def words(self) -> str:
        """Say it in words."""
        return f"{self.column} is {'missing' if self.is_missing else 'known'}"

    def as_data(self) -> dict[str, Any]:
        """Return it as it is written."""
        return {"column": self.column, "missing": self.is_missing}


@dataclass(frozen=True)
class Every(Condition):
    """All of some conditions, or at least one of them."""

    parts: tuple[Condition, ...]
    at_least_one: bool

    def truths(self, columns: Columns) -> Truths:
        """Return for which customers it holds."""
        combine = np.logical_or if self.at_least_one else np.logical_and
        truths = self.parts[0].truths(columns)
        for part in self.parts[1:]:
            truths = combine(truths, part.truths(columns))
        return truths

    def holds(self, row: Row) -> bool:
        """Tell whether it holds for one customer."""
        for part in self.parts:
            if part.holds(row) is self.at_least_one:
                return self.at_least_one
        return not self.at_least_one

    def expression(self, frame: nw.LazyFrame[Any]) -> nw.Expr:
        """Return the same for an engine."""
        parts = [part.expression(frame) for part in self.parts]
        return balanced(or_ if self.at_least_one else and_, parts)

    def words(self) -> str:
        """Say it in words."""
        said = [
            f"({part.words()})" if isinstance(part, Every) and len(part.parts) > 1 else part.words()
            for part in self.parts
        ]
        return (" or " if self.at_least_one else " and ").join(said)

    def as_data(self) -> dict[str, Any]:
        """Return it as it is written."""
        key = "any" if self.at_least_one else "all"
        return {key: [part.as_data() for part in self.parts]}

    def tests(self) -> Iterator[Test]:
        """Yield the tests of its parts."""
        for part in self.parts:
            yield from part.tests()


@dataclass(frozen=True)
class Not(Condition):
    """What does not hold."""

    part: Condition

    def truths(self, columns: Columns) -> Truths:
        """Return for which customers it holds."""
        return ~self.part.truths(columns)

    def holds(self, row: Row) -> bool:
        """Tell whether it holds for one customer."""
        return not self.part.holds(row)

    def expression(self, frame: nw.LazyFrame[Any]) -> nw.Expr:
        """Return the same for an engine."""
        return ~self.part.expression(frame)

    def words(self) -> str:
        """Say it in words."""
        return f"not ({self.part.words()})"

    def as_data(self) -> dict[str, Any]:
        """Return it as it is written."""
        return {"not": self.part.as_data()}

    def tests(self) -> Iterator[Test]:
        """Yield the tests of what does not hold."""
        return self.part.tests()


def number_text(number: float | None) -> str:
    """Return a number as it is read best, with all its digits."""
    # Without a comma in what may be a year.
    comma = "," if number is not None and abs(number) >= 10_000 else ""
    return f"{number:{comma}}" if isinstance(number, int) else f"{number:{comma}.15g}"


def _member_text(member: Any) -> str:
    if isinstance(member, str):
        return f"{member!r}"
    if isinstance(member, bool):
        return "true" if member else "false"
    return number_text(member)


def columns_of(conditions: Sequence[Condition]) -> dict[str, set[Kind]]:
    """Return the columns that conditions test, in order of appearance, with what they must hold."""
    kinds: dict[str, set[Kind]] = {}
    for condition in conditions:
        for test in condition.tests():
            kinds.setdefault(test.column, set()).add(test.kind)
    return kinds
