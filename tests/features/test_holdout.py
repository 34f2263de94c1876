"""calibration_holdout_split against a loop over plain Python rows, on every kind of frame."""

import datetime as dt
import math

import duckdb
import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from frames import KINDS, as_kind, columns_of, in_session_zone, rows_of
from segkit import summarize_transactions
from segkit.exceptions import (
    ColumnError,
    LazyFrameError,
    MissingValuesError,
    SegkitError,
    SegkitTypeError,
    SegkitValueError,
)
from segkit.features import calibration_holdout_split
from strategies import logs

ALL_EXTRAS = ("returns", "clv", "last_gap")
HOLDOUT = ["holdout_days", "holdout_orders", "holdout_order_days", "holdout_monetary"]

OPTIONS = st.fixed_dictionaries(
    {
        "returns": st.sampled_from(["net", "exclude"]),
        "order_id": st.sampled_from([None, "order_id"]),
        "order_per": st.sampled_from(["day", "row"]),
    }
)
# Moments within the days of the logs that are drawn; the cuts lie before the ends.
CUTS = st.dates(dt.date(2023, 12, 2), dt.date(2024, 1, 25)) | st.datetimes(
    dt.datetime(2023, 12, 2), dt.datetime(2024, 1, 25)
)
ENDS = st.dates(dt.date(2024, 1, 26), dt.date(2024, 4, 10)) | st.datetimes(
    dt.datetime(2024, 1, 26), dt.datetime(2024, 4, 10)
)


def instant_of(moment):
    """The last instant of a date, or a datetime itself."""
    if isinstance(moment, dt.datetime):
        return moment
    return dt.datetime.combine(moment, dt.time.max)


def day_of(moment):
    return moment.date() if isinstance(moment, dt.datetime) else moment


def holdout_by_loop(log, *, cut, end, order_id=None, order_per="day", returns="net"):
    """What each customer known at the cut did up to the end, counted row by row."""
    known, found = {}, {}
    rows = log.assign(row=range(len(log))).to_dict("records")
    by_time = sorted(rows, key=lambda row: row["timestamp"])
    for row in by_time:
        customer, day = row["customer_id"], row["timestamp"].date()
        order = row[order_id] if order_id else day if order_per == "day" else row["row"]
        if row["timestamp"] <= instant_of(cut):
            if row["amount"] >= 0:
                orders, days = known.setdefault(customer, (set(), set()))
                orders.add(order)
                days.add(day)
        elif row["timestamp"] <= instant_of(end) and customer in known:
            orders, days, money = found.setdefault(customer, (set(), set(), []))
            if row["amount"] >= 0:
                orders.update({order} - known[customer][0])
                days.update({day} - known[customer][1])
            if row["amount"] >= 0 or returns == "net":
                money.append(row["amount"])
    nothing = set(), set(), []
    counted = {customer: found.get(customer, nothing) for customer in sorted(known)}
    return [
        {
            "customer_id": customer,
            "holdout_days": (day_of(end) - day_of(cut)).days,
            "holdout_orders": len(orders),
            "holdout_order_days": len(days),
            "holdout_monetary": round(math.fsum(money), 6),
        }
        for customer, (orders, days, money) in counted.items()
    ]


@given(log=logs(ids=("int", "str")), options=OPTIONS, cut=CUTS, end=ENDS)
def test_every_kind_of_frame_gives_what_a_loop_counts(log, options, cut, end):
    expected = holdout_by_loop(log, cut=cut, end=end, **options)
    assume(expected)
    for kind in KINDS:
        split = calibration_holdout_split(
            as_kind(log, kind), calibration_end=cut, holdout_end=end, **options
        )
        found = [
            {name: row[name] for name in ("customer_id", *HOLDOUT)}
            for row in rows_of(split, "customer_id")
        ]
        assert found == expected, kind


@given(log=logs(), options=OPTIONS, cut=CUTS, end=ENDS)
def test_calibration_and_holdout_add_up_to_the_table_at_the_end(log, options, cut, end):
    assume(holdout_by_loop(log, cut=cut, end=end, **options))
    for kind in KINDS:
        frame = as_kind(log, kind)
        at_the_end = {
            row["customer_id"]: row
            for row in rows_of(summarize_transactions(frame, as_of=end, **options), "customer_id")
        }
        split = calibration_holdout_split(frame, calibration_end=cut, holdout_end=end, **options)
        for row in rows_of(split, "customer_id"):
            later = at_the_end[row["customer_id"]]
            assert row["frequency"] + row["holdout_orders"] == later["frequency"], kind
            assert row["order_days"] + row["holdout_order_days"] == later["order_days"], kind
            assert row["tenure_days"] + row["holdout_days"] == later["tenure_days"], kind
            total = row["monetary"] + row["holdout_monetary"]
            assert total == pytest.approx(later["monetary"], abs=2e-6), kind


