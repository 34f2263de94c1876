"""Exact sums against Python's fractions."""

import functools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segkit.features._exact_sums import ExactSums

ANY_FLOAT = st.floats(allow_nan=False, allow_infinity=False)
MONEY = st.integers(-(10**9), 10**9).map(lambda cents: cents / 100)


def value_of(sums):
    """The exact value of each sum, from its digits."""
    return [
        sum(
            int(digit) * Fraction(2) ** (32 * place)
            for place, digit in enumerate(column, sums.lowest)
        )
        for column in sums.digits.T
    ]


def total_of(terms):
    return ExactSums.of(np.array(terms)).by_group(np.array([0]))


@given(terms=st.lists(ANY_FLOAT | MONEY, min_size=1, max_size=30))
def test_a_sum_is_exact_whatever_the_sizes_of_its_terms(terms):
    assert value_of(total_of(terms)) == [sum(map(Fraction, terms))]


@given(terms=st.lists(ANY_FLOAT | MONEY, min_size=1, max_size=30))
def test_as_a_float_it_is_the_nearest_or_nearly_so(terms):
    exact = sum(map(Fraction, terms))
    (found,) = total_of(terms).as_floats()
    largest = Fraction(np.finfo(float).max)
    if abs(exact) > largest:
        assert abs(found) in (np.inf, np.finfo(float).max)
    else:
        nearest = float(exact)
        at_most = 0 if Fraction(nearest) == exact else Fraction(math.ulp(nearest)) * 500_001 / 10**6
        assert abs(Fraction(float(found)) - exact) <= at_most


@given(terms=st.lists(MONEY, min_size=1, max_size=50))
def test_a_sum_of_money_is_the_nearest_float(terms):
    (found,) = total_of(terms).as_floats()
    assert found == float(sum(map(Fraction, terms)))


@given(data=st.data(), terms=st.lists(ANY_FLOAT | MONEY, min_size=1, max_size=30))
def test_no_order_and_no_split_changes_a_bit(data, terms):
    whole = total_of(terms).as_floats()
    shuffled = data.draw(st.permutations(terms))
    cut = data.draw(st.integers(0, len(terms)))
    parts = [total_of(part) for part in (shuffled[:cut], shuffled[cut:]) if part]
    together = functools.reduce(ExactSums.plus, parts).as_floats()
    assert together.tobytes() == whole.tobytes()


@given(term=ANY_FLOAT)
def test_a_single_term_comes_back(term):
    assert total_of([term]).as_floats() == [term]


def test_the_smallest_float_is_left_where_the_largest_cancel():
    huge, tiny = np.finfo(float).max, np.finfo(float).smallest_subnormal
    assert total_of([huge, -huge, tiny]).as_floats() == [tiny]


def test_leading_terms_that_cancel_do_not_overflow():
    huge = np.finfo(float).max
    assert total_of([huge, huge, -huge]).as_floats() == [huge]
    assert total_of([huge, huge]).as_floats() == [np.inf]


def test_what_lies_just_beyond_a_tie_is_not_rounded_twice():
    assert total_of([1.0, 2.0**-53, 2.0**-80]).as_floats() == [1 + 2.0**-52]


def test_digits_that_cancel_leave_what_is_below_them():
    assert total_of([2.0**64, -(2.0**63), -(2.0**63), 3.0]).as_floats() == [3.0]


def test_what_naive_sums_lose_is_kept():
    assert total_of([1e16, 1.0, -1e16]).as_floats() == [1.0]
    assert sum([1e16, 1.0, -1e16]) == 0.0


@pytest.mark.parametrize("terms", [[0.0], [-0.0], []])
def test_nothing_adds_up_to_zero(terms):
    sums = ExactSums.of(np.array(terms))
    assert sums.as_floats().tolist() == [0.0] * len(terms)


def test_sums_are_added_to_their_places():
    sums = ExactSums.of(np.array([1.5, 2.25, 1e20])).at(np.array([2, 2, 0]), 4)
    assert sums.as_floats().tolist() == [1e20, 0.0, 3.75, 0.0]


def test_sums_with_other_digits_are_added_one_by_one():
    sums = ExactSums.of(np.array([1e-30, 5.0])).plus(ExactSums.of(np.array([1e30, 0.5])))
    assert value_of(sums) == [Fraction(1e-30) + Fraction(1e30), Fraction(11, 2)]
