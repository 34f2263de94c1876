"""How strongly segments differ in a variable: effect sizes, from 0 (not at all) to 1."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.stats import norm, rankdata

from segkit.exceptions import (
    MissingValuesError,
    SegkitError,
    SegkitTypeError,
    SegkitValueError,
)
from segkit.metrics._arguments import Codes, Floats, as_floats, read_column, read_labels


def epsilon_squared(values: ArrayLike, labels: ArrayLike) -> float:
    """Tell how much of the order of a numeric variable the segments explain: ε².

    Parameters
    ----------
    values : array-like of shape (n_samples,)
        Finite numbers.
    labels : array-like of shape (n_samples,)
        The segments, as numbers or text; rows with the label -1 have none and no part in it.

    Returns
    -------
    float
        H / (n - 1), from 0 to 1; NaN for fewer than two segments, and where all values are equal.

    Raises
    ------
    SegkitTypeError, SegkitValueError, MissingValuesError
        For values that are no finite numbers, and for labels that are missing or do not fit.

    See Also
    --------
    omega_squared : The same of the values themselves.

    Notes
    -----
    H is the statistic of Kruskal & Wallis (1952), corrected for ties; ε² is as in [1]_. By ranks,
    the scale of the variable and its outliers don't matter.

    References
    ----------
    .. [1] M. Tomczak & E. Tomczak (2014). "The need to report effect size estimates revisited".
       Trends in Sport Sciences 21, 19-25.

    Examples
    --------
    >>> from segkit.metrics import epsilon_squared
    >>> round(epsilon_squared([1, 2, 3, 10, 11, 12], ["a", "a", "a", "b", "b", "b"]), 4)
    0.7714
    """
    numbers, codes = _read(values, labels, owner="epsilon_squared")
    ranks = rankdata(numbers)
    # The share of the ranks' variance between the segments: with ties it is H / (n - 1), too.
    return _share_between(ranks, codes)[0]


def omega_squared(values: ArrayLike, labels: ArrayLike) -> float:
    """Tell how much of the variance of a numeric variable the segments explain: ω².

    Parameters
    ----------
    values : array-like of shape (n_samples,)
        Finite numbers.
    labels : array-like of shape (n_samples,)
        The segments, as numbers or text; rows with the label -1 have none and no part in it.

    Returns
    -------
    float
        From 0 to 1; NaN for fewer than two segments, for segments of one row each, and where all
        values are equal.

    Raises
    ------
    SegkitTypeError, SegkitValueError, MissingValuesError
        For values that are no finite numbers, and for labels that are missing or do not fit.

    See Also
    --------
    epsilon_squared : The same of the ranks of the values.

    Notes
    -----
    The share of the variance between segments, less what chance alone would give [1]_; where that
    is less than nothing, it is 0.

    References
    ----------
    .. [1] W. L. Hays (1963). "Statistics for psychologists". Holt, Rinehart and Winston.

    Examples
    --------
    >>> from segkit.metrics import omega_squared
    >>> round(omega_squared([1, 2, 3, 10, 11, 12], ["a", "a", "a", "b", "b", "b"]), 4)
    0.9526
    """
    numbers, codes = _read(values, labels, owner="omega_squared")
    share, n_segments = _share_between(numbers, codes)
    return omega_of_share(share, len(numbers), n_segments)


def cramers_v(values: ArrayLike, labels: ArrayLike, *, bias_corrected: bool = True) -> float:
    """Tell how strongly segments and a categorical variable go together: Cramér's V.

    Parameters
    ----------
    values : array-like of shape (n_samples,)
        Categories: text, numbers or booleans.
    labels : array-like of shape (n_samples,)
        The segments, as numbers or text; rows with the label -1 have none and no part in it.
    bias_corrected : bool, default=True
        Whether what chance alone would give is taken off [2]_. Without, V grows with the number of
        categories and of segments where nothing goes together.

    Returns
    -------
    float
        From 0 to 1; NaN for a single segment or category, and where, less what chance alone would
        give, nothing is left to tell: each row has a category, or a segment, of its own.

    Raises
    ------
    SegkitTypeError, SegkitValueError, MissingValuesError
        For labels or categories that are missing, of several types or do not fit.

    References
    ----------
    .. [1] H. Cramér (1946). "Mathematical methods of statistics". Princeton University Press.
    .. [2] W. Bergsma (2013). "A bias-correction for Cramér's V and Tschuprow's T". Journal of the
       Korean Statistical Society 42, 323-328.

    Examples
    --------
    >>> from segkit.metrics import cramers_v
    >>> channels = ["web"] * 30 + ["shop"] * 10 + ["web"] * 10 + ["shop"] * 30
    >>> segments = ["a"] * 40 + ["b"] * 40
    >>> round(cramers_v(channels, segments, bias_corrected=False), 2)
    0.5
    >>> round(cramers_v(channels, segments), 2)
    0.49
    """
    owner = "cramers_v"
    if not isinstance(bias_corrected, bool | np.bool_):
        raise SegkitTypeError(
            f"{owner}: bias_corrected must be True or False, got {type(bias_corrected).__name__}."
        )
    categories = read_column(values, owner=owner, name="values")
    segments = read_labels(labels, len(categories), owner=owner)
    if missing := int(pd.isna(categories).sum()):
        raise MissingValuesError(
            f"{owner}: values are missing in {missing:,} of {len(categories):,} rows. Drop these "
            "rows, with their labels, or make a category of them."
        )
    kinds = read_labels(categories.astype(str), len(categories), owner=owner, name="values")
    inside = segments.codes >= 0
    return v_of_table(
        contingency(segments.codes[inside], kinds.codes[inside]), bias_corrected=bias_corrected
    )


def contingency(rows: Codes, columns: Codes) -> Floats:
    """Return how often each pair of codes occurs, without rows and columns of zeros."""
    if not len(rows):
        return np.zeros((0, 0))
    n_columns = int(columns.max()) + 1
    counts = np.bincount(rows * n_columns + columns, minlength=(int(rows.max()) + 1) * n_columns)
    table = counts.reshape(-1, n_columns).astype(np.float64)
    kept: Floats = table[table.any(axis=1)][:, table.any(axis=0)]
    return kept


def v_of_table(table: Floats, *, bias_corrected: bool = True) -> float:
    """Return Cramér's V of a table of counts, without rows and columns of zeros."""
    n_rows, n_columns = table.shape
    total = table.sum()
    if min(table.shape) < 2 or (bias_corrected and total < 2):
        return float("nan")
    phi_squared = chi_squared_of_table(table) / total
    if not bias_corrected:
        return float(np.sqrt(phi_squared / (min(table.shape) - 1)))
    by_chance = (n_rows - 1) * (n_columns - 1) / (total - 1)
    rows = n_rows - (n_rows - 1) ** 2 / (total - 1)
    columns = n_columns - (n_columns - 1) ** 2 / (total - 1)
    most = min(rows, columns) - 1
    return float(np.sqrt(max(0.0, phi_squared - by_chance) / most)) if most > 0 else float("nan")


