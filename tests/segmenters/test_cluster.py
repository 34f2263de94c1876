"""ClusterSegmenter: planted segments are found by any clusterer, and alike in every frame."""

import pickle

import hypothesis.strategies as st
import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from sklearn.base import BaseEstimator, ClusterMixin, clone
from sklearn.cluster import (
    HDBSCAN,
    AgglomerativeClustering,
    Birch,
    BisectingKMeans,
    KMeans,
    MeanShift,
    MiniBatchKMeans,
    SpectralClustering,
)
from sklearn.compose import make_column_transformer
from sklearn.decomposition import PCA
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import adjusted_rand_score
from sklearn.mixture import GaussianMixture
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from frames import as_kind, rows_of
from segkit import ClusterSegmenter, KPrototypes
from segkit.exceptions import (
    ColumnError,
    LazyFrameError,
    MissingValuesError,
    SegkitTypeError,
    SegkitValueError,
    SegkitWarning,
)

SIZES = [60, 40, 30]
KIND = np.repeat([0, 1, 2], SIZES)
CENTRES = np.array([[20.0, 4.0], [80.0, 12.0], [20.0, 40.0]])


class Halves(ClusterMixin, BaseEstimator):
    """Someone's own clusterer: above and below the mean of the first column."""

    def fit(self, X, y=None):
        self.labels_ = (X[:, 0] > X[:, 0].mean()) * 3 + 4
        return self


class Sides(ClusterMixin, BaseEstimator):
    """Left and right of 0, and two labels for those far out, which fit does not see."""

    def fit(self, X, y=None):
        return self

    def predict(self, X):
        return np.where(X[:, 0] > 100, 7, np.where(X[:, 0] < -100, -2, X[:, 0] > 0))


CLUSTERERS = [
    None,
    KMeans(),
    MiniBatchKMeans(),
    BisectingKMeans(),
    GaussianMixture(),
    AgglomerativeClustering(),
    AgglomerativeClustering(n_clusters=None, distance_threshold=10.0),
    SpectralClustering(),
    Birch(),
    HDBSCAN(copy=True),
    MeanShift(),
    KPrototypes(),
    make_pipeline(PCA(2), KMeans()),
    make_pipeline(PCA(2), AgglomerativeClustering()),
]


@pytest.fixture(scope="module")
def planted():
    """Three segments far apart: 60 customers, 40 who spend more, 30 who visit more."""
    noise = np.random.default_rng(0).normal(size=(130, 2)) * [3.0, 1.0]
    return pd.DataFrame(CENTRES[KIND] + noise, columns=["spend", "visits"])


@pytest.fixture(scope="module")
def fitted(planted):
    return ClusterSegmenter(random_state=0).fit(planted)


@pytest.mark.parametrize("clusterer", CLUSTERERS, ids=repr)
def test_planted_segments_are_found_largest_first(planted, clusterer):
    segmenter = ClusterSegmenter(clusterer, n_segments_range=(2, 5), random_state=0).fit(planted)
    assert segmenter.labels_.tolist() == KIND.tolist()
    assert segmenter.has_structure_
    assert segmenter.assignment_accuracy_ == 1
    assert segmenter.describe()["customers"].tolist() == SIZES
    centres = pd.DataFrame(CENTRES, columns=["spend", "visits"])
    assert segmenter.predict(centres).tolist() == [0, 1, 2]
    names = segmenter.predict_segments(planted).tolist()
    assert [segmenter.predict_one(row) for row in planted.to_dict("records")] == names


def test_someones_own_clusterer_needs_only_labels(planted):
    segmenter = ClusterSegmenter(Halves(), random_state=0).fit(planted)
    assert segmenter.labels_.tolist() == (KIND == 1).astype(int).tolist()


def test_labels_that_fit_did_not_see_are_no_segment():
    X = np.array([[-1.0], [1.0], [-2.0], [2.0], [-3.0]])
    segmenter = ClusterSegmenter(Sides(), preprocessor=None).fit(X)
    assert segmenter.labels_.tolist() == [0, 1, 0, 1, 0]
    assert segmenter.predict(np.array([[500.0], [-500.0], [5.0]])).tolist() == [-1, -1, 1]


