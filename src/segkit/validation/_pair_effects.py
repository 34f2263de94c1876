"""How far apart each two segments are in each variable, and all segments together."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import TypeAlias

import numpy as np
import pandas as pd
from scipy.stats import chi2, chi2_contingency, false_discovery_control, norm, ttest_ind_from_stats

from segkit.metrics import epsilon_squared, omega_squared
from segkit.metrics._effect_sizes import contingency, standardised_difference, v_of_table
from segkit.validation._evidence import CONFIDENCE
from segkit.validation._variables import Categories, Codes, Floats, Numbers, Variable

#: Small and medium differences: Cliff's δ of two normal variables that are .2 and .5 standard
#: deviations apart (J. Romano & others 2006, "Appropriate statistics for ordinal level data"), and
#: Cramér's V (J. Cohen 1988, "Statistical power analysis for the behavioral sciences").
SMALL, MEDIUM = {"δ": 0.147, "V": 0.1}, {"δ": 0.33, "V": 0.3}

Pairs: TypeAlias = list[tuple[int, int]]

_COLUMNS = [
    *("segment_a", "segment_b", "variable", "role", "effect", "value", "low", "high"),
    *("standardised_difference", "p_value"),
]


def pair_effects(
    codes: Codes, segments: tuple[str, ...], variables: Mapping[str, Variable], role: str
) -> pd.DataFrame:
    """Return a row for each pair of segments and variable.

    Numbers: Cliff's δ with its interval, Hedges' g, and Welch's test. Categories: Cramér's V of the
    two, and the χ² test. The p-values of all rows are adjusted together (Benjamini & Hochberg
    1995).
    """
    pairs = list(combinations(range(len(segments)), 2))
    frames = []
    for name, variable in variables.items() if pairs else ():
        if isinstance(variable, Numbers):
            values = _of_numbers(codes, len(segments), variable, pairs)
        else:
            values = _of_categories(codes, variable, pairs)
        values["variable"] = name
        values["segment_a"] = [segments[one] for one, _ in pairs]
        values["segment_b"] = [segments[other] for _, other in pairs]
        frames.append(values)
    table = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()
    table = table.assign(role=role).reindex(columns=_COLUMNS)
    table["p_adjusted"] = adjusted(table["p_value"].to_numpy(dtype=np.float64))
    return table


def overall_effect(codes: Codes, variable: Variable) -> tuple[str, float, float, float]:
    """Return how strongly all segments differ: the measure, its value, variance explained, and p.

    Numbers: ε² with the test of Kruskal & Wallis, and ω². Numbers of 0 and 1, and categories:
    Cramér's V with the χ² test, and V².
    """
    known = (codes >= 0) & ~variable.is_missing
    kept = codes[known]
    if not kept.size or np.ptp(kept) == 0:
        return "ε²", np.nan, np.nan, np.nan
    if isinstance(variable, Categories) or variable.is_binary:
        kinds = variable.codes if isinstance(variable, Categories) else variable.values
        table = contingency(kept, kinds[known].astype(np.intp))
        if min(table.shape) < 2:
            return "Cramér's V", np.nan, np.nan, np.nan
        v = v_of_table(table)
        return "Cramér's V", v, v**2, float(chi2_contingency(table, correction=False).pvalue)
    values = variable.values[known]
    share = epsilon_squared(values, kept)
    n_segments = len(np.unique(kept))
    p_value = float(chi2.sf(share * (len(values) - 1), n_segments - 1))
    return "ε²", share, omega_squared(values, kept), p_value


def adjusted(p_values: Floats) -> Floats:
    """Return p-values adjusted for all of them, NaN where there is none."""
    found = np.full(len(p_values), np.nan)
    known = ~np.isnan(p_values)
    if known.any():
        found[known] = false_discovery_control(p_values[known])
    return found


def _of_numbers(codes: Codes, n_segments: int, variable: Numbers, pairs: Pairs) -> pd.DataFrame:
    counts, means, variances = moments(codes, n_segments, variable)
    one, other = (np.array(places, dtype=np.intp) for places in zip(*pairs, strict=True))
    groups = (
        (counts[one], means[one], variances[one]),
        (counts[other], means[other], variances[other]),
    )
    standardised, _, _ = standardised_difference(*groups, CONFIDENCE)
    delta, low, high = cliffs_delta(codes, n_segments, variable)
    with np.errstate(invalid="ignore", divide="ignore"):
        p_values = ttest_ind_from_stats(
            *(means[one], np.sqrt(variances[one]), counts[one]),
            *(means[other], np.sqrt(variances[other]), counts[other]),
            equal_var=False,
        ).pvalue
    # Nothing varies within either: their means are equal, or as far apart as can be.
    is_fixed = np.isnan(p_values) & (counts[one] > 1) & (counts[other] > 1)
    p_values = np.where(is_fixed, means[one] == means[other], p_values)
    return pd.DataFrame(
        {
            "effect": "δ",
            "value": delta[one, other],
            "low": low[one, other],
            "high": high[one, other],
            "standardised_difference": standardised,
            "p_value": p_values,
        }
    )


def cliffs_delta(codes: Codes, n_segments: int, variable: Numbers) -> tuple[Floats, Floats, Floats]:
    """Return Cliff's δ of each segment (row) over each other (column), and its interval.

    How much more often a customer of the one has the higher value than one of the other: from -1
    to 1. The interval is that of the area under the ROC curve (J. A. Hanley & B. J. McNeil 1982,
    "The meaning and use of the area under a receiver operating characteristic curve").
    """
    known = (codes >= 0) & ~variable.is_missing
    kept = codes[known]
    # Every pair from one table: how often each segment has each distinct value.
    values, place = np.unique(variable.values[known], return_inverse=True)
    cells = np.bincount(place * n_segments + kept, minlength=len(values) * n_segments)
    table = cells.reshape(-1, n_segments).astype(np.float64)
    below = np.cumsum(table, axis=0) - table
    sizes = table.sum(axis=0)
    n_one, n_other = sizes[:, np.newaxis], sizes
    with np.errstate(invalid="ignore", divide="ignore"):
        area = (table.T @ (below + table / 2)) / (n_one * n_other)
        above, under = area / (2 - area), 2 * area**2 / (1 + area)
        variance = area * (1 - area)
        variance += (n_one - 1) * (above - area**2) + (n_other - 1) * (under - area**2)
        error = np.sqrt(np.maximum(variance, 0) / (n_one * n_other))
    half = 2 * norm.ppf((1 + CONFIDENCE) / 2) * error
    delta = 2 * area - 1
    return delta, np.maximum(delta - half, -1), np.minimum(delta + half, 1)


def moments(codes: Codes, n_segments: int, variable: Numbers) -> tuple[Floats, Floats, Floats]:
    """Return number, mean and variance (of n - 1) of the known values of each segment."""
    known = (codes >= 0) & ~variable.is_missing
    kept, values = codes[known], variable.values[known]
    counts = np.bincount(kept, minlength=n_segments).astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        means = np.bincount(kept, weights=values, minlength=n_segments) / counts
        squares = np.square(values - means[kept])
        variances = np.bincount(kept, weights=squares, minlength=n_segments) / (counts - 1)
    # Sums of equal floats leave dust.
    dust = np.square(np.maximum(np.abs(means), 1e-300) * 1e-12)
    variances = np.where(variances <= dust, 0.0, variances)
    return counts, means, variances


def _of_categories(codes: Codes, variable: Categories, pairs: Pairs) -> pd.DataFrame:
    known = (codes >= 0) & ~variable.is_missing
    n_levels, n_segments = len(variable.levels), int(codes.max()) + 1
    cells = codes[known] * n_levels + variable.codes[known]
    table = np.bincount(cells, minlength=n_segments * n_levels).reshape(n_segments, n_levels)
    values, p_values = [], []
    for pair in pairs:
        two = table[list(pair)].astype(np.float64)
        two = two[:, two.any(axis=0)]
        is_full = two.shape[1] > 1 and two.any(axis=1).all()
        values.append(v_of_table(two) if is_full else 0.0)
        p_values.append(chi2_contingency(two, correction=False).pvalue if is_full else 1.0)
    return pd.DataFrame(
        {
            "effect": "V",
            "value": values,
            "low": np.nan,
            "high": np.nan,
            "standardised_difference": np.nan,
            "p_value": p_values,
        }
    )
