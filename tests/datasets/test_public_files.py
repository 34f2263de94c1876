"""Claims about reading CDNOW and Online Retail.

The small files are made up in the published layout; the counts of the real ones were
taken from the files with awk.
"""

import gzip
import os
import sys
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from segkit.datasets import load_cdnow, load_online_retail
from segkit.exceptions import SegkitTypeError, SegkitValueError

COLUMNS = ["customer_id", "timestamp", "amount", "order_id"]
CDNOW_MASTER = """\
 customer_id  date number_of_cds  dollar_value\r
 00007 19970105  1   12.50\r
 00007 19970105  2   25.00\r
 00019 19970214  3   40.25\r
"""
CDNOW_SAMPLE = """\
 00007 0001 19970105  1   12.50\r
 00019 0002 19970214  3   40.25\r
"""
RETAIL = """\
InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country
500001,10A,PAPER STAR,4,2011-01-03 09:30:00,1.25,10001,France
500001,11B,"TIN BOX, RED",2,2011-01-03 09:30:00,3.5,10001,France
C500002,10A,PAPER STAR,-1,2011-01-15 14:10:00,1.25,10001,France
500003,11B,,2,2011-01-16 11:00:00,3.5,,France
"""


def write(folder, name, text, encoding="utf-8"):
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def real_file(name):
    folder = os.environ.get("SEGKIT_DATA")
    if not folder:
        pytest.skip("SEGKIT_DATA does not name the folder of the public files")
    path = Path(folder, name)
    if not path.is_file():
        pytest.skip(f"{name} is not in the folder that SEGKIT_DATA names")
    return path


def dtypes(frame):
    return frame.dtypes.astype("str").tolist()


# --- CDNOW


def test_cdnow_master_rows_are_kept_with_integer_ids(tmp_path):
    log = load_cdnow(write(tmp_path, "CDNOW_master.txt", CDNOW_MASTER))
    assert log.columns.tolist() == COLUMNS
    assert dtypes(log) == ["int64", "datetime64[us]", "float64", "int64"]
    assert log["customer_id"].tolist() == [7, 7, 19]
    assert log["timestamp"].tolist() == [
        pd.Timestamp("1997-01-05"),
        pd.Timestamp("1997-01-05"),
        pd.Timestamp("1997-02-14"),
    ]
    assert log["amount"].tolist() == [12.5, 25.0, 40.25]
    assert log["order_id"].tolist() == [1, 2, 3]


def test_cdnow_sample_has_the_ids_of_the_master_file(tmp_path):
    log = load_cdnow(write(tmp_path, "CDNOW_sample.txt", CDNOW_SAMPLE))
    assert log.columns.tolist() == COLUMNS
    assert dtypes(log) == ["int64", "datetime64[us]", "float64", "int64"]
    assert log["customer_id"].tolist() == [7, 19]
    assert log["amount"].tolist() == [12.5, 40.25]


def test_cdnow_path_may_be_text_and_compressed(tmp_path):
    path = tmp_path / "CDNOW_master.txt.gz"
    path.write_bytes(gzip.compress(CDNOW_MASTER.encode()))
    assert len(load_cdnow(str(path))) == 3


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "no table"),
        ("7 19970105 12.50\n", r"3 column\(s\)"),
        ("7,19970105,1,12.50\n", r"1 column\(s\)"),
        ("7 1 2\n7 1 2 3 4 5\n", "no table"),
        ("7 1997-01-05 1 12.50\n", "4 columns with values"),
        ("seven 19970105 1 12.50\n", "4 columns with values"),
        ("7 19970105 1\n7 19970105 1 12.50\n", "no table"),
        ("7 19970105 1 12.50\n7 19970105\n", "4 columns with missing values"),
        ("id date cds dollars\n7 19970105 1 12.50\n", "4 columns with values"),
        (RETAIL, "no table"),
    ],
)
def test_another_file_is_an_error_that_names_the_columns_of_cdnow(tmp_path, text, found):
    path = write(tmp_path, "other.txt", text)
    claim = rf"load_cdnow: .* a CDNOW file.*'number_of_cds'.*; found {found}.*brucehardie\.com"
    with pytest.raises(SegkitValueError, match=claim):
        load_cdnow(path)