def test_a_fitted_clusterer_is_used_as_it_is_when_frozen(planted):
    k_means = KMeans(3, random_state=0).fit(planted.to_numpy())
    segmenter = ClusterSegmenter(FrozenEstimator(k_means), preprocessor=None).fit(planted)
    assert adjusted_rand_score(k_means.labels_, segmenter.labels_) == 1


def test_rows_in_another_order_change_nothing(planted, fitted):
    for clusterer in (None, AgglomerativeClustering(), HDBSCAN(copy=True)):
        one = ClusterSegmenter(clusterer, random_state=0).fit(planted)
        place = np.random.default_rng(0).permutation(len(planted))
        other = ClusterSegmenter(clusterer, random_state=0).fit(planted.iloc[place])
        assert other.labels_.tolist() == one.labels_[place].tolist()
        assert other.segments_.tolist() == one.segments_.tolist()


@pytest.mark.parametrize("decimals", [1, 9])
def test_slices_of_a_cloud_do_not_hang_on_the_order_of_rows(decimals):
    rng = np.random.default_rng(0)
    cloud = pd.DataFrame(np.exp(rng.normal(size=(200, 2))).round(decimals), columns=["a", "b"])
    place = rng.permutation(200)
    for clusterer in (KMeans(n_init=1), AgglomerativeClustering()):
        one = ClusterSegmenter(clusterer, n_segments=6, random_state=0).fit(cloud)
        other = ClusterSegmenter(clusterer, n_segments=6, random_state=0).fit(cloud.iloc[place])
        assert other.labels_.tolist() == one.labels_[place].tolist()
        assert other.segments_.tolist() == one.segments_.tolist()


def test_another_seed_that_finds_the_same_segments_names_them_alike(planted, fitted):
    other = ClusterSegmenter(random_state=1).fit(planted)
    assert other.labels_.tolist() == fitted.labels_.tolist()
    assert other.segments_.tolist() == fitted.segments_.tolist()


def test_the_result_does_not_depend_on_the_number_of_jobs(planted):
    options = {"selection": ["stability", "gap"], "n_segments_range": (2, 4), "random_state": 0}
    one, other = (ClusterSegmenter(n_jobs=n, **options).fit(planted) for n in (None, 2))
    pd.testing.assert_frame_equal(one.selection_, other.selection_)


def test_segments_are_ordered_by_a_column_that_need_not_be_used(planted):
    table = planted.assign(value=np.array([1.0, 3.0, 2.0])[KIND])
    segmenter = ClusterSegmenter(
        columns=["spend", "visits"], n_segments=3, order_by="value", random_state=0
    ).fit(table)
    assert segmenter.labels_.tolist() == np.array([2, 0, 1])[KIND].tolist()
    assert segmenter.feature_names_in_.tolist() == ["spend", "visits"]
    assert segmenter.predict(planted).tolist() == segmenter.labels_.tolist()
    with pytest.raises(ColumnError, match="'worth' is missing"):
        ClusterSegmenter(order_by="worth").fit(table)
    with pytest.raises(SegkitTypeError, match="'kind' must hold numbers"):
        ClusterSegmenter(order_by="kind").fit(table.assign(kind=np.array(list("abc"))[KIND]))
    with pytest.raises(ColumnError, match="array has none"):
        ClusterSegmenter(order_by="value").fit(table.to_numpy())


def test_columns_are_picked_by_name_or_by_position(planted):
    table = planted.assign(customer_id=range(len(planted)), since="2024-01-05")
    for columns in (["spend", "visits"], (0, 1), pd.Index(["spend", "visits"])):
        segmenter = ClusterSegmenter(columns=columns, n_segments=3, random_state=0).fit(table)
        assert segmenter.predict(table[::-1]).tolist() == KIND[::-1].tolist()
    array = np.column_stack([np.zeros(130), planted.to_numpy()])
    segmenter = ClusterSegmenter(columns=[1, 2], n_segments=3, random_state=0).fit(array)
    assert segmenter.predict(array).tolist() == KIND.tolist()
    with pytest.raises(ColumnError, match=r"'visit' is missing.*Did you mean 'visits'"):
        ClusterSegmenter(columns=["spend", "visit"]).fit(table)


