"""The gap statistic and prediction strength: tables over the number of clusters, and choices."""

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import DBSCAN, AgglomerativeClustering, KMeans
from sklearn.datasets import load_iris, make_blobs
from sklearn.mixture import GaussianMixture
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from segkit.exceptions import SegkitError, SegkitTypeError, SegkitValueError
from segkit.metrics import (
    gap_statistic,
    n_clusters_by_gap,
    n_clusters_by_prediction_strength,
    prediction_strength,
)
from segkit.metrics._arguments import draw_seeds
from segkit.metrics._gap_statistic import _Box
from segkit.metrics._prediction_strength import _found_again

FUNCTIONS = {
    gap_statistic: {"n_references": 5},
    prediction_strength: {"n_splits": 5},
}


@pytest.fixture(scope="module")
def clouds():
    """Three clouds of rows, far apart."""
    return make_blobs(150, centers=[[0, 0], [9, 0], [0, 9]], random_state=0)[0]


@pytest.mark.realdata
def test_prediction_strength_finds_five_clusters_of_mall_customers(data_folder):
    # fpc: prediction.strength(mall, Gmin=2, Gmax=10, M=50) on the raw columns: optimalk is 5.
    mall = pd.read_csv(data_folder / "Mall_Customers.csv").iloc[:, 3:5]
    strengths = prediction_strength(mall, random_state=0)
    assert n_clusters_by_prediction_strength(strengths) == 5


def test_prediction_strength_finds_two_clusters_of_iris():
    # fpc: prediction.strength(iris[, 1:4]): optimalk is 2. With 3 clusters the mean is 0.79, so
    # that some sets of 50 splits are above the threshold; 200 are enough.
    strengths = prediction_strength(
        load_iris().data, n_clusters=range(2, 6), n_splits=200, random_state=0
    )
    assert n_clusters_by_prediction_strength(strengths) == 2


def naive_strength(codes, nearest):
    """The share of pairs of each cluster that the other half puts together, pair by pair."""
    shares = []
    for cluster in np.unique(codes):
        rows = np.flatnonzero(codes == cluster)
        pairs = [nearest[i] == nearest[j] for i in rows for j in rows if i != j]
        shares.append(np.mean(pairs) if pairs else 1.0)
    return min(shares)


@pytest.mark.parametrize("seed", range(5))
def test_prediction_strength_is_the_naive_loop_over_pairs(seed):
    rng = np.random.RandomState(seed)
    X, centers, codes = rng.normal(size=(40, 2)), rng.normal(size=(4, 2)), rng.randint(5, size=40)
    codes[codes == 4] = 0
    codes[0] = 4  # a cluster of one row
    nearest = ((X[:, None] - centers[None]) ** 2).sum(axis=2).argmin(axis=1)
    assert _found_again(X, codes, centers) == pytest.approx(naive_strength(codes, nearest))


def test_separate_clouds_are_found_again(clouds):
    strengths = prediction_strength(clouds, n_clusters=[1, 3, 4], random_state=0, n_splits=10)
    assert strengths.loc[[1, 3], "prediction_strength"].tolist() == [1.0, 1.0]
    assert strengths.loc[[1, 3], "standard_error"].tolist() == [0.0, 0.0]
    assert strengths.loc[4, "prediction_strength"] < 0.8


def test_the_gap_is_the_difference_of_the_logs(clouds):
    gaps = gap_statistic(clouds, n_clusters=range(1, 5), n_references=10, random_state=0)
    within = [((clouds - clouds.mean(axis=0)) ** 2).sum()]
    within += [KMeans(k, n_init=20, random_state=0).fit(clouds).inertia_ for k in (2, 3, 4)]
    np.testing.assert_allclose(gaps["log_within"], np.log(within), rtol=1e-4)
    np.testing.assert_allclose(gaps["gap"], gaps["expected_log_within"] - gaps["log_within"])
    assert n_clusters_by_gap(gaps) == 3


def test_the_gap_says_that_one_cloud_is_one_cluster():
    X = np.random.RandomState(0).uniform(size=(200, 3))
    for reference in ("box", "pca"):
        gaps = gap_statistic(X, n_clusters=range(1, 5), reference=reference, random_state=0)
        assert n_clusters_by_gap(gaps) == 1


def test_expected_spread_of_one_uniform_cluster_is_that_of_the_box():
    # n (w²/12) for each side w of the box, less one degree of freedom.
    X = np.random.RandomState(0).uniform(size=(500, 2)) * [4, 1]
    gaps = gap_statistic(X, n_clusters=1, n_references=40, random_state=0)
    expected = 499 * (np.ptp(X, axis=0) ** 2).sum() / 12
    assert gaps.loc[1, "expected_log_within"] == pytest.approx(np.log(expected), abs=0.02)
    # Of a uniform sum of squares over n rows the log varies by about 1/√n.
    assert 0.2 / np.sqrt(500) < gaps.loc[1, "standard_error"] < 2 / np.sqrt(500)


def test_the_standard_error_has_the_factor_for_the_simulation(clouds):
    gaps = gap_statistic(clouds, n_clusters=1, n_references=4, random_state=0)
    box, seeds = _Box(clouds, axes=False), draw_seeds(0, 5, owner="test")
    drawn = [box.draw(np.random.RandomState(seed)) for seed in seeds[1:]]
    logs = np.log([((rows - rows.mean(axis=0)) ** 2).sum() for rows in drawn])
    # s = sd √(1 + 1/B) with the divisor B in sd, as in the paper.
    assert gaps.loc[1, "standard_error"] == pytest.approx(np.std(logs) * np.sqrt(1.25))
    assert gaps.loc[1, "expected_log_within"] == pytest.approx(np.mean(logs))


