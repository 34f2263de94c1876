"""What to do about drift: keep the segments, describe them again, or learn them again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

import numpy as np

from segkit.metrics._arguments import Codes
from segkit.monitoring._drift import Drift
from segkit.profiling._words import p_text, share_text

Verdict: TypeAlias = Literal["keep", "re-profile", "refit"]
Extent: TypeAlias = Literal["none", "moderate", "large", "not assessed"]

#: A stability index from which on drift is moderate, and large (N. Siddiqi 2006, "Credit risk
#: scorecards").
MODERATE, LARGE = 0.1, 0.25
#: Of the adjusted p-values.
LEVEL = 0.05
#: More customers beyond what was seen before, or without a segment, are too many (D. A. Bennett
#: 2001, "How can I deal with missing data in my study?", of missing values).
MOST_OUTSIDE = 0.1

SEGMENTS, BASIS, PROFILE, EXPECTED = "segments", "basis", "profile", "expected"


def extent_of(drift: Drift) -> Extent:
    """Return how far something has drifted, where that is more than chance."""
    if np.isnan(drift.psi):
        return "not assessed"
    is_chance = drift.psi <= drift.psi_by_chance or drift.p_adjusted > LEVEL
    if is_chance or drift.psi < MODERATE:
        return "none"
    return "large" if drift.psi >= LARGE else "moderate"


def verdict_of(
    shares: Drift, variables: Sequence[Drift], before: Codes, after: Codes
) -> tuple[Verdict, tuple[str, ...]]:
    """Return what to do and why; `before` and `after` count the segments' customers.

    The last of these counts are customers without a segment.
    """
    basis = [one for one in variables if one.role == BASIS]
    refit = [_told(one) for one in basis if extent_of(one) == "large"]
    refit += [
        f"{one.variable}, which segments are made of, is beyond all that was seen before for "
        f"{share_text(one.outside)} of the later customers (more than {share_text(MOST_OUTSIDE)})"
        for one in basis
        if one.outside > MOST_OUTSIDE and one.p_adjusted <= LEVEL
    ]
    refit += _told_of_segments(shares, before, after)
    if refit:
        return "refit", tuple(refit)
    others = [one for one in variables if one.role in (BASIS, PROFILE)]
    drifted = [one for one in (shares, *others) if extent_of(one) in ("moderate", "large")]
    if drifted:
        return "re-profile", tuple(_told(one) for one in drifted)
    return "keep", (_told_of_none([shares, *others]),)


def _told(drift: Drift) -> str:
    extent = extent_of(drift)
    least = LARGE if extent == "large" else MODERATE
    what = {
        SEGMENTS: "the shares of the segments have",
        BASIS: f"{drift.variable}, which segments are made of, has",
    }.get(drift.role, f"{drift.variable} has")
    return (
        f"{what} drifted: stability index {drift.psi:.2f} ({extent}: from {least} on), more than "
        f"chance makes ({_by_chance(drift)})"
    )


def _by_chance(drift: Drift) -> str:
    return f"up to {drift.psi_by_chance:.3f}; adjusted p {p_text(drift.p_adjusted)}"


def _told_of_segments(shares: Drift, before: Codes, after: Codes) -> list[str]:
    """Return what says that the thresholds no longer part the customers."""
    told = []
    lost = [float(one[-1] / one.sum()) for one in (before, after)]
    if lost[1] - lost[0] > MOST_OUTSIDE and shares.p_adjusted <= LEVEL:
        told.append(
            f"{share_text(lost[1])} of the later customers have no segment, {share_text(lost[0])} "
            f"had none (a rise of more than {share_text(MOST_OUTSIDE)})"
        )
    n_filled = [int((one[:-1] > 0).sum()) for one in (before, after)]
    if n_filled[0] > 1 and n_filled[1] <= 1 and shares.p_adjusted <= LEVEL:
        told.append(f"of {n_filled[0]} segments {n_filled[1]} has customers later")
    return told


def _told_of_none(looked_at: Sequence[Drift]) -> str:
    seen = [one for one in looked_at if not np.isnan(one.psi)]
    largest = max(seen, key=lambda one: one.psi)
    name = "the shares of the segments" if largest.role == SEGMENTS else largest.variable
    told = f"the largest stability index is {largest.psi:.2f}, of {name}"
    if largest.psi < MODERATE:
        return f"{told}; drift is from {MODERATE} on"
    return f"{told}, which is within chance of so few customers ({_by_chance(largest)})"
