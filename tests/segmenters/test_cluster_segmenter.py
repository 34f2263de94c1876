"""ClusterSegmenter: on the main paths, with clusterers that predict and that do not."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import AgglomerativeClustering, KMeans
from sklearn.metrics import adjusted_rand_score
from sklearn.mixture import GaussianMixture
from sklearn.utils.estimator_checks import check_estimator

from frames import as_kind, rows_of
from segkit import ClusterSegmenter
from segkit.exceptions import LazyFrameError, SegkitTypeError, SegkitValueError, SegkitWarning
from segkit.testing import check_segmenter

RNG = np.random.default_rng(0)
KIND = np.repeat([0, 1, 2], [120, 80, 50])
CENTRES = np.array([[20.0, 4.0], [80.0, 12.0], [20.0, 40.0]])
PLANTED = pd.DataFrame(
    CENTRES[KIND] + RNG.normal(size=(250, 2)) * [3.0, 1.0], columns=["spend", "visits"]
)


@pytest.fixture(scope="module")
def fitted():
    return ClusterSegmenter(random_state=0).fit(PLANTED)


def test_planted_segments_are_found_and_ordered_by_size(fitted):
    assert fitted.n_segments_ == 3
    assert fitted.has_structure_
    assert adjusted_rand_score(KIND, fitted.labels_) == 1
    assert np.bincount(fitted.labels_).tolist() == [120, 80, 50]
    assert len(set(fitted.segments_)) == 3
    assert fitted.selection_.index.tolist() == list(range(2, 11))


def test_a_cloud_is_said_to_be_one():
    cloud = pd.DataFrame(RNG.normal(size=(400, 3)), columns=["a", "b", "c"])
    with pytest.warns(SegkitWarning, match="do not fall into groups"):
        segmenter = ClusterSegmenter(random_state=0).fit(cloud)
    assert segmenter.has_structure_ is False
    assert segmenter.n_segments_ >= 2


def test_rows_in_another_order_get_the_same_codes_and_names(fitted):
    shuffled = PLANTED.sample(frac=1, random_state=0)
    again = ClusterSegmenter(random_state=0).fit(shuffled)
    assert again.predict(PLANTED).tolist() == fitted.labels_.tolist()
    assert again.segments_.tolist() == fitted.segments_.tolist()


def test_segments_can_be_ordered_by_a_column():
    segmenter = ClusterSegmenter(n_segments=3, order_by="visits", random_state=0).fit(PLANTED)
    means = PLANTED.groupby(segmenter.labels_)["visits"].mean()
    assert means.is_monotonic_decreasing


def test_every_frame_and_each_customer_alone_are_assigned_alike(fitted, kind):
    table = PLANTED.reset_index(names="row")
    names = fitted.predict_segments(PLANTED).tolist()
    if kind not in ("polars lazy", "duckdb"):
        table = PLANTED.assign(row=range(len(PLANTED)))
    assigned = rows_of(fitted.assign(as_kind(table, kind)), "row")
    assert [row["cluster_segment"] for row in assigned] == names
    assert [fitted.predict_one(row) for row in PLANTED.to_dict("records")] == names


def test_lazy_and_eager_agree_on_missing_and_skewed_values(lazy_kind):
    skewed = np.exp(RNG.normal(size=300) * 2)
    table = pd.DataFrame({"a": skewed, "b": RNG.normal(size=300), "row": range(300)})
    table.loc[::7, "b"] = np.nan
    segmenter = ClusterSegmenter(n_segments=4, random_state=0).fit(table[["a", "b"]])
    eager = segmenter.predict_segments(table)
    lazy = rows_of(segmenter.assign(as_kind(table, lazy_kind)), "row")
    assert [row["cluster_segment"] for row in lazy] == eager.tolist()
    alone = [segmenter.predict_one(row) for row in table.to_dict("records")]
    assert alone == eager.tolist()


@pytest.mark.parametrize("clusterer", [GaussianMixture(), AgglomerativeClustering(), KMeans()])
def test_any_clusterer_finds_them_and_assigns_new_customers(clusterer):
    segmenter = ClusterSegmenter(clusterer, n_segments=3, random_state=0).fit(PLANTED)
    new = pd.DataFrame(CENTRES, columns=["spend", "visits"])
    assert adjusted_rand_score(KIND, segmenter.labels_) == 1
    assert sorted(segmenter.predict(new).tolist()) == [0, 1, 2]
    assert segmenter.assignment_accuracy_ == 1


def test_a_mixture_is_not_asked_for_inside_a_query_engine():
    segmenter = ClusterSegmenter(GaussianMixture(), n_segments=3, random_state=0).fit(PLANTED)
    with pytest.raises(LazyFrameError, match="Collect the frame first"):
        segmenter.assign(as_kind(PLANTED, "polars lazy"))


def test_columns_of_any_type_become_numbers():
    n = len(PLANTED)
    table = PLANTED.assign(
        city=np.where(KIND == 1, "Rome", "Oslo"),
        grade=pd.Categorical(np.where(KIND == 2, "high", "low"), ["low", "high"], ordered=True),
        member=KIND == 0,
        constant=1.0,
    )
    table.loc[:4, "spend"] = np.nan
    with pytest.warns(SegkitWarning, match=r"\['constant'\] are constant"):
        segmenter = ClusterSegmenter(n_segments=3, random_state=0).fit(table)
    done = segmenter.preprocessing_summary_.set_index("column")
    assert done.loc["spend", "treatment"].startswith("missing as")
    assert done.loc["city", "kind"] == "categories"
    assert done.loc["constant", "n_features"] == 0
    features = segmenter._features(table)
    # One categorical weighs as one standardised number: variances that add up to 1.
    of_city = [i for i, f in enumerate(segmenter._preprocessing.features) if "city" in f]
    assert features[:, of_city].var(axis=0).sum() == pytest.approx(1)
    assert features.shape[0] == n
    alone = [segmenter.predict_one(row) for row in table.to_dict("records")]
    assert alone == segmenter.predict_segments(table).tolist()


def test_what_cannot_be_compared_is_refused():
    dates = PLANTED.assign(since=pd.date_range("2024-01-01", periods=250))
    with pytest.raises(SegkitTypeError, match="'since' holds dates"):
        ClusterSegmenter().fit(dates)
    with pytest.raises(SegkitTypeError, match="dates as text"):
        ClusterSegmenter().fit(dates.assign(since=dates["since"].dt.strftime("%d-%m-%Y")))
    with pytest.raises(SegkitValueError, match="looks like an id"):
        ClusterSegmenter().fit(PLANTED.assign(name=[f"customer {i}" for i in range(250)]))
    with pytest.raises(SegkitValueError, match="distinct names"):
        ClusterSegmenter(n_segments=3, names=["a", "b"]).fit(PLANTED)


def test_the_contract_is_kept():
    outcomes = check_estimator(ClusterSegmenter(n_segments=2), on_fail=None, on_skip=None)
    assert [one["check_name"] for one in outcomes if one["status"] == "failed"] == []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SegkitWarning)
        check_segmenter(ClusterSegmenter(n_segments=3), customers=PLANTED.head(40))


@pytest.mark.realdata
def test_mall_has_five_segments(data_folder):
    mall = pd.read_csv(data_folder / "Mall_Customers.csv").iloc[:, 3:]
    segmenter = ClusterSegmenter(random_state=0).fit(mall)
    assert segmenter.n_segments_ == 5
    assert segmenter.has_structure_


def test_ranks_are_those_of_the_categories_of_fit():
    grades = pd.CategoricalDtype(["low", "middle", "high"], ordered=True)
    table = PLANTED.assign(grade=pd.Categorical(np.array(grades.categories)[KIND], dtype=grades))
    segmenter = ClusterSegmenter(n_segments=3, random_state=0).fit(table)
    expected = segmenter.predict(table).tolist()
    as_text = table.assign(grade=table["grade"].astype(object))
    fewer = table.assign(grade=table["grade"].cat.remove_unused_categories())
    assert segmenter.predict(as_text).tolist() == expected
    assert segmenter.predict(fewer).tolist() == expected
    highs = table[table["grade"] == "high"]
    highs = highs.assign(grade=highs["grade"].cat.remove_unused_categories())
    assert segmenter.predict(highs).tolist() == [expected[i] for i in highs.index]
    assert [segmenter.predict_one(row) for row in table.to_dict("records")] == (
        segmenter.predict_segments(table).tolist()
    )


def test_spans_of_time_are_refused():
    spans = PLANTED.assign(since=pd.to_timedelta(range(250), unit="D"))
    with pytest.raises(SegkitTypeError, match="'since' holds dates"):
        ClusterSegmenter().fit(spans)


@pytest.mark.parametrize("criterion", ["gap", "prediction_strength", "stability"])
def test_criteria_that_resample_stand_beside_the_others(criterion):
    segmenter = ClusterSegmenter(
        selection=[criterion, "silhouette"], n_segments_range=(2, 4), random_state=0
    ).fit(PLANTED)
    assert criterion in segmenter.selection_
    assert segmenter.selection_.index.tolist() == [2, 3, 4]
    assert segmenter.selection_[criterion].notna().all()
    if criterion != "gap":
        assert segmenter.selection_.loc[3, criterion] > segmenter.selection_.loc[4, criterion]
