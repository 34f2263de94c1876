"""The rule that lifecycle stages follow, for arrays, for one customer, and as an expression."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isnan
from typing import Any, TypeAlias

import narwhals.stable.v2 as nw
import numpy as np
from numpy.typing import NDArray

from segkit._frames import RESERVED
from segkit.segmenters._silences import Silence

Floats: TypeAlias = NDArray[np.float64]

_ACTIVE_DAYS = f"{RESERVED}active_days"
_SILENCE = f"{RESERVED}silence"
_SILENCE_BEFORE = f"{RESERVED}silence_before"


@dataclass(frozen=True)
class Staging:
    """Who is in which stage.

    The columns are recency, order days and tenure, and perhaps the last gap. Customers are new, or
    reactivated, for `new_days` after their first order, or the one after a long gap. `at_risk` and
    `churned` are in the units of `silence`, `codes` the codes of the stages that there are.
    """

    silence: Silence
    new_days: float
    at_risk: float
    churned: float
    codes: Mapping[str, int]

    def of(self, values: Floats) -> NDArray[np.int64]:
        """Return the codes of customers; -1 where something is missing that is needed."""
        recency, orders, tenure = values[:, :3].T
        is_prospect = np.isnan(recency) | (orders < 1)
        known = ~(is_prospect | np.isnan(orders) | np.isnan(tenure))
        codes = np.full(len(values), -1, dtype=np.int64)
        codes[is_prospect] = self.codes["prospect"]
        with np.errstate(over="ignore"):  # an infinite silence is a long one
            codes[known] = self._of_buyers(values[known])
        return codes

    def of_one(self, values: Sequence[float]) -> int:
        """Return the code of one customer, by a formula; -1 as for arrays."""
        recency, orders, tenure, *gap = values
        if orders < 1 or isnan(recency):
            return self.codes["prospect"]
        if isnan(orders) or isnan(tenure):
            return -1
        if tenure <= self.new_days:
            return self.codes["new"]
        active_days = max(tenure - recency, 0.0)
        silence = self.silence.of(recency, orders, active_days)
        if silence > self.at_risk:
            return self.codes["churned" if silence > self.churned else "at_risk"]
        if gap and gap[0] >= 0 and orders > 1 and recency <= self.new_days:
            before = self.silence.of(gap[0], orders - 1, max(active_days - gap[0], 0.0))
            if before > self.churned:
                return self.codes["reactivated"]
        return self.codes["active"]

    def steps(self, values: Sequence[nw.Expr]) -> list[dict[str, nw.Expr]]:
        """Return columns of an engine from which the codes are told, each from those before.

        Quotients among them: what stands in an expression twice is written out twice for an engine.
        """
        recency, orders, tenure, *gap = values
        active_days = nw.col(_ACTIVE_DAYS)
        silences = {_SILENCE: self.silence.of(recency, orders, active_days)}
        for last in gap:
            before_days = (active_days - last).clip(lower_bound=0.0)
            silences[_SILENCE_BEFORE] = self.silence.of(last, orders - 1, before_days)
        return [{_ACTIVE_DAYS: (tenure - recency).clip(lower_bound=0.0)}, silences]

    def expression(self, values: Sequence[nw.Expr]) -> nw.Expr:
        """Return the codes as an expression, by a formula, given the columns of `steps`."""
        recency, orders, tenure, *gap = values
        silence = nw.col(_SILENCE)
        code = {stage: nw.lit(position) for stage, position in self.codes.items()}
        staged: Any = (
            nw.when(recency.is_null() | (orders < 1))
            .then(code["prospect"])
            .when(orders.is_null() | tenure.is_null())
            .then(nw.lit(-1))
            .when(tenure <= self.new_days)
            .then(code["new"])
            .when(silence > self.churned)
            .then(code["churned"])
            .when(silence > self.at_risk)
            .then(code["at_risk"])
        )
        for last in gap:
            came_back = (recency <= self.new_days) & (last >= 0) & (orders > 1)
            came_back = came_back & (nw.col(_SILENCE_BEFORE) > self.churned)
            staged = staged.when(came_back).then(code["reactivated"])
        expression: nw.Expr = staged.otherwise(code["active"])
        return expression

    def _of_buyers(self, values: Floats) -> NDArray[np.int64]:
        recency, orders, tenure = values[:, :3].T
        active_days = np.maximum(tenure - recency, 0.0)
        silence = self.silence.of(recency, orders, active_days)
        codes = np.full(len(values), self.codes["active"], dtype=np.int64)
        if values.shape[1] > 3:
            gap = values[:, 3]
            # A gap that is not known is none that was long.
            back = np.flatnonzero((gap >= 0) & (orders > 1) & (recency <= self.new_days))
            was_silent = self.silence.of(
                gap[back], orders[back] - 1, np.maximum(active_days[back] - gap[back], 0.0)
            )
            codes[back[was_silent > self.churned]] = self.codes["reactivated"]
        codes[silence > self.at_risk] = self.codes["at_risk"]
        codes[silence > self.churned] = self.codes["churned"]
        codes[np.isnan(silence)] = -1
        codes[tenure <= self.new_days] = self.codes["new"]
        return codes
