"""CustomerLedger: any split of a log, in any order, gives the table of the whole log."""

import datetime as dt
import itertools
import math
import tracemalloc
import uuid

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from frames import as_kind, in_session_zone, rows_of
from naive_summary import summary_by_loop
from segkit import summarize_transactions
from segkit.datasets import make_transactions
from segkit.exceptions import ColumnError, MissingValuesError, SegkitTypeError, SegkitValueError
from segkit.features import CustomerLedger, _customer_ledger
from segkit.features._ledger_part import LedgerPart
from strategies import logs, with_an_order

ALL_EXTRAS = ("returns", "clv", "last_gap")


def assert_same_table(table, expected):
    pd.testing.assert_frame_equal(table, expected, check_exact=True)


def log_of(*rows):
    """A log of rows of customer, timestamp, amount and order."""
    log = pd.DataFrame(rows, columns=["customer_id", "timestamp", "amount", "order_id"])
    return log.assign(timestamp=pd.to_datetime(log["timestamp"]))


def frequencies(ledger):
    table = ledger.table()
    return dict(zip(table["customer_id"], table["frequency"], strict=True))


MARCH = log_of(
    ("ann", "2024-03-01 10:00", 20.0, "r1"),
    ("ann", "2024-03-01 10:00", 15.0, "r1"),
    ("bob", "2024-03-10 09:15", 60.0, "r2"),
)
APRIL = log_of(
    ("ann", "2024-04-02 18:30", 35.0, "r3"),
    ("bob", "2024-04-04 11:00", -60.0, None),
    ("cem", "2024-04-20 12:00", 12.5, "r4"),
)


# -- any split, any order ----------------------------------------------------------------------


@st.composite
def split_logs(draw, **options):
    """A log, and its rows in batches in any order, some of which may be empty."""
    log = draw(logs(**options))
    numbers = draw(st.lists(st.integers(0, 6), min_size=len(log), max_size=len(log)))
    batches = [log[np.array(numbers) == number] for number in range(7)]
    return log, draw(st.permutations(batches))


def merged_in_a_tree(data, ledgers):
    """Merge ledgers pair by pair, in any order, so that the tree has any shape."""
    ledgers = list(ledgers)
    while len(ledgers) > 1:
        one, other = (ledgers.pop(data.draw(st.integers(0, len(ledgers) - 1))) for _ in range(2))
        ledgers.append(one.merge(other))
    return ledgers[0]


OPTIONS = st.fixed_dictionaries(
    {
        "returns": st.sampled_from(["net", "exclude"]),
        "order_per": st.sampled_from(["day", "row"]),
        "as_of": st.sampled_from([dt.date(2024, 4, 10), dt.date(2024, 1, 15)]),
    }
)
ORDER_ID = st.sampled_from([None, "order_id"])


@given(split=split_logs(ids=("int", "str")), order_id=ORDER_ID, options=OPTIONS, data=st.data())
def test_any_split_in_any_order_gives_the_table_of_the_whole_log(split, order_id, options, data):
    log, batches = split
    by_loop = summary_by_loop(log, order_id=order_id, **options)
    assume(by_loop)
    expected = summarize_transactions(log, order_id=order_id, extras=ALL_EXTRAS, **options)
    updated = CustomerLedger(order_id=order_id)
    for batch in batches:
        updated.update(batch)
    ledgers = [CustomerLedger(order_id=order_id).update(batch) for batch in batches]
    for ledger in (updated, merged_in_a_tree(data, ledgers)):
        table = ledger.table(extras=ALL_EXTRAS, **options)
        assert_same_table(table, expected)
        assert rows_of(table, "customer_id") == by_loop


@given(split=split_logs())
def test_tables_in_between_change_nothing(split):
    log, batches = split
    assume(with_an_order(log))
    ledger = CustomerLedger()
    for batch in batches:
        ledger.update(batch)
        if with_an_order(batch):
            ledger.table()
            assert len(ledger)
    assert_same_table(ledger.table(), summarize_transactions(log))


@given(
    split=split_logs(),
    amounts=st.lists(
        st.floats(-1e300, 1e300) | st.sampled_from([1e16, 0.1, -1e16, 1e-9]),
        min_size=40,
        max_size=40,
    ),
)
def test_no_bit_of_money_depends_on_the_split(split, amounts):
    log, batches = split
    log = log.assign(amount=amounts[: len(log)])
    assume(with_an_order(log))
    whole = CustomerLedger().update(log)
    parts = CustomerLedger()
    for batch in batches:
        parts.update(log.loc[batch.index])
    for decimals in (0, 15):
        assert_same_table(
            parts.table(extras=ALL_EXTRAS, decimals=decimals),
            whole.table(extras=ALL_EXTRAS, decimals=decimals),
        )


