"""Which cells of a crossing are merged into which: the smallest into its nearest neighbour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

Cells: TypeAlias = NDArray[np.int64]


class Merge(NamedTuple):
    """A cell that is merged into another, with the customers that it then has, and why."""

    cell: int
    customers: int
    into: int
    reason: str


@dataclass(frozen=True)
class CrossedCells:
    """The cells of a crossing, numbered in the order of their segments, and what became of them.

    `counts` has the customers of every cell, `cores` the cells that are left, and `code_of_cell`
    where each cell went: the position of one of them.
    """

    shape: tuple[int, ...]
    counts: Cells
    cores: Cells
    code_of_cell: Cells
    merges: tuple[Merge, ...]

    @property
    def seen(self) -> Cells:
        """The cells with customers."""
        return np.flatnonzero(self.counts)

    @property
    def sizes(self) -> Cells:
        """The customers of each segment."""
        sizes = np.zeros(len(self.cores), dtype=np.int64)
        np.add.at(sizes, self.code_of_cell, self.counts)
        return sizes

    def codes_of(self, cells: Cells) -> Cells:
        """Return the code of each cell, -1 where it is -1."""
        codes: Cells = np.append(self.code_of_cell, -1)[cells]
        return codes

    def seen_cells_of(self, code: int) -> list[int]:
        """Return the cells with customers that went to a segment, its own first."""
        core = int(self.cores[code])
        cells = [int(cell) for cell in self.seen if self.code_of_cell[cell] == code]
        return [core, *(cell for cell in cells if cell != core)]


def merged_cells(counts: NDArray[Any], *, least: float, most: int) -> CrossedCells:
    """Merge cells with fewer than `least` customers, and the smallest until there are `most`."""
    shape = counts.shape
    flat = counts.ravel().astype(np.int64)
    codes = np.array(np.unravel_index(np.arange(flat.size), shape)).T
    size = flat.copy()
    seen = np.flatnonzero(flat)
    left, goes_to = seen, np.arange(flat.size)
    merges = []
    while len(left) > 1:
        # Of equally small ones the last, because segments come best or first first.
        sizes = size[left]
        place = int(np.flatnonzero(sizes == sizes.min())[-1])
        smallest = int(left[place])
        if size[smallest] < least:
            reason = "min_size"
        elif len(left) > most:
            reason = "max_segments"
        else:
            break
        left = np.delete(left, place)
        into = _nearest(smallest, left, codes, size)
        merges.append(Merge(smallest, int(size[smallest]), into, reason))
        size[into] += size[smallest]
        goes_to[smallest] = into
    for cell in np.flatnonzero(flat == 0).tolist():
        goes_to[cell] = _nearest(cell, seen, codes, flat)
    for merge in reversed(merges):
        goes_to[merge.cell] = goes_to[merge.into]
    empty = flat == 0
    goes_to[empty] = goes_to[goes_to[empty]]
    cores = left.astype(np.int64)
    return CrossedCells(
        shape, flat, cores, np.searchsorted(cores, goes_to).astype(np.int64), tuple(merges)
    )


def _nearest(cell: int, others: Cells, codes: Cells, size: Cells) -> int:
    """Return which of the others is nearest.

    By segments shared, then places between, then which are shared, then size, then order.
    """
    apart = np.abs(codes[others] - codes[cell])
    differs = apart > 0
    criteria = [differs.sum(axis=1), apart.sum(axis=1), *differs.T, -size[others]]
    nearest = np.arange(len(others))
    for criterion in criteria:
        found = criterion[nearest]
        nearest = nearest[found == found.min()]
    return int(others[nearest[0]])
