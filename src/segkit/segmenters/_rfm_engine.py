"""The edges of RFM scores, learned inside a query engine."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from operator import and_
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from segkit._binning import quantile_ranks
from segkit._engine_values import EngineValues, ValueRanges
from segkit._frames import RESERVED, balanced, collected, one_where, plain_values
from segkit.base._engine_customers import EngineCustomers, counted, how_many
from segkit.segmenters._column_edges import ColumnBinning, ColumnEdges, Edges
from segkit.segmenters._rfm_edges import METHODS, nothing_to_learn_from

#: The column that has the position of each customer's group.
GROUP = f"{RESERVED}group"


def groups_in_engine(customers: EngineCustomers) -> tuple[pd.Series[Any], NDArray[np.int64]]:
    """Return the groups that occur, and how many of their customers have all values."""
    column, complete = str(customers.group), f"{RESERVED}complete"
    is_complete = one_where(customers.are_complete()).cast(nw.Int64)
    rows = customers.frame.with_columns(is_complete.alias(complete))
    found = collected(rows.group_by(column).agg(nw.col(complete).sum()))
    return plain_values(found[column]), found[complete].to_numpy().astype(np.int64)


def edges_in_engine(
    frame: nw.LazyFrame[Any],
    values: Sequence[nw.Expr],
    columns: Sequence[ColumnBinning],
    group: nw.Expr | None,
    n_groups: int,
) -> list[ColumnEdges]:
    """Learn the edges of each column: within each group, and, last, for all customers.

    They are those that :func:`segkit.segmenters._rfm_edges.learned_edges` finds in memory.
    """
    of_all = _edges_of(frame, values, columns, None, 1)
    if group is None:
        return of_all
    of_groups = _edges_of(frame, values, columns, group, n_groups)
    return [
        ColumnEdges(own.binning, np.concatenate([own.table, everyone.table]))
        for own, everyone in zip(of_groups, of_all, strict=True)
    ]


def numbers_of_scores_in_engine(
    frame: nw.LazyFrame[Any], scores: Sequence[str], columns: Sequence[ColumnEdges]
) -> list[int]:
    """Return how many different scores occur in each column."""
    expected = [range(1, edges.binning.n_bins + 1) for edges in columns]
    asked = {
        f"{name}_{score}": how_many(nw.col(name) == score)
        for name, numbers in zip(scores, expected, strict=True)
        for score in numbers
    }
    found = counted(frame, asked)
    return [
        sum(found[f"{name}_{score}"] > 0 for score in numbers)
        for name, numbers in zip(scores, expected, strict=True)
    ]


def _edges_of(
    frame: nw.LazyFrame[Any],
    values: Sequence[nw.Expr],
    columns: Sequence[ColumnBinning],
    group: nw.Expr | None,
    n_groups: int,
) -> list[ColumnEdges]:
    """Return the edges of each column within each group; those of no group have the next number."""
    found: list[ColumnEdges] = []
    before = [nw.col(f"{RESERVED}score_{place}") for place in range(len(columns))]
    for place, (value, binning) in enumerate(zip(values, columns, strict=True)):
        if isinstance(binning.source, str):
            parents = [before[parent] for parent in binning.parents]
            shape = [columns[parent].n_bins for parent in binning.parents]
            table = _learned(frame, value, binning, parents, shape, group, n_groups)
        else:
            table = np.stack([binning.source] * n_groups)
        found.append(ColumnEdges(binning, table))
        if any(place in later.parents for later in columns):
            score = found[-1].expression(value, group, before)
            frame = frame.with_columns(score.alias(f"{RESERVED}score_{place}"))
    return found


def _learned(
    frame: nw.LazyFrame[Any],
    value: nw.Expr,
    binning: ColumnBinning,
    parents: Sequence[nw.Expr],
    shape: Sequence[int],
    group: nw.Expr | None,
    n_groups: int,
) -> Edges:
    """Return the edges within each group, and there within each cell of the parents' scores.

    A cell with fewer customers than scores takes the edges of the cell around it.
    """
    if parents:
        value = nw.when(balanced(and_, [~parent.is_null() for parent in parents])).then(value)
    cell = nw.lit(0) if group is None else group
    edges = _edges_of_cells(EngineValues(frame, value, cell, n_groups), binning, None)
    for n_scores, parent in zip(shape, parents, strict=True):
        cell, around = cell * n_scores + (parent - 1), np.repeat(edges, n_scores, axis=0)
        cells = EngineValues(frame, value, cell, len(around))
        edges = _edges_of_cells(cells, binning, around)
    return edges.reshape(n_groups, *shape, binning.n_bins - 1)


def _edges_of_cells(
    values: EngineValues, binning: ColumnBinning, around: Edges | None
) -> NDArray[np.float64]:
    """Return the edges of each cell, or, where it has too few customers, those around it."""
    if binning.source == "quantile":
        values.split(partial(_hides_quantiles, n_bins=binning.n_bins))
    elif binning.source == "kmeans":
        values.split_into_values()
    edges = []
    for cell, ranges in enumerate(values.ranges):
        if around is not None and ranges.size < binning.n_bins:
            edges.append(around[cell])
        elif ranges.size:
            edges.append(METHODS[str(binning.source)](ranges, binning.n_bins))
        else:
            raise nothing_to_learn_from(binning.column)
    return np.stack(edges)


def _hides_quantiles(cell: int, ranges: ValueRanges, *, n_bins: int) -> NDArray[np.bool_]:
    return ranges.hide(quantile_ranks(ranges.size, n_bins)[0])
