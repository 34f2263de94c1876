"""summarize_transactions against a loop over plain Python rows, on every kind of frame."""

import datetime as dt

import duckdb
import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from frames import as_kind, columns_of, in_session_zone, rows_of
from naive_summary import summary_by_loop
from segkit import summarize_transactions
from segkit.exceptions import (
    ColumnError,
    MissingValuesError,
    SegkitError,
    SegkitTypeError,
    SegkitValueError,
)
from strategies import logs, with_an_order

ALL_EXTRAS = ("returns", "clv", "last_gap")


@given(
    log=logs(ids=("int", "str")),
    options=st.fixed_dictionaries(
        {
            "returns": st.sampled_from(["net", "exclude"]),
            "order_id": st.sampled_from([None, "order_id"]),
            "order_per": st.sampled_from(["day", "row"]),
        }
    ),
    as_of=st.dates(dt.date(2023, 12, 15), dt.date(2024, 4, 10)),
)
def test_every_kind_of_frame_gives_what_a_loop_counts(log, options, as_of):
    expected = summary_by_loop(log, as_of=as_of, **options)
    assume(expected)
    for kind in ("pandas", "pandas arrow", "polars", "polars lazy", "pyarrow", "duckdb"):
        table = summarize_transactions(
            as_kind(log, kind), as_of=as_of, extras=ALL_EXTRAS, **options
        )
        assert rows_of(table, "customer_id") == expected, kind


@given(log=logs(), seed=st.integers(0, 9))
def test_row_order_changes_nothing(log, seed):
    assume(with_an_order(log))
    shuffled = log.sample(frac=1, random_state=seed)
    pd.testing.assert_frame_equal(
        summarize_transactions(log, extras=ALL_EXTRAS),
        summarize_transactions(shuffled, extras=ALL_EXTRAS),
    )


@given(log=logs())
def test_relabelled_ids_change_nothing_else(log):
    assume(with_an_order(log))
    relabelled = log.assign(customer_id=10**13 - log["customer_id"])
    before = summarize_transactions(log).drop(columns="customer_id")
    after = summarize_transactions(relabelled).drop(columns="customer_id")
    pd.testing.assert_frame_equal(before, after.iloc[::-1].reset_index(drop=True))


def log_of(*rows, ids="customer_id"):
    """A log from (id, timestamp, amount) rows."""
    customers, timestamps, amounts = zip(*rows, strict=True)
    return pd.DataFrame(
        {ids: customers, "timestamp": pd.to_datetime(list(timestamps)), "amount": amounts}
    )


LOG = log_of(
    ("a", "2024-01-01 09:00", 10.0),
    ("a", "2024-01-01 17:00", 5.0),
    ("a", "2024-01-11 12:00", 20.0),
    ("a", "2024-01-12 12:00", -4.0),
    ("b", "2024-01-05 23:59", 0.0),
)


def test_a_log_worked_by_hand(kind):
    table = columns_of(summarize_transactions(as_kind(LOG, kind), as_of="2024-01-31"))
    rows = sorted(zip(*table.values(), strict=True))
    assert list(table) == [
        "customer_id",
        "recency_days",
        "frequency",
        "order_days",
        "monetary",
        "tenure_days",
        "mean_order_value",
        "mean_gap_days",
        "first_order",
        "last_order",
    ]
    assert rows[0][:8] == ("a", 20, 2, 2, 31.0, 30, 15.5, 10.0)
    assert rows[1][:8] == ("b", 26, 1, 1, 0.0, 26, 0.0, None)


def test_the_result_is_of_the_kind_that_came_in(kind):
    frame = as_kind(LOG, kind)
    assert type(summarize_transactions(frame, as_of="2024-01-31")) is type(frame)


def test_eager_results_are_sorted_by_customer(eager_kind):
    log = log_of(("c", "2024-01-01", 1.0), ("a", "2024-01-01", 1.0), ("b", "2024-01-01", 1.0))
    assert columns_of(summarize_transactions(as_kind(log, eager_kind)))["customer_id"] == [
        "a",
        "b",
        "c",
    ]


