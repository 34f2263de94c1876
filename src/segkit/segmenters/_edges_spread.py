"""How far learned edges hang on who happens to be in the data: a bootstrap (Efron 1979)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from numpy.typing import NDArray
from sklearn.utils import check_random_state

from segkit._input_checks import missing_rows
from segkit.exceptions import SegkitValueError
from segkit.segmenters._column_edges import blocks_of, score_columns
from segkit.segmenters._rfm_edges import learned_edges

if TYPE_CHECKING:
    from segkit.segmenters._rfm import RFMScorer

_INTERVAL = (2.5, 97.5)
_ALL = "(all customers)"


@dataclass(frozen=True)
class EdgesSpread:
    """What :meth:`segkit.RFMScorer.edges_spread` finds.

    Attributes
    ----------
    edges : pandas.DataFrame
        A row an edge: ``column``, ``group`` (only with groups; ``"(all customers)"`` for the
        edges of all), ``within`` (with nested edges: the scores of the columns before), ``edge``
        (its number, from 1), ``value`` (as fitted), ``low`` and ``high`` (the bounds of the 95 %
        interval over the draws). In the units of the data.
    segments : pandas.DataFrame
        A row a segment: ``segment``, ``customers``, ``changed_share`` (the mean share of them
        that another draw puts elsewhere; missing where there are none).
    changed_share : float
        The mean share of all customers whose segment another draw changes.
    changed_share_interval : tuple of float
        The bounds of its 95 % interval over the draws.
    n_bootstraps : int
        Number of draws.

    See Also
    --------
    segkit.RFMScorer.edges_spread : Makes it.

    Examples
    --------
    >>> from segkit import RFMScorer, summarize_transactions
    >>> from segkit.datasets import make_transactions
    >>> customers = summarize_transactions(make_transactions(500, random_state=0))
    >>> spread = RFMScorer().fit(customers).edges_spread(customers, random_state=0)
    >>> print(spread.edges.head(4))
             column  edge  value     low     high
    0  recency_days     1   34.0   29.00   40.000
    1  recency_days     2   96.6   74.36  119.400
    2  recency_days     3  220.0  185.33  250.105
    3  recency_days     4  407.0  361.23  450.860
    >>> round(spread.changed_share, 2)
    0.11
    """

    edges: pd.DataFrame
    segments: pd.DataFrame
    changed_share: float
    changed_share_interval: tuple[float, float]
    n_bootstraps: int


def bootstrap_edges(
    scorer: RFMScorer,
    values: NDArray[np.float64],
    n_bootstraps: Any,
    random_state: Any,
    n_jobs: int | None,
) -> EdgesSpread:
    """Learn the edges of a fitted scorer again from draws of the customers with replacement."""
    if not isinstance(n_bootstraps, int | np.integer) or n_bootstraps < 2:
        raise SegkitValueError(
            f"RFMScorer.edges_spread: n_bootstraps must be an integer of at least 2, got "
            f"{n_bootstraps!r}."
        )
    missing = missing_rows(values)
    if missing is not None:
        values = values[~missing]
    if not len(values):
        raise SegkitValueError("RFMScorer.edges_spread: no customer has all values.")
    # None must not touch numpy's global state.
    rng = np.random.RandomState() if random_state is None else check_random_state(random_state)
    seeds = rng.randint(np.iinfo(np.int32).max, size=n_bootstraps)
    codes = scorer._codes(values)
    draws = Parallel(n_jobs=n_jobs, prefer="threads")(
        delayed(_draw)(scorer, values, codes, seed) for seed in seeds
    )
    tables, shares = zip(*draws, strict=True)
    by_segment = np.array(shares)
    customers = np.bincount(codes, minlength=len(scorer.segments_))
    changed = by_segment @ customers / len(values)
    low, high = np.percentile(changed, _INTERVAL)
    segments = pd.DataFrame(
        {
            "segment": scorer.segments_.astype(str),
            "customers": customers,
            "changed_share": np.where(customers > 0, by_segment.mean(axis=0), np.nan),
        }
    )
    return EdgesSpread(
        edges=_edge_table(scorer, tables),
        segments=segments,
        changed_share=float(changed.mean()),
        changed_share_interval=(float(low), float(high)),
        n_bootstraps=int(n_bootstraps),
    )


def _draw(
    scorer: RFMScorer, values: NDArray[np.float64], codes: NDArray[np.int64], seed: int
) -> tuple[list[NDArray[np.float64]], NDArray[np.float64]]:
    """Return the edges that one draw gives, and the share of each segment that they move."""
    group = scorer._group_of(values)
    drawn = _drawn_rows(len(values), group, np.random.RandomState(seed))
    edges = learned_edges(
        list(values[drawn].T),
        [column.binning for column in scorer._edges],
        group=None if group is None else group[drawn],
        n_groups=scorer._n_groups,
        without=[column.table for column in scorer._edges],
    )
    has_groups = group is not None
    scored = score_columns(blocks_of(values), len(values), edges, has_groups=has_groups)
    moved = scorer.segment_map_._codes_of([scored[position] for position in scorer._mapped])
    n_segments = len(scorer.segments_)
    customers = np.bincount(codes, minlength=n_segments)
    changed = np.bincount(codes, weights=moved != codes, minlength=n_segments)
    return [column.table for column in edges], changed / np.maximum(customers, 1)


def _drawn_rows(
    n_rows: int, group: NDArray[np.intp] | None, rng: np.random.RandomState
) -> NDArray[np.intp]:
    """Return rows drawn with replacement, each group as often as it occurs."""
    if group is None:
        return rng.randint(n_rows, size=n_rows)
    order = np.argsort(group, kind="stable")
    sizes = np.bincount(group)
    first = np.repeat(np.cumsum(sizes) - sizes, sizes)
    drawn: NDArray[np.intp] = order[first + rng.randint(np.repeat(sizes, sizes))]
    return drawn


def _edge_table(scorer: RFMScorer, tables: Sequence[Sequence[NDArray[Any]]]) -> pd.DataFrame:
    names, labels = scorer._dimensions(), [*scorer._group_labels, _ALL]
    rows = []
    for position, edges in enumerate(scorer._edges):
        low, high = np.percentile([drawn[position] for drawn in tables], _INTERVAL, axis=0)
        parents = [names[parent] for parent in edges.parents]
        for place in np.ndindex(edges.table.shape):
            within = zip(parents, place[1:-1], strict=False)
            rows.append(
                {
                    "column": edges.binning.column,
                    "group": labels[place[0]],
                    "within": ", ".join(f"{name} {score + 1}" for name, score in within),
                    "edge": place[-1] + 1,
                    "value": edges.table[place],
                    "low": low[place],
                    "high": high[place],
                }
            )
    table = pd.DataFrame(rows)
    has_groups, is_nested = len(labels) > 1, any(edges.parents for edges in scorer._edges)
    left_out = [*([] if has_groups else ["group"]), *([] if is_nested else ["within"])]
    return table.drop(columns=left_out)