# Amounts are whole cents: fewer decimals would meet halves, which go up or down by the order in
# which an engine adds.
@given(log=logs(), options=OPTIONS, cut=CUTS, end=ENDS, decimals=st.sampled_from([2, 6]))
def test_the_table_is_that_of_summarize_transactions_at_the_cut(log, options, cut, end, decimals):
    assume(holdout_by_loop(log, cut=cut, end=end, **options))
    options = {**options, "extras": ALL_EXTRAS, "decimals": decimals}
    for kind in KINDS:
        frame = as_kind(log, kind)
        expected = summarize_transactions(frame, as_of=cut, **options)
        split = calibration_holdout_split(frame, calibration_end=cut, holdout_end=end, **options)
        names = nw.from_native(split).collect_schema().names()
        assert names == [*nw.from_native(expected).collect_schema().names(), *HOLDOUT]
        rows = rows_of(split, "customer_id")
        for row in rows:
            for name in HOLDOUT:
                del row[name]
        assert rows == rows_of(expected, "customer_id"), kind


@given(log=logs(), seed=st.integers(0, 9), cut=CUTS)
def test_row_order_changes_nothing(log, seed, cut):
    assume(holdout_by_loop(log, cut=cut, end=dt.date(2024, 4, 10)))
    moments = {"calibration_end": cut, "holdout_end": "2024-04-10"}
    pd.testing.assert_frame_equal(
        calibration_holdout_split(log, **moments),
        calibration_holdout_split(log.sample(frac=1, random_state=seed), **moments),
    )


def log_of(*rows):
    """A log from (id, timestamp, amount) rows, or (id, timestamp, amount, order id)."""
    names = ["customer_id", "timestamp", "amount", "order_id"][: len(rows[0])]
    log = pd.DataFrame(rows, columns=names)
    return log.assign(timestamp=pd.to_datetime(log["timestamp"], format="ISO8601"))


LOG = log_of(
    ("a", "2024-01-01 09:00", 10.0, "o1"),
    ("a", "2024-02-01 09:00", 20.0, "o2"),
    ("a", "2024-02-01 17:00", 5.0, "o3"),
    ("a", "2024-02-12 12:00", 7.5, "o4"),
    ("a", "2024-02-13 12:00", -2.5, "r1"),
    ("b", "2024-01-31 23:59", 30.0, "o5"),
    ("c", "2024-01-05 12:00", 12.0, "o6"),
    ("c", "2024-02-29 23:59", -12.0, "r2"),
    ("d", "2024-02-01 00:00", 99.0, "o7"),
)
BY_DAY = {"calibration_end": "2024-01-31", "holdout_end": "2024-02-29"}


def test_a_log_worked_by_hand(kind):
    split = rows_of(calibration_holdout_split(as_kind(LOG, kind), **BY_DAY), "customer_id")
    found = [tuple(row[name] for name in ("customer_id", "frequency", *HOLDOUT)) for row in split]
    assert found == [
        ("a", 1, 29, 2, 2, 30.0),
        ("b", 1, 29, 0, 0, 0.0),
        ("c", 1, 29, 0, 0, -12.0),
    ]


@pytest.mark.parametrize(
    ("order", "n_orders"), [({"order_per": "row"}, 3), ({"order_id": "order_id"}, 3)], ids=str
)
def test_orders_are_counted_as_asked(kind, order, n_orders):
    split = calibration_holdout_split(as_kind(LOG, kind), **BY_DAY, **order)
    first = rows_of(split, "customer_id")[0]
    assert (first["holdout_orders"], first["holdout_order_days"]) == (n_orders, 2)


def test_the_result_is_of_the_kind_that_came_in(kind):
    frame = as_kind(LOG, kind)
    assert type(calibration_holdout_split(frame, **BY_DAY)) is type(frame)


