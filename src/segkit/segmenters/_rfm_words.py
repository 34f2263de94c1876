"""What defines an RFM segment, in words: its scores, and their thresholds in the data's units."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segkit.segmenters._segment_map import Range, SegmentMap


@dataclass(frozen=True)
class ScoredColumn:
    """A column, its edges and its direction."""

    name: str
    edges: NDArray[np.float64]
    smaller_is_better: bool

    def values_of(self, scores: Range) -> tuple[float | None, float | None]:
        """Return the edge that values with these scores exceed, and the one they reach at most.

        None where there is no such bound. Of the n_bins - 1 edges, those below a value number
        low - 1 to high - 1, or, where smaller is better, n_bins - high to n_bins - low.
        """
        low, high = scores
        n_bins = self.edges.size + 1
        fewest, most = (
            (n_bins - high, n_bins - low) if self.smaller_is_better else (low - 1, high - 1)
        )
        above = None if fewest == 0 else float(self.edges[fewest - 1])
        up_to = None if most == n_bins - 1 else float(self.edges[most])
        return above, up_to


def rules(segment_map: SegmentMap) -> list[str]:
    """Return the scores of each segment, in words."""

    def words(dimension: str, scores: Range) -> str:
        low, high = scores
        if scores == (1, top[dimension]):
            return ""
        return f"{dimension} {low}" if low == high else f"{dimension} {low}–{high}"

    top = dict(zip(segment_map.dimensions, segment_map.n_bins, strict=True))
    return _each_segment(segment_map, words, ", ")


def thresholds(segment_map: SegmentMap, columns: Mapping[str, ScoredColumn]) -> list[str]:
    """Return the same in the units of the data, given the column of each dimension."""

    def words(dimension: str, scores: Range) -> str:
        column = columns[dimension]
        above, up_to = column.values_of(scores)
        if above is None:
            return "" if up_to is None else f"{column.name} ≤ {up_to:,.10g}"
        if up_to is None:
            return f"{column.name} > {above:,.10g}"
        if above == up_to:
            return f"never (ties leave no {column.name} for this score)"
        digits = 10 if f"{above:.10g}" != f"{up_to:.10g}" else 17
        return f"{above:,.{digits}g} < {column.name} ≤ {up_to:,.{digits}g}"

    return _each_segment(segment_map, words, " and ")


def _each_segment(
    segment_map: SegmentMap, words: Callable[[str, Range], str], separator: str
) -> list[str]:
    described = []
    for position, name in enumerate(segment_map.names):
        boxes = [
            separator.join(filter(None, (words(*item) for item in box.items()))) or "any score"
            for box in segment_map.boxes(name)
        ]
        text = " or ".join(boxes) or "none of the above"
        if boxes and segment_map.first_match and position:
            text += ", if none above"
        described.append(text)
    return described
