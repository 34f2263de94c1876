"""What defines an RFM segment, in words: its scores, and their thresholds in the data's units."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segkit.segmenters._segment_map import Range, SegmentMap


@dataclass(frozen=True)
class ScoredColumn:
    """A column, its edges and its direction.

    Where the edges were learned within the scores of other dimensions, `within` names these, and
    the edges have an axis for the scores of each.
    """

    dimension: str
    name: str
    edges: NDArray[np.float64]
    smaller_is_better: bool
    within: Sequence[str] = ()

    @property
    def all_scores(self) -> Range:
        """The lowest and the highest score."""
        return 1, self.edges.shape[-1] + 1

    def values_of(self, cell: Mapping[str, Range]) -> tuple[float | None, float | None]:
        """Return the edge that values with a cell's scores exceed, and the one they reach at most.

        None where there is no such bound. Of the n_bins - 1 edges, those below a value number
        low - 1 to high - 1, or, where smaller is better, n_bins - high to n_bins - low. The cell
        has one score of each dimension in `within`.
        """
        edges = self.edges[tuple(cell[outer][0] - 1 for outer in self.within)]
        low, high = cell[self.dimension]
        n_bins = edges.size + 1
        fewest, most = (
            (n_bins - high, n_bins - low) if self.smaller_is_better else (low - 1, high - 1)
        )
        above = None if fewest == 0 else float(edges[fewest - 1])
        up_to = None if most == n_bins - 1 else float(edges[most])
        return above, up_to


def rules(segment_map: SegmentMap) -> list[str]:
    """Return the scores of each segment, in words."""
    top = dict(zip(segment_map.dimensions, segment_map.n_bins, strict=True))

    def words(box: Mapping[str, Range]) -> list[str]:
        parts = []
        for dimension, (low, high) in box.items():
            if (low, high) != (1, top[dimension]):
                parts.append(f"{dimension} {low}" if low == high else f"{dimension} {low}–{high}")
        return [", ".join(parts) or "any score"]

    return _each_segment(segment_map, words)


def thresholds(segment_map: SegmentMap, columns: Mapping[str, ScoredColumn]) -> list[str]:
    """Return the same in the units of the data, given the column of each dimension."""

    def words(box: Mapping[str, Range]) -> list[str]:
        scores = {name: box.get(name, column.all_scores) for name, column in columns.items()}
        bounded = {name for name in scores if scores[name] != columns[name].all_scores}
        # Edges that were learned within other scores differ by these, which are told one by one.
        apart = {outer for name in bounded for outer in columns[name].within}
        choices = [
            [(score, score) for score in range(low, high + 1)] if name in apart else [(low, high)]
            for name, (low, high) in scores.items()
        ]
        texts = []
        for choice in itertools.product(*choices):
            cell = dict(zip(scores, choice, strict=True))
            told = [_threshold(columns[name], cell) for name in scores if name in bounded | apart]
            texts.append(" and ".join(filter(None, told)) or "any score")
        reached = [text for text in texts if _NEVER not in text]
        return reached or texts[:1]

    return _each_segment(segment_map, words)


_NEVER = "never (ties leave no "


def _threshold(column: ScoredColumn, cell: Mapping[str, Range]) -> str:
    above, up_to = column.values_of(cell)
    if above is None:
        return "" if up_to is None else f"{column.name} ≤ {up_to:,.10g}"
    if up_to is None:
        return f"{column.name} > {above:,.10g}"
    if above == up_to:
        return f"{_NEVER}{column.name} for this score)"
    digits = 10 if f"{above:.10g}" != f"{up_to:.10g}" else 17
    return f"{above:,.{digits}g} < {column.name} ≤ {up_to:,.{digits}g}"


def _each_segment(
    segment_map: SegmentMap, words: Callable[[Mapping[str, Range]], list[str]]
) -> list[str]:
    described = []
    for position, name in enumerate(segment_map.names):
        boxes = segment_map.boxes(name)
        texts = [text for box in boxes for text in words(box)]
        text = " or ".join(texts) or "none of the above"
        if boxes and segment_map.first_match and position:
            text += ", if none above"
        described.append(text)
    return described