def test_references_along_the_axes_hug_correlated_columns():
    rng = np.random.RandomState(0)
    x = rng.uniform(size=300)
    X = np.column_stack([x, x + 0.01 * rng.normal(size=300)]) + 100
    along, across = _Box(X, axes=True).draw(rng), _Box(X, axes=False).draw(rng)
    assert np.corrcoef(along.T)[0, 1] > 0.99
    assert abs(np.corrcoef(across.T)[0, 1]) < 0.2
    assert (across.min(axis=0) >= X.min(axis=0)).all()
    np.testing.assert_allclose(along.mean(axis=0), X.mean(axis=0), atol=0.1)


def test_the_choice_by_gap_by_hand():
    gaps = pd.DataFrame(
        {"gap": [0.1, 0.3, 0.5, 0.52], "standard_error": [0.01, 0.01, 0.01, 0.03]},
        index=[2, 3, 4, 5],
    )
    assert n_clusters_by_gap(gaps) == 4
    gaps["standard_error"] = 0.0
    assert n_clusters_by_gap(gaps) == 5
    assert n_clusters_by_gap(gaps.loc[:3]) == 3


def test_the_choice_by_prediction_strength_by_hand():
    strengths = pd.DataFrame({"prediction_strength": [0.9, 0.7, 0.85, 0.8]}, index=[2, 3, 4, 5])
    assert n_clusters_by_prediction_strength(strengths) == 4
    assert n_clusters_by_prediction_strength(strengths, 0.75) == 5
    assert n_clusters_by_prediction_strength(strengths, 0.95) == 1


@pytest.mark.parametrize(
    "clusterer",
    [
        KMeans(2, n_init=3),
        KMeans(2, init="random", n_init=2),
        AgglomerativeClustering(),
        GaussianMixture(),
        make_pipeline(StandardScaler(), AgglomerativeClustering()),
    ],
    ids=lambda clusterer: type(clusterer).__name__,
)
def test_any_clusterer_with_a_number_of_clusters_will_do(clouds, clusterer):
    gaps = gap_statistic(
        clouds, n_clusters=range(1, 5), clusterer=clusterer, n_references=5, random_state=0
    )
    assert n_clusters_by_gap(gaps) == 3
    strengths = prediction_strength(
        clouds, n_clusters=range(2, 5), clusterer=clusterer, n_splits=5, random_state=0
    )
    assert n_clusters_by_prediction_strength(strengths) == 3


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
def test_neither_jobs_nor_a_second_run_change_the_result(clouds, function):
    options = {"n_clusters": range(2, 4), "random_state": 3, **FUNCTIONS[function]}
    first = function(clouds, **options)
    pd.testing.assert_frame_equal(function(clouds, **options), first)
    pd.testing.assert_frame_equal(function(clouds, n_jobs=2, **options), first)
    pd.testing.assert_frame_equal(function(pd.DataFrame(clouds), **options), first)
    assert first.index.name == "n_clusters"


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
def test_scale_and_place_do_not_matter(clouds, function):
    options = {"n_clusters": range(2, 5), "random_state": 3, **FUNCTIONS[function]}
    column = "gap" if function is gap_statistic else "prediction_strength"
    expected = function(clouds, **options)[column]
    found = function(clouds * 1e3 - 5e4, **options)[column]
    pd.testing.assert_series_equal(found, expected, rtol=1e-6)


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_clusters": []}, "n_clusters must be integers of at least 1"),
        ({"n_clusters": [0, 1]}, "at least 1"),
        ({"n_clusters": [2.5]}, "at least 1"),
        ({"n_clusters": "23"}, "n_clusters must be integers such as"),
        ({"n_clusters": [2, 900]}, "goes to 900"),
        ({"clusterer": KMeans}, "clusterer must be"),
        ({"clusterer": "k-means"}, "clusterer must be"),
        ({"clusterer": DBSCAN()}, "n_clusters or n_components, which DBSCAN lacks"),
        ({"random_state": "x"}, "random_state must be"),
    ],
)
def test_mistakes_are_told(clouds, function, options, message):
    with pytest.raises(SegkitError, match=f"{function.__name__}: .*{message}"):
        function(clouds, **options)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda X: gap_statistic(X, n_references=1), "n_references must be"),
        (lambda X: gap_statistic(X, reference="ball"), "reference must be one of"),
        (lambda X: gap_statistic(np.ones((30, 2)), n_clusters=1), "leave no spread"),
        (lambda X: gap_statistic(np.repeat(X[:4], 9, axis=0), n_clusters=4), "leave no spread"),
        (lambda X: prediction_strength(X, n_splits=True), "n_splits must be"),
        (lambda X: n_clusters_by_gap(pd.DataFrame({"gap": [1]})), "must be the table"),
        (lambda X: n_clusters_by_prediction_strength([0.9]), "must be the table"),
    ],
)
def test_other_mistakes_are_told(clouds, call, message):
    with pytest.raises(SegkitError, match=message):
        call(clouds)


def test_a_gap_table_with_holes_is_refused():
    gaps = pd.DataFrame({"gap": [1.0, 2.0], "standard_error": [0.1, 0.1]}, index=[2, 4])
    with pytest.raises(SegkitValueError, match="consecutive"):
        n_clusters_by_gap(gaps)
    with pytest.raises(SegkitTypeError, match="must be the table"):
        n_clusters_by_gap(gaps["gap"])
