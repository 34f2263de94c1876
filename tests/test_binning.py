"""Edges and scores, against numpy's quantiles and the definition of a score."""

import narwhals.stable.v2 as nw
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from frames import as_kind, columns_of
from segkit._binning import quantile_edges, score_expression, score_one, scores
from strategies import customer_tables

values_with_ties = st.lists(
    st.integers(-3, 3).map(float) | st.floats(-1e6, 1e6, allow_subnormal=False), min_size=1
)


@given(values=values_with_ties, n_bins=st.integers(2, 12))
def test_edges_are_the_linearly_interpolated_quantiles(values, n_bins):
    values = np.array(values)
    expected = np.quantile(values, np.arange(1, n_bins) / n_bins)
    np.testing.assert_allclose(quantile_edges(values, n_bins), expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("n_bins", [3, 5, 6, 7, 9, 10])
def test_an_edge_that_falls_on_a_data_point_is_that_point(n_bins):
    # 0 ... m * n_bins: the k-th quantile is exactly k * m; in floating point 3 * (1 / 10) is not.
    for m in range(1, 40):
        values = np.arange(m * n_bins + 1, dtype=np.float64)
        assert quantile_edges(values, n_bins).tolist() == [m * k for k in range(1, n_bins)]


@given(values=values_with_ties, n_bins=st.integers(2, 8), smaller_is_better=st.booleans())
def test_a_score_counts_the_edges_below(values, n_bins, smaller_is_better):
    values = np.array(values)
    edges = quantile_edges(values, n_bins)
    for value, score in zip(
        values, scores(values, edges, smaller_is_better=smaller_is_better), strict=True
    ):
        below = sum(1 for edge in edges if edge < value)
        assert score == (n_bins - below if smaller_is_better else 1 + below)
        one = score_one(value, edges.tolist(), smaller_is_better=smaller_is_better)
        assert one == score


@pytest.mark.parametrize("smaller_is_better", [False, True])
@given(customers=customer_tables())
def test_expressions_score_as_arrays(kind, customers, smaller_is_better):
    values = customers["monetary"].to_numpy()
    edges = quantile_edges(values, 5)
    frame = nw.from_native(as_kind(customers[["monetary"]], kind))
    expression = score_expression(nw.col("monetary"), edges, smaller_is_better=smaller_is_better)
    scored = columns_of(frame.select(score=expression).to_native())["score"]
    expected = scores(values, edges, smaller_is_better=smaller_is_better)
    assert sorted(scored) == sorted(expected.tolist())


def test_edges_between_values_at_the_ends_of_floats_are_finite():
    edges = quantile_edges(np.array([-1.7e308, 1.7e308]), 5)
    np.testing.assert_allclose(edges, [-1.02e308, -0.34e308, 0.34e308, 1.02e308])
