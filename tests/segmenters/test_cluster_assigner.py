"""How new customers find the clusters of a clusterer that cannot predict."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.cluster import DBSCAN, HDBSCAN, AgglomerativeClustering

from segkit import ClusterSegmenter
from segkit.exceptions import SegkitWarning


def rings(n, rng):
    """A ball within a ring."""
    inside = np.arange(n) % 2 == 0
    radius = np.where(inside, 0.5 * rng.random(n), 4 + 0.3 * rng.random(n))
    angle = rng.uniform(0, 2 * np.pi, n)
    return np.column_stack([radius * np.cos(angle), radius * np.sin(angle)]), inside


class Coin(ClusterMixin, BaseEstimator):
    """Clusters that nobody could tell from the columns."""

    def fit(self, X, y=None):
        self.labels_ = np.random.default_rng(0).integers(2, size=len(X))
        return self


@pytest.fixture(scope="module")
def two_rings():
    X, inside = rings(400, np.random.default_rng(0))
    return pd.DataFrame(X, columns=["a", "b"]), inside


def test_neighbours_are_taken_where_centres_tell_less(two_rings):
    table, inside = two_rings
    ring = AgglomerativeClustering(linkage="single")
    segmenter = ClusterSegmenter(ring, n_segments=2, random_state=0).fit(table)
    new, new_inside = rings(200, np.random.default_rng(1))
    found = segmenter.predict(pd.DataFrame(new, columns=["a", "b"]))
    assert segmenter.assignment_accuracy_ == 1
    assert len({*zip(found, new_inside, strict=True)}) == 2
    assert len({*zip(segmenter.labels_, inside, strict=True)}) == 2


def test_centres_that_do_not_tell_are_warned_of(two_rings):
    ring = AgglomerativeClustering(linkage="single")
    with pytest.warns(SegkitWarning, match=r"cannot predict.*in \d\d% of cases only"):
        segmenter = ClusterSegmenter(ring, n_segments=2, assigner="centre", random_state=0).fit(
            two_rings[0]
        )
    assert segmenter.assignment_accuracy_ < 0.9


@pytest.mark.filterwarnings("ignore:ClusterSegmenter. the customers do not fall into groups")
def test_the_accuracy_is_that_of_held_out_customers():
    X = pd.DataFrame(np.random.default_rng(1).normal(size=(500, 2)), columns=["a", "b"])
    with pytest.warns(SegkitWarning, match="cannot predict"):
        segmenter = ClusterSegmenter(Coin(), n_segments="auto", random_state=0).fit(X)
    # Of a coin's two sides, a guess is right half the time, and not always.
    assert 0.4 < segmenter.assignment_accuracy_ < 0.6


@pytest.mark.parametrize("clusterer", [DBSCAN(eps=0.5), HDBSCAN(copy=True)])
def test_noise_stays_noise(clusterer):
    rng = np.random.default_rng(0)
    near = rng.normal(size=(150, 2)) * 0.3 + np.repeat([[0, 0], [10, 5]], [100, 50], axis=0)
    table = pd.DataFrame(np.r_[near, [[80.0, 90.0]]], columns=["a", "b"])
    segmenter = ClusterSegmenter(clusterer, preprocessor=None, random_state=0).fit(table)
    assert segmenter.labels_[-1] == -1
    assert segmenter.predict_segments(table)[-1] == "unassigned"
    unassigned = int((segmenter.labels_ < 0).sum())
    shares = segmenter.describe()["share_of_customers"]
    assert shares.sum() == pytest.approx(1 - unassigned / len(table))
    places = pd.DataFrame({"a": [0.0, 10.0, 81.0, 40.0], "b": [0.0, 5.0, 90.0, 40.0]})
    assert segmenter.predict(places).tolist() == [0, 1, -1, -1]
    assert segmenter.predict_one({"a": 300.0, "b": 0.0}) == "unassigned"


def test_customers_of_fit_are_told_what_the_clusterer_said(two_rings):
    clusterer = HDBSCAN(min_cluster_size=30, copy=True)
    segmenter = ClusterSegmenter(clusterer, random_state=0).fit(two_rings[0])
    own = segmenter.clusterer_.labels_
    assert np.bincount(segmenter.labels_ + 1).sum() == len(own)
    assert sorted(np.bincount(segmenter.labels_ + 1)) == sorted(np.bincount(own + 1))


def test_nothing_but_noise_is_said_to_be_that():
    X = pd.DataFrame(np.random.default_rng(0).normal(size=(100, 2)), columns=["a", "b"])
    with pytest.warns(SegkitWarning) as raised:
        segmenter = ClusterSegmenter(DBSCAN(eps=1e-6), random_state=0).fit(X)
    assert any("every customer for noise" in str(one.message) for one in raised)
    assert segmenter.n_segments_ == 0
    assert segmenter.predict_segments(X).tolist() == ["unassigned"] * 100
