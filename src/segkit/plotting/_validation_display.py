"""The verdict on each criterion, and on each segment by it, as a table to look at."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import wrap
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd
from sklearn.utils.validation import check_is_fitted

from segkit.exceptions import SegkitTypeError, SegkitValueError
from segkit.plotting._drawing import pyplot
from segkit.validation import SegmentValidator

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_INK, _GREY = "#1c1c22", "#6b6b75"
# Told apart by colour-blind readers, and by their signs.
_STYLES: Mapping[str, tuple[str, str, str]] = {
    "passed": ("✓", "#1b7f5c", "#d8ece4"),
    "failed": ("✗", "#b5382d", "#f6d9d5"),
    "not assessed": ("–", _GREY, "#f1f1f4"),
    "not applicable": ("–", _GREY, "#f1f1f4"),
}
# What a criterion says of each segment, in words for the reader, and how it is written.
_OF_SEGMENTS = {
    "substantial": ("share of customers", "{:.1f} %"),
    "accessible": ("reachable share", "{:.0f} %"),
    "differentiable": ("found by the classifier", "{:.0f} %"),
    "actionable": ("lift", "{:.2f}×"),
    "stable": ("Jaccard similarity, resampled", "{:.2f}"),
}
_WORDS = {
    "substantial": "share of customers",
    "accessible": "reachable",
    "differentiable": "found by a classifier",
    "actionable": "lift of {variable}",
    "stable": "Jaccard similarity",
}
# More segments do not fit beside one another.
_MOST_SEGMENTS = 12
# Sentences take the room of some segments, though there be fewer.
_FEWEST_COLUMNS = 4
# Letters of a name beside a criterion, in a line of a segment's name, and in a line of the title.
_LONGEST_VARIABLE, _LINE_OF_NAME, _LINE_OF_TITLE = 16, 12, 60
_MOST_LINES = 4


class ValidationDisplay:
    """The verdicts of a :class:`~segkit.SegmentValidator`.

    A row for each criterion: its verdict, and what it says of each segment, coloured where a
    threshold decides. Make it with :meth:`from_estimator`.

    Parameters
    ----------
    verdicts : DataFrame
        As ``SegmentValidator.verdicts_``.
    report : DataFrame
        As ``SegmentValidator.report_``.
    segments : sequence of str
        Names of the segments, in their order.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
        The axes.
    figure_ : matplotlib.figure.Figure
        The figure.

    Examples
    --------
    >>> import numpy as np
    >>> from segkit import SegmentValidator
    >>> from segkit.plotting import ValidationDisplay
    >>> X = np.random.default_rng(0).normal(size=(200, 2)) + np.repeat([[0.0], [9.0]], 100, axis=0)
    >>> validator = SegmentValidator(random_state=0).fit(X, ["low"] * 100 + ["high"] * 100)
    >>> display = ValidationDisplay.from_estimator(validator)
    >>> len(display.verdicts)
    9
    """

    def __init__(self, *, verdicts: pd.DataFrame, report: pd.DataFrame, segments: Any) -> None:
        self.verdicts = verdicts
        self.report = report
        self.segments = segments

    @classmethod
    def from_estimator(
        cls, estimator: SegmentValidator, *, outcome: str | None = None, ax: Axes | None = None
    ) -> Self:
        """Draw the verdicts of a fitted validator.

        Parameters
        ----------
        estimator : SegmentValidator
            A fitted validator.
        outcome : str, default=None
            The outcome whose lifts are drawn; None is the first.
        ax : matplotlib.axes.Axes, default=None
            Where to draw; by default a new figure.

        Returns
        -------
        ValidationDisplay
            The display, drawn.

        Raises
        ------
        SegkitTypeError
            For anything but a SegmentValidator.
        SegkitValueError
            For an outcome that was not assessed.
        NotFittedError
            For a validator before ``fit``.
        ImportError
            Where matplotlib is not installed.
        """
        if not isinstance(estimator, SegmentValidator):
            raise SegkitTypeError(
                "ValidationDisplay: expected a fitted SegmentValidator, got "
                f"{type(estimator).__name__}."
            )
        check_is_fitted(estimator)
        return cls(
            verdicts=estimator.verdicts_,
            report=estimator.report_,
            segments=[str(name) for name in estimator.segments_],
        ).plot(outcome=outcome, ax=ax)

    def plot(self, *, outcome: str | None = None, ax: Axes | None = None) -> Self:
        """Draw the verdicts.

        Parameters
        ----------
        outcome : str, default=None
            The outcome whose lifts are drawn; None is the first.
        ax : matplotlib.axes.Axes, default=None
            Where to draw; by default a new figure.

        Returns
        -------
        ValidationDisplay
            The display itself.

        Raises
        ------
        SegkitValueError
            For an outcome that was not assessed.
        ImportError
            Where matplotlib is not installed.
        """
        shown = self.segments[:_MOST_SEGMENTS]
        cells = {name: self._cells(name, outcome) for name in _OF_SEGMENTS}
        n_rows = len(self.verdicts)
        if ax is None:
            size = (4.4 + 1.05 * max(len(shown), _FEWEST_COLUMNS), 1.3 + 0.5 * n_rows)
            _, ax = pyplot().subplots(figsize=size, layout="constrained")
        for row, verdict in enumerate(self.verdicts.itertuples(index=False)):
            criterion, status = str(verdict.criterion), str(verdict.status)
            sign, ink, _ = _STYLES[status]
            ax.text(-3.55, row, sign, color=ink, weight="bold", va="center", fontsize=13)
            ax.text(-3.3, row, criterion, color=_INK, weight="bold", va="center")
            found = cells.get(criterion)
            if found is None or not len(found):
                said = status if verdict.passed is None else _first_part(str(verdict.reason))
                ax.text(-0.45, row, said, color=_GREY, va="center", fontsize=9)
                continue
            variable = _shortened(str(found["variable"].iloc[0]), _LONGEST_VARIABLE)
            what = _WORDS[criterion].format(variable=variable).replace("$", r"\$")
            ax.text(-0.6, row, what, color=_GREY, va="center", ha="right", fontsize=9)
            self._draw_cells(ax, row, found.set_index("segment"), criterion)
        self._finish(ax, len(shown), n_rows)
        self.ax_ = ax
        self.figure_ = ax.figure
        return self

    def _cells(self, criterion: str, outcome: str | None) -> pd.DataFrame:
        """Return what a criterion says of each segment."""
        of_criterion = self.report[self.report["criterion"] == criterion]
        found = of_criterion[of_criterion["metric"] == _OF_SEGMENTS[criterion][0]]
        found = found[found["segment"].isin(self.segments)]
        if criterion != "actionable":
            return found
        known = list(of_criterion.loc[of_criterion["variable"] != "", "variable"].unique())
        if outcome is None:
            outcome = found["variable"].iloc[0] if len(found) else None
        elif outcome not in known:
            raise SegkitValueError(
                f"ValidationDisplay: outcome must be one that was assessed, {known}, got "
                f"{outcome!r}."
            )
        return found[found["variable"] == outcome]

    def _draw_cells(self, ax: Axes, row: int, found: pd.DataFrame, criterion: str) -> None:
        plt = pyplot()
        written = _OF_SEGMENTS[criterion][1]
        for place, name in enumerate(self.segments[:_MOST_SEGMENTS]):
            if name not in found.index:
                continue
            cell = found.loc[name]
            # What another number of the segment decides counts, too.
            of_segment = self.report["segment"] == name
            decided = self.report[of_segment & (self.report["criterion"] == criterion)]["passed"]
            has_failed = any(one is False for one in decided)
            passed, value = False if has_failed else cell["passed"], float(cell["value"])
            style = {True: "passed", False: "failed"}.get(passed, "not assessed")
            _, ink, fill = _STYLES[style]
            ax.add_patch(
                plt.Rectangle((place - 0.46, row - 0.4), 0.92, 0.8, color=fill, linewidth=0)
            )
            value = 100 * value if "%" in written else value
            text = written.format(value) if np.isfinite(value) else "–"
            colour = ink if passed is not None else _INK
            ax.text(place, row, text, color=colour, ha="center", va="center", fontsize=9.5)

    def _finish(self, ax: Axes, n_shown: int, n_rows: int) -> None:
        for place, name in enumerate(self.segments[:n_shown]):
            # A dollar would begin a formula.
            text = _wrapped(name).replace("$", r"\$")
            ax.text(place, -0.65, text, ha="center", va="bottom", fontsize=9, color=_INK)
        longest = max(_wrapped(name).count("\n") for name in self.segments[:n_shown])
        left_out = len(self.segments) - n_shown
        if left_out:
            ax.text(n_shown - 0.4, -0.65, f"+{left_out}", va="bottom", fontsize=9, color=_GREY)
        ax.set_xlim(-3.7, max(n_shown, _FEWEST_COLUMNS) - 0.4)
        ax.set_ylim(n_rows - 0.4, -1.15 - 0.36 * longest)
        ax.set_axis_off()
        failed = self.verdicts.loc[self.verdicts["status"] == "failed", "criterion"]
        passed = failed.empty
        title = "Failed: " + ", ".join(failed)
        ax.set_title(
            "Every criterion that was assessed is passed"
            if passed
            else "\n".join(wrap(title, _LINE_OF_TITLE)),
            loc="left",
            color=_STYLES["passed" if passed else "failed"][1],
        )


def _first_part(reason: str, most: int = 62) -> str:
    """Return the beginning of a reason, which may be long."""
    reason = reason.split("; ")[0].replace("$", r"\$")
    if len(reason) > most:
        reason = reason.split(" (")[0]
    return _shortened(reason, most)


def _shortened(name: str, most: int) -> str:
    return name if len(name) <= most else name[: most - 1].rstrip() + "…"


def _wrapped(name: str) -> str:
    """Return a name in a few lines of some letters."""
    return "\n".join(wrap(name, _LINE_OF_NAME, max_lines=_MOST_LINES, placeholder="…"))