def test_a_lazy_log_is_not_executed():
    def executed(_):
        raise RuntimeError("executed")

    lazy = pl.from_pandas(LOG).lazy()
    lazy = lazy.map_batches(executed, schema=lazy.collect_schema())
    assert isinstance(summarize_transactions(lazy, as_of="2024-01-31"), pl.LazyFrame)


def test_a_duckdb_relation_is_not_executed():
    relation = duckdb.sql(
        "SELECT CASE WHEN i > 5 THEN error('executed') ELSE 'a' END AS customer_id, "
        "TIMESTAMP '2024-01-01' AS timestamp, 1.0::DOUBLE AS amount FROM range(10) AS t(i)"
    )
    table = summarize_transactions(relation, as_of="2024-01-31")
    with pytest.raises(duckdb.Error, match="executed"):
        table.fetchall()


def test_the_input_is_not_changed(eager_kind):
    frame = as_kind(LOG, eager_kind)
    summarize_transactions(frame, extras=ALL_EXTRAS)
    assert columns_of(frame) == columns_of(as_kind(LOG, eager_kind))


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
    table = summarize_transactions(log, missing="drop")
    assert table["customer_id"].dtype == ids.dtype
    assert table["customer_id"].tolist() == sorted(ids.dropna().unique())


def test_ids_of_mixed_kinds_are_refused():
    log = log_of((1, "2024-01-01", 1.0), ("1", "2024-01-02", 1.0))
    with pytest.raises(SegkitTypeError, match="mixes kinds of ids"):
        summarize_transactions(log)


def test_categories_without_transactions_are_no_customers():
    ids = pd.Categorical(["x", "x"], categories=["x", "never"])
    log = pd.DataFrame(
        {"customer_id": ids, "timestamp": pd.Timestamp(2024, 1, 1), "amount": [1.0, 2.0]}
    )
    assert summarize_transactions(log)["customer_id"].tolist() == ["x"]


def test_the_customer_id_keeps_its_name():
    log = log_of(("a", "2024-01-01", 1.0), ids="member")
    table = summarize_transactions(log, customer_id="member")
    assert table.columns[0] == "member"


def test_an_id_named_like_a_result_is_refused():
    log = log_of(("a", "2024-01-01", 1.0), ids="frequency")
    with pytest.raises(ColumnError, match="named 'frequency'"):
        summarize_transactions(log, customer_id="frequency")


# -- as_of and days ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "as_of",
    [
        "2024-01-11",
        "20240111",
        dt.date(2024, 1, 11),
        np.datetime64("2024-01-11"),
        dt.datetime(2024, 1, 11, 12),
        pd.Timestamp("2024-01-11 12:00"),
        "2024-01-11 12:00",
        np.datetime64("2024-01-11T12:00"),
    ],
    ids=str,
)
def test_rows_after_as_of_are_not_yet_known(kind, as_of):
    table = columns_of(summarize_transactions(as_kind(LOG, kind), as_of=as_of))
    monetary = dict(zip(table["customer_id"], table["monetary"], strict=True))
    recency = dict(zip(table["customer_id"], table["recency_days"], strict=True))
    assert monetary == {"a": 35.0, "b": 0.0}  # the return of the 12th has not happened
    assert recency == {"a": 0, "b": 6}


def test_a_datetime_as_of_is_that_instant(kind):
    table = columns_of(summarize_transactions(as_kind(LOG, kind), as_of="2024-01-11 11:59"))
    assert dict(zip(table["customer_id"], table["monetary"], strict=True)) == {"a": 15, "b": 0}


def test_without_as_of_it_is_the_day_after_the_last_row(eager_kind):
    table = columns_of(summarize_transactions(as_kind(LOG, eager_kind)))
    assert table["recency_days"] == [2, 8]  # the last row is the return of the 12th


