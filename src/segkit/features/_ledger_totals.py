"""What a ledger remembers of rows: totals by customer and day, and beginnings of orders.

Both are arrays sorted by customer, and then by day or order. The rows of one are inserted into the
other, or added to the row that is already there. Minima, maxima and exact sums are the same in
whatever order that happens.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from segkit.features._exact_sums import ExactSums
from segkit.features._integer_kernel import Codes, Floats, Integers

_Keys: TypeAlias = tuple[Codes, Integers]


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

    def plus(self, other: DayTotals) -> DayTotals:
        """Add totals whose codes mean the same customers; cheap where those are few."""
        into = _Insertion.of((self.codes, self.days), (other.codes, other.days))
        amounts, others = self.amounts.aligned(other.amounts)
        return DayTotals(
            into.inserted(self.codes, other.codes),
            into.inserted(self.days, other.days),
            into.combined(np.add, self.n_rows, other.n_rows),
            into.combined(np.minimum, self.first, other.first),
            into.combined(np.maximum, self.last, other.last),
            ExactSums(into.combined(np.add, amounts.digits, others.digits), amounts.lowest),
        )

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
        first, last = self.first * factor, self.last * factor
        recoded = replace(self, codes=codes[self.codes], first=first, last=last)
        return recoded.added_up()

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

    def plus(self, other: OrderStarts) -> OrderStarts:
        """Add orders whose codes mean the same customers; cheap where those are few."""
        into = _Insertion.of((self.codes, self.keys), (other.codes, other.keys))
        return OrderStarts(
            into.inserted(self.codes, other.codes),
            into.inserted(self.keys, other.keys),
            into.combined(np.minimum, self.days, other.days),
            into.combined(np.minimum, self.instants, other.instants),
        )

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
        instants = self.instants * factor
        return replace(self, codes=codes[self.codes], instants=instants).added_up()


@dataclass(frozen=True)
class _Insertion:
    """Where sorted rows go among other sorted rows, and which of them are there already."""

    are_new: NDArray[np.bool_]
    new_at: Integers
    found_at: Integers
    own_at: NDArray[np.bool_]

    @classmethod
    def of(cls, own: _Keys, others: _Keys) -> _Insertion:
        """Search by bisection, within the rows of the same customer."""
        (codes, keys), (new_codes, new_keys) = own, others
        low = np.searchsorted(codes, new_codes, "left")
        end = high = np.searchsorted(codes, new_codes, "right")
        while (low < high).any():
            middle = (low + high) // 2
            is_above = (low < high) & (keys[np.minimum(middle, keys.size - 1)] < new_keys)
            low, high = np.where(is_above, middle + 1, low), np.where(is_above, high, middle)
        are_new = low == end
        are_new[~are_new] = keys[low[~are_new]] != new_keys[~are_new]
        n_new_above = np.cumsum(are_new)
        places = low + n_new_above - are_new
        own_at = np.ones(keys.size + int(are_new.sum()), dtype=bool)
        own_at[places[are_new]] = False
        return cls(are_new, places[are_new], places[~are_new], own_at)

    def inserted(self, own: NDArray[Any], others: NDArray[Any]) -> NDArray[Any]:
        """Return the own rows with the new ones among them."""
        rows = np.empty((*own.shape[:-1], self.own_at.size), dtype=own.dtype)
        rows[..., self.own_at] = own
        rows[..., self.new_at] = others[..., self.are_new]
        return rows

    def combined(self, add: np.ufunc, own: NDArray[Any], others: NDArray[Any]) -> NDArray[Any]:
        """Return all rows, where those that are in both are added up in this way."""
        rows = self.inserted(own, others)
        rows[..., self.found_at] = add(rows[..., self.found_at], others[..., ~self.are_new])
        return rows


def _starts(*sorted_keys: NDArray[Any]) -> Integers:
    """Return the places at which one of the keys differs from the row above."""
    if not sorted_keys[0].size:
        return np.zeros(0, dtype=np.intp)
    differs = np.ones(sorted_keys[0].size, dtype=bool)
    differs[1:] = np.logical_or.reduce([keys[1:] != keys[:-1] for keys in sorted_keys])
    return np.flatnonzero(differs)
