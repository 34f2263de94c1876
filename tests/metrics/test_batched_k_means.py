"""K-means of many tables at once, and the criteria of its partitions, beside scikit-learn's."""

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.metrics import calinski_harabasz_score, davies_bouldin_score, silhouette_score

from segkit.metrics._batched_k_means import (
    ClusterCounts,
    Partitions,
    batched_k_means,
    k_means_runs,
)
from segkit.metrics._partition_criteria import (
    calinski_harabasz,
    davies_bouldin,
    log_determinant_ratios,
    silhouettes,
)

COUNTS = ClusterCounts(tuple(range(2, 11)))


@pytest.fixture(scope="module")
def tables():
    rng = np.random.default_rng(0)
    centers = rng.normal(size=(5, 3)) * 4
    blobs = centers[rng.integers(5, size=400)] + rng.normal(size=(400, 3))
    return np.stack([blobs, rng.random((400, 3)), rng.normal(size=(400, 3))])


@pytest.fixture(scope="module")
def partitions(tables):
    return batched_k_means(tables, COUNTS, n_init=6, rng=np.random.default_rng(0))


def test_inertia_is_that_of_scikit_learn_within_two_percent(tables, partitions):
    for table, inertia in zip(tables, partitions.inertia, strict=True):
        expected = [KMeans(k, n_init=10, random_state=0).fit(table).inertia_ for k in COUNTS.counts]
        assert (inertia / expected).max() < 1.02


def test_place_and_scale_of_a_table_do_not_matter(tables, partitions):
    # In single precision, 10^7 has no place for the digits of rows around it.
    moved = batched_k_means(tables * 1e-3 + 1e7, COUNTS, n_init=6, rng=np.random.default_rng(0))
    np.testing.assert_allclose(moved.inertia, partitions.inertia * 1e-6, rtol=1e-3)
    np.testing.assert_allclose(moved.centers[0, :2], partitions.centers[0, :2] * 1e-3 + 1e7)
    assert (moved.members[0] == partitions.members[0]).mean() > 0.99


def test_each_run_ends_where_scikit_learn_does_from_the_same_start(tables):
    table = tables[0]
    starts = [table[:4], table[4:8], table[50:54]]
    options = {"n_init": 2, "rng": np.random.default_rng(0), "max_iter": 300, "tolerance": 0.0}
    found = k_means_runs(table[None], ClusterCounts((4,)), starts=starts, **options)
    assert found.centers.shape == (1, 5, 4, 3)
    for start, centers, inertia in zip(
        starts, found.centers[0, 2:], found.inertia[0, 2:, 0], strict=True
    ):
        expected = KMeans(4, init=start, n_init=1, tol=0, algorithm="lloyd").fit(table)
        np.testing.assert_allclose(centers, expected.cluster_centers_, atol=1e-4)
        assert inertia == pytest.approx(expected.inertia_, rel=1e-4)


def test_each_row_is_in_the_nearest_cluster_of_each_number(tables, partitions):
    for i, block in enumerate(COUNTS.blocks):
        np.testing.assert_array_equal(partitions.members[:, block].sum(axis=1), 1)
        distances = np.linalg.norm(tables[0][:, None] - partitions.centers[0, block], axis=2)
        chosen = distances[np.arange(len(distances)), partitions.labels(0, i)]
        np.testing.assert_allclose(chosen, distances.min(axis=1), rtol=1e-4)


def test_rows_at_one_place_are_in_one_cluster_of_each_number():
    table = np.zeros((1, 12, 2))
    table[0, 6:] = 1
    found = batched_k_means(table, COUNTS, n_init=2, rng=np.random.default_rng(0))
    for block in COUNTS.blocks:
        np.testing.assert_array_equal(found.members[0, block].sum(axis=0), 1)
        assert len(np.unique(found.members[0, block], axis=1).T) == 2


@pytest.mark.parametrize(
    ("criterion", "score"),
    [
        (silhouettes, silhouette_score),
        (calinski_harabasz, calinski_harabasz_score),
        (davies_bouldin, davies_bouldin_score),
    ],
)
def test_criteria_are_those_of_scikit_learn(tables, partitions, criterion, score):
    for i, table in enumerate(tables):
        expected = [score(table, partitions.labels(i, j)) for j in range(len(COUNTS))]
        np.testing.assert_allclose(criterion(table, partitions.members[i], COUNTS), expected)


def test_a_cluster_of_one_row_has_a_silhouette_of_nought():
    table, labels = np.array([[0.0], [1.0], [9.0]]), np.array([0, 0, 1])
    members = np.eye(2)[labels].T
    expected = silhouette_score(table, labels)
    assert silhouettes(table, members, ClusterCounts((2,)))[0] == pytest.approx(expected)


def test_determinants_are_those_of_the_scatter_matrices(tables, partitions):
    found = log_determinant_ratios(tables, partitions.members, partitions.counts, ridge=0)
    for i, table in enumerate(tables):
        total = np.linalg.det(np.cov(table.T) * (len(table) - 1))
        for j in range(len(COUNTS)):
            labels = partitions.labels(i, j)
            within = sum(
                np.cov(table[labels == label].T, bias=True) * (labels == label).sum()
                for label in np.unique(labels)
            )
            assert found[i, j] == pytest.approx(np.log(total / np.linalg.det(within)))


def test_determinants_do_not_see_units_and_correlation(tables, partitions):
    mixed = tables @ np.array([[1, 2, 0], [0, 10, 3], [0, 0, 100]])
    one, other = (
        log_determinant_ratios(X, partitions.members, partitions.counts, ridge=0)
        for X in (tables, mixed)
    )
    np.testing.assert_allclose(one, other)


def test_an_empty_cluster_counts_for_nothing():
    table = np.array([[0.0, 0.0], [1.0, 0.5], [4.0, 4.5], [5.0, 4.0], [5.0, 5.0]])
    counts = ClusterCounts((2, 3))
    two = np.eye(2)[[0, 0, 1, 1, 1]].T
    members = np.concatenate([two, two, np.zeros((1, 5))]).astype(np.float32)
    for criterion in (silhouettes, davies_bouldin):
        with_two, with_empty = criterion(table, members, counts)
        assert with_two == with_empty
    partitions = Partitions(
        counts, members[None], np.empty((1, 5, 2), np.float32), np.empty((1, 2))
    )
    ratios = log_determinant_ratios(table[None], partitions.members, partitions.counts)[0]
    assert ratios[0] == pytest.approx(ratios[1])
