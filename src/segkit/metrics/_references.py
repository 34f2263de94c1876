"""Tables without segments that are like a table in what is not structure.

The cloud and the box along the principal axes are those of Tibshirani, Walther & Hastie (2001),
"Estimating the number of clusters in a data set via the gap statistic". The third keeps the
columns' own margins, made unimodal, under the correlation of their normal scores, as a Gaussian
copula does.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.optimize import isotonic_regression
from scipy.special import ndtr, ndtri
from scipy.stats import rankdata

from segkit.metrics._arguments import Floats

#: The references, in the order of `draw_references`.
REFERENCES = ("gaussian", "box", "margins")

_NORMAL_SCORES = np.linspace(-4.5, 4.5, 400)
_BINS = 48
_MODES_TRIED = 12


def draw_references(
    X: Floats,
    n_draws: int,
    n_rows: int,
    rng: np.random.Generator,
    categories: Sequence[Sequence[int]] = (),
) -> Floats:
    """Return tables (3 * n_draws, n_rows, n_columns), as many of each of `REFERENCES`.

    `categories` are sets of columns that hold the levels of one category. These stay together, as
    they are in a row drawn for each of them, and have nothing to do with the other columns.
    """
    in_categories = [column for columns in categories for column in columns]
    numbers = np.setdiff1d(np.arange(X.shape[1]), in_categories)
    tables = np.empty((len(REFERENCES) * n_draws, n_rows, X.shape[1]))
    if numbers.size:
        tables[..., numbers] = _references_of_numbers(X[:, numbers], n_draws, n_rows, rng)
    for columns in categories:
        tables[..., columns] = X[:, columns][rng.integers(len(X), size=tables.shape[:2])]
    return tables


def _references_of_numbers(
    X: Floats, n_draws: int, n_rows: int, rng: np.random.Generator
) -> Floats:
    shape = (n_draws, n_rows, X.shape[1])
    mean = X.mean(axis=0)
    variances, axes = np.linalg.eigh(np.atleast_2d(np.cov(X.T)))
    gaussian = rng.standard_normal(shape) @ _root(variances, axes).T + mean
    scores = (X - mean) @ axes
    low, high = scores.min(axis=0), scores.max(axis=0)
    box = (low + (high - low) * rng.random(shape)) @ axes.T + mean
    normal_scores = ndtri(rankdata(X, axis=0) / (len(X) + 1))
    margins = rng.standard_normal(shape) @ _root(*_axes_of_correlation(normal_scores)).T
    for j, column in enumerate(X.T):
        margins[..., j] = np.interp(margins[..., j], _NORMAL_SCORES, unimodal_quantiles(column))
    return np.concatenate([gaussian, box, margins])


def _axes_of_correlation(X: Floats) -> tuple[Floats, Floats]:
    variances, axes = np.linalg.eigh(np.atleast_2d(np.corrcoef(X.T)))
    return variances, axes


def _root(variances: Floats, axes: Floats) -> Floats:
    root: Floats = axes * np.sqrt(np.maximum(variances, 0))
    return root


def unimodal_quantiles(column: Floats) -> Floats:
    """Return the quantiles, at normal scores from −4.5 to 4.5, of a column made unimodal.

    Its density is the unimodal one nearest to the column's histogram in least squares: an isotonic
    regression up to the mode and an antitonic one from there, the mode at one of the highest bins.
    """
    heights, edges = np.histogram(column, bins=_BINS)
    heights = heights.astype(np.float64)
    density, least = heights, np.inf
    for mode in np.argsort(-heights, kind="stable")[:_MODES_TRIED]:
        rising = isotonic_regression(heights[: mode + 1]).x
        falling = isotonic_regression(heights[mode:], increasing=False).x
        unimodal = np.concatenate([rising, falling[1:]])
        error = np.square(unimodal - heights).sum()
        if error < least:
            density, least = unimodal, error
    # A little everywhere, so that the distribution rises and can be inverted.
    reached = np.append(0.0, np.cumsum(density + 1e-9 * density.sum()))
    quantiles: Floats = np.interp(ndtr(_NORMAL_SCORES), reached / reached[-1], edges)
    return quantiles
