"""K-means of many tables and of many numbers of clusters at once.

Lloyd's iteration (1982) from greedy k-means++ centres (Arthur & Vassilvitskii, 2007; the greedy
choice among a few candidates is scikit-learn's). One seeding of as many centres as the largest
number of clusters serves all numbers: its first k centres start the partition into k.

It is meant for samples of a thousand rows and hundreds of tables, where a call of a library for
each table and number would cost more than the work.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

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
    centers: Floats32
    inertia: Floats

    def labels(self, table: int, count: int) -> NDArray[np.int64]:
        """Return each row's cluster, given the positions of the table and of the number."""
        labels: NDArray[np.int64] = self.members[table, self.counts.blocks[count]].argmax(axis=0)
        return labels


def batched_k_means(
    tables: NDArray[Any],
    counts: ClusterCounts,
    *,
    n_init: int,
    rng: np.random.Generator,
    max_iter: int = 25,
) -> Partitions:
    """Return the best of `n_init` partitions of each table (n_tables, n_rows, n_columns)."""
    tables = np.ascontiguousarray(tables, np.float32)
    size = max(1, _BLOCK // (n_init * counts.total * tables.shape[1]))
    parts = [
        _partitions(tables[start : start + size], counts, n_init, rng, max_iter)
        for start in range(0, len(tables), size)
    ]
    members, centers, inertia = (np.concatenate(part) for part in zip(*parts, strict=True))
    return Partitions(counts, members, centers, inertia)


def _partitions(
    X: Floats32, counts: ClusterCounts, n_init: int, rng: np.random.Generator, max_iter: int
) -> tuple[Floats32, Floats32, Floats]:
    n_tables, n_rows, n_columns = X.shape
    columns = np.ascontiguousarray(X.transpose(0, 2, 1))
    squares = np.square(X).sum(axis=2)
    seeds = _seeds(X, columns, squares, max(counts.counts), n_init, rng)
    centers = np.concatenate([seeds[:, :, :k] for k in counts.counts], axis=2)
    centers = centers.reshape(n_tables, n_init * counts.total, n_columns)
    members = np.empty((n_tables, n_init, counts.total, n_rows), np.float32)
    nearest = np.empty((n_tables, n_init, len(counts), n_rows), np.float32)
    before = None
    for _ in range(max_iter):
        # Squared distances less the square of the row, which all centres have in common.
        distances = (-2 * centers) @ columns
        distances += np.square(centers).sum(axis=2)[..., None]
        distances = distances.reshape(members.shape)
        for i, block in enumerate(counts.blocks):
            np.min(distances[:, :, block], axis=2, out=nearest[:, :, i])
            np.less_equal(
                distances[:, :, block],
                nearest[:, :, i : i + 1],
                out=members[:, :, block],
                casting="unsafe",
            )
        inertia = nearest.sum(axis=3, dtype=np.float64)
        inertia += squares.sum(axis=1, dtype=np.float64)[:, None, None]
        if before is not None and np.all(before - inertia <= _TOLERANCE * inertia):
            break
        before = inertia
        in_runs = members.reshape(n_tables, n_init * counts.total, n_rows)
        sizes = in_runs.sum(axis=2)[..., None]
        centers = np.where(sizes > 0, (in_runs @ X) / np.maximum(sizes, 1), centers)
    best = np.repeat(inertia.argmin(axis=1), counts.counts, axis=1)
    of_best = np.arange(n_tables)[:, None], best, np.arange(counts.total)
    centers = centers.reshape(n_tables, n_init, counts.total, n_columns)[of_best]
    return _exclusive(members[of_best], counts), centers, inertia.min(axis=1)


def _seeds(
    X: Floats32,
    columns: Floats32,
    squares: Floats32,
    n_clusters: int,
    n_init: int,
    rng: np.random.Generator,
) -> Floats32:
    """Return greedy k-means++ centres (n_tables, n_init, n_clusters, n_columns)."""
    n_tables, n_rows, n_columns = X.shape
    table = np.arange(n_tables)[:, None, None]
    seeds = np.empty((n_tables, n_init, n_clusters, n_columns), np.float32)
    seeds[:, :, 0] = X[table[..., 0], rng.integers(n_rows, size=(n_tables, n_init))]
    nearest = _squared_distances(seeds[:, :, 0], columns, squares)
    for j in range(1, n_clusters):
        reached = np.cumsum(nearest, axis=2, dtype=np.float64)
        drawn = rng.random((n_tables, n_init, _CANDIDATES)) * reached[:, :, -1:]
        rows = np.array(
            [
                [np.searchsorted(reached[s, r], drawn[s, r]) for r in range(n_init)]
                for s in range(n_tables)
            ]
        )
        candidates = X[table, np.minimum(rows, n_rows - 1)]
        flat = candidates.reshape(n_tables, n_init * _CANDIDATES, n_columns)
        distances = _squared_distances(flat, columns, squares)
        distances = distances.reshape(n_tables, n_init, _CANDIDATES, n_rows)
        np.minimum(distances, nearest[:, :, None], out=distances)
        best = distances.sum(axis=3).argmin(axis=2)[:, :, None, None]
        seeds[:, :, j] = np.take_along_axis(candidates, best, axis=2)[:, :, 0]
        nearest = np.take_along_axis(distances, best, axis=2)[:, :, 0]
    return seeds


def _squared_distances(centers: Floats32, columns: Floats32, squares: Floats32) -> Floats32:
    distances: Floats32 = (-2 * centers) @ columns
    distances += np.square(centers).sum(axis=2)[..., None]
    distances += squares[:, None]
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
