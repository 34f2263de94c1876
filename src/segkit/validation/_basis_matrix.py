"""The variables that built the segments as a matrix: for distances, trees, the structure test."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from segkit.validation._variables import Categories, Floats, Variable

# Of a category with more levels, the most frequent ones have a column.
_MOST_LEVELS = 20


def basis_matrix(basis: Mapping[str, Variable], *, fill: bool = True) -> Floats:
    """Return numbers standardised, and a column of 0 and 1 for each level of a category.

    Missing numbers are the median, or stay missing; a missing category has 0 everywhere.
    """
    columns = []
    for variable in basis.values():
        if isinstance(variable, Categories):
            counts = np.bincount(variable.codes[variable.codes >= 0])
            frequent = np.sort(np.argsort(-counts, kind="stable")[:_MOST_LEVELS])
            columns += [(variable.codes == level).astype(np.float64) for level in frequent]
            if len(counts) > _MOST_LEVELS:
                is_rare = (variable.codes >= 0) & ~np.isin(variable.codes, frequent)
                columns.append(is_rare.astype(np.float64))
            continue
        values, missing = variable.values, variable.is_missing
        if missing.all():
            continue
        known = values[~missing]
        scale = known.std()
        standardised = (values - known.mean()) / (scale if scale > 0 else 1.0)
        if fill and missing.any():
            standardised = np.where(missing, np.median(standardised[~missing]), standardised)
        columns.append(standardised)
    n_rows = len(next(iter(basis.values())).is_missing) if basis else 0
    return np.column_stack(columns) if columns else np.empty((n_rows, 0))
