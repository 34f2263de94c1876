"""For how many customers rules hold, in memory or in an engine, and what that says of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from operator import add
from textwrap import shorten
from typing import Any, TypeAlias

import narwhals.stable.v2 as nw
import numpy as np
from numpy.typing import NDArray

from segkit._frames import RESERVED, balanced, collected
from segkit._storage._state import LearnedState
from segkit._warn import warn
from segkit.base._assignment import CodePlan, with_code
from segkit.exceptions import SegkitValueError, SegkitWarning
from segkit.segmenters._rule_parsing import Rule

Counts: TypeAlias = NDArray[np.int64]

_CODE = f"{RESERVED}code"
# So many letters of a rule are shown in a warning of several.
_MOST_LETTERS = 80


@dataclass(frozen=True)
class RuleCounts:
    """Customers seen in ``fit``: all, for whom each rule holds, and in each segment.

    Of those in segments, the last are in none of the rules' own. `overlaps` has for each pair of
    rules that hold for the same customers how many these are; None: it was not asked.
    """

    n_customers: int
    met_by: Counts
    in_segment: Counts
    overlaps: dict[tuple[int, int], int]

    def stored(self) -> dict[str, Any]:
        """Return what a file keeps: overlaps are none in a fit that came to its end."""
        return {
            "customers": int(self.n_customers),
            "met_by": self.met_by.tolist(),
            "in_segment": self.in_segment.tolist(),
        }

    @classmethod
    def of_stored(cls, state: LearnedState, n_rules: int) -> RuleCounts:
        """Return the counts as a file has them."""
        return cls(
            state.count("customers", least=1),
            state.counts("met_by", n_rules),
            state.counts("in_segment", n_rules + 1),
            {},
        )


def counts_of(met: NDArray[np.bool_], codes: Counts, *, overlaps: bool) -> RuleCounts:
    """Count customers in memory, given for each rule the customers for whom it holds."""
    n_rules, n_customers = met.shape
    places = np.where(codes < 0, n_rules, codes)
    shared = {}
    if overlaps and (several := met.sum(axis=0) > 1).any():
        among = met[:, several]
        pairs = combinations(range(n_rules), 2)
        shared = {(i, j): int((among[i] & among[j]).sum()) for i, j in pairs}
    return RuleCounts(
        n_customers,
        met.sum(axis=1, dtype=np.int64),
        np.bincount(places, minlength=n_rules + 1).astype(np.int64),
        {pair: count for pair, count in shared.items() if count},
    )


def counts_in_engine(
    frame: nw.LazyFrame[Any], plan: CodePlan, rules: Sequence[Rule], *, overlaps: bool
) -> RuleCounts:
    """Count customers inside a frame's engine."""
    # Whoever meets a rule and has no code has an infinite value, and is in no segment.
    has_code = nw.col(_CODE) >= 0
    holds = [(rule.condition.expression(frame) & has_code).cast(nw.Int64) for rule in rules]
    coded = with_code(frame, plan, _CODE)
    asked = {"customers": nw.len()}
    for place, held in enumerate(holds):
        asked[f"met_{place}"] = held.sum()
    for place in range(len(rules) + 1):
        asked[f"in_{place}"] = (nw.col(_CODE) == place).cast(nw.Int64).sum()
    if overlaps and len(rules) > 1:
        asked["several"] = (balanced(add, holds) > 1).cast(nw.Int64).sum()
    found = _asked(coded, asked)
    shared = {}
    if found.get("several"):
        pairs = list(combinations(range(len(rules)), 2))
        both = {f"{i}_{j}": (holds[i] * holds[j]).sum() for i, j in pairs}
        counted = _asked(coded, both)
        shared = {(i, j): counted[f"{i}_{j}"] for i, j in pairs}
    return RuleCounts(
        found["customers"],
        np.array([found[f"met_{place}"] for place in range(len(rules))], dtype=np.int64),
        np.array([found[f"in_{place}"] for place in range(len(rules) + 1)], dtype=np.int64),
        {pair: count for pair, count in shared.items() if count},
    )


def check_no_overlaps(counts: RuleCounts, rules: Sequence[Rule]) -> None:
    """Raise where two rules hold for the same customers, for the two that share the most."""
    if not counts.overlaps:
        return
    (one, other), shared = max(counts.overlaps.items(), key=lambda pair: (pair[1], pair[0]))
    further = len(counts.overlaps) - 1
    also = f" ({further} further pairs overlap)" if further else ""
    raise SegkitValueError(
        f"RuleSegmenter: {rules[one].name!r} and {rules[other].name!r} both hold for {shared:,} of "
        f"{counts.n_customers:,} customers{also}. Narrow one of them, or pass first_match=True to "
        "let the first one count."
    )


def warn_of_unreached(counts: RuleCounts, rules: Sequence[Rule]) -> None:
    """Warn of rules that none of the customers reaches."""
    said = []
    for rule, met, reached in zip(rules, counts.met_by, counts.in_segment, strict=False):
        if not reached:
            taken = f", {met:,} meet it and a rule above it" if met else ""
            words = shorten(rule.condition.words(), _MOST_LETTERS, placeholder=" ...")
            said.append(f"{rule.name!r} ({words}{taken})")
    if said:
        warn(
            f"RuleSegmenter: none of {counts.n_customers:,} customers is in {'; '.join(said)}. "
            "Are the values written as in the frame, and the rules in the order that is meant?",
            SegkitWarning,
        )


def _asked(frame: nw.LazyFrame[Any], asked: dict[str, nw.Expr]) -> dict[str, int]:
    row = collected(frame.select(**{f"{RESERVED}{name}": e for name, e in asked.items()}))
    return {name: int(row[f"{RESERVED}{name}"].to_list()[0] or 0) for name in asked}
