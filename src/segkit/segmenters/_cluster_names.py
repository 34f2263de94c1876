"""Clusters in an order that lasts, with names that say what sets each apart most."""

from __future__ import annotations

from dataclasses import dataclass
from string import ascii_uppercase
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from segkit._frames import UNASSIGNED
from segkit.exceptions import SegkitValueError
from segkit.segmenters._cluster_preprocessing import (
    ClusterPreprocessing,
    LevelColumn,
    NumberColumn,
    numbers_of,
)

Floats: TypeAlias = NDArray[np.float64]
Labels: TypeAlias = NDArray[np.int64]

# Differences in standard deviations: this much is told, and less only of segments that would be
# called the same otherwise.
_SLIGHT, _NOTABLE = 0.2, 0.5
_MOST_PARTS = 4
_AND = " · "


@dataclass(frozen=True)
class _Trait:
    text: str
    difference: float
    has_degrees: bool = False


def segment_order(labels: Labels, features: Floats, ordering: pd.Series[Any] | None) -> Labels:
    """Return the labels in the order of their codes: by the mean of a column, or by size."""
    found = np.unique(labels[labels >= 0])
    if not found.size:
        return found
    if ordering is None:
        rank: Floats = np.array([(labels == label).sum() for label in found], dtype=np.float64)
    else:
        values = pd.Series(numbers_of(ordering.name, ordering)).sort_values(ignore_index=False)
        means = values.groupby(labels[values.index]).mean()
        rank = np.asarray(means[found].fillna(-np.inf), dtype=np.float64)
    # Of equal rank, by their centres, which another seed or order of the rows does not change.
    centres = np.array([features[labels == label].mean(axis=0) for label in found])
    order: Labels = found[np.lexsort([*np.round(centres.T[::-1], 9), -rank])]
    return order


def segment_names(
    names: Any,
    table: pd.DataFrame,
    codes: Labels,
    n_segments: int,
    done: ClusterPreprocessing | None,
) -> list[str]:
    """Return the names asked for, in the order of the codes."""
    if isinstance(names, str):
        if names == "auto" and done is not None:
            return _automatic_names(table, codes, n_segments, done)
        return [f"Segment {_letters(code)}" for code in range(n_segments)]
    given = [str(name) for name in names]
    if len(given) != n_segments or len({*given, UNASSIGNED}) <= n_segments:
        raise SegkitValueError(
            f"ClusterSegmenter: names must be {n_segments} distinct names, one a segment, and none "
            f"{UNASSIGNED!r}; got {list(names)!r}."
        )
    return given


def _letters(code: int) -> str:
    first, last = divmod(code, len(ascii_uppercase))
    return (_letters(first - 1) if first else "") + ascii_uppercase[last]


def _automatic_names(
    table: pd.DataFrame, codes: Labels, n_segments: int, done: ClusterPreprocessing
) -> list[str]:
    """Return a short, unique name for each segment."""
    traits = [_traits(table, codes == code, codes >= 0, done) for code in range(n_segments)]
    names = _told_apart([_name(own, 2, _NOTABLE) for own in traits], traits)
    for n_parts in range(3, _MOST_PARTS + 1):
        doubled = _doubled(names)
        names = [
            _name(own, n_parts, _SLIGHT) if name in doubled else name
            for name, own in zip(names, traits, strict=True)
        ]
    seen = {UNASSIGNED: 1}
    unique = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        unique.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return unique


def _told_apart(names: list[str], traits: list[list[_Trait]]) -> list[str]:
    """Return the names with "very" where one of several of the same words is more extreme."""
    said = [sorted(name.split(_AND)) for name in names]
    apart = list(names)
    for own in sorted(map(list, {tuple(said[names.index(name)]) for name in _doubled(names)})):
        alike = [code for code, other in enumerate(said) if other == own]
        sizes = {
            part: {
                code: abs(trait.difference)
                for code in alike
                for trait in traits[code]
                if trait.text == part and trait.has_degrees
            }
            for part in own
        }
        # By how much the most extreme one is ahead of the next, in each part of the name.
        ahead = {
            part: sorted(of.values())[-1] - sorted(of.values())[-2]
            for part, of in sizes.items()
            if len(of) > 1
        }
        part = max(ahead, key=lambda one: ahead[one], default="")
        if part and ahead[part] >= _NOTABLE:
            code = max(sizes[part], key=lambda one: sizes[part][one])
            apart[code] = names[code].replace(part, f"very {part}")
    return apart


def _doubled(names: list[str]) -> set[str]:
    """Return the names that say what another one says, in whatever order."""
    said = [sorted(name.split(_AND)) for name in names]
    return {name for name, own in zip(names, said, strict=True) if said.count(own) > 1}


def _name(traits: list[_Trait], n_parts: int, least: float) -> str:
    told = [trait.text for trait in traits[:n_parts] if abs(trait.difference) >= least]
    return _AND.join(told) or "average"


def _traits(
    table: pd.DataFrame,
    inside: NDArray[np.bool_],
    assigned: NDArray[np.bool_],
    done: ClusterPreprocessing,
) -> list[_Trait]:
    """Return what tells a segment from the other customers, the most telling first."""
    rest = assigned & ~inside
    traits = []
    if not inside.any() or not rest.any():
        return []
    for column in done.columns:
        if isinstance(column, NumberColumn):
            values = column.transform(table[column.name])[0]
            spread = float(values[assigned].std()) or 1.0
            difference = float(values[inside].mean() - values[rest].mean()) / spread
            called = column.name if isinstance(column.name, str) else f"column {column.name}"
            if column.is_boolean:
                text = called if difference > 0 else f"not {called}"
            else:
                text = f"{'high' if difference > 0 else 'low'} {called}"
            traits.append(_Trait(text, difference, has_degrees=not column.is_boolean))
        elif isinstance(column, LevelColumn):
            traits += _level_traits(table, inside, rest, column)
    return sorted(traits, key=lambda trait: (-abs(trait.difference), trait.text))


def _level_traits(
    table: pd.DataFrame, inside: NDArray[np.bool_], rest: NDArray[np.bool_], column: LevelColumn
) -> list[_Trait]:
    indicators = ClusterPreprocessing([column], []).transform(table) > 0
    # Cohen's h: the difference of two shares on a scale on which both have the same variance.
    difference = 2 * np.arcsin(np.sqrt(indicators[inside].mean(axis=0)))
    difference -= 2 * np.arcsin(np.sqrt(indicators[rest].mean(axis=0)))
    best = int(np.argmax(difference))
    return [_Trait(f"{column.name} {column.levels[best]}", float(difference[best]))]