def test_counts_are_whole_numbers_and_money_is_not(kind):
    schema = nw.from_native(
        calibration_holdout_split(as_kind(LOG, kind), **BY_DAY)
    ).collect_schema()
    assert [schema[name] for name in HOLDOUT] == [nw.Int64, nw.Int64, nw.Int64, nw.Float64]


def test_eager_results_are_sorted_by_customer(eager_kind):
    rows = [(customer, "2024-01-01", 1.0) for customer in reversed(range(500))]
    split = calibration_holdout_split(as_kind(log_of(*rows), eager_kind), **BY_DAY)
    assert columns_of(split)["customer_id"] == list(range(500))


def test_a_lazy_log_is_not_executed():
    def executed(_):
        raise RuntimeError("executed")

    lazy = pl.from_pandas(LOG).lazy()
    lazy = lazy.map_batches(executed, schema=lazy.collect_schema())
    assert isinstance(calibration_holdout_split(lazy, **BY_DAY), pl.LazyFrame)


def test_a_duckdb_relation_is_not_executed():
    relation = duckdb.sql(
        "SELECT CASE WHEN i > 5 THEN error('executed') ELSE 'a' END AS customer_id, "
        "TIMESTAMP '2024-01-01' AS timestamp, 1.0::DOUBLE AS amount FROM range(10) AS t(i)"
    )
    split = calibration_holdout_split(relation, **BY_DAY)
    with pytest.raises(duckdb.Error, match="executed"):
        split.fetchall()


def test_the_input_is_not_changed(eager_kind):
    frame = as_kind(LOG, eager_kind)
    calibration_holdout_split(frame, extras=ALL_EXTRAS, **BY_DAY)
    assert columns_of(frame) == columns_of(as_kind(LOG, eager_kind))


def test_the_index_of_a_pandas_log_means_nothing():
    odd = LOG.set_index(pd.Index([5] * len(LOG), name="x"))
    pd.testing.assert_frame_equal(
        calibration_holdout_split(odd, **BY_DAY), calibration_holdout_split(LOG, **BY_DAY)
    )


# -- at the cut --------------------------------------------------------------------------------


def test_an_order_with_rows_on_both_sides_is_one_of_the_calibration_period(kind):
    log = log_of(
        ("a", "2024-01-31", 10.0, "o1"),
        ("a", "2024-02-01", 4.0, "o1"),
        ("b", "2024-01-01", 1, "o2"),
    )
    split = calibration_holdout_split(as_kind(log, kind), order_id="order_id", **BY_DAY)
    first = rows_of(split, "customer_id")[0]
    assert (first["frequency"], first["monetary"]) == (1, 10.0)
    assert (first["holdout_orders"], first["holdout_monetary"]) == (0, 4.0)
    assert first["holdout_order_days"] == 1  # a day of its own, whatever the order


def test_an_order_id_of_another_customer_is_another_order(kind):
    log = log_of(
        ("a", "2024-01-31", 10.0, 1), ("b", "2024-01-31", 9.0, 2), ("b", "2024-02-01", 4, 1)
    )
    split = calibration_holdout_split(as_kind(log, kind), order_id="order_id", **BY_DAY)
    assert [row["holdout_orders"] for row in rows_of(split, "customer_id")] == [0, 1]


def test_the_day_of_a_cut_within_it_is_counted_once(kind):
    log = log_of(
        ("a", "2024-01-10 09:00", 1.0),
        ("a", "2024-01-10 15:00", 2.0),
        ("a", "2024-01-11 09:00", 4.0),
    )
    split = calibration_holdout_split(
        as_kind(log, kind), calibration_end="2024-01-10 12:00", holdout_end="2024-01-11"
    )
    (row,) = rows_of(split, "customer_id")
    assert (row["frequency"], row["order_days"], row["monetary"]) == (1, 1, 1.0)
    assert (row["holdout_orders"], row["holdout_order_days"]) == (1, 1)
    assert row["holdout_monetary"] == 6.0


def test_customers_without_an_order_at_the_cut_are_left_out(kind):
    log = log_of(
        ("a", "2024-01-01", 1.0),
        ("first return, then order", "2024-01-02", -1.0),
        ("first return, then order", "2024-02-02", 3.0),
        ("order after the cut", "2024-02-01", 3.0),
    )
    split = calibration_holdout_split(as_kind(log, kind), **BY_DAY)
    assert columns_of(split)["customer_id"] == ["a"]