def test_segments_of_an_earlier_fit_are_no_column_to_learn_from(planted, fitted):
    assigned = fitted.assign(planted)
    again = ClusterSegmenter(random_state=0).fit(assigned)
    assert again.feature_names_in_.tolist() == ["spend", "visits"]


def test_every_frame_and_each_customer_alone_are_assigned_alike(planted, fitted, kind):
    table = planted.assign(row=range(len(planted)))
    names = fitted.predict_segments(planted).tolist()
    assigned = rows_of(fitted.assign(as_kind(table, kind)), "row")
    assert [row["cluster_segment"] for row in assigned] == names


def test_every_frame_is_fitted_alike(planted, fitted, kind):
    table = as_kind(planted, kind)
    segmenter = ClusterSegmenter(random_state=0).fit(table)
    assert segmenter.segments_.tolist() == fitted.segments_.tolist()
    assert segmenter.predict(planted).tolist() == fitted.labels_.tolist()


def test_lazy_and_eager_agree_on_missing_skewed_and_negative_values(lazy_kind):
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"a": np.exp(rng.normal(size=300) * 2), "b": rng.normal(size=300)})
    table["a"] *= np.where(np.arange(300) % 20 == 0, -1, 1)
    table["flag"] = rng.integers(2, size=300)
    table["same"] = "text"
    table.loc[::7, "b"] = np.nan
    with pytest.warns(SegkitWarning, match="'same'"):
        segmenter = ClusterSegmenter(n_segments=4, random_state=0).fit(table)
    table["row"] = range(300)
    eager = segmenter.predict_segments(table).tolist()
    lazy = rows_of(segmenter.assign(as_kind(table, lazy_kind)), "row")
    assert [row["cluster_segment"] for row in lazy] == eager
    assert [segmenter.predict_one(row) for row in table.to_dict("records")] == eager


def test_what_no_query_engine_can_do_is_said(planted, lazy_kind):
    mixture = ClusterSegmenter(GaussianMixture(), n_segments=3, random_state=0).fit(planted)
    with pytest.raises(LazyFrameError, match="Collect the frame first"):
        mixture.assign(as_kind(planted, lazy_kind))
    with pytest.raises(LazyFrameError, match=r"ClusterSegmenter\.transform needs the values"):
        mixture.transform(as_kind(planted, lazy_kind))


def test_distances_are_those_to_the_centres_that_assign(planted):
    for clusterer in (None, MiniBatchKMeans(), AgglomerativeClustering()):
        segmenter = ClusterSegmenter(
            clusterer, n_segments=3, assigner="centre", random_state=0
        ).fit(planted)
        distances = segmenter.transform(planted)
        assert distances.shape == (130, 3)
        assert distances.argmin(axis=1).tolist() == segmenter.predict(planted).tolist()
        # In features, each centre is as far from itself as its own customers' mean.
        assert segmenter.cluster_centers_.shape == (3, 2)
    assert segmenter.get_feature_names_out().tolist() == ["distance_0", "distance_1", "distance_2"]


def test_probabilities_are_those_of_the_mixture_in_the_order_of_codes(planted):
    segmenter = ClusterSegmenter(GaussianMixture(), n_segments=3, random_state=0).fit(planted)
    probabilities = segmenter.transform(planted)
    assert probabilities.sum(axis=1) == pytest.approx(np.ones(130))
    assert probabilities.argmax(axis=1).tolist() == KIND.tolist()
    assert segmenter.get_feature_names_out()[0] == "probability_0"


def test_an_own_preprocessor_replaces_ours(planted):
    table = planted.assign(city=np.array(["Oslo", "Rome", "Oslo"])[KIND])
    own = make_column_transformer(
        (StandardScaler(), ["spend", "visits"]), (OneHotEncoder(), ["city"])
    )
    segmenter = ClusterSegmenter(n_segments=3, preprocessor=own, random_state=0).fit(table)
    assert segmenter.labels_.tolist() == KIND.tolist()
    assert segmenter.preprocessing_summary_ is None
    assert segmenter.segments_.tolist() == ["Segment A", "Segment B", "Segment C"]
    assert segmenter.predict_one(table.iloc[70].to_dict()) == "Segment B"
    with pytest.raises(SegkitTypeError, match="'city' must hold numbers"):
        ClusterSegmenter(preprocessor=None).fit(table)
    with pytest.raises(SegkitTypeError, match="meets or leaves text") as raised:
        ClusterSegmenter(preprocessor=StandardScaler()).fit(table)
    assert "Oslo" not in str(raised.value)
    with pytest.raises(MissingValuesError, match="does not fill them"):
        ClusterSegmenter(preprocessor=None).fit(planted.assign(visits=np.nan))


