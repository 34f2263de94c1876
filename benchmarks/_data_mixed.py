"""Customers described by numbers and by categories, in overlapping groups: seeded."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

_GROUPS = 8
_NUMBERS = 4
_CATEGORIES = (2, 3, 5, 8)
# How far the groups' means are apart, in standard deviations within a group.
_SPREAD = 2.0


def write_mixed(path: Path, n_customers: int, *, seed: int = 0) -> None:
    """Write four numbers, each with mean 0 and standard deviation 1, and four categories.

    Parameters
    ----------
    path : Path
        The Parquet file: n0 to n3, floats; c0 to c3, text.
    n_customers : int
        Number of customers.
    seed : int
        Of the random numbers.
    """
    rng = np.random.default_rng(seed)
    group = rng.integers(_GROUPS, size=n_customers)
    columns = {}
    for column in range(_NUMBERS):
        means = rng.normal(0.0, _SPREAD, _GROUPS)
        values = means[group] + rng.normal(size=n_customers)
        columns[f"n{column}"] = (values - values.mean()) / values.std()
    for column, n_categories in enumerate(_CATEGORIES):
        chances = np.cumsum(rng.dirichlet(np.ones(n_categories), size=_GROUPS), axis=1)
        drawn = (rng.random(n_customers)[:, np.newaxis] > chances[group]).sum(axis=1)
        columns[f"c{column}"] = [f"c{value}" for value in np.minimum(drawn, n_categories - 1)]
    pq.write_table(pa.table(columns), path, compression="none")
