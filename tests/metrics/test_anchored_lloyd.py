"""Lloyd's algorithm from an anchor, beside a naive one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segkit.metrics._anchored_lloyd import AnchoredLloyd
from segkit.metrics._centers import cluster_means


def naive_lloyd(X, weights, centers):
    """Weighted Lloyd steps until nothing changes."""
    centers, labels = centers.copy(), None
    while True:
        squared = ((X[:, None, :] - centers[None]) ** 2).sum(axis=2)
        previous, labels = labels, squared.argmin(axis=1)
        if previous is not None and (labels == previous).all():
            return centers, labels
        for k in range(len(centers)):
            if weights[labels == k].sum() > 0:
                centers[k] = np.average(X[labels == k], axis=0, weights=weights[labels == k])


@given(
    seed=st.integers(0, 10_000),
    k=st.integers(1, 6),
    n_features=st.integers(1, 4),
    noise=st.floats(0, 3),
)
def test_lloyd_from_an_anchor_is_lloyd(seed, k, n_features, noise):
    rng = np.random.RandomState(seed)
    X = rng.normal(size=(80, n_features)) * 3 + 100
    anchored = X[rng.permutation(80)[:k]] + noise * rng.normal(size=(k, n_features))
    weights = rng.poisson(1.0, size=80).astype(float)
    anchor = AnchoredLloyd(X, anchored)
    solution = anchor.solve(weights, 0.0)
    labels = anchor.labels.copy()
    labels[solution.moved] = solution.moved_to
    by_row = np.empty(80, dtype=int)
    by_row[anchor.order] = labels
    # The first step of the anchor is the means of its own clusters, as in the naive one.
    centers, expected = naive_lloyd(X, weights, anchored)
    drawn = weights > 0
    np.testing.assert_allclose(solution.centers, centers, atol=1e-9)
    np.testing.assert_array_equal(by_row[drawn], expected[drawn])
    within = (weights * ((X - centers[expected]) ** 2).sum(axis=1)).sum()
    around = (weights * ((X - X.mean(axis=0)) ** 2).sum(axis=1)).sum()
    assert solution.explained == pytest.approx(around - within, rel=1e-6, abs=1e-6)


def test_rows_without_a_cluster_have_no_part_in_means():
    X = np.array([[0.0], [2.0], [100.0]])
    assert cluster_means(X, np.array([0, 0, -1]), 1).tolist() == [[1.0]]
