"""The edges of RFM scores: given by the user, or learned from the customers."""

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segkit._binning import quantile_edges
from segkit.exceptions import SegkitValueError, TiedScoresWarning


def given_edges(binning: Any, columns: Sequence[str | int]) -> dict[str | int, Any]:
    """Return the edges that `binning` gives, by the columns as they are named in `columns`."""
    if isinstance(binning, str):
        return {}
    if isinstance(binning, Mapping):
        unknown = [column for column in binning if column not in columns]
        if unknown:
            raise SegkitValueError(
                f"RFMScorer: binning gives edges for {unknown}, which are not among "
                f"columns={tuple(columns)}."
            )
        return dict(binning)
    if len(binning) != len(columns):
        raise SegkitValueError(
            f"RFMScorer: binning gives edges for {len(binning)} columns; there are "
            f"{len(columns)}: {tuple(columns)}."
        )
    return dict(zip(columns, binning, strict=True))


def checked_edges(edges: Any, column: str | int, n_bins: int) -> NDArray[np.float64]:
    """Return a copy of the given edges of a column."""
    try:
        checked = np.array(edges, dtype=np.float64)
    except (TypeError, ValueError):
        checked = np.array(np.nan)
    if checked.ndim != 1 or not np.isfinite(checked).all() or (np.diff(checked) <= 0).any():
        raise SegkitValueError(
            f"RFMScorer: the edges of {column!r} must be finite numbers in increasing order, got "
            f"{edges!r}."
        )
    if checked.size != n_bins - 1:
        raise SegkitValueError(
            f"RFMScorer: {checked.size} edges of {column!r} make {checked.size + 1} scores, and "
            f"n_bins asks for {n_bins}. Pass n_bins={checked.size + 1} (or one number per column)."
        )
    return checked


def learned_edges(
    values: NDArray[np.float64], column: str | int, n_bins: int
) -> NDArray[np.float64]:
    """Return the quantile edges of a column, and warn where ties leave fewer scores."""
    present = values[~np.isnan(values)]
    if not present.size:
        raise SegkitValueError(
            f"RFMScorer: column {column!r} has only missing values; there is nothing to learn "
            "from. Drop it from columns, or give its edges with binning=..."
        )
    edges = quantile_edges(present, n_bins)
    distinct = np.unique(np.searchsorted(edges, np.unique(present), side="left")).size
    if distinct < n_bins:
        advice = (
            "All its values are equal, so this score tells nothing."
            if distinct == 1
            else f"Equal values share a score and the scale stays 1 to {n_bins}. Fewer n_bins, "
            "or edges of your own through binning=..., give scores that all occur."
        )
        warnings.warn(
            f"RFMScorer: ties leave column {column!r} with {distinct} distinct "
            f"score{'s' if distinct > 1 else ''} of {n_bins}. {advice}",
            TiedScoresWarning,
            stacklevel=4,  # the line that calls fit
        )
    return edges