def test_a_preprocessor_that_draws_gets_the_seed(planted):
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    preprocessor = make_pipeline(StandardScaler(), PCA(1, svd_solver="randomized"))
    one, other = (
        ClusterSegmenter(preprocessor=preprocessor, n_segments=3, random_state=0)
        .fit(planted)
        .transform(planted)
        for _ in range(2)
    )
    assert (one == other).all()
    assert (np.random.get_state()[1] == before).all()  # noqa: NPY002


def test_k_prototypes_is_given_categories_as_text(planted):
    # The city alone tells the second and the third kind from the first.
    table = planted.assign(city=np.array(["Oslo", "Rome", "Kyiv"])[KIND])
    segmenter = ClusterSegmenter(KPrototypes(), n_segments=3, random_state=0).fit(table)
    assert segmenter.labels_.tolist() == KIND.tolist()
    assert isinstance(segmenter.clusterer_, KPrototypes)
    assert segmenter.clusterer_.cluster_modes_.shape == (3, 1)
    names = segmenter.predict_segments(table).tolist()
    assert [segmenter.predict_one(row) for row in table.to_dict("records")] == names


def test_nothing_is_mutated_and_copies_do_the_same(planted, fitted):
    before = planted.copy()
    assert fitted.predict(planted).tolist() == fitted.labels_.tolist()
    pd.testing.assert_frame_equal(planted, before)
    restored = pickle.loads(pickle.dumps(fitted))
    assert restored.predict_segments(planted).tolist() == fitted.predict_segments(planted).tolist()
    assert not hasattr(clone(fitted), "segments_")


def test_a_fit_that_fails_leaves_no_half_learned_segmenter(planted):
    segmenter = ClusterSegmenter(n_segments=3, random_state=0).fit(planted)
    with pytest.raises(SegkitTypeError):
        segmenter.fit(planted.assign(since=pd.Timestamp("2024-01-01")))
    with pytest.raises(Exception, match="not fitted"):
        segmenter.predict_one({"spend": 1.0, "visits": 1.0})


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"n_segments": 131}, SegkitValueError, "more than there are customers"),
        ({"n_segments_range": (1, 4)}, SegkitValueError, "two increasing numbers from 2"),
        ({"n_segments_range": (5, 4)}, SegkitValueError, "two increasing numbers from 2"),
        ({"n_segments_range": (2, 4, 6)}, SegkitValueError, "two increasing numbers from 2"),
        ({"clusterer": HDBSCAN(), "n_segments": 3}, SegkitValueError, "finds its own number"),
        ({"clusterer": KMeans}, SegkitTypeError, "must be a scikit-learn clusterer"),
        ({"clusterer": PCA()}, SegkitTypeError, "which PCA does not"),
        ({"names": ["a", "b"], "n_segments": 3}, SegkitValueError, "3 distinct names"),
        ({"names": ["a", "unassigned"], "n_segments": 2}, SegkitValueError, "none 'unassigned'"),
    ],
)
def test_parameters_that_do_not_fit_are_refused(planted, parameters, error, message):
    with pytest.raises(error, match=message):
        ClusterSegmenter(random_state=0, **parameters).fit(planted)


@pytest.mark.filterwarnings("ignore:ClusterSegmenter. AgglomerativeClustering cannot predict")
@pytest.mark.parametrize("n_customers", [2, 3, 4, 5, 9, 20])
@pytest.mark.parametrize("clusterer", [None, GaussianMixture(), AgglomerativeClustering()])
def test_few_customers_are_segmented(n_customers, clusterer):
    rng = np.random.default_rng(n_customers)
    table = pd.DataFrame({"a": rng.normal(size=n_customers), "b": rng.normal(size=n_customers)})
    segmenter = ClusterSegmenter(clusterer, assigner="neighbours", random_state=0).fit(table)
    assert segmenter.has_structure_ is None
    assert 2 <= segmenter.n_segments_ <= n_customers
    assert segmenter.predict(table).tolist() == segmenter.labels_.tolist()


