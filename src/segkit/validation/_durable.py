"""Whether the same customers are in the same segments later: durable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import chi2_contingency, ks_2samp
from sklearn.metrics import cohen_kappa_score

from segkit._frames import UNASSIGNED
from segkit.metrics import migration_matrix, population_stability_index
from segkit.metrics._effect_sizes import contingency
from segkit.metrics._migration import wilson_interval
from segkit.validation._evidence import (
    CONFIDENCE,
    Assessment,
    Evidence,
    decided,
    named,
    percent,
    report_of,
)
from segkit.validation._pair_effects import adjusted
from segkit.validation._variables import Codes, Numbers, Variable

#: Agreement beyond chance (Cohen's kappa) that is moderate (J. R. Landis & G. G. Koch 1977, "The
#: measurement of observer agreement for categorical data").
LEAST_KAPPA = 0.4
#: A population stability index beyond this is a shift (N. Siddiqi 2006, "Credit risk scorecards").
MOST_DRIFT = 0.25

_CRITERION = "durable"


@dataclass(frozen=True, eq=False)
class SegmentDurability:
    """What :meth:`segkit.SegmentValidator.compare` finds.

    Attributes
    ----------
    passed : bool
        Whether enough customers stayed in their segment.
    report : pandas.DataFrame
        The evidence, in the columns of ``SegmentValidator.report_``: the share of customers found
        again, the share that stayed (also by segment), Cohen's kappa, and for each variable of the
        basis the population stability index and the adjusted p-value of a test.
    migration : pandas.DataFrame
        A row for each pair of segments, as :func:`segkit.metrics.migration_matrix` returns it.
    n_customers : int
        Customers in both tables.
    reason : str
        What the verdict rests on, in words.

    See Also
    --------
    segkit.SegmentValidator.compare : Makes it.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from segkit import SegmentValidator, ValueTierer
    >>> rng = np.random.default_rng(0)
    >>> before = pd.DataFrame({"monetary": rng.lognormal(size=400)})
    >>> after = before * rng.lognormal(sigma=0.2, size=(400, 1))
    >>> durability = SegmentValidator(ValueTierer(), random_state=0).fit(before).compare(after)
    >>> durability.passed
    True
    >>> print(durability.summary())  # doctest: +ELLIPSIS
    durable: passed. ... of the 400 customers stayed in their segment ...
    """

    passed: bool
    report: pd.DataFrame
    migration: pd.DataFrame
    n_customers: int
    reason: str

    def summary(self) -> str:
        """Say in a sentence what was found.

        Returns
        -------
        str
            The verdict, and what it rests on.
        """
        return f"durable: {'passed' if self.passed else 'failed'}. {self.reason}."


def durability(
    before: Codes,
    after: Codes,
    segments: tuple[str, ...],
    drifting: Mapping[str, tuple[Variable, Variable]],
    *,
    n_before: int,
) -> SegmentDurability:
    """Return how durable segments are, given the codes of the same customers twice.

    `drifting` are the variables of everyone, then and later; `n_before` the customers then.
    """
    names = np.array([*segments, UNASSIGNED], dtype=object)
    order = [*segments] + ([UNASSIGNED] if min(before.min(), after.min()) < 0 else [])
    migration = migration_matrix(names[before], names[after], segments=order)
    rows = [_found_again(len(before), n_before), *_stayed(before, after, segments)]
    rows += _drift(drifting)
    stayed = next(row for row in rows if row.metric == "share that stayed")
    drifted = [row.variable for row in rows if row.metric == _PSI and row.value > MOST_DRIFT]
    n_in_segments = int((before >= 0).sum())
    told = (
        f"{percent(stayed.value)} of the {n_in_segments:,} customers stayed in their segment "
        f"({percent(stayed.low)} to {percent(stayed.high)})"
    )
    unknown = [row.variable for row in rows if row.metric == _PSI and np.isnan(row.value)]
    told += f"; drifted: {named(drifted)}" if drifted else "; no variable has drifted far"
    told += f"; not known of {named(unknown)}" if unknown else ""
    assessment: Assessment = decided(_CRITERION, rows, passes=told, fails=told)
    return SegmentDurability(
        passed=assessment.status == "passed",
        report=report_of([assessment]),
        migration=migration,
        n_customers=len(before),
        reason=told,
    )


_PSI = "population stability index"


def _found_again(n_both: int, n_before: int) -> Evidence:
    share, low, high = (float(one) for one in wilson_interval(n_both, n_before, CONFIDENCE))
    return Evidence(_CRITERION, "share of customers in both tables", share, low=low, high=high)


def _stayed(before: Codes, after: Codes, segments: tuple[str, ...]) -> list[Evidence]:
    # Who has no segment, before and after, has stayed in none.
    assigned = (before >= 0) | (after >= 0)
    before, after = before[assigned], after[assigned]
    stayed = before == after
    n_before = int((before >= 0).sum())
    share, low, high = (
        float(one) for one in wilson_interval(int(stayed.sum()), n_before, CONFIDENCE)
    )
    is_one = len(np.unique(np.concatenate([before, after]))) < 2
    kappa = 1.0 if is_one else float(cohen_kappa_score(before, after))
    passed = kappa >= LEAST_KAPPA
    remedy = "Segments change faster than plans: assign customers anew before each use."
    rows = [
        Evidence(_CRITERION, "share that stayed", share, low=low, high=high),
        Evidence(
            _CRITERION,
            "agreement beyond chance (kappa)",
            kappa,
            threshold=LEAST_KAPPA,
            passed=passed,
            what_to_do="" if passed else remedy,
        ),
    ]
    inside = before >= 0
    sizes = np.bincount(before[inside], minlength=len(segments))
    hits = np.bincount(before[inside & stayed], minlength=len(segments))
    for name, *about in zip(segments, *wilson_interval(hits, sizes, CONFIDENCE), strict=True):
        value, least, most = (float(one) for one in about)
        rows.append(Evidence(_CRITERION, "share that stayed", value, name, "", least, most))
    return rows


def _drift(drifting: Mapping[str, tuple[Variable, Variable]]) -> list[Evidence]:
    found = {name: _drift_of(*both) for name, both in drifting.items()}
    p_values = adjusted(np.array([p_value for _, p_value in found.values()]))
    rows = []
    for (name, (index, _)), p_value in zip(found.items(), p_values, strict=True):
        remedy = f"{name!r} is not what it was: learn the segments again."
        rows += [
            Evidence(
                _CRITERION,
                _PSI,
                index,
                variable=name,
                threshold=MOST_DRIFT,
                what_to_do=remedy if index > MOST_DRIFT else "",
            ),
            Evidence(_CRITERION, "adjusted p-value of drift", float(p_value), variable=name),
        ]
    return rows


def _drift_of(then: Variable, later: Variable) -> tuple[float, float]:
    """Return the stability index, and the p-value of Kolmogorov & Smirnov's or of the χ² test."""
    if isinstance(then, Numbers) and isinstance(later, Numbers):
        before, after = (one.values[~one.is_missing] for one in (then, later))
        if not before.size or not after.size:
            return np.nan, np.nan
        p_value = float(ks_2samp(before, after, method="asymp").pvalue)
        return population_stability_index(before, after), p_value
    names = [_level_names(one) for one in (then, later)]
    if not names[0].size or not names[1].size:
        return np.nan, np.nan
    index = population_stability_index(names[0], names[1])
    _, codes = np.unique(np.concatenate(names).astype(str), return_inverse=True)
    table = contingency(np.repeat([0, 1], [len(names[0]), len(names[1])]), codes)
    p_value = float(chi2_contingency(table, correction=False).pvalue) if table.shape[1] > 1 else 1.0
    return index, p_value


def _level_names(variable: Variable) -> NDArray[Any]:
    if isinstance(variable, Numbers):
        return variable.values[~variable.is_missing].astype(str).astype(object)
    return np.array(variable.levels, dtype=object)[variable.codes[~variable.is_missing]]
