"""Readers of two public transaction logs, CDNOW (Fader & Hardie, 2001) and Online Retail
(Chen, Sain & Guo, 2012), from files that the user has downloaded.
"""

import os
import zlib
from lzma import LZMAError
from pathlib import Path
from zipfile import BadZipFile

import pandas as pd

from segkit.exceptions import SegkitTypeError, SegkitValueError

# What pandas raises for a file of another kind or a damaged one. Its text may quote the file, and
# so is not shown.
_UNREADABLE = (ValueError, KeyError, OSError, EOFError, BadZipFile, LZMAError, zlib.error)

_CDNOW_COLUMNS = {
    4: ["customer_id", "date", "number_of_cds", "dollar_value"],
    5: ["customer_id", "sample_id", "date", "number_of_cds", "dollar_value"],
}
_CDNOW_SOURCE = (
    "Pass CDNOW_master.txt or CDNOW_sample.txt as published at "
    "https://www.brucehardie.com/datasets/."
)

# Ids are read as text and nullable integers: a float would turn invoice and customer numbers
# with missing values among them into 17850.0.
_RETAIL_DTYPES = {
    "InvoiceNo": "str",
    "Quantity": "int64",
    "UnitPrice": "float64",
    "CustomerID": "Int64",
}
_RETAIL_COLUMNS = ["InvoiceNo", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID"]
_RETAIL_HEADER = [*_RETAIL_COLUMNS, "StockCode", "Description", "Country"]
_RETAIL_SOURCE = (
    "Pass Online Retail.xlsx as published at https://doi.org/10.24432/C5BW33 (UCI dataset 352), "
    "or that table saved as CSV. Online Retail II is another dataset."
)
# The workbook saved as CSV carries either ISO dates or those of an American Excel.
_RETAIL_DATE_FORMATS = ("ISO8601", "%m/%d/%Y %H:%M")


def load_cdnow(path: str | os.PathLike[str]) -> pd.DataFrame:
    r"""Read the CDNOW transactions from ``CDNOW_master.txt`` or ``CDNOW_sample.txt``.

    The purchases until June 1998 of the 23,570 customers who first bought at the online music
    shop CDNOW in the first quarter of 1997: the log on which most models of repeat buying were
    published. The sample holds one customer in ten. Download the files from
    https://www.brucehardie.com/datasets/; nothing is downloaded here.

    Parameters
    ----------
    path : str or path-like
        Where the file lies, as text or compressed (zip, gz). Which of the two files it is shows
        in its columns.

    Returns
    -------
    pandas.DataFrame of shape (n_transactions, 4)
        One row per row of the file, in its order (69,659 in the master file, 6,919 in the
        sample):

        - `customer_id` (int64): id in the master file, for the sample too.
        - `timestamp` (datetime64): the day, at midnight; the file has no time of day.
        - `amount` (float64): US dollars. 80 rows of the master file are 0.
        - `order_id` (int64): 1 to `n_transactions`, as the file does not number orders. A
          customer may have several on one day.

    Raises
    ------
    FileNotFoundError
        If there is no file at `path`.
    SegkitValueError
        If the file is not one of the two.

    See Also
    --------
    load_online_retail : Line items with returns and missing customer ids.
    make_transactions : Logs drawn from a model, with the true parameters.

    References
    ----------
    .. [1] P. S. Fader & B. G. S. Hardie (2001). Forecasting Repeat Sales at CDNOW: A Case Study.
       Interfaces 31(3), S94-S107.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from segkit.datasets import load_cdnow
    >>> lines = [
    ...     " customer_id  date number_of_cds  dollar_value",
    ...     " 00001 19970105  1   12.50",
    ...     " 00002 19970214  3   40.25",
    ... ]
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "CDNOW_master.txt")
    ...     _ = path.write_text("\n".join(lines))
    ...     load_cdnow(path)
       customer_id  timestamp  amount  order_id
    0            1 1997-01-05   12.50         1
    1            2 1997-02-14   40.25         2
    """
    file = _existing_file("load_cdnow", path, _CDNOW_SOURCE)
    try:
        table = pd.read_csv(file, sep=r"\s+", header=None, dtype="str")
    except _UNREADABLE:
        raise _not_cdnow("no table separated by blanks") from None
    if table.shape[1] not in _CDNOW_COLUMNS:
        raise _not_cdnow(f"{table.shape[1]} column(s)")
    columns = _CDNOW_COLUMNS[table.shape[1]]
    table.columns = pd.Index(columns)
    if table.iloc[0].tolist() == columns:
        table = table.iloc[1:].reset_index(drop=True)
    if table.isna().any(axis=None):
        raise _not_cdnow(f"{len(columns)} columns with missing values")
    try:
        return pd.DataFrame(
            {
                "customer_id": table["customer_id"].astype("int64"),
                "timestamp": _parse_dates(table["date"], "%Y%m%d"),
                "amount": table["dollar_value"].astype("float64"),
                "order_id": pd.RangeIndex(1, len(table) + 1),
            }
        )
    except (TypeError, ValueError):
        raise _not_cdnow(
            f"{len(columns)} columns with values that are no whole customer ids, dates such as "
            "19970131, or dollars"
        ) from None


def load_online_retail(path: str | os.PathLike[str]) -> pd.DataFrame:
    r"""Read the UCI "Online Retail" line items from the published workbook or a CSV of it.

    The sales of a British online shop for gifts, many of whose customers are wholesalers, from
    2010-12-01 to 2011-12-09, with cancellations and with rows that name no customer. Download
    the workbook from https://doi.org/10.24432/C5BW33 (licence CC BY 4.0); nothing is
    downloaded here.

    Parameters
    ----------
    path : str or path-like
        Where the file lies: ``.xlsx``, read through :func:`pandas.read_excel`, which needs
        openpyxl, or CSV, plain or compressed (gz, zip).

    Returns
    -------
    pandas.DataFrame of shape (n_line_items, 4)
        One row per line item, in the file's order (541,909 in the published file):

        - `customer_id` (Int64, nullable): missing in 135,080 rows. They are kept, so that
          leaving them out is a decision: pass ``missing="drop"`` where the log is summarised.
        - `timestamp` (datetime64): minute of the invoice, British time without a time zone.
        - `amount` (float64): pounds sterling, quantity times unit price, not rounded; negative
          for a cancellation.
        - `order_id` (str): the invoice number, which the line items of an order share.
          Cancellations have their own, beginning with ``C``.

    Raises
    ------
    FileNotFoundError
        If there is no file at `path`.
    ImportError
        If a workbook is to be read and openpyxl is not installed.
    SegkitValueError
        If the file is not the Online Retail table.

    See Also
    --------
    load_cdnow : Purchases without returns, over 18 months.
    make_transactions : Logs drawn from a model, with the true parameters.

    References
    ----------
    .. [1] D. Chen (2015). Online Retail [Dataset]. UCI Machine Learning Repository, 352.
       https://doi.org/10.24432/C5BW33
    .. [2] D. Chen, S. L. Sain & K. Guo (2012). Data mining for the online retail industry: A case
       study of RFM model-based customer segmentation using data mining. Journal of Database
       Marketing & Customer Strategy Management 19(3), 197-208.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from segkit.datasets import load_online_retail
    >>> lines = [
    ...     "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country",
    ...     "500001,10A,PAPER STAR,4,2011-01-03 09:30:00,1.25,10001,France",
    ...     "C500002,10A,PAPER STAR,-1,2011-01-05 14:10:00,1.25,10001,France",
    ...     "500003,11B,TIN BOX,2,2011-01-06 11:00:00,3.5,,France",
    ... ]
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "online_retail.csv")
    ...     _ = path.write_text("\n".join(lines))
    ...     load_online_retail(path)
       customer_id           timestamp  amount order_id
    0        10001 2011-01-03 09:30:00    5.00   500001
    1        10001 2011-01-05 14:10:00   -1.25  C500002
    2         <NA> 2011-01-06 11:00:00    7.00   500003
    """
    file = _existing_file("load_online_retail", path, _RETAIL_SOURCE)
    try:
        found = _read_retail_table(file, header_only=True).columns.tolist()
    except _UNREADABLE:
        raise _not_online_retail("no such table") from None
    if not set(_RETAIL_COLUMNS) <= set(found):
        # The first line of a file without a header is a customer's data and not to be shown.
        has_header = not set(_RETAIL_HEADER).isdisjoint(found)
        raise _not_online_retail(f"{len(found)} column(s)" + (f" {found}" if has_header else ""))
    try:
        table = _read_retail_table(file)
        log = pd.DataFrame(
            {
                "customer_id": table["CustomerID"],
                "timestamp": _parse_dates(table["InvoiceDate"], *_RETAIL_DATE_FORMATS),
                "amount": table["Quantity"] * table["UnitPrice"],
                "order_id": table["InvoiceNo"],
            }
        )
    except (TypeError, ValueError):
        raise _not_online_retail(
            "these columns with values that are no whole quantities, unit prices, whole customer "
            "ids, or dates such as 2011-01-31 09:30:00 or 1/31/2011 9:30"
        ) from None
    if log.drop(columns="customer_id").isna().any(axis=None):
        raise _not_online_retail("these columns with missing values besides customer ids")
    return log


def _read_retail_table(file: Path, *, header_only: bool = False) -> pd.DataFrame:
    """Read the needed columns of a workbook or a CSV file, or the names of all columns."""
    n_rows = 0 if header_only else None
    columns = None if header_only else _RETAIL_COLUMNS
    if file.suffix.lower() != ".xlsx":
        # Some copies are in latin-1; the descriptions, where that shows, are not read.
        return pd.read_csv(
            file,
            nrows=n_rows,
            usecols=columns,
            dtype=_RETAIL_DTYPES,
            encoding_errors="replace",
        )
    try:
        return pd.read_excel(file, nrows=n_rows, usecols=columns, dtype=_RETAIL_DTYPES)
    except ImportError as error:
        raise ImportError(
            "load_online_retail: reading an .xlsx file needs openpyxl. Install it with "
            "`pip install openpyxl`, or save the workbook as CSV."
        ) from error


def _parse_dates(dates: "pd.Series[str]", *formats: str) -> "pd.Series[pd.Timestamp]":
    """Parse dates in the first of the formats that fits them all; a workbook's are parsed."""
    *others, last = formats
    for date_format in others:
        try:
            return pd.to_datetime(dates, format=date_format).astype("datetime64[us]")
        except ValueError:
            continue
    return pd.to_datetime(dates, format=last).astype("datetime64[us]")


def _existing_file(function: str, path: str | os.PathLike[str], source: str) -> Path:
    if not isinstance(path, str | os.PathLike):
        raise SegkitTypeError(
            f"{function}: parameter 'path' must be text or a path, got {type(path).__name__}."
        )
    file = Path(path)
    if "\0" in str(path) or not file.is_file():
        raise FileNotFoundError(
            f"{function}: parameter 'path' must name a file; there is none at {str(path)!r}. "
            f"{source} Nothing is downloaded."
        )
    return file


def _not_cdnow(found: str) -> SegkitValueError:
    return SegkitValueError(
        "load_cdnow: parameter 'path' must name a CDNOW file, a table separated by blanks with the "
        f"4 columns {_CDNOW_COLUMNS[4]} or, for the sample, the 5 columns {_CDNOW_COLUMNS[5]}; "
        f"found {found}. {_CDNOW_SOURCE}"
    )


def _not_online_retail(found: str) -> SegkitValueError:
    return SegkitValueError(
        "load_online_retail: parameter 'path' must name an Online Retail file with the columns "
        f"{_RETAIL_COLUMNS}; found {found}. {_RETAIL_SOURCE}"
    )