@given(amounts=st.lists(st.floats(1e10, 1e15), min_size=1, max_size=30))
def test_sums_too_large_to_be_rounded_are_the_nearest_floats(amounts):
    log = log_of(*(("a", "2024-01-01", amount, None) for amount in amounts))
    ledger = CustomerLedger()
    for row in range(len(log)):
        ledger.update(log[row : row + 1])
    exact = math.fsum(amounts)
    assert ledger.table()["monetary"].item() == exact
    naive = summarize_transactions(log)["monetary"].item()
    assert abs(naive - exact) <= len(amounts) * math.ulp(exact)


def test_money_that_naive_sums_lose_is_kept():
    log = log_of(*(("a", "2024-01-01", amount, None) for amount in (1e16, 1.0, -1e16)))
    ledger = CustomerLedger()
    for row in range(3):
        ledger.update(log[row : row + 1])
    assert ledger.table()["monetary"].tolist() == [1.0]


@pytest.mark.parametrize("as_of", [None, "2024-04-30"])
def test_the_real_split_by_hand(as_of):
    table = CustomerLedger(order_id="order_id").update(APRIL).update(MARCH).table(as_of)
    assert table["customer_id"].tolist() == ["ann", "bob", "cem"]
    assert table["frequency"].tolist() == [2, 1, 1]
    assert table["monetary"].tolist() == [70.0, 0.0, 12.5]
    assert table["recency_days"].tolist() == ([19, 42, 1] if as_of is None else [28, 51, 10])


# -- every kind of frame, type of id and of time ------------------------------------------------


def test_every_kind_of_frame_can_be_a_batch(kind):
    ledger = CustomerLedger(order_id="order_id")
    for batch in (MARCH, APRIL):
        ledger.update(as_kind(batch, kind))
    whole = pd.concat([MARCH, APRIL])
    expected = summarize_transactions(whole, order_id="order_id", extras=ALL_EXTRAS)
    assert_same_table(ledger.table(extras=ALL_EXTRAS), expected.reset_index(drop=True))


def test_batches_may_be_of_different_kinds():
    ledger = CustomerLedger(order_id="order_id")
    ledger.update(as_kind(MARCH, "polars lazy")).update(as_kind(APRIL, "pyarrow")).update(MARCH)
    assert frequencies(ledger) == {"ann": 2, "bob": 1, "cem": 1}


def test_a_lazy_frame_is_executed_for_the_columns_that_are_needed():
    def executed(_):
        raise RuntimeError("executed")

    unneeded = pl.col("amount").map_batches(executed, return_dtype=pl.Float64).alias("unneeded")
    assert len(CustomerLedger().update(pl.from_pandas(MARCH).lazy().with_columns(unneeded))) == 2


