"""A pandas frame as every kind of frame that segkit reads, and back; a table worked by hand."""

import duckdb
import narwhals.stable.v2 as nw
import pandas as pd
import polars as pl
import pyarrow as pa

KINDS = ("pandas", "pandas arrow", "polars", "polars lazy", "pyarrow", "duckdb")
LAZY_KINDS = ("polars lazy", "duckdb")

# Ten customers without ties: by hand, quintile scores put two customers into each score.
TEN = pd.DataFrame(
    {
        "recency_days": [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
        "frequency": [10, 9, 8, 7, 6, 5, 4, 3, 2, 1],
        "monetary": [50.0, 10, 90, 20, 30, 40, 60, 70, 80, 100],
    }
)

_connection = duckdb.connect()


def as_kind(frame: pd.DataFrame, kind: str):
    """Return a pandas frame as another kind."""
    if kind == "pandas":
        return frame
    if kind == "pandas arrow":
        return frame.convert_dtypes(dtype_backend="pyarrow")
    table = pa.Table.from_pandas(frame, preserve_index=False)
    if kind == "pyarrow":
        return table
    if kind == "duckdb":
        return _connection.from_arrow(table)
    polars = pl.from_arrow(table)
    return polars.lazy() if kind == "polars lazy" else polars


def in_session_zone(zone: str) -> None:
    """Set the time zone in which DuckDB reads zoned timestamps."""
    _connection.execute(f"SET TimeZone = '{zone}'")


def columns_of(frame) -> dict[str, list]:
    """Return a frame's columns as lists, None where a value is missing."""
    view = nw.from_native(frame)
    if isinstance(view, nw.LazyFrame):
        view = view.collect()
    return {
        name: [None if missing else value for value, missing in _with_missing(view[name])]
        for name in view.columns
    }


def rows_of(frame, sort_by: str) -> list[dict]:
    """Return a frame's rows as dicts, sorted, because engines return them in any order."""
    columns = columns_of(frame)
    rows = [
        dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)
    ]
    return sorted(rows, key=lambda row: (row[sort_by] is None, row[sort_by]))


def _with_missing(series):
    missing = series.is_null().to_list()
    return [
        (value, absent or value != value)
        for value, absent in zip(series.to_list(), missing, strict=True)
    ]
