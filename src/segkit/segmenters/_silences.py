"""How long a customer has been silent, in three measures: days, gaps of their own, P(alive).

Each measure is one formula. That of days and that of gaps hold for arrays, single numbers and
expressions alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from operator import and_
from typing import Any, ClassVar, Protocol, TypeAlias

import narwhals.stable.v2 as nw
import numpy as np
from numpy.typing import NDArray

from segkit._binning import OrderedValues, ValuesByRank, kmeans_edges
from segkit._engine_values import ValueRanges
from segkit._frames import RESERVED, balanced, collected
from segkit._input_checks import estimator_name
from segkit._warn import warn
from segkit.base._engine_customers import EngineCustomers
from segkit.clv._model_inputs import model_input
from segkit.clv._purchase_rates import PurchaseRates, fit_purchase_rates
from segkit.exceptions import AlwaysAliveWarning, NotIdentifiedWarning, SegkitValueError

Floats: TypeAlias = NDArray[np.float64]

# Where all silences are alike: what 63 % and 95 % of exponentially distributed gaps do not exceed.
_USUAL_GAPS = (1.0, 3.0)


class Silence(Protocol):
    """A measure of silence, larger for longer ones."""

    #: Whether it is a formula that query engines can run.
    is_formula: ClassVar[bool]
    #: In what a silence is counted, as names of thresholds end.
    unit: ClassVar[str]
    #: The rule of customers whose silence is beyond a threshold.
    rule: ClassVar[str]
    #: What is told of customers beside their stage.
    feature_names: ClassVar[tuple[str, ...]]

    def of(self, recency: Any, orders: Any, active: Any) -> Any:
        """Return the silence of customers.

        `recency` counts the days since the last order, `orders` the days with an order, `active`
        the days from the first to the last of them.
        """
        ...


@dataclass(frozen=True)
class SilenceInDays:
    """Days since the last order."""

    is_formula: ClassVar[bool] = True
    unit: ClassVar[str] = "days"
    rule: ClassVar[str] = "silent for more than {} days"
    feature_names: ClassVar[tuple[str, ...]] = ()

    def of(self, recency: Any, orders: Any, active: Any) -> Any:
        """Return the days."""
        return recency


@dataclass(frozen=True)
class SilenceInGaps:
    """Days since the last order, in gaps that are usual for the customer."""

    rates: PurchaseRates
    is_formula: ClassVar[bool] = True
    unit: ClassVar[str] = "gaps"
    rule: ClassVar[str] = "silent for more than {} of their own gaps"
    feature_names: ClassVar[tuple[str, ...]] = ("expected_gap_days", "silent_gaps")

    def gap(self, orders: Any, active: Any) -> Any:
        """Return the expected gap of customers, in days.

        A rate that is gamma distributed over customers is, for one with so many orders in so many
        days, gamma distributed with shape r + orders and inverse scale alpha + days. The most
        probable gap between their orders is this; it is also the estimate whose squared relative
        error is the least expected.
        """
        return (active + self.rates.alpha) / (orders + (self.rates.r + 1))

    @property
    def prior(self) -> dict[str, float]:
        """The distribution of order rates, and the gap expected of a customer with one order."""
        gap = float(self.gap(1.0, 0.0))
        return {"r": self.rates.r, "alpha_days": self.rates.alpha, "gap_days": gap}

    def of(self, recency: Any, orders: Any, active: Any) -> Any:
        """Return the number of gaps."""
        return recency / self.gap(orders, active)


@dataclass(frozen=True)
class SilenceInChance:
    """The probability that the customer has left, 1 - P(alive) of a model of repeat buying.

    Without a model, as where there was nobody to fit it to, it is not known.
    """

    model: Any
    is_formula: ClassVar[bool] = False
    unit: ClassVar[str] = "alive"
    rule: ClassVar[str] = "active with a probability below {}"
    feature_names: ClassVar[tuple[str, ...]] = ("p_alive",)

    def of(self, recency: Any, orders: Any, active: Any) -> Any:
        """Return the probabilities."""
        recency, orders, active = (np.atleast_1d(values) for values in (recency, orders, active))
        if self.model is None:
            return np.full(len(recency), np.nan)
        values = np.column_stack([recency, orders, recency + active])
        return 1 - self.model.predict_alive(model_input(self.model, values))


def journeys_in_engine(customers: EngineCustomers) -> tuple[Floats, NDArray[np.int64]]:
    """Return the distinct journeys of customers with an order, and how many have each.

    A journey is recency, order days and tenure.
    """
    journey = dict(zip(("recency", "orders", "tenure"), customers.values(), strict=False))
    rows = customers.frame.select(**{f"{RESERVED}{name}": days for name, days in journey.items()})
    names = [f"{RESERVED}{name}" for name in journey]
    known = balanced(and_, [~nw.col(name).is_null() for name in names])
    buyers = rows.filter(known & (nw.col(names[1]) >= 1))
    count = f"{RESERVED}count"
    found = collected(buyers.group_by(names).agg(nw.len().alias(count)))
    values = np.column_stack([found[name].to_numpy().astype(np.float64) for name in names])
    return values, found[count].to_numpy().astype(np.int64)


def learn_rhythm(
    buyers: Floats,
    counts: NDArray[np.int64] | None,
    at_risk: float | None,
    churned: float | None,
    *,
    owner: str,
) -> tuple[SilenceInGaps, float, float]:
    """Learn the order rates of customers, and when they are at risk and churned unless given.

    `buyers` has rows of recency, order days (at least 1) and tenure, `counts` how many customers
    have each (None: one).
    """
    rates = fit_purchase_rates(buyers, counts)
    if not rates.is_known:
        n_buyers = len(buyers) if counts is None else counts.sum()
        warn(
            f"{owner}: no customer has ordered on two days ({n_buyers:,} have ordered), so that "
            "there is no rhythm to learn: whoever has ordered is new. Observe them for a longer "
            "time, or use method='fixed'.",
            NotIdentifiedWarning,
        )
    silence = SilenceInGaps(rates)
    recency, orders, tenure = buyers.T
    silences = silence.of(recency, orders, np.maximum(tenure - recency, 0.0))
    return silence, *learned_gaps(silences, counts, at_risk, churned)


def learned_gaps(
    silences: Floats,
    counts: NDArray[np.int64] | None,
    at_risk: float | None,
    churned: float | None,
) -> tuple[float, float]:
    """Return the numbers of gaps at which customers become at risk, and churned, unless given.

    They are the natural breaks (Jenks 1967) of the logarithm of all silences, counted in gaps: the
    two cuts that leave the least variance within three groups. The first is at least 1, as nobody
    is late before their own gap is over.
    """
    first, second = _USUAL_GAPS
    ratio = second / first
    ordered: ValuesByRank | None = None
    if len(silences):
        logs = np.log1p(silences)
        ordered = OrderedValues(logs) if counts is None else ValueRanges.of_values(logs, counts)
    if ordered is not None and len(ordered.distinct()[0]) > 2:
        first, second = (float(edge) for edge in np.expm1(kmeans_edges(ordered, 3)))
        first = max(first, _USUAL_GAPS[0])
    if at_risk is not None:
        return float(at_risk), _first_above(at_risk, churned, second, at_risk * ratio)
    if churned is not None:
        return (first if first < churned else churned / ratio), float(churned)
    return first, _first_above(first, None, second, first * ratio)


def _first_above(at_risk: float, given: float | None, learned: float, usual: float) -> float:
    """Return when customers are churned: as given, or as learned where that is later."""
    if given is not None:
        return float(given)
    return learned if learned > at_risk else usual


def learn_model(model: Any, buyers: Floats, *, owner: str) -> SilenceInChance:
    """Fit a model of repeat buying to rows of recency, order days (at least 1) and tenure."""
    name = estimator_name(model)
    if not hasattr(model, "predict_alive"):
        raise SegkitValueError(
            f"{owner}: model must have predict_alive(X), as segkit.clv.ParetoNBD has; {name} has "
            "none."
        )
    if not len(buyers):
        warn(
            f"{owner}: none of the customers has an order, from which a model could learn who is "
            "still active: customers with an order will be unassigned.",
            NotIdentifiedWarning,
        )
        return SilenceInChance(None)
    try:
        model.fit(model_input(model, buyers), None)
    except ValueError as error:
        if "feature(s)" not in str(error):
            raise
        raise SegkitValueError(
            f"{owner}: model gets three columns (recency, order days, tenure), and {name} needs "
            "more. Pass a model of repeat buying, such as ParetoNBD or its `purchases`."
        ) from error
    once = buyers[(buyers[:, 1] == 1) & (buyers[:, 0] > 0)]
    if len(once) and (model.predict_alive(model_input(model, once)) >= 1).all():
        warn(
            f"{owner}: by {name}, customers with one order can never have left: they are "
            f"{len(once) / len(buyers):.0%} of the customers here, and never at risk. Use "
            "ParetoNBD, the default, or method='cadence'.",
            AlwaysAliveWarning,
        )
    return SilenceInChance(model)
