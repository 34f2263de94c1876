"""The edges of a column's scores, which may differ by group and by the scores of other columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import narwhals.stable.v2 as nw
import numpy as np
from numpy.typing import NDArray

from segkit._blocks import row_blocks
from segkit._scoring import score_expression, score_one, scores

Edges: TypeAlias = NDArray[np.float64]
Scores: TypeAlias = NDArray[np.integer[Any]]


@dataclass(frozen=True)
class ColumnBinning:
    """How a column is scored: its number of scores, its direction, and where edges come from."""

    column: str | int
    n_bins: int
    smaller_is_better: bool
    #: Edges as given, or the method by which they are learned.
    source: Edges | str
    #: Positions of the columns within whose scores the edges are learned.
    parents: tuple[int, ...] = ()


@dataclass(frozen=True)
class ColumnEdges:
    """The edges of a column.

    `table` has an axis of groups (the last for all customers), an axis for the scores of each
    parent, and the edges. A *cell* is a row of edges. In each method, `group` is a position on the
    axis of groups (None without groups), and `before` has the scores of the earlier columns.
    """

    binning: ColumnBinning
    table: Edges

    def score(
        self, values: NDArray[np.float64], group: NDArray[np.intp] | None, before: Sequence[Scores]
    ) -> Scores:
        """Score an array; what it says of missing values means nothing."""
        smaller_is_better = self.binning.smaller_is_better
        if self.is_one_for_all:
            return scores(values, self._cells[0], smaller_is_better=smaller_is_better)
        cells = self._cell(group, [before[parent].astype(np.intp) for parent in self.parents])
        return scores(values, self._cells, smaller_is_better=smaller_is_better, cells=cells)

    def score_one(self, value: float, group: int | None, before: Sequence[int]) -> int:
        """Score one number."""
        cell = group or 0
        for parent, n_bins in self._bins_around:
            cell = cell * n_bins + before[parent] - 1
        smaller_is_better = self.binning.smaller_is_better
        return score_one(value, self._lists[cell], smaller_is_better=smaller_is_better)

    def expression(
        self, value: nw.Expr, group: nw.Expr | None, before: Sequence[nw.Expr]
    ) -> nw.Expr:
        """Score a column inside its own engine; null where it or a parent's score is null."""
        smaller_is_better = self.binning.smaller_is_better
        if self.is_one_for_all:
            return score_expression(value, self._cells[0], smaller_is_better=smaller_is_better)
        known = ~value.is_null()
        for parent in self.parents:
            known = known & ~before[parent].is_null()
        cells = self._cell(group, [before[parent] for parent in self.parents])
        score = score_expression(
            value, self._cells, smaller_is_better=smaller_is_better, cells=cells
        )
        return nw.when(known).then(score)

    @cached_property
    def is_one_for_all(self) -> bool:
        """Whether every customer is scored with the same edges."""
        return bool(self.table.size == self.table.shape[-1])

    def _cell(self, group: Any, parent_scores: Sequence[Any]) -> Any:
        cell = 0 if group is None else group
        for n_bins, score in zip(self.table.shape[1:-1], parent_scores, strict=False):
            cell = cell * n_bins + (score - 1)
        return cell

    @property
    def parents(self) -> tuple[int, ...]:
        """Positions of the columns within whose scores there are edges."""
        return self.binning.parents

    @cached_property
    def _cells(self) -> Edges:
        return self.table.reshape(-1, self.table.shape[-1])

    @cached_property
    def _bins_around(self) -> list[tuple[int, int]]:
        """The position of each parent, and the number of its scores."""
        return list(zip(self.parents, self.table.shape[1:-1], strict=False))

    @cached_property
    def _lists(self) -> list[list[float]]:
        lists: list[list[float]] = self._cells.tolist()
        return lists


def score_columns(
    blocks: Iterable[tuple[slice, NDArray[np.float64]]],
    n_rows: int,
    columns: Sequence[ColumnEdges],
    *,
    has_groups: bool,
) -> list[Scores]:
    """Score each column of an array that comes in blocks; of missing values it says nothing.

    With `has_groups`, the last column holds the positions of the customers' groups.
    """
    scored = [np.empty(n_rows, dtype=np.min_scalar_type(edges.binning.n_bins)) for edges in columns]
    for rows, values in blocks:
        group = values[:, -1].astype(np.intp) if has_groups else None
        before: list[Scores] = []
        for position, edges in enumerate(columns):
            before.append(edges.score(values[:, position], group, before))
            scored[position][rows] = before[-1]
    return scored


def blocks_of(
    values: NDArray[np.float64],
) -> Iterator[tuple[slice, NDArray[np.float64]]]:
    """Yield the rows of an array in blocks."""
    for rows in row_blocks(len(values)):
        yield rows, values[rows]