def test_a_lazy_frame_must_be_given_as_of(lazy_kind):
    with pytest.raises(SegkitValueError, match="lazy frame needs as_of"):
        summarize_transactions(as_kind(LOG, lazy_kind))


def test_days_are_calendar_days_not_spans_of_24_hours(kind):
    log = log_of(("a", "2024-01-01 23:59", 1.0), ("b", "2024-01-02 00:01", 1.0))
    table = rows_of(summarize_transactions(as_kind(log, kind), as_of="2024-01-02"), "customer_id")
    assert [row["recency_days"] for row in table] == [1, 0]


def test_days_count_across_leap_days_and_before_1970(kind):
    log = log_of(("a", "1899-12-31", 1.0), ("b", "2000-02-28", 1.0), ("c", "1969-12-31", 1.0))
    as_of = dt.date(2024, 3, 1)
    table = rows_of(summarize_transactions(as_kind(log, kind), as_of=as_of), "customer_id")
    assert [row["recency_days"] for row in table] == [
        (as_of - day).days
        for day in (dt.date(1899, 12, 31), dt.date(2000, 2, 28), dt.date(1969, 12, 31))
    ]


def zoned_log():
    """Two purchases that are on one day in New York and on two in UTC."""
    log = log_of(("a", "2024-03-01 20:00", 1.0), ("a", "2024-03-01 10:00", 1.0))
    log["timestamp"] = log["timestamp"].dt.tz_localize("America/New_York")
    return log


def test_days_are_those_of_the_logs_own_time_zone(kind):
    in_session_zone("America/New_York")
    local = as_kind(zoned_log(), kind)
    table = columns_of(summarize_transactions(local, as_of="2024-03-01"))
    assert (table["order_days"], table["recency_days"]) == ([1], [0])
    in_session_zone("UTC")
    utc = zoned_log()
    utc["timestamp"] = utc["timestamp"].dt.tz_convert("UTC")
    table = columns_of(summarize_transactions(as_kind(utc, kind), as_of="2024-03-02"))
    assert (table["order_days"], table["recency_days"]) == ([2], [0])


def test_a_zoned_as_of_is_the_same_instant_in_any_zone(kind):
    in_session_zone("America/New_York")
    as_of = dt.datetime(2024, 3, 2, 0, 30, tzinfo=dt.UTC)  # 19:30 on the 1st in New York
    frame = as_kind(zoned_log(), kind)
    table = columns_of(summarize_transactions(frame, as_of=as_of))
    assert (table["frequency"], table["monetary"], table["recency_days"]) == ([1], [1.0], [0])


@pytest.mark.parametrize("as_of", [dt.datetime(2024, 3, 2), "2024-03-02 10:00"])
def test_an_as_of_without_zone_for_a_zoned_log_is_refused(as_of):
    with pytest.raises(SegkitValueError, match="time zones are never guessed"):
        summarize_transactions(zoned_log(), as_of=as_of)


def test_an_as_of_with_zone_for_a_log_without_is_refused():
    with pytest.raises(SegkitValueError, match="time zones are never guessed"):
        summarize_transactions(LOG, as_of=dt.datetime(2024, 3, 2, tzinfo=dt.UTC))


@pytest.mark.parametrize("as_of", ["31/01/2024", "yesterday", "2024-13-01"])
def test_an_as_of_that_is_no_date_is_refused(as_of):
    with pytest.raises(SegkitValueError, match="as_of must be a date"):
        summarize_transactions(LOG, as_of=as_of)


@pytest.mark.parametrize("as_of", [20240131, 1.5, pd.NaT, np.datetime64("NaT")])
def test_an_as_of_of_another_type_is_refused(as_of):
    with pytest.raises(SegkitTypeError, match="as_of must be a date"):
        summarize_transactions(LOG, as_of=as_of)


def test_an_as_of_before_the_log_says_where_the_log_begins():
    with pytest.raises(SegkitValueError, match="the first is on day 2024-01-01"):
        summarize_transactions(LOG, as_of="2023-12-31")


