"""Customers followed from one table to the next, through segments with the same thresholds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from segkit._frames import UNASSIGNED
from segkit.exceptions import SegkitTypeError, SegkitValueError
from segkit.metrics import migration_matrix
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
    moves = _moves(then, then.ids, later, later.ids, len(segments))
    has_unassigned = bool(
        (moves.before == len(segments)).any() or (moves.after == len(segments)).any()
    )
    names = (*segments, UNASSIGNED) if has_unassigned else segments
    sources = np.array([*segments, UNASSIGNED, NEWCOMER], dtype=object)[moves.before]
    targets = np.array([*segments, UNASSIGNED, LEFT], dtype=object)[moves.after]
    table = _flows(moves, sources, targets, names, confidence)
    customers = pd.DataFrame(
        {
            customer or _name_of(then.ids): moves.ids,
            "before": sources,
            "after": targets,
            "change": _changes(moves, len(segments)),
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
    )


def _name_of(ids: pd.Index[Any]) -> str:
    return "customer_id" if ids.name is None else str(ids.name)


def _with_place(codes: Codes, n_segments: int) -> Codes:
    return np.where(codes < 0, n_segments, codes)


def _changes(moves: _Moves, n_segments: int) -> Any:
    before, after = moves.before, moves.after
    is_lost = (before == n_segments) | (after == n_segments)
    cases = {
        NEWCOMER: before > n_segments,
        LEFT: after > n_segments,
        UNASSIGNED: is_lost,
        "stayed": before == after,
    }
    return np.select([*cases.values()], [*cases], default="moved").astype(object)


def _flows(
    moves: _Moves, sources: Any, targets: Any, names: Sequence[str], confidence: float
) -> pd.DataFrame:
    """Return a row for each pair of segments, newcomers and leavers among them."""
    order = [*names, NEWCOMER, LEFT]
    found = migration_matrix(sources, targets, segments=order, confidence=confidence)
    if moves.values:
        summed = pd.DataFrame({"before": sources, "after": targets, **moves.values})
        sums = summed.groupby(["before", "after"], sort=False).sum().reset_index()
        found = found.merge(sums, on=["before", "after"], how="left")
        found = found.fillna({"value_before": 0.0, "value_after": 0.0})
        is_new = found["before"] == NEWCOMER
        worth = found["value_after"].where(is_new, found["value_before"])
        found["value_moved"] = worth.where(found["before"] != found["after"], 0.0)
    is_possible = (found["before"] != LEFT) & (found["after"] != NEWCOMER)
    is_nobody = (found["before"] == NEWCOMER) & (found["after"] == LEFT)
    return found[is_possible & ~is_nobody].reset_index(drop=True)


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
