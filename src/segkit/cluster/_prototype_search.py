"""The search for prototypes: Lloyd's steps over numbers and one-hots (Huang 1998), and starts.

The distance of a row x from a prototype p is |x - p|² over the numbers plus gamma for each category
that differs. With c categorical columns and z the one-hots of a row, of which those of the modes
are m, it is |x|² - 2 x·p + |p|² + gamma (c - z·m): a matrix product over numbers and one-hots.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from threadpoolctl import ThreadpoolController

from segkit._blocks import row_blocks
from segkit.cluster._mixed_columns import Floats, MixedRows

Init: TypeAlias = Literal["cao", "k-means++", "random"]

# Rows of which the distances from some prototypes stay in the processor's cache.
_BLOCK = 1 << 14
# At least so many rows, and so many for each cluster, stand for many where starts are tried; and
# how many are tried.
_SAMPLE = 1 << 12
_SAMPLE_PER_CLUSTER = 1 << 7
_TRIALS = 5
# Share of the cost by which steps must lower it, before modes are in their places.
_ROUGH = 1e-4
# Share of the cost that another mode must save.
_LEAST_GAIN = 1e-5


@dataclass(frozen=True)
class Solution:
    """Prototypes, and their cost: the sum of the rows' distances from the nearest one."""

    prototypes: MixedRows
    cost: float
    n_iter: int


