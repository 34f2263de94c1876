"""Flows between two columns of blocks, as bands that are as thick as they are large."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from segkit.plotting._drawing import pyplot

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# The columns of blocks reach from 0 to this on the left, and as far from 1 on the right.
WIDTH = 0.035
# Of all customers, between two blocks.
_GAP = 0.018
# Where the control points of the bands' curves are, between the columns.
_BEND = 0.45


@dataclass(frozen=True)
class Blocks:
    """A column of blocks from the top down: where each begins and ends, in customers."""

    tops: NDArray[np.float64]
    bottoms: NDArray[np.float64]

    @classmethod
    def of(cls, sizes: NDArray[Any], total: float) -> Blocks:
        """Stack blocks of these sizes, with gaps between those that are not empty."""
        is_there = sizes > 0
        gaps = np.cumsum(is_there) * _GAP * total
        bottoms = np.cumsum(sizes) + gaps
        return cls(bottoms - sizes, bottoms)

    @property
    def middles(self) -> NDArray[np.float64]:
        """Where the names go."""
        return (self.tops + self.bottoms) / 2


def draw_flows(
    ax: Axes,
    counts: NDArray[Any],
    colours: Sequence[Sequence[str]],
    *,
    kept: NDArray[np.bool_],
) -> tuple[Blocks, Blocks]:
    """Draw the blocks of the rows on the left, those of the columns on the right, and the bands.

    `colours` are those of the rows and of the columns, `kept` tells which bands are faint: those
    who stayed.
    """
    total = float(counts.sum())
    left, right = Blocks.of(counts.sum(axis=1), total), Blocks.of(counts.sum(axis=0), total)
    for blocks, x, fills in ((left, 0.0, colours[0]), (right, 1 - WIDTH, colours[1])):
        for top, bottom, fill in zip(blocks.tops, blocks.bottoms, fills, strict=True):
            patch = pyplot().Rectangle((x, top), WIDTH, bottom - top, color=fill, linewidth=0)
            ax.add_patch(patch)
    begins = left.tops[:, None] + np.cumsum(counts, axis=1) - counts
    ends = right.tops[None, :] + np.cumsum(counts, axis=0) - counts
    # The small ones last, so that they lie on top.
    order = np.argsort(-counts, axis=None, kind="stable")
    for row, column in zip(*np.unravel_index(order, counts.shape), strict=True):
        if size := float(counts[row, column]):
            _draw_band(
                ax,
                (float(begins[row, column]), float(ends[row, column])),
                size,
                colour=colours[0][row],
                alpha=0.28 if kept[row, column] else 0.6,
            )
    return left, right


def spread_out(places: NDArray[np.float64], least: float) -> NDArray[np.float64]:
    """Return ascending places moved as little as need be to lie so far apart.

    The places are pooled like violators in isotonic regression: where some are too close, they
    are set `least` apart around their common middle.
    """
    shifted = np.asarray(places, dtype=np.float64) - least * np.arange(len(places))
    pools: list[tuple[float, int]] = []
    for place in shifted:
        mean, size = float(place), 1
        while pools and pools[-1][0] > mean:
            other, n_other = pools.pop()
            mean, size = (mean * size + other * n_other) / (size + n_other), size + n_other
        pools.append((mean, size))
    spread = np.repeat([mean for mean, _ in pools], [size for _, size in pools])
    return np.asarray(spread + least * np.arange(len(places)), dtype=np.float64)


def _draw_band(
    ax: Axes, tops: tuple[float, float], size: float, *, colour: str, alpha: float
) -> None:
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    start, end = WIDTH, 1 - WIDTH
    near, far = start + _BEND * (end - start), end - _BEND * (end - start)
    (top, target), bottom = tops, size
    corners = [
        *((start, top), (near, top), (far, target), (end, target)),
        (end, target + bottom),
        *((far, target + bottom), (near, top + bottom), (start, top + bottom)),
        (start, top),
    ]
    codes = [
        *(Path.MOVETO, Path.CURVE4, Path.CURVE4, Path.CURVE4),
        Path.LINETO,
        *(Path.CURVE4, Path.CURVE4, Path.CURVE4),
        Path.CLOSEPOLY,
    ]
    ax.add_patch(PathPatch(Path(corners, codes), color=colour, alpha=alpha, linewidth=0))