@pytest.mark.parametrize(("returns", "monetary"), [("net", -12.0), ("exclude", 0.0)])
def test_who_only_returns_in_the_holdout_has_no_order_there(kind, returns, monetary):
    split = calibration_holdout_split(as_kind(LOG, kind), returns=returns, **BY_DAY)
    row = rows_of(split, "customer_id")[2]
    assert row["customer_id"] == "c"
    assert (row["holdout_orders"], row["holdout_order_days"]) == (0, 0)
    assert row["holdout_monetary"] == monetary


def test_a_return_up_to_the_cut_is_neither_money_nor_an_order_after_it(kind):
    log = log_of(("a", "2024-01-01", 8.0), ("a", "2024-01-31", -3.0), ("a", "2024-02-01", 1.0))
    (row,) = rows_of(calibration_holdout_split(as_kind(log, kind), **BY_DAY), "customer_id")
    assert (row["monetary"], row["holdout_monetary"]) == (5.0, 1.0)
    assert (row["holdout_orders"], row["holdout_order_days"]) == (1, 1)


def test_a_free_order_up_to_the_cut_makes_a_customer_who_is_known(kind):
    log = log_of(("a", "2024-01-01", 0.0), ("a", "2024-02-01", 0.0))
    (row,) = rows_of(calibration_holdout_split(as_kind(log, kind), **BY_DAY), "customer_id")
    assert (row["frequency"], row["holdout_orders"], row["holdout_monetary"]) == (1, 1, 0.0)


def test_extras_describe_the_calibration_period_only(kind):
    log = log_of(
        ("a", "2024-01-01 09:00", 8.0), ("a", "2024-01-01 17:00", 4.0), ("a", "2024-02-01", -1.0)
    )
    split = calibration_holdout_split(
        as_kind(log, kind),
        calibration_end="2024-01-01 12:00",
        holdout_end="2024-02-29",
        extras=ALL_EXTRAS,
    )
    (row,) = rows_of(split, "customer_id")
    assert (row["first_day_amount"], row["return_count"], row["return_amount"]) == (8.0, 0, 0.0)
    assert (row["last_gap_days"], row["holdout_monetary"]) == (None, 3.0)


# -- moments -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "end",
    [
        "2024-02-12",
        dt.date(2024, 2, 12),
        np.datetime64("2024-02-12"),
        "2024-02-12 12:00",
        dt.datetime(2024, 2, 12, 12),
        pd.Timestamp("2024-02-12 12:00"),
    ],
    ids=str,
)
def test_rows_after_the_holdout_are_ignored(kind, end):
    split = calibration_holdout_split(
        as_kind(LOG, kind), calibration_end="2024-01-31", holdout_end=end
    )
    first = rows_of(split, "customer_id")[0]
    assert (first["holdout_days"], first["holdout_orders"]) == (12, 2)
    assert first["holdout_monetary"] == 32.5  # the return of the 13th is not known


def test_a_datetime_is_that_instant(kind):
    split = calibration_holdout_split(
        as_kind(LOG, kind), calibration_end="2024-01-31 23:58", holdout_end="2024-02-12 11:59"
    )
    rows = rows_of(split, "customer_id")
    assert [row["customer_id"] for row in rows] == ["a", "c"]  # b bought a minute later
    assert (rows[0]["holdout_orders"], rows[0]["holdout_monetary"]) == (1, 25.0)


def test_without_an_end_it_is_the_last_day_of_the_log(eager_kind):
    frame = as_kind(LOG, eager_kind)
    split = calibration_holdout_split(frame, calibration_end="2024-01-31")
    assert columns_of(split) == columns_of(calibration_holdout_split(frame, **BY_DAY))


def test_the_last_day_of_the_log_may_be_that_of_no_customer_known_at_the_cut(eager_kind):
    log = log_of(("a", "2024-01-01", 1.0), ("b", "2024-03-01", -1.0))
    split = calibration_holdout_split(as_kind(log, eager_kind), calibration_end="2024-02-28")
    assert columns_of(split)["holdout_days"] == [2]


def test_a_lazy_frame_must_be_given_an_end(lazy_kind):
    with pytest.raises(SegkitValueError, match=r"split: a lazy frame needs holdout_end, .*='20"):
        calibration_holdout_split(as_kind(LOG, lazy_kind), calibration_end="2024-01-31")


