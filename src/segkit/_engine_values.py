"""Values of columns inside a query engine, by rank and by cumulative total.

The engine counts the values in ranges, and counts again within those ranges of which more must be
known. Only counts, extremes and totals of ranges leave it, never the values of all rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from segkit._frames import RESERVED, collected

Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]
Mask: TypeAlias = NDArray[np.bool_]

_CELL, _VALUE, _PART, _SCALED = (f"{RESERVED}{name}" for name in ("cell", "value", "part", "unit"))
# So many rows are counted value by value, which ends the search among them.
_FEW_ROWS = 1 << 16
# So many ranges are counted in a query, within so many pieces: each piece is a comparison a row.
_MOST_RANGES = 1 << 13
_MOST_PIECES = 64
# Beyond, the totals of many values may be more than a float can hold.
_LARGE = 1e290
# Narrower pieces are counted value by value: their parts would have no width.
_NARROW = 1e-200


@dataclass(frozen=True)
class ValueRanges:
    """The values of a cell in ranges that follow each other, from the lowest on.

    It answers like :class:`segkit._binning.OrderedValues` what the ranges are fine enough for.
    """

    low: Floats
    high: Floats
    count: Integers
    total: Floats

    @classmethod
    def of(cls, ranges: pd.DataFrame) -> ValueRanges:
        """Return ranges that come in any order, and as 0.0 and as -0.0."""
        merged = ranges.groupby("low", sort=True).agg(
            {"high": "max", "count": "sum", "total": "sum"}
        )
        low, high = merged.index.to_numpy(np.float64) + 0.0, merged["high"].to_numpy() + 0.0
        return cls(low, high, merged["count"].to_numpy(np.int64), merged["total"].to_numpy())

    @classmethod
    def of_values(cls, values: Floats, counts: Integers) -> ValueRanges:
        """Return values, in any order and perhaps repeated, that are counted already."""
        table = {"low": values, "high": values, "count": counts, "total": values * counts}
        return cls.of(pd.DataFrame(table))

    def with_parts(self, of_ranges: Mask, parts: pd.DataFrame) -> ValueRanges:
        """Return the ranges with some replaced by their parts."""
        columns = {name: getattr(self, name)[~of_ranges] for name in ("low", "high", "count")}
        kept = pd.DataFrame({**columns, "total": self.total[~of_ranges]})
        return ValueRanges.of(pd.concat([kept, parts]) if len(kept) else parts)

    @property
    def size(self) -> int:
        """The number of values."""
        return int(self.count.sum())

    @property
    def lowest(self) -> float:
        """The lowest value."""
        return float(self.low[0])

    @property
    def highest(self) -> float:
        """The highest value."""
        return float(self.high[-1])

    @property
    def have_several(self) -> Mask:
        """Which ranges have more than one value."""
        return self.low < self.high

    def at(self, ranks: Integers) -> tuple[Floats, Floats]:
        """Return the values at a few ranks, from 0, and the values that come next."""
        found = []
        for wanted in (ranks, self._after(ranks)):
            place, is_first, _ = self._places(wanted)
            found.append(np.where(is_first, self.low[place], self.high[place]))
        return found[0], found[1]

    def hide(self, ranks: Integers) -> Mask:
        """Tell which ranges are too coarse for ``at``."""
        place, is_first, is_last = self._places(np.concatenate([ranks, self._after(ranks)]))
        hidden = np.zeros(self.count.size, dtype=bool)
        hidden[place[~is_first & ~is_last]] = True
        return hidden

    def distinct(self) -> tuple[Floats, Integers]:
        """Return the distinct values, ascending, and how often each occurs."""
        return self.low, self.count

    def _after(self, ranks: Integers) -> Integers:
        return np.minimum(ranks + 1, self.size - 1)

    def _places(self, ranks: Integers) -> tuple[NDArray[np.intp], Mask, Mask]:
        """Return the ranges in which ranks are, and whether they are the first or last there."""
        ends = np.cumsum(self.count)
        place = np.searchsorted(ends, ranks, side="right")
        return place, ranks == (ends - self.count)[place], ranks == ends[place] - 1


class EngineValues:
    """The values of a column of a lazy frame, by cell, in ranges that are split on demand.

    `value` is null where a row counts nowhere. The cells are numbered from 0 to `n_cells` - 1; rows
    with another number count nowhere, either.

    Attributes
    ----------
    ranges : list of ValueRanges
        Those of each cell; none of a cell without values.
    """

    def __init__(
        self,
        frame: nw.LazyFrame[Any],
        value: nw.Expr,
        cell: nw.Expr | None = None,
        n_cells: int = 1,
    ) -> None:
        self._n_cells = n_cells
        self._unit = 1.0
        rows = frame.select(
            (nw.lit(0) if cell is None else cell.cast(nw.Int64)).alias(_CELL), value.alias(_VALUE)
        )
        self._rows = rows.filter(~nw.col(_CELL).is_null() & ~nw.col(_VALUE).is_null())
        self.ranges = self._in_parts(nw.lit(0.0))
        if any(r.size and max(-r.lowest, r.highest) > _LARGE for r in self.ranges):
            # A power of two, so that no digit of a total is lost.
            self._unit = 2.0**-100
            self.ranges = self._in_parts(nw.lit(0.0))

    def split(self, too_coarse: Callable[[int, ValueRanges], Mask]) -> None:
        """Split the ranges of cells for which they are too coarse, until none is.

        `too_coarse` gets the number of a cell and its ranges; those of one value are never split.
        """
        while True:
            coarse = [
                too_coarse(cell, ranges) & ranges.have_several if ranges.size else ranges.count > 0
                for cell, ranges in enumerate(self.ranges)
            ]
            pieces = [
                _Piece(cell, float(ranges.low[place]), float(ranges.high[place]), count)
                for cell, ranges in enumerate(self.ranges)
                for place in np.flatnonzero(coarse[cell])
                for count in ranges.count[place : place + 1].tolist()
            ]
            if not pieces:
                return
            counted = [self._parts(together) for together in _in_queries(pieces)]
            for cell, mask in enumerate(coarse):
                if mask.any():
                    parts = pd.concat([tables[cell] for tables in counted if len(tables[cell])])
                    self.ranges[cell] = self.ranges[cell].with_parts(mask, parts)

    def split_into_values(self) -> None:
        """Count each value, which takes one query and an answer as long as there are values."""
        self.ranges = self._in_parts(nw.col(_VALUE))

    def _in_parts(self, part: nw.Expr) -> list[ValueRanges]:
        counted = self._counted(self._rows.with_columns(part.alias(_PART)))
        return [ValueRanges.of(ranges) for ranges in counted]

    def _parts(self, pieces: Sequence[_Piece]) -> list[pd.DataFrame]:
        rows = self._rows.with_columns(_part_in(pieces, _parts_of(pieces)).alias(_PART))
        return self._counted(rows.filter(~nw.col(_PART).is_null()))

    def _counted(self, rows: nw.LazyFrame[Any]) -> list[pd.DataFrame]:
        """Count, inside the engine, the rows of each part; return a table for each cell."""
        value = nw.col(_VALUE)
        asked = {
            "count": nw.len(),
            "low": value.min(),
            "high": value.max(),
            "total": nw.col(_SCALED).sum(),
        }
        scaled = rows.with_columns((value * self._unit).alias(_SCALED))
        found = collected(scaled.group_by(_CELL, _PART).agg(**asked))
        tables = pd.DataFrame({name: found[name].to_numpy() for name in (_CELL, *asked)})
        # Of equal values the engine's sum would be rounded at every step.
        of_equal = tables["low"] * self._unit * tables["count"]
        tables["total"] = tables["total"].where(tables["low"] < tables["high"], of_equal)
        by_cell = dict(tuple(tables.groupby(_CELL)))
        return [by_cell.get(cell, tables.iloc[:0]) for cell in range(self._n_cells)]


@dataclass(frozen=True)
class _Piece:
    """A range of a cell that is split."""

    cell: int
    low: float
    high: float
    count: int

    @property
    def is_narrow(self) -> bool:
        return self.high / 2 - self.low / 2 < _NARROW

    def part(self, first: int, n_parts: int) -> nw.Expr:
        """Return which of equally wide parts a value is in, counted from `first`.

        Rounding never puts a larger value into an earlier part; and as the lowest and the highest
        value are never in the same one, splitting comes to an end.
        """
        half_width = self.high / 2 - self.low / 2
        return ((nw.col(_VALUE) * 0.5 - self.low / 2) * (n_parts / half_width)).floor() + first


def _in_queries(pieces: Sequence[_Piece]) -> Iterator[list[_Piece]]:
    """Yield pieces to count in one query, in order: first those counted value by value."""
    together: list[_Piece] = []
    for piece in sorted(pieces, key=lambda piece: (not piece.is_narrow, piece.count)):
        grown = [*together, piece]
        if together and (
            len(grown) > _MOST_PIECES or (_by_value(together) and not _by_value(grown))
        ):
            yield sorted(together, key=lambda piece: (piece.cell, piece.low))
            grown = [piece]
        together = grown
    yield sorted(together, key=lambda piece: (piece.cell, piece.low))


def _by_value(pieces: Sequence[_Piece]) -> bool:
    few_rows = sum(piece.count for piece in pieces) <= _FEW_ROWS
    return few_rows or all(piece.is_narrow for piece in pieces)


def _parts_of(pieces: Sequence[_Piece]) -> list[nw.Expr]:
    """Return how the values of each piece are told apart: one by one, or by where they are."""
    if _by_value(pieces):
        return [nw.col(_VALUE)] * len(pieces)
    n_parts = _MOST_RANGES // len(pieces)
    return [piece.part(place * (n_parts + 1), n_parts) for place, piece in enumerate(pieces)]


def _part_in(pieces: Sequence[_Piece], parts: Sequence[nw.Expr]) -> nw.Expr:
    """Return the part in which each row is, null outside of all pieces, which are in order."""
    cell, value = nw.col(_CELL), nw.col(_VALUE)
    if len(pieces) == 1:
        (piece,) = pieces
        inside = (cell == piece.cell) & (value >= piece.low) & (value <= piece.high)
        return nw.when(inside).then(parts[0])
    half = len(pieces) // 2
    middle = pieces[half]
    is_before = (cell < middle.cell) | ((cell == middle.cell) & (value < middle.low))
    return (
        nw.when(is_before)
        .then(_part_in(pieces[:half], parts[:half]))
        .otherwise(_part_in(pieces[half:], parts[half:]))
    )
