"""A part of a ledger: what is remembered of one batch, or of several that were combined."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from segkit.exceptions import SegkitTypeError, SegkitValueError
from segkit.features._calendar import AsOf
from segkit.features._customer_codes import numbered
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
        """Add up parts that go together."""
        if len(parts) == 1:
            return parts[0]
        clock = Clock(
            _finest(parts),
            parts[0].clock.zone,
            all(part.clock.is_date for part in parts),
        )
        ids = pd.concat([part.ids for part in parts], ignore_index=True)
        codes, distinct = numbered(ids)
        ends = np.cumsum([len(part.ids) for part in parts])
        recodes = [
            (part, codes[end - len(part.ids) : end], part._factor_to(clock.unit))
            for part, end in zip(parts, ends, strict=True)
        ]
        starts = [
            part.order_starts.recoded(code, factor)
            for part, code, factor in recodes
            if part.order_starts is not None
        ]
        return cls(
            pd.Series(distinct, name=parts[0].ids.name).astype(ids.dtype),
            clock,
            sum(part.n_rows for part in parts),
            min(part.first_day for part in parts),
            max(part.last_day for part in parts),
            DayTotals.combined([part.orders.recoded(code, n) for part, code, n in recodes]),
            DayTotals.combined([part.returns.recoded(code, n) for part, code, n in recodes]),
            OrderStarts.combined(starts) if starts else None,
            _known_kind(part.id_kind for part in parts),
            _known_kind(part.order_id_kind for part in parts),
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

    def _factor_to(self, unit: str) -> int:
        """Return how many of a finer unit make one of the own."""
        return UNITS_A_DAY[unit] // UNITS_A_DAY[self.clock.unit]

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


def _known_kind(kinds: Iterable[str | None]) -> str | None:
    return next((kind for kind in kinds if kind is not None), None)


def _shown_zone(zone: dt.tzinfo | None) -> str:
    return "no time zone" if zone is None else f"the time zone {zone}"