def test_an_end_after_the_last_row_makes_the_holdout_longer(kind):
    split = calibration_holdout_split(
        as_kind(LOG, kind), calibration_end="2024-01-31", holdout_end="2025-01-31"
    )
    rows = rows_of(split, "customer_id")
    assert [row["holdout_days"] for row in rows] == [366] * 3
    assert [row["holdout_orders"] for row in rows] == [2, 0, 0]


def test_dates_without_time_are_days(kind):
    table = pl.from_pandas(LOG).with_columns(pl.col("timestamp").cast(pl.Date)).to_arrow()
    frame = {
        "pandas": table.to_pandas,
        "pandas arrow": lambda: table.to_pandas(types_mapper=pd.ArrowDtype),
        "polars": lambda: pl.from_arrow(table),
        "polars lazy": lambda: pl.from_arrow(table).lazy(),
        "pyarrow": lambda: table,
        "duckdb": lambda: duckdb.from_arrow(table),
    }[kind]()
    expected = rows_of(calibration_holdout_split(LOG, **BY_DAY), "customer_id")
    found = rows_of(calibration_holdout_split(frame, **BY_DAY), "customer_id")
    for name in HOLDOUT:
        assert [row[name] for row in found] == [row[name] for row in expected], name


def test_days_are_those_of_the_logs_own_time_zone(kind):
    in_session_zone("America/New_York")
    # In UTC the second row lies on the day of the third.
    log = log_of(
        ("a", "2024-01-31 09:00", 1.0),
        ("a", "2024-02-01 23:00", 2.0),
        ("a", "2024-02-02 01:00", 4.0),
    )
    log["timestamp"] = log["timestamp"].dt.tz_localize("America/New_York")
    split = calibration_holdout_split(
        as_kind(log, kind), calibration_end="2024-01-31", holdout_end="2024-02-01"
    )
    assert columns_of(split)["holdout_monetary"] == [2.0]
    cut = dt.datetime(2024, 2, 2, 5, tzinfo=dt.UTC)  # midnight in New York
    split = calibration_holdout_split(
        as_kind(log, kind), calibration_end=cut, holdout_end="2024-02-03"
    )
    (row,) = rows_of(split, "customer_id")
    in_session_zone("UTC")
    assert (row["order_days"], row["holdout_order_days"], row["holdout_days"]) == (2, 1, 1)


def test_a_cut_in_nanoseconds_keeps_its_own_row():
    cut = pd.Timestamp("2024-01-30T12:00:00.123456789")
    log = pd.DataFrame(
        {"customer_id": 1, "timestamp": [cut, cut.ceil("us")], "amount": [1.0, 2.0]}
    ).astype({"timestamp": "datetime64[ns]"})
    split = calibration_holdout_split(log, calibration_end=cut, holdout_end="2024-01-31")
    assert split["monetary"].tolist() == [1.0]
    assert split["holdout_monetary"].tolist() == [2.0]


# -- money -------------------------------------------------------------------------------------


def test_money_is_rounded_once_with_halves_up_in_every_engine(kind):
    log = log_of(
        ("a", "2024-01-01", 0.125),
        ("a", "2024-02-01", 0.125),
        ("b", "2024-01-01", 10.25),
        ("b", "2024-02-01", 10.25),
        ("b", "2024-02-02", 0.125),
    )
    split = calibration_holdout_split(as_kind(log, kind), decimals=2, **BY_DAY)
    assert [row["holdout_monetary"] for row in rows_of(split, "customer_id")] == [0.13, 10.38]


def test_holdout_money_is_no_difference_of_rounded_sums(kind):
    # 0.4 and 0.8 round to 0 and 1; what was spent after the cut rounds to 0.
    log = log_of(("a", "2024-01-01", 0.4), ("a", "2024-02-01", 0.4))
    split = calibration_holdout_split(as_kind(log, kind), decimals=0, **BY_DAY)
    assert columns_of(split)["holdout_monetary"] == [0.0]


def test_a_large_spend_before_the_cut_blurs_no_cents_after_it(kind):
    log = log_of(("a", "2024-01-01", 1e15), ("a", "2024-02-01", 0.1), ("a", "2024-02-02", 0.2))
    split = calibration_holdout_split(as_kind(log, kind), **BY_DAY)
    assert columns_of(split)["holdout_monetary"] == [0.3]


