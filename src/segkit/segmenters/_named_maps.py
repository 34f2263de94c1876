"""The segment maps that segkit ships, with the order and the gaps of their sources."""

from collections.abc import Mapping, Sequence
from typing import Any

from segkit._input_checks import nearest
from segkit.exceptions import SegmentMapError
from segkit.segmenters._segment_map import SegmentMap

NAMED_MAPS = ("rf_grid", "r_rfm", "pymc")

# Recency by frequency, in fifths; without gaps or overlaps.
_RF_GRID = {
    "Champions": ((5, 5), (4, 5)),
    "Loyal": ((3, 4), (4, 5)),
    "Potential Loyalist": ((4, 5), (2, 3)),
    "New": ((5, 5), (1, 1)),
    "Promising": ((4, 4), (1, 1)),
    "Need Attention": ((3, 3), (3, 3)),
    "About to Sleep": ((3, 3), (1, 2)),
    "Can't Lose": ((1, 2), (5, 5)),
    "At Risk": ((1, 2), (3, 4)),
    "Hibernating": ((1, 2), (1, 2)),
}

# The R package rfm 0.3.0, vignette "RFM customer level data": ordered, the first match wins.
_R_RFM = {
    "Champions": ((5, 5), (5, 5), (5, 5)),
    "Potential Loyalist": ((3, 5), (3, 5), (2, 5)),
    "Loyal": ((2, 4), (2, 4), (2, 4)),
    "Promising": ((3, 4), (1, 3), (3, 5)),
    "New": ((4, 5), (1, 3), (1, 5)),
    "Can't Lose": ((1, 2), (3, 4), (4, 5)),
    "At Risk": ((1, 2), (2, 5), (4, 5)),
    "Need Attention": ((1, 3), (3, 5), (3, 5)),
    "About To Sleep": ((2, 3), (1, 3), (1, 4)),
    "Lost": ((1, 1), (1, 5), (1, 5)),
}

# pymc-marketing 0.19.2, default segments of rfm_segments: cells of quartile scores.
_PYMC = {
    "Premium": "333 334 343 344 433 434 443 444",
    "Repeat": "143 232 233 234 243 244 332",
    "Top Spender": "124 133 134 144 224 313 314 323 324 413 414 423 424",
    "At Risk": "122 123 132 212 214 222 223 312 322 412 422",
    "Inactive": "111 112 113 114 211 311 411",
}


def named_segment_map(name: str, n_bins: Mapping[str, int]) -> SegmentMap:
    """Return a map by name, for a scorer with these numbers of scores per dimension.

    ``"rf_grid"`` is drawn in fifths and fits any number of scores: a score stands for the fifth in
    which the middle of its share of the scale lies. The others are published for one number.
    """
    if name == "rf_grid":
        return _rf_grid(n_bins.get("recency", 5), n_bins.get("frequency", 5))
    if name == "r_rfm":
        segments: dict[str, Any] = {
            segment: dict(zip(("recency", "frequency", "monetary"), box, strict=True))
            for segment, box in _R_RFM.items()
        }
        return SegmentMap(segments, n_bins=5, first_match=True, default="Others")
    if name == "pymc":
        cells = {segment: listed.split() for segment, listed in _PYMC.items()}
        return SegmentMap(cells, n_bins=4, default="Other")
    raise SegmentMapError(f"SegmentMap: there is no map {name!r}; the maps are {NAMED_MAPS}.")


def fitting_map(given: str | SegmentMap, n_bins: Mapping[str, int]) -> SegmentMap:
    """Return the map for a scorer with these numbers of scores, which must be those it is for."""
    segment_map = named_segment_map(given, n_bins) if isinstance(given, str) else given
    name = f"segment_map={given!r}" if isinstance(given, str) else "the SegmentMap"
    for dimension, bins in zip(segment_map.dimensions, segment_map.n_bins, strict=True):
        if dimension not in n_bins:
            near = nearest(dimension, list(n_bins))
            raise SegmentMapError(
                f"RFMScorer: {name} needs {dimension!r} scores; the scores are of "
                f"{list(n_bins)}." + (f" Did you mean {near!r}?" if near else "")
            )
        if n_bins[dimension] != bins:
            raise SegmentMapError(
                f"RFMScorer: {name} is drawn for {bins} {dimension} scores, and "
                f"n_bins gives {n_bins[dimension]}. Pass n_bins={bins}, or a SegmentMap with "
                f"n_bins={n_bins[dimension]}."
            )
    return segment_map


def _rf_grid(recency_bins: int, frequency_bins: int) -> SegmentMap:
    boxes = {
        segment: [
            {"recency": recency, "frequency": frequency}
            for recency in _scores_in_fifths(fifths[0], recency_bins)
            for frequency in _scores_in_fifths(fifths[1], frequency_bins)
        ]
        for segment, fifths in _RF_GRID.items()
    }
    reached = {segment: _merged(listed) for segment, listed in boxes.items() if listed}
    return SegmentMap(reached, n_bins=(recency_bins, frequency_bins))


def _scores_in_fifths(fifths: tuple[int, int], n_bins: int) -> list[int]:
    fifth_of = {score: -(-5 * (2 * score - 1) // (2 * n_bins)) for score in range(1, n_bins + 1)}
    return [score for score, fifth in fifth_of.items() if fifths[0] <= fifth <= fifths[1]]


def _merged(cells: Sequence[Mapping[str, int]]) -> dict[str, tuple[int, int]]:
    """Return the box around cells that fill it."""
    return {
        dimension: (
            min(cell[dimension] for cell in cells),
            max(cell[dimension] for cell in cells),
        )
        for dimension in ("recency", "frequency")
    }
