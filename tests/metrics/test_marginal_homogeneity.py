"""Marginal homogeneity: published tables, Pearson's test, and a loop over customers."""

import numpy as np
import pytest
from scipy.stats import chi2, chi2_contingency

from segkit.metrics._marginal_homogeneity import marginal_homogeneity

# Unaided distance vision of 7,477 women, right eye by left eye (A. Stuart 1955, Biometrika 42,
# 412-416). The help page of the data in R's package coin has the statistic: Q = 11.96.
VISION = np.array(
    [[1520, 266, 124, 66], [234, 1512, 432, 78], [117, 362, 1772, 205], [36, 82, 179, 492]]
)


def test_with_everybody_in_both_tables_it_is_the_test_of_stuart_and_maxwell():
    found = marginal_homogeneity(VISION.sum(axis=1), VISION.sum(axis=0), VISION)
    assert found.statistic == pytest.approx(11.96, abs=5e-3)
    assert found.n_degrees == 3
    assert found.p_value == pytest.approx(chi2.sf(11.96, 3), abs=5e-5)


def test_of_two_categories_it_is_the_test_of_mcnemar():
    # (b - c)² / (b + c)
    found = marginal_homogeneity(
        np.array([30, 20]), np.array([35, 15]), np.array([[25, 5], [10, 10]])
    )
    assert found.statistic == pytest.approx(25 / 15)
    assert found.n_degrees == 1


def test_with_nobody_in_both_it_is_the_test_of_pearson():
    before, after = np.array([30, 50, 20, 0]), np.array([80, 100, 90, 4])
    found = marginal_homogeneity(before, after, np.zeros((4, 4)))
    expected = chi2_contingency(np.array([before, after]), correction=False)
    assert found.statistic == pytest.approx(expected.statistic)
    assert found.p_value == pytest.approx(expected.pvalue)
    assert found.n_degrees == expected.dof


def test_chance_of_independent_samples_is_that_of_yurdakul_and_naranjo():
    before, after = np.array([30, 50, 20, 0]), np.array([80, 100, 90, 4])
    found = marginal_homogeneity(before, after, np.zeros((4, 4)))
    expected = (1 / 100 + 1 / 274) * chi2.ppf(0.95, 3)
    assert found.index_by_chance() == pytest.approx(expected)


def test_partly_the_same_customers_count_once_each():
    rng = np.random.default_rng(0)
    n_levels, both, only_before, only_after = 3, 60, 25, 40
    then = rng.integers(n_levels, size=both + only_before)
    later = np.r_[(then[:both] + (rng.random(both) < 0.3)) % n_levels, rng.integers(3, size=40)]
    joint = np.zeros((n_levels, n_levels))
    np.add.at(joint, (then[:both], later[:both]), 1)
    before, after = np.bincount(then, minlength=3), np.bincount(later, minlength=3)
    found = marginal_homogeneity(before, after, joint)

    n, m = len(then), len(later)
    pooled = (before + after) / (n + m)
    influences = []
    for one in range(both + only_before + only_after):
        influence = np.zeros(n_levels)
        if one < n:
            influence -= (np.eye(n_levels)[then[one]] - pooled) / n
        if one < both or one >= n:
            place = one if one < both else one - only_before
            influence += (np.eye(n_levels)[later[place]] - pooled) / m
        influences.append(influence)
    influences = np.array(influences)
    difference = after / m - before / n
    np.testing.assert_allclose(influences.sum(axis=0), difference, atol=1e-12)
    expected = difference @ np.linalg.pinv(influences.T @ influences) @ difference
    assert found.statistic == pytest.approx(expected)
    assert found.n_degrees == 2


def test_where_nobody_changes_nothing_has_changed():
    found = marginal_homogeneity(np.array([7, 3]), np.array([7, 3]), np.diag([7, 3]))
    assert (found.p_value, found.n_degrees, found.index_by_chance()) == (1.0, 0, 0.0)
    found = marginal_homogeneity(np.array([7, 0]), np.array([9, 0]), np.zeros((2, 2)))
    assert (found.p_value, found.index_by_chance()) == (1.0, 0.0)


def test_a_category_that_nobody_enters_or_leaves_makes_no_difference():
    padded = np.zeros((5, 5))
    padded[:4, :4] = VISION
    padded[4, 4] = 1_000
    found = marginal_homogeneity(padded.sum(axis=1), padded.sum(axis=0), padded)
    assert found.statistic == pytest.approx(11.96, abs=5e-3)
    assert found.n_degrees == 3
