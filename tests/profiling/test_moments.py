"""The kernel of profiles against scipy and numpy."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given
from scipy import stats

from segkit.profiling._moments import PROBABILITIES, summarise_numbers

RNG = np.random.default_rng(0)
N = 3_000
COLUMNS = {
    "floats": RNG.lognormal(size=N),
    "around zero": RNG.normal(size=N),
    "cents": np.round(RNG.lognormal(4, 1, N), 2),
    "few whole numbers": RNG.poisson(3, N),
    "whole numbers as floats": RNG.poisson(3, N).astype(float),
    "many whole numbers": RNG.integers(-(10**9), 10**9, N),
    "unsigned": RNG.integers(0, 200, N).astype(np.uint8),
    "ties of floats": RNG.choice(RNG.normal(size=40), N),
    "zeros of both signs": np.where(RNG.random(N) < 0.5, -0.0, RNG.exponential(size=N)),
    "huge and tiny": RNG.choice([-1e300, -1e-300, 0.0, 5e-324, 1e-310, 3.3, 1e300], N),
    "missing": np.where(RNG.random(N) < 0.2, np.nan, RNG.normal(size=N)),
    "large with little spread": 1e9 + RNG.normal(size=N),
}


def segments_of(values, codes, n_segments):
    values = np.asarray(values, dtype=np.float64)
    known = ~np.isnan(values)
    return [values[known & (codes == segment)] for segment in range(n_segments)]


def statistic_h(summary):
    n = summary.total
    between = (summary.rank_sums**2 / summary.counts).sum()
    return 12 / (n * (n + 1)) * between / (1 - summary.ties / (n**3 - n))


@pytest.mark.parametrize("n_segments", [2, 5, 8, 70])
@pytest.mark.parametrize("name", COLUMNS)
def test_quantiles_and_extremes_are_those_of_numpy(name, n_segments):
    codes = RNG.integers(0, n_segments, N)
    summary = summarise_numbers(COLUMNS[name], codes, n_segments)
    parts = segments_of(COLUMNS[name], codes, n_segments)
    parts.append(np.concatenate(parts))
    expected = [np.quantile(part, PROBABILITIES) for part in parts]
    np.testing.assert_allclose(summary.quantiles, expected, rtol=1e-12, atol=1e-300)
    assert summary.extremes.tolist() == [[part.min(), part.max()] for part in parts]


@pytest.mark.parametrize("name", COLUMNS)
def test_a_median_that_is_a_customers_value_is_that_value_to_the_last_bit(name):
    values, codes = COLUMNS[name], np.arange(N) % 8  # 375 of each, so that one is in the middle
    values = np.where(np.isnan(values), 0, values)
    summary = summarise_numbers(values, codes, 8)
    medians = [np.median(part) for part in segments_of(values, codes, 8)]
    assert summary.quantiles[:-1, PROBABILITIES.index(0.5)].tolist() == medians


@pytest.mark.parametrize("name", [name for name in COLUMNS if name != "huge and tiny"])
def test_moments_are_those_of_numpy(name):
    codes = RNG.integers(0, 5, N)
    summary = summarise_numbers(COLUMNS[name], codes, 5)
    parts = segments_of(COLUMNS[name], codes, 5)
    assert summary.counts.tolist() == [len(part) for part in parts]
    np.testing.assert_allclose(summary.means, [part.mean() for part in parts], rtol=1e-12)
    np.testing.assert_allclose(summary.variances, [part.var(ddof=1) for part in parts], rtol=1e-12)
    everyone = np.concatenate(parts)
    np.testing.assert_allclose(summary.mean, everyone.mean(), rtol=1e-12)
    np.testing.assert_allclose(summary.variance, everyone.var(ddof=1), rtol=1e-8)


@pytest.mark.parametrize("n_segments", [2, 5, 70])
@pytest.mark.parametrize("name", COLUMNS)
def test_rank_sums_give_the_statistic_of_scipy_with_its_correction_for_ties(name, n_segments):
    codes = RNG.integers(0, n_segments, N)
    expected = stats.kruskal(*segments_of(COLUMNS[name], codes, n_segments)).statistic
    found = statistic_h(summarise_numbers(COLUMNS[name], codes, n_segments))
    np.testing.assert_allclose(found, expected, rtol=1e-9)


@given(
    st.lists(
        st.tuples(st.floats(-1e6, 1e6, width=32) | st.integers(-3, 3), st.integers(0, 2)),
        min_size=1,
        max_size=60,
    )
)
def test_any_column_is_summarised_as_segment_by_segment(rows):
    values = np.array([value for value, _ in rows], dtype=np.float64)
    codes = np.array([code for _, code in rows], dtype=np.intp)
    summary = summarise_numbers(values, codes, 3)
    ranks = stats.rankdata(values) - (len(values) + 1) / 2
    for segment in range(3):
        inside = codes == segment
        assert summary.counts[segment] == inside.sum()
        np.testing.assert_allclose(summary.rank_sums[segment], ranks[inside].sum(), atol=1e-9)
        if inside.any():
            expected = np.quantile(values[inside], PROBABILITIES)
            np.testing.assert_allclose(summary.quantiles[segment], expected, rtol=1e-12, atol=1e-9)
        else:
            assert np.isnan(summary.quantiles[segment]).all()


def test_a_column_without_values_has_counts_of_zero_and_nothing_else():
    summary = summarise_numbers(np.full(4, np.nan), np.array([0, 1, 0, 1]), 2)
    assert summary.counts.tolist() == [0, 0]
    assert np.isnan(summary.means).all()
    assert np.isnan(summary.mean)
    assert np.isnan(summary.variance)


def test_the_column_itself_is_left_as_it_is():
    values = RNG.normal(size=200)
    before = values.copy()
    summarise_numbers(values, RNG.integers(0, 3, 200), 3)
    np.testing.assert_array_equal(values, before)


def test_large_whole_numbers_keep_the_digits_in_which_they_differ():
    small = RNG.integers(0, 1000, N)
    codes = RNG.integers(0, 5, N)
    parts = segments_of(small, codes, 5)
    for large in (10**15 + small, 9 * 10**15 + small, 2**60 + small, (2**60 + small) * -1):
        summary = summarise_numbers(large, codes, 5)
        assert not summary.is_constant
        sign = np.sign(large[0])
        expected = [part.mean() - small.mean() for part in parts]
        found = sign * (summary.deviations - summary.deviation)
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(
            summary.variances, [part.var(ddof=1) for part in parts], rtol=1e-12
        )
        np.testing.assert_allclose(statistic_h(summary), stats.kruskal(*parts).statistic, rtol=1e-9)
    far = np.where(small < 500, -(2**62), 2**62 - 1)  # as far apart as whole numbers get
    assert summarise_numbers(far, codes, 5).variances == pytest.approx(
        [part.var(ddof=1) for part in segments_of(far, codes, 5)]
    )


def test_numbers_that_differ_by_rounding_are_equal():
    codes = RNG.integers(0, 2, N)
    for values in (
        np.where(RNG.random(N) < 0.5, 1.0, np.nextafter(1.0, 2)),
        np.where(RNG.random(N) < 0.5, 0.3, 0.1 + 0.2),
    ):
        summary = summarise_numbers(values, codes, 2)
        assert summary.is_constant
        # Nor do means of them differ by the rounding of sums.
        apart = np.diff(summary.deviations) / np.sqrt(summary.variance)
        assert abs(apart[0]) < 0.15
    assert not summarise_numbers(1 + 1e-13 * RNG.random(N), codes, 2).is_constant
