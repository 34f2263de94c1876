"""summarize_transactions inside Spark: the table of pandas."""

import datetime as dt
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from frames import rows_of
from segkit import summarize_transactions
from segkit.datasets import make_transactions
from segkit.exceptions import ColumnError, LazyFrameError, SegkitValueError
from segkit.features import calibration_holdout_split
from spark_engine import assert_same_rows
from strategies import logs, with_an_order

pytestmark = pytest.mark.spark

EXTRAS = ("returns", "clv", "last_gap")


@pytest.fixture
def in_zone(spark):
    """Set the time zone of the session."""
    before = spark.conf.get("spark.sql.session.timeZone")
    yield lambda zone: spark.conf.set("spark.sql.session.timeZone", zone)
    spark.conf.set("spark.sql.session.timeZone", before)


@pytest.mark.parametrize(
    "order",
    [
        {"order_id": "order_id"},
        {"order_per": "day", "returns": "exclude"},
        {"order_per": "row", "extras": ()},
    ],
)
def test_a_log_with_returns_gives_the_table_of_pandas(in_spark, order):
    log = make_transactions(300, return_rate=0.2, random_state=0)
    options = {"as_of": "2025-10-31", "extras": EXTRAS, **order}
    found = summarize_transactions(in_spark(log), **options)
    assert_same_rows(found, summarize_transactions(log, **options), by="customer_id")


@settings(max_examples=5, suppress_health_check=[HealthCheck.too_slow])
@given(
    logs(ids=("int", "str")).filter(with_an_order),
    st.sampled_from(["2024-01-15", "2024-01-15 23:59", dt.datetime(2024, 1, 31)]),
)
def test_drawn_logs_with_ties_give_the_table_of_pandas(in_spark, log, as_of):
    options = {"order_id": "order_id", "as_of": as_of, "extras": EXTRAS}
    try:
        expected = summarize_transactions(log, **options)
    except SegkitValueError:  # no order is known by then
        expected = pd.DataFrame({"customer_id": []})
    assert_same_rows(summarize_transactions(in_spark(log), **options), expected, by="customer_id")


@pytest.mark.realdata
def test_online_retail_gives_the_table_of_pandas(in_spark, online_retail):
    options = {"order_id": "order_id", "as_of": "2011-12-10", "missing": "drop", "extras": EXTRAS}
    found = summarize_transactions(in_spark(online_retail), **options)
    expected = summarize_transactions(online_retail, **options)
    assert_same_rows(found, expected, by="customer_id")


@pytest.mark.realdata
def test_cdnow_gives_the_table_of_pandas(in_spark, cdnow):
    options = {"as_of": "1998-07-01", "extras": EXTRAS}
    found = summarize_transactions(in_spark(cdnow), **options)
    assert_same_rows(found, summarize_transactions(cdnow, **options), by="customer_id")


@pytest.mark.realdata
def test_online_retail_is_split_at_midyear_as_in_pandas(in_spark, online_retail, in_zone):
    in_zone("America/New_York")
    options = {"order_id": "order_id", "missing": "drop"}
    moments = {"calibration_end": "2011-06-30", "holdout_end": "2011-12-09"}
    found = calibration_holdout_split(in_spark(online_retail), **moments, **options)
    assert_same_rows(
        found, calibration_holdout_split(online_retail, **moments, **options), by="customer_id"
    )


def test_rows_in_many_parts_add_up_to_the_same_money(in_spark):
    log = make_transactions(200, return_rate=0.2, random_state=1)
    options = {"as_of": "2025-12-31", "extras": EXTRAS}
    whole = rows_of(summarize_transactions(in_spark(log), **options), "customer_id")
    scattered = in_spark(log).repartition(7).orderBy("amount")
    assert rows_of(summarize_transactions(scattered, **options), "customer_id") == whole


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Tokyo"])
@pytest.mark.parametrize(
    ("as_of", "n_known"),
    [("2024-03-10", 3), ("2024-03-10 02:30", 2), ("2024-03-09", 1), ("2024-03-10 23:59:59", 3)],
)
def test_timestamps_without_zone_are_those_of_the_log_in_any_session_zone(
    in_spark, in_zone, zone, as_of, n_known
):
    in_zone(zone)  # in New York, 2:30 on this day does not exist
    times = ["2024-03-09 23:59:59.999999", "2024-03-10 02:30", "2024-03-10 23:59:59"]
    log = pd.DataFrame(
        {
            "customer_id": 1,
            "timestamp": [*map(pd.Timestamp, [*times, "2024-03-11"])],
            "amount": [1.0, 10.0, 100.0, 1000.0],
        }
    ).astype({"timestamp": "datetime64[us]"})
    (row,) = rows_of(summarize_transactions(in_spark(log), as_of=as_of), "customer_id")
    assert row["monetary"] == {1: 1.0, 2: 11.0, 3: 111.0}[n_known]
    assert row["order_days"] == min(n_known, 2)
    assert row["first_order"] == log["timestamp"][0]
    assert row["last_order"] == log["timestamp"][n_known - 1]


