"""ClusterSegmenter on public tables, with answers that others have published."""

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_iris
from sklearn.metrics import adjusted_rand_score, davies_bouldin_score

from segkit import ClusterSegmenter, summarize_transactions
from segkit.exceptions import SegkitWarning
from segkit.metrics import bootstrap_jaccard


@pytest.fixture(scope="module")
def mall(data_folder):
    return pd.read_csv(data_folder / "Mall_Customers.csv").iloc[:, 3:]


@pytest.fixture(scope="module")
def households(data_folder):
    table = pd.read_csv(
        data_folder / "marketing_campaign_kaggle.csv", sep=";", encoding="utf-8-sig"
    )
    return table.drop(columns=["ID", "Dt_Customer"])


@pytest.mark.realdata
def test_mall_has_the_five_segments_of_everyone(mall):
    # Sums of squares of R's kmeans, indices of scikit-learn, on the raw columns.
    segmenter = ClusterSegmenter(preprocessor=None, random_state=0).fit(mall)
    assert segmenter.n_segments_ == 5
    assert segmenter.has_structure_
    assert segmenter.clusterer_.inertia_ == pytest.approx(44_448.455, abs=0.001)
    five = segmenter.selection_.loc[5]
    assert five["silhouette"] == pytest.approx(0.553932, abs=1e-6)
    assert five["calinski_harabasz"] == pytest.approx(247.3590, abs=1e-4)
    assert five["davies_bouldin"] == pytest.approx(0.572563, abs=1e-6)
    assert davies_bouldin_score(mall, segmenter.labels_) == pytest.approx(0.572563, abs=1e-6)
    prepared = ClusterSegmenter(random_state=0).fit(mall)
    assert prepared.n_segments_ == 5
    assert adjusted_rand_score(prepared.labels_, segmenter.labels_) > 0.95


@pytest.mark.realdata
def test_mall_segments_are_found_again(mall):
    segmenter = ClusterSegmenter(preprocessor=None, n_segments=5, random_state=0).fit(mall)
    found = bootstrap_jaccard(mall, segmenter.labels_, clusterer=segmenter, random_state=0)
    assert found["mean_jaccard"].min() > 0.9


def test_iris_in_three_is_as_published():
    iris = load_iris()
    segmenter = ClusterSegmenter(n_segments=3, preprocessor=None, random_state=0).fit(iris.data)
    assert adjusted_rand_score(iris.target, segmenter.labels_) == pytest.approx(0.730238, abs=1e-6)
    chosen = ClusterSegmenter(n_segments_range=(2, 4), preprocessor=None, random_state=0).fit(
        iris.data
    )
    assert chosen.selection_.loc[3, "silhouette"] == pytest.approx(0.552819, abs=1e-6)
    assert chosen.selection_.loc[3, "calinski_harabasz"] == pytest.approx(561.6278, abs=1e-4)


@pytest.mark.realdata
def test_households_with_all_their_dirt_are_segmented(households):
    before = households.copy()
    with pytest.warns(SegkitWarning, match=r"\['Z_CostContact', 'Z_Revenue'\] are constant"):
        segmenter = ClusterSegmenter(random_state=0).fit(households)
    pd.testing.assert_frame_equal(households, before)
    summary = segmenter.preprocessing_summary_.set_index("column")
    assert summary.loc["Income", "treatment"].startswith("missing as 5.138e+04")
    assert summary.loc["Marital_Status", "treatment"] == "one-hot, 6 levels, rare levels pooled"
    assert summary.loc["Complain", "treatment"] == "0 or 1"
    assert segmenter.n_segments_ == 2
    assert segmenter.has_structure_
    names = segmenter.predict_segments(households)
    for place in (0, 7, 2_000):  # with and without an income
        assert segmenter.predict_one(households.iloc[place].to_dict()) == names[place]


@pytest.mark.realdata
def test_shuffled_households_have_no_structure(households):
    rng = np.random.default_rng(0)
    shuffled = households.apply(lambda column: rng.permutation(column.array)).astype(
        households.dtypes
    )
    with pytest.warns(SegkitWarning) as raised:
        segmenter = ClusterSegmenter(random_state=0).fit(shuffled)
    assert segmenter.has_structure_ is False
    assert any("do not fall into groups" in str(one.message) for one in raised)


@pytest.mark.realdata
def test_buyers_of_online_retail_are_one_cloud(online_retail):
    customers = summarize_transactions(
        online_retail, order_id="order_id", as_of="2011-12-09", missing="drop"
    )
    buyers = customers[customers["monetary"] > 0]
    with pytest.warns(SegkitWarning, match="do not fall into groups"):
        segmenter = ClusterSegmenter(
            columns=["recency_days", "frequency", "monetary"], order_by="monetary", random_state=0
        ).fit(buyers)
    assert segmenter.has_structure_ is False
    assert segmenter.n_segments_ == 2
    means = buyers.groupby(segmenter.labels_)["monetary"].mean()
    assert means.is_monotonic_decreasing
