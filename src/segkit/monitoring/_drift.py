"""How far a variable, or the shares of segments, are from what they were, and from chance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from segkit.metrics._marginal_homogeneity import marginal_homogeneity
from segkit.metrics._population_stability import psi_of_counts
from segkit.validation._drift_bins import DriftBins, drift_bins
from segkit.validation._pair_effects import adjusted
from segkit.validation._variables import Codes, Numbers, Variable

_NAN = float("nan")
# So many customers in each bin are expected, or bins are fewer (W. G. Cochran 1954, "Some methods
# for strengthening the common χ² tests").
_LEAST_IN_BIN = 5


@dataclass(frozen=True)
class Drift:
    """One row of the report; NaN where it was not assessed, and `note` says why.

    Attributes
    ----------
    variable, role : str
        What has drifted, and whether it is of the basis.
    psi : float
        The population stability index; missing values are a bin.
    psi_by_chance : float
        Its 95 % quantile where nothing has changed.
    p_value, p_adjusted : float
        Of the test that shares of the bins are equal, alone and among all.
    missing_before, missing_after : float
        Shares of customers without a value.
    outside : float
        Share of the later customers with a value beyond those seen before.
    note : str
        Why it was not assessed.
    """

    variable: str
    role: str
    psi: float = _NAN
    psi_by_chance: float = _NAN
    p_value: float = _NAN
    p_adjusted: float = _NAN
    missing_before: float = _NAN
    missing_after: float = _NAN
    outside: float = _NAN
    note: str = ""


@dataclass(frozen=True)
class Overlap:
    """Customers who are in both tables: their rows then and later."""

    then: Codes
    later: Codes


def drift_of_variable(
    name: str, role: str, then: Variable, later: Variable, overlap: Overlap, n_bins: int
) -> Drift:
    """Compare a variable; numbers between the quantiles of `then`."""
    known = [int((~one.is_missing).sum()) for one in (then, later)]
    if not any(known):
        return Drift(name, role, note="no value is known")
    bins = drift_bins(then, later, min(n_bins, max(2, min(known) // _LEAST_IN_BIN)))
    return replace(
        drift_of_bins(name, role, bins, overlap),
        missing_before=float(then.is_missing.mean()),
        missing_after=float(later.is_missing.mean()),
        outside=_outside(then, later),
    )


def drift_of_bins(name: str, role: str, bins: DriftBins, overlap: Overlap) -> Drift:
    """Compare the customers of each bin."""
    before, after = bins.counts()
    pairs = bins.then[overlap.then] * bins.n_bins + bins.later[overlap.later]
    in_both = np.bincount(pairs, minlength=bins.n_bins**2).reshape(bins.n_bins, bins.n_bins)
    test = marginal_homogeneity(before, after, in_both)
    return Drift(
        name,
        role,
        psi=psi_of_counts(before, after),
        psi_by_chance=test.index_by_chance(),
        p_value=test.p_value,
    )


def with_adjusted_p_values(found: Mapping[str, Drift]) -> dict[str, Drift]:
    """Return the same with p-values adjusted for all of them (Benjamini & Hochberg 1995)."""
    p_values = adjusted(np.array([one.p_value for one in found.values()], dtype=np.float64))
    return {
        name: replace(one, p_adjusted=float(p_value))
        for (name, one), p_value in zip(found.items(), p_values, strict=True)
    }


def _outside(then: Variable, later: Variable) -> float:
    if then.is_missing.all() or later.is_missing.all():
        return _NAN
    if isinstance(then, Numbers) and isinstance(later, Numbers):
        low, high = np.nanmin(then.values), np.nanmax(then.values)
        return float(((later.values < low) | (later.values > high)).mean())
    bins = drift_bins(then, later)
    was_there = np.bincount(bins.then, minlength=bins.n_bins) > 0
    return float((~was_there[bins.later] & ~later.is_missing).mean())
