r"""
One segmenter in four engines
=============================

A segmenter that was fitted in pandas assigns customers wherever they are: in a polars query, in
DuckDB, on Spark. The thresholds are those of ``fit``, and every engine gives every customer the
same segment.
"""

import importlib.util
import shutil
import tempfile
import warnings
from pathlib import Path

import duckdb
import matplotlib.pyplot as plt
import pandas as pd
import polars as pl

from segkit import RFMScorer, summarize_transactions
from segkit.datasets import make_transactions

folder = Path(tempfile.mkdtemp())
log = make_transactions(20_000, random_state=0)
log.to_parquet(folder / "log.parquet")

# %%
# Fitted once
# -----------

options = {"order_id": "order_id", "as_of": "2026-01-01"}
customers = summarize_transactions(log, **options)
scorer = RFMScorer().fit(customers)
scorer.describe()[["segment", "thresholds"]]

# %%
# Applied where the log is
# ------------------------
# The same two calls for every kind of frame, from the log to the segments: pandas and polars give
# frames, DuckDB and Spark queries.


def segmented(log):
    """Return the customers of a log with their segments, in the log's own engine."""
    return scorer.assign(summarize_transactions(log, **options))


logs = {
    "pandas": log,
    "polars, lazy": pl.scan_parquet(folder / "log.parquet"),
    "DuckDB": duckdb.read_parquet(str(folder / "log.parquet")),
}
assigned = {engine: segmented(rows) for engine, rows in logs.items()}
fetched = {
    "pandas": assigned["pandas"],
    "polars, lazy": assigned["polars, lazy"].collect().to_pandas(),
    "DuckDB": assigned["DuckDB"].df(),
}

# %%
# Spark joins in where it is installed, with Java: here with two threads in this process, elsewhere
# with the address of a cluster. The executors write the table, and no row passes through the
# driver.

if importlib.util.find_spec("pyspark") and shutil.which("java"):
    from pyspark.sql import SparkSession

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # it does not know pandas 3 yet
        spark = (
            SparkSession.builder.master("local[2]")
            .config("spark.driver.bindAddress", "127.0.0.1")
            .config("spark.driver.host", "127.0.0.1")
            .config("spark.ui.enabled", "false")
            .config("spark.ui.showConsoleProgress", "false")
            .config("spark.sql.shuffle.partitions", "2")
            .getOrCreate()
        )
    rows = spark.read.parquet(str(folder / "log.parquet"))
    segmented(rows).write.parquet(str(folder / "segments"))
    fetched["Spark"] = pd.read_parquet(folder / "segments")
    spark.stop()

# %%
# Each engine has put every customer into the segment in which pandas has put them:

by_id = {
    engine: table.set_index("customer_id")["rfm_segment"].astype(str).sort_index()
    for engine, table in fetched.items()
}
pd.Series({engine: (one == by_id["pandas"]).mean() for engine, one in by_id.items()}, name="agree")

# %%
# Hence the same picture four times over (three times without Spark), a column an engine.

counts = pd.DataFrame({engine: one.value_counts() for engine, one in by_id.items()})
counts = counts.reindex(scorer.segments_)[::-1]

figure, axes = plt.subplots(
    1, len(counts.columns), figsize=(10, 4.6), sharex=True, sharey=True, layout="constrained"
)
for ax, engine in zip(axes, counts, strict=True):
    bars = ax.barh(counts.index, counts[engine], color="#2f8f66", height=0.72)
    ax.bar_label(bars, [f"{count:,}" for count in counts[engine]], padding=3, fontsize=9)
    ax.set_title(engine, loc="left", weight="bold", fontsize=11)
    ax.set_xlim(0, counts.to_numpy().max() * 1.28)
    ax.set_xticks([])
    ax.tick_params(left=False)
    ax.spines[["top", "right", "bottom"]].set_visible(False)
figure.suptitle(
    f"Customers by segment: {len(customers):,} customers, one fitted RFMScorer", x=0.01, ha="left"
)
plt.show()
