"""What a ledger remembers of rows: totals by customer and day, and beginnings of orders.

Both are arrays sorted by customer. Two of them combine by concatenation and adding up again, and
minima, maxima and exact sums are the same in whatever order that happens.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segkit.features._exact_sums import ExactSums
from segkit.features._integer_kernel import Codes, Floats, Integers


@dataclass(frozen=True)
class DayTotals:
    """Rows added up by customer and day: their number, first and last instant, and amounts."""

    codes: Codes
    days: NDArray[np.int32]
    n_rows: NDArray[np.int64]
    first: NDArray[np.int64]
    last: NDArray[np.int64]
    amounts: ExactSums

    @classmethod
    def of_rows(
        cls, codes: Codes, days: NDArray[np.int32], instants: NDArray[np.int64], amounts: Floats
    ) -> DayTotals:
        """Add up the rows of a log."""
        ones = np.ones(codes.size, dtype=np.int64)
        rows = cls(codes, days, ones, instants, instants, ExactSums.of(amounts))
        return rows.added_up()

    @classmethod
    def combined(cls, parts: Sequence[DayTotals]) -> DayTotals:
        """Add up totals whose codes mean the same customers."""
        return cls(
            np.concatenate([part.codes for part in parts]),
            np.concatenate([part.days for part in parts]),
            np.concatenate([part.n_rows for part in parts]),
            np.concatenate([part.first for part in parts]),
            np.concatenate([part.last for part in parts]),
            ExactSums.concatenated([part.amounts for part in parts]),
        ).added_up()

    def added_up(self) -> DayTotals:
        """Return one row for each customer and day, sorted by both."""
        pairs = (self.codes << 32) + self.days
        order = np.argsort(pairs, kind="stable")
        starts = _starts(pairs[order])
        firsts = order[starts]
        return DayTotals(
            self.codes[firsts],
            self.days[firsts],
            np.add.reduceat(self.n_rows[order], starts),
            np.minimum.reduceat(self.first[order], starts),
            np.maximum.reduceat(self.last[order], starts),
            self.amounts.take(order).by_group(starts),
        )

    def where(self, chosen: NDArray[np.bool_]) -> DayTotals:
        """Return some rows."""
        return DayTotals(
            self.codes[chosen],
            self.days[chosen],
            self.n_rows[chosen],
            self.first[chosen],
            self.last[chosen],
            self.amounts.take(chosen),
        )

    def recoded(self, codes: Codes, factor: int) -> DayTotals:
        """Return the totals with other codes of customers, and instants in a finer unit."""
        return DayTotals(
            codes[self.codes],
            self.days,
            self.n_rows,
            self.first * factor,
            self.last * factor,
            self.amounts,
        )

    def customer_starts(self) -> Integers:
        """Return where each customer begins."""
        return _starts(self.codes)


@dataclass(frozen=True)
class OrderStarts:
    """Distinct orders of each customer: the key of the order id, its first day and instant."""

    codes: Codes
    keys: NDArray[np.int64]
    days: NDArray[np.int32]
    instants: NDArray[np.int64]

    @classmethod
    def combined(cls, parts: Sequence[OrderStarts]) -> OrderStarts:
        """Bring orders together whose codes mean the same customers."""
        return cls(
            np.concatenate([part.codes for part in parts]),
            np.concatenate([part.keys for part in parts]),
            np.concatenate([part.days for part in parts]),
            np.concatenate([part.instants for part in parts]),
        ).added_up()

    def added_up(self) -> OrderStarts:
        """Return one row for each customer and order, sorted by both."""
        order = np.lexsort((self.keys, self.codes))
        codes, keys = self.codes[order], self.keys[order]
        starts = _starts(codes, keys)
        return OrderStarts(
            codes[starts],
            keys[starts],
            np.minimum.reduceat(self.days[order], starts),
            np.minimum.reduceat(self.instants[order], starts),
        )

    def where(self, chosen: NDArray[np.bool_]) -> OrderStarts:
        """Return some rows."""
        return OrderStarts(
            self.codes[chosen], self.keys[chosen], self.days[chosen], self.instants[chosen]
        )

    def recoded(self, codes: Codes, factor: int) -> OrderStarts:
        """Return the orders with other codes of customers, and instants in a finer unit."""
        return OrderStarts(codes[self.codes], self.keys, self.days, self.instants * factor)


def _starts(*sorted_keys: NDArray[Any]) -> Integers:
    """Return the places at which one of the keys differs from the row above."""
    if not sorted_keys[0].size:
        return np.zeros(0, dtype=np.intp)
    differs = np.ones(sorted_keys[0].size, dtype=bool)
    differs[1:] = np.logical_or.reduce([keys[1:] != keys[:-1] for keys in sorted_keys])
    return np.flatnonzero(differs)
