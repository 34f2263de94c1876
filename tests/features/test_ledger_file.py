"""Ledgers as Parquet files: what comes back, and what is refused."""

import hashlib
import json
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segkit import summarize_transactions
from segkit.exceptions import SegkitError, SegkitTypeError, SegkitValueError
from segkit.features import CustomerLedger
from strategies import logs, with_an_order

ALL_EXTRAS = ("returns", "clv", "last_gap")
GOLDEN = Path(__file__).with_name("ledger_format_1.parquet")


def log_of(*rows):
    """A log of rows of customer, timestamp, amount and order."""
    log = pd.DataFrame(rows, columns=["customer_id", "timestamp", "amount", "order_id"])
    return log.assign(timestamp=pd.to_datetime(log["timestamp"]))


LOG = log_of(
    ("ann", "2024-03-01 10:00", 20.1, "r1"),
    ("ann", "2024-03-01 10:00", 15.0, "r1"),
    ("bob", "2024-03-10 09:15", 60.0, "r2"),
    ("bob", "2024-03-12 09:15", -60.0, None),
    ("cem", "2024-03-20 12:00", 1e12, "r3"),
)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "customers.parquet"


@pytest.fixture
def saved(path):
    CustomerLedger(order_id="order_id").update(LOG, batch="march").to_parquet(path)
    return path


def assert_same_table(table, expected):
    pd.testing.assert_frame_equal(table, expected, check_exact=True)


# -- what comes back ---------------------------------------------------------------------------


@given(log=logs(ids=("int", "str")).filter(with_an_order), cut=st.integers(0, 40))
def test_a_ledger_goes_on_from_its_file(log, cut, tmp_path_factory):
    path = tmp_path_factory.mktemp("ledger") / "file"
    CustomerLedger(order_id="order_id").update(log[:cut]).to_parquet(path)
    ledger = CustomerLedger.from_parquet(path).update(log[cut:])
    expected = summarize_transactions(log, order_id="order_id", extras=ALL_EXTRAS)
    assert_same_table(ledger.table(extras=ALL_EXTRAS), expected)


def test_parameters_batches_and_counts_come_back(path):
    given = {
        "customer_id": "member",
        "timestamp": "at",
        "amount": "euros",
        "order_id": "receipt",
        "missing": "drop",
    }
    log = LOG.rename(
        columns=dict(zip(LOG.columns, ["member", "at", "euros", "receipt"], strict=True))
    )
    CustomerLedger(**given).update(log, batch="1").update(log, batch="2").to_parquet(path)
    ledger = CustomerLedger.from_parquet(path)
    assert {name: getattr(ledger, name) for name in given} == given
    assert (ledger.batches, ledger.n_rows, len(ledger)) == (("1", "2"), 10, 3)
    assert ledger.table().columns[0] == "member"


@pytest.mark.parametrize("zone", ["Europe/London", "UTC", "+05:30"])
@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_time_zones_and_units_come_back(zone, unit, path):
    times = LOG["timestamp"].dt.tz_localize(zone).dt.as_unit(unit)
    log = LOG.assign(timestamp=times)
    CustomerLedger().update(log).to_parquet(path)
    ledger = CustomerLedger.from_parquet(path)
    assert_same_table(ledger.table(), summarize_transactions(log))
    assert ledger.update(log).n_rows == 10


def test_dates_stay_dates(path):
    dates = pa.Table.from_pandas(LOG).set_column(
        1, "timestamp", pa.array(LOG["timestamp"].dt.date, pa.date32())
    )
    CustomerLedger().update(dates).to_parquet(path)
    table = CustomerLedger.from_parquet(path).table("2024-03-10 08:00")
    assert table["recency_days"].tolist() == [9, 0]


def test_an_empty_ledger_comes_back_empty(path):
    CustomerLedger(missing="drop").update(LOG[:0], batch="quiet").to_parquet(path)
    ledger = CustomerLedger.from_parquet(path)
    assert (ledger.missing, ledger.batches, len(ledger)) == ("drop", ("quiet",), 0)
    assert len(ledger.update(LOG)) == 3


def test_the_file_can_be_read_by_others(saved):
    rows = duckdb.sql(
        "SELECT customer_id, len(order_ids), list_sum([day.rows for day in orders]), "
        f"orders[1].day::VARCHAR FROM '{saved}' ORDER BY customer_id"
    ).fetchall()
    assert rows == [
        ("ann", 1, 2, "2024-03-01"),
        ("bob", 1, 1, "2024-03-10"),
        ("cem", 1, 1, "2024-03-20"),
    ]


@pytest.mark.realdata
def test_online_retail_goes_through_a_file_every_month(online_retail, path):
    CustomerLedger(order_id="order_id", missing="drop").to_parquet(path)
    months = online_retail.groupby(online_retail["timestamp"].dt.to_period("M"))
    for month, batch in months:
        CustomerLedger.from_parquet(path).update(batch, batch=str(month)).to_parquet(path)
    table = CustomerLedger.from_parquet(path).table(extras=ALL_EXTRAS)
    expected = summarize_transactions(
        online_retail, order_id="order_id", missing="drop", extras=ALL_EXTRAS
    )
    assert_same_table(table, expected)


