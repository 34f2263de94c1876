"""What lifecycle stages are called, what is given of their thresholds, and their rules in words."""

from collections.abc import Mapping, Sequence
from typing import Any

from segkit._frames import UNASSIGNED
from segkit._input_checks import nearest
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
_SILENT = {
    "cadence": "silent for more than {} of their own gaps",
    "fixed": "silent for more than {} days",
    "alive": "active with a probability below {}",
}


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


def given_thresholds(
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
    given = parameters[f"at_risk_{unit}"], parameters[f"churned_{unit}"]
    at_risk, churned = (
        usual if own is None else float(own)
        for own, usual in zip(given, _USUAL[method], strict=True)
    )
    if at_risk is not None and churned is not None:
        first, second = (churned, at_risk) if method == "alive" else (at_risk, churned)
        if first > second:
            raise SegkitValueError(
                f"{owner}: customers become at risk before they are churned, got "
                f"at_risk_{unit}={at_risk:g} and churned_{unit}={churned:g}. Swap them."
            )
    return at_risk, churned


def stage_rules(method: str, thresholds: Sequence[float], churned: str) -> dict[str, str]:
    """Return the rule of each stage, given when customers are new, at risk and churned."""
    new, at_risk, gone = (f"{number:,.4g}" for number in thresholds)
    return {
        "prospect": "no order yet",
        "new": f"first order at most {new} days ago",
        "active": "all others",
        "reactivated": f"back for at most {new} days, after a gap in which they were {churned}",
        "at_risk": _SILENT[method].format(at_risk),
        "churned": _SILENT[method].format(gone),
    }
