"""The bins in which a variable is compared at two times; missing values are the last one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from segkit.metrics._population_stability import edges_at_quantiles
from segkit.validation._variables import Codes, Numbers, Variable


@dataclass(frozen=True)
class DriftBins:
    """The bin of each customer, then and later; `n_bins` with that of missing values."""

    then: Codes
    later: Codes
    n_bins: int

    def counts(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Return the customers of each bin, then and later."""
        then, later = (np.bincount(one, minlength=self.n_bins) for one in (self.then, self.later))
        return then, later


def drift_bins(then: Variable, later: Variable, n_bins: int = 10) -> DriftBins:
    """Return bins of numbers between the quantiles of `then`; categories are their own bins."""
    both = (then, later)
    if all(isinstance(one, Numbers) or one.is_missing.all() for one in both):
        values = [_numbers(one) for one in both]
        edges = edges_at_quantiles(values[0][~then.is_missing], n_bins)
        codes: Sequence[Any] = [np.searchsorted(edges, one) for one in values]
        n_known = len(edges) + 1
    else:
        names = [_level_names(one) for one in both]
        found, levels = pd.factorize(np.concatenate(names), sort=True)
        codes, n_known = np.split(found, [len(names[0])]), len(levels)
    placed = [
        np.where(one.is_missing, n_known, code) for one, code in zip(both, codes, strict=True)
    ]
    return DriftBins(placed[0], placed[1], n_known + 1)


def _numbers(variable: Variable) -> NDArray[np.float64]:
    # Categories are passed where no value is known.
    if isinstance(variable, Numbers):
        return variable.values
    return np.full(len(variable.codes), np.nan)


def _level_names(variable: Variable) -> NDArray[Any]:
    if not isinstance(variable, Numbers):
        return np.array([*variable.levels, None], dtype=object)[variable.codes]
    names = variable.values.astype(str).astype(object)
    names[variable.is_missing] = None
    return names
