"""Edges and scores, against numpy's quantiles and the definition of a score."""

import itertools
from collections import Counter

import narwhals.stable.v2 as nw
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.cluster import KMeans

from frames import as_kind, columns_of
from segkit._binning import OrderedValues, kmeans_edges, quantile_edges, uniform_edges
from segkit._scoring import score_expression, score_one, scores
from strategies import customer_tables

values_with_ties = st.lists(
    st.integers(-3, 3).map(float) | st.floats(-1e6, 1e6, allow_subnormal=False), min_size=1
)


@given(values=values_with_ties, n_bins=st.integers(2, 12))
def test_edges_are_the_linearly_interpolated_quantiles(values, n_bins):
    values = np.array(values)
    expected = np.quantile(values, np.arange(1, n_bins) / n_bins)
    np.testing.assert_allclose(
        quantile_edges(OrderedValues(values), n_bins), expected, rtol=1e-9, atol=1e-9
    )


@pytest.mark.parametrize("n_bins", [3, 5, 6, 7, 9, 10])
def test_an_edge_that_falls_on_a_data_point_is_that_point(n_bins):
    # 0 ... m * n_bins: the k-th quantile is exactly k * m; in floating point 3 * (1 / 10) is not.
    for m in range(1, 40):
        values = np.arange(m * n_bins + 1, dtype=np.float64)
        assert quantile_edges(OrderedValues(values), n_bins).tolist() == [
            m * k for k in range(1, n_bins)
        ]


@given(values=values_with_ties, n_bins=st.integers(2, 8), smaller_is_better=st.booleans())
def test_a_score_counts_the_edges_below(values, n_bins, smaller_is_better):
    values = np.array(values)
    edges = quantile_edges(OrderedValues(values), n_bins)
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
    edges = quantile_edges(OrderedValues(values), 5)
    frame = nw.from_native(as_kind(customers[["monetary"]], kind))
    expression = score_expression(nw.col("monetary"), edges, smaller_is_better=smaller_is_better)
    scored = columns_of(frame.select(score=expression).to_native())["score"]
    expected = scores(values, edges, smaller_is_better=smaller_is_better)
    assert sorted(scored) == sorted(expected.tolist())


def test_edges_between_values_at_the_ends_of_floats_are_finite():
    edges = quantile_edges(OrderedValues(np.array([-1.7e308, 1.7e308])), 5)
    np.testing.assert_allclose(edges, [-1.02e308, -0.34e308, 0.34e308, 1.02e308])


@pytest.mark.parametrize("dtype", [np.float64, np.int64, np.uint8, np.int32])
@pytest.mark.parametrize("with_half", [False, True])
def test_values_by_rank_and_distinct_values_are_those_of_sorted_numbers(dtype, with_half):
    numbers = np.random.default_rng(0).geometric(0.3, 5_000).astype(dtype) + dtype(7)
    if with_half:
        numbers = np.append(numbers, 0.5)
    ordered, expected = OrderedValues(numbers), sorted(numbers.tolist())
    values, following = ordered.at(np.arange(numbers.size))
    assert values.tolist() == expected
    assert following.tolist() == [*expected[1:], expected[-1]]
    distinct, counts = ordered.distinct()
    assert dict(zip(distinct, counts, strict=True)) == Counter(expected)
    assert (ordered.lowest, ordered.highest) == (expected[0], expected[-1])


@pytest.mark.parametrize(
    "draw",
    [
        lambda rng: rng.lognormal(4, 1.2, 400_003),
        lambda rng: np.round(rng.lognormal(1, 1, 400_003), 1),
        lambda rng: np.where(rng.random(400_003) < 0.9, 0.25, rng.normal(size=400_003)),
        lambda rng: np.sort(rng.normal(size=400_003)),
        lambda rng: rng.integers(-(10**12), 10**12, 400_003),
        # What a sample of every sixth value does not see.
        lambda rng: np.where(np.arange(400_003) % 6 == 0, -1.0, rng.random(400_003)),
    ],
    ids=["skewed", "ties", "one value", "sorted", "integers", "misleading"],
)
def test_quantiles_of_many_values_are_selected_exactly(draw):
    values = draw(np.random.default_rng(0))
    expected = np.quantile(values, [0.2, 0.4, 0.6, 0.8])
    np.testing.assert_allclose(quantile_edges(OrderedValues(values), 5), expected, rtol=1e-12)


@given(values=values_with_ties, n_bins=st.integers(2, 12))
def test_uniform_edges_cut_the_range_into_equal_widths(values, n_bins):
    expected = np.linspace(min(values), max(values), n_bins + 1)[1:-1]
    found = uniform_edges(OrderedValues(np.array(values)), n_bins)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)


def inertia(values, edges):
    scored = np.searchsorted(edges, values)
    parts = [values[scored == score] for score in set(scored.tolist())]
    return sum(((part - part.mean()) ** 2).sum() for part in parts)


