"""The profile as one tidy table: a row for each segment and variable, or level of a variable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from segkit.metrics._arguments import Floats
from segkit.metrics._effect_sizes import standardised_difference
from segkit.profiling._moments import PROBABILITIES, NumberSummary
from segkit.profiling._segment_labels import EVERYONE
from segkit.profiling._summaries import LevelSummary, Summaries
from segkit.profiling._variables import YES, microseconds_to_dates
from segkit.profiling._words import DUST

#: The variable of the rows that tell sizes.
SIZE = "(size)"
#: The level that rare levels are pooled in.
OTHER_LEVELS = "(other levels)"

_TEXTS = ("segment", "variable", "kind", "group", "level")
_QUANTILES = tuple("median" if p == 0.5 else f"q{round(100 * p):02}" for p in PROBABILITIES)
_DATES = ("first", "date_q25", "date_median", "date_q75", "last")
COLUMNS = (
    *_TEXTS,
    *("customers", "missing_share", "share", "lift", "share_of_value", "mean", "std"),
    *_QUANTILES,
    *("index", "difference", "difference_low", "difference_high", "dominance"),
    *_DATES,
)


def profile_table(
    summaries: Summaries,
    *,
    groups: Mapping[str, str],
    value: str | None,
    max_levels: int,
    confidence: float,
) -> pd.DataFrame:
    """Return the profile; `groups` has the group of each variable that is in one."""
    blocks = [_sizes(summaries, value)]
    for name, kind in summaries.kinds.items():
        common = {"variable": name, "kind": kind, "group": groups.get(name)}
        if kind in ("number", "date"):
            found = _number(summaries.numbers[name], summaries.sizes, confidence)
            if kind == "date":
                found = _as_dates(found)
            blocks.append({**common, **found})
            continue
        summary = summaries.levels[name]
        pooled = pool_rare_levels(summary, max_levels)
        for place, level in enumerate(pooled.levels):
            if kind == "category" or level == YES:
                found = _level(summary, pooled.counts[place], summaries.sizes, confidence)
                blocks.append({**common, "level": level, **found})
    names = [*summaries.segments, EVERYONE]
    order = np.arange(len(blocks) * len(names)).reshape(len(blocks), len(names)).T.ravel()
    columns: dict[str, Any] = {"segment": np.repeat(names, len(blocks)).tolist()}
    for column in COLUMNS[1:]:
        values = np.concatenate([_filled(block, column, len(names)) for block in blocks])[order]
        # From a list pandas makes its own dtype of text.
        columns[column] = values.tolist() if column in _TEXTS else values
    return pd.DataFrame(columns).astype({"customers": np.int64})


def pool_rare_levels(summary: LevelSummary, max_levels: int) -> LevelSummary:
    """Return the most frequent levels in their order, and all others as one."""
    if len(summary.levels) <= max_levels:
        return summary
    totals = summary.counts.sum(axis=1)
    frequent = np.sort(np.argsort(-totals, kind="stable")[:max_levels])
    rest = np.delete(summary.counts, frequent, axis=0).sum(axis=0)
    levels = [*(summary.levels[place] for place in frequent), OTHER_LEVELS]
    return LevelSummary(levels, np.vstack([summary.counts[frequent], rest]))


def sizes_table(summaries: Summaries, value: str | None) -> pd.DataFrame:
    """Return a row a segment: customers and value, and the shares of both."""
    sizes = summaries.sizes
    table = pd.DataFrame(
        {"segment": summaries.segments, "customers": sizes, "share": sizes / sizes.sum()}
    )
    if value is None:
        return table
    sums = value_by_segment(summaries, value)
    total = sums.sum()
    return table.assign(value=sums, share_of_value=sums / (total if total > 0 else np.nan))


def value_by_segment(summaries: Summaries, value: str) -> Floats:
    """Return the sum of the value column in each segment."""
    summary = summaries.numbers[value]
    return np.nan_to_num(summary.means) * summary.counts


#: Where some numbers are negative, the least mean, in standard deviations, for a ratio to it.
_LEAST_MEAN = 0.1


def _sizes(summaries: Summaries, value: str | None) -> dict[str, Any]:
    found = {
        "variable": SIZE,
        "kind": "size",
        "customers": _and_all(summaries.sizes),
        "share": _and_all(summaries.sizes) / summaries.sizes.sum(),
    }
    if value is not None:
        sums = value_by_segment(summaries, value)
        total = sums.sum()
        found["share_of_value"] = _and_all(sums) / (total if total > 0 else np.nan)
    return found


def _number(summary: NumberSummary, sizes: NDArray[np.int64], confidence: float) -> dict[str, Any]:
    counts, total = summary.counts, summary.total
    rest = others(counts, summary.deviations, summary.variances)
    g, low, high = standardised_difference(
        (counts, summary.deviations, summary.variances), rest, confidence
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = summary.mean
        # Only from a true zero is one number a multiple of another. Some customers' returns may
        # exceed their orders; a mean near zero is that of a scale without a true one.
        spread = np.sqrt(np.nan_to_num(summary.variance))
        has_negative = summary.extremes[-1, 0] < -DUST * spread
        is_ratio = mean > (_LEAST_MEAN if has_negative else DUST) * spread
        index = 100 * np.append(summary.means, mean) / (mean if is_ratio else np.nan)
        dominance = 2 * summary.rank_sums / (counts * (total - counts))
    return {
        "customers": _and_all(counts),
        "missing_share": 1 - _and_all(counts) / _and_all(sizes),
        "mean": np.append(summary.means, mean),
        "std": np.sqrt(np.append(summary.variances, summary.variance)),
        **dict(zip(_QUANTILES, summary.quantiles.T, strict=True)),
        "index": index,
        "difference": np.append(g, np.nan),
        "difference_low": np.append(low, np.nan),
        "difference_high": np.append(high, np.nan),
        "dominance": np.append(dominance, np.nan),
        "first": summary.extremes[:, 0],
        "last": summary.extremes[:, 1],
    }


def _as_dates(found: dict[str, Any]) -> dict[str, Any]:
    """Return what is said of dates: when, and not how many microseconds."""
    middle = {
        "date_q25": found["q25"],
        "date_median": found["median"],
        "date_q75": found["q75"],
    }
    unsaid = ("mean", "std", *_QUANTILES, "index")
    return {**{key: one for key, one in found.items() if key not in unsaid}, **middle}


def _level(
    summary: LevelSummary, counts: NDArray[np.int64], sizes: NDArray[np.int64], confidence: float
) -> dict[str, Any]:
    known = summary.counts.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = _and_all(counts) / _and_all(known)
        own = _moments_of_shares(counts, known)
        rest = _moments_of_shares(counts.sum() - counts, known.sum() - known)
        g, low, high = standardised_difference(own, rest, confidence)
        lift = shares / (shares[-1] if shares[-1] > 0 else np.nan)
        missing = 1 - _and_all(known) / _and_all(sizes)
    return {
        "customers": _and_all(counts),
        "missing_share": missing,
        "share": shares,
        "lift": lift,
        "index": 100 * lift,
        "difference": np.append(g, np.nan),
        "difference_low": np.append(low, np.nan),
        "difference_high": np.append(high, np.nan),
        "dominance": np.append(own[1] - rest[1], np.nan),
    }


def others(counts: Any, means: Floats, variances: Floats) -> tuple[Any, Any, Any]:
    """Return the number of values outside each segment, their means and their variances."""
    n, used = counts.astype(np.float64), counts > 0
    centre = (n[used] * means[used]).sum() / n.sum() if used.any() else 0.0
    centred = np.where(used, means - centre, 0.0)
    squares = np.where(counts > 1, variances, 0.0) * np.maximum(n - 1, 0) + n * centred**2
    outside = 1.0 - np.eye(len(n))
    n_rest = outside @ n
    with np.errstate(invalid="ignore", divide="ignore"):
        mean_rest = outside @ (n * centred) / n_rest
        variance_rest = (outside @ squares - n_rest * mean_rest**2) / (n_rest - 1)
    return n_rest, mean_rest + centre, np.maximum(variance_rest, 0.0)


def _moments_of_shares(hits: Any, of: Any) -> tuple[Any, Any, Any]:
    shares = hits / of
    return of, shares, shares * (1 - shares) * of / (of - 1)


def _and_all(counts: Any) -> Any:
    return np.append(counts, counts.sum())


def _filled(block: Mapping[str, Any], column: str, n_rows: int) -> NDArray[Any]:
    """Return a column of a block of rows, missing values where it says nothing."""
    if column in _TEXTS:
        return np.full(n_rows, block.get(column), dtype=object)
    if column in _DATES:
        is_said = block["kind"] == "date" and column in block
        return microseconds_to_dates(block[column] if is_said else np.full(n_rows, np.nan))
    return np.asarray(block.get(column, np.full(n_rows, np.nan)), dtype=np.float64)


def described_segments(profile: pd.DataFrame) -> Sequence[str]:
    """Return the names of the segments, in their order."""
    names: list[str] = profile["segment"].unique().tolist()
    return [name for name in names if name != EVERYONE]
