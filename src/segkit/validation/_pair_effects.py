"""How far apart each two segments are in each variable, and all segments together."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

import numpy as np
import pandas as pd
from scipy.stats import chi2, chi2_contingency, false_discovery_control, ttest_ind_from_stats

from segkit.metrics import epsilon_squared, omega_squared
from segkit.metrics._effect_sizes import contingency, standardised_difference, v_of_table
from segkit.validation._evidence import CONFIDENCE
from segkit.validation._variables import Categories, Codes, Numbers, Variable

#: Differences in standard deviations, and Cramér's V, that are small and medium (J. Cohen 1988,
#: "Statistical power analysis for the behavioral sciences").
SMALL, MEDIUM = {"g": 0.2, "V": 0.1}, {"g": 0.5, "V": 0.3}

_COLUMNS = ["segment_a", "segment_b", "variable", "role", "effect", "value", "low", "high"]


def pair_effects(
    codes: Codes, segments: tuple[str, ...], variables: Mapping[str, Variable], role: str
) -> pd.DataFrame:
    """Return a row for each pair of segments and variable.

    Numbers: Hedges' g with its interval, and Welch's test. Categories: Cramér's V of the two, and
    the χ² test. The p-values of all rows are adjusted together (Benjamini & Hochberg 1995).
    """
    pairs = list(combinations(range(len(segments)), 2))
    frames = []
    for name, variable in variables.items():
        if isinstance(variable, Numbers):
            values = _of_numbers(codes, len(segments), variable, pairs)
        else:
            values = _of_categories(codes, variable, pairs)
        values["variable"] = name
        values["segment_a"] = [segments[one] for one, _ in pairs]
        values["segment_b"] = [segments[other] for _, other in pairs]
        frames.append(values)
    table = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()
    table = table.assign(role=role).reindex(columns=[*_COLUMNS, "p_value"])
    table["p_adjusted"] = adjusted(table["p_value"].to_numpy(dtype=np.float64))
    return table


def overall_effect(codes: Codes, variable: Variable) -> tuple[str, float, float, float]:
    """Return how strongly all segments differ: the measure, its value, variance explained, and p.

    Numbers: ε² with the test of Kruskal & Wallis, and ω². Numbers of 0 and 1, and categories:
    Cramér's V with the χ² test, and V².
    """
    known = (codes >= 0) & ~variable.is_missing
    kept = codes[known]
    is_text = isinstance(variable, Categories)
    if not kept.size or np.ptp(kept) == 0:
        return "ε²", np.nan, np.nan, np.nan
    if is_text or variable.is_binary:
        kinds = variable.codes if is_text else variable.values  # type: ignore[union-attr]
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


def adjusted(p_values: np.ndarray) -> np.ndarray:
    """Return p-values adjusted for all of them, NaN where there is none."""
    found = np.full(len(p_values), np.nan)
    known = ~np.isnan(p_values)
    if known.any():
        found[known] = false_discovery_control(p_values[known])
    return found


def _of_numbers(
    codes: Codes, n_segments: int, variable: Numbers, pairs: list[tuple[int, int]]
) -> pd.DataFrame:
    counts, means, variances = moments(codes, n_segments, variable)
    one, other = (np.array(places, dtype=np.intp) for places in zip(*pairs, strict=True))
    g, low, high = standardised_difference(
        (counts[one], means[one], variances[one]),
        (counts[other], means[other], variances[other]),
        CONFIDENCE,
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        p_values = ttest_ind_from_stats(
            means[one],
            np.sqrt(variances[one]),
            counts[one],
            means[other],
            np.sqrt(variances[other]),
            counts[other],
            equal_var=False,
        ).pvalue
    # Nothing varies within either: the means are equal, or the segments could not be more apart.
    is_fixed = np.isnan(g) & (counts[one] > 1) & (counts[other] > 1)
    apart = is_fixed & (means[one] != means[other])
    g = np.where(apart, np.sign(means[one] - means[other]) * np.inf, np.where(is_fixed, 0.0, g))
    p_values = np.where(apart, 0.0, np.where(is_fixed, 1.0, p_values))
    return pd.DataFrame({"effect": "g", "value": g, "low": low, "high": high, "p_value": p_values})


def moments(
    codes: Codes, n_segments: int, variable: Numbers
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
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


def _of_categories(
    codes: Codes, variable: Categories, pairs: list[tuple[int, int]]
) -> pd.DataFrame:
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
        {"effect": "V", "value": values, "low": np.nan, "high": np.nan, "p_value": p_values}
    )