# -- timestamps --------------------------------------------------------------------------------


def test_dates_without_time_are_days(eager_kind):
    dates = pl.from_pandas(LOG).with_columns(pl.col("timestamp").cast(pl.Date))
    log = {"polars": dates, "pyarrow": dates.to_arrow()}.get(eager_kind)
    if log is None:
        log = LOG.assign(timestamp=LOG["timestamp"].dt.date)
    expected = columns_of(summarize_transactions(LOG, as_of="2024-01-31"))
    table = columns_of(summarize_transactions(log, as_of="2024-01-31"))
    assert table["recency_days"] == expected["recency_days"]
    assert table["order_days"] == expected["order_days"]


def test_iso_text_is_read(eager_kind):
    log = LOG.assign(timestamp=LOG["timestamp"].dt.strftime("%Y-%m-%d %H:%M"))
    expected = summarize_transactions(LOG, as_of="2024-01-31")
    table = summarize_transactions(as_kind(log, eager_kind), as_of="2024-01-31")
    assert columns_of(table) == columns_of(expected)


def test_ambiguous_text_is_refused():
    log = LOG.assign(timestamp=["03/04/2024"] * 4 + ["2024-01-05"])
    with pytest.raises(SegkitValueError, match=r"no ISO 8601 date in 4 of 5 rows"):
        summarize_transactions(log)


def test_text_in_a_lazy_frame_is_refused(lazy_kind):
    log = LOG.assign(timestamp=LOG["timestamp"].astype(str))
    with pytest.raises(SegkitTypeError, match="Cast it in the query"):
        summarize_transactions(as_kind(log, lazy_kind), as_of="2024-01-31")


@pytest.mark.parametrize(
    "timestamps",
    [
        ["2024-01-01T10:00+01:00", "2024-01-01T10:00-05:00"],
        [
            pd.Timestamp("2024-01-01", tz="Europe/London"),
            pd.Timestamp("2024-07-01", tz="Asia/Tokyo"),
        ],
        [pd.Timestamp("2024-01-01"), pd.Timestamp("2024-01-01", tz="UTC")],
    ],
    ids=["text", "objects", "zoned and not"],
)
def test_mixed_zones_are_refused(timestamps):
    log = pd.DataFrame(
        {"customer_id": [1, 2], "timestamp": pd.Series(timestamps, dtype=object), "amount": 1.0}
    )
    with pytest.raises(SegkitValueError, match="mixes time zones"):
        summarize_transactions(log)


@pytest.mark.parametrize("timestamps", [[20240101, 20240102], [1.5, 2.5], [True, False]])
def test_numbers_are_no_timestamps(timestamps, kind):
    log = pd.DataFrame({"customer_id": [1, 2], "timestamp": timestamps, "amount": 1.0})
    with pytest.raises(SegkitTypeError, match="must hold dates or datetimes"):
        summarize_transactions(as_kind(log, kind), as_of="2024-01-31")


# -- orders and money --------------------------------------------------------------------------


def test_an_order_is_a_distinct_order_id(kind):
    log = LOG.assign(order_id=["o1", "o2", "o2", "r1", "o3"])
    table = rows_of(
        summarize_transactions(as_kind(log, kind), order_id="order_id", as_of="2024-01-31"),
        "customer_id",
    )
    assert [row["frequency"] for row in table] == [2, 1]


def test_a_purchase_and_its_full_refund_are_one_order(kind):
    log = log_of(("a", "2024-01-01", 50.0), ("a", "2024-01-03", -50.0))
    table = columns_of(summarize_transactions(as_kind(log, kind), as_of="2024-01-31"))
    assert (table["frequency"], table["monetary"], table["recency_days"]) == ([1], [0.0], [30])


