"""Logs and customer tables to measure on: seeded, vectorised, written as Parquet files.

Purchases follow the Pareto/NBD model (Schmittlein, Morrison & Colombo 1987): each customer buys at
random at a rate of their own, gamma distributed, from the first order on until they leave.
"""

import datetime as dt
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

Ids = Literal["dense", "sparse", "text"]

FIRST_DAY = dt.date(2024, 1, 1)
AS_OF = dt.date(2025, 12, 31)
ROWS_PER_CUSTOMER = 10
RETURNED_SHARE = 0.03

_DAYS = (AS_OF - FIRST_DAY).days + 1
_SECONDS = _DAYS * 86_400
_ID_WIDTH = 9


def write_log(
    path: Path,
    n_rows: int,
    *,
    n_customers: int | None = None,
    ids: Ids = "dense",
    shuffled: bool = False,
    returns: bool = False,
    seed: int = 0,
) -> None:
    """Write a transaction log of customer_id, timestamp and amount.

    Parameters
    ----------
    path : Path
        The Parquet file.
    n_rows : int
        Number of rows.
    n_customers : int or None
        Number of customers, each with at least one row; None: a tenth of the rows.
    ids : {"dense", "sparse", "text"}
        Customers are numbered from 1, by random distinct int64, or as text like "C00012345". The
        number of a customer says nothing about when they first bought.
    shuffled : bool
        Rows in random order; otherwise ordered by time.
    returns : bool
        Make 3 % of the amounts negative.
    seed : int
        Of the random numbers.
    """
    rng = np.random.default_rng(seed)
    if n_customers is None:
        n_customers = max(n_rows // ROWS_PER_CUSTOMER, 1)
    seconds, customers = _purchases(rng, n_rows, n_customers)
    amounts = _amounts(rng, customers, n_customers)
    if returns:
        amounts[rng.random(n_rows) < RETURNED_SHARE] *= -1.0
    if shuffled:
        order = rng.permutation(n_rows)
        seconds, customers, amounts = seconds[order], customers[order], amounts[order]
    epoch = (FIRST_DAY - dt.date(1970, 1, 1)).days * 86_400
    seconds += epoch
    seconds *= 1_000_000
    log = pa.table(
        {
            "customer_id": _named(rng, customers, n_customers, ids),
            "timestamp": pa.array(seconds.view("datetime64[us]")),
            "amount": pa.array(amounts),
        }
    )
    pq.write_table(log, path, compression="none")


def write_customers(path: Path, n_customers: int, *, seed: int = 0) -> None:
    """Write a customer table: customer_id, recency_days, frequency and monetary."""
    rng = np.random.default_rng(seed)
    frequency = 1 + rng.poisson(rng.gamma(0.8, 9 / 0.8, n_customers))
    spend = rng.lognormal(3.0, 0.6, n_customers) * rng.gamma(frequency)
    table = pa.table(
        {
            "customer_id": np.arange(1, n_customers + 1),
            "recency_days": np.minimum(rng.exponential(160, n_customers).astype(np.int64), _DAYS),
            "frequency": frequency,
            "monetary": np.round(spend, 2),
        }
    )
    pq.write_table(table, path, compression="none")


def _purchases(
    rng: np.random.Generator, n_rows: int, n_customers: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the second and the customer of each purchase, in order of time."""
    joined = rng.integers(0, _SECONDS, n_customers)
    stayed = np.minimum(_SECONDS - joined, rng.exponential(_SECONDS / 2, n_customers))
    expected = stayed * rng.gamma(0.8, size=n_customers)
    # Independent Poisson counts, given their sum, are multinomial: the number of rows is exact.
    counts = 1 + rng.multinomial(n_rows - n_customers, expected / expected.sum())
    customers = np.repeat(np.arange(n_customers), counts)
    seconds = joined[customers] + (rng.random(n_rows) * stayed[customers]).astype(np.int64)
    # One sort of both in one number is several times as fast as sorting positions.
    bits = int(n_customers).bit_length()
    packed = (seconds << bits) | customers
    packed.sort()
    return packed >> bits, packed & ((1 << bits) - 1)


def _amounts(
    rng: np.random.Generator, customers: NDArray[np.int64], n_customers: int
) -> NDArray[np.float64]:
    """Return whole cents, at least one, around a level that is the customer's own."""
    level = rng.lognormal(3.0, 0.6, n_customers)
    cents = 100 * level[customers] * rng.lognormal(0.0, 0.5, customers.size)
    whole: NDArray[np.float64] = np.maximum(np.rint(cents), 1.0) / 100
    return whole


def _named(
    rng: np.random.Generator, customers: NDArray[np.int64], n_customers: int, ids: Ids
) -> pa.Array:
    if ids == "dense":
        return pa.array(customers + 1)
    if ids == "sparse":
        return pa.array(_distinct_integers(rng, n_customers)[customers])
    return _texts(n_customers).take(pa.array(customers))


def _distinct_integers(rng: np.random.Generator, size: int) -> NDArray[np.int64]:
    while True:
        drawn = rng.integers(-(2**62), 2**62, size)
        if (np.diff(np.sort(drawn)) > 0).all():
            return drawn


def _texts(size: int) -> pa.Array:
    """Return "C00000001", "C00000002", ... as text of pandas' own width of offsets."""
    digits = np.empty((size, _ID_WIDTH), dtype=np.uint8)
    digits[:, 0] = ord("C")
    rest = np.arange(1, size + 1)
    for place in range(_ID_WIDTH - 1, 0, -1):
        rest, digit = np.divmod(rest, 10)
        digits[:, place] = digit + ord("0")
    offsets = np.arange(size + 1, dtype=np.int64) * _ID_WIDTH
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(digits)]
    return pa.Array.from_buffers(pa.large_string(), size, buffers)
