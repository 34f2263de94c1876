"""What the models of repeat buying know of a customer: x, t_x and T.

The terms of the literature (Schmittlein, Morrison & Colombo 1987) are derived from segkit's
customer table: x = order_days - 1 repeat purchases, the last of them t_x = tenure_days -
recency_days days after the first purchase, and T = tenure_days days of observation.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]

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
    def of(cls, values: Floats) -> PurchaseHistories:
        """Return the distinct histories among rows of recency, order days and tenure."""
        packed, spans, lows = _packed(values)
        if packed is None:
            return cls(*_terms(values), weights=np.ones(len(values)))
        packed.sort()
        starts = np.flatnonzero(np.concatenate([[True], packed[1:] != packed[:-1]]))
        weights = np.diff(starts, append=packed.size).astype(np.float64)
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


def _terms(values: Floats) -> tuple[Floats, Floats, Floats]:
    recency, order_days, tenure = values.T
    # Arrays are taken as they come; of a frame, whoever has no order was refused.
    x = np.maximum(order_days - 1, 0.0)
    return x, np.clip(tenure - recency, 0.0, np.maximum(tenure, 0.0)), np.maximum(tenure, 0.0)


def _packed(values: Floats) -> tuple[NDArray[np.int64] | None, list[int], list[float]]:
    """Return each row as one whole number, where its values are whole numbers; else None."""
    if len(values) < 2:
        return None, [], []
    lows = [float(column.min()) for column in values.T]
    spans = [float(column.max()) - low + 1 for column, low in zip(values.T, lows, strict=True)]
    if np.prod(spans) > _MOST_PACKED or not all((c == np.floor(c)).all() for c in values.T):
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