def test_customers_with_nothing_but_returns_are_left_out(kind):
    log = log_of(("a", "2024-01-01", 50.0), ("b", "2024-01-03", -50.0))
    table = columns_of(summarize_transactions(as_kind(log, kind), as_of="2024-01-31"))
    assert table["customer_id"] == ["a"]


def test_cents_are_kept():
    log = log_of(("a", "2024-01-01", 100.05))
    assert summarize_transactions(log)["monetary"].tolist() == [100.05]


def test_equal_spends_are_equal_whatever_their_parts(kind):
    # 0.1 + 0.2 and 0.3 differ in floating point.
    log = log_of(("a", "2024-01-01", 0.1), ("a", "2024-01-02", 0.2), ("b", "2024-01-01", 0.3))
    table = columns_of(summarize_transactions(as_kind(log, kind), as_of="2024-01-31"))
    assert table["monetary"] == [0.3, 0.3]


@pytest.mark.parametrize(
    "dtype", ["int64", "float32", "Int64", "Float64", "double[pyarrow]", object]
)
def test_amounts_may_be_any_kind_of_number(dtype):
    log = LOG.assign(amount=LOG["amount"].astype(dtype))
    expected = summarize_transactions(LOG)["monetary"].tolist()
    assert summarize_transactions(log)["monetary"].tolist() == expected


def test_extra_columns_change_nothing():
    extended = LOG.assign(country="UK", frequency=99)
    pd.testing.assert_frame_equal(summarize_transactions(extended), summarize_transactions(LOG))


def test_extras_may_be_one_name():
    assert "first_day_amount" in summarize_transactions(LOG, extras="clv")


# -- missing and wrong -------------------------------------------------------------------------


@pytest.mark.parametrize("column", ["customer_id", "timestamp", "amount", "order_id"])
def test_missing_values_raise_with_column_and_number(eager_kind, column):
    log = LOG.assign(order_id=["o1", "o2", "o3", "r1", "o4"])
    log.loc[[0, 2], column] = None
    with pytest.raises(MissingValuesError, match=f"'{column}' in 2 of 5 rows"):
        summarize_transactions(as_kind(log, eager_kind), order_id="order_id")


def test_nan_amounts_in_polars_are_missing():
    log = pl.from_pandas(LOG).with_columns(pl.lit(float("nan")).alias("amount"))
    with pytest.raises(MissingValuesError, match="'amount' in 5 of 5 rows"):
        summarize_transactions(log)


@pytest.mark.parametrize("column", ["customer_id", "timestamp", "amount"])
def test_missing_values_can_be_dropped(kind, column):
    log = LOG.copy()
    log.loc[0, column] = None
    table = summarize_transactions(as_kind(log, kind), as_of="2024-01-31", missing="drop")
    expected = summarize_transactions(LOG.drop(index=0), as_of="2024-01-31")
    assert rows_of(table, "customer_id") == rows_of(expected, "customer_id")


@pytest.mark.parametrize(
    ("column", "value"),
    [("timestamp", None), ("amount", None), ("amount", np.nan), ("amount", np.inf)],
)
def test_in_a_lazy_frame_a_customer_with_a_bad_row_gets_nulls(lazy_kind, column, value):
    log = nw.from_native(as_kind(LOG.assign(row=range(5)), lazy_kind))
    changed = nw.when(nw.col("row") > 0).then(nw.col(column))
    if value is not None:
        changed = changed.otherwise(nw.lit(value))
    log = log.with_columns(changed.alias(column)).to_native()
    table = rows_of(
        summarize_transactions(log, as_of="2024-01-31", extras=ALL_EXTRAS), "customer_id"
    )
    assert [row.pop("customer_id") for row in table] == ["a", "b"]
    assert set(table[0].values()) == {None}
    assert table[1]["frequency"] == 1


def test_in_a_lazy_frame_rows_without_id_give_a_row_of_nulls(lazy_kind):
    log = LOG.copy()
    log.loc[[0, 4], "customer_id"] = None
    table = rows_of(
        summarize_transactions(as_kind(log, lazy_kind), as_of="2024-01-31"), "customer_id"
    )
    assert [row["customer_id"] for row in table] == ["a", None]
    assert set(table[1].values()) == {None}
    assert table[0]["monetary"] == 21.0