class Problem:
    """Rows to cluster, and how.

    Parameters
    ----------
    rows : MixedRows
        The rows. Their numbers should be centred, for the sake of the last digits.
    starts : ndarray of shape (n_categorical + 1,)
        Where the one-hots of each categorical column begin.
    gamma : float
        What a category that differs counts.
    """

    def __init__(self, rows: MixedRows, starts: NDArray[np.intp], gamma: float) -> None:
        self.rows, self.starts, self.gamma = rows, starts, gamma
        self._squares = np.einsum("ij,ij->i", rows.numbers, rows.numbers)
        self._onehots = list(_onehots(rows.places, int(starts[-1])))

    def distances(self, prototypes: MixedRows) -> Iterator[tuple[slice, Floats]]:
        """Yield the distances of rows from prototypes, less the squares of the rows' numbers."""
        n_categorical, n_onehots = self.rows.places.shape[1], int(self.starts[-1])
        centers = prototypes.numbers
        weights = np.zeros((n_onehots, len(prototypes)))
        weights[prototypes.places.T, np.arange(len(prototypes))] = -self.gamma
        constant = (centers**2).sum(axis=1) + self.gamma * n_categorical
        for block, onehots in self._onehots:
            found = self.rows.numbers[block] @ (-2.0 * centers.T)
            found += constant
            if n_categorical:
                found += onehots @ weights
            yield block, found

    def all_distances(self, prototypes: MixedRows) -> Floats:
        """Return the distances of shape (n_rows, n_prototypes)."""
        found = np.empty((len(self.rows), len(prototypes)))
        for block, distances in self.distances(prototypes):
            found[block] = distances
        found += self._squares[:, np.newaxis]
        return np.maximum(found, 0.0, out=found)

    def nearest(self, prototypes: MixedRows) -> tuple[NDArray[np.intp], Floats]:
        """Return the nearest prototype of each row, the first of equally near ones, and how far."""
        labels, nearest = np.empty(len(self.rows), dtype=np.intp), np.empty(len(self.rows))
        for block, distances in self.distances(prototypes):
            labels[block] = distances.argmin(axis=1)
            nearest[block] = distances[np.arange(len(distances)), labels[block]]
        nearest += self._squares
        return labels, np.maximum(nearest, 0.0, out=nearest)

    def prototypes_of(self, labels: NDArray[np.intp], before: MixedRows) -> MixedRows:
        """Return means and modes of the clusters; one without rows keeps its prototype.

        Of equally frequent categories the one that is more frequent in all rows is the mode.
        """
        n_rows, n_clusters = len(labels), len(before)
        sizes = np.bincount(labels, minlength=n_clusters)
        members = csr_array(
            (np.ones(n_rows), labels, np.arange(n_rows + 1)), shape=(n_rows, n_clusters)
        )
        numbers = (members.T @ self.rows.numbers) / np.maximum(sizes, 1)[:, np.newaxis]
        n_onehots = int(self.starts[-1])
        counts = np.zeros(n_clusters * n_onehots, dtype=np.intp)
        if n_onehots:
            for block in row_blocks(n_rows, _BLOCK):
                cells = labels[block, np.newaxis] * n_onehots + self.rows.places[block]
                counts += np.bincount(cells.ravel(), minlength=counts.size)
        table = counts.reshape(n_clusters, n_onehots)
        places = np.empty_like(before.places)
        for column, (start, end) in enumerate(zip(self.starts, self.starts[1:], strict=False)):
            places[:, column] = start + table[:, start:end].argmax(axis=1)
        empty = sizes == 0
        numbers[empty], places[empty] = before.numbers[empty], before.places[empty]
        return MixedRows(numbers, places)

    def rows_at(self, positions: NDArray[np.intp]) -> MixedRows:
        """Return some rows, as prototypes."""
        return MixedRows(self.rows.numbers[positions], self.rows.places[positions])

    def climb_down(self, prototypes: MixedRows, *, max_iter: int, tol: float) -> Solution:
        """Move prototypes until neither Lloyd's steps nor another mode lowers the cost."""
        rough = max(tol, _ROUGH)
        found = self.lloyd(prototypes, max_iter=max_iter, tol=rough)
        at_once, is_rough = True, rough > tol
        while found.n_iter < max_iter:
            least_gain = max(tol, _LEAST_GAIN) * found.cost
            moved = self._with_better_modes(found.prototypes, least_gain, at_once=at_once)
            if moved is None and not is_rough:
                break
            more = self.lloyd(
                found.prototypes if moved is None else moved,
                max_iter=max_iter - found.n_iter,
                tol=tol if moved is None else rough,
            )
            n_iter = found.n_iter + more.n_iter
            if moved is not None and more.cost >= found.cost:
                # Each mode helps by itself; together they need not.
                found, at_once = replace(found, n_iter=n_iter), False
                continue
            found, at_once = replace(more, n_iter=n_iter), True
            is_rough = moved is not None and rough > tol
        return found

    def lloyd(self, prototypes: MixedRows, *, max_iter: int, tol: float) -> Solution:
        """Send rows to the nearest prototype and make prototypes of them, until nothing moves."""
        labels, cost = np.full(len(self.rows), -1, dtype=np.intp), np.inf
        for n_iter in range(1, max_iter + 1):
            moved, distances = self.nearest(prototypes)
            before, cost = cost, float(distances.sum())
            if n_iter > 1 and (np.array_equal(moved, labels) or before - cost <= tol * before):
                break
            labels = moved
            _fill_empty(labels, distances, len(prototypes))
            prototypes = self.prototypes_of(labels, prototypes)
        return Solution(prototypes, cost, n_iter)

    def _with_better_modes(
        self, prototypes: MixedRows, least_gain: float, *, at_once: bool
    ) -> MixedRows | None:
        """Return prototypes with one category replaced in each, or in one where not `at_once`.

        A mode attracts the rows that have it, so that Lloyd's steps keep it where another one
        would have attracted more. None: no other one lowers the cost by more than `least_gain`.
        """
        costs, n_clusters = self._costs_of_modes(prototypes), len(prototypes)
        gains = np.zeros((n_clusters, len(self.starts) - 1))
        better = np.empty(gains.shape, dtype=np.int32)
        for column, (start, end) in enumerate(zip(self.starts, self.starts[1:], strict=False)):
            part = costs[:, start:end]
            modes = prototypes.places[:, column] - start
            better[:, column] = start + part.argmin(axis=1)
            gains[:, column] = part[np.arange(n_clusters), modes] - part.min(axis=1)
        if not gains.size or gains.max() <= least_gain:
            return None
        places = prototypes.places.copy()
        best = gains.argmax(axis=1)
        for cluster in range(n_clusters) if at_once else [int(gains.max(axis=1).argmax())]:
            if gains[cluster, best[cluster]] > least_gain:
                places[cluster, best[cluster]] = better[cluster, best[cluster]]
        return replace(prototypes, places=places)

    def _costs_of_modes(self, prototypes: MixedRows) -> Floats:
        """Return what each category as the mode of each cluster costs, but for a constant.

        Of shape (n_clusters, n_onehots); the constant is that of the cluster and the column. Rows
        go to the prototype that is then the nearest.
        """
        n_onehots = int(self.starts[-1])
        costs = np.zeros((len(prototypes), n_onehots))
        if len(prototypes) == 1 or not n_onehots:
            return costs
        for block, distances in self.distances(prototypes):
            first, second = np.partition(distances, 1, axis=1)[:, :2].T
            for cluster, modes in enumerate(prototypes.places):
                own = distances[:, cluster]
                others = np.where(own == first, second, first)
                near = np.flatnonzero(own - self.gamma < others)  # all others stay elsewhere
                places = self.rows.places[block][near]
                # With any other category in a column, and with the row's own.
                unlike = own[near, np.newaxis] + self.gamma * (places == modes)
                others = others[near, np.newaxis]
                saved = np.minimum(unlike - self.gamma, others) - np.minimum(unlike, others)
                costs[cluster] += np.bincount(
                    places.ravel(), weights=saved.ravel(), minlength=n_onehots
                )
        return costs

    def drawn(self, n_rows: int, rng: np.random.RandomState) -> Problem:
        """Return the problem for rows drawn with replacement."""
        positions = np.sort(rng.randint(len(self.rows), size=n_rows))
        return Problem(self.rows_at(positions), self.starts, self.gamma)


