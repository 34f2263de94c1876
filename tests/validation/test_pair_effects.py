"""Effects between segments: against scipy, and by hand."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from segkit.metrics import cramers_v
from segkit.validation._pair_effects import cliffs_delta, overall_effect, pair_effects
from segkit.validation._variables import Categories, Numbers

_RANDOM = np.random.default_rng(0)
CODES = _RANDOM.integers(3, size=300)
SPEND = np.round(_RANDOM.lognormal(CODES / 2), 1)
LEVELS = (_RANDOM.random(300) < np.array([0.2, 0.5, 0.8])[CODES]).astype(np.intp)
NAMES = ("a", "b", "c")


def row(table, one, other):
    found = table[(table["segment_a"] == one) & (table["segment_b"] == other)]
    return found.iloc[0]


def test_cliffs_delta_of_four_values_by_hand():
    # (1, 3) against (2, 3): above in 1 of 4 pairs, below in 2, equal in 1.
    numbers = Numbers(np.array([1.0, 3.0, 2.0, 3.0]))
    delta, _, _ = cliffs_delta(np.array([0, 0, 1, 1]), 2, numbers)
    assert delta[0, 1] == pytest.approx(-0.25)
    assert delta[1, 0] == pytest.approx(0.25)


def test_cliffs_delta_is_that_of_the_statistic_of_mann_and_whitney():
    table = pair_effects(CODES, NAMES, {"spend": Numbers(SPEND)}, "basis")
    for i, one in enumerate(NAMES):
        for j in range(i + 1, 3):
            x, y = SPEND[i == CODES], SPEND[j == CODES]
            expected = 2 * stats.mannwhitneyu(x, y).statistic / (len(x) * len(y)) - 1
            found = row(table, one, NAMES[j])
            assert found["value"] == pytest.approx(expected, abs=1e-12)
            assert found["low"] < expected < found["high"]


def test_interval_of_cliffs_delta_is_that_of_hanley_and_mcneil():
    x, y = SPEND[CODES == 0], SPEND[CODES == 1]
    a = stats.mannwhitneyu(x, y).statistic / (len(x) * len(y))
    variance = a * (1 - a) + (len(x) - 1) * (a / (2 - a) - a**2)
    variance += (len(y) - 1) * (2 * a**2 / (1 + a) - a**2)
    half = 2 * 1.959963985 * np.sqrt(variance / (len(x) * len(y)))
    found = row(pair_effects(CODES, NAMES, {"spend": Numbers(SPEND)}, "basis"), "a", "b")
    assert found["high"] - found["value"] == pytest.approx(half, rel=1e-9)


def test_missing_values_and_customers_without_a_segment_have_no_part_in_an_effect():
    values, codes = np.append(SPEND, [np.nan, 1e9]), np.append(CODES, [0, -1])
    plain = pair_effects(CODES, NAMES, {"spend": Numbers(SPEND)}, "basis")
    with_gaps = pair_effects(codes, NAMES, {"spend": Numbers(values)}, "basis")
    pd.testing.assert_frame_equal(plain, with_gaps)


def test_tests_of_pairs_are_those_of_scipy_adjusted_together():
    variables = {"spend": Numbers(SPEND), "level": Categories(LEVELS, ("no", "yes"))}
    table = pair_effects(CODES, NAMES, variables, "outcome")
    pairs = [(0, 1), (0, 2), (1, 2)]
    expected = [
        stats.ttest_ind(SPEND[i == CODES], SPEND[j == CODES], equal_var=False).pvalue
        for i, j in pairs
    ]
    expected += [
        stats.chi2_contingency(
            pd.crosstab(CODES[np.isin(CODES, pair)], LEVELS[np.isin(CODES, pair)]),
            correction=False,
        ).pvalue
        for pair in pairs
    ]
    np.testing.assert_allclose(table["p_value"], expected, rtol=1e-8)
    adjusted = stats.false_discovery_control(expected)
    np.testing.assert_allclose(table["p_adjusted"], adjusted, rtol=1e-8)


def test_segments_of_equal_customers_are_as_far_apart_as_can_be_or_not_at_all():
    codes, flat = np.repeat([0, 1], 20), np.repeat([1.0, 2.0], 20)
    (found,) = pair_effects(codes, ("a", "b"), {"x": Numbers(flat)}, "basis").to_dict("records")
    assert found["value"] == -1
    assert found["p_value"] == 0
    same = pair_effects(codes, ("a", "b"), {"x": Numbers(np.ones(40))}, "basis")
    assert same["value"].tolist() == [0]
    assert same["p_value"].tolist() == [1]


def test_overall_effects_are_those_of_kruskal_and_wallis_and_of_chi_squared():
    statistic, p_value = stats.kruskal(*(SPEND[code == CODES] for code in range(3)))
    effect, value, _, found = overall_effect(CODES, Numbers(SPEND))
    assert effect == "ε²"
    assert value == pytest.approx(statistic / 299)
    assert found == pytest.approx(p_value)
    effect, value, _, found = overall_effect(CODES, Numbers(LEVELS.astype(float)))
    assert effect == "Cramér's V"
    assert value == pytest.approx(cramers_v(LEVELS, CODES))
    chi = stats.chi2_contingency(pd.crosstab(CODES, LEVELS), correction=False)
    assert found == pytest.approx(chi.pvalue)
