"""Customer tables for the models of repeat buying and spend: seeded, without segkit's help.

Customers buy as the BG/NBD model has it (Fader, Hardie & Lee 2005), with the parameters that the
paper finds in the CDNOW data, one purchase after the other; what they spend on a day follows the
Gamma-Gamma model, with the parameters that Fader & Hardie (2013) find there.
"""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

#: Days since the first order of CDNOW's customers: 27 to 39 weeks.
CDNOW_TENURE = (189, 273)

# Of the rates of purchases (a week) and of the chance to leave after one.
_R, _ALPHA, _A, _B = 0.243, 4.414, 0.793, 2.426
# Of the amounts.
_P, _Q, _V = 6.25, 3.74, 15.44
# Customers drawn at a time, which keeps their columns in the processor's cache.
_BLOCK = 1 << 18


def write_buyers(
    path: Path, n_customers: int, *, tenure: tuple[int, int] = CDNOW_TENURE, seed: int = 0
) -> None:
    """Write what ``summarize_transactions(..., extras="clv")`` makes of such customers.

    Parameters
    ----------
    path : Path
        The Parquet file: customer_id, recency_days, order_days, tenure_days, monetary and
        first_day_amount.
    n_customers : int
        Number of customers.
    tenure : tuple of int
        Least and most days since the first order, which are uniform between.
    seed : int
        Of the random numbers.
    """
    rng = np.random.default_rng(seed)
    blocks = []
    for start in range(0, n_customers, _BLOCK):
        numbers = np.arange(start, min(start + _BLOCK, n_customers))
        blocks.append(_drawn(rng, numbers, tenure))
    pq.write_table(pa.concat_tables(blocks), path, compression="none")


def _drawn(
    rng: np.random.Generator, numbers: NDArray[np.int64], tenure: tuple[int, int]
) -> pa.Table:
    observed = rng.integers(tenure[0], tenure[1], numbers.size, endpoint=True)
    repeats, last_day = _repeats(rng, observed)
    scale = 1 / rng.gamma(_Q, 1 / _V, numbers.size)
    first = _cents(rng.gamma(_P, scale))
    # The sum of as many amounts; of none, nothing.
    more = np.where(repeats > 0, _cents(rng.gamma(_P * np.maximum(repeats, 1), scale)), 0.0)
    return pa.table(
        {
            "customer_id": numbers + 1,
            "recency_days": observed - last_day,
            "order_days": 1 + repeats,
            "tenure_days": observed,
            "monetary": np.round(first + more, 2),
            "first_day_amount": first,
        }
    )


def _repeats(
    rng: np.random.Generator, observed: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return on how many days after the first each customer bought, and which was the last.

    Purchases on one day are one; dropping out is drawn after each day with one.
    """
    repeats, last_day = np.zeros_like(observed), np.zeros_like(observed)
    mean_gap = 7 * _ALPHA / np.maximum(rng.gamma(_R, 1.0, observed.size), 1e-12)
    dropout = rng.beta(_A, _B, observed.size)
    active, moment = np.arange(observed.size), np.zeros(observed.size)
    while active.size:
        moment = moment + rng.exponential(mean_gap[active])
        day = np.ceil(np.minimum(moment, observed[active] + 1)).astype(np.int64)
        seen = day <= observed[active]
        active, moment, day = active[seen], moment[seen], day[seen]
        is_new = day > last_day[active]
        repeats[active[is_new]] += 1
        last_day[active] = day
        stays = ~is_new | (rng.random(active.size) >= dropout[active])
        active, moment = active[stays], moment[stays]
    return repeats, last_day


def _cents(amounts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return whole cents, at least one."""
    whole: NDArray[np.float64] = np.maximum(np.rint(100 * amounts), 1.0) / 100
    return whole