@pytest.mark.realdata
def test_cdnow_master_file_has_its_published_totals():
    log = load_cdnow(real_file("CDNOW_master.txt"))
    assert len(log) == 69_659
    assert log["customer_id"].nunique() == 23_570
    assert log["amount"].sum() == pytest.approx(2_500_315.63, abs=0.005)
    assert log["timestamp"].min() == pd.Timestamp("1997-01-01")
    assert log["timestamp"].max() == pd.Timestamp("1998-06-30")
    assert not log.isna().any(axis=None)


@pytest.mark.realdata
def test_cdnow_sample_holds_all_rows_that_the_master_file_has_of_its_customers():
    sample = load_cdnow(real_file("CDNOW_sample.txt"))
    master = load_cdnow(real_file("CDNOW_master.txt"))
    assert len(sample) == 6_919
    assert sample["customer_id"].nunique() == 2_357
    expected = master[master["customer_id"].isin(sample["customer_id"])]
    columns = ["customer_id", "timestamp", "amount"]
    pd.testing.assert_frame_equal(
        sample[columns].sort_values(columns, ignore_index=True),
        expected[columns].sort_values(columns, ignore_index=True),
    )


# --- Online Retail


def test_online_retail_keeps_each_line_item_and_missing_ids(tmp_path):
    log = load_online_retail(write(tmp_path, "retail.csv", RETAIL))
    assert log.columns.tolist() == COLUMNS
    assert log["customer_id"].dtype == pd.Int64Dtype()
    assert log["customer_id"].tolist()[:3] == [10001, 10001, 10001]
    assert log["customer_id"].isna().tolist() == [False, False, False, True]
    assert log["timestamp"].dtype == "datetime64[us]"
    assert log["timestamp"][2] == pd.Timestamp("2011-01-15 14:10")
    assert log["amount"].tolist() == [5.0, 7.0, -1.25, 7.0]
    assert log["order_id"].tolist() == ["500001", "500001", "C500002", "500003"]


def test_online_retail_ids_saved_as_floats_are_read_as_integers(tmp_path):
    text = RETAIL.replace(",10001,", ",10001.0,")
    log = load_online_retail(write(tmp_path, "retail.csv", text))
    assert log["customer_id"].dtype == pd.Int64Dtype()
    assert log["customer_id"].dropna().unique().tolist() == [10001]


def test_online_retail_invoices_without_a_cancellation_are_text_too(tmp_path):
    text = "".join(line for line in RETAIL.splitlines(keepends=True) if line[0] != "C")
    log = load_online_retail(write(tmp_path, "retail.csv", text))
    assert log["order_id"].tolist() == ["500001", "500001", "500003"]


def test_online_retail_dates_of_an_american_excel_are_month_first(tmp_path):
    text = RETAIL.replace("2011-01-03 09:30:00", "1/3/2011 9:30")
    text = text.replace("2011-01-15 14:10:00", "1/15/2011 14:10")
    text = text.replace("2011-01-16 11:00:00", "1/16/2011 11:00")
    log = load_online_retail(write(tmp_path, "retail.csv", text))
    assert log["timestamp"][0] == pd.Timestamp("2011-01-03 09:30")
    assert log["timestamp"][2] == pd.Timestamp("2011-01-15 14:10")


def test_online_retail_reads_copies_in_another_encoding(tmp_path):
    text = RETAIL.replace("TIN BOX, RED", "TIN BOX £2")
    log = load_online_retail(write(tmp_path, "retail.csv", text, encoding="latin-1"))
    assert log["amount"].tolist() == [5.0, 7.0, -1.25, 7.0]


def test_online_retail_columns_may_stand_in_any_order(tmp_path):
    table = pd.read_csv(write(tmp_path, "retail.csv", RETAIL), dtype="str")
    shuffled = tmp_path / "shuffled.csv"
    table[table.columns[::-1]].to_csv(shuffled, index=False)
    pd.testing.assert_frame_equal(
        load_online_retail(shuffled), load_online_retail(tmp_path / "retail.csv")
    )


def test_online_retail_workbook_gives_the_log_of_its_csv(tmp_path):
    pytest.importorskip("openpyxl", reason="needs openpyxl to write and read a workbook")
    csv = write(tmp_path, "retail.csv", RETAIL)
    table = pd.read_csv(csv, parse_dates=["InvoiceDate"])
    # The published workbook holds numbers where an invoice is no cancellation.
    table["InvoiceNo"] = [500001, 500001, "C500002", 500003]
    workbook = tmp_path / "retail.xlsx"
    table.to_excel(workbook, index=False)
    pd.testing.assert_frame_equal(load_online_retail(workbook), load_online_retail(csv))


