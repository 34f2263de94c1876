"""The customers as every kind of frame that is installed, and back."""

import importlib.util
from collections.abc import Iterator
from typing import Any

import narwhals.stable.v2 as nw
import pandas as pd

EAGER_KINDS = ("pandas", "polars", "pyarrow")
LAZY_KINDS = ("polars lazy", "duckdb")
_LIBRARY = {
    "pandas": "pandas",
    "polars": "polars",
    "polars lazy": "polars",
    "pyarrow": "pyarrow",
    "duckdb": "duckdb",
}


def installed(kinds: tuple[str, ...]) -> Iterator[str]:
    """Yield the kinds of frame whose library is installed."""
    for kind in kinds:
        if importlib.util.find_spec(_LIBRARY[kind]) is not None:
            yield kind


def as_kind(customers: pd.DataFrame, kind: str) -> Any:
    """Return a pandas frame as another kind of frame."""
    if kind == "pandas":
        return customers
    data = {name: customers[name].tolist() for name in customers.columns}
    columns = {
        name: [None if value is pd.NA or value is pd.NaT else value for value in values]
        for name, values in data.items()
    }
    if kind == "pyarrow":
        import pyarrow as pa

        return pa.table(columns)
    if kind in {"polars", "polars lazy"}:
        import polars as pl

        frame = pl.DataFrame(columns)
        return frame.lazy() if kind == "polars lazy" else frame
    import duckdb

    return duckdb.from_df(customers)


def as_lists(frame: Any) -> dict[str, list[Any]]:
    """Return the columns of any kind of frame as lists, executing a lazy one."""
    view = nw.from_native(frame)
    eager = view.collect() if isinstance(view, nw.LazyFrame) else view
    return {name: eager[name].to_list() for name in eager.columns}
