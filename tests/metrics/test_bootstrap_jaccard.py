"""Stability of clusters under the bootstrap."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.cluster import DBSCAN, AgglomerativeClustering, KMeans
from sklearn.datasets import load_iris, make_blobs
from sklearn.mixture import GaussianMixture
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import segkit.metrics._bootstrap_jaccard as module
from segkit.exceptions import MissingValuesError, SegkitError, SegkitTypeError, SegkitValueError
from segkit.metrics import bootstrap_jaccard
from segkit.metrics._arguments import draw_seeds, read_labels
from segkit.metrics._bootstrap_jaccard import (
    _drawn_rows,
    _highest_jaccards,
    _k_means_jaccards,
    _table,
)
from segkit.metrics._threads import one_thread


@pytest.fixture(scope="module")
def mall(data_folder):
    """Annual income and spending score of 200 customers."""
    return pd.read_csv(data_folder / "Mall_Customers.csv").iloc[:, 3:5].to_numpy(dtype=float)


@pytest.fixture(scope="module")
def clouds():
    """Four clouds that touch, and their labels."""
    X, _ = make_blobs(400, 2, centers=4, cluster_std=1.6, random_state=4)
    return X, KMeans(4, n_init=10, random_state=0).fit(X).labels_


@pytest.mark.realdata
@pytest.mark.parametrize("scheme", ["fpc", "bootstrap"])
def test_five_clusters_of_mall_customers_are_stable(mall, scheme):
    # clusterboot(mall, B=100, clustermethod=kmeansCBI, krange=5) of R's fpc, duplicates of a draw
    # dropped: every cluster has at least .96, here with half a hundredth for the draws.
    labels = KMeans(5, n_init=20, random_state=0).fit(mall).labels_
    stability = bootstrap_jaccard(mall, labels, scheme=scheme, random_state=0)
    assert stability["mean_jaccard"].min() >= 0.955


@pytest.mark.realdata
def test_the_weakest_of_six_clusters_of_mall_customers_is_not(mall):
    # The same with krange=6 and B=100, whose standard error is 0.035: .55 to .57. KMeans from
    # scratch on 300 other draws, with a standard error of 0.02: .571 with n_init=10, .577 with 50
    # (.453 with one start); with n_init=50 on these 300 draws: .5857.
    labels = KMeans(6, n_init=100, random_state=0).fit(mall).labels_
    stability = bootstrap_jaccard(mall, labels, scheme="fpc", n_bootstraps=300, random_state=0)
    assert stability["mean_jaccard"].min() == pytest.approx(0.5857, abs=0.02)


def naive(X, labels, k, random_state, n_bootstraps, once):
    """KMeans from scratch for each resample, and sets of positions."""
    _, *seeds = draw_seeds(random_state, n_bootstraps + 1, owner="naive")
    similarities = []
    with one_thread():
        for seed in seeds:
            rows = _drawn_rows(len(X), seed, once)
            found = KMeans(k, n_init=10, random_state=seed).fit(X[rows]).labels_
            before = [set(np.flatnonzero(labels[rows] == one)) for one in np.unique(labels)]
            after = [set(np.flatnonzero(found == one)) for one in range(k)]
            similarities.append([max(len(a & b) / len(a | b) for b in after) for a in before])
    return np.array(similarities)


@pytest.mark.parametrize("scheme", ["fpc", "bootstrap"])
@pytest.mark.parametrize("restarts", [True, False])
def test_it_is_the_naive_loop_over_sets(clouds, scheme, restarts, monkeypatch):
    if not restarts:
        monkeypatch.setattr(module, "_FEW_ROWS", 0)
    X, labels = clouds
    expected = naive(X, labels, 4, 1, 30, scheme == "fpc")
    found = bootstrap_jaccard(X, labels, n_bootstraps=30, scheme=scheme, random_state=1)
    np.testing.assert_allclose(found["mean_jaccard"], expected.mean(axis=0), atol=0.01)
    np.testing.assert_allclose(found["std_jaccard"], expected.std(axis=0, ddof=1), atol=0.01)
    np.testing.assert_allclose(found["low_jaccard"], np.quantile(expected, 0.05, axis=0), atol=0.03)
    np.testing.assert_allclose(found["recovered"], (expected > 0.75).mean(axis=0), atol=0.04)
    np.testing.assert_allclose(found["dissolved"], (expected <= 0.5).mean(axis=0), atol=0.04)


def test_resamples_may_have_best_solutions_of_their_own():
    rng = np.random.default_rng(1)
    middles = rng.normal(size=(5, 6))
    X = middles[rng.integers(5, size=3_000)] + rng.normal(size=(3_000, 6))
    labels = KMeans(5, n_init=20, random_state=0).fit(X).labels_
    expected = naive(X, labels, 5, 0, 20, False)
    found = bootstrap_jaccard(X, labels, n_bootstraps=20, random_state=0)
    np.testing.assert_allclose(found["mean_jaccard"], expected.mean(axis=0), atol=0.015)


def test_rows_are_drawn_with_replacement_or_once():
    drawn, once = _drawn_rows(1_000, 0, False), _drawn_rows(1_000, 0, True)
    assert drawn.size == 1_000
    np.testing.assert_array_equal(once, np.unique(drawn))
    assert 0.6 < once.size / 1_000 < 0.66


@given(seed=st.integers(0, 10_000))
def test_jaccards_from_counts_are_those_of_sets(seed):
    rng = np.random.RandomState(seed)
    before, after = rng.randint(-1, 3, size=30), rng.randint(0, 4, size=30)
    counts = np.zeros((4, 4), dtype=int)
    np.add.at(counts, (after, before), 1)  # -1 is the last column
    counts = counts.astype(float)
    sets = [set(np.flatnonzero(before == one)) for one in range(3)]
    found = [set(np.flatnonzero(after == one)) for one in range(4)]
    expected = [max(len(a & b) / max(len(a | b), 1) for b in found) for a in sets]
    np.testing.assert_allclose(_highest_jaccards(counts), expected)


def test_the_table_by_hand():
    labels = read_labels(["a", "a", "b"], 3, owner="test")
    table = _table(labels, np.array([[0.5, 1.0], [0.6, 1.0], [0.75, 1.0], [0.8, 1.0]]))
    assert table["customers"].tolist() == [2, 1]
    assert table["mean_jaccard"].tolist() == pytest.approx([0.6625, 1.0])
    # Up to 0.5 is dissolved, above 0.75 recovered.
    assert table[["dissolved", "recovered"]].to_numpy().tolist() == [[0.25, 0.25], [0.0, 1.0]]


def test_the_best_solution_of_a_resample_counts(monkeypatch):
    monkeypatch.setattr(module, "_FEW_ROWS", 0)
    X, truth = make_blobs(200, centers=[[0, 0], [50, 0], [0, 50], [50, 50]], random_state=0)
    labels = read_labels(truth, 200, owner="test")
    good = np.array([[0.0, 0.0], [50.0, 0.0], [0.0, 50.0], [50.0, 50.0]])
    stuck = np.array([[0.0, -1.0], [0.0, 1.0], [50.0, 25.0], [0.0, 50.0]])
    for solutions in ([good, stuck], [stuck, good]):
        assert (_k_means_jaccards(X, labels, solutions, [1, 2, 3], False, None) == 1).all()
    assert (_k_means_jaccards(X, labels, [stuck], [1, 2, 3], False, None) < 1).any()


def test_separate_clouds_are_always_found_again():
    X, labels = make_blobs(300, centers=[[0, 0], [30, 0], [0, 30]], random_state=0)
    for clusterer in (None, AgglomerativeClustering(3)):
        found = bootstrap_jaccard(X, labels, clusterer=clusterer, n_bootstraps=10, random_state=0)
        assert found["customers"].tolist() == [100, 100, 100]
        assert (found[["mean_jaccard", "low_jaccard", "recovered"]] == 1).all(axis=None)
        assert (found[["std_jaccard", "dissolved"]] == 0).all(axis=None)


def test_labels_may_have_any_names_in_any_order(clouds):
    X, labels = clouds
    names = np.array(["gold", "silver", "bronze", "lead"])
    expected = bootstrap_jaccard(X, labels, n_bootstraps=10, random_state=0)
    found = bootstrap_jaccard(X, names[labels], n_bootstraps=10, random_state=0)
    assert found.index.tolist() == sorted(names)
    for code, name in enumerate(names):
        assert found.loc[name].to_numpy() == pytest.approx(expected.loc[code].to_numpy(), abs=0.02)


def test_scale_and_place_do_not_matter(clouds):
    X, labels = clouds
    expected = bootstrap_jaccard(X, labels, n_bootstraps=10, random_state=0)
    found = bootstrap_jaccard(X * 1e3 - 5e4, labels, n_bootstraps=10, random_state=0)
    pd.testing.assert_frame_equal(found, expected, atol=1e-9)


def test_rows_without_a_label_count_in_the_clusters_found():
    X = np.array([[0.0]] * 10 + [[0.1]] * 10 + [[50.0]] * 10)
    labels = np.repeat([0, -1, 1], 10)
    found = bootstrap_jaccard(X, labels, scheme="fpc", n_bootstraps=200, random_state=0)
    assert found["customers"].tolist() == [10, 10]
    # The cluster found has the ten rows and the ten without a label.
    assert found.loc[0, "mean_jaccard"] == pytest.approx(0.5, abs=0.02)
    assert found.loc[1, "mean_jaccard"] == 1


def test_noise_found_is_no_cluster():
    X = np.concatenate([np.linspace(0, 1, 30), [100.0]])[:, None]
    labels = np.array([0] * 30 + [1])
    found = bootstrap_jaccard(
        X,
        labels,
        clusterer=DBSCAN(eps=0.5, min_samples=3),
        n_bootstraps=20,
        scheme="fpc",
        random_state=0,
    )
    assert found.loc[0, "mean_jaccard"] == 1
    assert found.loc[1, "mean_jaccard"] == 0


@pytest.mark.parametrize(
    "clusterer",
    [
        KMeans(3, n_init=2),
        KMeans(3, init="random", n_init=5),
        AgglomerativeClustering(3),
        GaussianMixture(3),
        make_pipeline(StandardScaler(), KMeans(3, n_init=5)),
    ],
    ids=lambda clusterer: type(clusterer).__name__,
)
@pytest.mark.parametrize("frame", [np.asarray, pd.DataFrame, pl.DataFrame])
def test_any_clusterer_will_do_and_finds_the_labels_itself(clusterer, frame):
    X = make_blobs(150, centers=[[0, 0], [20, 0], [0, 20]], random_state=0)[0]
    found = bootstrap_jaccard(frame(X), clusterer=clusterer, n_bootstraps=5, random_state=0)
    assert found["customers"].tolist() == [50, 50, 50]
    assert (found["mean_jaccard"] == 1).all()


def test_frames_reach_the_clusterer_as_frames():
    class ByName(AgglomerativeClustering):
        def fit(self, X, y=None):
            return super().fit(X[["a", "b"]])

    frame = pd.DataFrame(load_iris().data[:, :3], columns=["b", "c", "a"])
    found = bootstrap_jaccard(frame, clusterer=ByName(2), n_bootstraps=3, random_state=0)
    assert len(found) == 2


@pytest.mark.parametrize("clusterer", [None, KMeans(4), GaussianMixture(4)])
def test_neither_jobs_nor_a_second_run_change_the_result(clouds, clusterer):
    X, labels = clouds
    options = {"clusterer": clusterer, "n_bootstraps": 6, "random_state": 5}
    first = bootstrap_jaccard(X, labels, **options)
    pd.testing.assert_frame_equal(bootstrap_jaccard(X, labels, **options), first)
    pd.testing.assert_frame_equal(bootstrap_jaccard(X, labels, n_jobs=2, **options), first)


def test_no_seed_draws_anew_and_leaves_the_global_state_alone(clouds):
    X, labels = clouds
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    first, second = (bootstrap_jaccard(X, labels, n_bootstraps=5) for _ in range(2))
    assert not first.equals(second)
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


@pytest.mark.parametrize(
    ("X", "labels", "options", "error", "message"),
    [
        ([[0.0], [1.0]], None, {}, SegkitValueError, "labels or a clusterer is needed"),
        ([[0.0], [1.0]], [-1, -1], {}, SegkitValueError, "all of them are -1"),
        ([[0.0], [1.0]], [0, 1, 1], {}, SegkitValueError, "for each of the 2 rows"),
        ([[0.0], [1.0]], [0, 1], {"scheme": "jitter"}, SegkitValueError, "scheme must be one of"),
        ([[0.0], [1.0]], [0, 1], {"n_bootstraps": 1}, SegkitValueError, "at least 2"),
        ([[0.0], [1.0]], [0, 1], {"clusterer": 3}, SegkitTypeError, "clusterer must be"),
        ([[0.0], [1.0]], [0, 1], {"clusterer": KMeans(5)}, SegkitValueError, "n_clusters=5"),
        ([[0.0], [np.nan]], [0, 1], {}, MissingValuesError, "NaN"),
        (5, [0, 1], {}, SegkitTypeError, "array or an eager frame"),
        ([[0.0], [1.0]], [0, 1], {"random_state": "x"}, SegkitError, "random_state"),
    ],
)
def test_mistakes_are_told(X, labels, options, error, message):
    with pytest.raises(error, match=f"bootstrap_jaccard: .*{message}"):
        bootstrap_jaccard(X, labels, **options)
