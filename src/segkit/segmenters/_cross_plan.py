"""How a query engine computes the cells of a crossing: the codes of one part after another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import add
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np

from segkit._frames import RESERVED, balanced
from segkit.base import SegmenterMixin
from segkit.base._assignment import CodePlan, check_added_names
from segkit.segmenters._cross_cells import CrossedCells

#: The columns of the parts' codes begin like this.
PART = f"{RESERVED}part_"


def plan_of_parts(parts: Sequence[SegmenterMixin], frame: nw.LazyFrame[Any]) -> CodePlan:
    """Return the steps after which the codes of each part are columns.

    A part may need columns of its own on the way, such as scores. Columns of the frame that have
    the same names are put aside for that time.
    """
    available = frame.collect_schema().names()
    steps: list[Mapping[str, nw.Expr]] = []
    hidden: dict[str, None] = {}
    for place, part in enumerate(parts):
        plan = part._code_plan(frame)
        check_added_names(part, frame, plan.features, label=None)
        replaced = [name for name in plan.features if name in available]
        aside = {f"{PART}{place}_{name}": nw.col(name) for name in replaced}
        if aside:
            steps.append(aside)
        steps += plan.steps
        steps.append({f"{PART}{place}": plan.code})
        if aside:
            steps.append({name: nw.col(f"{PART}{place}_{name}") for name in replaced})
        added = [*plan.hidden, *aside, f"{PART}{place}"]
        added += [name for name in plan.features if name not in available]
        hidden |= dict.fromkeys(added)
    return CodePlan(nw.lit(-1), steps=steps, hidden=list(hidden))


def cell_code(crossed: CrossedCells) -> nw.Expr:
    """Return the code of each customer's segment, given the columns of the parts' codes."""
    cell, unassigned = nw.lit(0), nw.lit(False)
    for place, n_segments in enumerate(crossed.shape):
        part = nw.col(f"{PART}{place}")
        cell = cell * n_segments + part
        unassigned = unassigned | (part < 0)
    # A sum of which one part is not 0, two by two: one choice inside another is deep for an engine.
    parts = [
        nw.when(cell.is_in(np.flatnonzero(crossed.code_of_cell == position).tolist()))
        .then(nw.lit(position))
        .otherwise(nw.lit(0))
        for position in range(1, len(crossed.cores))
    ]
    code = balanced(add, parts) if parts else nw.lit(0)
    return nw.when(unassigned).then(nw.lit(-1)).otherwise(code)