def test_a_return_needs_no_order_id(kind):
    log = LOG.assign(order_id=["o1", "o2", "o3", None, "o4"])
    table = summarize_transactions(
        as_kind(log, kind), order_id="order_id", as_of="2024-01-31", extras="returns"
    )
    assert [row["return_count"] for row in rows_of(table, "customer_id")] == [1, 0]


def test_infinite_amounts_are_refused(eager_kind):
    log = LOG.assign(amount=[np.inf, 1, 1, 1, -np.inf])
    with pytest.raises(SegkitValueError, match="infinite in 2 of 5 rows"):
        summarize_transactions(as_kind(log, eager_kind))


def test_amounts_as_text_are_refused(kind):
    log = LOG.assign(amount=["10", "5", "20", "-4", "0"])
    with pytest.raises(SegkitTypeError, match="column 'amount' must hold numbers"):
        summarize_transactions(as_kind(log, kind), as_of="2024-01-31")


@pytest.mark.parametrize("role", ["customer_id", "timestamp", "amount", "order_id"])
def test_a_missing_column_is_named_with_the_nearest(kind, role):
    log = LOG.assign(order_id=1).rename(columns={role: f"{role}s"})
    with pytest.raises(ColumnError, match=rf"{role}' is missing.* Did you mean '{role}s'\?"):
        summarize_transactions(as_kind(log, kind), order_id="order_id", as_of="2024-01-31")


def test_an_empty_log_is_refused(eager_kind):
    with pytest.raises(SegkitValueError, match="the log is empty"):
        summarize_transactions(as_kind(LOG.head(0), eager_kind))
    with pytest.raises(SegkitValueError, match="the log is empty"):
        summarize_transactions(as_kind(LOG.head(0), eager_kind), as_of="2024-01-31")


def test_a_log_of_returns_only_is_refused():
    with pytest.raises(SegkitValueError, match="holds no order"):
        summarize_transactions(log_of(("a", "2024-01-01", -5.0)))


def test_one_column_in_two_parts_is_refused():
    with pytest.raises(ColumnError, match="must be different columns"):
        summarize_transactions(LOG, customer_id="timestamp")


def test_doubled_columns_are_refused():
    log = pd.concat([LOG, LOG[["amount"]]], axis="columns")
    with pytest.raises(ColumnError, match=r"more than one column named \['amount'\]"):
        summarize_transactions(log)


@pytest.mark.parametrize("log", [[1, 2], LOG.to_numpy(), "log.csv", None], ids=str)
def test_what_is_no_frame_is_refused(log):
    with pytest.raises(SegkitTypeError, match="expected a frame"):
        summarize_transactions(log)


@pytest.mark.parametrize(
    "option",
    [
        {"order_per": "week"},
        {"returns": "gross"},
        {"missing": "ignore"},
        {"extras": "clvs"},
        {"extras": ["returns", "nets"]},
        {"decimals": -1},
        {"decimals": 2.0},
    ],
    ids=str,
)
def test_an_unknown_option_is_refused(option):
    with pytest.raises(SegkitValueError, match=next(iter(option))):
        summarize_transactions(LOG, **option)


def test_errors_show_no_customer():
    log = pd.DataFrame(
        {
            "customer_id": ["ann@example.org", "bob@example.org"],
            "timestamp": ["2024-01-01", "not known"],
            "amount": [1.0, 2.0],
        }
    )
    with pytest.raises(SegkitError) as caught:
        summarize_transactions(log)
    assert "example.org" not in str(caught.value)
    assert "not known" not in str(caught.value)


# -- hard cases --------------------------------------------------------------------------------


