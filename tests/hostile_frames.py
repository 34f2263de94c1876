"""Frames that nobody should pass in, and somebody will: good tables with some things spoiled.

Random frames fail at the first check. So a case is a good table, a few named faults, each done to
one column or to the whole frame, and a container of another kind.
"""

import datetime as dt
import decimal
import fractions
import uuid
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from segkit.datasets import make_transactions
from segkit.features import summarize_transactions

#: Stands in every id and e-mail address, so that a message that quotes one is found out.
SECRET = "SECRET-ID"

COUNTRIES = ("Norway", "Türkiye", "日本", "🇧🇷")


def _good_log(n_customers: int, seed: int) -> pd.DataFrame:
    log = make_transactions(n_customers, random_state=seed).reset_index(drop=True)
    ids = log["customer_id"].astype(str)
    country = log["customer_id"].map(lambda number: COUNTRIES[hash(number) % len(COUNTRIES)])
    return log.assign(
        customer_id=SECRET + "-" + ids,
        email=ids + f"-{SECRET}@example.com",
        country=country,
    )


def _good_customers(log: pd.DataFrame) -> pd.DataFrame:
    customers = summarize_transactions(
        log, as_of="2026-01-01", extras=["returns", "clv", "last_gap"]
    )
    customers["by_mail"] = customers["frequency"] > 1
    return customers.merge(log[["customer_id", "country", "email"]].drop_duplicates("customer_id"))


GOOD_LOGS = tuple(_good_log(n, seed) for seed, n in enumerate([8, 20, 60]))
GOOD_CUSTOMERS = tuple(_good_customers(_good_log(n, seed)) for seed, n in enumerate([15, 60, 150]))


# -- faults of a column ------------------------------------------------------------------------


def _some(rows: int, seed: int) -> np.ndarray:
    """Return the positions of a few rows, or of all."""
    rng = np.random.default_rng(seed)
    count = rows if seed % 5 == 4 else min(rows, 1 + seed % 3)
    return np.sort(rng.choice(rows, size=count, replace=False))


def _put(*values: Any, dtype: Any = None) -> Callable[[pd.Series, int], pd.Series]:
    """Put a value into some rows of a column."""

    def spoil(column: pd.Series, seed: int) -> pd.Series:
        chosen = _some(len(column), seed) if len(column) else []
        kept = column.tolist()
        for row in chosen:
            kept[row] = values[seed % len(values)]
        if dtype is None:
            return pd.Series(kept, index=column.index, dtype=_dtype_for(column, values))
        return pd.Series(kept, index=column.index, dtype=dtype)

    return spoil


def _put_last(*values: Any) -> Callable[[pd.Series, int], pd.Series]:
    """Put a value into the last row: some readers look at the first hundred."""

    def spoil(column: pd.Series, seed: int) -> pd.Series:
        kept = [*column.tolist()[:-1], values[seed % len(values)]] if len(column) else []
        return pd.Series(kept, index=column.index, dtype=object)

    return spoil


def _numbers_after_nulls(column: pd.Series, seed: int) -> pd.Series:
    kept = [None] * min(101, max(len(column) - 1, 0))
    return pd.Series([*kept, *column.tolist()[len(kept) :]], index=column.index, dtype=object)


def _dtype_for(column: pd.Series, values: tuple[Any, ...]) -> Any:
    are_floats = all(isinstance(value, float) for value in values)
    return float if are_floats and column.dtype.kind in "iuf" else object


def _cast(dtype: Any) -> Callable[[pd.Series, int], pd.Series]:
    return lambda column, seed: column.astype(dtype)


def _each(convert: Callable[[Any], Any]) -> Callable[[pd.Series, int], pd.Series]:
    def spoil(column: pd.Series, seed: int) -> pd.Series:
        values = [convert(value) for value in column.tolist()]
        return pd.Series(values, index=column.index, dtype=object)

    return spoil


def _all(values: Any, dtype: Any = None) -> Callable[[pd.Series, int], pd.Series]:
    return lambda column, seed: pd.Series([values] * len(column), index=column.index, dtype=dtype)


def _days_as(unit: str, zone: str | None = None) -> Callable[[pd.Series, int], pd.Series]:
    def spoil(column: pd.Series, seed: int) -> pd.Series:
        moments = pd.date_range("2024-01-01", periods=len(column), freq="h", unit=unit, tz=zone)
        return pd.Series(moments, index=column.index)

    return spoil


def _categories(column: pd.Series, seed: int) -> pd.Series:
    values = column.astype("category")
    more = [10**6] if column.dtype.kind in "iuf" else ["never"]
    return values.cat.add_categories(more)


