"""Numbers as a reader takes them in: three digits, percent, times the average."""

from __future__ import annotations

import math

import pandas as pd

#: Means below this part of the standard deviation are 0 but for rounding.
DUST = 1e-9


def number_text(value: float, *, spread: float = 0.0) -> str:
    """Return a number with three digits, and all digits before the point.

    Thousands are separated from 10,000 on, so that years stay years. What is nothing next to the
    `spread` (the standard deviation) is 0.
    """
    if math.isnan(value):
        return "–"
    size = abs(value)
    if size <= DUST * spread:
        return "0"
    if size >= 1e12 or 0 < size < 1e-4:
        return f"{value:.2e}"
    if size >= 100 or float(value).is_integer():
        return f"{value:,.0f}" if size >= 9_999.5 else f"{value:.0f}"
    decimals = 2 - math.floor(math.log10(size)) if size else 0
    rounded = f"{value:,.{decimals}f}"
    return rounded.rstrip("0").rstrip(".") if "." in rounded else rounded


def share_text(share: float) -> str:
    """Return a share in whole percent; below 10 % and next to 100 % with a digit more."""
    if math.isnan(share):
        return "–"
    if 0 < share < 0.0005:
        return "<0.1 %"
    if share < 0.0995:
        return f"{100 * share:.1f} %" if share else "0 %"
    if 0.995 <= share < 1:
        return f"{100 * share:.1f} %" if share < 0.9995 else ">99.9 %"
    return f"{100 * share:.0f} %"


def ratio_text(ratio: float) -> str:
    """Return how many times the average."""
    if ratio >= 9.95:
        return f"{ratio:,.0f}×"
    if ratio >= 0.95:
        return f"{ratio:.1f}×"
    return f"{ratio:.2f}×" if ratio >= 0.005 else "<0.01×"


def date_text(moment: pd.Timestamp) -> str:
    """Return the day of a moment."""
    return "–" if pd.isna(moment) else f"{moment:%Y-%m-%d}"


def p_text(p_value: float) -> str:
    """Return a p-value."""
    if math.isnan(p_value):
        return "–"
    return "<0.001" if p_value < 0.001 else f"{p_value:.3f}"