@pytest.mark.parametrize(
    ("ids", "dtype"),
    [
        (pd.Series([2**60 + 1, 2**60 + 3, 2**60 + 1], dtype="int64"), "int64"),
        (pd.Series([7, 8, 7], dtype="Int64"), "Int64"),
        (pd.Series([7.0, 8.0, 7.0]), "float64"),
        (pd.Series([2**63 + 1, 2**63 + 3, 2**63 + 1], dtype="uint64"), "uint64"),
        (pd.Series(["x", "y😀", "x"], dtype=object), "object"),
        (pd.Series(["x", "y", "x"], dtype="str"), "str"),
        (pd.Series(["x", "y", "x"], dtype="string"), "string"),
        (pd.Series(["x", "y", "x"], dtype="category"), "str"),
        (pd.Series([7, 8, 7], dtype="int64[pyarrow]"), "int64"),
        (pd.Series(["x", "y", "x"], dtype="string[pyarrow]"), "string"),
        (pd.Series([dt.date(2024, 1, 1), dt.date(2024, 1, 2), dt.date(2024, 1, 1)]), "object"),
    ],
    ids=lambda ids: str(getattr(ids, "dtype", ids)),
)
def test_ids_keep_their_type_also_in_a_file(ids, dtype, tmp_path):
    log = pd.DataFrame({"customer_id": ids, "timestamp": pd.Timestamp(2024, 1, 1), "amount": 1.0})
    ledger = CustomerLedger().update(log[:1]).update(log[1:])
    ledger.to_parquet(tmp_path / "ledger")
    for found in (ledger, CustomerLedger.from_parquet(tmp_path / "ledger")):
        table = found.table()
        assert table["customer_id"].dtype == dtype
        assert table["customer_id"].tolist() == sorted(set(ids))
        assert table["monetary"].tolist() == [2.0, 1.0]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (["o1", "o1"], ["o2", "o1"]),
        ([1, 1], [2, 1]),
        ([1, 1], [2.0, 1.0]),
        ([2**62 + 1, 2**62 + 1], [2**62 + 2, 2**62 + 1]),
        ([1.5, 1.5], [2.5, 1.5]),
        ([dt.date(2024, 1, 1)] * 2, [dt.date(2024, 1, 2), dt.date(2024, 1, 1)]),
        (pd.Categorical(["o1", "o1"]), ["o2", "o1"]),
        ([True, True], [False, True]),
        ([1 + 1j, 1 + 1j], [2 + 1j, 1 + 1j]),
        ([uuid.UUID(int=1)] * 2, [uuid.UUID(int=2), uuid.UUID(int=1)]),
    ],
    ids=lambda ids: str(pd.Series(ids).dtype) + str(ids[0]),
)
def test_an_order_id_of_any_type_is_known_again_in_a_later_batch(one, other):
    batches = [
        pd.DataFrame(
            {"customer_id": 7, "timestamp": pd.Timestamp(2024, 1, 1), "amount": 1.0, "order": ids}
        )
        for ids in (one, other)
    ]
    ledger = CustomerLedger(order_id="order").update(batches[0]).update(batches[1])
    assert frequencies(ledger) == {7: 2}


@pytest.mark.parametrize("units", [("s", "us"), ("ns", "s"), ("us", "ns"), ("ms", "ms")])
def test_timestamps_have_the_finest_unit_of_the_batches(units):
    march, april = (
        log.assign(timestamp=log["timestamp"].dt.as_unit(unit))
        for log, unit in zip((MARCH, APRIL), units, strict=True)
    )
    expected = summarize_transactions(pd.concat([march, april], ignore_index=True))
    assert_same_table(CustomerLedger().update(march).update(april).table(), expected)


def test_ids_that_pandas_would_make_one_number_become_one_customer():
    whole_numbers = MARCH.assign(customer_id=[2**53, 2**53 + 1, 2**53 + 1])
    floats = APRIL.assign(customer_id=[0.5, 0.5, float(2**53)])  # so that all become floats
    expected = summarize_transactions(pd.concat([whole_numbers, floats], ignore_index=True))
    assert len(expected) == 2
    for batches in ([whole_numbers, floats], [floats, whole_numbers]):
        ledger = CustomerLedger().update(batches[0]).update(batches[1])
        assert_same_table(ledger.table(), expected)


def test_times_that_do_not_fit_the_finer_unit_of_another_batch_are_refused():
    far = log_of(("a", "2024-01-01", 1.0, None)).assign(timestamp=np.datetime64("9999-12-31", "s"))
    ledger = CustomerLedger().update(MARCH.assign(timestamp=MARCH["timestamp"].dt.as_unit("ns")))
    with pytest.raises(SegkitValueError, match="timestamps in 'ns'"):
        ledger.update(far)
    with pytest.raises(SegkitValueError, match="too far away for this unit"):
        CustomerLedger().update(far).merge(ledger)
    assert ledger.n_rows == 3
    assert len(ledger) == 2


# -- days, time zones, as_of -------------------------------------------------------------------


def zoned(log, zone="America/New_York"):
    return log.assign(timestamp=log["timestamp"].dt.tz_localize(zone, ambiguous=False))


CLOCK_SET_BACK = log_of(
    ("a", "2024-11-02 23:30", 1.0, 1),
    ("a", "2024-11-03 01:30", 2.0, 2),
    ("b", "2024-11-03 23:59", 4.0, 3),
    ("b", "2024-11-04 00:00", 8.0, 3),
    ("a", "2024-11-04 00:01", -1.0, 4),
)


