"""ClusterSegmenter: planted clusters found by any clusterer, and alike in every frame."""

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import HDBSCAN, AgglomerativeClustering, BisectingKMeans, KMeans
from sklearn.mixture import GaussianMixture

from frames import as_kind, rows_of
from segkit.exceptions import ColumnError
from segkit.segmenters import ClusterSegmenter

CLUSTERERS = [
    None,
    KMeans(),
    GaussianMixture(),
    BisectingKMeans(),
    AgglomerativeClustering(),
    HDBSCAN(copy=True),
]


@pytest.fixture(scope="module")
def planted():
    """Three groups of 60, 40 and 30 customers, far apart."""
    rng = np.random.default_rng(0)
    centres = zip([(0, 0), (10, 0), (0, 10)], (60, 40, 30), strict=True)
    points = np.vstack([rng.normal(centre, 0.5, (size, 2)) for centre, size in centres])
    return pd.DataFrame(points, columns=["a", "b"])


@pytest.mark.parametrize("clusterer", CLUSTERERS, ids=repr)
def test_planted_groups_are_found_largest_first(planted, clusterer):
    segmenter = ClusterSegmenter(clusterer, random_state=0, n_segments_range=(2, 5)).fit(planted)
    assert segmenter.labels_.tolist() == [0] * 60 + [1] * 40 + [2] * 30
    names = segmenter.predict_segments(planted).tolist()
    assert [segmenter.predict_one(row) for row in planted.to_dict("records")] == names


def test_order_by_puts_the_highest_mean_first(planted):
    segmenter = ClusterSegmenter(n_segments=3, order_by="b", random_state=0, names=["x", "y", "z"])
    assert segmenter.fit(planted).predict_one({"a": 0.0, "b": 10.0}) == "x"


def test_assign_is_alike_in_every_frame(planted, kind):
    table = planted.assign(a=lambda t: t["a"].where(t.index % 9 > 0))
    segmenter = ClusterSegmenter(n_segments=3, random_state=0).fit(table)
    expected = table.assign(segment=segmenter.predict_segments(table)).sort_values("b")
    assigned = rows_of(segmenter.assign(as_kind(table, kind)), "b")
    assert [row["cluster_segment"] for row in assigned] == expected["segment"].tolist()


def test_a_missing_column_is_named(planted):
    segmenter = ClusterSegmenter(n_segments=3, random_state=0).fit(planted)
    with pytest.raises(ColumnError, match="'b'"):
        segmenter.predict(planted[["a"]])
