"""Which segments customers come from and go to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.stats import norm

from segkit.exceptions import MissingValuesError, SegkitTypeError, SegkitValueError
from segkit.metrics._arguments import read_column

_OWNER = "migration_matrix"


def migration_matrix(
    before: ArrayLike,
    after: ArrayLike,
    *,
    segments: Sequence[Any] | None = None,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Count how customers move between segments, with intervals.

    Parameters
    ----------
    before : array-like of shape (n_customers,)
        The segment of each customer at first.
    after : array-like of shape (n_customers,)
        The segment of the same customers later, in the same order.
    segments : sequence, default=None
        Segments in the order of the rows; by default those that occur, sorted, with
        ``"unassigned"`` and -1 last.
    confidence : float, default=0.95
        Of the intervals.

    Returns
    -------
    DataFrame
        A row for each pair of segments: ``before``, ``after``, ``customers``, ``share`` of those
        who were in ``before``, and its interval, ``share_low`` to ``share_high``. Shares of a
        segment without customers are NaN. ``pivot(index="before", columns="after",
        values="share")`` makes it a matrix.

    Raises
    ------
    SegkitValueError, MissingValuesError
        For segments of different numbers of customers, missing ones, and ones that `segments`
        does not have.

    Notes
    -----
    Intervals of shares are Wilson's score intervals [1]_, which hold for few customers, too.

    References
    ----------
    .. [1] E. B. Wilson (1927). "Probable inference, the law of succession, and statistical
       inference". Journal of the American Statistical Association 22, 209-212.

    Examples
    --------
    >>> from segkit.metrics import migration_matrix
    >>> moved = migration_matrix(["low", "low", "high", "low"], ["low", "high", "high", "low"])
    >>> print(moved.round(2)[["before", "after", "customers", "share"]].to_string(index=False))
    before after  customers  share
      high  high          1   1.00
      high   low          0   0.00
       low  high          1   0.33
       low   low          2   0.67
    """
    one, other = _read(before, "before"), _read(after, "after")
    if len(one) != len(other):
        raise SegkitValueError(
            f"{_OWNER}: before and after must be of the same customers, got {len(one):,} and "
            f"{len(other):,}."
        )
    if not isinstance(confidence, int | float) or not 0 < confidence < 1:
        raise SegkitValueError(
            f"{_OWNER}: confidence must be a number between 0 and 1, got {confidence!r}."
        )
    try:
        found = pd.unique(pd.concat([one, other]))
    except TypeError:  # lists and others without a hash
        raise SegkitTypeError(
            f"{_OWNER}: before and after must hold names or codes of segments."
        ) from None
    if segments is None:
        order = sorted(found, key=lambda name: (name in ("unassigned", -1), str(name)))
    else:
        order = list(read_column(segments, owner=_OWNER, name="segments"))
        if unknown := [name for name in found if name not in order]:
            raise SegkitValueError(f"{_OWNER}: segments lacks {unknown[:5]}.")
    index = pd.Index(order, dtype=object)
    counts = np.zeros((len(order), len(order)), dtype=np.int64)
    np.add.at(counts, (index.get_indexer(one), index.get_indexer(other)), 1)
    return table_of_moves(counts, index, confidence)


def table_of_moves(
    counts: NDArray[np.int64], segments: pd.Index[Any], confidence: float
) -> pd.DataFrame:
    """Return a row for each cell of counts: who moved from the row's segment to the column's."""
    of_row = np.repeat(counts.sum(axis=1), len(segments))
    moved = counts.ravel()
    share, low, high = wilson_interval(moved, of_row, confidence)
    return pd.DataFrame(
        {
            "before": np.repeat(segments.to_numpy(), len(segments)),
            "after": np.tile(segments.to_numpy(), len(segments)),
            "customers": moved,
            "share": share,
            "share_low": low,
            "share_high": high,
        }
    )


def wilson_interval(hits: Any, of: Any, confidence: float) -> tuple[Any, Any, Any]:
    """Return shares and Wilson's intervals of them; NaN of nothing."""
    z = float(norm.ppf((1 + confidence) / 2))
    of = np.where(np.asarray(of) > 0, of, np.nan)
    share = np.asarray(hits) / of
    middle = (share + z**2 / (2 * of)) / (1 + z**2 / of)
    half = z / (1 + z**2 / of) * np.sqrt(share * (1 - share) / of + z**2 / (4 * of**2))
    # Of none and of all the bounds are 0 and 1, from which rounding leaves dust.
    low = np.where(share == 0, 0.0, np.maximum(middle - half, 0.0))
    high = np.where(share == 1, 1.0, np.minimum(middle + half, 1.0))
    return share, low, high


def _read(segments: Any, name: str) -> pd.Series[Any]:
    series = pd.Series(read_column(segments, owner=_OWNER, name=name)).astype(object)
    if series.isna().any():
        raise MissingValuesError(
            f"{_OWNER}: {name} is missing for {int(series.isna().sum()):,} of {len(series):,} "
            "customers. Call them 'unassigned'."
        )
    return series
