"""The number of clusters: what was planted is found, and what changes nothing."""

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_iris, load_wine

from segkit.exceptions import MissingValuesError, SegkitTypeError, SegkitValueError
from segkit.metrics import number_of_clusters


def clusters(k, rng, *, n=600):
    """Round clusters with centers six deviations from all others, in k or more columns."""
    centers = np.eye(max(k, 3))[:k] * 6 / np.sqrt(2)
    return centers[rng.integers(k, size=n)] + rng.normal(size=(n, centers.shape[1]))


PLANTED = {
    "log": lambda k, rng: np.exp(clusters(k, rng) / 2),
    "irrelevant": lambda k, rng: np.hstack([clusters(k, rng), rng.normal(size=(600, 2))]),
    "units": lambda k, rng: clusters(k, rng) * 10.0 ** rng.integers(-6, 6, max(k, 3)),
    "counts": lambda k, rng: np.round(clusters(k, rng) * 2),
}


@pytest.mark.parametrize("k", range(2, 9))
def test_clusters_six_deviations_apart_are_counted(k):
    assert number_of_clusters(clusters(k, np.random.default_rng(k)), random_state=0).n_clusters == k


@pytest.mark.parametrize("k", [2, 4, 6])
@pytest.mark.parametrize("kind", PLANTED)
def test_skew_irrelevant_columns_units_and_ties_do_not_hide_clusters(kind, k):
    X = PLANTED[kind](k, np.random.default_rng(k))
    assert number_of_clusters(X, random_state=0).n_clusters == k


# Three species of iris, two of which overlap, so that two groups are apart. Three wines.
@pytest.mark.parametrize(("load", "k"), [(load_iris, 2), (load_wine, 3)])
def test_known_numbers_of_clusters_are_found(load, k):
    X = load().data
    assert {number_of_clusters(X, random_state=seed).n_clusters for seed in range(5)} == {k}


@pytest.mark.realdata
def test_mall_customers_have_five_clusters_by_income_and_spending(data_folder):
    mall = pd.read_csv(data_folder / "Mall_Customers.csv").iloc[:, 3:5]
    assert {number_of_clusters(mall, random_state=seed).n_clusters for seed in range(5)} == {5}


def test_a_large_table_is_sampled():
    X = clusters(4, np.random.default_rng(0), n=20_000)
    assert number_of_clusters(X, sample_size=300, random_state=0).n_clusters == 4


def test_the_automatic_score_weighs_places_between_worst_and_best():
    scores = number_of_clusters(clusters(3, np.random.default_rng(0)), random_state=0).scores

    def place(values):
        return (values - values.min()) / (values.max() - values.min())

    expected = (
        0.5 * place(scores["silhouette"])
        + 0.25 * place(scores["calinski_harabasz"])
        + 0.25 * place(-np.log(scores["marriott"]))
    )
    np.testing.assert_allclose(scores["auto"], expected)
    assert scores.index.tolist() == list(range(2, 11))
    assert scores.index.name == "n_clusters"


def test_the_units_of_columns_and_the_order_of_rows_change_nothing():
    rng = np.random.default_rng(1)
    X = np.column_stack([rng.normal(size=300), rng.poisson(3, 300), rng.exponential(size=300)])
    expected = number_of_clusters(X, random_state=0).scores
    in_other_units = number_of_clusters(X * [2.0**-30, 8, 2.0**40] + [0, 16, 0], random_state=0)
    pd.testing.assert_frame_equal(in_other_units.scores, expected)
    shuffled = number_of_clusters(X[rng.permutation(300)], random_state=0)
    pd.testing.assert_frame_equal(shuffled.scores, expected, check_exact=True)


def test_a_constant_column_changes_nothing():
    X = clusters(3, np.random.default_rng(0))
    expected = number_of_clusters(X, random_state=0).scores
    with_constant = number_of_clusters(np.insert(X, 1, 7.0, axis=1), random_state=0).scores
    pd.testing.assert_frame_equal(with_constant, expected, check_exact=True)


def test_places_with_many_customers_each_are_counted():
    places = np.array([[0, 0], [3, 1], [1, 4], [5, 5]])
    assert number_of_clusters(np.repeat(places, 50, axis=0), random_state=0).n_clusters == 4


def test_few_rows_have_few_clusters():
    scores = number_of_clusters([[0.0], [0.1], [5.0], [5.1]], random_state=0).scores
    assert scores.index.tolist() == [2, 3]


def test_the_same_random_state_gives_the_same_scores_and_nothing_is_mutated():
    X = np.random.default_rng(0).normal(size=(200, 3))
    before, state = X.copy(), np.random.get_state()[1].copy()  # noqa: NPY002
    one, same, other = (number_of_clusters(X, random_state=seed).scores for seed in (3, 3, 4))
    number_of_clusters(X)
    np.testing.assert_array_equal(X, before)
    np.testing.assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002
    pd.testing.assert_frame_equal(one, same, check_exact=True)
    assert not one.equals(other)


@pytest.mark.parametrize(
    ("X", "parameters", "error", "message"),
    [
        (np.ones((30, 2)), {}, SegkitValueError, "no column of X varies"),
        (np.eye(2), {}, SegkitValueError, "2 rows, which are too few"),
        ([[1.0, np.nan]] * 30, {}, MissingValuesError, "X contains NaN"),
        ([["a", "b"]] * 30, {}, SegkitTypeError, "X must hold numbers"),
        (None, {"n_clusters_range": (2, 5, 8)}, SegkitTypeError, "n_clusters_range must be two"),
        (None, {"n_clusters_range": (50, 60)}, SegkitValueError, "50 clusters .* 40 rows"),
        (None, {"sample_size": 3}, SegkitValueError, "sample_size must be .* 20, got 3"),
    ],
)
def test_errors_name_what_is_wrong(X, parameters, error, message):
    X = np.random.default_rng(0).normal(size=(40, 2)) if X is None else X
    with pytest.raises(error, match=f"^number_of_clusters: .*{message}"):
        number_of_clusters(X, **parameters)
