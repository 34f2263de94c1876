"""How strongly segments differ in each variable: tests, effect sizes, and their order."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from segkit.metrics._arguments import Floats
from segkit.metrics._effect_sizes import chi_squared_of_table, omega_of_share, v_of_table
from segkit.profiling._moments import NumberSummary
from segkit.profiling._summaries import Summaries

_NAN = float("nan")
_P_VALUES = ("p_value", "welch_p_value")


def differences_table(
    summaries: Summaries, *, groups: Mapping[str, str], basis: Collection[str]
) -> pd.DataFrame:
    """Return a row a variable, the one in which segments differ most first."""
    rows = []
    for name, kind in summaries.kinds.items():
        found = (
            _of_numbers(summaries.numbers[name])
            if kind in ("number", "date")
            else _of_levels(summaries.levels[name].counts)
        )
        common = {"variable": name, "kind": kind, "group": groups.get(name)}
        rows.append({**common, "is_descriptive": name in basis, **found})
    columns = [*_TEXTS, "is_descriptive", *_NUMBERS]
    table = pd.DataFrame(rows, columns=columns).astype(
        {**dict.fromkeys(_NUMBERS, float), "is_descriptive": bool}
    )
    for p_value in _P_VALUES:
        adjusted = p_value.replace("p_value", "p_adjusted")
        for is_descriptive in (False, True):
            # A family for each, so that what differs by construction lends nothing to the rest.
            family = (table["is_descriptive"] == is_descriptive) & table[p_value].notna()
            if family.any():
                table.loc[family, adjusted] = stats.false_discovery_control(
                    table.loc[family, p_value]
                )
    return table.sort_values("effect_size", ascending=False, kind="stable", ignore_index=True)


_TEXTS = ("variable", "kind", "group", "test", "effect")
_NUMBERS = (
    *("customers", "effect_size", "statistic", "degrees_of_freedom", "p_value", "p_adjusted"),
    *("epsilon_squared", "omega_squared", "cramers_v"),
    *("welch_f", "welch_p_value", "welch_p_adjusted"),
)


def kruskal_wallis(summary: NumberSummary) -> tuple[float, int]:
    """Return the statistic H, corrected for ties, and its degrees of freedom."""
    used = summary.counts > 0
    n, n_segments = float(summary.total), int(used.sum())
    ties = 1 - summary.ties / (n**3 - n) if n > 1 else 0.0
    if n_segments < 2 or not ties > 0:
        return _NAN, n_segments - 1
    between = (np.square(summary.rank_sums[used]) / summary.counts[used]).sum()
    return float(12 / (n * (n + 1)) * between / ties), n_segments - 1


def welch_anova(summary: NumberSummary) -> tuple[float, float]:
    """Return Welch's F and its p-value, of the segments with two values and more.

    B. L. Welch (1951), "On the comparison of several mean values". Biometrika 38, 330-336.
    """
    used = summary.counts > 1
    n, means, variances = summary.counts[used], summary.deviations[used], summary.variances[used]
    k = len(n)
    if k < 2 or not (variances > 0).all():
        return _NAN, _NAN
    weights = n / variances
    share = weights / weights.sum()
    centre = (share * means).sum()
    between = (weights * np.square(means - centre)).sum() / (k - 1)
    unequal = (np.square(1 - share) / (n - 1)).sum()
    f = between / (1 + 2 * (k - 2) / (k**2 - 1) * unequal)
    return float(f), float(stats.f.sf(f, k - 1, (k**2 - 1) / (3 * unequal)))


def _of_numbers(summary: NumberSummary) -> dict[str, Any]:
    h, freedom = kruskal_wallis(summary)
    f, welch_p = welch_anova(summary)
    epsilon = h / (summary.total - 1) if summary.total > 1 else _NAN
    omega = _omega_squared(summary)
    # On one scale with Cramér's V: a correlation, not a share of variance.
    effect = "epsilon" if not np.isnan(epsilon) or np.isnan(omega) else "omega"
    # Dates inside a query engine have no moments.
    is_tested = not np.isnan(epsilon if effect == "epsilon" else omega)
    return {
        "test": ("Kruskal-Wallis" if effect == "epsilon" else "Welch") if is_tested else None,
        "effect": effect if is_tested else None,
        "customers": summary.total,
        "effect_size": np.sqrt(epsilon if effect == "epsilon" else omega),
        "statistic": h if effect == "epsilon" else f,
        "degrees_of_freedom": freedom,
        "p_value": float(stats.chi2.sf(h, freedom)) if effect == "epsilon" else welch_p,
        "epsilon_squared": epsilon,
        "omega_squared": omega,
        "welch_f": f,
        "welch_p_value": welch_p,
    }


def _omega_squared(summary: NumberSummary) -> float:
    used = summary.counts > 0
    spread = summary.variance * (summary.total - 1)
    if used.sum() < 2 or not spread > 0:
        return _NAN
    between = (summary.counts[used] * np.square(summary.deviations[used] - summary.deviation)).sum()
    share = min(1.0, float(between / spread))
    return omega_of_share(share, summary.total, int(used.sum()))


def _of_levels(counts: Any) -> dict[str, Any]:
    table: Floats = counts.astype(np.float64)
    table = table[table.any(axis=1)][:, table.any(axis=0)]
    tested = min(table.shape) > 1
    chi_squared = chi_squared_of_table(table) if tested else _NAN
    freedom = (table.shape[0] - 1) * (table.shape[1] - 1)
    v = v_of_table(table)
    return {
        "test": "chi-squared",
        "effect": "cramers_v",
        "customers": table.sum(),
        "effect_size": v,
        "statistic": chi_squared,
        "degrees_of_freedom": freedom,
        "p_value": float(stats.chi2.sf(chi_squared, freedom)) if tested else _NAN,
        "cramers_v": v,
    }
