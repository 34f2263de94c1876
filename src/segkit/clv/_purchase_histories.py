"""What the models of repeat buying know of a customer: x, t_x and T.

The terms of the literature (Schmittlein, Morrison & Colombo 1987) are derived from segkit's
customer table: x = order_days - 1 repeat purchases, the last of them t_x = tenure_days -
recency_days days after the first purchase, and T = tenure_days days of observation.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from segkit.base._customers import Customers
from segkit.exceptions import SegkitValueError

Floats: TypeAlias = NDArray[np.float64]

#: So many days are between the first date and the last one that a calendar has (years 1 to 9999).
MOST_DAYS = 3_652_059
# Beyond, a likelihood overflows.
_LARGEST = 1e200
# Whole numbers are packed into one of 63 bits.
_MOST_PACKED = 2.0**62


@dataclass(frozen=True)
class PurchaseHistories:
    """Distinct purchase histories, and how many customers have each.

    Attributes
    ----------
    x : ndarray of shape (n_histories,)
        Repeat purchases.
    t_x, T : ndarray of shape (n_histories,)
        Days from the first purchase to the last one, and to the end of the observation.
    weights : ndarray of shape (n_histories,)
        Number of customers.
    """

    x: Floats
    t_x: Floats
    T: Floats
    weights: Floats

    @cached_property
    def n_customers(self) -> float:
        """Number of customers."""
        return float(self.weights.sum())

    @classmethod
    def of(cls, values: Floats, counts: NDArray[np.int64] | None = None) -> PurchaseHistories:
        """Return the distinct histories among rows of recency, order days and tenure.

        `counts` has the number of customers of each row; None: one.
        """
        packed, spans, lows = _packed(values)
        if packed is None:
            weights = np.ones(len(values)) if counts is None else counts.astype(np.float64)
            return cls(*_terms(values), weights=weights)
        if counts is not None:
            order = np.argsort(packed)
            packed, counts = packed[order], counts[order]
        else:
            packed.sort()
        starts = np.flatnonzero(np.concatenate([[True], packed[1:] != packed[:-1]]))
        if counts is None:
            weights = np.diff(starts, append=packed.size).astype(np.float64)
        else:
            weights = np.add.reduceat(counts, starts).astype(np.float64)
        return cls(*_terms(_unpacked(packed[starts], spans, lows)), weights=weights)

    @classmethod
    def each_of(cls, values: Floats) -> tuple[PurchaseHistories, NDArray[np.intp] | None]:
        """Return distinct histories, and which of them each row has; None: they are the rows."""
        packed, spans, lows = _packed(values)
        if packed is None:
            return cls(*_terms(values), weights=np.ones(len(values))), None
        places, distinct = pd.factorize(packed)
        weights = np.bincount(places, minlength=distinct.size).astype(np.float64)
        return cls(*_terms(_unpacked(distinct, spans, lows)), weights=weights), places


def check_histories(customers: Customers, *, owner: str) -> None:
    """Raise where recency, order days and tenure, under whatever names, are no customer's."""
    recency, order_days, tenure = customers.numbers[:3]
    recency_name, order_days_name, tenure_name = (repr(str(c)) for c in customers.columns[:3])
    n_customers = f"{len(customers):,} rows"
    without = int((order_days < 1).sum())
    if without:
        raise SegkitValueError(
            f"{owner}: column {order_days_name} is below 1 in {without:,} of {n_customers}; these "
            "customers have no order, from which the model counts. Drop them."
        )
    broken = 0 if order_days.dtype.kind in "iu" else int((order_days % 1 != 0).sum())
    if broken:
        raise SegkitValueError(
            f"{owner}: column {order_days_name} is no whole number in {broken:,} of {n_customers}; "
            "it counts days with an order."
        )
    negative = int((recency < 0).sum())
    if negative:
        raise SegkitValueError(
            f"{owner}: column {recency_name} is negative in {negative:,} of {n_customers}; it "
            "counts days since the last order and starts at 0."
        )
    swapped = int((recency > tenure).sum())
    if swapped:
        raise SegkitValueError(
            f"{owner}: {recency_name} exceeds {tenure_name} in {swapped:,} of {n_customers}, which "
            "no customer can do: the last order cannot come before the first. Are the columns "
            "swapped?"
        )
    check_reach(customers.columns[:3], customers.numbers, owner=owner)


def check_reach(columns: Sequence[str | int], days: Iterable[Floats], *, owner: str) -> None:
    """Raise where customers have more days than there are dates.

    Such numbers stand for something else, and a likelihood overflows over them.
    """
    for name, numbers in zip(columns, days, strict=False):
        beyond = int((numbers > MOST_DAYS).sum())
        if beyond:
            raise SegkitValueError(
                f"{owner}: column {str(name)!r} exceeds {MOST_DAYS:,} days, 10,000 years, "
                f"in {beyond:,} of {numbers.size:,} rows. Correct or drop these rows."
            )


def _terms(values: Floats) -> tuple[Floats, Floats, Floats]:
    recency, order_days, tenure = values.T
    # Arrays are taken as they come: counts are made whole, and days stay in their range. Of a
    # frame, what no customer can have was refused.
    x = np.rint(np.clip(order_days, 1.0, _LARGEST)) - 1
    T = np.clip(tenure, 0.0, _LARGEST)
    return x, np.where(x > 0, np.clip(T - recency, 0.0, T), 0.0), T


def _packed(values: Floats) -> tuple[NDArray[np.int64] | None, list[int], list[float]]:
    """Return each row as one whole number, where its values are whole numbers; else None."""
    if len(values) < 2:
        return None, [], []
    lows = [float(column.min()) for column in values.T]
    spans = [float(column.max()) - low + 1 for column, low in zip(values.T, lows, strict=True)]
    if math.prod(spans) > _MOST_PACKED or not all((c == np.floor(c)).all() for c in values.T):
        return None, [], []
    packed = np.zeros(len(values), dtype=np.int64)
    for column, low, span in zip(values.T, lows, spans, strict=True):
        packed *= int(span)
        packed += (column - low).astype(np.int64)
    return packed, [int(span) for span in spans], lows


def _unpacked(packed: NDArray[np.int64], spans: list[int], lows: list[float]) -> Floats:
    columns = []
    for span, low in zip(reversed(spans), reversed(lows), strict=True):
        packed, place = np.divmod(packed, span)
        columns.append(place + low)
    return np.array(columns[::-1]).T
