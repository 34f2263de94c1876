"""Rules as they are written, in data that could be JSON, to rules that can be evaluated."""

from __future__ import annotations

import math
import numbers
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from segkit._frames import UNASSIGNED
from segkit._input_checks import nearest
from segkit.exceptions import SegkitTypeError, SegkitValueError
from segkit.segmenters._rule_columns import Kind
from segkit.segmenters._rule_conditions import (
    Condition,
    Every,
    InRange,
    IsMissing,
    Matching,
    Not,
    OneOf,
    columns_of,
)
from segkit.segmenters._rule_patterns import Pattern, PatternError

_OWNER = "RuleSegmenter"
_RANGES = ("at_least", "below")
_TESTS = ("equals", "in", *_RANGES, "matches", "missing")
_COMBINED = ("all", "any", "not")
_EXAMPLE = '{"column": "monetary", "at_least": 500}'


# Whole numbers up to here are floats without loss.
_EXACT = 2**53


@dataclass(frozen=True)
class Rule:
    """A segment, and the condition under which customers belong to it."""

    name: str
    condition: Condition


def parsed_rules(given: Sequence[Any] | None, default: Any) -> list[Rule]:
    """Return the rules, checked, each with a name of its own."""
    if isinstance(given, Mapping):
        raise SegkitTypeError(
            f"{_OWNER}: rules must be a list, each of them a mapping of 'name' and 'when', got a "
            f'mapping. Of {{name: condition}} make [{{"name": name, "when": condition}}, ...]; '
            "their order counts."
        )
    rules = [_rule(entry, place) for place, entry in enumerate(given or (), start=1)]
    names = [rule.name for rule in rules]
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise SegkitValueError(
            f"{_OWNER}: several rules are named {doubled}. Make each of them one rule, whose "
            'conditions stand under "any".'
        )
    if default is not None:
        _check_name(default, "default")
        if default in names:
            raise SegkitValueError(f"{_OWNER}: default={default!r} is also the name of a rule.")
    elif not rules:
        raise SegkitValueError(
            f"{_OWNER}: without rules and with default=None there is no segment. Pass one of them."
        )
    return rules


def column_kinds(rules: Sequence[Rule]) -> dict[str, Kind]:
    """Return the columns that rules test, in order of appearance, and what each must hold."""
    kinds: dict[str, Kind] = {}
    for column, tested in columns_of([rule.condition for rule in rules]).items():
        compared = sorted(tested - {"any"})
        if len(compared) > 1:
            raise SegkitTypeError(
                f"{_OWNER}: the rules compare column {column!r} with values of different kinds: "
                f'{" and ".join(compared)}. A column holds one kind: write 1 for a number, "1" '
                "for text, true or false for a boolean."
            )
        kinds[column] = compared[0] if compared else "any"
    return kinds


def parsed_condition(given: Any, where: str) -> Condition:
    """Return a condition that can be evaluated; `where` it stands is said in errors."""
    if not isinstance(given, Mapping) or not all(isinstance(key, str) for key in given):
        raise SegkitTypeError(
            f"{_OWNER}: {where}: a condition is a mapping such as {_EXAMPLE}, got {given!r}."
        )
    combined = [key for key in _COMBINED if key in given]
    if combined:
        if len(given) > 1:
            raise SegkitValueError(
                f"{_OWNER}: {where}: {combined[0]!r} stands alone in its mapping, got "
                f'{list(given)}. Put the conditions into one list under "all".'
            )
        return _combination(combined[0], given[combined[0]], where)
    for key in given:
        if key not in ("column", *_TESTS):
            near = nearest(key, ["column", *_TESTS, *_COMBINED])
            raise SegkitValueError(
                f"{_OWNER}: {where}: unknown key {key!r}; a condition has 'column' and one of "
                f"{list(_TESTS)}, or one of {list(_COMBINED)}."
                + (f" Did you mean {near!r}?" if near else "")
            )
    return _test(given, where)


def _rule(entry: Any, place: int) -> Rule:
    where = f"rule {place}"
    if not isinstance(entry, Mapping) or set(entry) != {"name", "when"}:
        found = sorted(map(str, entry)) if isinstance(entry, Mapping) else entry
        raise SegkitTypeError(
            f"{_OWNER}: {where} must be a mapping of 'name' and 'when', such as "
            f'{{"name": "Big spenders", "when": {_EXAMPLE}}}, got {found!r}.'
        )
    _check_name(entry["name"], f"the name of {where}")
    name = str(entry["name"])
    return Rule(name, parsed_condition(entry["when"], f"rule {name!r}"))