def test_timestamps_with_zone_have_the_days_of_the_session_zone(in_spark, in_zone):
    # An evening in New York is the next morning in UTC; and a day there has 23 hours.
    times = pd.to_datetime(["2024-03-10 03:59", "2024-03-10 20:30", "2024-03-11 03:00"], utc=True)
    log = pd.DataFrame({"customer_id": 1, "timestamp": times, "amount": 1.0})
    log["timestamp"] = log["timestamp"].astype("datetime64[us, UTC]")
    in_zone("America/New_York")
    (row,) = rows_of(summarize_transactions(in_spark(log), as_of="2024-03-12"), "customer_id")
    assert (row["order_days"], row["recency_days"], row["tenure_days"]) == (2, 2, 3)
    instant = pd.Timestamp("2024-03-10 16:30", tz="America/New_York")
    (row,) = rows_of(summarize_transactions(in_spark(log), as_of=instant), "customer_id")
    assert (row["frequency"], row["recency_days"]) == (2, 0)
    in_zone("UTC")
    (row,) = rows_of(summarize_transactions(in_spark(log), as_of="2024-03-12"), "customer_id")
    assert (row["order_days"], row["recency_days"], row["tenure_days"]) == (2, 1, 2)


@pytest.mark.parametrize("as_of", ["2024-01-31 12:00", "2024-01-31T12:00+00:00"])
def test_an_instant_that_does_not_go_with_the_log_is_refused(in_spark, as_of):
    naive = pd.DataFrame({"customer_id": [1], "timestamp": [dt.datetime(2024, 1, 1)]})
    naive["timestamp"] = naive["timestamp"].astype("datetime64[us]")
    zoned = naive.assign(timestamp=naive["timestamp"].dt.tz_localize("UTC"))
    log = in_spark((naive if "+" in as_of else zoned).assign(amount=1.0))
    with pytest.raises(SegkitValueError, match="time zones are never guessed"):
        summarize_transactions(log, as_of=as_of)


def test_days_of_other_centuries_are_counted(in_spark):
    days = [dt.date(1582, 10, 4), dt.date(1899, 12, 31), dt.date(1970, 1, 1), dt.date(2000, 2, 29)]
    table = pa.table({"customer_id": [1, 2, 3, 4], "timestamp": days, "amount": [1.0] * 4})
    found = rows_of(summarize_transactions(in_spark(table), as_of="2024-03-01"), "customer_id")
    as_of = dt.date(2024, 3, 1)
    assert [row["recency_days"] for row in found] == [(as_of - day).days for day in days]


NOT_KNOWN = {
    "null id": (None, "2024-01-02", 5.0, "a"),
    "null time": (1, None, 5.0, "a"),
    "null amount": (1, "2024-01-02", None, "a"),
    "NaN amount": (1, "2024-01-02", np.nan, "a"),
    "null order": (1, "2024-01-02", 5.0, None),
}


def log_with(row):
    """Return a log in which a customer with an order, and one without, have such a row."""
    rows = [(1, "2024-01-01", 10.0, "x"), (2, "2024-01-03", 20.0, "y"), row]
    if row[0] is not None:
        rows.append((3, *row[1:]))
    names = ["customer_id", "timestamp", "amount", "order_id"]
    columns = dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
    columns["timestamp"] = [
        None if time is None else dt.datetime.fromisoformat(time) for time in columns["timestamp"]
    ]
    return pa.table(columns)


@pytest.mark.parametrize("row", NOT_KNOWN.values(), ids=NOT_KNOWN)
def test_rows_that_lack_something_are_dropped_or_make_their_customer_unknown(in_spark, row):
    log = in_spark(log_with(row))
    options = {"order_id": "order_id", "as_of": "2024-01-31", "extras": EXTRAS}
    dropped = rows_of(summarize_transactions(log, missing="drop", **options), "customer_id")
    assert [one["customer_id"] for one in dropped] == [1, 2]
    assert [one["monetary"] for one in dropped] == [10.0, 20.0]
    found = rows_of(summarize_transactions(log, **options), "customer_id")
    by_id = {one.pop("customer_id"): one for one in found}
    unknown = {1: [1, 3], None: [None]}[row[0]]
    assert set(by_id) == {1, 2, *unknown}
    assert by_id[2]["monetary"] == 20.0
    for one in unknown:
        assert set(by_id[one].values()) == {None}