def test_a_sum_beyond_every_float_is_refused(eager_kind):
    rows = [("a", day, 1.7e308) for day in ("2024-01-01", "2024-02-01", "2024-02-02")]
    with pytest.raises(SegkitValueError, match=r"split: .* more than a number can hold"):
        calibration_holdout_split(as_kind(log_of(*rows), eager_kind), **BY_DAY)


# -- ids ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "ids",
    [
        pd.Series([2**60 + 1, 2**60 + 1, 2**60 + 3], dtype="int64"),
        pd.Series([2**60 + 1, None, 2**60 + 3], dtype="Int64"),
        pd.Series(["x", "y", None], dtype=object),
        pd.Series(["x", "y", None], dtype="str"),
        pd.Series(["x", "y", "y"], dtype="category"),
        pd.Series([7, 8, None], dtype="int64[pyarrow]"),
        pd.Series(["x", "y", None], dtype="string[pyarrow]"),
    ],
    ids=lambda ids: str(ids.dtype),
)
def test_ids_keep_their_type(ids):
    log = pd.DataFrame({"customer_id": ids, "timestamp": pd.Timestamp(2024, 1, 1), "amount": 1.0})
    split = calibration_holdout_split(log, missing="drop", **BY_DAY)
    assert split["customer_id"].dtype == ids.dtype
    assert split["customer_id"].tolist() == sorted(ids.dropna().unique())


def test_columns_keep_their_names(kind):
    named = {"customer_id": "member", "timestamp": "at", "amount": "paid", "order_id": "receipt"}
    frame = as_kind(LOG.rename(columns=named), kind)
    split = calibration_holdout_split(frame, **named, **BY_DAY)
    expected = calibration_holdout_split(as_kind(LOG, kind), order_id="order_id", **BY_DAY)
    expected = [
        {"member": row.pop("customer_id"), **row} for row in rows_of(expected, "customer_id")
    ]
    assert rows_of(split, "member") == expected


@pytest.mark.parametrize("name", ["holdout_orders", "Holdout_Days", "frequency", "__segkit_orders"])
def test_an_id_named_like_a_result_is_refused(name):
    log = LOG.rename(columns={"customer_id": name})
    with pytest.raises(ColumnError, match=r"^calibration_holdout_split: "):
        calibration_holdout_split(log, customer_id=name, **BY_DAY)


# -- missing and wrong -------------------------------------------------------------------------


@pytest.mark.parametrize("column", ["customer_id", "timestamp", "amount", "order_id"])
@pytest.mark.parametrize("row", [0, 1], ids=["up to the cut", "after it"])
def test_missing_values_raise_with_the_number_of_rows_up_to_the_end(eager_kind, column, row):
    log = LOG.copy()
    log.loc[row, column] = None
    with pytest.raises(MissingValuesError, match=f"split: .*'{column}' in 1 of 8 rows"):
        calibration_holdout_split(
            as_kind(log, eager_kind),
            order_id="order_id",
            calibration_end="2024-01-31",
            holdout_end="2024-02-28",
        )


@pytest.mark.parametrize("column", ["customer_id", "timestamp", "amount"])
@pytest.mark.parametrize("row", [0, 1, 7], ids=["up to the cut", "after it", "a return after it"])
def test_missing_values_can_be_dropped(kind, column, row):
    log = LOG.copy()
    log.loc[row, column] = None
    split = calibration_holdout_split(as_kind(log, kind), missing="drop", **BY_DAY)
    expected = calibration_holdout_split(LOG.drop(index=row), **BY_DAY)
    assert rows_of(split, "customer_id") == rows_of(expected, "customer_id")


@pytest.mark.parametrize("column", ["customer_id", "amount", "order_id"])
def test_missing_values_after_the_end_do_no_harm(kind, column):
    log = LOG.copy()
    log.loc[4, column] = None
    moments = {"calibration_end": "2024-01-31", "holdout_end": "2024-02-12"}
    split = calibration_holdout_split(as_kind(log, kind), order_id="order_id", **moments)
    expected = calibration_holdout_split(LOG, order_id="order_id", **moments)
    assert rows_of(split, "customer_id") == rows_of(expected, "customer_id")


def test_a_return_needs_no_order_id(kind):
    log = LOG.copy()
    log.loc[[4, 7], "order_id"] = None
    split = calibration_holdout_split(as_kind(log, kind), order_id="order_id", **BY_DAY)
    assert [row["holdout_monetary"] for row in rows_of(split, "customer_id")] == [30.0, 0.0, -12.0]