def _onehots(places: NDArray[np.int32], n_onehots: int) -> Iterator[tuple[slice, csr_array]]:
    """Yield one-hots, some rows at a time, as sparse matrices that share what they can."""
    n_rows, n_categorical = places.shape
    size = min(_BLOCK, n_rows)
    ones = np.ones(size * n_categorical)
    ends = (np.arange(size + 1) * n_categorical).astype(np.int32)
    for block in row_blocks(n_rows, _BLOCK):
        part = places[block]
        shared = (ones[: part.size], part.ravel(), ends[: len(part) + 1])
        yield block, csr_array(shared, shape=(len(part), max(n_onehots, 1)))


def exact_distances(rows: MixedRows, prototypes: MixedRows, gamma: float) -> Floats:
    """Return distances column by column, shape (n_rows, n_prototypes).

    A row's distances are the same to the last digit alone and among others, as those of a matrix
    product need not be.
    """
    found = np.zeros((len(rows), len(prototypes)))
    for block in row_blocks(len(rows), _BLOCK):
        part = found[block]
        for values, modes in zip(rows.places[block].T, prototypes.places.T, strict=True):
            part += values[:, np.newaxis] != modes
        part *= gamma
        for numbers, means in zip(rows.numbers[block].T, prototypes.numbers.T, strict=True):
            part += (numbers[:, np.newaxis] - means) ** 2
    return found


def exact_nearest(
    rows: MixedRows, prototypes: MixedRows, gamma: float
) -> tuple[NDArray[np.int64], Floats]:
    """Return the nearest prototype of each row, the first of equally near ones, and how far."""
    labels, nearest = np.empty(len(rows), dtype=np.int64), np.empty(len(rows))
    for block in row_blocks(len(rows), _BLOCK):
        part = MixedRows(rows.numbers[block], rows.places[block])
        found = exact_distances(part, prototypes, gamma)
        labels[block], nearest[block] = found.argmin(axis=1), found.min(axis=1)
    return labels, nearest


def draw_start(
    problem: Problem, n_clusters: int, init: Init, rng: np.random.RandomState, *, max_iter: int
) -> MixedRows:
    """Return first prototypes.

    Of many rows some are drawn, several starts are tried on them, and the best prototypes that
    these lead to are where the search among all rows begins (after Bradley & Fayyad 1998).
    """
    size = max(_SAMPLE, _SAMPLE_PER_CLUSTER * n_clusters)
    if len(problem.rows) <= size:
        return _rows_to_start(problem, n_clusters, init, rng)
    sample = problem.drawn(size, rng)
    found = [
        sample.lloyd(_rows_to_start(sample, n_clusters, init, rng), max_iter=max_iter, tol=_ROUGH)
        for _ in range(_TRIALS)
    ]
    best = min(found, key=lambda solution: solution.cost).prototypes
    return sample.climb_down(best, max_iter=max_iter, tol=_ROUGH).prototypes


