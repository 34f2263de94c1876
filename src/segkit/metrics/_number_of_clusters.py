"""How many clusters a table has, from criteria that are weighed by how often they are right."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from segkit.metrics._arguments import Floats, read_count, read_matrix, read_random_state
from segkit.metrics._batched_k_means import ClusterCounts, batched_k_means
from segkit.metrics._partition_criteria import (
    calinski_harabasz,
    davies_bouldin,
    log_determinant_ratios,
    silhouettes,
)
from segkit.metrics._preparation import (
    check_varied,
    columns_of_categories,
    prepare,
    read_counts,
    sample_rows,
    scale_within,
)
from segkit.metrics._threads import one_thread

_OWNER = "number_of_clusters"
_N_INIT = 6
# What is drawn (ties, starts) moves the criteria of small tables, so it is drawn more often there.
_MOST_REPEATS = 5


@dataclass(frozen=True, eq=False)
class NumberOfClusters:
    """The result of :func:`number_of_clusters`.

    Attributes
    ----------
    n_clusters : int
        The number with the highest automatic score.
    scores : pandas.DataFrame
        A row for each number of clusters: `silhouette` and `calinski_harabasz` (the higher, the
        better), `davies_bouldin` and `marriott` (the lower, the better), and `auto`, from 0 to 1.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from segkit.metrics import number_of_clusters
    >>> result = number_of_clusters(load_iris().data, random_state=0)
    >>> int(result.scores["auto"].idxmax()) == result.n_clusters
    True
    """

    n_clusters: int
    scores: pd.DataFrame


def number_of_clusters(
    X: ArrayLike,
    *,
    n_clusters_range: tuple[int, int] = (2, 10),
    sample_size: int = 1000,
    random_state: int | np.random.RandomState | None = None,
) -> NumberOfClusters:
    """Find the number of clusters, two or more, that suits a table best.

    It takes a few hundredths of a second for any number of rows. Whether there are clusters at all
    is what :func:`structure_test` tells.

    Parameters
    ----------
    X : array-like or eager frame of shape (n_samples, n_features)
        The rows, unscaled or scaled: the units of columns change nothing. A category is a column of
        0 and 1 for each of its levels, side by side, which together weigh as one column. Columns
        that don't vary are left out.
    n_clusters_range : tuple of two int, default=(2, 10)
        The least and the largest number of clusters that are tried. Numbers that the rows do not
        allow are left out.
    sample_size : int, default=1000
        Rows that are looked at, at least 20; of a larger table they are drawn at random.
    random_state : int, RandomState instance or None, default=None
        Draws the sample and the starts of k-means.

    Returns
    -------
    NumberOfClusters
        The number, and the criteria of all numbers.

    Raises
    ------
    SegkitValueError
        Where X has too few rows, missing or infinite values, or no column that varies, and where a
        parameter is out of range.
    SegkitTypeError
        Where X does not hold numbers, or a parameter is of the wrong type.

    See Also
    --------
    structure_test : Whether there are clusters at all.

    Notes
    -----
    The criteria are the mean silhouette [1]_, the variance ratio of Caliński & Harabasz [2]_, the
    index of Davies & Bouldin [3]_, and Marriott's :math:`k^2 |W| / |T|` [4]_, with the scatter
    matrices within clusters and of all (a hundredth of the number of rows added to each diagonal
    element). The automatic score is half the silhouette, a quarter the variance ratio and a quarter
    the logarithm of Marriott's criterion, each as its place between its worst (0) and its best (1)
    number. These errors differ: the silhouette prefers few clusters, the variance ratio round ones
    of equal size, and Marriott's criterion sees clusters that are flat. Simulations in which the
    number of clusters is known chose the weights.

    The clusters are those of k-means, on columns in which equal values are spread evenly to halfway
    to their neighbours, which have a skewness of 1 or more taken out by a logarithm, and which are
    scaled half-way to equal spread within clusters, so that irrelevant columns weigh less. So the
    criteria are not those of clusters on the table as it is. Of tables with less than half of
    `sample_size` rows they are means over up to five draws.

    Up to `sample_size` rows, their order changes nothing; of more, it changes which are drawn.

    References
    ----------
    .. [1] Rousseeuw, P. J. (1987), "Silhouettes: a graphical aid to the interpretation and
       validation of cluster analysis", Journal of Computational and Applied Mathematics 20, 53-65.
    .. [2] Caliński, T. & Harabasz, J. (1974), "A dendrite method for cluster analysis",
       Communications in Statistics 3, 1-27.
    .. [3] Davies, D. L. & Bouldin, D. W. (1979), "A cluster separation measure", IEEE Transactions
       on Pattern Analysis and Machine Intelligence 1, 224-227.
    .. [4] Marriott, F. H. C. (1971), "Practical problems in a method of cluster analysis",
       Biometrics 27, 501-514.

    Examples
    --------
    >>> import numpy as np
    >>> from segkit.metrics import number_of_clusters
    >>> rng = np.random.default_rng(0)
    >>> centers = np.array([[0, 0], [8, 0], [0, 8], [8, 8]])
    >>> X = centers[rng.integers(4, size=600)] + rng.normal(size=(600, 2))
    >>> result = number_of_clusters(X, random_state=0)
    >>> result.n_clusters
    4
    >>> list(result.scores)
    ['silhouette', 'calinski_harabasz', 'davies_bouldin', 'marriott', 'auto']
    """
    matrix = read_matrix(X, owner=_OWNER)
    read_count(sample_size, least=20, name="sample_size", owner=_OWNER)
    rng = np.random.default_rng(
        read_random_state(random_state, owner=_OWNER).randint(np.iinfo(np.int32).max)
    )
    sample = sample_rows(matrix, sample_size, rng)
    check_varied(sample, owner=_OWNER)
    counts = read_counts(n_clusters_range, n_rows=len(sample), owner=_OWNER)
    n_draws = min(max(sample_size // len(sample), 1), _MOST_REPEATS)
    with one_thread():
        of_draws = [_criteria(sample, counts, rng) for _ in range(n_draws)]
    scores = pd.DataFrame(
        {name: np.mean([one[name] for one in of_draws], axis=0) for name in of_draws[0]},
        index=pd.Index(np.asarray(counts), name="n_clusters"),
    )
    scores["marriott"] = np.exp(-scores["marriott"])
    scores["auto"] = automatic_score(scores)
    return NumberOfClusters(counts.counts[int(scores["auto"].to_numpy().argmax())], scores)


def automatic_score(scores: pd.DataFrame) -> Floats:
    """Return half the silhouette, a quarter of two others, each from its worst to its best."""
    score: Floats = (
        0.5 * _share(scores["silhouette"].to_numpy())
        + 0.25 * _share(scores["calinski_harabasz"].to_numpy())
        + 0.25 * _share(-np.log(scores["marriott"].to_numpy()))
    )
    return score


def _criteria(sample: Floats, counts: ClusterCounts, rng: np.random.Generator) -> dict[str, Floats]:
    """Return the criteria of each number; of Marriott's minus the logarithm."""
    columns = scale_within(prepare(sample, rng)[1], counts, rng, columns_of_categories(sample))
    partitions = batched_k_means(columns[None], counts, n_init=_N_INIT, rng=rng)
    members = partitions.members[0]
    ratios = log_determinant_ratios(columns[None], partitions.members, partitions.counts)[0]
    return {
        "silhouette": silhouettes(columns, members, counts),
        "calinski_harabasz": calinski_harabasz(columns, members, counts),
        "davies_bouldin": davies_bouldin(columns, members, counts),
        "marriott": ratios - 2 * np.log(np.asarray(counts)),
    }


def _share(criterion: Floats) -> Floats:
    """Return where each value is between the lowest (0) and the highest (1)."""
    share: Floats = (criterion - criterion.min()) / max(np.ptp(criterion), 1e-12)
    return share
