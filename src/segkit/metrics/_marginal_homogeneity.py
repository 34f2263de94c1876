"""Whether two tables, in which customers may be the same, are distributed alike over categories.

Customers who are in both tables make these dependent: χ² tests, which take every row for a
customer of its own, then find less than there is. Here a customer counts as one, whether in one
table or in both (K.-Y. Liang & S. L. Zeger 1986, "Longitudinal data analysis using generalized
linear models").
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

from segkit.metrics._arguments import Floats

# Eigenvalues below this part of those of independent samples are 0 but for rounding.
_DUST = 1e-9


@dataclass(frozen=True)
class MarginalHomogeneity:
    """The test of equal shares before and after, and what chance makes of the stability index.

    Attributes
    ----------
    statistic : float
        In χ² distributed, where nothing has changed.
    n_degrees : int
        Its degrees of freedom.
    p_value : float
        1 where there is but one category, or no customer has changed.
    weights : array of shape (n_categories,)
        Where nothing has changed, the stability index is about a sum of so many independent χ²
        variables of one degree of freedom, each times its weight.
    """

    statistic: float
    n_degrees: int
    p_value: float
    weights: Floats

    def index_by_chance(self, probability: float = 0.95) -> float:
        """Return a quantile of the stability index where nothing has changed.

        By the distribution a · χ² with the same mean and variance as the weighted sum
        (F. E. Satterthwaite 1946). Of independent samples all weights are 1 / n_before +
        1 / n_after, and this is the quantile of Yurdakul & Naranjo (2020).
        """
        total = float(self.weights.sum())
        if total <= 0:
            return 0.0
        scale = float((self.weights**2).sum()) / total
        return float(scale * chi2.ppf(probability, total / scale))


def marginal_homogeneity(
    before: NDArray[Any], after: NDArray[Any], in_both: NDArray[Any]
) -> MarginalHomogeneity:
    """Test whether categories have the same shares before and after.

    Parameters
    ----------
    before, after : array of shape (n_categories,)
        Customers of each category, in each table.
    in_both : array of shape (n_categories, n_categories)
        Customers who are in both tables, by their category before (rows) and after (columns).

    Returns
    -------
    MarginalHomogeneity
        With everybody in both tables, the test of Stuart and Maxwell [1]_ [2]_; with nobody,
        Pearson's χ² test.

    Notes
    -----
    With n customers before and m after, each has the influence y / m - x / n on the difference of
    shares, where x and y are the indicators of the categories less their pooled shares, and 0 in
    a table without the customer. The statistic is d' V⁻ d, with the differences d and the sum V of
    the outer products of the influences. Of independent samples V is (1 / n + 1 / m) times the
    multinomial covariance of the pooled shares, as in Pearson's test.

    References
    ----------
    .. [1] A. Stuart (1955). "A test for homogeneity of the marginal distributions in a two-way
       classification". Biometrika 42, 412-416.
    .. [2] A. E. Maxwell (1970). "Comparing the classification of subjects by two independent
       judges". British Journal of Psychiatry 116, 651-655.
    """
    occupied = (before + after) > 0
    before, after = before[occupied].astype(np.float64), after[occupied].astype(np.float64)
    in_both = in_both[np.ix_(occupied, occupied)].astype(np.float64)
    n, m, n_both = before.sum(), after.sum(), in_both.sum()
    pooled = (before + after) / (n + m)
    difference = after / m - before / n
    if not n_both:
        covariance = (1 / n + 1 / m) * (np.diag(pooled) - np.outer(pooled, pooled))
    else:
        cross = _products(in_both, in_both.sum(axis=1), in_both.sum(axis=0), pooled)
        covariance = (
            _products(np.diag(before), before, before, pooled) / n**2
            + _products(np.diag(after), after, after, pooled) / m**2
            - (cross + cross.T) / (n * m)
        )
    scales = 1 / np.sqrt(pooled)
    values, vectors = np.linalg.eigh(covariance * np.outer(scales, scales))
    is_there = values > _DUST * (1 / n + 1 / m)
    weights = np.where(is_there, values, 0.0)
    projected = vectors[:, is_there].T @ (difference * scales)
    statistic = float((projected**2 / values[is_there]).sum())
    n_degrees = int(is_there.sum())
    p_value = float(chi2.sf(statistic, n_degrees)) if n_degrees else 1.0
    return MarginalHomogeneity(statistic, n_degrees, p_value, weights)


def _products(joint: Floats, rows: Floats, columns: Floats, pooled: Floats) -> Floats:
    """Return the sum over customers of (x - pooled)(y - pooled)', given counts of pairs."""
    crossed = np.outer(rows, pooled) + np.outer(pooled, columns)
    found: Floats = joint - crossed + joint.sum() * np.outer(pooled, pooled)
    return found