def test_order_ids_beyond_exact_floats_are_told_apart(kind):
    log = log_of(("a", "2024-01-01", 1.0), ("a", "2024-01-02", 1.0), ("a", "2024-01-03", -1.0))
    log["order_id"] = [2**53, 2**53 + 1, 5]
    table = summarize_transactions(as_kind(log, kind), order_id="order_id", as_of="2024-01-31")
    assert columns_of(table)["frequency"] == [2]


def test_nan_order_ids_are_missing():
    log = pl.DataFrame(
        {
            "customer_id": [1, 1],
            "timestamp": [dt.date(2024, 1, 1)] * 2,
            "amount": [1.0, 1.0],
            "order_id": [1.0, float("nan")],
        }
    )
    with pytest.raises(MissingValuesError, match="'order_id' in 1 of 2 rows"):
        summarize_transactions(log, order_id="order_id")


def test_nan_ids_in_polars_are_missing():
    log = pl.from_pandas(LOG).with_columns(customer_id=pl.lit(float("nan")))
    with pytest.raises(MissingValuesError, match="'customer_id' in 5 of 5 rows"):
        summarize_transactions(log)


def test_halves_of_the_last_decimal_round_up_in_every_engine(kind):
    log = log_of(("a", "2024-01-01", 0.125), ("b", "2024-01-01", 0.375), ("c", "2024-01-01", 2.5))
    table = summarize_transactions(as_kind(log, kind), as_of="2024-01-31", decimals=2)
    assert sorted(columns_of(table)["monetary"]) == [0.13, 0.38, 2.5]


def test_sums_too_large_for_the_decimals_stay_as_they_are(kind):
    large = 27931870669.928978  # times 10**6, plus 0.5, is no exact float
    log = log_of(("a", "2024-01-01", 1e303), ("b", "2024-01-01", large))
    table = summarize_transactions(as_kind(log, kind), as_of="2024-01-31")
    assert sorted(columns_of(table)["monetary"]) == [large, 1e303]


def test_a_sum_beyond_every_float_is_refused(eager_kind):
    log = log_of(("a", "2024-01-01", 1.7e308), ("a", "2024-01-02", 1.7e308))
    with pytest.raises(SegkitValueError, match="more than a number can hold"):
        summarize_transactions(as_kind(log, eager_kind))


def test_an_as_of_in_nanoseconds_keeps_its_own_row():
    last = pd.Timestamp("2024-06-30T12:00:00.123456789")
    log = pd.DataFrame({"customer_id": [1], "timestamp": [last], "amount": 1.0})
    log["timestamp"] = log["timestamp"].astype("datetime64[ns]")
    later = log.assign(customer_id=2, timestamp=last.ceil("us"))
    for as_of in (last, np.datetime64("2024-06-30T12:00:00.123456789")):
        known = summarize_transactions(pd.concat([log, later]), as_of=as_of)
        assert known["customer_id"].tolist() == [1]


@pytest.mark.parametrize("text", ["now", "today", "NOW"])
def test_text_that_means_the_clock_is_refused(eager_kind, text):
    log = LOG.assign(timestamp=["2024-01-01", text, "2024-01-02", "2024-01-02", "2024-01-02"])
    with pytest.raises(SegkitValueError, match="no ISO 8601 date in 1 of 5 rows"):
        summarize_transactions(as_kind(log, eager_kind))


@pytest.mark.parametrize("as_of", [dt.datetime(2300, 1, 1), dt.datetime.max])
def test_an_as_of_in_the_far_future_keeps_every_row(kind, as_of):
    table = summarize_transactions(as_kind(LOG, kind), as_of=as_of)
    assert sorted(columns_of(table)["customer_id"]) == ["a", "b"]


def test_an_as_of_in_the_far_past_keeps_none(eager_kind):
    with pytest.raises(SegkitValueError, match="no row of the log"):
        summarize_transactions(as_kind(LOG, eager_kind), as_of=dt.datetime(1600, 1, 1))