def test_workbook_without_openpyxl_is_an_import_error_that_says_what_to_install(
    tmp_path, monkeypatch
):
    workbook = tmp_path / "retail.xlsx"
    with zipfile.ZipFile(workbook, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(ImportError, match="pip install openpyxl"):
        load_online_retail(workbook)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "no such table"),
        (RETAIL.replace("InvoiceNo", "Invoice"), r"8 column\(s\) \['Invoice', 'StockCode'"),
        (RETAIL.replace(",4,", ",four,"), "these columns with values"),
        (RETAIL.replace(",4,", ",,"), "these columns with values"),
        (RETAIL.replace(",1.25,", ",,"), "these columns with missing values"),
        (RETAIL.replace("2011-01-16 11:00:00", ""), "these columns with missing values"),
        (RETAIL.replace(",10001,", ",10001.5,"), "these columns with values"),
        (RETAIL.replace("2011-01-16", "16th January"), "these columns with values"),
    ],
)
def test_another_file_is_an_error_that_names_the_columns_of_online_retail(tmp_path, text, found):
    path = write(tmp_path, "other.csv", text)
    claim = rf"load_online_retail: .* an Online Retail file.*'InvoiceNo'.*; found {found}.*C5BW33"
    with pytest.raises(SegkitValueError, match=claim):
        load_online_retail(path)


def test_first_line_of_a_file_without_header_is_not_shown(tmp_path):
    path = write(tmp_path, "other.csv", "ann@example.com,12.50\nbob@example.com,3.00\n")
    for load in (load_cdnow, load_online_retail):
        with pytest.raises(SegkitValueError, match=r"column\(s\)") as error:
            load(path)
        assert "ann" not in str(error.value)


@pytest.mark.parametrize("name", ["broken.xlsx", "broken.csv.gz", "broken.zip"])
def test_a_broken_archive_is_not_the_file(tmp_path, name):
    path = write(tmp_path, name, "no archive")
    with pytest.raises(SegkitValueError, match="an Online Retail file"):
        load_online_retail(path)
    if not name.endswith("xlsx"):
        with pytest.raises(SegkitValueError, match="a CDNOW file"):
            load_cdnow(path)


@pytest.mark.realdata
def test_online_retail_file_has_its_published_counts():
    log = load_online_retail(real_file("online_retail.csv.gz"))
    assert log.columns.tolist() == COLUMNS
    assert len(log) == 541_909
    assert log["customer_id"].isna().sum() == 135_080
    assert log["customer_id"].nunique() == 4_372
    assert log["order_id"].nunique() == 25_900
    assert log["timestamp"].min() == pd.Timestamp("2010-12-01 08:26")
    assert log["timestamp"].max() == pd.Timestamp("2011-12-09 12:50")


@pytest.mark.realdata
def test_online_retail_customer_who_cancels_a_huge_order_nets_little():
    # Customer 16446 buys for 168,472.50 and keeps 2.90 of it.
    log = load_online_retail(real_file("online_retail.csv.gz"))
    amount = log.loc[log["customer_id"].eq(16446).fillna(False), "amount"]
    assert amount[amount > 0].sum() == pytest.approx(168_472.50)
    assert amount.sum() == pytest.approx(2.90)


# --- both


@pytest.mark.parametrize(
    ("load", "source"),
    [(load_cdnow, "brucehardie.com/datasets"), (load_online_retail, "10.24432/C5BW33")],
)
@pytest.mark.parametrize("place", ["absent.csv", "", "https://example.com/file.csv"])
def test_absent_file_is_an_error_that_says_where_to_get_it(tmp_path, load, source, place):
    path = place if place.startswith("https") else tmp_path / place
    with pytest.raises(FileNotFoundError, match=f"{source}.*Nothing is downloaded"):
        load(path)


@pytest.mark.parametrize("load", [load_cdnow, load_online_retail])
@pytest.mark.parametrize("path", [None, 5, b"x", ["x"]], ids=repr)
def test_what_is_no_path_is_told(load, path):
    with pytest.raises(SegkitTypeError, match="parameter 'path' must be text or a path"):
        load(path)


@pytest.mark.parametrize("load", [load_cdnow, load_online_retail])
def test_a_path_that_no_file_can_have_is_not_there(load):
    with pytest.raises(FileNotFoundError, match="parameter 'path' must name a file"):
        load("a\0b")
