"""The integer kernel of pandas logs against loops, and against the plan of expressions."""

import datetime as dt

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from frames import as_kind, rows_of
from segkit import summarize_transactions
from segkit._frames import require_frame
from segkit.exceptions import MissingValuesError, SegkitTypeError
from segkit.features._expression_plan import summarize_by_expressions
from segkit.features._integer_kernel import RowsByCustomer
from segkit.features._log_checks import with_clean_types
from segkit.features._options import SummaryOptions
from strategies import logs, with_an_order

AS_IDS = {
    "dense": lambda numbers: numbers,
    "negative": lambda numbers: numbers - 3,
    "far from zero": lambda numbers: numbers + 10**12,
    "sparse": lambda numbers: numbers * 10**15 - 4 * 10**15,
    "beyond int64": lambda numbers: numbers.astype("uint64") + np.uint64(2**63),
    "int32": lambda numbers: numbers.astype("int32"),
    "nullable": lambda numbers: numbers.astype("Int64"),
    "float": lambda numbers: numbers / 2,
    "text": lambda numbers: numbers.map("c{:02d}".format),
    "text of any width": lambda numbers: (numbers**7).map("c{}".format),
    "text of nine letters": lambda numbers: (numbers * 10**6).map("c{:08d}".format),
    "text beyond ASCII": lambda numbers: numbers.map("ł{:02d}é".format),
    "text in objects": lambda numbers: numbers.map("c{:02d}".format).astype(object),
    "Arrow text": lambda numbers: numbers.map("c{:02d}".format).astype("string[pyarrow]"),
    "categories": lambda numbers: numbers.map("c{}".format).astype(
        pd.CategoricalDtype([f"c{number}" for number in (5, 0, 3, 1, 9, 6, 2, 4)], ordered=True)
    ),
    "dates": lambda numbers: pd.Timestamp("2020-01-01") + pd.to_timedelta(numbers, unit="D"),
}
AS_TIMES = {
    "us": lambda times: times,
    "ns": lambda times: times.astype("datetime64[ns]"),
    "s": lambda times: times.astype("datetime64[s]"),
    "days in Arrow": lambda times: times.dt.date.astype("date32[pyarrow]"),
    "Arrow": lambda times: times.astype("timestamp[ms][pyarrow]"),
    "Berlin": lambda times: times.dt.tz_localize("UTC").dt.tz_convert("Europe/Berlin"),
    "Arrow in Chicago": lambda times: times.dt.tz_localize("UTC").astype(
        "timestamp[us, America/Chicago][pyarrow]"
    ),
}
AS_OF = {
    "last row": None,
    "date": dt.date(2024, 2, 1),
    "instant": dt.datetime(2024, 1, 31, 12, 30),
    "between two microseconds": pd.Timestamp("2024-01-31 00:00:00.000000001"),
}


def by_expressions(log, **given):
    """Run the plan of expressions, which other kinds of frame use, on a pandas log."""
    asked = {
        "customer_id": "customer_id",
        "timestamp": "timestamp",
        "amount": "amount",
        "order_id": None,
        "order": "day",
        "as_of": None,
        "returns": "net",
        "missing": "raise",
        "extras": (),
        "decimals": 6,
    }
    options = SummaryOptions(**{**asked, **given})
    clean = with_clean_types(require_frame(log, owner="test"), options)
    return summarize_by_expressions(clean, options).to_native()


@settings(max_examples=150)
@given(
    log=logs(max_rows=25),
    ids=st.sampled_from(sorted(AS_IDS)),
    times=st.sampled_from(sorted(AS_TIMES)),
    gaps=st.lists(st.integers(0, 39), max_size=3),
    moment=st.sampled_from(sorted(AS_OF)),
    in_order=st.booleans(),
    order=st.sampled_from(["day", "row", "id"]),
    returns=st.sampled_from(["net", "exclude"]),
    decimals=st.sampled_from([2, 6]),
)
def test_kernel_and_expressions_give_the_same_table(
    log, ids, times, gaps, moment, in_order, order, returns, decimals
):
    assume(with_an_order(log))
    if in_order:
        log = log.sort_values("timestamp", ignore_index=True)
    log["customer_id"] = AS_IDS[ids](log["customer_id"] - 10**12)
    log["timestamp"] = AS_TIMES[times](log["timestamp"])
    missing = "raise"
    if gaps:
        missing = "drop"
        for gap, column in zip(gaps, ("amount", "timestamp", "order_id"), strict=False):
            log[column] = log[column].where(log.index != gap)
    as_of = AS_OF[moment]
    if isinstance(as_of, dt.datetime) and times in ("Berlin", "Arrow in Chicago"):
        as_of = pd.Timestamp(as_of, tz="America/New_York")
    options = {
        "order_id": "order_id" if order == "id" else None,
        "as_of": as_of,
        "returns": returns,
        "missing": missing,
        "extras": ("returns", "clv", "last_gap"),
        "decimals": decimals,
    }
    order_per = "row" if order == "row" else "day"
    outcomes = []
    for summarize in (
        lambda: summarize_transactions(log, order_per=order_per, **options),
        lambda: by_expressions(log, order=order, **options),
    ):
        try:
            outcomes.append(rows_of(summarize(), "customer_id"))
        except ValueError as error:
            outcomes.append((type(error), str(error)))
    assert outcomes[0] == outcomes[1]


