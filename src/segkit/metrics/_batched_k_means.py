"""K-means of many tables, of many numbers of clusters and from many starts at once.

Lloyd's iteration (1982) from greedy k-means++ centres (Arthur & Vassilvitskii, 2007; the greedy
choice among a few candidates is scikit-learn's). One seeding of as many centres as the largest
number of clusters serves all numbers: its first k centres start the partition into k.

It is meant for samples of a few thousand rows, where a call of a library for each table, number
and start would cost more than the work. Single precision finds the same clusters in half the time:
tables are put around their mean first, so that what is far from zero loses no digits. Where the
last digits count, ``AnchoredLloyd`` goes on from there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from segkit._blocks import row_blocks
from segkit.metrics._arguments import Floats

Floats32: TypeAlias = NDArray[np.float32]

_CANDIDATES = 3
_TOLERANCE = 1e-4
# Distances of so many rows to centres are held at a time: they stay in the processor's cache.
_BLOCK = 1 << 20


@dataclass(frozen=True)
class ClusterCounts:
    """The numbers of clusters that are tried, ascending, each with a block of clusters of its own.

    The clusters of all numbers stand one after the other: those of the smallest number first.
    """

    counts: tuple[int, ...]

    @property
    def total(self) -> int:
        """How many clusters there are of all numbers together."""
        return sum(self.counts)

    @property
    def blocks(self) -> list[slice]:
        """Where the clusters of each number are."""
        ends = np.cumsum(self.counts)
        return [slice(int(end) - k, int(end)) for k, end in zip(self.counts, ends, strict=True)]

    def __len__(self) -> int:
        return len(self.counts)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.array(self.counts, dtype=dtype or np.int64)


@dataclass(frozen=True)
class Partitions:
    """Partitions of each table into each number of clusters.

    `members` (n_tables, total, n_rows) is 1 where a row is in a cluster, else 0. `centers`
    (n_tables, total, n_columns) are those the rows are nearest to, `inertia` (n_tables, n_counts)
    the sum of squared distances to them.
    """

    counts: ClusterCounts
    members: Floats32
    centers: Floats
    inertia: Floats

    def labels(self, table: int, count: int) -> NDArray[np.int64]:
        """Return each row's cluster, given the positions of the table and of the number."""
        labels: NDArray[np.int64] = self.members[table, self.counts.blocks[count]].argmax(axis=0)
        return labels


@dataclass(frozen=True)
class Runs:
    """Where each run ended, before the best is chosen.

    `centers` is (n_tables, n_runs, total, n_columns), `inertia` (n_tables, n_runs, n_counts).
    """

    centers: Floats
    inertia: Floats


def batched_k_means(
    tables: NDArray[Any],
    counts: ClusterCounts,
    *,
    n_init: int,
    rng: np.random.Generator,
    max_iter: int = 25,
) -> Partitions:
    """Return the best of `n_init` partitions of each table (n_tables, n_rows, n_columns)."""
    parts = []
    for some in _cached(tables, n_init * counts.total):
        seeds = _seeds(some, max(counts.counts), n_init, rng)
        centers, inertia = _lloyd(some, seeds, counts, max_iter, _TOLERANCE)
        best = np.repeat(inertia.argmin(axis=1), counts.counts, axis=1)
        centers = centers[np.arange(len(some))[:, None], best, np.arange(counts.total)]
        members = _assigned(some, centers[:, None], counts)[0][:, 0]
        squared = np.square(some.scale[:, 0]) * inertia.min(axis=1)
        parts.append((_exclusive(members, counts), some.placed(centers), squared))
    return Partitions(counts, *(np.concatenate(part) for part in zip(*parts, strict=True)))


def k_means_runs(
    tables: NDArray[Any],
    counts: ClusterCounts,
    *,
    n_init: int,
    rng: np.random.Generator,
    max_iter: int,
    tolerance: float,
    starts: Sequence[Floats] = (),
) -> Runs:
    """Return where all runs end.

    Parameters
    ----------
    tables : ndarray of shape (n_tables, n_rows, n_columns)
        The tables.
    counts : ClusterCounts
        The numbers of clusters.
    n_init : int
        Number of runs of each table whose first centres are drawn.
    rng : Generator
        Draws them.
    max_iter : int
        Number of steps, at most.
    tolerance : float
        A run ends where a step lowers its inertia by no more than this part of it.
    starts : sequence of ndarray of shape (largest number of clusters, n_columns)
        First centres of further runs, of each table.
    """
    parts = []
    for some in _cached(tables, (n_init + len(starts)) * counts.total):
        drawn = _seeds(some, max(counts.counts), n_init, rng)
        given = [((start - some.middle) / some.scale)[:, None] for start in starts]
        seeds = np.concatenate([drawn, *given], axis=1, dtype=np.float32, casting="same_kind")
        centers, inertia = _lloyd(some, seeds, counts, max_iter, tolerance)
        parts.append((some.placed(centers), inertia * np.square(some.scale)))
    return Runs(*(np.concatenate(part) for part in zip(*parts, strict=True)))


class _Tables:
    """Tables in single precision, around their mean and in units of the farthest value from it."""

    def __init__(self, tables: NDArray[Any]) -> None:
        self.middle: Floats = tables.mean(axis=1, dtype=np.float64, keepdims=True)
        around = tables - self.middle
        farthest = np.abs(around).max(axis=(1, 2), keepdims=True)
        self.scale: Floats = np.where(farthest > 0, farthest, 1.0)
        self.rows: Floats32 = (around / self.scale).astype(np.float32)
        self.columns: Floats32 = np.ascontiguousarray(self.rows.transpose(0, 2, 1))
        self.squares: Floats32 = np.square(self.rows).sum(axis=2)

    def __len__(self) -> int:
        return len(self.rows)

    def placed(self, centers: Floats32) -> Floats:
        """Return centres (n_tables, ..., n_columns) where the tables were, in their units."""
        ones = [1] * (centers.ndim - 2)
        placed: Floats = centers * self.scale.reshape(-1, *ones, 1)
        placed += self.middle.reshape(len(self), *ones, -1)
        return placed


