"""Lifecycle stages and value tiers of a customer table, eager and in query engines.

Both are fitted to the first 100,000 rows; what is measured is ``assign``. Of what it adds, every
column is computed: customers are counted by label and the numbers added up.
"""

import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow.parquet as pq

from segkit import LifecycleStager, RFMScorer, ValueTierer

from ._job import Job

_SEGMENTERS = {
    "LifecycleStager": LifecycleStager,
    "RFMScorer": partial(RFMScorer, columns=("recency_days", "order_days", "monetary")),
    "ValueTierer": ValueTierer,
}
_READ = {
    "LifecycleStager": ["recency_days", "order_days", "tenure_days"],
    "RFMScorer": ["recency_days", "order_days", "monetary"],
    "ValueTierer": ["monetary"],
}
_SAMPLE = 100_000
_COLUMNS = ["customer_id", "recency_days", "order_days", "tenure_days", "monetary"]


def fit(customers: str, segmenter: str) -> Job:
    """Learn stages or tiers from a pandas frame."""
    frame = pd.read_parquet(customers, columns=_COLUMNS)
    return Job(lambda: _SEGMENTERS[segmenter]().fit(frame))


def fit_file(customers: str, segmenter: str, engine: str) -> Job:
    """Learn scores, tiers or stages from a Parquet file, through pandas or inside an engine."""
    columns = _READ[segmenter]

    def run():
        if engine == "polars":
            frame = pl.scan_parquet(customers)
        elif engine == "duckdb":
            frame = duckdb.connect().read_parquet(customers)
        else:
            frame = pd.read_parquet(customers, columns=columns)
        return _SEGMENTERS[segmenter]().fit(frame)

    return Job(run, _learned)


def _learned(fitted: Any) -> dict[str, float]:
    """Return the edges or thresholds of a fitted segmenter."""
    if isinstance(fitted, RFMScorer):
        return {name: float(edges.sum()) for name, edges in fitted.bin_edges_.items()}
    if isinstance(fitted, ValueTierer):
        return {f"tier_{place}": float(low) for place, low in enumerate(fitted.thresholds_)}
    return dict(fitted.thresholds_)


def assign_eager(customers: str, segmenter: str) -> Job:
    """From a pandas frame to the frame with what ``assign`` adds, counted and added up."""
    fitted, label, numbers = _fitted(customers, segmenter)
    frame = pd.read_parquet(customers, columns=_COLUMNS)

    def run():
        assigned = fitted.assign(frame)
        counts = assigned[label].value_counts()
        return counts.to_dict(), [float(assigned[name].sum()) for name in numbers]

    return Job(run, lambda found: _sums(*found, numbers))


def assign_in_engine(customers: str, segmenter: str, engine: str) -> Job:
    """The same inside polars or DuckDB, from a table in memory: only the totals come back."""
    fitted, label, numbers = _fitted(customers, segmenter)
    table = _in_memory(customers, engine)

    def run():
        rows = _totals(fitted.assign(table), label, numbers)
        counts = {name: count for name, count, *_ in rows}
        return counts, [sum(row[2 + k] or 0.0 for row in rows) for k in range(len(numbers))]

    return Job(run, lambda found: _sums(*found, numbers))


def assign_alone(customers: str, segmenter: str, engine: str) -> Job:
    """``assign`` without execution: from a lazy table to one that is as lazy."""
    fitted, _, _ = _fitted(customers, segmenter)
    table = _in_memory(customers, engine)

    def run():
        assigned = fitted.assign(table)
        if type(assigned) is not type(table):
            raise TypeError(f"assign returned a {type(assigned).__name__}")
        return assigned

    return Job(run, loops=20)


def assign_file_to_file(customers: str, segmenter: str, engine: str) -> Job:
    """From a Parquet file to a Parquet file with what ``assign`` adds, through polars or DuckDB."""
    fitted, label, numbers = _fitted(customers, segmenter)
    folder = tempfile.TemporaryDirectory(prefix="segkit-benchmarks-")
    written = Path(folder.name) / "assigned.parquet"

    def run():
        if engine == "polars":
            fitted.assign(pl.scan_parquet(customers).select(_COLUMNS)).sink_parquet(written)
        else:
            table = duckdb.connect().read_parquet(customers).select(*_COLUMNS)
            fitted.assign(table).write_parquet(str(written))
        return folder  # which is kept as long as the job

    def sums(_):
        assigned = pq.read_table(written, columns=[label, *numbers]).to_pandas()
        counts = assigned[label].value_counts().to_dict()
        return _sums(counts, [float(assigned[name].sum()) for name in numbers], numbers)

    return Job(run, sums)


def _fitted(customers: str, segmenter: str) -> tuple[Any, str, list[str]]:
    """Return a fitted segmenter, and the names of the label and of the numbers that it adds."""
    batches = pq.ParquetFile(customers).iter_batches(_SAMPLE, columns=_COLUMNS)
    sample = next(batches).to_pandas()
    fitted = _SEGMENTERS[segmenter]().fit(sample)
    *numbers, label = [name for name in fitted.assign(sample) if name not in _COLUMNS]
    return fitted, label, numbers


def _in_memory(customers: str, engine: str) -> Any:
    """Return a table in memory as a lazy polars frame or as a DuckDB relation."""
    if engine == "polars":
        return pl.read_parquet(customers, columns=_COLUMNS).lazy()
    connection = duckdb.connect()
    selected = f"SELECT {', '.join(_COLUMNS)} FROM read_parquet($1)"
    connection.execute(f"CREATE TABLE customers AS {selected}", [customers])
    return connection.table("customers")


def _totals(assigned: Any, label: str, numbers: list[str]) -> list[tuple[Any, ...]]:
    """Return for each label its customers and the sums of the numbers."""
    if isinstance(assigned, pl.LazyFrame):
        grouped = assigned.group_by(pl.col(label).cast(pl.String))
        return grouped.agg(pl.len(), *(pl.col(name).sum() for name in numbers)).collect().rows()
    columns = [label, "count(*)", *(f"sum({name})" for name in numbers)]
    return assigned.aggregate(", ".join(columns), label).fetchall()


def _sums(counts: dict[str, int], totals: list[float], numbers: list[str]) -> dict[str, float]:
    """Return the customers of each label that has some, and the totals."""
    found = {name: float(count) for name, count in sorted(counts.items()) if count}
    return {**found, **dict(zip(numbers, totals, strict=True))}
