"""PurchaseHistories: x, t_x and T from the customer table, each history once."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segkit.clv._purchase_histories import PurchaseHistories

whole = st.tuples(st.integers(0, 30), st.integers(1, 5), st.integers(0, 30))


def rows_of(histories):
    return list(zip(histories.x, histories.t_x, histories.T, strict=True))


def terms(recency, order_days, tenure):
    """Return x, t_x and T by their definitions in the literature."""
    x = order_days - 1
    return x, (min(max(tenure - recency, 0), tenure) if x else 0), tenure


def test_recency_order_days_and_tenure_become_x_t_x_and_t():
    # First order 100 days ago, the third and last one 30 days ago: 70 days lie between.
    histories = PurchaseHistories.of(np.array([[30.0, 3.0, 100.0]]))
    assert rows_of(histories) == [(2, 70, 100)]


@given(rows=st.lists(whole, min_size=1, max_size=40))
def test_each_history_is_kept_once_with_its_number_of_customers(rows):
    histories = PurchaseHistories.of(np.array(rows, dtype=float))
    found = Counter()
    for row, weight in zip(rows_of(histories), histories.weights, strict=True):
        found[row] += weight
    assert found == Counter(terms(*row) for row in rows)
    assert histories.n_customers == len(rows)
    assert len(histories.x) == len(set(rows))


@given(rows=st.lists(whole, min_size=1, max_size=40))
def test_each_row_finds_its_history(rows):
    histories, places = PurchaseHistories.each_of(np.array(rows, dtype=float))
    found = rows_of(histories)
    if places is not None:
        found = [found[place] for place in places]
    assert found == [terms(*row) for row in rows]


def test_parts_of_days_are_kept():
    values = np.array([[0.25, 2.0, 10.5], [0.25, 2.0, 10.5]])
    histories, places = PurchaseHistories.each_of(values)
    assert places is None
    assert rows_of(histories) == [(1, 10.25, 10.5)] * 2
    assert rows_of(PurchaseHistories.of(values)) == [(1, 10.25, 10.5)] * 2


@pytest.mark.parametrize("largest", [2.0**40, 1e200])
def test_numbers_too_large_to_pack_are_kept_as_they_are(largest):
    values = np.array([[0.0, 1.0, 0.0], [largest, largest, largest]])
    assert PurchaseHistories.of(values).T.tolist() == [0.0, largest]


def test_who_bought_once_has_no_last_repeat_purchase():
    assert rows_of(PurchaseHistories.of(np.array([[10.0, 1.0, 100.0]]))) == [(0, 0, 100)]


def test_of_an_array_counts_are_made_whole_and_days_kept_in_their_range():
    values = np.array([[5.0, 2.6, 40.0], [-3.0, -1.0, -2.0], [50.0, 2.0, 40.0]])
    assert rows_of(PurchaseHistories.of(values)) == [(2, 35, 40), (0, 0, 0), (1, 0, 40)]
