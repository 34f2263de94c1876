"""Effect sizes, drift and migration, against scipy, naive loops and hand-worked cases."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from segkit.exceptions import MissingValuesError, SegkitTypeError, SegkitValueError
from segkit.metrics import (
    cramers_v,
    epsilon_squared,
    migration_matrix,
    omega_squared,
    population_stability_index,
)
from segkit.metrics._effect_sizes import standardised_difference

RNG = np.random.default_rng(0)
LABELS = RNG.integers(4, size=400)
VALUES = RNG.normal(size=400) + LABELS
TIED = np.round(VALUES)


@pytest.mark.parametrize("values", [VALUES, TIED, np.exp(5 * VALUES), VALUES * 1e-6 + 1e3])
def test_epsilon_squared_is_h_by_n_less_one(values):
    h = stats.kruskal(*(values[label == LABELS] for label in range(4))).statistic
    assert epsilon_squared(values, LABELS) == pytest.approx(h / 399, rel=1e-9)


@pytest.mark.parametrize("values", [VALUES, TIED, VALUES * 1e-6 + 1e3])
def test_omega_squared_is_that_of_the_analysis_of_variance(values):
    groups = [values[label == LABELS] for label in range(4)]
    between = sum(len(one) * (one.mean() - values.mean()) ** 2 for one in groups)
    within = sum(((one - one.mean()) ** 2).sum() for one in groups)
    mean_square = within / 396
    expected = (between - 3 * mean_square) / (between + within + mean_square)
    assert omega_squared(values, LABELS) == pytest.approx(expected, rel=1e-5)
    f = stats.f_oneway(*groups).statistic
    assert omega_squared(values, LABELS) == pytest.approx(3 * (f - 1) / (3 * f + 397), rel=1e-5)


def test_what_chance_gives_is_no_effect():
    noise = [np.random.default_rng(seed).normal(size=400) for seed in range(200)]
    assert np.mean([omega_squared(one, LABELS) for one in noise]) < 0.005
    levels = [np.random.default_rng(seed).integers(6, size=400) for seed in range(200)]
    assert np.mean([cramers_v(one, LABELS) for one in levels]) < 0.04
    assert np.mean([cramers_v(one, LABELS, bias_corrected=False) for one in levels]) > 0.1


def test_cramers_v_is_that_of_scipy():
    kinds = np.array(["a", "b", "c"])[(LABELS + RNG.integers(2, size=400)) % 3]
    table = pd.crosstab(kinds, LABELS).to_numpy()
    expected = stats.contingency.association(table, method="cramer")
    assert cramers_v(kinds, LABELS, bias_corrected=False) == pytest.approx(expected)
    # Bergsma (2013), equations 5 to 7.
    n, (r, c) = 400, table.shape
    phi = stats.chi2_contingency(table, correction=False).statistic / n
    phi = max(0, phi - (r - 1) * (c - 1) / (n - 1))
    r, c = r - (r - 1) ** 2 / (n - 1), c - (c - 1) ** 2 / (n - 1)
    assert cramers_v(kinds, LABELS) == pytest.approx(np.sqrt(phi / (min(r, c) - 1)))


def test_what_does_not_differ_has_no_effect_size():
    for effect in (epsilon_squared, omega_squared):
        assert np.isnan(effect([3.0, 3.0, 3.0], [0, 1, 1]))
        assert np.isnan(effect([1.0, 2.0], ["a", "a"]))
        assert effect([1.0, 1.0, 5.0, 5.0], [0, 0, 1, 1]) == pytest.approx(1)
    assert np.isnan(cramers_v(["a", "b"], [0, 0]))
    assert np.isnan(cramers_v(["a", "a"], [0, 1]))


def test_rows_without_a_segment_have_no_part():
    labels = np.where(LABELS == 3, -1, LABELS)
    inside = labels >= 0
    assert epsilon_squared(VALUES, labels) == epsilon_squared(VALUES[inside], labels[inside])
    assert cramers_v(TIED > 1, labels) == cramers_v((TIED > 1)[inside], labels[inside])


@pytest.mark.parametrize("effect", [epsilon_squared, omega_squared])
def test_values_that_are_no_finite_numbers_are_refused(effect):
    with pytest.raises(MissingValuesError, match="1 of 3 rows"):
        effect([1.0, np.nan, 2.0], [0, 1, 1])
    with pytest.raises(SegkitValueError, match="infinite"):
        effect([1.0, np.inf, 2.0], [0, 1, 1])
    with pytest.raises(SegkitTypeError, match="must be numbers"):
        effect(["a", "b"], [0, 1])
    with pytest.raises(SegkitValueError, match="one label for each"):
        effect([1.0, 2.0], [0, 1, 1])


def test_psi_is_as_worked_by_hand():
    before = ["x"] * 50 + ["y"] * 30 + ["z"] * 20
    after = ["x"] * 40 + ["y"] * 35 + ["z"] * 25
    assert population_stability_index(before, after) == pytest.approx(0.041179, abs=1e-6)
    assert population_stability_index(before, before * 3) == pytest.approx(0)


def test_psi_of_numbers_is_a_sum_over_quantiles_of_before():
    before, after = RNG.normal(size=1000), RNG.normal(size=500) + 0.4
    edges = [-np.inf, *(np.quantile(before, q / 10) for q in range(1, 10)), np.inf]
    expected = 0.0
    for low, high in pairwise(edges):
        p = ((before > low) & (before <= high)).mean()
        q = ((after > low) & (after <= high)).mean()
        expected += (q - p) * np.log(q / p)
    assert population_stability_index(before, after) == pytest.approx(expected)
    assert population_stability_index(TIED, TIED) == 0


def test_psi_of_what_is_new_or_gone_is_finite():
    assert 1 < population_stability_index(["a"] * 100, ["b"] * 100) < 20
    assert np.isfinite(population_stability_index([1, 2, 3], [100, 200, 300]))


def test_psi_needs_two_columns_of_one_kind():
    with pytest.raises(SegkitTypeError, match="both be numbers"):
        population_stability_index([1.0, 2.0], ["a", "b"])
    with pytest.raises(MissingValuesError, match="actual is missing in 1 of 2"):
        population_stability_index([1.0, 2.0], [1.0, None])
    with pytest.raises(SegkitValueError, match="expected must be a column"):
        population_stability_index([], [1.0])


def test_migration_is_a_table_of_counts_and_wilson_intervals():
    before, after = RNG.integers(3, size=300), RNG.integers(3, size=300)
    moved = migration_matrix(before, after)
    table = pd.crosstab(before, after).to_numpy().ravel()
    assert moved["customers"].tolist() == table.tolist()
    assert moved.groupby("before")["share"].sum().tolist() == pytest.approx([1, 1, 1])
    for row in moved.itertuples():
        of = int((before == row.before).sum())
        expected = stats.binomtest(row.customers, of).proportion_ci(0.95, method="wilson")
        assert (row.share_low, row.share_high) == pytest.approx((expected.low, expected.high))


def test_segments_keep_their_order_and_those_without_customers_their_place():
    moved = migration_matrix(["low"], ["unassigned"], segments=["high", "low", "unassigned"])
    pairs = moved.set_index(["before", "after"])["customers"]
    assert pairs["low", "unassigned"] == 1
    assert moved["before"].unique().tolist() == ["high", "low", "unassigned"]
    assert moved.loc[moved["before"] == "high", "share"].isna().all()
    assert migration_matrix(["b", "unassigned"], ["a", "a"])["after"].tolist()[:3] == [
        "a",
        "b",
        "unassigned",
    ]
    with pytest.raises(SegkitValueError, match=r"lacks \['low'\]"):
        migration_matrix(["low"], ["high"], segments=["high"])
    with pytest.raises(SegkitValueError, match="same customers"):
        migration_matrix(["low"], ["high", "low"])
    with pytest.raises(MissingValuesError, match="after is missing for 1"):
        migration_matrix(["low"], [None])


def test_the_standardised_difference_is_that_of_a_textbook():
    # Borenstein et al. (2009), "Introduction to meta-analysis", chapter 4: means 103 and 100,
    # standard deviations 5.5 and 4.5, 50 in each group.
    g, low, high = standardised_difference((50, 103, 5.5**2), (50, 100, 4.5**2), 0.95)
    assert g == pytest.approx(0.5924, abs=1e-4)
    assert (high - low) / 2 / 1.959964 == pytest.approx(np.sqrt(0.0411), abs=2e-3)
    g, low, high = standardised_difference((3, 1.0, 0.0), (3, 1.0, 0.0), 0.95)
    assert np.isnan([g, low, high]).all()