def chi_squared_of_table(table: Floats) -> float:
    """Return Pearson's χ² of a table of counts, without rows and columns of zeros."""
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0) / table.sum()
    return float((np.square(table - expected) / expected).sum())


def omega_of_share(share: float, n_rows: int, n_segments: int) -> float:
    """Return ω², given the share of the variance that lies between segments."""
    n_within = n_rows - n_segments
    if np.isnan(share) or n_within < 1:
        return float("nan")
    variance_within = (1 - share) / n_within
    return max(0.0, (share - (n_segments - 1) * variance_within) / (1 + variance_within))


def _read(values: Any, labels: Any, *, owner: str) -> tuple[Floats, NDArray[np.intp]]:
    """Return the numbers of rows in a segment, and codes without gaps."""
    try:
        numbers = as_floats(read_column(values, owner=owner, name="values"))
    except SegkitError:
        raise
    except (TypeError, ValueError, OverflowError):
        raise SegkitTypeError(f"{owner}: values must be numbers.") from None
    if not np.isfinite(numbers).all():
        missing = int(np.isnan(numbers).sum())
        kind = MissingValuesError if missing else SegkitValueError
        raise kind(
            f"{owner}: values are NaN or infinite in {int((~np.isfinite(numbers)).sum()):,} of "
            f"{len(numbers):,} rows. Impute or drop these rows, with their labels."
        )
    codes = read_labels(labels, len(numbers), owner=owner).codes
    inside = codes >= 0
    return numbers[inside], np.unique(codes[inside], return_inverse=True)[1]


def _share_between(numbers: Floats, codes: NDArray[np.intp]) -> tuple[float, int]:
    """Return the share of the variance that lies between segments, and how many there are."""
    n_segments = int(codes.max(initial=-1)) + 1
    if n_segments < 2 or np.ptp(numbers) == 0:
        return float("nan"), n_segments
    centred = (numbers - numbers.mean()) / np.abs(numbers - numbers.mean()).max()
    sums = np.bincount(codes, weights=centred)
    between = float((sums**2 / np.bincount(codes)).sum())
    return min(1.0, between / float(np.square(centred).sum())), n_segments


def standardised_difference(
    one: tuple[Any, Any, Any], other: tuple[Any, Any, Any], confidence: float
) -> tuple[Any, Any, Any]:
    """Return Hedges' g of two groups (or arrays of groups), and its interval.

    Each group is its number of values, their mean and their variance (of n - 1). The difference of
    the means is in pooled standard deviations, less the bias of few values; the interval is the
    approximate one of Hedges & Olkin (1985), "Statistical methods for meta-analysis". NaN where
    nothing varies.
    """
    (n_one, mean_one, variance_one), (n_other, mean_other, variance_other) = one, other
    n_one, n_other = np.asarray(n_one, dtype=float), np.asarray(n_other, dtype=float)
    freedom = n_one + n_other - 2
    with np.errstate(invalid="ignore", divide="ignore"):
        pooled = ((n_one - 1) * variance_one + (n_other - 1) * variance_other) / freedom
        difference = (mean_one - mean_other) / np.sqrt(np.where(pooled > 0, pooled, np.nan))
        g = difference * (1 - 3 / (4 * freedom - 1))
        error = np.sqrt((n_one + n_other) / (n_one * n_other) + g**2 / (2 * (n_one + n_other)))
    half = norm.ppf((1 + confidence) / 2) * error
    return g, g - half, g + half