def _read_only(column: pd.Series, seed: int) -> pd.Series:
    values = column.to_numpy().copy()
    values.flags.writeable = False
    return pd.Series(values, index=column.index, copy=False)


def _nullable(column: pd.Series, seed: int) -> pd.Series:
    nullable = column.convert_dtypes()
    nullable.iloc[_some(len(column), seed)] = pd.NA
    return nullable


def _arrow(type_: Any) -> Callable[[pd.Series, int], pd.Series]:
    return lambda column, seed: column.astype(pd.ArrowDtype(type_))


COLUMN_FAULTS: dict[str, Callable[[pd.Series, int], pd.Series]] = {
    "NaN": _put(float("nan")),
    "infinite": _put(float("inf"), float("-inf")),
    "huge": _put(1e308, -1e308, 1.7e308, 1e160),
    "tiny": _put(5e-324, 1e-320, -5e-324, 1e-17),
    "negative": _put(-1.0, -0.5, -1e9),
    "beyond 2^53": _put(2.0**53 + 2, 9.007199254740993e15, 1e18),
    "None": _put(None),
    "pd.NA": _put(pd.NA),
    "NaT": _put(pd.NaT, np.datetime64("NaT")),
    "long integer": _put(10**400, -(10**400), 10**30),
    "decimal": _put(decimal.Decimal("1.10"), decimal.Decimal("NaN"), decimal.Decimal("Infinity")),
    "fraction": _put(fractions.Fraction(1, 3)),
    "complex": _put(1 + 2j),
    "bool": _put(True, np.True_),
    "text": _put("", "12", "n/a", "💥", "\x00", "\ud800", "nan", "Infinity", "١٢"),
    "secret text": _put(f"{SECRET}-77", f"77-{SECRET}@example.com"),
    "bytes": _put(b"12", b"\xff"),
    "list": _put([1, 2], []),
    "dict": _put({"a": 1}, {}),
    "tuple": _put((1, 2), ()),
    "set": _put({1}),
    "object": _put(object()),
    "array": _put(np.array([1.0, 2.0])),
    "date": _put(dt.date(2024, 1, 1), dt.date.min, dt.date.max),
    "datetime": _put(dt.datetime(2024, 1, 1), dt.datetime.min, dt.datetime.max),
    "zoned datetime": _put(
        dt.datetime(2024, 1, 1, tzinfo=dt.UTC),
        dt.datetime(2024, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=5, minutes=45))),
    ),
    "timedelta": _put(dt.timedelta(days=3)),
    "date text": _put("2024-01-05", "2024-02-30", "05/01/2024", "2024-01-05T10:00+05:00", "now"),
    "far date text": _put("0001-01-01", "9999-12-31", "1677-01-01", "2262-06-01"),
    "uuid": _put(uuid.UUID(int=5)),
    "other kind at the end": _put_last(1.5, "x", 10**30, True, dt.date(2024, 1, 1), b"x", [1]),
    "objects after nulls": _numbers_after_nulls,
    "emoji": _each(lambda value: f"{SECRET} 👩‍👩‍👧 {value}"),
    "as text": _each(str),
    "as objects": _each(lambda value: value),
    "as decimals": _each(lambda value: decimal.Decimal(str(value))),
    "as dates": _each(lambda value: dt.date(2024, 1, 1)),
    "all null": _all(None),
    "all NaN": _all(float("nan")),
    "all NA": _all(pd.NA, "Int64"),
    "all zero": _all(0),
    "all equal": _all(7.5),
    "all one id": _all(f"{SECRET}-0"),
    "all huge": _all(1e300),
    "all largest": _all(np.iinfo(np.int64).max),
    "all largest uint64": _all(np.iinfo(np.uint64).max, "uint64"),
    "all largest float": _all(np.finfo(float).max),
    "all true": _all(True),
    "times": _days_as("ns"),
    "times in s": _days_as("s"),
    "zoned times": _days_as("us", "America/Sao_Paulo"),
    "durations": lambda column, seed: _days_as("ns")(column, seed) - pd.Timestamp("2024"),
    "periods": lambda column, seed: _days_as("ns")(column, seed).dt.to_period("M"),
    "intervals": lambda column, seed: pd.Series(
        pd.interval_range(0, periods=len(column)), index=column.index
    ),
    "categories": _categories,
    "nullable": _nullable,
    "read-only": _read_only,
    "sparse": lambda column, seed: column.astype(pd.SparseDtype(column.dtype)),
    "float16": _cast("float16"),
    "float32": _cast("float32"),
    "int8": _cast("int8"),
    "uint8": _cast("uint8"),
    "long double": _cast(np.longdouble),
    "string dtype": _cast("string"),
    "arrow double": _arrow(pa.float64()),
    "arrow half": _arrow(pa.float16()),
    "arrow decimal": _arrow(pa.decimal128(38, 6)),
    "arrow text": _arrow(pa.large_string()),
    "arrow dictionary": _arrow(pa.dictionary(pa.int32(), pa.string())),
    "arrow date": _arrow(pa.date32()),
    "arrow null": lambda column, seed: pd.Series(
        [None] * len(column), index=column.index, dtype=pd.ArrowDtype(pa.null())
    ),
    "arrow time": lambda column, seed: pd.Series(
        [dt.time(1)] * len(column), index=column.index, dtype=pd.ArrowDtype(pa.time64("us"))
    ),
    "arrow struct": lambda column, seed: pd.Series(
        [{"a": 1}] * len(column),
        index=column.index,
        dtype=pd.ArrowDtype(pa.struct([("a", pa.int64())])),
    ),
}


