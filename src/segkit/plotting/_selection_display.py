"""How the number of segments was chosen: each criterion over the numbers that were tried."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from segkit.exceptions import SegkitTypeError, SegkitValueError
from segkit.plotting._drawing import pyplot
from segkit.segmenters import ClusterSegmenter
from segkit.segmenters._cluster_selection import LESS_IS_BETTER

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LINE, _CHOSEN = "#1c1c22", "#1b7f5c"
# Columns that tell how uncertain another one is.
_SPREAD = "_standard_error"
_TITLES = {
    "auto": "Auto",
    "bic": "BIC",
    "calinski_harabasz": "Calinski–Harabasz",
    "davies_bouldin": "Davies–Bouldin",
}


class SelectionDisplay:
    """The criteria of a :class:`~segkit.segmenters.ClusterSegmenter` over the number of segments.

    One panel a criterion, the chosen number marked; the criterion that chose it comes first. Make
    it with :meth:`from_estimator`.

    Parameters
    ----------
    selection : DataFrame
        A row for each number of segments, a column for each criterion. A column with a criterion's
        name and ``_standard_error`` behind it is drawn as bars around the criterion.
    chosen : int
        The number of segments that was chosen.
    deciding : str, default=None
        The criterion that chose.

    Attributes
    ----------
    axes_ : ndarray of matplotlib.axes.Axes, shape (n_criteria,)
        The axes of the panels.
    figure_ : matplotlib.figure.Figure
        The figure.

    Examples
    --------
    >>> import numpy as np
    >>> from segkit.plotting import SelectionDisplay
    >>> from segkit.segmenters import ClusterSegmenter
    >>> X = np.random.default_rng(0).normal(size=(40, 2)) + np.repeat([[0.0], [9.0]], 20, axis=0)
    >>> segmenter = ClusterSegmenter(random_state=0).fit(X)
    >>> display = SelectionDisplay.from_estimator(segmenter)
    >>> display.chosen
    2
    """

    def __init__(
        self, *, selection: pd.DataFrame, chosen: int, deciding: str | None = None
    ) -> None:
        self.selection = selection
        self.chosen = chosen
        self.deciding = deciding

    @classmethod
    def from_estimator(
        cls,
        estimator: ClusterSegmenter,
        *,
        criteria: Sequence[str] | None = None,
        ax: Axes | Sequence[Axes] | None = None,
    ) -> Self:
        """Draw the criteria of a fitted segmenter.

        Parameters
        ----------
        estimator : ClusterSegmenter
            A segmenter that chose its number of segments.
        criteria : sequence of str, default=None
            Columns of ``selection_``; by default all, the one that chose first.
        ax : matplotlib.axes.Axes or sequence of these, default=None
            Where to draw, one a criterion; by default a new figure.

        Returns
        -------
        SelectionDisplay
            The display, drawn.

        Raises
        ------
        SegkitTypeError
            For anything but a ClusterSegmenter.
        SegkitValueError
            Where the number was not chosen, or for unknown criteria.
        NotFittedError
            For a segmenter before ``fit``.
        ImportError
            Where matplotlib is not installed.
        """
        if not isinstance(estimator, ClusterSegmenter):
            raise SegkitTypeError(
                "SelectionDisplay: expected a fitted ClusterSegmenter, got "
                f"{type(estimator).__name__}."
            )
        check_is_fitted(estimator)
        table = estimator.selection_
        if table is None:
            raise SegkitValueError(
                "SelectionDisplay: the number of segments was given or found by the clusterer, so "
                'there are no criteria to draw. Fit with n_segments="auto".'
            )
        decided = estimator.selection
        decided = decided[0] if isinstance(decided, list | tuple) else decided
        decided = getattr(decided, "__name__", decided)
        known = _criteria(table)
        if criteria is None:
            criteria = sorted(known, key=lambda name: name != decided)
        elif isinstance(criteria, str):
            criteria = [criteria]
        unknown = [name for name in criteria if name not in known]
        if unknown or not len(criteria):
            raise SegkitValueError(
                f"SelectionDisplay: criteria must be among {known}, got {list(criteria)!r}."
            )
        columns = [
            name
            for criterion in criteria
            for name in (criterion, criterion + _SPREAD)
            if name in table.columns
        ]
        return cls(selection=table[columns], chosen=estimator.n_segments_, deciding=decided).plot(
            ax=ax
        )

    def plot(self, ax: Axes | Sequence[Axes] | None = None) -> Self:
        """Draw the criteria.

        Parameters
        ----------
        ax : matplotlib.axes.Axes or sequence of these, default=None
            Where to draw, one a criterion; by default a new figure.

        Returns
        -------
        SelectionDisplay
            The display itself.

        Raises
        ------
        SegkitValueError
            Where there are not as many axes as criteria.
        ImportError
            Where matplotlib is not installed.
        """
        plt = pyplot()
        criteria = _criteria(self.selection)
        n_criteria = len(criteria)
        axes: NDArray[Any]
        if ax is None:
            n_columns = min(3, n_criteria)
            n_rows = -(-n_criteria // n_columns)
            size = (3.2 * n_columns, 2.6 * n_rows)
            figure, grid = plt.subplots(
                n_rows, n_columns, figsize=size, layout="constrained", squeeze=False
            )
            figure.get_layout_engine().set(h_pad=0.1)
            axes = grid.ravel()[:n_criteria]
            for spare in grid.ravel()[n_criteria:]:
                figure.delaxes(spare)
        else:
            axes = np.atleast_1d(np.asarray(ax, dtype=object)).ravel()
        if len(axes) != n_criteria:
            raise SegkitValueError(
                f"SelectionDisplay: {n_criteria} criteria need as many axes, got {len(axes)}."
            )
        for panel, name in zip(axes, criteria, strict=True):
            self._draw(panel, name)
        self.axes_ = axes
        self.figure_ = axes[0].figure
        return self

    def _draw(self, panel: Axes, name: str) -> None:
        """Draw one criterion."""
        numbers, values = self.selection.index.to_numpy(), self.selection[name].to_numpy()
        panel.plot(numbers, values, "o-", color=_LINE, markersize=3, linewidth=1.2)
        panel.axvline(self.chosen, color=_CHOSEN, linewidth=1, linestyle="--", zorder=0)
        at = numbers == self.chosen
        panel.plot(numbers[at], values[at], "o", color=_CHOSEN, markersize=8)
        if name + _SPREAD in self.selection.columns:
            bars = self.selection[name + _SPREAD].to_numpy()
            panel.errorbar(
                numbers, values, bars, fmt="none", ecolor=_LINE, elinewidth=0.8, capsize=2
            )
        decides = name == self.deciding
        better = "less" if name in LESS_IS_BETTER else "more"
        title = _TITLES.get(name, name.replace("_", " ").capitalize())
        panel.set_title(
            f"{title}, {'decides' if decides else f'{better} is better'}",
            loc="left",
            fontsize=9,
            weight="bold" if decides else "normal",
            parse_math=False,
        )
        panel.set_xticks(numbers)
        panel.set_xlabel("Number of segments", fontsize=9)
        panel.tick_params(labelsize=8)
        panel.spines[["top", "right"]].set_visible(False)


def _criteria(table: pd.DataFrame) -> list[str]:
    """Return the columns that are criteria and no spreads of others."""
    names = list(map(str, table.columns))
    spreads = {name + _SPREAD for name in names}
    return [name for name in names if name not in spreads]