def test_the_golden_file_of_format_1_keeps_loading():
    ledger = CustomerLedger.from_parquet(GOLDEN)
    # The receipts of the file are known again by their hashes, which must never change.
    ledger.update(log_of(("ann", "2024-03-02 10:00", 1.0, "r1")))
    table = ledger.table("2024-03-31", extras="returns")
    assert table["customer_id"].tolist() == ["ann", "bob", "cem"]
    assert table["frequency"].tolist() == [1, 1, 1]
    assert table["order_days"].tolist() == [2, 1, 1]
    assert table["monetary"].tolist() == [36.1, 0.0, 1e12]
    assert table["recency_days"].tolist() == [29, 21, 11]
    assert table["return_amount"].tolist() == [0.0, 60.0, 0.0]
    assert ledger.batches == ("march",)


# -- what is refused ---------------------------------------------------------------------------


def described(path):
    return json.loads(pq.read_schema(path).metadata[b"segkit"])


def rewritten(path, table=None, **changes):
    """Write the file anew, with other columns or with other things said of it."""
    said = json.dumps({**described(path), **changes}).encode()
    table = pq.read_table(path) if table is None else table
    metadata = {b"segkit": said, b"segkit_sha256": hashlib.sha256(said).hexdigest()}
    pq.write_table(table.replace_schema_metadata(metadata), path)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_a_truncated_file_is_refused(saved, share):
    content = saved.read_bytes()
    saved.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(SegkitValueError, match=r"'customers.parquet' is no Parquet file, or was"):
        CustomerLedger.from_parquet(saved)


def test_a_changed_byte_is_found_or_changes_nothing(saved):
    content = saved.read_bytes()
    expected = CustomerLedger.from_parquet(saved).table("2024-03-31", extras=ALL_EXTRAS)
    for place in range(0, len(content), 17):
        changed = bytearray(content)
        changed[place] ^= 0x55
        saved.write_bytes(changed)
        try:
            table = CustomerLedger.from_parquet(saved).table("2024-03-31", extras=ALL_EXTRAS)
        except SegkitError:
            continue
        assert_same_table(table, expected)


def test_a_file_from_a_newer_version_is_refused(saved):
    rewritten(saved, format=2)
    with pytest.raises(SegkitValueError, match=r"format 2 of ledgers; .* reads up to 1\. Update"):
        CustomerLedger.from_parquet(saved)


@pytest.mark.parametrize("text", [None, "{}", "[]", "x", '{"class": "RFMScorer", "format": 1}'])
def test_a_parquet_file_that_is_no_ledger_is_refused(path, text):
    table = pa.table({"customer_id": [1]})
    if text is not None:
        table = table.replace_schema_metadata({"segkit": text})
    pq.write_table(table, path)
    with pytest.raises(SegkitValueError, match="is a Parquet file, and no ledger"):
        CustomerLedger.from_parquet(path)


@pytest.mark.parametrize(
    "changes",
    [
        {"batches": None},
        {"parameters": None},
        {"parameters": {"customers": "x"}},
        {"id_dtype": "nonsense"},
        {"lowest": [0]},
        {"n_digits": [9, 9]},
        {"unit": "weeks"},
        {"n_rows": "many"},
    ],
    ids=str,
)
def test_a_ledger_that_lacks_something_is_refused(saved, changes):
    rewritten(saved, **changes)
    with pytest.raises(SegkitValueError, match=r"^CustomerLedger: 'customers.parquet'"):
        CustomerLedger.from_parquet(saved)


@pytest.mark.parametrize("column", ["customer_id", "orders", "returns", "order_ids"])
def test_a_ledger_without_a_column_is_refused(saved, column):
    rewritten(saved, pq.read_table(saved).drop_columns(column))
    with pytest.raises(SegkitValueError, match="lacks something"):
        CustomerLedger.from_parquet(saved)


@pytest.mark.parametrize("content", [b"", b"PAR1", b"customer_id,amount\n1,2.0\n"])
def test_what_is_no_parquet_file_is_refused(path, content):
    path.write_bytes(content)
    with pytest.raises(SegkitValueError, match="is no Parquet file"):
        CustomerLedger.from_parquet(path)


def test_a_file_that_is_not_there_is_no_ledger(path):
    with pytest.raises(FileNotFoundError):
        CustomerLedger.from_parquet(path)


def test_ids_that_parquet_does_not_know_are_refused(path):
    log = LOG.assign(customer_id=[complex(1, 1)] * len(LOG))
    with pytest.raises(SegkitTypeError, match="Make ids text") as refused:
        CustomerLedger().update(log).to_parquet(path)
    assert "1+1j" not in str(refused.value)


def test_a_file_stays_whole_where_writing_fails(saved, monkeypatch):
    before = saved.read_bytes()

    def fails(table, where, **_):
        Path(where).write_bytes(b"half a file")
        raise OSError("no space left on device")

    monkeypatch.setattr(pq, "write_table", fails)
    with pytest.raises(OSError, match="no space"):
        CustomerLedger().update(LOG).to_parquet(saved)
    assert saved.read_bytes() == before
    assert list(saved.parent.iterdir()) == [saved]


def test_the_same_rows_in_one_batch_give_the_same_bytes(path, tmp_path):
    for place in (path, tmp_path / "other"):
        CustomerLedger().update(LOG).to_parquet(place)
    assert path.read_bytes() == (tmp_path / "other").read_bytes()
    assert np.array_equal(pq.read_table(path)["customer_id"], ["ann", "bob", "cem"])