def with_a_bad_amount(kind, row, value):
    """The log as a lazy frame, with another amount in one of its rows."""
    frame = nw.from_native(as_kind(LOG.assign(row=range(len(LOG))), kind))
    bad = nw.when(nw.col("row") == row).then(nw.lit(value)).otherwise(nw.col("amount"))
    if value is None:
        bad = nw.when(nw.col("row") != row).then(nw.col("amount"))
    return frame.with_columns(bad.alias("amount")).to_native()


@pytest.mark.parametrize("value", [None, np.nan, np.inf, -np.inf], ids=str)
def test_in_a_lazy_frame_a_bad_row_up_to_the_cut_gives_nulls(lazy_kind, value):
    log = with_a_bad_amount(lazy_kind, 0, value)
    rows = rows_of(calibration_holdout_split(log, **BY_DAY), "customer_id")
    assert (rows[0].pop("customer_id"), rows[0].pop("holdout_days")) == ("a", 29)
    assert set(rows[0].values()) == {None}
    assert rows[1]["holdout_orders"] == 0


@pytest.mark.parametrize("value", [None, np.nan, np.inf, -np.inf], ids=str)
def test_in_a_lazy_frame_a_bad_row_after_the_cut_gives_nulls_in_the_holdout(lazy_kind, value):
    log = with_a_bad_amount(lazy_kind, 3, value)
    row = rows_of(calibration_holdout_split(log, **BY_DAY), "customer_id")[0]
    assert [row[name] for name in HOLDOUT] == [29, None, None, None]
    assert (row["frequency"], row["monetary"]) == (1, 10.0)


def test_in_a_lazy_frame_rows_without_id_give_a_row_of_nulls(lazy_kind):
    log = LOG.copy()
    log.loc[[0, 1], "customer_id"] = None
    split = calibration_holdout_split(as_kind(log, lazy_kind), **BY_DAY)
    rows = rows_of(split, "customer_id")
    assert [row["customer_id"] for row in rows] == ["b", "c", None]
    assert {value for name, value in rows[2].items() if name != "holdout_days"} == {None}


@pytest.mark.parametrize("row", [0, 3], ids=["up to the cut", "after it"])
def test_infinite_amounts_are_refused(eager_kind, row):
    log = LOG.copy()
    log.loc[row, "amount"] = np.inf
    with pytest.raises(SegkitValueError, match="split: column 'amount' is infinite in 1 of 9"):
        calibration_holdout_split(as_kind(log, eager_kind), **BY_DAY)


@pytest.mark.parametrize(
    ("cut", "end"),
    [
        ("2024-01-31", "2024-01-31"),
        ("2024-01-31", "2024-01-30"),
        ("2024-01-31", "2024-01-31 23:00"),
        ("2024-01-31 08:00", "2024-01-31 18:00"),
        ("2024-01-31 08:00", "2024-01-31"),
    ],
)
def test_an_end_that_is_on_no_later_day_than_the_cut_is_refused(kind, cut, end):
    with pytest.raises(
        SegkitValueError, match=rf"later day than calibration_end={cut}, got {end[:10]}\."
    ):
        calibration_holdout_split(as_kind(LOG, kind), calibration_end=cut, holdout_end=end)


def test_a_cut_at_the_end_of_the_log_is_refused(eager_kind):
    with pytest.raises(SegkitValueError, match="got the last day of the log, 2024-02-29"):
        calibration_holdout_split(as_kind(LOG, eager_kind), calibration_end="2024-02-29")


def test_a_cut_before_the_first_row_says_where_the_log_begins(eager_kind):
    with pytest.raises(
        SegkitValueError, match=r"split: no row .* calibration_end=2023-12-31; .* 2024-01-01"
    ):
        calibration_holdout_split(
            as_kind(LOG, eager_kind), calibration_end="2023-12-31", holdout_end="2024-01-31"
        )


def test_a_cut_before_the_first_order_is_refused(eager_kind):
    log = log_of(("a", "2024-01-01", -1.0), ("a", "2024-02-02", 1.0))
    with pytest.raises(SegkitValueError, match="split: the log holds no order"):
        calibration_holdout_split(as_kind(log, eager_kind), **BY_DAY)


