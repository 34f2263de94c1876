"""Where value tiers begin and what they are called: as given, as learned, and in words."""

from collections.abc import Sequence
from string import ascii_uppercase
from typing import Any

import numpy as np

from segkit._frames import UNASSIGNED
from segkit._warn import warn
from segkit.exceptions import SegkitValueError, SegkitWarning
from segkit.segmenters._value_shares import Floats, ValueShares

_DEFAULT_CUTS = {"pareto": (0.8, 0.95), "quantile": (0.2, 0.5)}
_NO_VALUE = "No value"


def checked_cuts(cuts: Any, method: str) -> list[float]:
    """Return the cuts in use, best tier first."""
    if cuts is None and method == "fixed":
        raise SegkitValueError(
            "ValueTierer: method='fixed' needs cuts, the lowest value of each tier but the last, "
            "such as cuts=(1000, 200), and got None."
        )
    given = _DEFAULT_CUTS[method] if cuts is None else cuts
    try:
        checked = np.array(given, dtype=np.float64)
    except (TypeError, ValueError):
        checked = np.array(np.nan)
    is_list = checked.ndim == 1 and checked.size > 0 and bool(np.isfinite(checked).all())
    steps = np.diff(checked) if is_list else checked
    if method == "fixed":
        expected = "positive amounts in decreasing order, one for each tier but the last"
        is_right = is_list and bool((checked > 0).all() and (steps < 0).all())
        is_reversed = is_list and bool((checked > 0).all() and (steps > 0).all())
    else:
        expected = "cumulative shares between 0 and 1 in increasing order"
        inside = is_list and bool(((checked > 0) & (checked < 1)).all())
        is_right = inside and bool((steps > 0).all())
        is_reversed = inside and bool((steps < 0).all())
    if not is_right:
        turned = f" Did you mean cuts={tuple(checked[::-1].tolist())}?" if is_reversed else ""
        raise SegkitValueError(
            f"ValueTierer: cuts for method={method!r} must be {expected}, best tier first, got "
            f"{given!r}.{turned}"
        )
    numbers: list[float] = checked.tolist()
    return numbers


def checked_tiers(tiers: Any, method: str, n_cuts: int) -> list[str]:
    """Return the names of all tiers, that for zero and negative values last."""
    n_tiers = n_cuts + 1
    if tiers is None:
        if method == "quantile" and n_cuts == 2:
            return ["Heavy", "Medium", "Light", _NO_VALUE]
        if n_tiers <= len(ascii_uppercase):
            return [*ascii_uppercase[:n_tiers], _NO_VALUE]
    names = [] if tiers is None else list(tiers)
    if len(names) not in (n_tiers, n_tiers + 1):
        raise SegkitValueError(
            f"ValueTierer: {n_cuts} cuts make {n_tiers} tiers, so tiers must be {n_tiers} names, "
            f"best first, or {n_tiers + 1} with that for zero and negative values; got {tiers!r}."
        )
    if len(names) == n_tiers:
        names.append(_NO_VALUE)
    if (
        not all(isinstance(name, str) and name for name in names)
        or len(set(names)) < len(names)
        or UNASSIGNED in names
    ):
        raise SegkitValueError(
            f"ValueTierer: tiers must be distinct names other than {UNASSIGNED!r} and, unless it "
            f"is last, {_NO_VALUE!r}; got {tiers!r}."
        )
    return [str(name) for name in names]


def tier_thresholds(
    shares: ValueShares, method: str, cuts: Sequence[float], segments: Sequence[str], value: str
) -> Floats:
    """Return the lowest value of each tier with a cut, given or learned; `value` is its name."""
    if method == "fixed":
        return np.array(cuts, dtype=np.float64)
    if not shares.n_customers:
        raise SegkitValueError(
            f"ValueTierer: {value} has only missing values; there is nothing to learn from. Pass "
            "amounts of your own with method='fixed', cuts=(...)."
        )
    if not shares.values.size:
        warn(
            f"ValueTierer: no customer has a positive {value}, so there are no thresholds to "
            f"learn. All are in {segments[-1]!r}, and who later has a positive one is in "
            f"{segments[-2]!r}, the last tier before it.",
            SegkitWarning,
        )
        return np.full(len(cuts), np.inf)
    return shares.lowest_values(cuts, of_customers=method == "quantile")


def tier_rules(value: str, thresholds: Sequence[float], *, digits: int) -> list[str]:
    """Return the rule of each tier, given the name of the value and the thresholds."""
    written = [f"{threshold:,.{digits}g}" for threshold in thresholds]
    never = f"never (no {value} is left for this tier)"
    rules = [never if np.isinf(thresholds[0]) else f"{value} ≥ {written[0]}"]
    for place, low in enumerate(thresholds[1:], start=1):
        is_empty = low == thresholds[place - 1]
        rules.append(never if is_empty else f"{written[place]} ≤ {value} < {written[place - 1]}")
    last = f"0 < {value}" if np.isinf(thresholds[-1]) else f"0 < {value} < {written[-1]}"
    return [*rules, last, f"{value} ≤ 0"]
