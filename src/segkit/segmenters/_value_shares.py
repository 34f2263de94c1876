"""Who makes how much of the value: cumulative shares, the Lorenz curve and its Gini coefficient.

The curve is that of Lorenz (1905), "Methods of measuring the concentration of wealth", the
coefficient that of Gini (1912), *Variabilità e mutabilità*.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from segkit._binning import OrderedValues

Floats: TypeAlias = NDArray[np.float64]

#: A cumulative share within this part of a cut has reached it. Sums of floats are not exact:
#: 0.8 + 0.15 is less than 0.95 of 0.8 + 0.15 + 0.05.
TOLERANCE = 1e-10
# About as many points are kept of the curve, half of them evenly along each axis.
_MOST_POINTS = 1_000


@dataclass(frozen=True)
class ValueShares:
    """Customers by value, highest first.

    `values` are the distinct positive values, descending. Up to and with each of them, `customers`
    has the number of customers and `value` the share of all positive value.
    """

    values: Floats
    customers: NDArray[np.int64]
    value: Floats
    n_customers: int

    @classmethod
    def of(cls, values: Floats) -> ValueShares:
        """Return the shares of these values, which are all there and finite."""
        positive = values[values > 0]
        if not positive.size:
            return cls.at(np.empty(0), np.empty(0, dtype=np.int64), np.empty(0), values.size)
        ascending, counts = OrderedValues(positive).distinct()
        distinct, counts = ascending[::-1].copy(), counts[::-1]
        # In a unit that is a power of two, so that no sum overflows and no digit is lost.
        unit = np.ldexp(distinct, -int(np.frexp(distinct[0])[1]))
        return cls.at(distinct, counts, unit * counts, values.size)

    @classmethod
    def at(
        cls, values: Floats, customers: NDArray[Any], total: Floats, n_customers: int
    ) -> ValueShares:
        """Return the shares at some values, descending.

        `customers` and `total` are the number and the value of those from each value up to the
        one before, in any unit.
        """
        reached = np.cumsum(total)
        share = reached / reached[-1] if reached.size else reached
        return cls(values, np.cumsum(customers, dtype=np.int64), share, n_customers)

    def lowest_values(self, cuts: Sequence[float], *, of_customers: bool) -> Floats:
        """Return the lowest value of each tier, given cumulative shares.

        A tier ends with the customer who reaches the share of the positive value (or of the
        customers with positive value), and with those of equal value.
        """
        lowest: Floats = self.values[self.places_of(cuts, of_customers=of_customers)]
        return lowest

    def places_of(self, cuts: Sequence[float], *, of_customers: bool) -> NDArray[np.intp]:
        """Return the places of the values at which cumulative shares are reached."""
        reached = self.customers / self.customers[-1] if of_customers else self.value
        return np.searchsorted(reached, np.array(cuts, dtype=np.float64) * (1 - TOLERANCE))

    def of_tiers(self, thresholds: Floats) -> pd.DataFrame:
        """Return the customers of each tier, their share of all, and their share of the value.

        The last row has those without positive value.
        """
        places = self._corners(thresholds)
        customers = np.diff(np.append(self._customers_at(places), self.n_customers))
        return pd.DataFrame(
            {
                "customers": customers,
                "share_of_customers": customers / max(self.n_customers, 1),
                "share_of_value": np.diff(self._value_at(places), append=self._all_value),
            }
        )

    def curve(self, thresholds: Floats) -> Floats:
        """Return points of the Lorenz curve, highest value first, with the corners of the tiers.

        Among customers of equal value the curve is straight. Of many distinct values a thousand
        are kept, evenly by customers and by value.
        """
        places = np.arange(self.values.size + 1)
        if places.size > _MOST_POINTS:
            steps = np.linspace(0, 1, _MOST_POINTS // 2)
            by_customers = np.searchsorted(self.customers, steps * self.customers[-1])
            by_value = np.searchsorted(self.value, steps)
            corners = self._corners(thresholds)
            places = np.unique(np.concatenate([corners, by_customers + 1, by_value + 1]))
        customers = self._customers_at(places) / max(self.n_customers, 1)
        curve: Floats = np.column_stack([customers, self._value_at(places)])
        if curve[-1, 0] < 1:
            curve = np.concatenate([curve, [[1.0, self._all_value]]])
        return curve

    @property
    def gini(self) -> float:
        """The Gini coefficient, values below zero counting as zero; NaN without positive value.

        Twice the area between the curve and the line of equality, which is the mean absolute
        difference of all pairs of customers over twice the mean.
        """
        if not self.values.size:
            return np.nan
        share = np.diff(self.customers, prepend=0) / self.n_customers
        height = self.value - np.diff(self.value, prepend=0.0) / 2
        without_value = 1 - self.customers[-1] / self.n_customers
        return max(0.0, float(2 * (share @ height + without_value) - 1))

    @property
    def _all_value(self) -> float:
        return 1.0 if self.values.size else np.nan

    def _corners(self, thresholds: Floats) -> NDArray[np.intp]:
        """Return how many distinct values are in the tiers up to each, from none to all."""
        within = np.searchsorted(-self.values, -thresholds, side="right")
        return np.concatenate([[0], within, [self.values.size]]).astype(np.intp)

    def _customers_at(self, places: NDArray[np.intp]) -> NDArray[np.int64]:
        return np.concatenate([np.zeros(1, dtype=np.int64), self.customers])[places]

    def _value_at(self, places: NDArray[np.intp]) -> Floats:
        nothing = 0.0 if self.values.size else np.nan
        at: Floats = np.concatenate([[nothing], self.value])[places]
        return at
