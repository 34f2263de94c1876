"""Scores of values, given the edges: on arrays, on one number and as expressions.

Score of v = 1 + #{edges < v}; where smaller is better, n_bins - #{edges < v}. Equal values share
a score because the count depends on nothing but v, and edges that collapse on a tie leave a gap
in the scores instead of a shorter scale.

Edges may differ by cell, such as a customer's group or the score of another column; `cells` then
says in which row of the edges to look.
"""

from bisect import bisect_left
from collections.abc import Sequence
from operator import add
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
from numpy.typing import NDArray

from segkit._frames import balanced, one_where

# Up to so many edges, comparing with each is faster than a binary search.
_FEW_EDGES = 32


def scores(
    values: NDArray[np.float64],
    edges: NDArray[np.float64],
    *,
    smaller_is_better: bool = False,
    cells: NDArray[np.integer[Any]] | None = None,
) -> NDArray[np.integer[Any]]:
    """Score an array without missing values, in integers that are as small as the scores.

    `edges` has the shape (n_edges,), or, with `cells`, (n_cells, n_edges).
    """
    n_edges = edges.shape[-1]
    if cells is None and n_edges > _FEW_EDGES:
        below: NDArray[np.integer[Any]] = np.searchsorted(edges, values, side="left")
    else:
        below = np.zeros(values.shape, dtype=np.uint8 if n_edges < 255 else np.intp)
        for edge in np.moveaxis(edges, -1, 0):
            below += values > (edge if cells is None else edge[cells])
    if smaller_is_better:
        np.subtract(n_edges + 1, below, out=below)
    else:
        below += 1
    return below


def score_one(value: float, edges: Sequence[float], *, smaller_is_better: bool = False) -> int:
    """Score one number, without building an array."""
    edges_below = bisect_left(edges, value)
    return len(edges) + 1 - edges_below if smaller_is_better else 1 + edges_below


def score_expression(
    value: nw.Expr,
    edges: NDArray[np.float64],
    *,
    smaller_is_better: bool = False,
    cells: nw.Expr | None = None,
) -> nw.Expr:
    """Score a column inside its own engine; without `cells`, null where it is null."""
    if cells is not None:
        choices = [
            score_expression(value, cell_edges, smaller_is_better=smaller_is_better)
            for cell_edges in edges
        ]
        return chosen(cells, choices)
    distinct, counts = np.unique(edges, return_counts=True)
    edges_below = balanced(
        add,
        [
            one_where(value > float(edge)) * int(count)
            if count > 1
            else one_where(value > float(edge))
            for edge, count in zip(distinct, counts, strict=True)
        ],
    )
    score = (edges.size + 1) - edges_below if smaller_is_better else edges_below + 1
    return score.cast(nw.Int64)


def chosen(place: nw.Expr, choices: Sequence[nw.Expr], first: int = 0) -> nw.Expr:
    """Return the choice at a place, in a tree of comparisons that is as flat as it can be."""
    if len(choices) == 1:
        return choices[0]
    half = len(choices) // 2
    return (
        nw.when(place < first + half)
        .then(chosen(place, choices[:half], first))
        .otherwise(chosen(place, choices[half:], first + half))
    )
