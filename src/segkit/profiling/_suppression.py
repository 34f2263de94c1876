"""Small cells: which numbers of a profile would tell about too few customers.

A cell with fewer customers than `min_cell` is small, unless nobody is in it. Where the sum of a
row or of a column is known, what is withheld follows from the rest if it is one cell, and is small
if it is of few customers together; the next larger cells are then withheld, too, as statistical
offices do (Willenborg & de Waal 2001, "Elements of statistical disclosure control").
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from segkit.profiling._profile_table import SIZE, pool_rare_levels
from segkit.profiling._summaries import Summaries
from segkit.profiling._variables import YES


def small_cells(summaries: Summaries, *, max_levels: int, min_cell: int) -> NDArray[np.bool_]:
    """Return which rows of the profile are to be withheld, in their order."""
    blocks = [_withheld(summaries.sizes[None, :], min_cell)]
    for name, kind in summaries.kinds.items():
        if kind in ("number", "date"):
            blocks.append(_withheld(summaries.numbers[name].counts[None, :], min_cell))
            continue
        pooled = pool_rare_levels(summaries.levels[name], max_levels)
        withheld = _withheld(pooled.counts, min_cell)
        if kind == "flag":
            withheld = withheld[[pooled.levels.index(YES)]]
        blocks.append(withheld)
    # As in the profile: all rows of a segment, then those of the next, and of everyone.
    return np.vstack(blocks).T.ravel()


def tells_few_missing(profile: pd.DataFrame, min_cell: int) -> pd.Series[bool]:
    """Return which rows of the profile would tell how few customers have no value.

    With the size of a segment, so does the number of those who have one.
    """
    sizes = profile.loc[profile["variable"] == SIZE].set_index("segment")["customers"]
    size = profile["segment"].map(sizes)
    missing = (size * profile["missing_share"]).fillna(0).round().astype(np.int64)
    told = pd.DataFrame({"variable": profile["variable"], "size": size, "missing": missing})
    hidden = pd.Series(False, index=profile.index)
    for variable, rows in told.groupby("variable", sort=False):
        if variable == SIZE:
            continue
        by_segment = rows.assign(segment=profile["segment"]).drop_duplicates("segment")
        has_none = by_segment["missing"].to_numpy()
        has_one = by_segment["size"].to_numpy() - has_none
        table = np.vstack([has_one, has_none])[:, :-1]
        withheld = np.asarray(_withheld(table, min_cell).any(axis=0))
        of_segment = dict(zip(by_segment["segment"], withheld, strict=True))
        hidden.loc[rows.index] = profile.loc[rows.index, "segment"].map(of_segment)
    return hidden


def _withheld(counts: NDArray[np.int64], min_cell: int) -> NDArray[np.bool_]:
    """Return which cells of a table to withhold, with a column for everyone at the end."""
    hidden = (counts > 0) & (counts < min_cell)
    hidden |= counts.sum(axis=0) < min_cell  # of so few customers not even who is in no cell
    while True:
        before = hidden.sum()
        for row in range(len(counts)):
            _hide_others(hidden[row], counts[row], min_cell)
        if len(counts) > 1:
            for column in range(counts.shape[1]):
                _hide_others(hidden[:, column], counts[:, column], min_cell)
        if hidden.sum() == before:
            total = counts.sum(axis=1)
            return np.column_stack([hidden, (total > 0) & (total < min_cell)])


def _hide_others(hidden: NDArray[np.bool_], counts: NDArray[np.int64], min_cell: int) -> None:
    """Hide more cells of a row until those hidden are two, and of enough customers together."""
    while hidden.any() and (hidden.sum() == 1 or counts[hidden].sum() < min_cell):
        shown = np.flatnonzero(~hidden & (counts > 0))
        if not len(shown):
            return
        hidden[shown[np.argmin(counts[shown])]] = True