def test_days_are_those_of_the_logs_zone_in_every_batch(kind):
    in_session_zone("America/New_York")
    log = zoned(CLOCK_SET_BACK)
    ledger = CustomerLedger(order_id="order_id")
    for row in range(len(log)):
        ledger.update(as_kind(log[row : row + 1], kind))
    in_session_zone("UTC")
    for as_of in (None, "2024-11-03"):
        table = ledger.table(as_of, extras=ALL_EXTRAS)
        expected = summarize_transactions(log, order_id="order_id", as_of=as_of, extras=ALL_EXTRAS)
        assert_same_table(table, expected)


@pytest.mark.parametrize("others", ["Europe/London", None])
def test_another_time_zone_is_refused(others):
    ledger = CustomerLedger().update(zoned(MARCH))
    batch = APRIL if others is None else zoned(APRIL, others)
    with pytest.raises(SegkitValueError, match="has the time zone America/New_York in the ledger"):
        ledger.update(batch)
    with pytest.raises(SegkitValueError, match="calendar days are not the same"):
        ledger.merge(CustomerLedger().update(batch))
    assert ledger.n_rows == 3


@pytest.mark.parametrize(
    "as_of", ["2024-11-03", dt.date(2024, 11, 2), "2024-11-03 12:00", "2024-11-04 00:01"]
)
def test_the_past_is_the_table_of_the_rows_known_then(as_of):
    ledger = CustomerLedger(order_id="order_id").update(CLOCK_SET_BACK)
    expected = summarize_transactions(
        CLOCK_SET_BACK, order_id="order_id", as_of=as_of, extras=ALL_EXTRAS
    )
    assert_same_table(ledger.table(as_of, extras=ALL_EXTRAS), expected)


@pytest.mark.parametrize("as_of", ["2024-01-05", "2024-01-05 12:00"])
@pytest.mark.parametrize("units", [("us", "us"), ("s", "ns")])
@pytest.mark.parametrize("cut", [1, 2])
def test_an_order_of_two_days_is_known_from_the_first_on(as_of, units, cut):
    rows = [
        ("a", "2024-01-09 10:00", 1.0, "r1"),
        ("a", "2024-01-05 10:00", 2.0, "r1"),
        ("a", "2024-01-02 10:00", 4.0, "r0"),
        ("a", "2024-01-20 10:00", 8.0, "r2"),
    ]
    for ordered in itertools.permutations(rows):
        ledger = CustomerLedger(order_id="order_id")
        for part, unit in zip((ordered[:cut], ordered[cut:]), units, strict=True):
            batch = log_of(*part)
            ledger.update(batch.assign(timestamp=batch["timestamp"].dt.as_unit(unit)))
        table = ledger.table(as_of)
        assert table[["frequency", "order_days", "monetary"]].values.tolist() == [[2, 2, 6.0]]
        assert frequencies(ledger) == {"a": 3}


def test_a_day_in_three_batches_has_the_first_and_the_last_time_of_all():
    rows = [("a", f"2024-01-05 {hour}:00", 1.0, None) for hour in ("09", "12", "17")]
    for ordered in itertools.permutations(rows):
        ledger = CustomerLedger()
        for row in ordered:
            ledger.update(log_of(row))
        table = ledger.table(order_per="row")
        assert table["first_order"].tolist() == [pd.Timestamp("2024-01-05 09:00")]
        assert table["last_order"].tolist() == [pd.Timestamp("2024-01-05 17:00")]
        assert table[["frequency", "monetary"]].values.tolist() == [[3, 3.0]]


def test_a_moment_that_cuts_the_day_of_a_customer_is_refused():
    log = log_of(("a", "2024-01-05 09:00", 1.0, 1), ("a", "2024-01-05 17:00", 1.0, 2))
    ledger = CustomerLedger().update(log)
    with pytest.raises(SegkitValueError, match="before and after as_of=2024-01-05 12:00 on the"):
        ledger.table("2024-01-05 12:00")
    assert ledger.table("2024-01-05 17:00")["frequency"].tolist() == [1]


def test_dates_have_no_time_of_day_that_a_moment_could_cut():
    dates = pl.from_pandas(MARCH).with_columns(pl.col("timestamp").cast(pl.Date))
    table = CustomerLedger().update(dates).table("2024-03-10 08:00")
    assert table["recency_days"].tolist() == [9, 0]


def test_an_as_of_before_the_ledger_says_where_it_begins():
    with pytest.raises(SegkitValueError, match="the first is on day 2024-03-01"):
        CustomerLedger().update(MARCH).table("2024-02-29")
    with pytest.raises(SegkitValueError, match="the first is on day 2024-03-01"):
        CustomerLedger().update(APRIL).update(MARCH[:1]).table("2024-02-29")


