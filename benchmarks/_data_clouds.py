"""Rows from five clouds, drawn at random from a seed. Needs numpy alone, which every peer has."""

import numpy as np
from numpy.typing import NDArray

#: Number of clouds.
N_CLOUDS = 5
_SPREAD = 0.6
_DISTANCE = 3.0


def clouds(n_rows: int, n_columns: int = 6) -> NDArray[np.float64]:
    """Return rows of clouds that stand anywhere, and overlap."""
    rng = np.random.default_rng(0)
    middles = rng.normal(size=(N_CLOUDS, n_columns))
    return _around(middles, n_rows, _SPREAD, rng)


def distinct_clouds(n_rows: int, n_columns: int = 6) -> NDArray[np.float64]:
    """Return rows of clouds that are equally far from each other, so that it is clear how many."""
    middles = _DISTANCE * np.eye(N_CLOUDS, n_columns)
    return _around(middles, n_rows, 1.0, np.random.default_rng(0))


def _around(
    middles: NDArray[np.float64], n_rows: int, spread: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    rows = middles[rng.integers(len(middles), size=n_rows)]
    return rows + spread * rng.normal(size=rows.shape)
