"""Learned edges and the scores they give, on arrays, on one number and as expressions.

Score of v = 1 + #{edges < v}; where smaller is better, n_bins - #{edges < v}. Equal values share
a score because the count depends on nothing but v, and edges that collapse on a tie leave a gap
in the scores instead of a shorter scale.
"""

from bisect import bisect_left
from collections.abc import Sequence
from operator import add

import narwhals.stable.v2 as nw
import numpy as np
from numpy.typing import NDArray

from segkit._frames import balanced


def quantile_edges(values: NDArray[np.float64], n_bins: int) -> NDArray[np.float64]:
    """Return the n_bins - 1 inner quantiles of finite `values`, linearly interpolated.

    This is the usual definition (Hyndman & Fan 1996, type 7), with the positions counted in whole
    numbers: k (n - 1) / n_bins computed in floating point can miss a data point by one digit, and
    would then cut its ties off from the score below.
    """
    ordered = np.sort(values)
    position = np.arange(1, n_bins, dtype=np.int64) * (ordered.size - 1)
    below, remainder = np.divmod(position, n_bins)
    above = np.minimum(below + 1, ordered.size - 1)
    low, high = ordered[below], ordered[above]
    share = remainder / n_bins
    with np.errstate(over="ignore"):
        edges: NDArray[np.float64] = low + (high - low) * share
    far_apart = ~np.isfinite(edges)  # high - low is beyond the largest float
    edges[far_apart] = (low * (1 - share) + high * share)[far_apart]
    return edges


def scores(
    values: NDArray[np.float64],
    edges: NDArray[np.float64],
    *,
    smaller_is_better: bool = False,
) -> NDArray[np.int64]:
    """Score an array without missing values."""
    edges_below = np.searchsorted(edges, values, side="left").astype(np.int64, copy=False)
    return edges.size + 1 - edges_below if smaller_is_better else 1 + edges_below


def score_one(value: float, edges: Sequence[float], *, smaller_is_better: bool = False) -> int:
    """Score one number, without building an array."""
    edges_below = bisect_left(edges, value)
    return len(edges) + 1 - edges_below if smaller_is_better else 1 + edges_below


def score_expression(
    value: nw.Expr, edges: NDArray[np.float64], *, smaller_is_better: bool = False
) -> nw.Expr:
    """Score a column without missing values inside its own engine."""
    distinct, counts = np.unique(edges, return_counts=True)
    edges_below = balanced(
        add,
        [
            (value > float(edge)).cast(nw.Int64) * int(count)
            for edge, count in zip(distinct, counts, strict=True)
        ],
    )
    return (edges.size + 1) - edges_below if smaller_is_better else edges_below + 1
