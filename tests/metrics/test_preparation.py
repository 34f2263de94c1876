"""Columns made comparable, and the references they are compared with."""

import numpy as np
import pytest
from scipy.stats import skew

from segkit.metrics._batched_k_means import ClusterCounts
from segkit.metrics._preparation import (
    columns_of_categories,
    deskew,
    n_rows_within,
    prepare,
    scale_within,
    skewness,
    spread_ties,
    standardise,
    trim,
)
from segkit.metrics._references import draw_references, unimodal_quantiles


def test_equal_values_are_spread_halfway_to_their_neighbours():
    column = np.repeat([0.0, 1.0, 4.0], [50, 1, 50])
    spread = spread_ties(column, np.random.default_rng(0)) * 4
    assert (np.abs(spread[:50]) <= 0.5).all()
    assert spread[50] == pytest.approx(1)
    assert (np.abs(spread[51:] - 4) <= 1.5).all()
    assert len(np.unique(spread)) == 101


def test_a_column_without_ties_stays_as_it_is():
    column = np.array([3.0, 1.0, 2.0])
    np.testing.assert_allclose(spread_ties(column, np.random.default_rng(0)), [1, 0, 0.5])


def test_skewness_is_that_of_scipy():
    column = np.random.default_rng(0).gamma(2, size=500)
    assert skewness(column) == pytest.approx(skew(column))


@pytest.mark.parametrize("sign", [1, -1])
def test_skew_is_taken_out(sign):
    column = standardise(sign * np.exp(np.random.default_rng(0).normal(size=1000)))
    deskewed = deskew(column)
    assert abs(skewness(deskewed)) < 0.01
    np.testing.assert_array_equal(np.argsort(deskewed), np.argsort(column))


def test_a_column_with_little_skew_stays_as_it_is():
    column = np.random.default_rng(0).gamma(6, size=1000)
    assert deskew(column) is column


def test_columns_come_out_in_standard_deviations():
    X = np.random.default_rng(0).exponential(size=(300, 2)) * [1e-9, 1e9]
    for prepared in prepare(X, np.random.default_rng(0)):
        np.testing.assert_allclose(prepared.mean(axis=0), 0, atol=1e-9)
        np.testing.assert_allclose(prepared.std(axis=0), 1)


def test_the_rows_farthest_out_are_left_out():
    X = np.random.default_rng(0).normal(size=(200, 2))
    X[[3, 7]] = [[90, 0], [0, -50]]
    within = trim(X)
    assert len(within) == n_rows_within(200) == 198
    np.testing.assert_allclose(within, standardise(np.delete(X, [3, 7], axis=0)))


def test_irrelevant_columns_come_to_weigh_less():
    rng = np.random.default_rng(0)
    apart = 8 * rng.integers(3, size=600) + rng.normal(size=600)
    X = standardise(np.column_stack([apart, rng.normal(size=600)]))
    spreads = scale_within(X, ClusterCounts((2, 3)), rng).std(axis=0)
    assert spreads[0] > 1.1 * spreads[1]


def test_columns_of_a_category_are_those_of_which_a_row_has_one():
    rng = np.random.default_rng(0)
    one, other = np.eye(3)[rng.integers(3, size=50)], np.eye(2)[rng.integers(2, size=50)]
    flag = rng.integers(2, size=(50, 1))
    X = np.column_stack([flag, one * 0.7, rng.normal(size=50), other])
    assert columns_of_categories(X) == [[1, 2, 3], [5, 6]]
    assert columns_of_categories(np.column_stack([flag, flag])) == []


def test_the_levels_of_a_category_weigh_as_one_column():
    rng = np.random.default_rng(0)
    levels = standardise(np.eye(4)[rng.integers(4, size=2000)])
    # Two clusters so far apart that they say nothing of the other columns.
    apart = 1e3 * rng.integers(2, size=2000)
    X = np.column_stack([apart, standardise(rng.normal(size=(2000, 1))), levels])
    scaled = scale_within(X, ClusterCounts((2,)), rng, [[2, 3, 4, 5]])
    assert scaled[:, 1].var() == pytest.approx(1, rel=0.01)
    assert scaled[:, 2:].var(axis=0).sum() == pytest.approx(1, rel=0.01)


def test_references_keep_levels_together_and_apart_from_other_columns():
    rng = np.random.default_rng(0)
    kind = rng.integers(3, size=600)
    X = np.column_stack([5.0 * kind, np.eye(3)[kind]])
    for table in draw_references(X, 2, 300, rng, [[1, 2, 3]]):
        assert (table[:, 1:].sum(axis=1) == 1).all()
        assert table[:, 1:].mean(axis=0) == pytest.approx(X[:, 1:].mean(axis=0), abs=0.1)
        assert abs(np.corrcoef(table[:, 0], table[:, 3])[0, 1]) < 0.2


def test_references_keep_the_covariance_the_bounds_and_the_margins():
    rng = np.random.default_rng(0)
    X = standardise(rng.normal(size=(2000, 2)) @ [[1, 0.8], [0, 0.6]])
    X[:, 1] = np.exp(X[:, 1])
    gaussian, box, margins = draw_references(X, 40, 500, rng).reshape(3, -1, 2)
    np.testing.assert_allclose(np.cov(gaussian.T), np.cov(X.T), atol=0.1)
    axes = np.linalg.eigh(np.cov(X.T))[1]
    for drawn, own in zip((box @ axes).T, (X @ axes).T, strict=True):
        assert own.min() == pytest.approx(drawn.min(), abs=0.01)
        assert own.max() == pytest.approx(drawn.max(), abs=0.01)
    quantiles = [0.1, 0.5, 0.9]
    np.testing.assert_allclose(
        np.quantile(margins, quantiles, axis=0), np.quantile(X, quantiles, axis=0), atol=0.15
    )


def test_margins_of_two_humps_are_made_unimodal():
    rng = np.random.default_rng(0)
    column = np.concatenate([rng.normal(-4, size=500), rng.normal(4, size=300)])
    drawn = np.interp(
        rng.normal(size=50_000), np.linspace(-4.5, 4.5, 400), unimodal_quantiles(column)
    )
    heights = np.histogram(drawn, bins=np.linspace(column.min(), column.max(), 13))[0]
    falls = np.diff(heights) < -300
    rises = np.diff(heights) > 300
    assert not rises[np.argmax(falls) :].any()