def one_thread() -> AbstractContextManager[object]:
    """Keep BLAS from sharing small products among threads, which costs more than it saves."""
    limited: AbstractContextManager[object] = _threads().limit(limits=1, user_api="blas")
    return limited


@lru_cache(maxsize=1)
def _threads() -> ThreadpoolController:
    return ThreadpoolController()


def _rows_to_start(
    problem: Problem, n_clusters: int, init: Init, rng: np.random.RandomState
) -> MixedRows:
    """Return rows as first prototypes."""
    if init == "random":
        return problem.rows_at(rng.permutation(len(problem.rows))[:n_clusters])
    modes = _cao_modes(problem, n_clusters) if init == "cao" else []
    return _far_apart(problem, n_clusters, modes, rng)


def _far_apart(
    problem: Problem, n_clusters: int, modes: list[NDArray[np.int32]], rng: np.random.RandomState
) -> MixedRows:
    """Return rows far from each other, as greedy k-means++ draws them.

    The first are drawn among the rows that have the categories `modes`, the others among all.
    """
    n_draws = 2 + int(np.log(n_clusters))
    nearest = np.full(len(problem.rows), np.inf)
    chosen: list[int] = []
    for cluster in range(n_clusters):
        allowed = np.ones(len(nearest), dtype=bool)
        if cluster < len(modes):
            allowed = (problem.rows.places == modes[cluster]).all(axis=1)
        weights = np.where(allowed, nearest if chosen else 1.0, 0.0)
        if not weights.any():  # all of them are where a prototype is
            weights = allowed.astype(np.float64)
        ladder = np.cumsum(weights)
        draws = np.searchsorted(ladder, rng.random_sample(n_draws) * ladder[-1], side="right")
        # The last step of the ladder may be out of reach by rounding alone.
        draws = np.minimum(draws, np.flatnonzero(weights)[-1])
        found = np.minimum(problem.all_distances(problem.rows_at(draws)), nearest[:, np.newaxis])
        best = int(found.sum(axis=0).argmin())
        chosen.append(int(draws[best]))
        nearest = found[:, best]
    return problem.rows_at(np.array(chosen))


def _cao_modes(problem: Problem, n_clusters: int) -> list[NDArray[np.int32]]:
    """Return combinations of categories that are frequent and differ (Cao, Liang & Bai 2009).

    The first has the greatest density: the sum over the columns of how often its category occurs.
    Each further one has the greatest product of density and number of categories by which it
    differs, least over those before. Fewer than `n_clusters` where no other combination is left.
    """
    places = problem.rows.places
    if not places.shape[1]:
        return []
    counts = np.bincount(places.ravel(), minlength=int(problem.starts[-1]))
    density = counts[places].sum(axis=1)
    modes, scores = [], density
    nearest = np.full(len(places), np.iinfo(np.int64).max)
    for _ in range(n_clusters):
        if not scores.max():
            break
        # Of equal ones the first in the order of the categories, wherever it stands.
        best = np.unique(places[scores == scores.max()], axis=0)[0]
        modes.append(best)
        nearest = np.minimum(nearest, (places != best).sum(axis=1) * density)
        scores = nearest
    return modes


def _fill_empty(labels: NDArray[np.intp], distances: Floats, n_clusters: int) -> None:
    """Give each empty cluster the row farthest from its prototype, if its own is not emptied."""
    sizes = np.bincount(labels, minlength=n_clusters)
    empty = np.flatnonzero(sizes == 0)
    if not empty.size:
        return
    left = distances.copy()
    for cluster in empty:
        left[sizes[labels] < 2] = 0.0
        row = int(left.argmax())
        if left[row] <= 0.0:
            return
        sizes[labels[row]] -= 1
        sizes[cluster] += 1
        labels[row], left[row] = cluster, 0.0