@pytest.mark.parametrize("wrong", ["calibration_end", "holdout_end"])
@pytest.mark.parametrize("kind", ["pandas", "polars lazy"])
def test_a_moment_with_zone_for_a_log_without_is_refused(wrong, kind):
    moments = {**BY_DAY, wrong: dt.datetime(2024, 2, 15, tzinfo=dt.UTC)}
    with pytest.raises(
        SegkitValueError, match=rf"split: .* {wrong}=2024-02-15 .* never guessed\. Give {wrong} in"
    ):
        calibration_holdout_split(as_kind(LOG, kind), **moments)


@pytest.mark.parametrize("wrong", ["calibration_end", "holdout_end"])
def test_a_moment_without_zone_for_a_zoned_log_is_refused(wrong):
    log = LOG.assign(timestamp=LOG["timestamp"].dt.tz_localize("Europe/London"))
    with pytest.raises(SegkitValueError, match=rf"{wrong}=.* never guessed"):
        calibration_holdout_split(log, **{**BY_DAY, wrong: dt.datetime(2024, 2, 15)})


@pytest.mark.parametrize("wrong", ["calibration_end", "holdout_end"])
@pytest.mark.parametrize(
    ("moment", "error"), [("31/01/2024", SegkitValueError), (20240131, SegkitTypeError)]
)
def test_what_is_no_moment_is_refused(wrong, moment, error):
    with pytest.raises(error, match=f"split: {wrong} must be a date"):
        calibration_holdout_split(LOG, **{**BY_DAY, wrong: moment})


def test_the_cut_must_be_given():
    with pytest.raises(SegkitTypeError, match="calibration_end must be a date"):
        calibration_holdout_split(LOG, calibration_end=None)


def test_placeholder_dates_at_the_end_of_time_are_told():
    log = pd.DataFrame(
        {
            "customer_id": [1, 1],
            "timestamp": pd.Series([dt.date(2024, 1, 1), dt.date(9999, 12, 31)]),
            "amount": 1.0,
        }
    )
    with pytest.raises(SegkitValueError, match=r"placeholders .* or pass a holdout_end before"):
        calibration_holdout_split(log, calibration_end="2024-01-31")
    split = calibration_holdout_split(log, **BY_DAY)
    assert split["holdout_orders"].tolist() == [0]


def test_text_in_a_lazy_frame_is_refused(lazy_kind):
    log = LOG.assign(timestamp=LOG["timestamp"].astype(str))
    with pytest.raises(LazyFrameError, match=r"split: .* Cast it in the query"):
        calibration_holdout_split(as_kind(log, lazy_kind), **BY_DAY)


def test_text_in_an_eager_frame_is_read(eager_kind):
    log = LOG.assign(timestamp=LOG["timestamp"].dt.strftime("%Y-%m-%d %H:%M"))
    expected = calibration_holdout_split(LOG, **BY_DAY)
    split = calibration_holdout_split(as_kind(log, eager_kind), **BY_DAY)
    assert columns_of(split) == columns_of(expected)


def test_a_column_named_like_a_parameter_keeps_its_name_in_an_error():
    log = LOG.rename(columns={"amount": "as_of"}).assign(as_of="text")
    with pytest.raises(SegkitTypeError, match="split: column 'as_of' must hold numbers"):
        calibration_holdout_split(log, amount="as_of", **BY_DAY)


@pytest.mark.parametrize(
    "option",
    [{"order_per": "week"}, {"returns": "gross"}, {"missing": "ignore"}, {"extras": "clvs"}],
    ids=str,
)
def test_an_unknown_option_is_refused(option):
    with pytest.raises(SegkitValueError, match=f"^calibration_holdout_split: {next(iter(option))}"):
        calibration_holdout_split(LOG, **BY_DAY, **option)


@pytest.mark.parametrize("log", [[1, 2], LOG.to_numpy(), "log.csv", None], ids=str)
def test_what_is_no_frame_is_refused(log):
    with pytest.raises(SegkitTypeError, match="split: expected a frame"):
        calibration_holdout_split(log, **BY_DAY)


def test_errors_show_no_customer():
    log = LOG.assign(
        customer_id="ann@example.org", timestamp=["not known", *LOG["timestamp"].astype(str)[1:]]
    )
    with pytest.raises(SegkitError) as caught:
        calibration_holdout_split(log, **BY_DAY)
    assert "example.org" not in str(caught.value)
    assert "not known" not in str(caught.value)
