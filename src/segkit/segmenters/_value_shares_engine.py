"""Cumulative shares of value, counted and summed inside a query engine."""

from __future__ import annotations

from collections.abc import Sequence

import narwhals.stable.v2 as nw
import numpy as np
from numpy.typing import NDArray

from segkit._engine_values import EngineValues, ValueRanges
from segkit.base._engine_customers import EngineCustomers, counted, how_many
from segkit.segmenters._value_shares import ValueShares

# Ranges with more than this part of the customers, or of the value, are split for the curve.
_COARSE = 1 / 200


def shares_in_engine(customers: EngineCustomers, method: str, cuts: Sequence[float]) -> ValueShares:
    """Return the shares of customers, exact wherever a tier with these cuts begins.

    Elsewhere they are known at fewer values than there are.
    """
    (value,) = customers.values()
    n_known = counted(customers.frame, {"known": how_many(~value.is_null())})["known"]
    positive = EngineValues(customers.frame, nw.when(value > 0).then(value))

    def too_coarse(_: int, ranges: ValueRanges) -> NDArray[np.bool_]:
        shares = _shares(ranges, n_known)
        part = [
            np.diff(shares.customers, prepend=0) / shares.customers[-1],
            np.diff(shares.value, prepend=0.0),
        ]
        coarse: NDArray[np.bool_] = (part[0] > _COARSE) | (part[1] > _COARSE)
        if method != "fixed":
            coarse[shares.places_of(cuts, of_customers=method == "quantile")] = True
        coarse = coarse[::-1]  # of shares, the highest value is first
        if method == "fixed":
            for cut in cuts:
                coarse |= (ranges.low < cut) & (cut <= ranges.high)
        return coarse

    positive.split(too_coarse)
    return _shares(positive.ranges[0], n_known)


def _shares(ranges: ValueRanges, n_customers: int) -> ValueShares:
    """Return the shares at the lowest value of each range."""
    low, count = ranges.low[::-1].copy(), ranges.count[::-1]
    return ValueShares.at(low, count, ranges.total[::-1], n_customers)
