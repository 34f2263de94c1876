"""Whether a variable is distributed as it was: the population stability index."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from segkit.exceptions import MissingValuesError, SegkitTypeError, SegkitValueError
from segkit.metrics._arguments import Floats, read_column, read_count

_OWNER = "population_stability_index"


def population_stability_index(
    expected: ArrayLike, actual: ArrayLike, *, n_bins: int = 10
) -> float:
    """Tell how far a variable has drifted: the population stability index (PSI).

    Parameters
    ----------
    expected : array-like of shape (n_before,)
        The variable as it was: finite numbers, or categories (text or booleans).
    actual : array-like of shape (n_after,)
        The variable as it is, of the same kind.
    n_bins : int, default=10
        Numbers are put into so many bins, between the quantiles of `expected`; equal quantiles make
        one edge. Categories are their own bins.

    Returns
    -------
    float
        The sum over bins of (actual share - expected share) · log(actual share / expected share):
        0 where nothing has changed. By a rule of thumb, less than 0.1 is little, and more than
        0.25 much [1]_.

    Raises
    ------
    SegkitTypeError
        For numbers against categories.
    SegkitValueError, MissingValuesError
        For nothing to compare, and for missing or infinite values.

    Notes
    -----
    The index is the symmetric Kullback-Leibler divergence (Jeffreys 1946). A bin that is empty on
    one side counts as half a row there. In tables of n rows that are drawn alike it is about
    (bins - 1) · (1 / n_before + 1 / n_after): of few rows, the rule of thumb sees drift where there
    is none [2]_.

    References
    ----------
    .. [1] N. Siddiqi (2006). "Credit risk scorecards". Wiley.
    .. [2] B. Yurdakul & J. Naranjo (2020). "Statistical properties of the population stability
       index". Journal of Risk Model Validation 14(4), 89-100.

    Examples
    --------
    >>> from segkit.metrics import population_stability_index
    >>> before = ["shop"] * 50 + ["web"] * 30 + ["app"] * 20
    >>> after = ["shop"] * 40 + ["web"] * 35 + ["app"] * 25
    >>> round(population_stability_index(before, after), 6)
    0.041179
    """
    bins = read_count(n_bins, least=2, name="n_bins", owner=_OWNER)
    before, after = _read(expected, "expected"), _read(actual, "actual")
    if (before.dtype.kind == "f") != (after.dtype.kind == "f"):
        raise SegkitTypeError(
            f"{_OWNER}: expected and actual must both be numbers or both be categories."
        )
    if before.dtype.kind == "f":
        counts = counts_between_quantiles(before, after, bins)
    else:
        codes = pd.factorize(np.concatenate([before, after]))[0]
        n_levels = int(codes.max()) + 1
        counts = [
            np.bincount(codes[: len(before)], minlength=n_levels),
            np.bincount(codes[len(before) :], minlength=n_levels),
        ]
    return psi_of_counts(*counts)


def counts_between_quantiles(
    before: Floats, after: Floats, n_bins: int = 10
) -> list[NDArray[np.intp]]:
    """Return how many numbers of each are in the bins between the quantiles of the first."""
    edges = edges_at_quantiles(before, n_bins)
    return [
        np.bincount(np.searchsorted(edges, one), minlength=len(edges) + 1)
        for one in (before, after)
    ]


def edges_at_quantiles(before: Floats, n_bins: int = 10) -> Floats:
    """Return the distinct quantiles between which the bins are; of no numbers, none."""
    return np.unique(np.quantile(before, np.arange(1, n_bins) / n_bins)) if before.size else before


def psi_of_counts(before: NDArray[Any], after: NDArray[Any]) -> float:
    """Return the index of the counts of the same bins."""
    occupied = (before > 0) | (after > 0)
    shares: list[Floats] = [
        np.maximum(counts[occupied], 0.5) / counts.sum() for counts in (before, after)
    ]
    return float(((shares[1] - shares[0]) * np.log(shares[1] / shares[0])).sum())


def _read(values: Any, name: str) -> NDArray[Any]:
    """Return floats, or categories as objects."""
    is_series = isinstance(values, pd.Series)
    series = values if is_series else pd.Series(read_column(values, owner=_OWNER, name=name))
    if not len(series):
        raise SegkitValueError(f"{_OWNER}: {name} must be a column of values, got none.")
    if series.isna().any():
        raise MissingValuesError(
            f"{_OWNER}: {name} is missing in {int(series.isna().sum()):,} of {len(series):,} rows. "
            "Drop these rows, or make a category of them."
        )
    is_number = pd.api.types.is_numeric_dtype(series) and not pd.api.types.is_bool_dtype(series)
    if not is_number:
        return series.astype(object).map(str).to_numpy(dtype=object)
    numbers = series.to_numpy(dtype=np.float64)
    if np.isinf(numbers).any():
        raise SegkitValueError(
            f"{_OWNER}: {name} is infinite in {int(np.isinf(numbers).sum()):,} of {len(numbers):,} "
            "rows. Correct or drop these rows."
        )
    return numbers
