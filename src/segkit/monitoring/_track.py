"""Customers followed from one table to the next, through segments with the same thresholds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from segkit._frames import UNASSIGNED
from segkit.exceptions import ColumnError, SegkitTypeError, SegkitValueError
from segkit.metrics._migration import table_of_moves
from segkit.monitoring._migration import LEFT, NEWCOMER, Migration
from segkit.monitoring._placed_customers import PlacedCustomers, Reader, followed
from segkit.validation._variables import Codes, Floats

_OWNER = "track"


def track(
    segmenter: Any,
    before: Any,
    after: Any,
    *,
    customer: str | None = "customer_id",
    value: str | None = None,
    confidence: float = 0.95,
) -> Migration:
    """Find out who moved from which segment to which.

    The fitted segmenter places the customers of both tables by the same thresholds, so that who
    moved has changed, and not the yardstick. Customers who are in one table only are newcomers and
    leavers.

    Parameters
    ----------
    segmenter : estimator
        A fitted segmenter, or another fitted estimator with ``predict`` that gives each customer
        an integer, such as a clusterer or a Pipeline.
    before, after : frame of shape (n_customers, n_columns)
        One row per customer, earlier and later, in the columns of the segmenter; of any kind.
        Of a lazy frame only ids, segments and values are collected, where its engine can find the
        segments; there, missing values give ``"unassigned"``.
    customer : str, default="customer_id"
        The column that tells customers apart, or the name of a pandas index. None: the index of
        pandas frames, whatever its name.
    value : str, default=None
        A column of numbers: what a customer is worth, in money, in both tables.
    confidence : float, default=0.95
        Of the intervals.

    Returns
    -------
    Migration
        The flows, the balance of each segment, and each customer's move.

    Raises
    ------
    NotFittedError
        For a segmenter before ``fit``.
    SegkitTypeError
        For a segmenter that does not predict, and for arrays, which do not tell customers apart.
    ColumnError
        For columns that a table lacks.
    SegkitValueError, MissingValuesError
        For ids and values that are missing, for customers with several rows, for two tables
        without a customer in common, and for whatever the segmenter refuses.

    See Also
    --------
    segkit.monitoring.DriftReport : Whether the segmentation still holds.
    segkit.SegmentValidator.compare : Whether so many stay that segments are of use.

    Examples
    --------
    >>> from segkit import ValueTierer, summarize_transactions
    >>> from segkit.datasets import make_transactions
    >>> from segkit.monitoring import track
    >>> log = make_transactions(500, random_state=0)
    >>> june = summarize_transactions(log, as_of="2025-06-30")
    >>> december = summarize_transactions(log, as_of="2025-12-31")
    >>> migration = track(ValueTierer().fit(june), june, december, value="monetary")
    >>> print(migration.summary())
    379 customers before, 500 after, 379 in both.
    - stayed: 320 of 379 who had a segment and are still there, 84 % (80 % to 88 %).
    - moved: 59; most: 34 B to A, 16 C to B, 7 C to A.
    - newcomers: 121; most: 48 into B, 41 into C, 27 into A.
    - left: 0.
    - value: of 65,541 before, 4130 moved to another segment and 0 left; newcomers brought 12,365.
    """
    if not isinstance(confidence, int | float) or not 0 < confidence < 1:
        raise SegkitValueError(
            f"{_OWNER}: confidence must be a number between 0 and 1, got {confidence!r}."
        )
    reader = Reader(segmenter, customer, value, _OWNER)
    then, later = reader.read(before, "before"), reader.read(after, "after")
    segments = reader.segments(then.codes, later.codes)
    if taken := sorted({NEWCOMER, LEFT} & set(segments)):
        raise SegkitValueError(
            f"{_OWNER}: no segment can be called {taken[0]!r}, which stands for customers of one "
            "table only. Rename it."
        )
    if then.ids is None or later.ids is None:
        raise SegkitTypeError(
            f"{_OWNER}: nothing tells the customers apart. customer=None means the index of pandas "
            "frames, and here that only numbers the rows. Pass customer=... with a column of ids."
        )
    who = customer or _name_of(then.ids)
    if who in (added := ("before", "after", "change", "value_before", "value_after")):
        raise ColumnError(
            f"{_OWNER}: the column of ids cannot be called {who!r}, because the result has columns "
            f"{list(added)} beside it. Rename it."
        )
    moves = _moves(then, then.ids, later, later.ids, len(segments))
    names = (*segments, UNASSIGNED) if moves.has_unassigned else segments
    table = _flows(moves, segments, names, confidence)
    customers = pd.DataFrame(
        {
            who: moves.ids,
            "before": _named(moves.before, segments, NEWCOMER),
            "after": _named(moves.after, segments, LEFT),
            "change": _changes(moves),
            **moves.values,
        }
    )
    return Migration(table, _balance(table, names), customers, names, float(confidence))


@dataclass(frozen=True)
class _Moves:
    """Each customer of either table; codes beyond the segments are unassigned, and not there."""

    ids: pd.Index[Any]
    before: Codes
    after: Codes
    #: By name; NaN where the customer is not there.
    values: Mapping[str, Floats]
    n_segments: int

    @property
    def has_unassigned(self) -> bool:
        """Whether somebody has no segment."""
        return any(bool((one == self.n_segments).any()) for one in (self.before, self.after))

    def matrix(self, weights: Floats | None = None) -> NDArray[Any]:
        """Return how many went from each place to each, or the sum of their weights."""
        n_places = self.n_segments + 2
        pairs = self.before * n_places + self.after
        known = None if weights is None else np.nan_to_num(weights)
        sums = np.bincount(pairs, weights=known, minlength=n_places**2)
        return sums.reshape(n_places, n_places)


def _moves(
    then: PlacedCustomers,
    ids_then: pd.Index[Any],
    later: PlacedCustomers,
    ids_later: pd.Index[Any],
    n_segments: int,
) -> _Moves:
    in_then, in_later = followed(then, later)
    if not len(in_then):
        kinds = [pd.api.types.infer_dtype(one, skipna=True) for one in (ids_then, ids_later)]
        remedy = "Check that customer=... names the same ids in both."
        if kinds[0] != kinds[1]:
            remedy = f"The ids are {kinds[0]} before and {kinds[1]} after: make them the same."
        raise SegkitValueError(f"{_OWNER}: no customer of 'before' is in 'after'. {remedy}")
    is_new = np.ones(len(ids_later), dtype=bool)
    is_new[in_later] = False
    n_then, n_new = len(ids_then), int(is_new.sum())
    absent = n_segments + 1
    after = np.full(n_then, absent)
    after[in_then] = _with_place(later.codes[in_later], n_segments)
    values = {}
    if then.value is not None and later.value is not None:
        kept = np.full(n_then, np.nan)
        kept[in_then] = later.value[in_later]
        values = {
            "value_before": np.append(then.value, np.full(n_new, np.nan)),
            "value_after": np.append(kept, later.value[is_new]),
        }
    return _Moves(
        ids=ids_then.append(ids_later[is_new]),
        before=np.append(_with_place(then.codes, n_segments), np.full(n_new, absent)),
        after=np.append(after, _with_place(later.codes[is_new], n_segments)),
        values=values,
        n_segments=n_segments,
    )


def _name_of(ids: pd.Index[Any]) -> str:
    return "customer_id" if ids.name is None else str(ids.name)


def _with_place(codes: Codes, n_segments: int) -> Codes:
    return np.where(codes < 0, n_segments, codes)


def _named(codes: Codes, segments: Sequence[str], absent: str) -> Any:
    """Return names as categories, the same before and after."""
    order = [*segments, UNASSIGNED, NEWCOMER, LEFT]
    places = np.append(np.arange(len(segments) + 1), order.index(absent))
    return pd.Categorical.from_codes(places[codes], categories=pd.Index(order), ordered=True)


def _changes(moves: _Moves) -> Any:
    before, after, n_segments = moves.before, moves.after, moves.n_segments
    cases = {
        NEWCOMER: before > n_segments,
        LEFT: after > n_segments,
        UNASSIGNED: (before == n_segments) | (after == n_segments),
        "stayed": before == after,
    }
    codes = np.select([*cases.values()], [*range(len(cases))], default=len(cases))
    return pd.Categorical.from_codes(codes, categories=pd.Index([*cases, "moved"]))


def _flows(
    moves: _Moves, segments: Sequence[str], names: Sequence[str], confidence: float
) -> pd.DataFrame:
    """Return a row for each pair of segments, newcomers and leavers among them."""
    # The last place stands for newcomers in rows, and for leavers in columns.
    places = pd.Index([*segments, UNASSIGNED, NEWCOMER], dtype=object)
    found = table_of_moves(moves.matrix().astype(np.int64), places, confidence)
    for name, values in moves.values.items():
        found[name] = moves.matrix(values).ravel()
    is_nobody = (found["before"] == NEWCOMER) & (found["after"] == NEWCOMER)
    found["after"] = found["after"].where(found["after"] != NEWCOMER, LEFT)
    if moves.values:
        is_new = found["before"] == NEWCOMER
        worth = found["value_after"].where(is_new, found["value_before"])
        found["value_moved"] = worth.where(found["before"] != found["after"], 0.0)
    is_shown = found["before"].isin([*names, NEWCOMER]) & found["after"].isin([*names, LEFT])
    return found[is_shown & ~is_nobody].reset_index(drop=True)


def _balance(table: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Return where the customers of each segment, and their value, went to and came from."""
    is_kept, is_new = table["before"] == table["after"], table["before"] == NEWCOMER
    is_gone = table["after"] == LEFT
    is_move = ~(is_kept | is_new | is_gone)

    def total(quantity: str, rows: Any, side: str) -> Any:
        sums = table[rows].groupby(side)[quantity].sum()
        return sums.reindex(list(names), fill_value=0).to_numpy()

    columns = {
        "segment": list(names),
        "customers_before": total("customers", ~is_new, "before"),
        "stayed": total("customers", is_kept, "before"),
        "moved_out": total("customers", is_move, "before"),
        "left": total("customers", is_gone, "before"),
        "moved_in": total("customers", is_move, "after"),
        "newcomers": total("customers", is_new, "after"),
        "customers_after": total("customers", ~is_gone, "after"),
    }
    if "value_moved" in table:
        grown = table.assign(grown=table["value_after"] - table["value_before"])
        columns |= {
            "value_before": total("value_before", ~is_new, "before"),
            "value_out": total("value_before", is_move, "before"),
            "value_left": total("value_before", is_gone, "before"),
            "value_in": total("value_after", is_move, "after"),
            "value_new": total("value_after", is_new, "after"),
            "value_grown": grown[is_kept]
            .groupby("before")["grown"]
            .sum()
            .reindex(list(names), fill_value=0)
            .to_numpy(),
            "value_after": total("value_after", ~is_gone, "after"),
        }
    return pd.DataFrame(columns)
