"""The recency by frequency grid: where the customers are, what they are called, what they bring."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import narwhals.stable.v2 as nw
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import label
from sklearn.utils.validation import check_is_fitted

from segkit._frames import as_frame, float_values
from segkit._input_checks import check_columns_present, check_complete, check_numeric
from segkit.exceptions import LazyFrameError, SegkitTypeError
from segkit.plotting._drawing import percent, pyplot, text_colour
from segkit.segmenters import RFMScorer
from segkit.segmenters._column_edges import ColumnEdges, Scores
from segkit.segmenters._rfm_words import ScoredColumn

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Colours by name, so that pictures of several maps can be compared: greens for the best, blues for
# the young, ambers for those who drift, reds for those who leave, greys for the rest.
_NAMED_COLOURS = {
    "champions": "#1b7f5c",
    "premium": "#1b7f5c",
    "loyal": "#6cc08b",
    "repeat": "#6cc08b",
    "potential loyalist": "#4f9bd9",
    "top spender": "#4f9bd9",
    "new": "#a9d3f5",
    "promising": "#c9def0",
    "need attention": "#f4d35e",
    "about to sleep": "#f2b880",
    "can't lose": "#c8504b",
    "at risk": "#e58a7b",
    "hibernating": "#c9c9cf",
    "inactive": "#c9c9cf",
    "lost": "#9a9aa6",
    "others": "#e6e6ea",
    "other": "#e6e6ea",
}


class RFMDisplay:
    """The recency by frequency grid of an :class:`~segkit.RFMScorer`.

    Each cell is coloured and labelled by its segment and shows its customers and its share of
    the total value. Make it with :meth:`from_estimator`.

    Parameters
    ----------
    segments : ndarray of shape (n_recency_scores, n_frequency_scores), dtype object
        Name of the segment of each cell; the first row and column are those of score 1. Under a
        map that uses more than recency and frequency, the segment of most of its customers.
    customers : ndarray of shape (n_recency_scores, n_frequency_scores), dtype int64
        Number of customers.
    value_share : ndarray of shape (n_recency_scores, n_frequency_scores), default=None
        Share of the total value, from 0 to 1.
    segment_order : sequence of str
        All segments, best first: the order of the colours.
    recency_labels, frequency_labels : sequence of str, default=None
        What to write beside each score, from score 1 up.
    title : str, default=None
        Title of the picture; by default the number of customers.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
        The axes of the grid.
    figure_ : matplotlib.figure.Figure
        The figure.

    Examples
    --------
    >>> from segkit import RFMScorer, summarize_transactions
    >>> from segkit.datasets import make_transactions
    >>> from segkit.plotting import RFMDisplay
    >>> customers = summarize_transactions(make_transactions(500, random_state=0))
    >>> display = RFMDisplay.from_estimator(RFMScorer().fit(customers), customers)
    >>> int(display.customers.sum())
    500
    """

    def __init__(
        self,
        *,
        segments: NDArray[np.object_],
        customers: NDArray[np.int64],
        value_share: NDArray[np.float64] | None = None,
        segment_order: Sequence[str],
        recency_labels: Sequence[str] | None = None,
        frequency_labels: Sequence[str] | None = None,
        title: str | None = None,
    ) -> None:
        self.segments = segments
        self.customers = customers
        self.value_share = value_share
        self.segment_order = segment_order
        self.recency_labels = recency_labels
        self.frequency_labels = frequency_labels
        self.title = title

    @classmethod
    def from_estimator(
        cls, estimator: RFMScorer, X: Any, *, value: str | None = None, ax: Axes | None = None
    ) -> Self:
        """Count the customers of each cell and draw the grid.

        Parameters
        ----------
        estimator : RFMScorer
            A fitted scorer.
        X : eager frame or array of shape (n_customers, n_columns)
            The customers to draw, as for ``estimator.predict``.
        value : str, default=None
            Column of `X` whose total is shared out; by default the scorer's third column (the
            monetary value), if it has one. The shares count positive values only, because a
            share of a total that includes refunds can exceed everything.
        ax : matplotlib.axes.Axes, default=None
            Where to draw; by default a new figure.

        Returns
        -------
        RFMDisplay
            The display, drawn.

        Raises
        ------
        SegkitTypeError
            For anything but an RFMScorer.
        ColumnError
            For a `value` that `X` does not have.
        LazyFrameError
            For a lazy frame: collect it first.
        NotFittedError
            For a scorer before ``fit``.
        ImportError
            Where matplotlib is not installed.
        """
        if not isinstance(estimator, RFMScorer):
            raise SegkitTypeError(
                f"RFMDisplay: expected a fitted RFMScorer, got {type(estimator).__name__}."
            )
        check_is_fitted(estimator)
        if isinstance(as_frame(X, owner="RFMDisplay"), nw.LazyFrame):
            raise LazyFrameError("RFMDisplay: collect the lazy frame first; it has no values yet.")
        values = estimator._validate_customers(X, reset=False)
        amounts = _amounts(X, values[:, : len(estimator._edges)], value)
        complete = ~np.isnan(values).any(axis=1)
        scored = estimator._scores(values[complete])
        recency, frequency, *_ = estimator._edges
        n_recency, n_frequency = shape = (recency.binning.n_bins, frequency.binning.n_bins)
        cell = np.ravel_multi_index((scored[0] - 1, scored[1] - 1), shape)
        n_cells = n_recency * n_frequency
        share = None
        if amounts is not None:
            positive = np.clip(np.nan_to_num(amounts[complete]), 0, None)
            if positive.sum() > 0:
                summed = np.bincount(cell, weights=positive, minlength=n_cells)
                share = summed.reshape(shape) / positive.sum()
        display = cls(
            segments=_cell_segments(estimator, scored, shape),
            customers=np.bincount(cell, minlength=n_cells).reshape(shape),
            value_share=share,
            segment_order=[str(name) for name in estimator.segments_],
            recency_labels=_score_labels(recency),
            frequency_labels=_score_labels(frequency),
            title=_title(estimator, int(complete.sum()), int((~complete).sum())),
        )
        return display.plot(ax=ax)

    def plot(self, ax: Axes | None = None) -> Self:
        """Draw the grid.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            Where to draw; by default a new figure.

        Returns
        -------
        RFMDisplay
            The display itself.

        Raises
        ------
        ImportError
            Where matplotlib is not installed.
        """
        plt = pyplot()
        if ax is None:
            n_recency, n_frequency = self.customers.shape
            _, ax = plt.subplots(
                figsize=(1.5 + 1.75 * n_frequency, 1.3 + 1.05 * n_recency), layout="constrained"
            )
        colours = _segment_colours(self.segment_order)
        scale = _text_scale(ax, self.customers.shape)
        for cell, name in np.ndenumerate(self.segments):
            self._draw_cell(ax, cell, colours.get(name, "#ffffff"), scale)
        for corner in _region_corners(self.segments):
            _write_name(ax, corner, self.segments[corner], colours, scale)
        self._draw_axes(ax, scale)
        self.ax_ = ax
        self.figure_ = ax.figure
        return self

    def _draw_cell(self, ax: Axes, cell: tuple[int, ...], colour: str, scale: float) -> None:
        recency, frequency = cell
        ax.bar(frequency + 1, 1, width=1, bottom=recency + 0.5, color=colour, linewidth=0, zorder=1)
        # Wide lines between segments, hair lines within one, so that a segment is one area.
        for neighbour, xs, ys in (
            ((recency - 1, frequency), (0.5, 1.5), (0.5, 0.5)),
            ((recency, frequency - 1), (0.5, 0.5), (0.5, 1.5)),
        ):
            if min(neighbour) < 0:
                continue
            within = self.segments[neighbour] == self.segments[cell]
            ax.plot(
                [frequency + x for x in xs],
                [recency + y for y in ys],
                color="white",
                linewidth=0.8 if within else 3,
                alpha=0.5 if within else 1,
                solid_capstyle="projecting",
                zorder=2,
            )
        text = f"{self.customers[cell]:,}"
        if self.value_share is not None and self.customers[cell]:
            text += f"\n{percent(self.value_share[cell])} of value"
        ax.text(
            frequency + 1,
            recency + 0.9,
            text,
            ha="center",
            va="center",
            fontsize=9 * scale,
            linespacing=1.4,
            parse_math=False,
            color=text_colour(colour),
            alpha=1.0 if self.customers[cell] else 0.6,
            zorder=3,
        )

    def _draw_axes(self, ax: Axes, scale: float) -> None:
        n_recency, n_frequency = self.customers.shape
        ax.set_xlim(0.5, n_frequency + 0.5)
        ax.set_ylim(0.5, n_recency + 0.5)
        ax.set_xticks(range(1, n_frequency + 1), self.frequency_labels, fontsize=9 * scale)
        ax.set_yticks(range(1, n_recency + 1), self.recency_labels, fontsize=9 * scale)
        ax.tick_params(length=0)
        for spine in ax.spines.values():
            spine.set_visible(False)
        ax.set_xlabel("Frequency score, and number of orders", fontsize=10 * scale)
        ax.set_ylabel("Recency score, and days since the last order", fontsize=10 * scale)
        ax.set_title(
            self.title or f"RFM segments of {int(self.customers.sum()):,} customers",
            loc="left",
            weight="bold",
            fontsize=12 * scale,
        )


def _title(estimator: RFMScorer, n_assigned: int, n_unassigned: int) -> str:
    title = f"RFM segments of {n_assigned:,} customers"
    if n_unassigned:
        title += f" ({n_unassigned:,} more are unassigned)"
    if not set(estimator.segment_map_.dimensions) <= {"recency", "frequency"}:
        title += "\neach cell is named by the segment of most of its customers"
    return title


def _score_labels(edges: ColumnEdges) -> list[str]:
    """Return each score, with the values that it stands for where these are the same for all."""
    labels = [str(score) for score in range(1, edges.binning.n_bins + 1)]
    if not edges.is_one_for_all:
        return labels
    column = ScoredColumn("", "", edges.table.ravel(), edges.binning.smaller_is_better)
    for score in range(1, edges.binning.n_bins + 1):
        above, up_to = column.values_of({"": (score, score)})
        if above is None:
            values = f"≤ {up_to:,.4g}"
        elif up_to is None:
            values = f"> {above:,.4g}"
        else:
            values = "ties: none" if above == up_to else f"> {above:,.4g} to {up_to:,.4g}"
        labels[score - 1] += f"\n{values}"
    return labels


def _amounts(X: Any, values: NDArray[np.float64], value: str | None) -> NDArray[np.float64] | None:
    if value is None:
        return values[:, 2] if values.shape[1] > 2 else None
    frame = as_frame(X, owner="RFMDisplay")
    if not isinstance(frame, nw.DataFrame) or not isinstance(value, str):
        raise SegkitTypeError("RFMDisplay: value=... names a column, so X must be a frame.")
    check_columns_present([value], frame, owner="RFMDisplay", remedy="Pass another value=...")
    check_numeric([value], frame, owner="RFMDisplay")
    amounts = float_values(frame[value])
    check_complete({value: amounts}, owner="RFMDisplay", allow_missing=True)
    return amounts


def _cell_segments(
    estimator: RFMScorer, scored: Sequence[Scores], shape: tuple[int, int]
) -> NDArray[np.object_]:
    """Return the segment of each cell: the only one, or that of most of its customers."""
    segment_map = estimator.segment_map_
    named = np.full(shape, "", dtype=object)
    cells = np.argwhere(np.ones(shape, dtype=bool)) + 1
    if set(segment_map.dimensions) <= {"recency", "frequency"}:
        mapped = [("recency", "frequency").index(name) for name in segment_map.dimensions]
        codes = segment_map.codes(cells[:, mapped])
        named[...] = np.array(segment_map.names, dtype=object)[codes].reshape(shape)
        return named
    codes = segment_map._codes_of([scored[position] for position in estimator._mapped])
    counts = np.zeros((*shape, len(segment_map.names)), dtype=np.int64)
    np.add.at(counts, (scored[0] - 1, scored[1] - 1, codes), 1)
    most = np.array(segment_map.names, dtype=object)[counts.argmax(axis=2)]
    occupied = counts.sum(axis=2) > 0
    named[occupied] = most[occupied]
    return named


def _segment_colours(names: Sequence[str]) -> dict[str, str]:
    """Return a colour for each segment: that of its name, or one in order, best first."""
    spare = list(dict.fromkeys(_NAMED_COLOURS.values()))
    unknown = [name for name in names if name.casefold() not in _NAMED_COLOURS]
    step = max(1, (len(spare) - 2) // max(len(unknown) - 1, 1))
    in_order = {name: spare[i * step % len(spare)] for i, name in enumerate(unknown)}
    return {name: _NAMED_COLOURS.get(name.casefold()) or in_order[name] for name in names}


def _region_corners(segments: NDArray[np.object_]) -> list[tuple[int, int]]:
    """Return, for each area of adjacent cells of one segment, its top left cell."""
    corners = []
    for name in dict.fromkeys(segments.ravel()):
        areas, n_areas = label(segments == name)
        for area in range(1, n_areas + 1):
            rows, columns = np.nonzero(areas == area)
            top = rows.max()
            corners.append((int(top), int(columns[rows == top].min())))
    return corners


def _write_name(
    ax: Axes, cell: tuple[int, int], name: str, colours: dict[str, str], scale: float
) -> None:
    recency, frequency = cell
    ax.text(
        frequency + 0.56,
        recency + 1.42,
        name,
        ha="left",
        va="top",
        fontsize=9.5 * scale,
        weight="bold",
        parse_math=False,
        color=text_colour(colours.get(name, "#ffffff")),
        zorder=4,
    )


def _text_scale(ax: Axes, shape: tuple[int, ...]) -> float:
    """Return what to multiply font sizes by, so that the text of a cell fits into it."""
    box = ax.get_window_extent().transformed(ax.figure.dpi_scale_trans.inverted())
    return float(np.clip(min(box.width / shape[1] / 1.45, box.height / shape[0] / 0.85), 0.3, 1))
