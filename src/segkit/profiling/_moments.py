"""Counts, moments, quantiles and rank sums of one column by segment, in one pass each.

A column of few distinct whole numbers (or hundredths) is counted: all that is asked follows from
how often each number occurs in each segment. Any other column is sorted, and once more with the
code of each value's segment in its lowest bits, which tells whose value is where: two sorts of
numbers take a fraction of the time of one that remembers places.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segkit.metrics._arguments import Codes, Floats

#: Of these the profile has quantiles, by linear interpolation.
PROBABILITIES = (0.05, 0.25, 0.5, 0.75, 0.95)

_INTEGERS = 2**53  # up to here floats hold every whole number
# Floats that differ by less, relative to their size, differ by rounding: eight units in the last
# place, so that they agree in fourteen digits.
_DUST = 8 * np.finfo(np.float64).eps
# Distinct numbers times segments that are counted whatever the number of rows.
_FEW_CELLS = 65_536
_BLOCK = 1_024


@dataclass(frozen=True)
class NumberSummary:
    """What a numeric column is in each segment.

    Parameters
    ----------
    counts : ndarray of shape (n_segments,)
        Customers with a value.
    centre : float
        About the mean of everyone.
    deviations : ndarray of shape (n_segments,)
        Means less the centre. What is asked of how means differ is asked of these: between large
        numbers that are close together, the means themselves have no digits left for it.
    variances : ndarray of shape (n_segments,)
        Of n - 1.
    quantiles : ndarray of shape (n_segments + 1, n_probabilities)
        Of each segment and, last, of everyone.
    extremes : ndarray of shape (n_segments + 1, 2)
        Least and greatest values, likewise.
    rank_sums : ndarray of shape (n_segments,)
        Sums of the ranks among everyone, less what they would be by chance.
    ties : float
        Sum of t³ - t over groups of t equal values.
    is_constant : bool
        Whether all values are equal, numbers with a point but for their last digits.
    """

    counts: NDArray[np.int64]
    centre: float
    deviations: Floats
    variances: Floats
    quantiles: Floats
    extremes: Floats
    rank_sums: Floats
    ties: float
    is_constant: bool

    @property
    def means(self) -> Floats:
        """The mean of each segment."""
        return self.deviations + self.centre

    @property
    def total(self) -> int:
        """How many customers have a value."""
        return int(self.counts.sum())

    @property
    def mean(self) -> float:
        """The mean of everyone."""
        return self.deviation + self.centre

    @property
    def deviation(self) -> float:
        """The mean of everyone less the centre."""
        if not self.total:
            return float("nan")
        return float(np.nansum(self.deviations * self.counts) / self.total)

    @property
    def variance(self) -> float:
        """The variance of everyone, of n - 1."""
        return pooled_variance(self.counts, self.deviations, self.variances)


def pooled_variance(counts: Any, means: Floats, variances: Floats) -> float:
    """Return the variance of several groups taken together."""
    used = np.asarray(counts) > 0
    n, means, variances = np.asarray(counts)[used], means[used], variances[used]
    if n.sum() < 2:
        return float("nan")
    centre = (n * means).sum() / n.sum()
    within = (np.where(n > 1, variances, 0.0) * (n - 1)).sum()
    return float((within + (n * np.square(means - centre)).sum()) / (n.sum() - 1))


def summarise_numbers(values: NDArray[Any], codes: Codes, n_segments: int) -> NumberSummary:
    """Return what a column is in each segment; NaN is left out, infinity must not be there."""
    if values.dtype.kind == "f":
        # The sum is NaN if one is; infinities are refused before.
        with np.errstate(over="ignore", invalid="ignore"):
            has_missing = np.isnan(values.sum())
        if has_missing:
            known = ~np.isnan(values)
            values, codes = values[known], codes[known]
    if not len(values):
        return _nothing(n_segments)
    if values.dtype.kind in "iu":
        least, greatest = int(values.min()), int(values.max())
        if least and max(abs(least), abs(greatest)) > _INTEGERS and greatest - least < 2**63:
            # Before they become floats, which do not hold all of these.
            moved = (values - values.dtype.type(least)).astype(np.int64)
            return _moved(summarise_numbers(moved, codes, n_segments), float(least))
    for scale in (1, 100):
        whole = _whole_numbers(values, scale)
        if whole is None:
            continue
        least = int(whole.min())
        distinct = int(whole.max()) - least + 1
        if distinct * n_segments <= max(_FEW_CELLS, len(whole) // 2):
            cells = (whole - least) * n_segments + codes
            table = np.bincount(cells, minlength=distinct * n_segments).reshape(-1, n_segments)
            occurring = np.flatnonzero(table.any(axis=1))
            return _of_table(occurring, table[occurring], least=least, scale=scale)
        break
    return _of_floats(values.astype(np.float64, copy=False), codes, n_segments)


def nothing_but_moments(
    counts: NDArray[np.int64],
    means: Floats,
    variances: Floats,
    extremes: Floats,
    *,
    moved_by: float = 0.0,
    is_float: bool = True,
) -> NumberSummary:
    """Return the summary of a column that was never seen as a whole: no quantiles, no ranks.

    All are of the values less `moved_by`.
    """
    n_segments = len(counts)
    least, greatest = extremes[-1]
    summary = NumberSummary(
        counts,
        0.0,
        means,
        variances,
        np.full((n_segments + 1, len(PROBABILITIES)), np.nan),
        extremes,
        np.full(n_segments, np.nan),
        float("nan"),
        bool(
            are_equal(least + moved_by, greatest + moved_by, greatest - least)
            if is_float
            else least == greatest
        ),
    )
    return _moved(summary, moved_by)


def are_equal(least: float, greatest: float, spread: float) -> bool:
    """Tell whether floats differ at most in their last digits, as sums in another order do."""
    return bool(spread <= _DUST * max(abs(least), abs(greatest)))


def _moved(summary: NumberSummary, by: float) -> NumberSummary:
    """Return the summary of the values with a number added."""
    return replace(
        summary,
        centre=summary.centre + by,
        quantiles=summary.quantiles + by,
        extremes=summary.extremes + by,
    )


def _nothing(n_segments: int) -> NumberSummary:
    empty = np.full(n_segments, np.nan)
    return nothing_but_moments(
        np.zeros(n_segments, dtype=np.int64), empty, empty, np.full((n_segments + 1, 2), np.nan)
    )


def _of_table(
    places: NDArray[np.intp], table: NDArray[np.int64], *, least: int, scale: int
) -> NumberSummary:
    """Summarise distinct values, ascending, and how often each occurs in each segment.

    The values are `least` and `places` more, divided by `scale`.
    """
    n_segments = table.shape[1]
    counts, everyone = table.sum(axis=0), table.sum(axis=1)
    values = (places + least) / scale
    middle = round(float(places @ everyone / everyone.sum()))
    centred = (places - middle) / scale
    with np.errstate(invalid="ignore", divide="ignore"):
        deviations = centred @ table / counts
        squares = np.square(centred[:, None] - deviations)
        squares = np.where(table > 0, table * squares, 0.0).sum(axis=0)
        variances = np.where(counts > 1, squares / (counts - 1), np.nan)
    below = everyone.cumsum() - everyone
    middles = below + (everyone + 1) / 2 - (everyone.sum() + 1) / 2
    quantiles = np.full((n_segments + 1, len(PROBABILITIES)), np.nan)
    extremes = np.full((n_segments + 1, 2), np.nan)
    for place in range(n_segments + 1):
        column = table[:, place] if place < n_segments else everyone
        if n := int(column.sum()):
            up_to = column.cumsum()
            low, high, share = _positions(n)
            below_it = values[np.searchsorted(up_to, low, side="right")]
            above_it = values[np.searchsorted(up_to, high, side="right")]
            quantiles[place] = below_it + (above_it - below_it) * share
            extremes[place] = values[np.searchsorted(up_to, [0, n - 1], side="right")]
    ties = everyone.astype(np.float64)
    return NumberSummary(
        counts,
        (least + middle) / scale,
        deviations,
        variances,
        quantiles,
        extremes,
        np.asarray(middles @ table, dtype=np.float64),
        float((ties**3 - ties).sum()),
        len(places) == 1,
    )


def _of_floats(values: Floats, codes: Codes, n_segments: int) -> NumberSummary:
    n = len(values)
    ascending = np.sort(values)
    first = np.flatnonzero(ascending[1:] != ascending[:-1]) + 1
    segments = _segments_in_order(values, codes, n_segments, n_distinct=len(first) + 1)
    counts = np.bincount(codes, minlength=n_segments)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        centre = values.mean()
        centred = values - centre
        deviations = np.bincount(codes, weights=centred, minlength=n_segments) / counts
        centred -= deviations[codes]
        centred *= centred
        squares = np.bincount(codes, weights=centred, minlength=n_segments)
        variances = np.where(counts > 1, squares / (counts - 1), np.nan)
    ranks, ties = _middle_ranks(first, n)
    rank_sums: Floats = np.bincount(segments, weights=ranks, minlength=n_segments).astype(float)
    quantiles = np.full((n_segments + 1, len(PROBABILITIES)), np.nan)
    extremes = np.full((n_segments + 1, 2), np.nan)
    finder = _Finder(segments, n_segments)
    for place in range(n_segments + 1):
        size = int(counts[place]) if place < n_segments else n
        if not size:
            continue
        low, high, share = _positions(size)
        wanted = np.concatenate([low, high, [0, size - 1]])
        places = wanted if place == n_segments else finder.places(place, wanted)
        found = ascending[places]
        least, greatest = found[: len(low)], found[len(low) : -2]
        quantiles[place] = least + (greatest - least) * share
        extremes[place] = found[-2:]
    return NumberSummary(
        counts,
        float(centre),
        deviations,
        variances,
        quantiles,
        extremes,
        rank_sums,
        ties,
        are_equal(ascending[0], ascending[-1], ascending[-1] - ascending[0]),
    )


def _segments_in_order(
    values: Floats, codes: Codes, n_segments: int, *, n_distinct: int
) -> NDArray[np.int64]:
    """Return the codes in the order of their values.

    The lowest bits of the values make room for the codes. Where values that differ become equal by
    that, which the number of distinct ones tells, they are sorted with their places.
    """
    low = (1 << max(n_segments - 1, 1).bit_length()) - 1
    keys = (_ordered_integers(values) & ~low) | codes
    keys.sort()
    segments = keys & low
    keys &= ~low
    if np.count_nonzero(keys[1:] != keys[:-1]) + 1 == n_distinct:
        return segments
    return codes[np.argsort(values)]


def _middle_ranks(first: NDArray[np.intp], n: int) -> tuple[Floats, float]:
    """Return each place's rank less the mean of all, equal values sharing theirs; and the ties.

    `first` are the places, from the second on, where a value differs from the one before.
    """
    if len(first) == n - 1:
        return np.arange(n, dtype=np.float64) - (n - 1) / 2, 0.0
    starts = np.concatenate([[0], first])
    sizes = np.diff(starts, append=n)
    ranks = np.repeat(starts + (sizes - 1) / 2 - (n - 1) / 2, sizes)
    ties = sizes.astype(np.float64)
    return ranks, float((ties**3 - ties).sum())


def _positions(n: int) -> tuple[NDArray[np.intp], NDArray[np.intp], Floats]:
    """Return between which two of n ordered values each quantile lies, and how far."""
    exact = np.asarray(PROBABILITIES) * (n - 1)
    low = np.floor(exact).astype(np.intp)
    return low, np.minimum(low + 1, n - 1), exact - low


class _Finder:
    """Where the j-th value of a segment stands in a sorted column."""

    def __init__(self, segments: NDArray[np.int64], n_segments: int) -> None:
        self._segments = segments
        n_blocks = -(-len(segments) // _BLOCK)
        cells = np.repeat(np.arange(n_blocks) * n_segments, _BLOCK)[: len(segments)]
        cells += segments
        in_block = np.bincount(cells, minlength=n_blocks * n_segments).reshape(n_blocks, -1)
        self._up_to = in_block.cumsum(axis=0)

    def places(self, segment: int, wanted: NDArray[np.intp]) -> NDArray[np.intp]:
        """Return the places of some of a segment's values, counted from its least."""
        up_to = self._up_to[:, segment]
        blocks = np.searchsorted(up_to, wanted, side="right")
        found = np.empty(len(wanted), dtype=np.intp)
        for place, (block, rank) in enumerate(zip(blocks, wanted, strict=True)):
            start = block * _BLOCK
            inside = np.flatnonzero(self._segments[start : start + _BLOCK] == segment)
            found[place] = start + inside[rank - (up_to[block - 1] if block else 0)]
        return found


def _whole_numbers(values: NDArray[Any], scale: int) -> NDArray[np.int64] | None:
    """Return values as whole numbers of hundredths (or ones), or None where they are none."""
    kind = values.dtype.kind
    if kind in "iub":
        if scale != 1 or (kind == "u" and values.dtype.itemsize == 8 and values.max() >> 62):
            return None
        return values.astype(np.int64, copy=False)
    head = values[:_BLOCK].astype(np.float64)
    if not _are_whole(head, scale):
        return None
    floats = values.astype(np.float64, copy=False)
    whole = np.rint(floats * scale)
    if not (whole / scale == floats).all() or np.abs(whole).max() >= _INTEGERS:
        return None
    return whole.astype(np.int64)


def _are_whole(values: Floats, scale: int) -> bool:
    with np.errstate(over="ignore", invalid="ignore"):
        return bool((np.rint(values * scale) / scale == values).all())


def _ordered_integers(floats: Floats) -> NDArray[np.int64]:
    """Return the bits of floats as integers that have their order."""
    bits = (floats + 0.0).view(np.int64)  # -0.0 becomes 0.0
    # Of negative ones a greater number is less: all bits but the sign are turned.
    return bits ^ ((bits >> 63) & np.iinfo(np.int64).max)