@pytest.mark.parametrize("as_of", [pd.Timestamp("2024-05-01"), "2024-05-01 10:00"])
def test_an_as_of_without_the_zone_of_the_log_is_refused(as_of):
    with pytest.raises(SegkitValueError, match=r"^CustomerLedger: .* zones are never guessed"):
        CustomerLedger().update(zoned(MARCH)).table(as_of)


# -- late rows, doubled orders, batches --------------------------------------------------------


def test_an_order_in_two_batches_is_one_order_and_its_money_adds_up():
    ledger = CustomerLedger(order_id="order_id")
    ledger.update(MARCH[:1]).update(MARCH[1:])
    assert frequencies(ledger) == {"ann": 1, "bob": 1}
    assert ledger.table()["monetary"].tolist() == [35.0, 60.0]


def test_an_order_id_of_two_customers_is_an_order_of_each():
    log = log_of(("a", "2024-01-01", 1.0, "same"), ("b", "2024-01-01", 1.0, "same"))
    assert frequencies(CustomerLedger(order_id="order_id").update(log)) == {"a": 1, "b": 1}


def test_a_late_row_can_become_the_first_order():
    late = log_of(("bob", "2024-02-01", 5.0, "r0"))
    ledger = CustomerLedger().update(MARCH).update(APRIL).update(late)
    table = ledger.table("2024-04-30", extras="clv").set_index("customer_id")
    assert table.loc["bob", "tenure_days"] == 89
    assert table.loc["bob", "first_day_amount"] == 5.0


def test_a_batch_with_a_name_counts_once():
    ledger = CustomerLedger().update(MARCH, batch="march").update(APRIL, batch="april")
    before = ledger.table()
    with pytest.raises(SegkitValueError, match="already holds batch 'march'"):
        ledger.update(MARCH, batch="march")
    assert_same_table(ledger.table(), before)
    assert ledger.batches == ("march", "april")


def test_a_batch_that_failed_can_come_again():
    ledger = CustomerLedger()
    with pytest.raises(MissingValuesError, match=r"^CustomerLedger: missing values in"):
        ledger.update(APRIL.assign(amount=[1.0, None, 1.0]), batch="april")
    assert ledger.update(APRIL, batch="april").n_rows == 3


def test_an_empty_batch_with_a_name_is_known_again():
    ledger = CustomerLedger().update(MARCH[:0], batch="quiet day")
    assert ledger.batches == ("quiet day",)
    assert len(ledger) == 0


def test_a_name_that_is_no_text_is_refused():
    with pytest.raises(SegkitTypeError, match="batch must be a name"):
        CustomerLedger().update(MARCH, batch=dt.date(2024, 3, 1))


def test_rows_without_a_customer_are_left_out_and_tell_the_last_day():
    guests = APRIL.assign(customer_id=["ann", "bob", None])
    log = pd.concat([MARCH, guests], ignore_index=True)
    ledger = CustomerLedger(missing="drop").update(guests[2:]).update(guests[:2]).update(MARCH)
    assert_same_table(ledger.table(), summarize_transactions(log, missing="drop"))
    assert ledger.n_rows == 6


def test_returns_need_no_order_id(kind):
    ledger = CustomerLedger(order_id="order_id").update(as_kind(APRIL, kind))
    assert frequencies(ledger) == {"ann": 1, "cem": 1}


def test_a_batch_of_nothing_but_returns_waits_for_orders():
    ledger = CustomerLedger(order_id="order_id").update(APRIL[1:2])
    assert len(ledger) == 0
    with pytest.raises(SegkitValueError, match="holds no order"):
        ledger.table()
    assert ledger.update(MARCH).table()["monetary"].tolist() == [35.0, 0.0]


def test_returns_of_customers_without_an_order_are_nobodys():
    ledger = CustomerLedger().update(log_of(("abe", "2024-03-01", -9.0, None))).update(MARCH)
    table = ledger.table(extras=ALL_EXTRAS)
    assert table[["monetary", "return_count"]].values.tolist() == [[35.0, 0], [60.0, 0]]


# -- what does not go together -----------------------------------------------------------------


