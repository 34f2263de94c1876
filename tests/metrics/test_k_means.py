"""The best solutions of k-means, beside scikit-learn's."""

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import KMeans
from sklearn.datasets import load_iris, make_blobs
from sklearn.metrics import (
    adjusted_rand_score,
    calinski_harabasz_score,
    davies_bouldin_score,
    silhouette_score,
)

from segkit.metrics._k_means import k_means, k_means_optima
from segkit.metrics._threads import one_thread


@pytest.fixture(scope="module")
def mall(data_folder):
    """Annual income and spending score of 200 customers."""
    return pd.read_csv(data_folder / "Mall_Customers.csv").iloc[:, 3:5].to_numpy(dtype=float)


@pytest.mark.realdata
def test_mall_customers_in_five_clusters(mall):
    # KMeans(5, n_init=100) of scikit-learn 1.9 on the raw columns, and its metrics.
    found = k_means(mall, 5, np.random.RandomState(0))
    assert found.inertia == pytest.approx(44_448.455, abs=1e-3)
    assert silhouette_score(mall, found.labels) == pytest.approx(0.553932, abs=1e-6)
    assert calinski_harabasz_score(mall, found.labels) == pytest.approx(247.3590, abs=1e-4)
    assert davies_bouldin_score(mall, found.labels) == pytest.approx(0.572563, abs=1e-6)


def test_iris_in_three_clusters():
    # KMeans(3, n_init=100) of scikit-learn 1.9.
    X, species = load_iris(return_X_y=True)
    found = k_means(X, 3, np.random.RandomState(0))
    assert calinski_harabasz_score(X, found.labels) == pytest.approx(561.6278, abs=1e-4)
    assert silhouette_score(X, found.labels) == pytest.approx(0.552819, abs=1e-6)
    assert adjusted_rand_score(species, found.labels) == pytest.approx(0.730238, abs=1e-6)


@pytest.mark.parametrize(("n_rows", "k"), [(60, 2), (400, 7), (5_000, 4)])
def test_inertia_is_that_of_scikit_learn(n_rows, k):
    X, _ = make_blobs(n_rows, 3, centers=k, cluster_std=2.0, random_state=k)
    with one_thread():
        theirs = KMeans(k, n_init=30, tol=0, random_state=0).fit(X)
    ours = k_means(X, k, np.random.RandomState(0), n_restarts=30)
    assert ours.inertia == pytest.approx(theirs.inertia_, rel=1e-4)
    assert ours.inertia == pytest.approx(((X - ours.centers[ours.labels]) ** 2).sum())


def test_optima_differ_and_come_best_first():
    rng = np.random.RandomState(0)
    X = rng.normal(size=(300, 4))
    optima = k_means_optima(X, 5, rng, n_restarts=30, most=6)
    costs = [((X[:, None] - one[None]) ** 2).sum(axis=2).min(axis=1).sum() for one in optima]
    assert 1 < len(optima) <= 6
    assert costs == sorted(costs)
    assert len({round(cost, 6) for cost in costs}) == len(costs)


def test_solutions_that_cannot_become_the_best_are_left_out():
    X, _ = make_blobs(600, centers=[[0, 0], [50, 0], [0, 50], [50, 50]], random_state=0)
    # Lloyd's steps stay where two centres share a cloud and one has two.
    stuck = np.array([[0.0, -1.0], [0.0, 1.0], [50.0, 25.0], [0.0, 50.0]])
    optima = k_means_optima(X, 4, np.random.RandomState(0), n_restarts=30, starts=[stuck])
    assert len(optima) == 1
    assert sorted(optima[0].round(-1).tolist()) == [[0, 0], [0, 50], [50, 0], [50, 50]]


def test_starts_are_tried_beside_those_drawn():
    X = np.random.RandomState(0).normal(size=(400, 3))

    def cost(n_restarts, starts=()):
        rng = np.random.RandomState(1)
        best = k_means_optima(X, 10, rng, n_restarts=n_restarts, most=1, starts=starts)[0]
        return ((X[:, None] - best[None]) ** 2).sum(axis=2).min(axis=1).sum(), best

    best, centers = cost(100)
    assert cost(1)[0] > best * 1.001
    assert cost(1, [centers])[0] == pytest.approx(best)


def test_as_many_clusters_as_different_rows():
    X = np.repeat([[0.0], [1.0], [5.0]], 4, axis=0)
    found = k_means(X, 3, np.random.RandomState(0))
    assert found.inertia == 0
    assert sorted(found.centers.ravel()) == [0, 1, 5]


def test_more_clusters_than_different_rows_end():
    found = k_means(np.ones((6, 2)), 3, np.random.RandomState(0))
    assert found.inertia == 0