def _check_name(name: Any, what: str) -> None:
    if not isinstance(name, str) or not name.strip() or name == UNASSIGNED:
        raise SegkitValueError(
            f"{_OWNER}: {what} must be text other than {UNASSIGNED!r}, which stands for customers "
            f"that cannot be assigned; got {name!r}."
        )


def _combination(key: str, given: Any, where: str) -> Condition:
    if key == "not":
        return Not(parsed_condition(given, where))
    if not isinstance(given, list | tuple) or not given:
        raise SegkitTypeError(
            f"{_OWNER}: {where}: {key!r} needs a list of conditions, at least one, got {given!r}."
        )
    parts = tuple(parsed_condition(part, where) for part in given)
    return Every(parts, at_least_one=key == "any")


def _test(given: Mapping[str, Any], where: str) -> Condition:
    column = given.get("column")
    if not isinstance(column, str) or not column:
        raise SegkitTypeError(
            f"{_OWNER}: {where}: 'column' must be the name of a column, got {column!r}. The "
            "columns of an array are named x0, x1, ..."
        )
    tests = [key for key in _TESTS if key in given]
    if not tests or (len(tests) > 1 and set(tests) != set(_RANGES)):
        raise SegkitValueError(
            f"{_OWNER}: {where}: a condition on {column!r} needs one of {list(_TESTS)}, or both "
            f"of {list(_RANGES)}; got {tests or 'none'}. Join several by "
            '{"all": [...]}.'
        )
    key = tests[0]
    value = given[key]
    if key in _RANGES:
        return _range(column, given, where)
    if key == "missing":
        if not isinstance(value, bool):
            raise SegkitTypeError(
                f"{_OWNER}: {where}: 'missing' must be true or false, got {value!r}."
            )
        return IsMissing(column, value)
    if key == "matches":
        return _matching(column, value, where)
    if key == "in" and (not isinstance(value, list | tuple) or not value):
        raise SegkitTypeError(
            f"{_OWNER}: {where}: 'in' needs a list of values, at least one, got {value!r}."
        )
    return _one_of(column, value if key == "in" else [value], where)


def _range(column: str, given: Mapping[str, Any], where: str) -> InRange:
    bounds = {key: _bound(given[key], key, where) if key in given else None for key in _RANGES}
    low, high = bounds["at_least"], bounds["below"]
    if low is not None and high is not None and low >= high:
        raise SegkitValueError(
            f"{_OWNER}: {where}: no number is at_least {low!r} and below {high!r}."
        )
    return InRange(column, low, high)


def _bound(value: Any, key: str, where: str) -> float:
    if not _is_number(value):
        raise SegkitTypeError(
            f"{_OWNER}: {where}: {key!r} must be a finite number, got {value!r}. Of a date, "
            "make a column of days since a day of your choice, such as (day - column).dt.days."
        )
    return _plain(value)


def _matching(column: str, value: Any, where: str) -> Matching:
    if not isinstance(value, str):
        raise SegkitTypeError(
            f"{_OWNER}: {where}: 'matches' must be a regular expression, got {value!r}."
        )
    pattern = Pattern(value)
    try:
        pattern.check()
    except PatternError as error:
        raise SegkitValueError(
            f"{_OWNER}: {where}: {value!r} cannot be searched for on every kind of frame: {error}."
        ) from None
    return Matching(column, pattern)


def _one_of(column: str, values: Sequence[Any], where: str) -> OneOf:
    kinds = {_kind(value) for value in values}
    if len(kinds) > 1 or None in kinds:
        raise SegkitTypeError(
            f"{_OWNER}: {where}: {column!r} is compared with {values!r}; expected values of one "
            'kind: text, finite numbers, or true and false. For missing ones there is "missing".'
        )
    members = tuple(str(v) if isinstance(v, str) else v for v in values)
    return OneOf(column, members if kinds != {"number"} else tuple(map(_plain, members)))


def _kind(value: Any) -> str | None:
    if isinstance(value, str):
        return "text"
    if isinstance(value, bool):
        return "boolean"
    return "number" if _is_number(value) else None


def _is_number(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        return False
    try:
        return math.isfinite(float(value))
    except OverflowError:
        return False


def _plain(value: Any) -> float:
    """Return a number as Python's own: one of numpy is no JSON.

    Larger ones are floats, as columns are when they are compared.
    """
    is_exact = isinstance(value, numbers.Integral) and abs(int(value)) <= _EXACT
    return int(value) if is_exact else float(value)
