"""Summaries by segment computed inside a query engine: only counts, means and the like come out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from segkit._frames import RESERVED, collected
from segkit.metrics._arguments import Codes, Floats
from segkit.profiling._moments import nothing_but_moments
from segkit.profiling._segment_labels import (
    SegmentLabels,
    check_segments,
    read_segment_labels,
)
from segkit.profiling._summaries import (
    LevelSummary,
    Summaries,
    add_levels,
    add_numbers,
    ordered_levels,
)
from segkit.profiling._variables import NO, YES, LeftOutError, check_levels

_SEGMENT = f"{RESERVED}segment"
_COUNT = f"{RESERVED}count"
# Categories with more levels than these would bring much of the table out of the engine.
_MOST_LEVELS = 1_000
_STATISTICS = ("count", "mean", "var", "min", "max")


def summarise_lazily(
    frame: nw.LazyFrame[Any],
    names: Sequence[str],
    label: str,
    *,
    value: str | None,
    segments: Sequence[str] | None,
    owner: str,
) -> Summaries:
    """Summarise columns of a lazy frame by the segments in one of its columns.

    `segments` are the names in their order, where they are known.
    """
    counted = collected(
        frame.select(nw.col(label).alias(_SEGMENT)).group_by(_SEGMENT).agg(nw.len().alias(_COUNT))
    )
    counts = counted[_COUNT].to_numpy().astype(np.int64)
    groups = _groups(counted[_SEGMENT], segments, owner=owner)
    sizes = _by_segment(counts, groups)
    n_unassigned = int(counts[groups.codes < 0].sum())
    summaries = Summaries(list(groups.names), sizes, n_unassigned)
    schema = frame.collect_schema()
    reader = _Reader(frame, label, groups, counted[_SEGMENT].to_list())
    numeric = [name for name in names if schema[name].is_numeric()]
    dates = [name for name in names if schema[name] in (nw.Datetime, nw.Date)]
    moments = reader.moments(numeric, dates)
    for name in names:
        dtype = schema[name]
        try:
            if name in numeric:
                _add_number(
                    summaries,
                    name,
                    moments[name],
                    may_be_flag=dtype.is_integer() and name != value,
                    is_kept=name == value,
                )
            elif name in dates:
                found = nothing_but_moments(*moments[name])
                add_numbers(summaries, name, "date", found, is_kept=False)
            elif dtype == nw.Boolean:
                levels, table = reader.levels(name)
                row_of = {bool(level): row for level, row in zip(levels, table, strict=True)}
                nobody = np.zeros(len(sizes), dtype=np.int64)
                both = [row_of.get(False, nobody), row_of.get(True, nobody)]
                add_levels(summaries, name, "flag", LevelSummary((NO, YES), np.array(both)))
            elif dtype in (nw.String, nw.Categorical, nw.Enum):
                counted_levels = _category(reader, name, int(sizes.sum()), dtype)
                add_levels(summaries, name, "category", counted_levels)
            else:
                raise LeftOutError(f"{dtype} is not described inside a query engine")
        except LeftOutError as reason:
            summaries.left_out[name] = str(reason)
    summaries.representatives = [() for _ in groups.names]
    return summaries


class _Reader:
    """Runs queries by segment, and puts their rows into the order of the segments."""

    def __init__(
        self, frame: nw.LazyFrame[Any], label: str, groups: SegmentLabels, values: list[Any]
    ) -> None:
        self._frame, self._label, self._groups = frame, label, groups
        self._code_of = {
            _key(value): code for value, code in zip(values, groups.codes, strict=True)
        }

    def moments(
        self, numeric: Sequence[str], dates: Sequence[str]
    ) -> dict[str, tuple[NDArray[np.int64], Floats, Floats, Floats]]:
        """Return counts, means, variances and extremes of columns, in one query."""
        wanted = [*numeric, *dates]
        if not wanted:
            return {}
        schema = self._frame.collect_schema()
        columns, asked = [], []
        for place, name in enumerate(wanted):
            column = nw.col(name)
            if name in numeric:
                if schema[name].is_float():  # where it cannot raise, what is no number is missing
                    column = nw.when(column.is_finite()).then(column)
                column = column.cast(nw.Float64)
            columns.append(column.alias(f"{RESERVED}{place}"))
            for statistic in _STATISTICS:
                if name in numeric or statistic not in ("mean", "var"):
                    of = getattr(nw.col(f"{RESERVED}{place}"), statistic)()
                    asked.append(of.alias(f"{RESERVED}{place}_{statistic}"))
        selected = self._frame.select(nw.col(self._label).alias(_SEGMENT), *columns)
        table = collected(selected.group_by(_SEGMENT).agg(*asked))
        codes = self._codes(table)
        return {name: self._of_column(table, place, codes) for place, name in enumerate(wanted)}

    def _of_column(
        self, table: nw.DataFrame[Any], place: int, codes: Codes
    ) -> tuple[NDArray[np.int64], Floats, Floats, Floats]:
        n_segments, inside = len(self._groups.names), codes >= 0
        found = {}
        for statistic in _STATISTICS:
            name = f"{RESERVED}{place}_{statistic}"
            column = np.full(n_segments, np.nan)
            if name in table.columns:
                column[codes[inside]] = _floats(table[name])[inside]
            found[statistic] = column
        counts = np.nan_to_num(found["count"]).astype(np.int64)
        variances = np.where(counts > 1, found["var"], np.nan)
        extremes = np.full((n_segments + 1, 2), np.nan)
        extremes[:-1] = np.column_stack([found["min"], found["max"]])
        if counts.any():
            extremes[-1] = np.nanmin(found["min"]), np.nanmax(found["max"])
        return counts, found["mean"], variances, extremes

    def n_levels(self, name: str) -> int:
        """Return how many levels a column has."""
        counted = self._frame.select(nw.col(name).n_unique().alias(_COUNT))
        return int(collected(counted)[_COUNT][0])

    def levels(self, name: str) -> tuple[list[Any], NDArray[np.int64]]:
        """Return the levels of a column, and how often each occurs in each segment."""
        level = f"{RESERVED}level"
        selected = self._frame.select(
            nw.col(self._label).alias(_SEGMENT), nw.col(name).alias(level)
        )
        counted = collected(selected.group_by(_SEGMENT, level).agg(nw.len().alias(_COUNT)))
        codes = self._codes(counted)
        levels = pd.Series(counted[level].to_list(), dtype=object)
        known = levels.notna().to_numpy() & (codes >= 0)
        places, found = pd.factorize(levels[known])
        table = np.zeros((len(found), len(self._groups.names)), dtype=np.int64)
        np.add.at(table, (places, codes[known]), counted[_COUNT].to_numpy()[known])
        return list(found), table

    def _codes(self, table: nw.DataFrame[Any]) -> Codes:
        values = table[_SEGMENT].to_list()
        return np.array([self._code_of[_key(value)] for value in values], dtype=np.intp)


def _groups(values: nw.Series[Any], segments: Sequence[str] | None, *, owner: str) -> SegmentLabels:
    if segments is None:
        return read_segment_labels(values.to_native(), len(values), owner=owner)
    position = {name: place for place, name in enumerate(segments)}
    codes = np.array([position.get(str(one), -1) for one in values.to_list()], dtype=np.intp)
    return check_segments(SegmentLabels(codes, list(segments)).without_empty(), owner=owner)


def _by_segment(counts: NDArray[np.int64], groups: SegmentLabels) -> NDArray[np.int64]:
    inside = groups.codes >= 0
    sums = np.bincount(groups.codes[inside], counts[inside], minlength=len(groups.names))
    return sums.astype(np.int64)


def _add_number(
    summaries: Summaries, name: str, moments: Any, *, may_be_flag: bool, is_kept: bool
) -> None:
    counts, means, _, extremes = moments
    if may_be_flag and tuple(extremes[-1]) == (0, 1):
        yes = np.rint(np.nan_to_num(means) * counts).astype(np.int64)
        add_levels(summaries, name, "flag", LevelSummary((NO, YES), np.array([counts - yes, yes])))
        return
    add_numbers(summaries, name, "number", nothing_but_moments(*moments), is_kept=is_kept)


def _category(reader: _Reader, name: str, n_rows: int, dtype: Any) -> LevelSummary:
    if (n_levels := reader.n_levels(name)) > _MOST_LEVELS:
        raise LeftOutError(f"{n_levels:,} texts in {n_rows:,} rows are ids or free text")
    found, table = reader.levels(name)
    levels = [str(one) for one in found]
    check_levels(levels, n_rows=n_rows)
    if isinstance(dtype, nw.Enum):
        order = sorted(range(len(levels)), key=lambda at: dtype.categories.index(levels[at]))
        return LevelSummary([levels[place] for place in order], table[order])
    return ordered_levels(levels, table, is_ordered=False)


def _floats(series: nw.Series[Any]) -> Floats:
    if series.dtype in (nw.Datetime, nw.Date):
        dates = pd.to_datetime(pd.Series(series.to_list(), dtype=object))
        local = dates.dt.tz_localize(None) if dates.dt.tz is not None else dates
        moments = local.to_numpy().astype("datetime64[us]").astype(np.int64)
        return np.where(local.isna(), np.nan, moments.astype(np.float64))
    return np.array([np.nan if one is None else one for one in series.to_list()], dtype=np.float64)


def _key(value: Any) -> Any:
    """Return a value that equals itself, whatever stands for a missing one."""
    return None if value is None or value != value else value
