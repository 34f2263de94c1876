"""What a criterion rests on: rows of evidence, and the verdict that they give."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Literal, TypeAlias

import pandas as pd

NAN = float("nan")

#: The criteria, in the order of the report.
CRITERIA = (
    "measurable",
    "substantial",
    "accessible",
    "differentiable",
    "actionable",
    "structured",
    "stable",
    "parsimonious",
    "durable",
)

#: The segment of a row that is about all customers.
ALL = "all"

#: Of every interval in the report.
CONFIDENCE = 0.95

Status: TypeAlias = Literal["passed", "failed", "not assessed", "not applicable"]


@dataclass(frozen=True)
class Evidence:
    """One row of the report. `passed` is None where the row informs and decides nothing."""

    criterion: str
    metric: str
    value: float
    segment: str = ALL
    variable: str = ""
    low: float = NAN
    high: float = NAN
    threshold: float = NAN
    passed: bool | None = None
    what_to_do: str = ""


@dataclass(frozen=True)
class Assessment:
    """A criterion: its evidence, its status, and why."""

    criterion: str
    status: Status
    reason: str
    rows: tuple[Evidence, ...] = ()

    @property
    def passed(self) -> bool | None:
        """True or False, and None for what was not assessed or does not apply."""
        return {"passed": True, "failed": False}.get(self.status)


def decided(criterion: str, rows: Iterable[Evidence], passes: str, fails: str) -> Assessment:
    """Return a criterion that passes where no row fails, with the reason for either case."""
    kept = tuple(rows)
    has_failed = any(row.passed is False for row in kept)
    return Assessment(
        criterion, "failed" if has_failed else "passed", fails if has_failed else passes, kept
    )


def report_of(assessments: Sequence[Assessment]) -> pd.DataFrame:
    """Return all rows of evidence as a frame; a criterion without any has one that says why."""
    rows: list[Evidence] = []
    for one in assessments:
        rows += one.rows or [
            Evidence(one.criterion, one.status, NAN, what_to_do=one.reason),
        ]
    order = ["criterion", "segment", "variable", "metric", "value", "low", "high", "threshold"]
    order += ["passed", "what_to_do"]
    assert set(order) == {field.name for field in fields(Evidence)}
    report = pd.DataFrame([asdict(row) for row in rows])[order]
    # None would become NaN beside booleans, which is true in an if.
    report["passed"] = pd.Series([row.passed for row in rows], dtype=object)
    return report


def verdicts_of(assessments: Sequence[Assessment]) -> pd.DataFrame:
    """Return a row for each criterion: its verdict, its status and the reason."""
    verdicts = pd.DataFrame(
        {
            "criterion": [one.criterion for one in assessments],
            "status": [one.status for one in assessments],
            "reason": [one.reason for one in assessments],
        }
    )
    verdicts.insert(1, "passed", pd.Series([one.passed for one in assessments], dtype=object))
    return verdicts


def counted(number: int, noun: str) -> str:
    """Return a number and what it counts, of one in the singular."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def percent(share: float) -> str:
    """Return a share as text, in percent."""
    return f"{100 * share:.1f} %"


def named(names: Sequence[str], most: int = 4) -> str:
    """Return names in words, of many the first ones."""
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