@pytest.mark.filterwarnings("ignore:ClusterSegmenter. the customers do not fall into groups")
def test_as_many_segments_as_there_are_different_customers_are_found():
    points = np.repeat([[0.0, 0.0], [5.0, 0.0], [0.0, 7.0]], 40, axis=0)
    assert ClusterSegmenter(random_state=0).fit(points).n_segments_ == 3


def test_more_segments_than_different_customers_are_none():
    points = pd.DataFrame({"a": [0.0, 0.0, 5.0, 5.0], "b": [1.0, 1.0, 2.0, 2.0]})
    with pytest.warns(Warning, match="distinct clusters"):
        segmenter = ClusterSegmenter(n_segments=3, random_state=0).fit(points)
    assert segmenter.n_segments_ == 2
    assert segmenter.predict_one({"a": 5.0, "b": 2.0}) == segmenter.segments_[1]


@pytest.mark.parametrize("n_customers", [0, 1])
def test_one_customer_is_no_crowd(n_customers):
    with pytest.raises(SegkitValueError, match="at least two customers"):
        ClusterSegmenter().fit(pd.DataFrame({"a": [1.0], "b": [2.0]}).head(n_customers))


def test_no_customers_are_assigned_to_nothing(planted, fitted):
    nobody = planted.head(0)
    assert fitted.predict(nobody).shape == (0,)
    assert fitted.transform(nobody).shape == (0, 3)
    assert list(fitted.assign(nobody).columns) == ["spend", "visits", "cluster_segment"]


def test_a_component_without_customers_is_no_segment():
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        rng.normal(size=(30, 1)) + 20 * (np.arange(30) % 2)[:, None], columns=["a"]
    )
    for seed in range(5):
        mixture = GaussianMixture(8, reg_covar=1e-2, max_iter=500)
        segmenter = ClusterSegmenter(mixture, n_segments=8, random_state=seed).fit(table)
        probabilities = segmenter.transform(table)
        assert probabilities.shape == (30, segmenter.n_segments_)
        assert probabilities.argmax(axis=1).tolist() == segmenter.labels_.tolist()


def test_impossible_values_are_refused_where_they_are(planted, fitted):
    infinite = planted.assign(spend=np.inf)
    with pytest.raises(SegkitValueError, match="'spend' contains infinity in 130 of 130 rows"):
        fitted.predict(infinite)
    with pytest.raises(SegkitValueError, match="'spend' contains infinity"):
        fitted.predict_one({"spend": np.inf, "visits": 3})
    with pytest.raises(SegkitTypeError, match="'spend' must hold numbers, got string"):
        fitted.predict(planted.assign(spend="12"))
    with pytest.raises(ColumnError, match="column 'visits' is missing"):
        fitted.predict(planted[["spend"]])
    with pytest.raises(ColumnError, match="visits"):
        fitted.predict_one({"spend": 3})
    missing = {"spend": None, "visits": pd.NA}
    assert fitted.predict_one(missing) == fitted.predict_one({"spend": np.nan, "visits": np.nan})


@st.composite
def numbers(draw):
    """Draw tables of two columns of numbers, with ties, skew, negative and missing values."""
    n_rows = draw(st.integers(2, 30))
    some = st.floats(-50, 1e6, allow_nan=False) | st.integers(0, 4).map(float) | st.none()
    column = st.lists(some, min_size=n_rows, max_size=n_rows)
    return pd.DataFrame({"a": draw(column), "b": draw(column)}, dtype=float)


@pytest.mark.filterwarnings("ignore::segkit.exceptions.SegkitWarning")
@given(numbers())
def test_any_numbers_are_assigned_alike_one_by_one_and_lazily(table):
    assume(len(table.drop_duplicates()) > 2)
    segmenter = ClusterSegmenter(n_segments=2, random_state=0).fit(table)
    eager = segmenter.predict_segments(table).tolist()
    assert segmenter.predict(table).tolist() == segmenter.labels_.tolist()
    assert [segmenter.predict_one(row) for row in table.to_dict("records")] == eager
    lazy = segmenter.assign(as_kind(table.assign(row=range(len(table))), "polars lazy"))
    assert [row["cluster_segment"] for row in rows_of(lazy, "row")] == eager
