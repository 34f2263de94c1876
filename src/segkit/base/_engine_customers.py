"""Customers inside a query engine: the columns that an estimator learns from, checked there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import and_
from typing import Any

import narwhals.stable.v2 as nw

from segkit._frames import RESERVED, balanced, collected, one_where
from segkit._input_checks import (
    RowLimits,
    check_numeric,
    refuse_infinite,
    refuse_missing,
    refuse_negative,
    refuse_swapped,
)
from segkit.base._assignment import is_infinite, is_whole, null_where_missing
from segkit.exceptions import SegkitValueError


@dataclass(frozen=True)
class EngineCustomers:
    """One row per customer of a lazy frame, of which only these columns are read."""

    frame: nw.LazyFrame[Any]
    columns: Sequence[str]
    group: str | None
    n_customers: int

    @classmethod
    def among(
        cls, frame: nw.LazyFrame[Any], columns: Sequence[str], group: str | None, *, owner: str
    ) -> EngineCustomers:
        """Return the customers of a frame, in which there must be some."""
        check_numeric(columns, frame, owner=owner)
        used = dict.fromkeys([*columns, *([] if group is None else [group])])
        frame = frame.select(list(used))
        n_customers = counted(frame, {"rows": nw.len()})["rows"]
        if not n_customers:
            raise SegkitValueError(
                f"{owner}: the frame has no rows; there is nothing to learn from."
            )
        return cls(frame, list(columns), group, n_customers)

    def values(self) -> list[nw.Expr]:
        """Return the columns as floats, null where a value is missing."""
        return [null_where_missing(name, self.frame) for name in self.columns]

    def are_complete(self) -> nw.Expr:
        """Return of whom no value is missing."""
        complete: nw.Expr = balanced(and_, [~value.is_null() for value in self.values()])
        return complete

    def check(self, *, owner: str, limits: RowLimits, allow_missing: bool, remedy: str) -> None:
        """Raise for infinities, unwanted missing values and what no customer can have."""
        names, values, rows = self.columns, self.values(), self.n_customers
        asked = {}
        for place, name in enumerate(names):
            if not is_whole(name, self.frame):
                asked[f"infinite_{place}"] = how_many(is_infinite(name))
            asked[f"missing_{place}"] = how_many(values[place].is_null())
        for place in limits.counts:
            asked[f"negative_{place}"] = how_many(values[place] < 0)
        for low, high in limits.ordered:
            asked[f"swapped_{low}_{high}"] = how_many(values[low] > values[high])
        found = counted(self.frame, asked)
        for place, name in enumerate(names):
            refuse_infinite(name, found.get(f"infinite_{place}", 0), rows, owner=owner)
            if not allow_missing:
                refuse_missing(name, found[f"missing_{place}"], rows, owner=owner, remedy=remedy)
        for place in limits.counts:
            refuse_negative(names[place], found[f"negative_{place}"], rows, owner=owner)
        for low, high in limits.ordered:
            swapped = found[f"swapped_{low}_{high}"]
            refuse_swapped(names[low], names[high], swapped, rows, owner=owner)


def how_many(holds: nw.Expr) -> nw.Expr:
    """Return the number of rows in which something holds, as an expression."""
    return one_where(holds).cast(nw.Int64).sum()


def counted(frame: nw.LazyFrame[Any], asked: dict[str, nw.Expr]) -> dict[str, int]:
    """Return numbers that the engine counts over all rows of a lazy frame."""
    row = collected(frame.select(**{f"{RESERVED}{name}": e for name, e in asked.items()}))
    return {name: int(row[f"{RESERVED}{name}"].to_list()[0] or 0) for name in asked}
