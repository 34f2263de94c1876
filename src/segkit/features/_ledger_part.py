"""A part of a ledger: what is remembered of one batch, or of several that were combined."""

from __future__ import annotations

import datetime as dt
from bisect import insort
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from segkit.exceptions import SegkitTypeError, SegkitValueError
from segkit.features._calendar import AsOf
from segkit.features._customer_codes import numbered
from segkit.features._integer_kernel import Codes
from segkit.features._ledger_totals import DayTotals, OrderStarts
from segkit.features._options import OWNER, SummaryOptions
from segkit.features._times import UNITS_A_DAY, Times


@dataclass(frozen=True)
class Clock:
    """How instants are counted: the unit, the zone, and whether they are whole dates."""

    unit: str
    zone: dt.tzinfo | None
    is_date: bool

    @property
    def dtype(self) -> Any:
        """The type of a pandas column of such instants."""
        if self.zone is None:
            return np.dtype(f"datetime64[{self.unit}]")
        unit: Any = self.unit
        return pd.DatetimeTZDtype(unit, self.zone)

    def as_column(self, instants: NDArray[np.int64]) -> pd.Series[Any]:
        """Return instants as a pandas column."""
        column: pd.Series[Any] = self._times(instants).as_column(instants)
        return column

    def are_known(self, instants: NDArray[np.int64], moment: AsOf) -> NDArray[np.bool_]:
        """Return which instants are not after an instant."""
        return self._times(instants).up_to(moment)

    def _times(self, instants: NDArray[np.int64]) -> Times:
        return Times(instants, instants, self.dtype, self.unit, self.zone)


@dataclass(frozen=True)
class LedgerPart:
    """Customers, whose places are their codes, and what they did.

    `first_day` and `last_day` are those of all rows, also of those that were left out, because
    without `as_of` a table describes the day after the last row.
    """

    ids: pd.Series[Any]
    clock: Clock
    n_rows: int
    first_day: int
    last_day: int
    orders: DayTotals
    returns: DayTotals
    order_starts: OrderStarts | None
    id_kind: str | None
    order_id_kind: str | None

    @property
    def size(self) -> int:
        """Number of totals that are kept."""
        n_starts = 0 if self.order_starts is None else self.order_starts.codes.size
        return int(self.orders.codes.size + self.returns.codes.size + n_starts)

    @classmethod
    def combined(cls, parts: Sequence[LedgerPart]) -> LedgerPart:
        """Add up parts that go together, the smallest first."""
        by_size = sorted(parts, key=lambda part: part.size)
        while len(by_size) > 1:
            smallest = by_size.pop(0)
            insort(by_size, by_size.pop(0).plus(smallest), key=lambda part: part.size)
        return by_size[0]

    def plus(self, other: LedgerPart) -> LedgerPart:
        """Add another part, best a smaller one: its customers, days and orders are inserted."""
        clock = Clock(
            _finest([self, other]), self.clock.zone, self.clock.is_date and other.clock.is_date
        )
        ids = pd.concat([self.ids, other.ids], ignore_index=True)
        codes, distinct = numbered(ids)
        one = self._recoded(codes[: len(self.ids)], clock.unit)
        two = other._recoded(codes[len(self.ids) :], clock.unit)
        starts = one.order_starts
        if starts is not None and two.order_starts is not None:
            starts = starts.plus(two.order_starts)
        return LedgerPart(
            pd.Series(distinct, name=self.ids.name).astype(ids.dtype),
            clock,
            self.n_rows + other.n_rows,
            min(self.first_day, other.first_day),
            max(self.last_day, other.last_day),
            one.orders.plus(two.orders),
            one.returns.plus(two.returns),
            starts,
            self.id_kind or other.id_kind,
            self.order_id_kind or other.order_id_kind,
        )

    def check_goes_with(self, other: LedgerPart, options: SummaryOptions) -> None:
        """Raise where the ids, order ids or times of two parts cannot be compared."""
        kinds = [
            (options.customer_id, self.id_kind, other.id_kind),
            (options.order_id, self.order_id_kind, other.order_id_kind),
        ]
        for column, own, others in kinds:
            if None not in (own, others) and own != others:
                raise SegkitTypeError(
                    f"{OWNER}: column {column!r} holds {own} in the ledger and {others} in what is "
                    "to be added, so that one customer or order may have two ids. Make them one "
                    "kind, for example with astype(str)."
                )
        zones = [self.clock.zone, other.clock.zone]
        if str(zones[0]) != str(zones[1]):
            raise SegkitValueError(
                f"{OWNER}: column {options.timestamp!r} has {_shown_zone(zones[0])} in the ledger "
                f"and {_shown_zone(zones[1])} in what is to be added, so that calendar days are "
                "not the same. Convert it first, for example with dt.tz_convert('Europe/London')."
            )
        if self.clock.unit != other.clock.unit:
            finer = _finest([self, other])
            self._check_fits_in(finer)
            other._check_fits_in(finer)

    def _recoded(self, codes: Codes, unit: str) -> LedgerPart:
        """Return the totals by other codes of customers, in a finer unit of time."""
        factor = UNITS_A_DAY[unit] // UNITS_A_DAY[self.clock.unit]
        if factor == 1 and np.array_equal(codes, np.arange(codes.size)):
            return self
        starts = self.order_starts
        return replace(
            self,
            orders=self.orders.recoded(codes, factor),
            returns=self.returns.recoded(codes, factor),
            order_starts=None if starts is None else starts.recoded(codes, factor),
        )

    def _check_fits_in(self, unit: str) -> None:
        most_days = np.iinfo(np.int64).max // UNITS_A_DAY[unit] - 1
        has_times = self.first_day <= self.last_day
        if has_times and (self.last_day > most_days or self.first_day < -most_days):
            raise SegkitValueError(
                f"{OWNER}: some batches have timestamps in {unit!r}, and others timestamps that "
                "are too far away for this unit, perhaps placeholders for unknown ones. Make these "
                "missing, or convert the former with dt.as_unit('us')."
            )


def _finest(parts: Iterable[LedgerPart]) -> str:
    return max((part.clock.unit for part in parts), key=UNITS_A_DAY.__getitem__)


def _shown_zone(zone: dt.tzinfo | None) -> str:
    return "no time zone" if zone is None else f"the time zone {zone}"