def test_timestamps_and_ids_keep_their_types():
    log = pd.DataFrame(
        {
            "customer_id": pd.array([3, 3, 5], dtype="Int32"),
            "timestamp": pd.to_datetime(
                ["2024-01-01T23:30Z", "2024-01-02", "2024-01-03"], format="ISO8601", utc=True
            ),
            "amount": [1.0, 2.0, 3.0],
        }
    )
    log["timestamp"] = log["timestamp"].dt.tz_convert("Asia/Tokyo")
    table = summarize_transactions(log)
    kept = table.dtypes
    assert kept["customer_id"] == "Int32"
    assert kept["first_order"] == kept["last_order"] == log["timestamp"].dtype
    assert set(kept[["recency_days", "frequency", "order_days", "tenure_days"]]) == {
        np.dtype("int64")
    }
    assert table["first_order"].tolist() == [log["timestamp"][0], log["timestamp"][2]]


@st.composite
def rows_by_customer(draw):
    n_rows = draw(st.integers(1, 200))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    codes = rng.integers(0, draw(st.integers(1, 30)), n_rows)
    return RowsByCustomer(codes, 30), rng.integers(0, draw(st.integers(1, 400)), n_rows)


def values_by_code(rows, values):
    return [values[rows.codes == code].tolist() for code in range(rows.n_codes)]


@given(drawn=rows_by_customer())
def test_distinct_values_are_counted_as_a_set_counts(drawn):
    rows, values = drawn
    expected = [len(set(own)) for own in values_by_code(rows, values)]
    assert rows.distinct(values).tolist() == expected


@given(drawn=rows_by_customer())
def test_extremes_are_those_of_a_loop(drawn):
    rows, values = drawn
    smallest, largest = rows.extremes(values)
    for code, own in enumerate(values_by_code(rows, values)):
        if own:
            assert (smallest[code], largest[code]) == (min(own), max(own))


@given(drawn=rows_by_customer())
def test_slices_are_counted_as_a_set_counts(drawn):
    rows, values = drawn
    slices = np.sort(values)
    bounds = np.flatnonzero(np.diff(slices)) + 1
    expected = [len(set(own)) for own in values_by_code(rows, slices)]
    assert rows.n_slices(bounds).tolist() == expected


@pytest.mark.parametrize("start", ["1969-12-30", "2024-02-27"])
@pytest.mark.parametrize("zone", [None, "America/New_York"])
def test_days_with_many_rows_are_counted_alike_in_order_and_shuffled(start, zone):
    rng = np.random.default_rng(0)
    minutes = np.sort(rng.integers(0, 4 * 24 * 60, 4_000))
    log = pd.DataFrame(
        {
            "customer_id": rng.integers(0, 400, 4_000),
            "timestamp": pd.Timestamp(start, tz=zone) + pd.to_timedelta(minutes, unit="min"),
            "amount": 1.0,
        }
    )
    found = summarize_transactions(log, as_of="2024-04-01")
    expected = log.groupby("customer_id")["timestamp"].apply(lambda own: len(set(own.dt.date)))
    assert found["order_days"].tolist() == expected.tolist()
    shuffled = log.sample(frac=1, random_state=0)
    pd.testing.assert_frame_equal(summarize_transactions(shuffled, as_of="2024-04-01"), found)


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("kind", ["pandas", "polars", "polars lazy", "pyarrow", "duckdb"])
def test_an_instant_in_nanoseconds_is_read_to_the_microsecond(kind, unit):
    log = pd.DataFrame(
        {
            "customer_id": [1, 2, 3],
            "timestamp": pd.to_datetime(
                ["2024-06-30 23:59:58", "2024-06-30 23:59:59", "2024-07-01 00:00:00"]
            ).astype(f"datetime64[{unit}]"),
            "amount": 1.0,
        }
    )
    as_of = pd.Timestamp("2024-06-30 23:59:59.999999999")
    found = rows_of(summarize_transactions(as_kind(log, kind), as_of=as_of), "customer_id")
    assert [(row["customer_id"], row["recency_days"]) for row in found] == [(1, 0), (2, 0)]
    as_of = pd.Timestamp("2024-06-30 23:59:59.000000001")
    found = rows_of(summarize_transactions(as_kind(log, kind), as_of=as_of), "customer_id")
    assert [row["customer_id"] for row in found] == [1, 2]


