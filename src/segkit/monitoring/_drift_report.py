"""Whether a segmentation still fits: what has drifted, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
import pandas as pd

from segkit._frames import UNASSIGNED
from segkit._input_checks import check_columns_present
from segkit.exceptions import ColumnError, SegkitError, SegkitTypeError
from segkit.metrics._arguments import read_count
from segkit.monitoring._drift import (
    Drift,
    Overlap,
    drift_of_bins,
    drift_of_variable,
    with_adjusted_p_values,
)
from segkit.monitoring._drift_verdict import (
    BASIS,
    EXPECTED,
    PROFILE,
    SEGMENTS,
    Verdict,
    extent_of,
    verdict_of,
)
from segkit.monitoring._placed_customers import PlacedCustomers, Reader, followed
from segkit.validation._drift_bins import DriftBins
from segkit.validation._evidence import named
from segkit.validation._variables import Variable, variable_of

_OWNER = "DriftReport"
_ADVICE = {
    "keep": "the thresholds still fit",
    "re-profile": "the thresholds still fit; describe the segments again",
    "refit": "learn the segments again",
}


@dataclass(frozen=True, eq=False)
class DriftReport:
    """What has drifted between two tables of customers, and whether segments still fit.

    Make it with :meth:`from_tables`.

    Attributes
    ----------
    verdict : {"keep", "re-profile", "refit"}
        Keep: nothing has drifted. Re-profile: sizes of the segments or variables have, so that
        profiles and plans are outdated and thresholds are not. Refit: the thresholds were learned
        from customers who are no longer like these.
    reasons : tuple of str
        What the verdict rests on, with the numbers.
    report : pandas.DataFrame
        A row for the shares of the segments (`role` ``"segments"``), and one for each variable:
        ``variable``, ``role`` (``"basis"`` of which segments are made, ``"profile"``, or
        ``"expected"`` to drift, which has no say), ``psi``, ``psi_by_chance`` (its 95 % quantile
        where nothing has changed), ``drift`` (``"none"``, ``"moderate"``, ``"large"`` or
        ``"not assessed"``), ``p_value``, ``p_adjusted``, ``missing_before`` and ``missing_after``
        (shares of customers without a value), ``outside`` (share of the later customers with a
        value beyond those of the earlier table: numbers out of their range, other levels), and
        ``note``: why something was not assessed.
    segments : pandas.DataFrame
        A row a segment, in order, ``"unassigned"`` last where somebody has none: ``segment``,
        ``customers_before``, ``customers_after``, ``share_before``, ``share_after``, ``change``.
    n_before, n_after, n_in_both : int
        Customers of each table, and of both.

    See Also
    --------
    segkit.monitoring.track : Who moved.
    segkit.metrics.population_stability_index : The index of one variable.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from segkit import ValueTierer
    >>> from segkit.monitoring import DriftReport
    >>> rng = np.random.default_rng(0)
    >>> march = pd.DataFrame({"customer_id": np.arange(800), "monetary": rng.lognormal(3, 1, 800)})
    >>> tierer = ValueTierer().fit(march)
    >>> june = march.assign(monetary=march["monetary"] * rng.lognormal(0, 0.1, 800))
    >>> DriftReport.from_tables(tierer, march, june).verdict
    'keep'
    >>> inflated = march.assign(monetary=march["monetary"] * 2)
    >>> print(DriftReport.from_tables(tierer, march, inflated).summary())
    refit: learn the segments again.
    - monetary, which segments are made of, has drifted: stability index 0.48 (large: from 0.25 on),
    more than chance makes (up to 0.045; adjusted p <0.001).
    - 800 customers before, 800 after, 800 in both.
    """

    verdict: Verdict
    reasons: tuple[str, ...]
    report: pd.DataFrame
    segments: pd.DataFrame
    n_before: int
    n_after: int
    n_in_both: int

    @classmethod
    def from_tables(
        cls,
        segmenter: Any,
        before: Any,
        after: Any,
        *,
        customer: str | None = "customer_id",
        variables: Sequence[str] | None = None,
        expected: Sequence[str] = ("tenure_days",),
        n_bins: int = 10,
    ) -> Self:
        """Compare two tables of customers, in the variables and in the segments' shares.

        Parameters
        ----------
        segmenter : estimator
            A fitted segmenter, or another fitted estimator with ``predict`` that gives each
            customer an integer, such as a clusterer or a Pipeline.
        before, after : frame of shape (n_customers, n_columns)
            One row per customer, earlier and later; `before` is what the segmenter was fitted to,
            or like it. Of lazy frames the columns needed are collected.
        customer : str, default="customer_id"
            The column that tells customers apart, or the name of a pandas index. None: the index
            of pandas frames; where that only numbers the rows, and in other frames, the tables are
            taken for samples of different customers.
        variables : sequence of str, default=None
            The columns to look at beside those that segments are made of. None: all; dates and
            free text are noted as not assessed.
        expected : sequence of str, default=("tenure_days",)
            Columns that must drift, such as everyone's tenure. They are reported and have no say
            in the verdict; those that the tables lack are passed over.
        n_bins : int, default=10
            Numbers are put into so many bins, between their quantiles in `before`; into fewer where
            that leaves less than five customers a bin.

        Returns
        -------
        DriftReport
            The verdict, and what it rests on.

        Raises
        ------
        NotFittedError
            For a segmenter before ``fit``.
        SegkitTypeError
            For a segmenter that does not predict, for arrays, and for `variables` that are neither
            numbers nor categories.
        ColumnError
            For columns that a table lacks.
        SegkitValueError, MissingValuesError
            For ids that are missing or doubled, and for whatever the segmenter refuses.

        Notes
        -----
        Drift is *moderate* from a population stability index of 0.1 on and *large* from 0.25 on
        [1]_, and only where it is more than chance: above the index's 95 % quantile without any
        change [2]_, and with an adjusted p-value of at most .05. Of many customers each trifle has
        a small p-value, so that the index says how much; of few, chance alone makes an index of
        0.25, so that the test says whether.

        Most customers of two tables are the same, which makes the tables dependent. Tests for
        independent samples (χ², Kolmogorov-Smirnov) then see less than there is. Here a customer
        counts as one, in one table or both: with everybody in both the test is that of Stuart and
        Maxwell for equal margins [3]_, with nobody Pearson's χ², and between the two it has the
        covariance of customers as clusters [4]_. It takes the same bins as the index, missing
        values among them. Who moved does not matter to it: segments that swap as many customers as
        they like have not drifted. p-values are adjusted for all rows of the report (Benjamini &
        Hochberg 1995).

        *Refit* is for large drift of a variable that segments are made of, for more than 10 % of
        the customers beyond all that was seen of such a variable, for a rise of the customers
        without a segment by more than 10 points, and where a single segment is left. *Re-profile*
        is for any other drift.

        References
        ----------
        .. [1] N. Siddiqi (2006). "Credit risk scorecards". Wiley.
        .. [2] B. Yurdakul & J. Naranjo (2020). "Statistical properties of the population stability
           index". Journal of Risk Model Validation 14(4), 89-100.
        .. [3] A. Stuart (1955). "A test for homogeneity of the marginal distributions in a two-way
           classification". Biometrika 42, 412-416.
        .. [4] K.-Y. Liang & S. L. Zeger (1986). "Longitudinal data analysis using generalized
           linear models". Biometrika 73, 13-22.
        """
        bins = read_count(n_bins, least=2, name="n_bins", owner=_OWNER)
        reader = Reader(segmenter, customer, None, _OWNER)
        roles = _roles(reader, before, after, variables, expected)
        then, later = (
            reader.read(X, which, [*roles]) for X, which in ((before, "before"), (after, "after"))
        )
        overlap = Overlap(*followed(then, later))
        segments = reader.segments(then.codes, later.codes)
        n_places = len(segments) + 1
        placed = [np.where(one.codes < 0, n_places - 1, one.codes) for one in (then, later)]
        of_segments = DriftBins(placed[0], placed[1], n_places)
        found = {"": drift_of_bins("", SEGMENTS, of_segments, overlap)}
        for name, role in roles.items():
            found[name] = _drift_of(name, role, then, later, overlap, bins, variables)
        found = with_adjusted_p_values(found)
        counts = of_segments.counts()
        shares = found.pop("")
        verdict, reasons = verdict_of(shares, [*found.values()], *counts)
        return cls(
            verdict=verdict,
            reasons=reasons,
            report=_report([shares, *found.values()]),
            segments=_segments(segments, *counts),
            n_before=len(then.codes),
            n_after=len(later.codes),
            n_in_both=len(overlap.then),
        )

    @property
    def reason(self) -> str:
        """What the verdict rests on, as one sentence."""
        return "; ".join(self.reasons)

    def summary(self) -> str:
        """Say in words what to do and why.

        Returns
        -------
        str
            The verdict and its reason; what has drifted and has no say; what was not assessed; and
            how the tables hang together.
        """
        lines = [
            f"{self.verdict}: {_ADVICE[self.verdict]}.",
            *(f"- {one}." for one in self.reasons),
        ]
        drifted = self.report["drift"].isin(["moderate", "large"])
        silent = self.report.loc[drifted & (self.report["role"] == EXPECTED), "variable"]
        if len(silent):
            lines.append(f"- drifted as expected: {named([*silent])}.")
        unknown = self.report.loc[self.report["drift"] == "not assessed", "variable"]
        if len(unknown):
            lines.append(f"- not assessed: {named([*unknown])}.")
        lines.append(
            f"- {self.n_before:,} customers before, {self.n_after:,} after, {self.n_in_both:,} in "
            "both."
        )
        return "\n".join(lines)


def _roles(
    reader: Reader,
    before: Any,
    after: Any,
    variables: Sequence[str] | None,
    expected: Sequence[str],
) -> Mapping[str, str]:
    """Return the role of each variable, those that segments are made of first."""
    expected = _names("expected", expected)
    basis = reader.basis(before, "before")
    frames = [reader.frame(before, "before"), reader.frame(after, "after")]
    if variables is None:
        columns = [name for frame in frames for name in frame.collect_schema().names()]
        variables = [name for name in columns if name != reader.customer]
    else:
        variables = _names("variables", variables)
        for frame, which in zip(frames, ("before", "after"), strict=True):
            remedy = "Pass variables=... with columns of both tables."
            owner = f"{_OWNER}, table {which!r}"
            check_columns_present(variables, frame, owner=owner, remedy=remedy)
    ordered = dict.fromkeys([*basis, *variables])
    return {
        name: EXPECTED if name in expected else BASIS if name in basis else PROFILE
        for name in ordered
    }


def _names(role: str, given: Any) -> list[str]:
    """Return the names of columns, given as a list or the like."""
    is_many = isinstance(given, Iterable) and not isinstance(given, str | bytes)
    names = list(given) if is_many else [given]
    if not is_many or not all(isinstance(name, str) for name in names):
        shown = type(given if not is_many else next(n for n in names if not isinstance(n, str)))
        raise SegkitTypeError(
            f"{_OWNER}: {role} must be a list of names of columns, got "
            f"{'one of ' if is_many else ''}{shown.__name__}."
        )
    return [str(name) for name in names]


def _drift_of(
    name: str,
    role: str,
    then: PlacedCustomers,
    later: PlacedCustomers,
    overlap: Overlap,
    n_bins: int,
    asked_for: Sequence[str] | None,
) -> Drift:
    """Compare one variable, or note why that cannot be done."""
    try:
        pair = [_variable(name, one) for one in (then, later)]
    except SegkitError as error:
        if asked_for is not None and name in asked_for:
            raise
        return Drift(name, role, note=str(error).partition(": ")[2])
    return drift_of_variable(name, role, pair[0], pair[1], overlap, n_bins)


def _variable(name: str, placed: PlacedCustomers) -> Variable:
    if name not in placed.table.columns:
        raise ColumnError(f"{_OWNER}: column {name!r} is in one of the tables only.")
    return variable_of(placed.table[name], owner=_OWNER)


def _report(found: Sequence[Drift]) -> pd.DataFrame:
    rows = [{**asdict(one), "drift": extent_of(one)} for one in found]
    order = ["variable", "role", "psi", "psi_by_chance", "drift", "p_value", "p_adjusted"]
    order += ["missing_before", "missing_after", "outside", "note"]
    report = pd.DataFrame(rows)[order]
    report.loc[report["role"] == SEGMENTS, "variable"] = "(segments)"
    return report


def _segments(segments: Sequence[str], before: Any, after: Any) -> pd.DataFrame:
    names = [*segments, UNASSIGNED]
    shares = [one / one.sum() for one in (before, after)]
    table = pd.DataFrame(
        {
            "segment": names,
            "customers_before": before,
            "customers_after": after,
            "share_before": shares[0],
            "share_after": shares[1],
            "change": shares[1] - shares[0],
        }
    )
    is_empty = not (before[-1] or after[-1])
    return table.iloc[:-1] if is_empty else table