# -- faults of a frame -------------------------------------------------------------------------


def _doubled(frame: pd.DataFrame, column: str, seed: int) -> pd.DataFrame:
    return pd.concat([frame, frame[[column]]], axis="columns")


def _renamed(change: Callable[[str], Any]) -> Callable[[pd.DataFrame, str, int], pd.DataFrame]:
    return lambda frame, column, seed: frame.rename(columns={column: change(column)})


def _with(name: Any, value: Any = 1) -> Callable[[pd.DataFrame, str, int], pd.DataFrame]:
    return lambda frame, column, seed: frame.assign(**{"a new one": value}).rename(
        columns={"a new one": name}
    )


def _numbered_columns(frame: pd.DataFrame, column: str, seed: int) -> pd.DataFrame:
    numbers = frame.select_dtypes("number")
    return numbers.set_axis(range(numbers.shape[1]), axis="columns")


class Customers(pd.DataFrame):
    """A frame of a class of its own."""

    @property
    def _constructor(self) -> type:
        return Customers


FRAME_FAULTS: dict[str, Callable[[pd.DataFrame, str, int], pd.DataFrame]] = {
    "no rows": lambda frame, column, seed: frame.iloc[:0],
    "one row": lambda frame, column, seed: (
        frame.iloc[[seed % max(len(frame), 1)]] if len(frame) else frame
    ),
    "two rows": lambda frame, column, seed: frame.iloc[:2],
    "three rows": lambda frame, column, seed: frame.iloc[-3:],
    "no columns": lambda frame, column, seed: frame[[]],
    "one column": lambda frame, column, seed: frame[[column]],
    "without": lambda frame, column, seed: frame.drop(columns=column),
    "doubled column": _doubled,
    "doubled rows": lambda frame, column, seed: pd.concat([frame, frame]),
    "one row repeated": lambda frame, column, seed: frame.iloc[[0] * len(frame)],
    "reversed columns": lambda frame, column, seed: frame[frame.columns[::-1]],
    "reversed rows": lambda frame, column, seed: frame.iloc[::-1],
    "upper case": _renamed(str.upper),
    "space in name": _renamed(lambda name: f" {name} "),
    "number for a name": _renamed(lambda name: 3),
    "None for a name": _renamed(lambda name: None),
    "tuple for a name": _renamed(lambda name: (name, 1)),
    "names of two levels": lambda frame, column, seed: frame.set_axis(
        pd.MultiIndex.from_product([["sum"], frame.columns]), axis="columns"
    ),
    "numbered columns": _numbered_columns,
    "column twice by case": lambda frame, column, seed: frame.assign(
        **{column.upper(): frame[column]}
    ),
    "reserved name": _with("__segkit_code"),
    "reserved day": _with("__segkit_day"),
    "label in the frame": _with("segment", "x"),
    "rfm label in the frame": _with("rfm_segment", "x"),
    "feature in the frame": _with("r_score", "x"),
    "emoji name": _with("💥"),
    "empty name": _with(""),
    "quoted name": _with('a"; DROP TABLE customers; --'),
    "in the index": lambda frame, column, seed: frame.set_index(column),
    "index of the same name": lambda frame, column, seed: frame.rename_axis(index=column),
    "index of two levels": lambda frame, column, seed: frame.set_index(
        [column, frame.columns[0]], drop=False
    ),
    "index of times": lambda frame, column, seed: frame.set_axis(
        pd.date_range("2024", periods=len(frame), tz="UTC"), axis="index"
    ),
    "index with one label": lambda frame, column, seed: frame.set_axis(
        [0] * len(frame), axis="index"
    ),
    "own class": lambda frame, column, seed: Customers(frame),
}