def test_placeholder_dates_at_the_end_of_time_are_told():
    log = pd.DataFrame(
        {"customer_id": [1], "timestamp": pd.Series([dt.date(9999, 12, 31)]), "amount": 1.0}
    )
    with pytest.raises(SegkitValueError, match="placeholders"):
        summarize_transactions(log)


def test_uuids_are_ids():
    import uuid

    log = LOG.assign(customer_id=[uuid.UUID(int=i) for i in (1, 1, 1, 1, 2)])
    assert summarize_transactions(log)["frequency"].tolist() == [2, 1]


@pytest.mark.parametrize("as_of", ["2024-W26-7", "2024", np.datetime64("2024-06", "M")])
def test_an_as_of_that_names_no_day_is_refused(as_of):
    with pytest.raises(SegkitValueError, match="as_of must be a date"):
        summarize_transactions(LOG, as_of=as_of)


def test_extras_asked_for_twice_come_once(kind):
    table = summarize_transactions(as_kind(LOG, kind), as_of="2024-01-31", extras=["clv", "clv"])
    assert list(columns_of(table)).count("first_day_amount") == 1


@pytest.mark.parametrize("name", ["Monetary", "RECENCY_DAYS", "__segkit_day"])
def test_ids_named_like_a_result_in_any_case_are_refused(name):
    with pytest.raises(ColumnError):
        summarize_transactions(LOG.rename(columns={"customer_id": name}), customer_id=name)


def test_customers_in_place_of_a_column_name_are_not_shown():
    emails = pd.Series(["ann@example.org"] * 5)
    for wrong in ({"customer_id": emails}, {"as_of": emails}, {"extras": emails}):
        with pytest.raises(SegkitError) as caught:
            summarize_transactions(LOG, **wrong)
        assert "example" not in str(caught.value)


def test_empty_columns_of_any_type_are_an_empty_log():
    for empty in (pd.DataFrame(columns=LOG.columns), pl.DataFrame(schema=list(LOG.columns))):
        with pytest.raises(SegkitValueError, match="the log is empty"):
            summarize_transactions(empty)


def test_infinite_timestamps_of_duckdb_make_a_customer_unknown():
    relation = duckdb.sql(
        "SELECT * FROM (VALUES (1, TIMESTAMP '-infinity', 5.0), (1, TIMESTAMP '2024-01-01', 1.0),"
        " (2, TIMESTAMP '2024-01-01', 1.0)) AS t(customer_id, timestamp, amount)"
    )
    for as_of in ("2024-01-31", dt.datetime(2024, 1, 31)):
        table = rows_of(summarize_transactions(relation, as_of=as_of), "customer_id")
        assert [row["monetary"] for row in table] == [None, 1.0]


def test_an_order_on_two_days_counts_on_both(kind):
    log = log_of(("a", "2024-01-01 23:59", 1.0), ("a", "2024-01-02 00:01", 1.0))
    log["order_id"] = 1
    table = summarize_transactions(as_kind(log, kind), order_id="order_id", as_of="2024-01-31")
    assert (columns_of(table)["frequency"], columns_of(table)["order_days"]) == ([1], [2])


def test_numbers_read_as_nanoseconds_are_recognised(eager_kind):
    log = LOG.assign(timestamp=pd.to_datetime([20240101 + i for i in range(5)]))
    with pytest.raises(SegkitValueError, match="every row of 'timestamp' is on 1970-01-01"):
        summarize_transactions(as_kind(log, eager_kind))


def test_order_ids_of_mixed_kinds_are_refused():
    log = LOG.assign(order_id=pd.Series([1, "1", 2, 3, 4], dtype=object))
    with pytest.raises(SegkitTypeError, match="'order_id' mixes kinds of ids"):
        summarize_transactions(log, order_id="order_id")


def test_months_are_no_days():
    log = LOG.assign(timestamp=["2024-01", *["2024-01-02"] * 4])
    with pytest.raises(SegkitValueError, match="no ISO 8601 date in 1 of 5 rows"):
        summarize_transactions(log)