@pytest.mark.parametrize("missing", ["raise", "drop"])
@pytest.mark.parametrize("amount", [np.inf, -np.inf])
def test_infinite_amounts_make_their_customer_unknown(in_spark, missing, amount):
    log = in_spark(log_with((1, "2024-01-02", amount, "a")))
    options = {"order_id": "order_id", "as_of": "2024-01-31", "missing": missing}
    found = rows_of(summarize_transactions(log, **options), "customer_id")
    assert [one["monetary"] for one in found] == [None, 20.0, None]


def test_returns_need_no_order_and_customers_with_nothing_else_are_left_out(in_spark):
    log = in_spark(log_with((1, "2024-01-02", -4.0, None)))
    options = {"order_id": "order_id", "as_of": "2024-01-31", "extras": "returns"}
    found = rows_of(summarize_transactions(log, **options), "customer_id")
    assert [one["customer_id"] for one in found] == [1, 2]
    assert (found[0]["monetary"], found[0]["frequency"]) == (6.0, 1)
    assert (found[0]["return_count"], found[0]["return_amount"]) == (1, 4.0)


@pytest.mark.parametrize(
    "amounts",
    [
        pa.array([1, 2, 3], pa.int32()),
        pa.array([1.0, 2.0, 3.0], pa.float32()),
        pa.array([Decimal("1.00"), Decimal("2.00"), Decimal("3.00")], pa.decimal128(10, 2)),
    ],
    ids=["int32", "float32", "decimal"],
)
@pytest.mark.parametrize(
    "ids",
    [pa.array([7, 7, 8], pa.int32()), pa.array(["é", "é", "x"]), pa.array([1.5, 1.5, 2.5])],
    ids=["int32", "text", "float"],
)
def test_ids_keep_their_type_and_amounts_are_of_any(in_spark, ids, amounts):
    days = [dt.datetime(2024, 1, day) for day in (1, 2, 3)]
    log = in_spark(pa.table({"customer_id": ids, "timestamp": days, "amount": amounts}))
    table = summarize_transactions(log, as_of="2024-01-31")
    assert table.schema["customer_id"] == log.schema["customer_id"]
    found = {row["customer_id"]: row["monetary"] for row in rows_of(table, "monetary")}
    assert found == {ids[0].as_py(): 3.0, ids[2].as_py(): 3.0}


def test_a_missing_float_id_is_missing(in_spark):
    days = [dt.datetime(2024, 1, day) for day in (1, 2, 3)]
    table = {"customer_id": [1.0, np.nan, None], "timestamp": days, "amount": [1.0, 2.0, 4.0]}
    log = in_spark(pa.table(table))
    found = rows_of(summarize_transactions(log, as_of="2024-01-31", missing="drop"), "customer_id")
    assert [(row["customer_id"], row["monetary"]) for row in found] == [(1.0, 1.0)]


def test_what_cannot_be_summarized_is_refused_before_anything_runs(in_spark):
    log = in_spark(log_with((1, "2024-01-02", 5.0, "a")))
    with pytest.raises(SegkitValueError, match="a lazy frame needs as_of"):
        summarize_transactions(log)
    with pytest.raises(ColumnError, match="'member' is missing"):
        summarize_transactions(log, customer_id="member", as_of="2024-01-31")
    with pytest.raises(LazyFrameError, match="'order_id' must hold dates"):
        summarize_transactions(log, timestamp="order_id", as_of="2024-01-31")


def test_columns_of_other_names_and_further_ones(in_spark):
    log = make_transactions(50, random_state=3)
    options = {"customer_id": "Kunde 'Nr'", "timestamp": "bezahlt", "amount": "Σ"}
    frame = log.rename(columns=options).assign(**{"further.one": "x"})
    found = summarize_transactions(in_spark(frame), as_of="2025-12-31", **options)
    expected = summarize_transactions(frame, as_of="2025-12-31", **options)
    assert_same_rows(found, expected, by="Kunde 'Nr'")


@pytest.mark.parametrize("name", ["total.net", "total`net"])
def test_a_name_that_spark_takes_for_more_than_a_name_is_refused(in_spark, name):
    log = make_transactions(5, random_state=3).rename(columns={"amount": name})
    with pytest.raises(ColumnError, match=r"summarize_transactions: Spark reads .*total.net"):
        summarize_transactions(in_spark(log), amount=name, as_of="2025-12-31")
