"""Who moved from which segment to which: as flows, and as a heatmap."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Self, TypeAlias, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from segkit._frames import UNASSIGNED
from segkit.exceptions import SegkitTypeError, SegkitValueError
from segkit.monitoring import Migration
from segkit.monitoring._migration import LEFT, NEWCOMER
from segkit.plotting._drawing import SEGMENT_COLOURS, plain, pyplot, text_colour
from segkit.plotting._flow_drawing import draw_flows, spread_out
from segkit.profiling._words import share_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Kind: TypeAlias = Literal["flow", "heatmap"]

_INK, _QUIET = "#1c1c22", "#6b6b75"
# Of those who have no segment, or are not in one of the tables.
_GREYS = {UNASSIGNED: "#a5a5ae", NEWCOMER: "#c9c9cf", LEFT: "#c9c9cf"}
# Of a cell whose row has all its customers there: who stayed, moved, came or left.
_FULL = {"stayed": "#1b7f5c", "moved": "#d9822b", "other": "#8a8a94"}
_SHOWN_AS = {NEWCOMER: "newcomers", LEFT: "left"}
_FONT_SIZE = 9.5
# Newcomers and leavers stand a little apart.
_APART = 0.25


class MigrationDisplay:
    """The moves of customers between segments, as :func:`~segkit.monitoring.track` finds them.

    Make it with :meth:`from_migration`. Segments without customers, before and after, are not
    drawn.

    Parameters
    ----------
    migration : Migration
        Who moved.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
        The axes.
    figure_ : matplotlib.figure.Figure
        The figure.

    Examples
    --------
    >>> import pandas as pd
    >>> from segkit import ValueTierer
    >>> from segkit.monitoring import track
    >>> from segkit.plotting import MigrationDisplay
    >>> march = pd.DataFrame({"customer_id": [1, 2, 3, 4], "monetary": [90.0, 9.0, 5.0, 1.0]})
    >>> june = pd.DataFrame({"customer_id": [2, 3, 4, 5], "monetary": [95.0, 5.0, 8.0, 2.0]})
    >>> migration = track(ValueTierer().fit(march), march, june)
    >>> display = MigrationDisplay.from_migration(migration, kind="heatmap")
    >>> [label.get_text() for label in display.ax_.get_xticklabels()]
    ['A  1', 'B  2', 'C  1', 'left  1']
    """

    def __init__(self, *, migration: Migration) -> None:
        self.migration = migration

    @classmethod
    def from_migration(
        cls, migration: Migration, *, kind: Kind = "flow", ax: Axes | None = None
    ) -> Self:
        """Draw who moved.

        Parameters
        ----------
        migration : Migration
            What :func:`segkit.monitoring.track` returns.
        kind : {"flow", "heatmap"}, default="flow"
            What to draw, as for :meth:`plot`.
        ax : matplotlib.axes.Axes, default=None
            Where to draw; by default a new figure.

        Returns
        -------
        MigrationDisplay
            The display, drawn.

        Raises
        ------
        SegkitTypeError
            For anything but a Migration.
        SegkitValueError
            For another kind.
        ImportError
            Where matplotlib is not installed.
        """
        if not isinstance(migration, Migration):
            raise SegkitTypeError(
                "MigrationDisplay: expected a Migration, as track returns it, got "
                f"{type(migration).__name__}."
            )
        return cls(migration=migration).plot(kind, ax=ax)

    def plot(self, kind: Kind = "flow", *, ax: Axes | None = None) -> Self:
        """Draw who moved.

        Parameters
        ----------
        kind : {"flow", "heatmap"}, default="flow"
            Flow: the segments before on the left and after on the right, with a band for each move
            that is as thick as it has customers; bands of those who stayed are pale. Heatmap: a row
            for each segment before, a column for each after, and the share of the row in each cell.
        ax : matplotlib.axes.Axes, default=None
            Where to draw; by default a new figure.

        Returns
        -------
        MigrationDisplay
            The display itself.

        Raises
        ------
        SegkitValueError
            For another kind.
        ImportError
            Where matplotlib is not installed.
        """
        if kind not in get_args(Kind):
            raise SegkitValueError(
                f"MigrationDisplay: kind must be one of {get_args(Kind)}, got {kind!r}."
            )
        counts = self._counts()
        draw, size = self._draw_flows, (8.6, 1.3 + 0.46 * max(5, *counts.shape))
        if kind == "heatmap":
            rows, columns = counts.shape
            longest = max(len(_shown(one)) for one in counts.index)
            draw = self._draw_heatmap
            # The title and what is below take the room of some columns, though there be fewer.
            size = (1.9 + 0.09 * longest + 0.74 * max(columns, 6), 2.3 + 0.46 * rows)
        if ax is None:
            _, ax = pyplot().subplots(figsize=size, layout="constrained")
        draw(ax, counts)
        ax.set_title(self._title(), loc="left", fontsize=11, color=_INK, pad=12)
        self.ax_ = ax
        self.figure_ = ax.figure
        return self

    def _counts(self) -> pd.DataFrame:
        """Return the matrix without segments that are empty, and without nobody's moves."""
        counts = self.migration.matrix()
        shown = [one for one in self.migration.names if counts.loc[one].any() or counts[one].any()]
        rows = [*shown, *([NEWCOMER] if counts.loc[NEWCOMER].any() else [])]
        columns = [*shown, *([LEFT] if counts[LEFT].any() else [])]
        return counts.loc[rows, columns]

    def _title(self) -> str:
        found = self.migration
        if not found.n_followed:
            return "No customer had a segment before and is still there"
        told = (
            f"{share_text(found.n_stayed / found.n_followed)} of the {found.n_followed:,} customers"
        )
        if found.n_followed < found.n_in_both:
            return f"{told} who had a segment, and are in both tables, stayed in it"
        return f"{told} in both tables stayed in their segment"

    def _colours(self, names: pd.Index[str]) -> list[str]:
        places = {name: place for place, name in enumerate(self.migration.names)}
        return [
            _GREYS.get(name) or SEGMENT_COLOURS[places[name] % len(SEGMENT_COLOURS)]
            for name in names
        ]

    def _draw_flows(self, ax: Axes, counts: pd.DataFrame) -> None:
        values = counts.to_numpy()
        kept = counts.index.to_numpy()[:, None] == counts.columns.to_numpy()[None, :]
        colours = [self._colours(counts.index), self._colours(counts.columns)]
        left, right = draw_flows(ax, values, colours, kept=kept)
        height = float(max(left.bottoms[-1], right.bottoms[-1]))
        points = 72 * ax.get_window_extent().height / ax.figure.dpi
        least = 1.35 * _FONT_SIZE * height / points
        sides = (
            (counts.index, values.sum(axis=1), left.middles, -0.015, "right"),
            (counts.columns, values.sum(axis=0), right.middles, 1.015, "left"),
        )
        for names, sizes, middles, x, side in sides:
            is_there = sizes > 0
            places = spread_out(middles[is_there], least)
            for name, size, place in zip(names[is_there], sizes[is_there], places, strict=True):
                ax.text(
                    *(x, place, f"{_shown(name)}  {size:,}"),
                    ha=side,
                    va="center",
                    fontsize=_FONT_SIZE,
                    color=_QUIET if name in _GREYS else _INK,
                )
        for x, said, side in ((0, "before", "left"), (1, "after", "right")):
            ax.text(x, 0, said, ha=side, va="bottom", fontsize=9, color=_QUIET)
        ax.set_xlim(0, 1)
        ax.set_ylim(height, -0.5 * least)
        ax.set_xticks([])
        ax.set_yticks([])
        ax.spines[:].set_visible(False)
        said = "Bands have the colour of the segment before. Pale: stayed; grey: newcomers"
        ax.set_xlabel(said, loc="left", fontsize=9, color=_QUIET, labelpad=8)

    def _draw_heatmap(self, ax: Axes, counts: pd.DataFrame) -> None:
        values = counts.to_numpy()
        of_row = values.sum(axis=1)
        x = [place + _APART * (name == LEFT) for place, name in enumerate(counts.columns)]
        y = [place + _APART * (name == NEWCOMER) for place, name in enumerate(counts.index)]
        for (row, column), count in np.ndenumerate(values):
            before, after = str(counts.index[row]), str(counts.columns[column])
            if (before, after) == (NEWCOMER, LEFT):
                continue
            share = count / of_row[row] if of_row[row] else 0.0
            kind = "other" if before in _GREYS or after in _GREYS else "moved"
            fill = _tint(_FULL["stayed" if before == after and kind == "moved" else kind], share)
            patch = pyplot().Rectangle(
                (x[column] - 0.48, y[row] - 0.46), 0.96, 0.92, color=fill, linewidth=0
            )
            ax.add_patch(patch)
            if count:
                said = f"{100 * share:.0f}" if share >= 0.005 else "<1"
                style: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": _FONT_SIZE}
                ax.text(x[column], y[row], said, color=text_colour(fill), **style)
        names = [f"{_shown(one)}  {size:,}" for one, size in zip(counts.index, of_row, strict=True)]
        ax.set_yticks(y, names)
        sizes = values.sum(axis=0)
        names = [
            f"{_shown(one)}  {size:,}" for one, size in zip(counts.columns, sizes, strict=True)
        ]
        ax.set_xticks(x, names)
        ax.tick_params("x", top=True, labeltop=True, bottom=False, labelbottom=False)
        turned = {"rotation": 35, "ha": "left", "rotation_mode": "anchor"}
        pyplot().setp(ax.get_xticklabels(), **turned)
        ax.tick_params(length=0)
        for labels, of in (
            (ax.get_yticklabels(), counts.index),
            (ax.get_xticklabels(), counts.columns),
        ):
            for label, name in zip(labels, of, strict=True):
                label.set_color(_QUIET if name in _GREYS else _INK)
        ax.set_xlim(-0.5, x[-1] + 0.5)
        ax.set_ylim(y[-1] + 0.5, -0.5)
        ax.spines[:].set_visible(False)
        ax.set_xlabel(
            "Rows: before; columns: after. In percent of the customers of the row.\n"
            "Green: stayed; orange: moved; grey: came, left, or have no segment",
            loc="left",
            fontsize=9,
            color=_QUIET,
            labelpad=8,
        )


def _shown(name: str) -> str:
    return plain(_SHOWN_AS.get(name, name), most=24)


def _tint(colour: str, share: float) -> str:
    """Return a colour that is the paler the smaller a share is."""
    full: NDArray[np.float64] = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)], float)
    strength = 0.05 + 0.95 * np.sqrt(share) if share else 0.04
    red, green, blue = (247 + (full - 247) * strength).round().astype(int)
    return f"#{red:02x}{green:02x}{blue:02x}"
