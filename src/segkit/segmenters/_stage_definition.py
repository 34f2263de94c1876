"""What lifecycle stages are called, and their rules in words."""

from collections.abc import Mapping, Sequence

from segkit._frames import UNASSIGNED
from segkit._input_checks import nearest
from segkit.exceptions import SegkitValueError

#: The stages in the order of the journey.
JOURNEY = ("prospect", "new", "active", "reactivated", "at_risk", "churned")

#: In what each method counts a silence.
UNITS = {"cadence": "gaps", "fixed": "days", "alive": "alive"}

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


def stage_rules(method: str, thresholds: Sequence[float], churned: str) -> dict[str, str]:
    """Return the rule of each stage, given when customers are new, at risk and churned."""
    new, at_risk, gone = (f"{number:,.4g}" for number in thresholds)
    return {
        "prospect": "no order yet",
        "new": f"first order at most {new} days ago",
        "active": "all others",
        "reactivated": f"back after a gap in which they were {churned}",
        "at_risk": _SILENT[method].format(at_risk),
        "churned": _SILENT[method].format(gone),
    }
