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

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LINE, _CHOSEN = "#1c1c22", "#1b7f5c"
_LESS_IS_BETTER = ("davies_bouldin", "bic")


class SelectionDisplay:
    """The criteria of a :class:`~segkit.segmenters.ClusterSegmenter` over the number of segments.

    One panel a criterion, the chosen number marked. Make it with :meth:`from_estimator`.

    Parameters
    ----------
    selection : DataFrame
        A row for each number of segments, a column for each criterion.
    chosen : int
        The number of segments that was chosen.

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

    def __init__(self, *, selection: pd.DataFrame, chosen: int) -> None:
        self.selection = selection
        self.chosen = chosen

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
            Columns of ``selection_``; by default all but standard errors.
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
        if criteria is None:
            criteria = [name for name in table.columns if not name.endswith("_standard_error")]
        elif isinstance(criteria, str):
            criteria = [criteria]
        unknown = [name for name in criteria if name not in table.columns]
        if unknown or not len(criteria):
            raise SegkitValueError(
                f"SelectionDisplay: criteria must be among {list(table.columns)}, got "
                f"{list(criteria)!r}."
            )
        return cls(selection=table[list(criteria)], chosen=estimator.n_segments_).plot(ax=ax)

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
        n_criteria = self.selection.shape[1]
        axes: NDArray[Any]
        if ax is None:
            n_columns = min(3, n_criteria)
            n_rows = -(-n_criteria // n_columns)
            size = (3.2 * n_columns, 2.6 * n_rows)
            figure, grid = plt.subplots(
                n_rows, n_columns, figsize=size, layout="constrained", squeeze=False
            )
            axes = grid.ravel()[:n_criteria]
            for spare in grid.ravel()[n_criteria:]:
                figure.delaxes(spare)
        else:
            axes = np.atleast_1d(np.asarray(ax, dtype=object)).ravel()
        if len(axes) != n_criteria:
            raise SegkitValueError(
                f"SelectionDisplay: {n_criteria} criteria need as many axes, got {len(axes)}."
            )
        numbers = self.selection.index.to_numpy()
        for panel, name in zip(axes, self.selection.columns, strict=True):
            values = self.selection[name].to_numpy()
            better = "less" if name in _LESS_IS_BETTER else "more"
            panel.plot(numbers, values, "o-", color=_LINE, markersize=3, linewidth=1.2)
            panel.axvline(self.chosen, color=_CHOSEN, linewidth=1, linestyle="--", zorder=0)
            at = numbers == self.chosen
            panel.plot(numbers[at], values[at], "o", color=_CHOSEN, markersize=8)
            title = f"{name.replace('_', ' ')} ({better} is better)"
            panel.set_title(title, loc="left", fontsize=9, parse_math=False)
            panel.set_xticks(numbers)
            panel.set_xlabel("Number of segments", fontsize=9)
            panel.tick_params(labelsize=8)
            panel.spines[["top", "right"]].set_visible(False)
        self.axes_ = axes
        self.figure_ = axes[0].figure
        return self
