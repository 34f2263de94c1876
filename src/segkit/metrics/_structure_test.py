"""Whether a table has clusters at all: a test against clouds without any."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.stats import t as student

from segkit._storage._tables import with_plain_tables, with_tables
from segkit.exceptions import SegkitValueError
from segkit.metrics._arguments import Floats, read_count, read_matrix, read_random_state
from segkit.metrics._batched_k_means import ClusterCounts, batched_k_means
from segkit.metrics._partition_criteria import log_determinant_ratios
from segkit.metrics._preparation import (
    check_varied,
    columns_of_categories,
    n_rows_within,
    prepare,
    read_counts,
    sample_rows,
    scale_within,
    trim,
)
from segkit.metrics._references import REFERENCES, draw_references
from segkit.metrics._threads import one_thread

_OWNER = "structure_test"

#: Structure is claimed where log det W falls by this much more than in any reference: a fifth.
LEAST_EXCESS = 0.2
# References are compared in tables of so many rows, of which the data give up to three.
_ROWS = 500
_PARTS = 3
# Smaller tables get more references, which take the same time.
_MOST_REPEATS = 2.5
# Spreads of a few draws are uncertain. None is taken to be smaller.
_LEAST_SPREAD = 0.02
# With fewer, the covariance that the references keep is not known.
_ROWS_PER_COLUMN = 2
_N_INIT = 2
_MAX_ITER = 15


@dataclass(frozen=True, eq=False)
class StructureTest:
    """The result of :func:`structure_test`.

    Attributes
    ----------
    has_structure : bool
        True where `p_value` is at most ``alpha`` and `excess` at least 0.2.
    p_value : float
        How often a table without clusters would look so clustered at any number of clusters.
    statistic : float
        How many spreads of the references the table lies beyond the nearest of them, at the number
        of clusters where that is most.
    excess : float
        How much farther log det W falls than in the nearest reference, at the number of clusters
        where that is most. A significant difference that is smaller than 0.2 is none of use.
    evidence : pandas.DataFrame
        A row for each preparation of the columns and number of clusters: log det T − log det W
        as `observed`, the mean and the spread of it under each reference, and their distance from
        what is observed: `z`, in spreads, and `excess`, both to the nearest reference.

    Examples
    --------
    >>> import numpy as np
    >>> from segkit.metrics import structure_test
    >>> rng = np.random.default_rng(0)
    >>> result = structure_test(rng.normal(size=(300, 2)), random_state=0)
    >>> list(result.evidence)[:5]
    ['preparation', 'n_clusters', 'observed', 'gaussian_mean', 'gaussian_spread']
    """

    has_structure: bool
    p_value: float
    statistic: float
    excess: float
    evidence: pd.DataFrame

    def __getstate__(self) -> dict[str, Any]:
        return with_plain_tables(vars(self))

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(with_tables(state))


def structure_test(
    X: ArrayLike,
    *,
    n_clusters_range: tuple[int, int] = (2, 10),
    alpha: float = 0.01,
    n_references: int = 20,
    sample_size: int = 1500,
    random_state: int | np.random.RandomState | None = None,
) -> StructureTest:
    """Test whether customers form groups, or are a cloud that any clustering would only slice.

    Every clustering of a cloud returns as many clusters as it was asked for. This test asks whether
    k-means explains more of the table than of tables without groups that are like it in what is not
    structure: their spread and correlation, their bounds, their skew, tails and ties.

    Parameters
    ----------
    X : array-like or eager frame of shape (n_samples, n_features)
        The rows, unscaled or scaled: the units of columns change nothing. A category is a column of
        0 and 1 for each of its levels, side by side. Columns that don't vary are left out.
    n_clusters_range : tuple of two int, default=(2, 10)
        The least and the largest number of clusters that are tried. Numbers that the rows do not
        allow are left out.
    alpha : float, default=0.01
        Highest `p_value` at which structure is claimed.
    n_references : int, default=20
        Draws of each of the three references, at least 5. Of less than 500 rows up to 2.5 times as
        many are drawn, which take no longer.
    sample_size : int, default=1500
        Rows that are looked at, at least 20; of a larger table they are drawn at random.
    random_state : int, RandomState instance or None, default=None
        Draws the sample, the references and the starts of k-means.

    Returns
    -------
    StructureTest
        The decision, the p-value, and what they rest on.

    Raises
    ------
    SegkitValueError
        Where X has too few rows, missing or infinite values, or no column that varies, and where a
        parameter is out of range.
    SegkitTypeError
        Where X does not hold numbers, or a parameter is of the wrong type.

    See Also
    --------
    number_of_clusters : The number of clusters, which takes two for the least.

    Notes
    -----
    The statistic is log det T − log det W of Friedman & Rubin [1]_, T the scatter matrix of the
    table and W that within the clusters of k-means: neither the scale of columns nor correlation
    changes it. It is compared, for each number of clusters, with its mean in draws of three
    references: a Gaussian cloud of the same covariance, a box along the principal axes (both of
    [2]_), and the table's own margins, each made unimodal by isotonic regression, under the
    correlation of their normal scores. The reference that comes nearest counts, so that whatever
    one of them explains is no structure.

    Before, equal values are spread evenly to halfway to their neighbours (a lattice of counts is
    no structure), the hundredth of the rows farthest out is left out, and columns are scaled
    half-way to equal spread within clusters. All of it is done twice, with columns as they are and
    with columns whose skewness is 1 or more under the logarithm that takes it out, and the two
    results are averaged. The p-value is Student's for a new draw, times the number of numbers of
    clusters (Bonferroni).

    The levels of a category weigh as one column, and stay together in the references, where they
    have nothing to do with other columns. So categories alone are no structure; that customers of
    one level differ much in their numbers, or in other categories, is.

    Up to `sample_size` rows, their order changes nothing; of more, it changes which are drawn.

    Where X has less than two rows per column, nothing is claimed and the p-value is 1: the
    references need the covariance, which so few rows don't determine.

    Columns that depend on each other along a curve are taken for structure, since none of the
    references bends; so may be columns that are a sum or a bound of others, such as recency and
    tenure, which are equal for all who bought once.

    References
    ----------
    .. [1] Friedman, H. P. & Rubin, J. (1967), "On some invariant criteria for grouping data",
       Journal of the American Statistical Association 62, 1159-1178.
    .. [2] Tibshirani, R., Walther, G. & Hastie, T. (2001), "Estimating the number of clusters in a
       data set via the gap statistic", Journal of the Royal Statistical Society B 63, 411-423.

    Examples
    --------
    >>> import numpy as np
    >>> from segkit.metrics import structure_test
    >>> rng = np.random.default_rng(0)
    >>> cloud = rng.normal(size=(400, 3))
    >>> structure_test(cloud, random_state=0).has_structure
    False
    >>> groups = cloud + 6 * rng.integers(3, size=400)[:, None]
    >>> structure_test(groups, random_state=0).has_structure
    True
    """
    matrix = read_matrix(X, owner=_OWNER)
    _check_alpha(alpha)
    read_count(n_references, least=5, name="n_references", owner=_OWNER)
    read_count(sample_size, least=20, name="sample_size", owner=_OWNER)
    rng = np.random.default_rng(
        read_random_state(random_state, owner=_OWNER).randint(np.iinfo(np.int32).max)
    )
    sample = sample_rows(matrix, sample_size, rng)
    check_varied(sample, owner=_OWNER)
    n_rows = min(n_rows_within(len(sample)), _ROWS)
    counts = read_counts(n_clusters_range, n_rows=n_rows, owner=_OWNER)
    repeats = min(max(_ROWS / len(sample), 1), _MOST_REPEATS)
    n_draws = round(n_references * repeats)
    categories = columns_of_categories(sample)
    with one_thread():
        plain, deskewed = (
            _compare(
                scale_within(trim(columns), counts, rng, categories),
                counts,
                n_draws,
                rng,
                categories,
            )
            for columns in prepare(sample, rng)
        )
    z = (plain["z"].max() + deskewed["z"].max()) / 2
    excess = float((plain["excess"].max() + deskewed["excess"].max()) / 2)
    # The spread is estimated from the draws of two references' worth, and the table is one more.
    tail = student.sf(z / np.sqrt(1 + 1 / n_draws), 2 * (n_draws - 1))
    p_value = min(1.0, len(counts) * float(tail))
    if len(sample) < _ROWS_PER_COLUMN * sample.shape[1]:
        p_value = 1.0
    plain.insert(0, "preparation", "plain")
    deskewed.insert(0, "preparation", "deskewed")
    return StructureTest(
        has_structure=p_value <= alpha and excess >= LEAST_EXCESS,
        p_value=p_value,
        statistic=float(z),
        excess=excess,
        evidence=pd.concat([plain, deskewed], ignore_index=True),
    )


def _check_alpha(alpha: Any) -> None:
    if not isinstance(alpha, int | float) or not 0 < alpha < 1:
        raise SegkitValueError(f"{_OWNER}: alpha must be a number between 0 and 1, got {alpha!r}.")


def _compare(
    X: Floats,
    counts: ClusterCounts,
    n_draws: int,
    rng: np.random.Generator,
    categories: Sequence[Sequence[int]],
) -> pd.DataFrame:
    """Return a row for each number of clusters: what is observed, and what is so in references."""
    n_rows = min(len(X), _ROWS)
    n_parts = min(len(X) // n_rows, _PARTS)
    parts = (
        [X[i * n_rows : (i + 1) * n_rows] for i in range(n_parts)]
        if n_parts > 1
        else [X[rng.permutation(len(X))[:n_rows]] for _ in range(_PARTS)]
    )
    tables = np.concatenate([parts, draw_references(X, n_draws, n_rows, rng, categories)])
    partitions = batched_k_means(tables, counts, n_init=_N_INIT, rng=rng, max_iter=_MAX_ITER)
    ratios = log_determinant_ratios(tables, partitions.members, partitions.counts)
    observed = ratios[: len(parts)].mean(axis=0)
    drawn = ratios[len(parts) :].reshape(len(REFERENCES), n_draws, len(counts))
    means, variances = drawn.mean(axis=1), drawn.var(axis=1, ddof=1)
    # Half of each variance is that of all numbers of clusters together, which is less uncertain.
    variances = (variances + variances.mean(axis=1, keepdims=True)) / 2
    spreads = np.maximum(np.sqrt(variances), _LEAST_SPREAD)
    columns = {"n_clusters": np.asarray(counts), "observed": observed}
    for name, mean, spread in zip(REFERENCES, means, spreads, strict=True):
        columns |= {f"{name}_mean": mean, f"{name}_spread": spread}
    beyond = observed - means
    columns |= {"z": (beyond / spreads).min(axis=0), "excess": beyond.min(axis=0)}
    return pd.DataFrame(columns)