def _cached(tables: NDArray[Any], n_centers: int) -> Iterator[_Tables]:
    """Yield tables, as many at a time as stay in the cache with so many centres of each."""
    size = max(1, _BLOCK // (n_centers * tables.shape[1]))
    for some in row_blocks(len(tables), size):
        yield _Tables(tables[some])


def _lloyd(
    tables: _Tables, seeds: Floats32, counts: ClusterCounts, max_iter: int, tolerance: float
) -> tuple[Floats32, Floats]:
    """Return the centres and the inertia at which each run ends, from its first centres."""
    centers = np.concatenate([seeds[:, :, :k] for k in counts.counts], axis=2)
    inertia = np.full((len(tables), centers.shape[1], len(counts)), np.inf)
    active = np.arange(centers.shape[1])
    squares = tables.squares.sum(axis=1, dtype=np.float64)[:, None, None]
    members = None
    for step in range(max_iter):
        here = centers[:, active]
        members, nearest = _assigned(tables, here, counts, members)
        reached = nearest.sum(axis=3, dtype=np.float64) + squares
        lower = inertia[:, active] - reached > tolerance * reached
        inertia[:, active] = reached
        goes_on = lower.any(axis=(0, 2))
        if step == max_iter - 1 or not goes_on.any():
            break
        flat = members.reshape(len(tables), -1, members.shape[3])
        sizes = flat.sum(axis=2).reshape(members.shape[:3])[..., None]
        sums = (flat @ tables.rows).reshape(here.shape)
        here = np.where(sizes > 0, sums / np.maximum(sizes, 1), here)
        active = active[goes_on]
        centers[:, active] = here[:, goes_on]
    return centers, inertia


def _assigned(
    tables: _Tables, centers: Floats32, counts: ClusterCounts, members: Floats32 | None = None
) -> tuple[Floats32, Floats32]:
    """Return the members of each run's clusters, and the squared distances to the nearest centre.

    The latter are less the square of the row, which all centres have in common. A row that is
    equally near to several centres is a member of each.
    """
    n_tables, n_runs, total, n_columns = centers.shape
    flat = centers.reshape(n_tables, n_runs * total, n_columns)
    distances = (-2 * flat) @ tables.columns
    distances += np.square(flat).sum(axis=2)[..., None]
    distances = distances.reshape(n_tables, n_runs, total, -1)
    if members is None or members.shape != distances.shape:
        members = np.empty_like(distances)
    nearest = np.empty((n_tables, n_runs, len(counts), distances.shape[3]), np.float32)
    for i, block in enumerate(counts.blocks):
        np.min(distances[:, :, block], axis=2, out=nearest[:, :, i])
        np.less_equal(
            distances[:, :, block],
            nearest[:, :, i : i + 1],
            out=members[:, :, block],
            casting="unsafe",
        )
    return members, nearest


def _seeds(tables: _Tables, n_clusters: int, n_init: int, rng: np.random.Generator) -> Floats32:
    """Return greedy k-means++ centres (n_tables, n_init, n_clusters, n_columns)."""
    n_tables, n_rows, n_columns = tables.rows.shape
    table = np.arange(n_tables)[:, None, None]
    seeds = np.empty((n_tables, n_init, n_clusters, n_columns), np.float32)
    seeds[:, :, 0] = tables.rows[table[..., 0], rng.integers(n_rows, size=(n_tables, n_init))]
    nearest = _squared_distances(tables, seeds[:, :, 0])
    for j in range(1, n_clusters):
        reached = np.cumsum(nearest, axis=2, dtype=np.float64)
        drawn = rng.random((n_tables, n_init, _CANDIDATES)) * reached[:, :, -1:]
        rows = np.array(
            [
                [np.searchsorted(reached[s, r], drawn[s, r]) for r in range(n_init)]
                for s in range(n_tables)
            ]
        )
        candidates = tables.rows[table, np.minimum(rows, n_rows - 1)]
        flat = candidates.reshape(n_tables, n_init * _CANDIDATES, n_columns)
        distances = _squared_distances(tables, flat)
        distances = distances.reshape(n_tables, n_init, _CANDIDATES, n_rows)
        np.minimum(distances, nearest[:, :, None], out=distances)
        best = distances.sum(axis=3).argmin(axis=2)[:, :, None, None]
        seeds[:, :, j] = np.take_along_axis(candidates, best, axis=2)[:, :, 0]
        nearest = np.take_along_axis(distances, best, axis=2)[:, :, 0]
    return seeds


def _squared_distances(tables: _Tables, centers: Floats32) -> Floats32:
    """Return the squared distances of each table's rows to its own (n_tables, n, n_columns)."""
    distances: Floats32 = (-2 * centers) @ tables.columns
    distances += np.square(centers).sum(axis=2)[..., None]
    distances += tables.squares[:, None]
    np.maximum(distances, 0, out=distances)
    return distances


def _exclusive(members: Floats32, counts: ClusterCounts) -> Floats32:
    """Return the members with each row in the first of those clusters that are equally near."""
    for block in counts.blocks:
        twice = members[:, block].sum(axis=1) > 1
        for table, row in zip(*np.nonzero(twice), strict=True):
            first = members[table, block, row].argmax()
            members[table, block, row] = 0
            members[table, block.start + first, row] = 1
    return members
