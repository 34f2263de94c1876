"""Whether the same customers are in the same segments later: durable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import chi2_contingency, ks_2samp
from sklearn.metrics import cohen_kappa_score

from segkit._frames import UNASSIGNED
from segkit.metrics import migration_matrix
from segkit.metrics._migration import wilson_interval
from segkit.metrics._population_stability import psi_of_counts
from segkit.validation._drift_bins import drift_bins
from segkit.validation._evidence import (
    CONFIDENCE,
    NAN,
    Assessment,
    Evidence,
    counted,
    decided,
    named,
    percent,
    report_of,
)
from segkit.validation._measurable import MOST_MISSING
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
        basis the population stability index, in which missing values are a bin of their own, and
        the adjusted p-value of a test of the known values; where values are missing, the change of
        their share and its p-value, too. A variable that the later table lacks is not assessed.
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
    drifting: Mapping[str, tuple[Variable, Variable | None]],
    *,
    n_before: int,
    is_in_order: bool = False,
) -> SegmentDurability:
    """Return how durable segments are, given the codes of the same customers twice.

    `drifting` are the variables of everyone, then and later, None for those that the later table
    lacks; `n_before` the customers then; `is_in_order` tells that nothing but the order of the rows
    says who is who.
    """
    names = np.array([*segments, UNASSIGNED], dtype=object)
    order = [*segments] + ([UNASSIGNED] if min(before.min(), after.min()) < 0 else [])
    migration = migration_matrix(names[before], names[after], segments=order)
    rows = [_found_again(len(before), n_before), *_stayed(before, after, segments)]
    rows += _drift(drifting)
    stayed = next(row for row in rows if row.metric == "share that stayed")
    kappa = next(row for row in rows if row.metric.startswith("agreement"))
    who = counted(int((before >= 0).sum()), "customer")
    told = (
        f"{percent(stayed.value)} of the {who} stayed in their segment "
        f"({percent(stayed.low)} to {percent(stayed.high)}; kappa {kappa.value:.2f}"
    )
    told += ")" if kappa.passed else f", at least {LEAST_KAPPA:.2f} wanted)"
    told += _told_of_drift(rows, drifting)
    if is_in_order:
        told += "; customers were found again by the order of the rows: customer_id=... is safer"
    assessment: Assessment = decided(_CRITERION, rows, passes=told, fails=told)
    return SegmentDurability(
        passed=assessment.status == "passed",
        report=report_of([assessment]),
        migration=migration,
        n_customers=len(before),
        reason=told,
    )


_PSI, _ABSENT = "population stability index", "not assessed"


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


def _drift(drifting: Mapping[str, tuple[Variable, Variable | None]]) -> list[Evidence]:
    found = {
        name: _drift_of(then, later)
        for name, (then, later) in drifting.items()
        if later is not None
    }
    tests = [p_value for one in found.values() for p_value in (one.p_value, one.p_missing)]
    p_values = iter(adjusted(np.array(tests)))
    rows = []
    for name in drifting:
        if name not in found:
            remedy = f"{name!r} is not in the later table: add it, to see whether it has drifted."
            rows.append(Evidence(_CRITERION, _ABSENT, NAN, variable=name, what_to_do=remedy))
            continue
        one = found[name]
        remedy = f"{name!r} is not what it was: learn the segments again."
        rows += [
            Evidence(
                _CRITERION,
                _PSI,
                one.index,
                variable=name,
                threshold=MOST_DRIFT,
                what_to_do=remedy if one.index > MOST_DRIFT else "",
            ),
            Evidence(_CRITERION, "adjusted p-value of drift", float(next(p_values)), variable=name),
        ]
        p_missing = float(next(p_values))
        if any(one.missing):
            change = one.missing[1] - one.missing[0]
            metric = "adjusted p-value of the missing share"
            rows += [
                Evidence(_CRITERION, "change of the missing share", change, variable=name),
                Evidence(_CRITERION, metric, p_missing, variable=name),
            ]
    return rows


def _told_of_drift(
    rows: Sequence[Evidence], drifting: Mapping[str, tuple[Variable, Variable | None]]
) -> str:
    """Return which variables have drifted, in words, and of which that is not known."""
    indices = {row.variable: row.value for row in rows if row.metric == _PSI}
    drifted = [name for name, index in indices.items() if index > MOST_DRIFT]
    absent = [row.variable for row in rows if row.metric == _ABSENT]
    unknown = [name for name, index in indices.items() if np.isnan(index)]
    told = ""
    if drifted:
        told += f"; drifted: {named([_with_missing(name, *drifting[name]) for name in drifted])}"
    elif len(unknown) < len(indices):
        told += "; no variable has drifted far"
    told += f"; not assessed: {named(absent)}, which the later table lacks" if absent else ""
    told += f"; not assessed: {named(unknown)}, of which no value is known" if unknown else ""
    return told


def _with_missing(name: str, then: Variable, later: Variable | None) -> str:
    """Return a name, and what is missing where that has changed much."""
    shares = [0.0 if one is None else float(one.is_missing.mean()) for one in (then, later)]
    if abs(shares[1] - shares[0]) <= MOST_MISSING:
        return name
    return f"{name} ({percent(shares[0])} missing then, {percent(shares[1])} later)"


@dataclass(frozen=True)
class _Drift:
    """The stability index, with missing as a bin; p-values of known values, and of missing ones."""

    index: float
    p_value: float
    p_missing: float
    missing: tuple[float, float]


def _drift_of(then: Variable, later: Variable) -> _Drift:
    """Test known values by Kolmogorov & Smirnov, or by χ²; the missing share by χ²."""
    known = [int((~one.is_missing).sum()) for one in (then, later)]
    lost = [int(one.is_missing.sum()) for one in (then, later)]
    missing = (float(then.is_missing.mean()), float(later.is_missing.mean()))
    if not any(known):
        return _Drift(NAN, NAN, NAN, missing)
    counts = drift_bins(then, later).counts()
    p_value = NAN
    if all(known):
        if isinstance(then, Numbers) and isinstance(later, Numbers):
            of_both = [one.values[~one.is_missing] for one in (then, later)]
            # The test's distribution is none for one customer against one.
            is_tested = max(known) > 1
            p_value = float(ks_2samp(*of_both, method="asymp").pvalue) if is_tested else 1.0
        else:
            p_value = _chi2(np.array(counts)[:, :-1])
    p_missing = _chi2(np.array([known, lost]).T) if any(lost) else NAN
    return _Drift(psi_of_counts(*counts), p_value, p_missing, missing)


def _chi2(table: NDArray[np.intp]) -> float:
    """Return the p-value of the χ² test, 1 where there is one column only."""
    table = table[:, table.any(axis=0)]
    if table.shape[1] < 2:
        return 1.0
    return float(chi2_contingency(table, correction=False).pvalue)
