"""What a file keeps of RFM scores: the edges of each column, the groups, and the map."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from segkit._storage._state import LearnedState
from segkit.segmenters._column_edges import ColumnBinning, ColumnEdges
from segkit.segmenters._customer_groups import CustomerGroups
from segkit.segmenters._segment_map import SegmentMap

if TYPE_CHECKING:
    from segkit.segmenters._rfm import RFMScorer

# What a file says of edges that were not learned.
_GIVEN = "given"


def stored_scores(scorer: RFMScorer) -> dict[str, Any]:
    """Return what a file keeps of a fitted scorer."""
    learned: dict[str, Any] = {"columns": [_stored_column(edges) for edges in scorer._edges]}
    if scorer._group_used is not None:
        learned["groups"] = list(scorer._group_labels)
    return {**learned, "segment_map": scorer.segment_map_}


def restored_scores(scorer: RFMScorer, state: LearnedState) -> tuple[list[ColumnEdges], SegmentMap]:
    """Return the edges and the map that a file kept; set the groups."""
    if scorer._group_used is not None:
        scorer._customer_groups = CustomerGroups.of_stored(state.of_type("groups", list))
    edges: list[ColumnEdges] = []
    for column in state.each("columns"):
        edges.append(_restored_column(column, edges, scorer._n_groups + 1))
    if [one.binning.column for one in edges] != scorer._columns_used:
        state.refuse("columns", f"those that are read, {scorer._columns_used}")
    segment_map = state.of_type("segment_map", SegmentMap)
    n_bins = [one.binning.n_bins for one in edges]
    scored = dict(zip(scorer._dimensions(), n_bins, strict=True))
    mapped = dict(zip(segment_map.dimensions, segment_map.n_bins, strict=True))
    if not mapped.items() <= scored.items():
        state.refuse("segment_map", f"a map of scores among {scored}", segment_map)
    if list(segment_map.names) != list(scorer.segments_):
        state.refuse("segment_map", "a map to the segments", segment_map)
    return edges, segment_map


def _stored_column(edges: ColumnEdges) -> dict[str, Any]:
    binning, table = edges.binning, edges.table
    return {
        "column": binning.column,
        "n_bins": int(binning.n_bins),
        "smaller_is_better": bool(binning.smaller_is_better),
        "source": binning.source if isinstance(binning.source, str) else _GIVEN,
        "parents": list(binning.parents),
        # A list is read more easily than an array with an axis of no groups.
        "edges": table[0].tolist() if table.ndim == 2 and len(table) == 1 else table,
    }


def _restored_column(state: LearnedState, before: list[ColumnEdges], n_groups: int) -> ColumnEdges:
    n_bins = state.count("n_bins", least=2)
    parents = state.of_type("parents", list)
    if parents not in ([], list(range(len(before)))):
        state.refuse("parents", "the positions of the columns before it, or none", parents)
    shape = [n_groups, *(before[parent].binning.n_bins for parent in parents), n_bins - 1]
    if len(shape) == 2 and n_groups == 1:
        table = state.floats("edges", n_bins - 1)[np.newaxis]
    else:
        table = state.array("edges", "float64", shape)
    if not np.isfinite(table).all() or (np.diff(table, axis=-1) < 0).any():
        state.refuse("edges", "finite, each at least the one before", table)
    source: Any = state.of_type("source", str)
    column: Any = state.of_type("column", str, int)
    smaller_is_better = state.of_type("smaller_is_better", bool)
    source = table[-1] if source == _GIVEN else source
    return ColumnEdges(
        ColumnBinning(column, n_bins, smaller_is_better, source, tuple(parents)), table
    )
