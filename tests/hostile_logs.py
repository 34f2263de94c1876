"""``summarize_transactions`` and ``calibration_holdout_split``, called with hostile logs."""

import datetime as dt
from collections import defaultdict
from typing import Any

import duckdb
import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
import polars as pl

from frames import columns_of
from hostile_cases import Case
from hostile_judge import check_no_silent_nan, judged
from segkit.features import calibration_holdout_split, summarize_transactions

LOG = ("customer_id", "timestamp", "amount", "order_id")

#: Arguments that are asked for with each log.
SUMMARIES: tuple[dict[str, Any], ...] = (
    {"as_of": "2025-06-30"},
    {"as_of": "2025-06-30", "order_id": "order_id", "missing": "drop"},
    {"as_of": "2025-06-30", "order_id": "order_id", "extras": ("returns", "clv", "last_gap")},
    {"as_of": "2025-06-30T12:00", "missing": "drop", "extras": ("returns", "clv", "last_gap")},
    {"as_of": dt.date(2026, 1, 1), "order_per": "row", "returns": "exclude"},
    {},
    {"missing": "drop", "decimals": 2},
)
SPLITS: tuple[dict[str, Any], ...] = (
    {"calibration_end": "2025-01-31", "holdout_end": "2025-06-30"},
    {"calibration_end": "2025-01-31", "missing": "drop", "order_id": "order_id"},
    {"calibration_end": "2025-01-31T12:00", "extras": ("returns", "clv", "last_gap")},
)
_ALWAYS = ("recency_days", "frequency", "order_days", "monetary", "tenure_days")


def check_summary(arguments: dict[str, Any], case: Case) -> None:
    """Summarize a hostile log and compare the answer with a loop over its rows."""
    summarize = judged(
        "features.summarize_transactions",
        lambda: run(summarize_transactions(case.given, **arguments)),
        given=[case.given],
        culprits=["summarize_transactions"],
    )
    if not summarize.answered:
        return
    table = columns_of(summarize.value)
    log = rows_of_log(case.given)
    is_lazy = isinstance(case.given, pl.LazyFrame | duckdb.DuckDBPyRelation)
    if not is_lazy:
        check_table(table)
    if log is None:
        return
    expected = summarized_by_a_loop(log, arguments)
    found = {
        identity: tuple(values)
        for identity, *values in zip(
            table["customer_id"], *(table[n] for n in _ALWAYS), strict=True
        )
        if values[0] is not None
    }
    assert found.keys() == expected.keys()
    for identity, values in found.items():
        assert values[:3] == expected[identity][:3]
        assert values[4] == expected[identity][4]
        assert np.isclose(values[3], expected[identity][3], rtol=1e-9, atol=0.0051)


def check_split(arguments: dict[str, Any], case: Case) -> None:
    """Split a hostile log."""
    split = judged(
        "features.calibration_holdout_split",
        lambda: run(calibration_holdout_split(case.given, **arguments)),
        given=[case.given],
        culprits=["calibration_holdout_split", "summarize_transactions"],
    )
    if not split.answered:
        return
    table = columns_of(split.value)
    if isinstance(case.given, pl.LazyFrame | duckdb.DuckDBPyRelation):
        return
    check_table(table)
    for name in ("holdout_days", "holdout_orders", "holdout_order_days", "holdout_monetary"):
        check_no_silent_nan(name, table[name])
        assert name == "holdout_monetary" or min(table[name]) >= 0
    names = ("customer_id", *_ALWAYS)
    until = {**arguments, "as_of": arguments["calibration_end"]}
    del until["calibration_end"]
    until.pop("holdout_end", None)
    alone = columns_of(summarize_transactions(case.given, **until))
    assert {name: table[name] for name in names} == {name: alone[name] for name in names}


def check_table(table: dict[str, list[Any]]) -> None:
    """Raise unless a customer table has a customer a row, and numbers that can be."""
    assert len(set(map(repr, table["customer_id"]))) == len(table["customer_id"]) > 0
    for name in _ALWAYS:
        check_no_silent_nan(name, table[name])
    assert min(table["frequency"]) >= 1
    assert min(table["order_days"]) >= 1
    assert all(
        0 <= recency <= tenure
        for recency, tenure in zip(table["recency_days"], table["tenure_days"], strict=True)
    )


def rows_of_log(given: Any) -> list[tuple[Any, ...]] | None:
    """Return the rows of a log as plain values, None where reading them is a question of taste."""
    frame = nw.from_native(given)
    if isinstance(frame, nw.LazyFrame):
        frame = frame.collect()
    if any(name not in frame.columns for name in LOG):
        return None
    if not isinstance(frame["timestamp"].dtype, nw.Datetime):
        return None
    if getattr(frame["timestamp"].dtype, "time_zone", None) is not None:
        return None
    if frame["customer_id"].dtype == nw.Object:
        return None
    columns = {name: _plain(frame[name]) for name in LOG}
    return list(zip(*columns.values(), strict=True))


def _plain(series: nw.Series[Any]) -> list[Any]:
    missing = series.is_null().to_list()
    return [
        None if absent or value != value else value
        for value, absent in zip(series.to_list(), missing, strict=True)
    ]


def summarized_by_a_loop(
    rows: list[tuple[Any, ...]], arguments: dict[str, Any]
) -> dict[Any, tuple[Any, ...]]:
    """Return recency, frequency, order days, money and tenure of each customer, row by row."""
    rows = [
        (identity, pd.Timestamp(time), None if amount is None else float(amount), order)
        for identity, time, amount, order in rows
    ]
    as_of = arguments.get("as_of")
    if as_of is None:
        last = max(time.date() for _, time, _, _ in rows if time is not pd.NaT)
        day, is_known = last + dt.timedelta(days=1), lambda time: True
    elif isinstance(as_of, str) and "T" in as_of:
        moment = pd.Timestamp(as_of)
        day, is_known = moment.date(), lambda time: time <= moment
    else:
        day = as_of if isinstance(as_of, dt.date) else dt.date.fromisoformat(as_of)
        is_known = lambda time: time.date() <= day  # noqa: E731
    orders, days, money, bad = defaultdict(set), defaultdict(set), defaultdict(float), set()
    for place, (identity, time, amount, order) in enumerate(rows):
        no_order = "order_id" in arguments and order is None and not (amount or 0) < 0
        if time is not pd.NaT and not is_known(time):
            continue
        if identity is None or time is pd.NaT or amount is None or no_order:
            if arguments.get("missing") != "drop":
                bad.add(identity)
            continue
        if not np.isfinite(amount):
            bad.add(identity)
            continue
        if amount >= 0:
            days[identity].add(time.date())
            by_row = arguments.get("order_per") == "row"
            orders[identity].add(
                repr(order) if "order_id" in arguments else place if by_row else time.date()
            )
        if amount >= 0 or arguments.get("returns") != "exclude":
            money[identity] += amount
    return {
        identity: (
            (day - max(days[identity])).days,
            len(orders[identity]),
            len(days[identity]),
            money[identity],
            (day - min(days[identity])).days,
        )
        for identity in days
        if identity not in bad
    }


def run(frame: Any) -> Any:
    """Execute a lazy frame."""
    if isinstance(frame, pl.LazyFrame):
        return frame.collect()
    return frame.to_arrow_table() if isinstance(frame, duckdb.DuckDBPyRelation) else frame