@pytest.mark.parametrize("column", ["customer_id", "order_id"])
def test_ids_of_another_kind_are_refused_and_change_nothing(column):
    ledger = CustomerLedger(order_id="order_id").update(MARCH)
    numbers = MARCH.assign(**{column: [1, 2, 3]})
    with pytest.raises(SegkitTypeError, match=f"'{column}' holds text in the ledger and numbers"):
        ledger.update(numbers)
    with pytest.raises(SegkitTypeError, match="Make them one kind"):
        ledger.merge(CustomerLedger(order_id="order_id").update(numbers))
    assert ledger.n_rows == 3


@pytest.mark.parametrize("column", ["customer_id", "order_id"])
def test_what_is_no_id_is_refused(column, eager_kind):
    log = as_kind(MARCH.assign(**{column: [[1], [2], [1]]}), eager_kind)
    with pytest.raises(SegkitTypeError, match=f"^CustomerLedger: column '{column}' must hold ids"):
        CustomerLedger(order_id="order_id").update(log)


@pytest.mark.parametrize(
    "ids", [pl.Series([1, 2, 3], dtype=pl.Object), pl.Series([2**80, 1, 2], dtype=pl.Int128)]
)
def test_ids_that_arrow_does_not_know_are_refused(ids):
    log = pl.from_pandas(MARCH).with_columns(ids.alias("customer_id"))
    with pytest.raises(SegkitTypeError, match="Arrow does not know the type"):
        CustomerLedger().update(log)


def test_the_kind_of_order_ids_is_remembered_beside_many_returns():
    returns = log_of(*(("ann", f"2024-02-{day:02d}", -1.0, None) for day in range(1, 9)))
    ledger = CustomerLedger(order_id="order_id").update(returns).update(MARCH[:1])
    assert len(ledger) == 1
    with pytest.raises(SegkitTypeError, match="'order_id' holds text"):
        ledger.update(MARCH.assign(order_id=[1, 2, 3]))


def test_ids_without_an_order_are_refused():
    months = [pd.DateOffset(months=1), pd.DateOffset(days=31), pd.DateOffset(months=1)]
    with pytest.raises(SegkitTypeError, match="ids that have an order"):
        CustomerLedger().update(MARCH.assign(customer_id=months))
    with pytest.raises(SegkitTypeError, match="ids that have an order"):
        CustomerLedger().update(MARCH.assign(customer_id=months)[:1])


def test_merging_changes_neither():
    march, april = CustomerLedger().update(MARCH, batch="3"), CustomerLedger().update(APRIL)
    before = march.table(), april.table()
    both = march.merge(april)
    both.update(MARCH)
    assert_same_table(march.table(), before[0])
    assert_same_table(april.table(), before[1])
    assert (march.n_rows, april.n_rows, both.n_rows) == (3, 3, 9)


def test_ledgers_with_a_batch_in_common_do_not_merge():
    one, other = (CustomerLedger().update(MARCH, batch="march") for _ in range(2))
    with pytest.raises(SegkitValueError, match="already holds batch 'march'"):
        one.merge(other)


@pytest.mark.parametrize("parameter", [{"missing": "drop"}, {"order_id": "order_id"}])
def test_ledgers_with_other_parameters_do_not_merge(parameter):
    with pytest.raises(SegkitValueError, match=f"{next(iter(parameter))} is"):
        CustomerLedger().merge(CustomerLedger(**parameter))


def test_only_ledgers_merge():
    with pytest.raises(SegkitTypeError, match="takes another CustomerLedger, got DataFrame"):
        CustomerLedger().merge(MARCH)


def test_an_empty_ledger_says_so():
    with pytest.raises(SegkitValueError, match="the ledger is empty"):
        CustomerLedger().table()
    assert len(CustomerLedger()) == 0


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"missing": "ignore"}, SegkitValueError, "missing must be one of"),
        ({"customer_id": 3}, SegkitTypeError, "customer_id must be a column name"),
        ({"customer_id": "monetary"}, ColumnError, "as a column of the result"),
    ],
)
def test_parameters_are_checked(parameters, error, message):
    with pytest.raises(error, match=f"^CustomerLedger: .*{message}"):
        CustomerLedger(**parameters)


@pytest.mark.parametrize(
    "options", [{"order_per": "week"}, {"returns": "gross"}, {"extras": "all"}, {"decimals": -1}]
)
def test_options_of_the_table_are_checked(options):
    with pytest.raises(SegkitValueError, match=f"^CustomerLedger: {next(iter(options))} must be"):
        CustomerLedger().update(MARCH).table(**options)


