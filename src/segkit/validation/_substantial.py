"""Whether a segment is worth the effort, and can be reached: substantial and accessible."""

from __future__ import annotations

import numpy as np

from segkit.metrics._migration import wilson_interval
from segkit.validation._evidence import (
    CONFIDENCE,
    NAN,
    Assessment,
    Evidence,
    counted,
    decided,
    named,
    percent,
)
from segkit.validation._judged_customers import JudgedCustomers, reach_of
from segkit.validation._variables import Floats

#: A small segment with so many times its share of the value is a niche.
NICHE_INDEX = 2.0

#: At least so many of a segment's customers are to be reached: half of them, a convention of ours.
LEAST_REACHED = 0.5


def substantial(customers: JudgedCustomers, min_size: int, min_share: float) -> Assessment:
    """Return size, share and share of value of each segment; a small valuable one is a niche."""
    sizes = customers.sizes
    total = int(sizes.sum())
    shares, lows, highs = wilson_interval(sizes, np.full(len(sizes), total), CONFIDENCE)
    values = _value_shares(customers)
    rows: list[Evidence] = []
    small: list[str] = []
    niches: list[str] = []
    for code, name in enumerate(customers.segments):
        is_small = bool(sizes[code] < min_size or shares[code] < min_share)
        is_niche = is_small and _is_niche(values[code], shares[code], min_share)
        (niches if is_niche else small if is_small else []).append(name)
        told = (
            f"A niche: {percent(values[code])} of the value from {percent(shares[code])} of the "
            "customers. Serve it by hand."
            if is_niche
            else "Merge it with its nearest segment, or wait until it has more customers."
        )
        for metric, value, low, high, threshold in (
            ("customers", float(sizes[code]), NAN, NAN, float(min_size)),
            ("share of customers", shares[code], lows[code], highs[code], min_share),
        ):
            passed = value >= threshold or is_niche
            note = told if value < threshold else ""
            rows.append(
                Evidence(
                    "substantial",
                    metric,
                    float(value),
                    name,
                    "",
                    float(low),
                    float(high),
                    threshold,
                    bool(passed),
                    note,
                )
            )
        if np.isfinite(values[code]):
            rows.append(Evidence("substantial", "share of value", float(values[code]), name))
    smallest = int(sizes.argmin())
    which = "only" if len(sizes) == 1 else "smallest"
    passes = (
        f"the {which} segment, {customers.segments[smallest]}, has "
        f"{counted(int(sizes[smallest]), 'customer')} ({percent(shares[smallest])})"
    )
    passes += f"; a niche with outsized value: {named(niches)}" if niches else ""
    too_small = [
        f"{name} ({counted(int(sizes[code]), 'customer')}, {percent(shares[code])})"
        for code, name in enumerate(customers.segments)
        if name in small
    ]
    fails = f"too small: {named(too_small)}; at least {min_size:,} and {percent(min_share)} wanted"
    return decided("substantial", rows, passes, fails)


def _value_shares(customers: JudgedCustomers) -> Floats:
    """Return each segment's share of the value; NaN where there is none to share."""
    if customers.value is None:
        return np.full(len(customers.segments), np.nan)
    inside = (customers.codes >= 0) & ~np.isnan(customers.value)
    sums = np.bincount(
        customers.codes[inside],
        weights=customers.value[inside],
        minlength=len(customers.segments),
    )
    return sums / sums.sum() if sums.sum() > 0 else np.full(len(sums), np.nan)


def _is_niche(value_share: float, share: float, min_share: float) -> bool:
    # NaN is none.
    return bool(value_share >= min_share and value_share >= NICHE_INDEX * share)


def accessible(customers: JudgedCustomers) -> Assessment:
    """Return the share of each segment that at least one consented channel reaches."""
    if not customers.channels:
        return Assessment(
            "accessible", "not assessed", "no channels were named: pass channels=[...]"
        )
    reached = np.column_stack(
        [reach_of(channel, name) for name, channel in customers.channels.items()]
    ).any(axis=1)
    inside = customers.codes >= 0
    hits = np.bincount(customers.codes[inside & reached], minlength=len(customers.segments))
    sizes = customers.sizes
    shares, lows, highs = wilson_interval(hits, sizes, CONFIDENCE)
    rows = [_reach(int(hits.sum()), int(sizes.sum()))]
    for code, name in enumerate(customers.segments):
        passed = bool(shares[code] >= LEAST_REACHED)
        rows.append(
            Evidence(
                "accessible",
                "reachable share",
                float(shares[code]),
                name,
                "",
                float(lows[code]),
                float(highs[code]),
                LEAST_REACHED,
                passed,
                "" if passed else "Ask its customers for consent, or find a channel of theirs.",
            )
        )
    least = percent(float(shares.min()))
    many = f"at least {least} of each segment can be reached"
    return decided(
        "accessible",
        rows,
        passes=many if len(shares) > 1 else f"{least} of the only segment can be reached",
        fails=f"fewer than {percent(LEAST_REACHED)} can be reached in: "
        + named([row.segment for row in rows if row.passed is False]),
    )


def _reach(hits: int, n: int) -> Evidence:
    share, low, high = (float(one) for one in wilson_interval(hits, n, CONFIDENCE))
    return Evidence("accessible", "reachable share", share, low=low, high=high)
