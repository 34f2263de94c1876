"""A ready rule set with the columns and bands of the user."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from math import inf
from numbers import Integral, Real
from typing import Any

import pandas as pd

from segkit._input_checks import nearest
from segkit.exceptions import SegkitTypeError, SegkitValueError
from segkit.segmenters._rule_parsing import column_kinds, parsed_rules
from segkit.segmenters._rule_sets import RULE_SETS, RuleSet, in_band

_OWNER = "RuleSegmenter.from_base"


def rule_set_rules(
    base: str,
    *,
    column: str | Mapping[str, str] | None,
    bands: Mapping[str, Any] | None,
    scale: float | None,
) -> tuple[list[dict[str, Any]], str]:
    """Return the rules of a ready set as the user wants them, and the name of its default."""
    chosen = _chosen(base)
    rules: list[dict[str, Any]] = copy.deepcopy([dict(rule) for rule in chosen.rules])
    renamed = _renamed(column, list(column_kinds(parsed_rules(rules, None))), base)
    if scale is not None:
        factor = _positive(scale)
        for rule in rules:
            _scale(rule["when"], factor)
    if bands is not None:
        rules = _with_bands(rules, bands, base)
    elif scale is None and chosen.share_of is not None:
        raise SegkitValueError(
            f"{_OWNER}: the bounds of {base!r} are shares of {chosen.share_of}. Pass it as "
            "scale=..., in the unit of the column; scale=1 where the column holds such shares."
        )
    return [
        {"name": rule["name"], "when": _with_names(rule["when"], renamed)} for rule in rules
    ], chosen.default


def rule_set_table() -> pd.DataFrame:
    """Return a row for each segment of each ready set."""
    rows = []
    for base, rule_set in RULE_SETS.items():
        said = {
            rule.name: rule.condition.words()
            for rule in parsed_rules(rule_set.rules, rule_set.default)
        }
        for segment, rule in {**said, rule_set.default: "no rule holds"}.items():
            rows.append((rule_set.kind, base, segment, rule, rule_set.source))
    return pd.DataFrame(rows, columns=["kind", "base", "segment", "rule", "source"])


def _chosen(base: Any) -> RuleSet:
    if base not in RULE_SETS:
        near = nearest(base, list(RULE_SETS)) if isinstance(base, str) else None
        raise SegkitValueError(
            f"{_OWNER}: there is no rule set {base!r}; the sets are {list(RULE_SETS)}."
            + (f" Did you mean {near!r}?" if near else "")
        )
    return RULE_SETS[base]


def _positive(scale: Any) -> float:
    if isinstance(scale, bool) or not isinstance(scale, Real) or not 0 < float(scale) < inf:
        raise SegkitValueError(f"{_OWNER}: scale must be a positive number, got {scale!r}.")
    # One of numpy is no JSON.
    return int(scale) if isinstance(scale, Integral) else float(scale)


def _scale(condition: Any, scale: float) -> None:
    for part in _parts(condition):
        for key in ("at_least", "below"):
            if key in part:
                part[key] *= scale


def _with_bands(
    rules: list[dict[str, Any]], bands: Mapping[str, Any], base: str
) -> list[dict[str, Any]]:
    if not isinstance(bands, Mapping) or not bands:
        raise SegkitTypeError(
            f"{_OWNER}: bands must be a mapping of segment name to band, got {bands!r}."
        )
    columns = list(column_kinds(parsed_rules(rules, None)))
    if len(columns) == 1:
        return [{"name": name, "when": _band(columns[0], b, name)} for name, b in bands.items()]
    names = [rule["name"] for rule in rules]
    if unknown := [name for name in bands if name not in names]:
        raise SegkitValueError(
            f"{_OWNER}: the set {base!r} reads the columns {columns}, so that bands can only take "
            f"the place of those of {names}; got {unknown}. Write other rules after these: "
            f"RuleSegmenter([*RuleSegmenter.from_base({base!r}).rules, ...])."
        )
    for rule in rules:
        if rule["name"] in bands:
            own = list(column_kinds(parsed_rules([rule], None)))
            rule["when"] = _band(
                own[0] if len(own) == 1 else None, bands[rule["name"]], rule["name"]
            )
    return rules


def _band(column: str | None, band: Any, name: str) -> dict[str, Any]:
    if isinstance(band, Mapping):
        return copy.deepcopy(dict(band))
    if column is None:
        raise SegkitValueError(
            f"{_OWNER}: {name!r} reads more than one column, so its band must be a condition, got "
            f"{band!r}."
        )
    if isinstance(band, tuple) and len(band) == 2 and not any(isinstance(b, str) for b in band):
        if band == (None, None):
            return {"column": column, "missing": False}
        return in_band(column, band)
    if isinstance(band, list):
        return {"column": column, "in": list(band)}
    raise SegkitTypeError(
        f"{_OWNER}: a band is a pair (at_least, below), a list of values or a condition; {name!r} "
        f"has {band!r}."
    )


def _renamed(column: Any, names: list[str], base: str) -> dict[str, str]:
    if column is None:
        return {}
    if isinstance(column, str):
        if len(names) > 1:
            raise SegkitValueError(
                f"{_OWNER}: the set {base!r} reads the columns {names}. Pass column as a mapping "
                f"from these names, such as {{{names[0]!r}: {column!r}}}."
            )
        return {names[0]: column}
    if not isinstance(column, Mapping):
        raise SegkitTypeError(
            f"{_OWNER}: column must be the name of a column, or a mapping from {names}, got "
            f"{column!r}."
        )
    if unknown := [name for name in column if name not in names]:
        raise SegkitValueError(
            f"{_OWNER}: the set {base!r} reads the columns {names}; column has {unknown}."
        )
    return dict(column)


def _with_names(condition: Any, renamed: Mapping[str, str]) -> Any:
    """Return a condition about the frame's columns, a new one: its parts may be one object."""
    if isinstance(condition, list | tuple):
        return [_with_names(part, renamed) for part in condition]
    if not isinstance(condition, Mapping):
        return condition  # fit says what is wrong with it
    named = dict(condition)
    for key in ("all", "any", "not"):
        if key in named:
            named[key] = _with_names(named[key], renamed)
    if isinstance(column := named.get("column"), str):
        named["column"] = renamed.get(column, column)
    return named


def _parts(condition: Any) -> list[dict[str, Any]]:
    """Return a condition and all that it is made of."""
    below = [*condition.get("all", ()), *condition.get("any", ())]
    below += [condition["not"]] if "not" in condition else []
    return [condition, *(part for one in below for part in _parts(one))]