@pytest.mark.parametrize("kind", ["pandas", "polars", "polars lazy", "pyarrow", "duckdb"])
def test_an_instant_in_nanoseconds_stands_for_its_microsecond(kind):
    second = pd.Timestamp("2024-06-30 12:00:00").as_unit("ns")
    times = [second + pd.Timedelta(after, "ns") for after in (0, 999, 1_000)]
    log = pd.DataFrame({"customer_id": [1, 2, 3], "timestamp": times, "amount": 1.0})
    as_of = second + pd.Timedelta(1, "ns")
    found = rows_of(summarize_transactions(as_kind(log, kind), as_of=as_of), "customer_id")
    assert [row["customer_id"] for row in found] == [1, 2]


def test_a_missing_timestamp_is_seen_whatever_as_of_leaves_out():
    times = pd.to_datetime(["2024-01-01", None, "2024-03-01"])
    log = pd.DataFrame({"customer_id": [1, 1, 2], "timestamp": times, "amount": 1.0})
    with pytest.raises(MissingValuesError, match="'timestamp' in 1 of 2 rows"):
        summarize_transactions(log, as_of="2024-02-01")


@pytest.mark.parametrize("ids", [["b", "a", "b"], [3, 1, 3]], ids=["text", "numbers"])
def test_ids_in_arrow_dictionaries_keep_their_type(ids):
    table = pa.table(
        {
            "customer_id": pa.array(ids).dictionary_encode(),
            "receipt": pa.array(ids).dictionary_encode(),
            "timestamp": pa.array(pd.to_datetime(["2024-01-01", "2024-01-02", "2024-01-03"])),
            "amount": [1.0, 2.0, 3.0],
        }
    )
    for log in (table, table.to_pandas(types_mapper=pd.ArrowDtype)):
        found = summarize_transactions(log, order_id="receipt")
        assert list(map(int, found["frequency"])) == [1, 1]
        ids_found = found["customer_id"]
        assert list(map(str, ids_found.to_pylist() if log is table else ids_found)) == sorted(
            map(str, set(ids))
        )
        assert getattr(ids_found, "type", None) in (None, table["customer_id"].type)


def test_views_of_text_are_read():
    table = pa.table(
        {
            "customer_id": pa.array(["b", "a", "b"]).cast(pa.string_view()),
            "timestamp": pa.array(pd.to_datetime(["2024-01-01", "2024-01-02", "2024-01-03"])),
            "amount": [1.0, 2.0, 3.0],
        }
    )
    assert summarize_transactions(table)["customer_id"].to_pylist() == ["a", "b"]


def test_ids_without_an_order_are_refused():
    log = pd.DataFrame(
        {"customer_id": [[1], [2]], "timestamp": pd.to_datetime(["2024-01-01"] * 2), "amount": 1.0}
    )
    with pytest.raises(SegkitTypeError, match="column 'customer_id' must hold ids"):
        summarize_transactions(log)


@pytest.mark.parametrize("kind", ["pandas", "polars", "polars lazy", "pyarrow"])
def test_a_clock_set_back_over_midnight_does_not_lose_a_day(kind):
    """St John's, 29 October 2006: at 00:01 the clock went back to 23:01 of the day before."""
    instants = pd.to_datetime(["2006-10-29 02:30:30", "2006-10-29 02:31:30"]).tz_localize("UTC")
    local = instants.tz_convert("America/St_Johns")
    assert [stamp.day for stamp in local] == [29, 28]
    log = pd.DataFrame({"customer_id": [1, 1], "timestamp": local, "amount": [1.0, 1.0]})
    (row,) = rows_of(summarize_transactions(as_kind(log, kind), as_of="2006-10-31"), "customer_id")
    assert (row["recency_days"], row["tenure_days"], row["order_days"]) == (2, 3, 2)


def test_the_log_is_not_changed():
    log = pd.DataFrame(
        {
            "customer_id": [2, 1, 2],
            "timestamp": pd.to_datetime(["2024-01-03", "2024-01-01", "2024-01-02"]),
            "amount": [1.0, -2.0, 3.0],
        },
        index=[7, 7, 9],
    )
    before = log.copy(deep=True)
    summarize_transactions(log, extras=("returns", "clv", "last_gap"))
    pd.testing.assert_frame_equal(log, before)


def test_the_kernel_serves_pandas_and_no_other_kind(kind, monkeypatch):
    log = pd.DataFrame(
        {"customer_id": [1], "timestamp": pd.to_datetime(["2024-01-01"]), "amount": [1.0]}
    )
    served = []
    monkeypatch.setattr(
        "segkit.features._summarize.summarize_in_pandas",
        lambda log, options: served.append(kind) or log,
    )
    frame = as_kind(log, kind)
    summarize_transactions(frame, as_of="2024-02-01")
    assert bool(served) == nw.from_native(frame).implementation.is_pandas()
