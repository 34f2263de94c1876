"""Logs as polars, DuckDB and pyarrow have them, and their results in memory."""

from typing import Any


def load(path: str, kind: str) -> Any:
    """Return a log as "polars", "polars_lazy", "duckdb" or "pyarrow" holds it in memory."""
    if kind in ("polars", "polars_lazy"):
        import polars as pl

        log = pl.read_parquet(path)
        return log if kind == "polars" else log.lazy()
    if kind == "duckdb":
        return duckdb_with_log(path).table("log")
    import pyarrow.parquet as pq

    return pq.read_table(path)


def duckdb_with_log(path: str) -> Any:
    """Return a connection to a database in memory whose table ``log`` is the log."""
    import duckdb

    connection = duckdb.connect()
    connection.execute("CREATE TABLE log AS SELECT * FROM read_parquet($1)", [path])
    return connection


def executed(result: Any) -> Any:
    """Return a result in memory: a lazy polars frame collected, a DuckDB relation as Arrow."""
    if hasattr(result, "collect"):
        return result.collect()
    if hasattr(result, "to_arrow_table"):
        return result.to_arrow_table()
    return result
