"""CustomerLedger: any split of a log, in any order, gives the table of the whole log."""

import numpy as np
import pandas as pd
from hypothesis import assume, given
from hypothesis import strategies as st

from segkit import summarize_transactions
from segkit.features import CustomerLedger
from strategies import logs, with_an_order

ALL_EXTRAS = ("returns", "clv", "last_gap")


def in_batches(log, numbers):
    """The log cut into batches: the rows of each number, in the order of the numbers' values."""
    return [log[numbers == number] for number in np.unique(numbers)]


def assert_same_table(table, expected):
    pd.testing.assert_frame_equal(table, expected, check_exact=True)


@st.composite
def split_logs(draw, **options):
    """A log, and its rows in batches in any order; some batches may be empty."""
    log = draw(logs(**options))
    assume(with_an_order(log))
    numbers = draw(st.lists(st.integers(0, 6), min_size=len(log), max_size=len(log)))
    batches = [log[np.array(numbers) == number] for number in range(7)]
    return log, draw(st.permutations(batches))


def merged_in_a_tree(draw, ledgers):
    """Merge ledgers pair by pair, in any order and shape of tree."""
    ledgers = list(ledgers)
    while len(ledgers) > 1:
        one = ledgers.pop(draw(st.integers(0, len(ledgers) - 1)))
        other = ledgers.pop(draw(st.integers(0, len(ledgers) - 1)))
        ledgers.append(one.merge(other))
    return ledgers[0]


@given(
    split=split_logs(ids=("int", "str")),
    order_id=st.sampled_from([None, "order_id"]),
    options=st.fixed_dictionaries(
        {
            "returns": st.sampled_from(["net", "exclude"]),
            "order_per": st.sampled_from(["day", "row"]),
            "as_of": st.sampled_from([None, "2024-04-10", "2024-01-15"]),
        }
    ),
    data=st.data(),
)
def test_any_split_in_any_order_gives_the_table_of_the_whole_log(split, order_id, options, data):
    log, batches = split
    known = log if options["as_of"] is None else log[log["timestamp"] < "2024-01-16"]
    assume(with_an_order(known))
    expected = summarize_transactions(log, order_id=order_id, extras=ALL_EXTRAS, **options)
    updated = CustomerLedger(order_id=order_id)
    for batch in batches:
        updated.update(batch)
    merged = merged_in_a_tree(
        data.draw, [CustomerLedger(order_id=order_id).update(batch) for batch in batches]
    )
    for ledger in (updated, merged):
        assert_same_table(ledger.table(extras=ALL_EXTRAS, **options), expected)
