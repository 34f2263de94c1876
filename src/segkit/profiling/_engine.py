"""Summaries by segment computed inside a query engine: only counts, means and the like come out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from segkit._frames import RESERVED, collected, one_where
from segkit.metrics._arguments import Codes, Floats
from segkit.profiling._moments import NumberSummary, nothing_but_moments
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
from segkit.profiling._variables import (
    IDS,
    NO,
    YES,
    LeftOutError,
    check_levels,
    may_be_id_column,
)

_SEGMENT = f"{RESERVED}segment"
_COUNT = f"{RESERVED}count"
# Categories with more levels than these would bring much of the table out of the engine.
_MOST_LEVELS = 1_000
# Numbers that are so many times as large as they are apart are counted from their least.
_CLOSE = 1_000
_EPOCH = datetime(1970, 1, 1)
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
    moments = reader.moments([*numeric, *dates])
    for name in names:
        dtype = schema[name]
        try:
            if name in numeric:
                may_be_ids = may_be_id_column(name, int(counts.sum()))
                if may_be_ids and name != value and reader.are_ids(name, int(counts.sum())):
                    raise LeftOutError(IDS)
                _add_number(summaries, name, moments[name], is_value=name == value)
            elif name in dates:
                add_numbers(summaries, name, "date", moments[name].summary(), is_kept=False)
            elif dtype == nw.Boolean:
                levels, table = reader.levels(name)
                row_of = {bool(level): row for level, row in zip(levels, table, strict=True)}
                nobody = np.zeros(len(sizes), dtype=np.int64)
                both = [row_of.get(False, nobody), row_of.get(True, nobody)]
                add_levels(summaries, name, "flag", LevelSummary((NO, YES), np.array(both)))
            elif dtype in (nw.String, nw.Categorical, nw.Enum):
                counted_levels = _category(reader, name, int(counts.sum()), dtype)
                add_levels(summaries, name, "category", counted_levels)
            else:
                raise LeftOutError(f"{dtype} is not described inside a query engine")
        except LeftOutError as reason:
            summaries.left_out[name] = str(reason)
    summaries.representatives = [() for _ in groups.names]
    return summaries


@dataclass(frozen=True)
class _Moments:
    """Counts, means, variances and extremes by segment, of the values less `moved_by`."""

    counts: NDArray[np.int64]
    means: Floats
    variances: Floats
    extremes: Floats
    moved_by: float
    is_float: bool
    is_flag: bool

    @property
    def are_close(self) -> bool:
        """Whether the values are much larger than they are apart."""
        least, greatest = self.extremes[-1]
        return bool(max(abs(least), abs(greatest)) > _CLOSE * (greatest - least))

    def summary(self) -> NumberSummary:
        """Return the summary, without quantiles and ranks."""
        return nothing_but_moments(
            self.counts,
            self.means,
            self.variances,
            self.extremes,
            moved_by=float(self.moved_by),
            is_float=self.is_float,
        )


class _Reader:
    """Runs queries by segment, and puts their rows into the order of the segments."""

    def __init__(
        self, frame: nw.LazyFrame[Any], label: str, groups: SegmentLabels, values: list[Any]
    ) -> None:
        self._frame, self._label, self._groups = frame, label, groups
        self._schema = frame.collect_schema()
        self._code_of = {
            _key(value): code for value, code in zip(values, groups.codes, strict=True)
        }

    def moments(self, names: Sequence[str]) -> dict[str, _Moments]:
        """Return counts, means, variances and extremes of columns, in one query.

        A second one is asked of the columns whose numbers are large and close together, less their
        least: of the numbers themselves, floats hold too few digits.
        """
        if not names:
            return {}
        found = self._moments(names, dict.fromkeys(names, 0))
        close = [name for name in names if found[name].are_close]
        if not close:
            return found
        least = collected(
            self._frame.select(
                **{f"{RESERVED}{at}": self._column(one).min() for at, one in enumerate(close)}
            )
        )
        moved_by = {one: least[f"{RESERVED}{at}"].to_list()[0] for at, one in enumerate(close)}
        return {**found, **self._moments(close, moved_by)}

    def _column(self, name: str) -> nw.Expr:
        """Return a column as numbers; of dates microseconds since 1970, as their clock showed."""
        dtype, column = self._schema[name], nw.col(name)
        if dtype in (nw.Datetime, nw.Date):
            moments = column.cast(nw.Datetime("us")) if dtype == nw.Date else column
            local = moments.dt.replace_time_zone(None)
            return (local - nw.lit(_EPOCH)).dt.total_microseconds()
        if dtype.is_float():  # where it cannot raise, what is no number is missing
            return nw.when(column.is_finite()).then(column)
        return column if dtype.is_integer() else column.cast(nw.Float64)

    def _moments(self, names: Sequence[str], moved_by: Mapping[str, Any]) -> dict[str, _Moments]:
        columns, asked = [], []
        for place, name in enumerate(names):
            column, alias = self._column(name), f"{RESERVED}{place}"
            if moved_by[name]:
                column = column - moved_by[name]
            columns.append(column.cast(nw.Float64).alias(alias))
            held = nw.col(alias)
            asked += [
                getattr(held, statistic)().alias(f"{alias}_{statistic}")
                for statistic in _STATISTICS
            ]
            is_neither = one_where((held != 0) & (held != 1)).cast(nw.Int64)
            asked.append(is_neither.sum().alias(f"{alias}_neither"))
        selected = self._frame.select(nw.col(self._label).alias(_SEGMENT), *columns)
        table = collected(selected.group_by(_SEGMENT).agg(*asked))
        codes = self._codes(table)
        return {
            name: self._of_column(table, f"{RESERVED}{place}", codes, name, moved_by[name])
            for place, name in enumerate(names)
        }

    def _of_column(
        self, table: nw.DataFrame[Any], alias: str, codes: Codes, name: str, moved_by: float
    ) -> _Moments:
        n_segments, inside = len(self._groups.names), codes >= 0
        found, everybody = {}, {}
        for statistic in (*_STATISTICS, "neither"):
            everybody[statistic] = _floats(table[f"{alias}_{statistic}"])
            column = np.full(n_segments, np.nan)
            column[codes[inside]] = everybody[statistic][inside]
            found[statistic] = column
        counts = np.nan_to_num(found["count"]).astype(np.int64)
        extremes = np.full((n_segments + 1, 2), np.nan)
        extremes[:-1] = np.column_stack([found["min"], found["max"]])
        if counts.any():
            extremes[-1] = np.nanmin(found["min"]), np.nanmax(found["max"])
        # As in an eager frame, customers without a segment say, too, whether it is yes or no.
        is_flag = (
            not moved_by
            and not np.nansum(everybody["neither"])
            and np.nanmin(everybody["min"], initial=1) == 0
            and np.nanmax(everybody["max"], initial=0) == 1
        )
        return _Moments(
            counts,
            found["mean"],
            np.where(counts > 1, found["var"], np.nan),
            extremes,
            moved_by=moved_by,
            is_float=not self._schema[name].is_integer() and self._schema[name].is_numeric(),
            is_flag=is_flag,
        )

    def are_ids(self, name: str, n_rows: int) -> bool:
        """Tell whether a column has another whole number in each of its rows."""
        column = self._column(name)
        asked = collected(
            self._frame.select(
                n_distinct=column.n_unique(), is_whole=(column % 1 == 0).all(), n=column.count()
            )
        )
        is_full = int(asked["n"][0]) == n_rows
        return is_full and bool(asked["is_whole"][0]) and int(asked["n_distinct"][0]) == n_rows

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
        places, found = pd.factorize(levels)
        known = (places >= 0) & (codes >= 0)
        table = np.zeros((len(found), len(self._groups.names)), dtype=np.int64)
        np.add.at(table, (places[known], codes[known]), counted[_COUNT].to_numpy()[known])
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


def _add_number(summaries: Summaries, name: str, moments: _Moments, *, is_value: bool) -> None:
    if moments.is_flag and not is_value:
        counts = moments.counts
        yes = np.rint(np.nan_to_num(moments.means) * counts).astype(np.int64)
        add_levels(summaries, name, "flag", LevelSummary((NO, YES), np.array([counts - yes, yes])))
        return
    add_numbers(summaries, name, "number", moments.summary(), is_kept=is_value)


def _category(reader: _Reader, name: str, n_rows: int, dtype: Any) -> LevelSummary:
    if (n_levels := reader.n_levels(name)) > _MOST_LEVELS:
        raise LeftOutError(f"{n_levels:,} texts in {n_rows:,} rows are ids or free text")
    found, table = reader.levels(name)
    levels = [str(one) for one in found]
    check_levels(levels, name=name, n_rows=n_rows)
    is_ordered = isinstance(dtype, nw.Enum)
    if is_ordered:
        order = sorted(range(len(levels)), key=lambda at: dtype.categories.index(levels[at]))
        levels, table = [levels[place] for place in order], table[order]
    return ordered_levels(levels, table, is_ordered=is_ordered)


def _floats(series: nw.Series[Any]) -> Floats:
    return np.array(
        [np.nan if one is None or one is pd.NA else one for one in series.to_list()],
        dtype=np.float64,
    )


def _key(value: Any) -> Any:
    """Return a value that equals itself, whatever stands for a missing one."""
    return None if value is None or value != value else value
