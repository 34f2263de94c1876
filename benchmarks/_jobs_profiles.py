"""Profiles of segments: what segkit does, and the plain way with pandas and scipy.

Customers have twelve numbers (amounts in cents, measures of any size, counts, one with missing
values) and eight categories of 2 to 30 levels, in pandas' own type of categories.
"""

from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from segkit import SegmentProfiler

from ._job import Job

_N_SEGMENTS = 8
_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
_N_LEVELS = (2, 3, 4, 5, 6, 8, 12, 30)


def profile(n_rows: int) -> Job:
    """The profile by segkit: with effect sizes, intervals, personas and representatives."""
    customers, segments = _customers(n_rows)
    return Job(lambda: SegmentProfiler().fit(customers, y=segments), _sums_of_segkit)


def profile_plainly(n_rows: int) -> Job:
    """Moments, quantiles, shares and tests by pandas and scipy, a column at a time."""
    customers, segments = _customers(n_rows)
    return Job(lambda: _plain(customers, segments), _sums_of_plain)


def _plain(customers: pd.DataFrame, segments: Any) -> dict[str, Any]:
    numbers = customers.select_dtypes("number")
    by_segment = numbers.groupby(segments)
    moments = by_segment.agg(["count", "mean", "std"])
    quantiles = by_segment.quantile(_QUANTILES)
    places = [np.flatnonzero(segments == one) for one in range(_N_SEGMENTS)]
    tests = {}
    for name, column in numbers.items():
        values = column.to_numpy()
        parts = [values[rows] for rows in places]
        parts = [part[~np.isnan(part)] for part in parts] if column.hasnans else parts
        tests[name] = stats.kruskal(*parts).statistic, stats.f_oneway(*parts).statistic
    shares = {}
    for name in customers.columns.difference(numbers.columns):
        column = customers[name]
        shares[name] = column.groupby(segments).value_counts(normalize=True)
        table = pd.crosstab(column, segments)
        tests[name] = (stats.chi2_contingency(table, correction=False).statistic,)
    return {"moments": moments, "quantiles": quantiles, "tests": tests, "shares": shares}


def _sums_of_segkit(profiler: SegmentProfiler) -> dict[str, float]:
    profile = profiler.profile_.loc[profiler.profile_["segment"] != "(everyone)"]
    tests = profiler.differences_.set_index("variable")["statistic"]
    return {
        **{f"statistic_{name}": float(tests[name]) for name in sorted(tests.index)},
        "means": float(profile["mean"].sum()),
        "stds": float(profile["std"].sum()),
        "medians": float(profile["median"].sum()),
        "q95": float(profile["q95"].sum()),
    }


def _sums_of_plain(found: dict[str, Any]) -> dict[str, float]:
    tests, quantiles = found["tests"], found["quantiles"]
    return {
        **{f"statistic_{name}": float(tests[name][0]) for name in sorted(tests)},
        "means": float(found["moments"].xs("mean", axis=1, level=1).to_numpy().sum()),
        "stds": float(found["moments"].xs("std", axis=1, level=1).to_numpy().sum()),
        "medians": float(quantiles.xs(0.5, level=1).to_numpy().sum()),
        "q95": float(quantiles.xs(0.95, level=1).to_numpy().sum()),
    }


def _customers(n_rows: int) -> tuple[pd.DataFrame, Any]:
    rng = np.random.default_rng(0)
    segments = rng.choice(_N_SEGMENTS, n_rows, p=np.arange(1, 9) / 36)
    shift = 0.02 * segments
    columns: dict[str, Any] = {}
    for place in range(4):
        columns[f"amount_{place}"] = np.round(rng.lognormal(3 + shift, 1.0), 2)
        columns[f"measure_{place}"] = rng.normal(shift, 1.0)
    for place in range(4):
        columns[f"count_{place}"] = rng.poisson(3 + place + shift)
    columns["measure_3"] = np.where(rng.random(n_rows) < 0.1, np.nan, columns["measure_3"])
    for place, n_levels in enumerate(_N_LEVELS):
        levels = [f"level {one}" for one in range(n_levels)]
        drawn = (rng.random(n_rows) ** (1 + shift) * n_levels).astype(np.int64)
        columns[f"category_{place}"] = pd.Categorical.from_codes(drawn, levels)
    return pd.DataFrame(columns), segments
