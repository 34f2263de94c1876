"""The test of structure: clouds are none, clusters are, and what changes nothing."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t as student

from segkit import summarize_transactions
from segkit.datasets import make_transactions
from segkit.exceptions import MissingValuesError, SegkitTypeError, SegkitValueError
from segkit.metrics import structure_test


def purchases(rng):
    log = make_transactions(400, random_state=int(rng.integers(1 << 30)))
    return summarize_transactions(log)[["recency_days", "frequency", "monetary"]]


def one_hot(levels):
    return np.eye(levels.max() + 1)[levels]


def with_category(rng):
    return np.column_stack([rng.normal(size=(400, 2)), one_hot(rng.integers(3, size=400))])


def categories(rng):
    return np.column_stack([one_hot(rng.integers(levels, size=400)) for levels in (2, 3, 4)])


CLOUDS = {
    "uniform": lambda rng: rng.random((400, 4)),
    "round": lambda rng: rng.normal(size=(400, 5)),
    "elongated": lambda rng: rng.normal(size=(400, 3)) * [1, 4, 16] @ np.ones((3, 3)) ** 0.5,
    "correlated": lambda rng: rng.normal(size=(400, 1)) * 1.5 + rng.normal(size=(400, 5)),
    "skewed": lambda rng: np.exp(rng.normal(size=(400, 3))),
    "heavy-tailed": lambda rng: rng.standard_t(3, size=(400, 4)),
    "counts": lambda rng: rng.negative_binomial(0.8, 0.2, (400, 4)),
    "purchases": purchases,
    "with a category": with_category,
    "categories": categories,
}


@pytest.mark.parametrize("kind", CLOUDS)
@pytest.mark.parametrize("seed", range(2))
def test_a_cloud_has_no_structure(kind, seed):
    X = CLOUDS[kind](np.random.default_rng(seed))
    assert not structure_test(X, random_state=seed).has_structure


def clusters(k, rng, *, distance=6.0, n=400, n_columns=4):
    """Round clusters on the axes, each center at that distance from all others."""
    centers = np.eye(max(k, n_columns))[:k] * distance / np.sqrt(2)
    return centers[rng.integers(k, size=n)] + rng.normal(size=(n, centers.shape[1]))


@pytest.mark.parametrize("k", [2, 3, 5, 8])
@pytest.mark.parametrize("transform", [np.asarray, lambda X: np.exp(X / 2), np.round])
def test_clusters_six_deviations_apart_are_structure(k, transform):
    X = transform(clusters(k, np.random.default_rng(k)))
    assert structure_test(X, random_state=0).has_structure


def test_one_column_with_three_clusters_has_structure():
    rng = np.random.default_rng(0)
    X = 6 * rng.integers(3, size=300) + rng.normal(size=300)
    assert structure_test(X[:, None], random_state=0).has_structure
    assert not structure_test(rng.normal(size=(300, 1)), random_state=0).has_structure


def test_categories_that_go_together_are_structure():
    rng = np.random.default_rng(0)
    kind = rng.integers(3, size=400)
    # Of each category, a customer has the level of the kind with probability .9.
    levels = [np.where(rng.random(400) < 0.85, kind, rng.integers(3, size=400)) for _ in range(4)]
    X = np.column_stack([one_hot(one) for one in levels])
    assert structure_test(X, random_state=0).has_structure


def test_four_places_with_many_customers_each_are_structure():
    X = np.repeat(np.random.default_rng(0).normal(size=(4, 2)), 100, axis=0)
    assert structure_test(X, random_state=0).has_structure


@pytest.mark.realdata
def test_mall_customers_have_structure(data_folder):
    mall = pd.read_csv(data_folder / "Mall_Customers.csv").iloc[:, 3:5]
    assert structure_test(mall, random_state=0).has_structure


def test_the_units_of_columns_and_the_order_of_rows_change_nothing():
    rng = np.random.default_rng(1)
    X = np.column_stack([rng.normal(size=300), rng.poisson(3, 300), rng.exponential(size=300)])
    expected = structure_test(X, random_state=0)
    in_other_units = structure_test(X * [2.0**-30, 8, 2.0**40] + [0, 16, 0], random_state=0)
    assert in_other_units.statistic == pytest.approx(expected.statistic)
    shuffled = structure_test(X[rng.permutation(300)], random_state=0)
    assert shuffled.statistic == expected.statistic
    pd.testing.assert_frame_equal(shuffled.evidence, expected.evidence)


def test_a_constant_column_changes_nothing():
    X = clusters(2, np.random.default_rng(0))
    with_constant = np.insert(X, 1, 7.0, axis=1)
    assert (
        structure_test(with_constant, random_state=0).statistic
        == structure_test(X, random_state=0).statistic
    )


def test_the_same_random_state_gives_the_same_result_and_nothing_is_mutated():
    X = clusters(2, np.random.default_rng(0))
    before, state = X.copy(), np.random.get_state()[1].copy()  # noqa: NPY002
    results = [structure_test(X, random_state=seed) for seed in (3, 3, 4)]
    results.append(structure_test(X))
    np.testing.assert_array_equal(X, before)
    np.testing.assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002
    assert results[0].p_value == results[1].p_value != results[2].p_value


def test_the_evidence_explains_the_decision():
    X = clusters(2, np.random.default_rng(0), distance=4, n=600)
    result = structure_test(X, n_clusters_range=(2, 5), n_references=10, random_state=0)
    evidence = result.evidence
    assert evidence["n_clusters"].tolist() == [2, 3, 4, 5] * 2
    assert evidence["preparation"].tolist() == ["plain"] * 4 + ["deskewed"] * 4
    names = ("gaussian", "box", "margins")
    distances = np.array([evidence["observed"] - evidence[f"{name}_mean"] for name in names])
    spreads = np.array([evidence[f"{name}_spread"] for name in names])
    np.testing.assert_allclose(evidence["excess"], distances.min(axis=0))
    np.testing.assert_allclose(evidence["z"], (distances / spreads).min(axis=0))
    highest = evidence.groupby("preparation")[["z", "excess"]].max().mean()
    assert result.statistic == pytest.approx(highest["z"])
    assert result.excess == pytest.approx(highest["excess"])
    # Student's t for an eleventh draw, ten draws of each of two preparations, four numbers.
    tail = student.sf(highest["z"] / np.sqrt(1.1), 18)
    assert result.p_value == pytest.approx(min(1, 4 * tail))


def test_alpha_decides():
    X = clusters(2, np.random.default_rng(2), distance=4.5)
    result = structure_test(X, random_state=0)
    assert 0 < result.p_value < 0.01
    assert result.has_structure
    assert not structure_test(X, alpha=result.p_value / 2, random_state=0).has_structure


def test_nothing_is_claimed_of_few_rows_or_of_more_columns_than_rows():
    rng = np.random.default_rng(0)
    for shape in ((4, 2), (10, 3), (40, 60)):
        assert not structure_test(rng.normal(size=shape), random_state=0).has_structure


def test_numbers_of_clusters_that_the_rows_do_not_allow_are_left_out():
    X = np.random.default_rng(0).normal(size=(7, 2))
    assert structure_test(X, random_state=0).evidence["n_clusters"].max() == 5


@pytest.mark.parametrize(
    ("X", "parameters", "error", "message"),
    [
        (np.ones((30, 2)), {}, SegkitValueError, "no column of X varies"),
        (np.eye(2), {}, SegkitValueError, "1 rows, which are too few"),
        (np.arange(9.0), {}, SegkitValueError, "two dimensions"),
        ([[1.0, np.nan]] * 30, {}, MissingValuesError, "X contains NaN"),
        ([["a", "b"]] * 30, {}, SegkitTypeError, "X must hold numbers"),
        (None, {"alpha": 0}, SegkitValueError, "alpha must be a number between 0 and 1, got 0"),
        (None, {"alpha": "low"}, SegkitValueError, "alpha must be a number between 0 and 1"),
        (None, {"n_clusters_range": 5}, SegkitTypeError, "n_clusters_range must be two integers"),
        (None, {"n_clusters_range": (1, 5)}, SegkitValueError, "n_clusters_range must be .* 2"),
        (None, {"n_clusters_range": (5, 3)}, SegkitValueError, "the smaller first, got .5, 3."),
        (None, {"n_references": 2}, SegkitValueError, "n_references must be .* 5, got 2"),
        (None, {"sample_size": 3}, SegkitValueError, "sample_size must be .* 20, got 3"),
        (None, {"random_state": "x"}, SegkitValueError, "random_state must be"),
    ],
)
def test_errors_name_what_is_wrong(X, parameters, error, message):
    X = np.random.default_rng(0).normal(size=(40, 2)) if X is None else X
    with pytest.raises(error, match=f"^structure_test: .*{message}"):
        structure_test(X, **parameters)