def test_a_missing_column_is_named():
    with pytest.raises(ColumnError, match=r"^CustomerLedger: column 'amount' is missing"):
        CustomerLedger().update(MARCH.drop(columns="amount"))


def test_what_is_no_frame_is_refused():
    with pytest.raises(SegkitTypeError, match="expected a frame"):
        CustomerLedger().update([{"customer_id": 1}])


def test_the_batch_is_not_changed():
    batch = APRIL.copy()
    CustomerLedger(order_id="order_id").update(batch).table()
    pd.testing.assert_frame_equal(batch, APRIL)


def test_the_parameters_are_shown():
    assert repr(CustomerLedger(order_id="receipt")) == (
        "CustomerLedger(customer_id='customer_id', timestamp='timestamp', amount='amount', "
        "order_id='receipt', missing='raise')"
    )


# -- an update grows with the batch, not with the history --------------------------------------


def history(n_rows, *, seed=0):
    """Rows of as many customers over three years, hardly any two on one day of a customer."""
    rng = np.random.default_rng(seed)
    minutes = rng.integers(0, 3 * 365 * 24 * 60, n_rows)
    return pd.DataFrame(
        {
            "customer_id": rng.integers(0, max(n_rows // 5, 1), n_rows),
            "timestamp": np.datetime64("2022-01-01", "us") + minutes.astype("timedelta64[m]"),
            "amount": rng.integers(1, 10_000, n_rows) / 100,
        }
    )


def test_no_update_combines_more_than_the_batch_and_a_constant(monkeypatch):
    monkeypatch.setattr(_customer_ledger, "_MOST_TOTALS", 4_000)
    combine, combined = LedgerPart.combined, []

    def counted(parts):
        combined[-1] += sum(part.size for part in parts)
        return combine(parts)

    monkeypatch.setattr(LedgerPart, "combined", counted)
    ledger, log = CustomerLedger(), history(50_000)
    for start in range(0, len(log), 250):
        combined.append(0)
        ledger.update(log[start : start + 250])
    # A chain of combinations doubles each time, so that it sums to twice the last at most.
    assert max(combined) <= 2 * 4_000
    # Each total is combined again once a doubling: from 250 to 4,000 that is 4 times.
    assert sum(combined) <= 5 * 50_000
    assert len(ledger._parts) < 50_000 / 2_000 + 10


def peak_of_an_update(n_rows):
    """Peak of memory, in bytes, while 5,000 rows are added to a ledger of many."""
    ledger = CustomerLedger().update(history(n_rows))
    batch = history(5_000, seed=1)
    tracemalloc.start()
    try:
        ledger.update(batch)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_of_an_update_is_the_same_after_a_long_history():
    peak_of_an_update(10)  # what is imported or kept by the first call
    assert peak_of_an_update(500_000) < 1.2 * peak_of_an_update(10_001)


# -- real logs ---------------------------------------------------------------------------------


def by_month(log):
    return [batch for _, batch in log.groupby(log["timestamp"].dt.to_period("M"))]


def at_random(log):
    return [log[number::13] for number in range(13)]


@pytest.mark.realdata
@pytest.mark.parametrize("split", [by_month, at_random])
@pytest.mark.parametrize("name", ["online_retail", "cdnow"])
def test_real_logs_in_batches_give_the_table_of_the_whole_log(name, split, request):
    log = request.getfixturevalue(name)
    batches = split(log)
    order = np.random.default_rng(0).permutation(len(batches))
    ledger = CustomerLedger(order_id="order_id", missing="drop")
    for place in order:
        ledger.update(batches[place])
    middle = log["timestamp"].quantile(0.4).date()
    for as_of in (None, middle):
        for returns in ("net", "exclude"):
            options = {"as_of": as_of, "returns": returns, "extras": ALL_EXTRAS}
            expected = summarize_transactions(log, order_id="order_id", missing="drop", **options)
            assert_same_table(ledger.table(**options), expected)


def test_a_drawn_log_week_by_week_gives_the_table_of_the_whole_log():
    log = make_transactions(500, random_state=0)
    ledger = CustomerLedger(order_id="order_id")
    for week, batch in log.groupby(log["timestamp"].dt.to_period("W")):
        ledger.update(batch, batch=str(week))
    expected = summarize_transactions(log, order_id="order_id", extras=ALL_EXTRAS)
    assert_same_table(ledger.table(extras=ALL_EXTRAS), expected)
