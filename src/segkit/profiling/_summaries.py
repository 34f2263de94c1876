"""All that a profile is made of: sizes, and a summary of each variable by segment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
from numpy.typing import NDArray

from segkit.metrics._arguments import Codes
from segkit.profiling._moments import NumberSummary, summarise_numbers
from segkit.profiling._representatives import Representatives
from segkit.profiling._segment_labels import SegmentLabels
from segkit.profiling._variables import Kind, LeftOutError, Variable, read_variable


@dataclass(frozen=True)
class LevelSummary:
    """How often each level of a variable occurs in each segment.

    Parameters
    ----------
    levels : sequence of str
        The levels, in their order or the most frequent first.
    counts : ndarray of shape (n_levels, n_segments)
        Customers.
    """

    levels: Sequence[str]
    counts: NDArray[np.int64]


@dataclass
class Summaries:
    """What is known of the segments.

    Parameters
    ----------
    segments : list of str
        Their names.
    sizes : ndarray of shape (n_segments,)
        Customers in each.
    n_unassigned : int
        Customers in none.
    kinds, numbers, levels : dict
        By variable: its kind, and its summary (of dates one of numbers).
    left_out : dict
        Why a column is not described.
    representatives : list of tuple of int
        Rows of typical customers of each segment; empty where they were not looked for.
    """

    segments: list[str]
    sizes: NDArray[np.int64]
    n_unassigned: int
    kinds: dict[str, Kind] = field(default_factory=dict)
    numbers: dict[str, NumberSummary] = field(default_factory=dict)
    levels: dict[str, LevelSummary] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    representatives: list[tuple[int, ...]] = field(default_factory=list)


def summarise_frame(
    frame: nw.DataFrame[Any],
    names: Sequence[str],
    labels: SegmentLabels,
    *,
    value: str | None,
    n_representatives: int,
    owner: str,
) -> Summaries:
    """Summarise columns of an eager frame by segment; of `value` even where it is constant."""
    n_segments = len(labels.names)
    inside = labels.codes >= 0
    everybody = bool(inside.all())
    codes = labels.codes if everybody else labels.codes[inside]
    sizes = np.bincount(codes, minlength=n_segments)
    summaries = Summaries(list(labels.names), sizes, len(inside) - len(codes))
    typical = Representatives(labels.codes, n_segments, n_representatives)
    for name in names:
        try:
            variable = read_variable(name, frame[name], is_value=name == value, owner=owner)
            values = variable.values if everybody else variable.values[inside]
            if variable.kind in ("number", "date"):
                add_numbers(
                    summaries,
                    name,
                    variable.kind,
                    summarise_numbers(values, codes, n_segments),
                    is_kept=name == value,
                )
            else:
                counted = _summarise_levels(variable, values, codes, n_segments)
                add_levels(summaries, name, variable.kind, counted)
        except LeftOutError as reason:
            summaries.left_out[name] = str(reason)
            continue
        typical.add(variable)
    summaries.representatives = typical.rows()
    return summaries


def add_numbers(
    summaries: Summaries, name: str, kind: Kind, summary: NumberSummary, *, is_kept: bool
) -> None:
    """Add the summary of a variable, if it tells something."""
    if not summary.total:
        raise LeftOutError(_ALL_MISSING)
    if summary.is_constant and not is_kept:
        raise LeftOutError(_ALL_EQUAL)
    summaries.kinds[name] = kind
    summaries.numbers[name] = summary


def add_levels(summaries: Summaries, name: str, kind: Kind, summary: LevelSummary) -> None:
    """Add the summary of a variable, if it tells something."""
    n_occurring = int(summary.counts.any(axis=1).sum())
    if n_occurring < 2:
        raise LeftOutError(_ALL_EQUAL if n_occurring else _ALL_MISSING)
    summaries.kinds[name] = kind
    summaries.levels[name] = summary


_ALL_MISSING, _ALL_EQUAL = "all values are missing", "all values are equal"


def _summarise_levels(
    variable: Variable, values: Codes, codes: Codes, n_segments: int
) -> LevelSummary:
    n_levels = len(variable.levels)
    cells = (values + 1) * n_segments + codes
    counts = np.bincount(cells, minlength=(n_levels + 1) * n_segments)
    counts = counts.reshape(-1, n_segments)[1:]
    return ordered_levels(variable.levels, counts, is_ordered=variable.is_ordered)


def ordered_levels(
    levels: Sequence[str], counts: NDArray[np.int64], *, is_ordered: bool
) -> LevelSummary:
    """Return levels in their own order, or the most frequent first and ties by name.

    Levels that nobody has are left out.
    """
    totals = counts.sum(axis=1)
    order = list(range(len(levels)))
    if not is_ordered:
        order.sort(key=lambda place: (-totals[place], levels[place]))
    order = [place for place in order if totals[place]]
    return LevelSummary([levels[place] for place in order], counts[order])