def least_inertia(values, n_clusters):
    """Try every way to cut the sorted values."""
    ordered = np.sort(values)
    cuts = itertools.combinations(range(1, ordered.size), min(n_clusters, ordered.size) - 1)
    return min(
        sum(((part - part.mean()) ** 2).sum() for part in np.split(ordered, cut)) for cut in cuts
    )


@given(
    values=st.lists(st.integers(-50, 50) | st.integers(0, 3), min_size=1, max_size=12),
    n_bins=st.integers(2, 5),
)
def test_no_way_to_cut_has_less_inertia_than_kmeans(values, n_bins):
    values = np.array(values, dtype=np.float64) / 4
    edges = kmeans_edges(OrderedValues(values), n_bins)
    assert edges.size == n_bins - 1
    assert (np.diff(edges) >= 0).all()
    least = least_inertia(values, n_bins)
    assert inertia(values, edges) == pytest.approx(least, abs=1e-9)


@pytest.mark.parametrize("n_bins", [3, 5, 8])
def test_kmeans_of_many_values_is_as_good_as_the_best_of_many_random_starts(n_bins):
    values = np.random.default_rng(0).lognormal(4, 1.2, 20_000)
    edges = kmeans_edges(OrderedValues(values), n_bins)
    peer = KMeans(n_bins, n_init=20, random_state=0).fit(values[:, None])
    assert inertia(values, edges) <= peer.inertia_ * (1 + 1e-6)


@pytest.mark.parametrize("offset", [0.0, 1e6, 1e9, 1e12, -1e12])
def test_kmeans_sees_small_differences_of_large_values(offset):
    values = offset + np.array([0, 0.125, 0.25, 10, 10.125, 10.25, 20, 20.125, 20.25])
    edges = kmeans_edges(OrderedValues(values), 3)
    np.testing.assert_allclose(edges - offset, [5.125, 15.125], atol=1e-3)


def test_kmeans_of_values_at_the_ends_of_floats_is_finite():
    for values in ([1e308, -1e308] * 5, [1.7e308] * 5 + [1.0] * 5):
        assert np.isfinite(kmeans_edges(OrderedValues(np.array(values)), 3)).all()


@pytest.mark.parametrize("dtype", ["i1", "i2", "i8", "f4", "f8"])
def test_narrow_types_are_counted_as_what_they_hold(dtype):
    numbers = np.random.default_rng(0).integers(-100, 100, 500).astype(dtype)
    expected = np.quantile(numbers.astype(float), [0.25, 0.5, 0.75])
    assert quantile_edges(OrderedValues(numbers), 4).tolist() == expected.tolist()


@pytest.mark.parametrize(("dtype", "lowest", "unit"), [("f4", -60_000, 1e-3), ("f8", -1, 1e-17)])
def test_fractions_beside_a_large_whole_number_are_no_whole_numbers(dtype, lowest, unit):
    values = (np.random.default_rng(0).random(400) * unit).astype(dtype)
    values[0] = lowest
    expected = np.quantile(values.astype(float), [0.2, 0.4, 0.6, 0.8])
    np.testing.assert_allclose(quantile_edges(OrderedValues(values), 5), expected, rtol=1e-9)


def test_kmeans_edges_lie_halfway_between_centres():
    values = np.array([1.0, 2.0, 3.0, 11.0, 13.0, 40.0])
    assert kmeans_edges(OrderedValues(values), 3).tolist() == [7.0, 26.0]


def test_kmeans_with_fewer_values_than_scores_leaves_out_the_lowest_scores():
    edges = kmeans_edges(OrderedValues(np.array([2.0, 2.0, 8.0])), 5)
    assert edges.tolist() == [2.0, 2.0, 2.0, 5.0]
    assert scores(np.array([2.0, 8.0]), edges).tolist() == [1, 5]


@pytest.mark.parametrize("n_edges", [4, 40, 300])
def test_few_and_many_edges_score_alike(n_edges):
    rng = np.random.default_rng(0)
    edges = np.sort(rng.normal(size=n_edges))
    values = np.concatenate([rng.normal(size=500), edges])
    expected = [1 + sum(edge < value for edge in edges) for value in values]
    assert scores(values, edges).tolist() == expected
    cells = np.zeros(values.size, dtype=np.intp)
    assert scores(values, np.stack([edges, edges * 0]), cells=cells).tolist() == expected
    turned = [n_edges + 2 - score for score in expected]
    assert scores(values, edges, smaller_is_better=True).tolist() == turned


def test_values_that_fall_together_far_from_the_lowest_make_one_cluster():
    # Counted from -1e308 on, 1 to 4 are the same float: two clusters, and the edge halfway.
    values = np.array([-1e308, 1.0, 2.0, 3.0, 4.0])
    assert kmeans_edges(OrderedValues(values), 3).tolist() == [-1e308, -5e307]
