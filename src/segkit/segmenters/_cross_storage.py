"""What a file keeps of a crossing: the segmenters, the cells, and where each cell went."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from segkit._storage._state import LearnedState
from segkit.base import is_segmenter
from segkit.segmenters._cross_cells import CrossedCells, Merge
from segkit.segmenters._cross_parts import inside_of

if TYPE_CHECKING:
    from segkit.segmenters._cross import CrossSegmenter


def stored_crossing(crossed: CrossSegmenter) -> dict[str, Any]:
    """Return what a file keeps of a fitted crossing."""
    cells = crossed._crossed
    return {
        "segmenters": [[name, segmenter] for name, segmenter in crossed.segmenters_],
        "shape": list(map(int, cells.shape)),
        "customers": cells.counts.tolist(),
        "cores": cells.cores.tolist(),
        "segment_of_cell": cells.code_of_cell.tolist(),
        "merges": [[int(one.cell), one.customers, one.into, one.reason] for one in cells.merges],
        "cells_": crossed.cells_,
        "merges_": crossed.merges_,
    }


def restore_crossing(crossed: CrossSegmenter, state: LearnedState) -> None:
    """Set what a file kept."""
    crossed.segmenters_ = []
    for pair in state.of_type("segmenters", list):
        named = isinstance(pair, list) and len(pair) == 2 and isinstance(pair[0], str)
        if not named or not is_segmenter(inside_of(pair[1])):
            state.refuse("segmenters", "a list of pairs of a name and a segmenter", pair)
        crossed.segmenters_.append((pair[0], pair[1]))
    shape = tuple(len(inside_of(segmenter).segments_) for _, segmenter in crossed.segmenters_)
    if state.counts("shape").tolist() != list(shape):
        state.refuse("shape", f"the numbers of segments, {list(shape)}", list(shape))
    n_cells, n_segments = math.prod(shape), len(crossed.segments_)
    cores = state.counts("cores", n_segments)
    code_of_cell = state.counts("segment_of_cell", n_cells)
    if (code_of_cell >= n_segments).any() or (cores >= n_cells).any():
        state.refuse("segment_of_cell", f"positions below {n_segments}", code_of_cell)
    if not np.array_equal(code_of_cell[cores], np.arange(n_segments)):
        state.refuse("cores", "a cell of each segment", cores)
    crossed._crossed = CrossedCells(
        shape,
        state.counts("customers", n_cells),
        cores,
        code_of_cell,
        tuple(Merge(*merge) for merge in state.of_type("merges", list)),
    )
    crossed.cells_ = state.of_type("cells_", pd.DataFrame)
    crossed.merges_ = state.of_type("merges_", pd.DataFrame)
