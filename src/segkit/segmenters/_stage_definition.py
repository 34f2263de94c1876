"""What lifecycle stages are called, what is given of their thresholds, and their rules in words."""

from collections.abc import Collection, Mapping
from typing import Any

from segkit._frames import UNASSIGNED
from segkit._input_checks import RowLimits, nearest
from segkit.base._customers import Customers
from segkit.exceptions import SegkitValueError

#: The stages in the order of the journey.
JOURNEY = ("prospect", "new", "active", "reactivated", "at_risk", "churned")

#: In what each method counts a silence.
UNITS = {"cadence": "gaps", "fixed": "days", "alive": "alive"}

# When customers are at risk and churned unless told otherwise; None: learned.
_USUAL: dict[str, tuple[float | None, float | None]] = {
    "cadence": (None, None),
    "fixed": (60.0, 180.0),
    "alive": (0.8, 0.5),
}


def journey_of(n_columns: int) -> list[str]:
    """Return the stages that can be told apart in so many columns."""
    return [stage for stage in JOURNEY if stage != "reactivated" or n_columns > 3]


def stage_names(stages: Mapping[str, str] | None, *, owner: str) -> dict[str, str]:
    """Return the name of each stage: its own, or the one given."""
    given = dict(stages or {})
    if unknown := [stage for stage in given if stage not in JOURNEY]:
        near = nearest(str(unknown[0]), list(JOURNEY))
        raise SegkitValueError(
            f"{owner}: stages names {unknown}, which are not among {list(JOURNEY)}."
            + (f" Did you mean {near!r}?" if near else "")
        )
    names = {stage: given.get(stage, stage) for stage in JOURNEY}
    if not all(isinstance(name, str) and name for name in names.values()):
        raise SegkitValueError(f"{owner}: the names in stages must be text, got {given!r}.")
    if len({*names.values(), UNASSIGNED}) <= len(names):
        raise SegkitValueError(
            f"{owner}: two stages would have one name, or that of unassigned customers: "
            f"{list(names.values())}."
        )
    return names


def checked_thresholds(
    method: str, parameters: Mapping[str, Any], *, owner: str
) -> tuple[float | None, float | None]:
    """Return when customers are at risk and churned: as given for this method, or as is usual."""
    unit = UNITS[method]
    for other, its_unit in UNITS.items():
        for stage in ("at_risk", "churned"):
            if other != method and parameters[f"{stage}_{its_unit}"] is not None:
                raise SegkitValueError(
                    f"{owner}: {stage}_{its_unit} is for method={other!r}, and method is "
                    f"{method!r}. Set {stage}_{unit} instead, or method={other!r}."
                )
    if method != "alive" and parameters["model"] is not None:
        raise SegkitValueError(
            f"{owner}: model is for method='alive', and method is {method!r}. Leave it out, or set "
            "method='alive'."
        )
    names = f"at_risk_{unit}", f"churned_{unit}"
    given = [parameters[name] for name in names]
    at_risk, churned = (
        usual if own is None else float(own)
        for own, usual in zip(given, _USUAL[method], strict=True)
    )
    if at_risk is not None and churned is not None:
        first, second = (churned, at_risk) if method == "alive" else (at_risk, churned)
        if first > second:
            remedy = "Swap them."
            if None in given:
                remedy = f"The latter is the default: set {names[given.index(None)]}, too."
                if given[0] is None:
                    remedy = f"The former is the default: set {names[0]}, too."
            raise SegkitValueError(
                f"{owner}: customers become at risk before they are churned, got "
                f"{names[0]}={at_risk:g} and {names[1]}={churned:g}. {remedy}"
            )
    return at_risk, churned


def journey_limits(n_columns: int) -> RowLimits:
    """Return which of recency, order days, tenure and last gap may not exceed which."""
    ordered = ((0, 2), (3, 2))[: n_columns - 2]
    return RowLimits(counts=tuple(range(n_columns)), ordered=ordered)


def check_journeys(customers: Customers, *, owner: str) -> None:
    """Raise where recency, order days, tenure and last gap, under whatever names, are nobody's."""
    names = [repr(str(column)) for column in customers.columns]
    n_rows = f"{len(customers):,} rows"
    for name, column in zip(names, customers.numbers, strict=True):
        if negative := int((column < 0).sum()):
            raise SegkitValueError(
                f"{owner}: column {name} is negative in {negative:,} of {n_rows}; it counts days "
                "or orders and starts at 0."
            )
    recency, _, tenure, *gap = customers.numbers
    if swapped := int((recency > tenure).sum()):
        raise SegkitValueError(
            f"{owner}: {names[0]} exceeds {names[2]} in {swapped:,} of {n_rows}, which no customer "
            "can do: the last order cannot come before the first. Are the columns swapped?"
        )
    for last_gap in gap:
        if longer := int((last_gap > tenure).sum()):
            raise SegkitValueError(
                f"{owner}: {names[3]} exceeds {names[2]} in {longer:,} of {n_rows}, which no "
                "customer can do: both orders lie within the days since the first."
            )


def stage_rules(
    silent: str, thresholds: Mapping[str, float], given: Collection[str], churned: str
) -> dict[str, str]:
    """Return the rule of each stage, given when customers are new, at risk and churned.

    Learned thresholds are rounded, given ones are told as they are.
    """
    new, at_risk, gone = (
        _number(value, digits=12 if name in given else 4) for name, value in thresholds.items()
    )
    return {
        "prospect": "no order yet",
        "new": f"first order at most {new} days ago",
        "active": "all others",
        "reactivated": f"back for at most {new} days, after a gap in which they were {churned}",
        "at_risk": silent.format(at_risk),
        "churned": silent.format(gone),
    }


def _number(value: float, *, digits: int) -> str:
    return f"{value:,.0f}" if value >= 10**digits else f"{value:,.{digits}g}"
