"""The silhouette, in full and simplified."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.cluster import KMeans
from sklearn.datasets import load_iris, make_blobs
from sklearn.metrics import silhouette_score

import segkit.metrics._silhouette as module
from segkit.exceptions import MissingValuesError, SegkitError, SegkitTypeError, SegkitValueError
from segkit.metrics import silhouette, simplified_silhouette


@pytest.fixture(scope="module")
def clouds():
    """Rows of three clouds, and labellings of them with 2 to 5 clusters."""
    X, _ = make_blobs(700, 3, centers=3, cluster_std=2.0, random_state=0)
    return X, np.array([KMeans(k, n_init=1, random_state=0).fit(X).labels_ for k in range(2, 6)])


def test_it_is_that_of_scikit_learn(clouds, monkeypatch):
    X, labellings = clouds
    expected = [silhouette_score(X, labels) for labels in labellings]
    for tile in (64, 700, 1_024):
        monkeypatch.setattr(module, "_TILE", tile)
        np.testing.assert_allclose(silhouette(X, labellings), expected, rtol=0, atol=1e-10)
    assert silhouette(X, labellings[1]) == pytest.approx(expected[1], abs=1e-10)


def test_the_sample_is_that_of_scikit_learn(clouds):
    X, labellings = clouds
    expected = [silhouette_score(X, one, sample_size=200, random_state=7) for one in labellings]
    found = silhouette(X, labellings, sample_size=200, random_state=7)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-10)


def test_a_sample_larger_than_the_rows_is_all_rows(clouds):
    X, labellings = clouds
    assert silhouette(X, labellings[0], sample_size=10_000) == silhouette(X, labellings[0])


def test_rows_of_the_worked_example():
    # By hand: rows 0, 2 | 10. a = 2, 2; b = 10, 8; s = 0.8, 0.75; the lone row counts 0.
    found = silhouette([[0.0], [2.0], [10.0]], [0, 0, 1])
    assert found == pytest.approx((0.8 + 0.75 + 0) / 3)


def test_equal_rows_in_different_clusters_count_0():
    assert silhouette([[1.0], [1.0], [1.0], [1.0]], [0, 0, 1, 1]) == 0


def test_rows_with_label_minus_1_have_no_part():
    X, labels = load_iris().data, KMeans(3, n_init=1, random_state=0).fit(load_iris().data).labels_
    labels = labels.copy()
    labels[::7] = -1
    kept = labels >= 0
    expected = silhouette_score(X[kept], labels[kept])
    assert silhouette(X, labels) == pytest.approx(expected, abs=1e-10)
    assert silhouette(X, [labels, np.arange(150) % 2])[0] == pytest.approx(expected, abs=1e-10)


@given(seed=st.integers(0, 1_000), scale=st.floats(1e-3, 1e3), shift=st.floats(-1e3, 1e3))
def test_row_order_names_scale_and_place_do_not_matter(seed, scale, shift):
    rng = np.random.RandomState(seed)
    X, labels = rng.normal(size=(60, 2)), rng.randint(3, size=60)
    labels[:3] = [0, 1, 2]
    expected, simple = silhouette(X, labels), simplified_silhouette(X, labels)
    order = rng.permutation(60)
    names = np.array(["c", "a", "b"])[labels]
    assert silhouette(X[order], names[order]) == pytest.approx(expected, abs=1e-10)
    assert silhouette(X * scale + shift * scale, labels) == pytest.approx(expected, abs=1e-8)
    assert simplified_silhouette(X[order], names[order]) == pytest.approx(simple, abs=1e-10)
    assert simplified_silhouette(X * scale + shift * scale, labels) == pytest.approx(simple)


def test_far_from_zero_no_digits_are_lost():
    X, labels = load_iris().data, load_iris().target
    expected = silhouette(X, labels)
    assert silhouette(X + 1e6, labels) == pytest.approx(expected, abs=1e-7)


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_frames_are_read(frame):
    X, labels = load_iris().data, load_iris().target
    assert silhouette(frame(X), pd.Series(labels)) == silhouette(X, labels)


def naive_simplified(X, labels, centers, lone_counts_0):
    values = []
    for row, label in zip(X, labels, strict=True):
        distances = np.sqrt(((centers - row) ** 2).sum(axis=1))
        own, others = distances[label], np.delete(distances, label)
        lone = lone_counts_0 and (labels == label).sum() == 1
        values.append(0.0 if lone else (others.min() - own) / max(others.min(), own))
    return np.mean(values)


def test_simplified_is_the_naive_loop(clouds):
    X, labellings = clouds
    for labels in labellings:
        centers = np.array([X[labels == k].mean(axis=0) for k in range(labels.max() + 1)])
        expected = naive_simplified(X, labels, centers, True)
        assert simplified_silhouette(X, labels) == pytest.approx(expected, abs=1e-12)
        moved = centers + 0.5
        expected = naive_simplified(X, labels, moved, False)
        assert simplified_silhouette(X, labels, moved) == pytest.approx(expected, abs=1e-12)


def test_simplified_counts_a_lone_row_0_unless_its_centre_is_given():
    X, labels = np.array([[0.0], [2.0], [10.0]]), np.array([0, 0, 1])
    # By hand: centres 1 and 10; s = 8/9·…: (10 - 1)/10 = 0.9, (8 - 1)/8 = 0.875.
    assert simplified_silhouette(X, labels) == pytest.approx((0.9 + 0.875) / 3)
    assert simplified_silhouette(X, labels, [[1], [10]]) == pytest.approx((0.9 + 0.875 + 1) / 3)


def test_simplified_leaves_rows_with_label_minus_1_out():
    X, labels = np.array([[0.0], [2.0], [10.0], [12.0], [500.0]]), np.array([0, 0, 1, 1, -1])
    assert simplified_silhouette(X, labels) == simplified_silhouette(X[:4], labels[:4])
    centers = [[1], [11]]
    assert simplified_silhouette(X, labels, centers) == simplified_silhouette(X[:4], labels[:4])


@pytest.mark.parametrize("function", [silhouette, simplified_silhouette])
@pytest.mark.parametrize(
    ("X", "labels", "error", "message"),
    [
        ([[1.0], [2.0]], [0, 0], SegkitValueError, "at least 2 clusters, got 1"),
        ([[1.0], [2.0]], [-1, -1], SegkitValueError, "at least 2 clusters, got 0"),
        ([[1.0], [2.0]], [0, 1, 1], SegkitValueError, "labels must have"),
        ([[1.0], [np.nan]], [0, 1], MissingValuesError, "NaN or infinity in 1 of 2"),
        ([[1.0], [np.inf]], [0, 1], SegkitValueError, "NaN or infinity in 1 of 2"),
        ([["a"], ["b"]], [0, 1], SegkitTypeError, "X must hold numbers"),
        ([1.0, 2.0], [0, 1], SegkitValueError, "two dimensions"),
        ([[1.0], [2.0, 3.0]], [0, 1], SegkitValueError, "different lengths"),
        ([[1.0], [2.0]], [0, np.nan], MissingValuesError, "labels contains NaN"),
        ([[1.0], [2.0]], ["a", None], MissingValuesError, "missing values"),
        ([[1.0], [2.0]], [-1, -2], SegkitValueError, "below -1"),
        (pl.LazyFrame({"a": [1.0, 2.0]}), [0, 1], SegkitTypeError, "lazy frame"),
        (np.empty((0, 2)), [], SegkitValueError, "rows and columns"),
    ],
)
def test_mistakes_are_told(function, X, labels, error, message):
    with pytest.raises(error, match=message):
        function(X, labels)


def test_a_mistake_in_one_of_several_labellings_is_told_with_its_place():
    with pytest.raises(SegkitValueError, match="got 1 in labelling 1"):
        silhouette([[0.0], [1.0], [5.0]], [[0, 0, 1], [2, 2, 2]])
    with pytest.raises(SegkitValueError, match="as many labels in each labelling"):
        silhouette([[0.0], [1.0], [5.0]], [[0, 0, 1], [2, 2]])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sample_size": 1}, "sample_size must be an integer of at least 2"),
        ({"sample_size": 5.0}, "sample_size"),
        ({"sample_size": 2, "random_state": "x"}, "random_state must be"),
    ],
)
def test_wrong_options_are_told(options, message):
    with pytest.raises(SegkitError, match=message):
        silhouette([[0.0], [1.0], [5.0]], [0, 0, 1], **options)


@pytest.mark.parametrize(
    ("labels", "centers", "message"),
    [
        ([0, 1, 2], [[0.0], [1.0]], "from 0 to 1"),
        (["a", "b", "a"], [[0.0], [1.0]], "from 0 to 1"),
        ([0, 1, 1], [[0.0, 1.0], [1.0, 2.0]], "rows of 1 finite numbers"),
        ([0, 1, 1], [[0.0], [np.nan]], "finite"),
        ([0, 0, 0], [[0.0]], "at least 2 clusters"),
    ],
)
def test_wrong_centers_are_told(labels, centers, message):
    with pytest.raises(SegkitValueError, match=message):
        simplified_silhouette([[0.0], [1.0], [5.0]], labels, centers)
