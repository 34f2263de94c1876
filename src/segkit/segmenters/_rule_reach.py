"""Which rules no customer can reach, proven from the conditions alone.

All that the tests of a column can tell apart is a few kinds of value: a number on each bound and
between each two, each text that is named and any other, missing. Rules are evaluated for every
combination of such kinds; a rule that is the first to hold for none of them is never reached.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from math import prod

import numpy as np
from numpy.typing import NDArray

from segkit.exceptions import SegkitValueError
from segkit.segmenters._rule_columns import Values
from segkit.segmenters._rule_conditions import Columns, InRange, Matching, OneOf, Test
from segkit.segmenters._rule_parsing import Rule, column_kinds
from segkit.segmenters._rule_patterns import AnyText

# Of more combinations, fewer columns are looked at.
_MOST_COMBINATIONS = 100_000
# Of more regular expressions on one column, nothing is said.
_MOST_PATTERNS = 10


def check_reachable(rules: Sequence[Rule], *, first_match: bool) -> None:
    """Raise for the first rule that no customer can reach; by the rules above, if first_match."""
    everything = _combinations(rules)
    for place, rule in enumerate(rules):
        above = rules[:place] if first_match else []
        columns = everything
        if columns is None:
            # Those of the rules above that test no other columns can still be looked at.
            own = set(column_kinds([rule]))
            above = [one for one in above if set(column_kinds([one])) <= own]
            columns = _combinations([*above, rule])
        if columns is None:
            continue
        meets = rule.condition.truths(columns)
        if not meets.any():
            raise SegkitValueError(
                f"RuleSegmenter: no customer can meet {rule.name!r}: its conditions exclude one "
                f"another ({rule.condition.words()}). Correct or drop it."
            )
        shadows = []
        for one in above:
            taken = meets & one.condition.truths(columns)
            if taken.any():
                shadows.append(one.name)
                meets &= ~taken
        if not meets.any():
            raise SegkitValueError(
                f"RuleSegmenter: no customer can reach {rule.name!r}: whoever meets it "
                f"({rule.condition.words()}) meets {_listed(shadows)} above it. Move it up, narrow "
                "what is above, or drop it."
            )


def _combinations(rules: Sequence[Rule]) -> Columns | None:
    """Return every combination of kinds of value; None: they are too many."""
    kinds = column_kinds(rules)
    tests: dict[str, list[Test]] = {column: [] for column in kinds}
    for rule in rules:
        for test in rule.condition.tests():
            tests[test.column].append(test)
    values = []
    for column, kind in kinds.items():
        if kind == "text":
            some = _texts(tests[column])
            if some is None:
                return None
            values.append(some)
        elif kind == "number":
            values.append(Values(_numbers(tests[column])))
        else:
            values.append(Values(np.array([0.0, 1.0, np.nan])))
    sizes = [len(v.values) if v.places is None else len(v.places) for v in values]
    n_combinations = prod(sizes)
    if n_combinations > _MOST_COMBINATIONS:
        return None
    columns: dict[str, Values] = {}
    for axis, (column, some) in enumerate(zip(kinds, values, strict=True)):
        repeated = prod(sizes[axis + 1 :])
        place = (np.arange(n_combinations) // repeated) % sizes[axis]
        columns[column] = (
            Values(some.values[place])
            if some.places is None
            else Values(some.values, some.places[place])
        )
    return columns


def _numbers(tests: Sequence[Test]) -> NDArray[np.float64]:
    bounds: set[float] = set()
    for test in tests:
        if isinstance(test, InRange):
            bounds |= {float(b) for b in (test.at_least, test.below) if b is not None}
        elif isinstance(test, OneOf):
            bounds |= {float(member) for member in test.members}
    edges = np.array(sorted(bounds))
    between = edges[:-1] / 2 + edges[1:] / 2  # which does not overflow
    outside = [np.nextafter(edges[0], -np.inf), np.nextafter(edges[-1], np.inf)]
    return np.unique(np.concatenate([edges, between, outside, [np.nan]]))


def _texts(tests: Sequence[Test]) -> Values | None:
    named = {member for test in tests if isinstance(test, OneOf) for member in test.members}
    patterns = {test.pattern for test in tests if isinstance(test, Matching)}
    if len(patterns) > _MOST_PATTERNS:
        return None
    ordered = sorted(patterns, key=lambda pattern: pattern.given)
    others = [
        AnyText(frozenset(itertools.compress(ordered, found)))
        for found in itertools.product((False, True), repeat=len(ordered))
    ]
    values = [*sorted(named), *others]
    return Values(values, np.arange(-1, len(values)))


def _listed(names: Sequence[str]) -> str:
    said = [repr(name) for name in names]
    return said[0] if len(said) == 1 else f"{', '.join(said[:-1])} or {said[-1]}"
