"""Logs of any length, written a part at a time, so that memory stays small."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks._data import AS_OF, FIRST_DAY, RETURNED_SHARE

ROWS_PER_CUSTOMER = 20
_ROWS_PER_FILE = 5_000_000
_ROWS_PER_GROUP = 500_000


def write_log(folder: Path, n_rows: int, *, seed: int = 0) -> None:
    """Write a log as Parquet files, each of a part of two years, its rows in any order.

    There is a customer for every 20 rows. How often they buy is gamma distributed and how much they
    spend lognormal; 3 % of the amounts are returns. Whole seconds, whole cents.
    """
    rng = np.random.default_rng(seed)
    n_customers = n_rows // ROWS_PER_CUSTOMER
    share = np.cumsum(rng.gamma(0.8, size=n_customers))
    level = rng.lognormal(3.0, 0.6, n_customers).astype(np.float32)
    n_files = max(n_rows // _ROWS_PER_FILE, 4)
    start = (FIRST_DAY - dt.date(1970, 1, 1)).days * 86_400
    seconds = ((AS_OF - FIRST_DAY).days + 1) * 86_400
    bounds = np.linspace(start, start + seconds, n_files + 1).astype(np.int64)
    for number in range(n_files):
        # The rest, where the files do not divide the rows, is in the first ones.
        left = n_rows // n_files + (number < n_rows % n_files)
        path = folder / f"part_{number:03}.parquet"
        writer = None
        while left:
            size = min(left, _ROWS_PER_GROUP)
            customers = np.searchsorted(share, rng.random(size) * share[-1])
            cents = np.rint(100 * level[customers] * rng.lognormal(0.0, 0.5, size)) + 1
            cents[rng.random(size) < RETURNED_SHARE] *= -1
            times = rng.integers(bounds[number], bounds[number + 1], size) * 1_000_000
            rows = pa.table(
                {
                    "customer_id": customers + 1,
                    "timestamp": times.view("datetime64[us]"),
                    "amount": cents / 100,
                }
            )
            writer = writer or pq.ParquetWriter(path, rows.schema, compression="zstd")
            writer.write_table(rows)
            left -= size
        writer.close()
