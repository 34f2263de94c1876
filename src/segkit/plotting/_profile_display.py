"""Pictures of segment profiles: a heatmap of indices, a snake plot, one variable by segment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, Self, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from segkit.exceptions import SegkitTypeError, SegkitValueError
from segkit.plotting._drawing import SEGMENT_COLOURS, plain, pyplot
from segkit.profiling import SegmentProfiler
from segkit.profiling._words import number_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Kind: TypeAlias = Literal["heatmap", "snake", "distribution"]

_INK, _QUIET, _GRID, _WITHHELD = "#1c1c22", "#8a8a94", "#e4e4e8", "#ececf0"
# Of more segments than colours.
_STYLES = ("o-", "s--", "^:")
# Colours of the heatmap: from a quarter of the average to four times as much.
_WIDEST = 4.0
_LEVELS_SHOWN = 10
_NOTHING_TO_DRAW = {
    "heatmap": (
        "no variable has an index to draw: columns with a mean of (nearly) 0, such "
        "as standardised ones, have none. Draw their differences with kind='snake'"
    ),
    "snake": "no variable has a difference to draw",
}


class ProfileDisplay:
    """The profile of segments, as a :class:`~segkit.SegmentProfiler` has it.

    Make it with :meth:`from_estimator`. Numbers about fewer customers than the profiler's
    `min_cell` are not drawn.

    Parameters
    ----------
    profile : pandas.DataFrame
        ``profile_`` of a profiler.
    differences : pandas.DataFrame
        ``differences_``: the variables in which segments differ most are drawn first.
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
    >>> import pandas as pd
    >>> from segkit import SegmentProfiler
    >>> from segkit.plotting import ProfileDisplay
    >>> tiers = np.repeat(["low", "high"], 50)
    >>> rng = np.random.default_rng(0)
    >>> customers = pd.DataFrame(
    ...     {"spend": rng.lognormal(np.where(tiers == "low", 3, 5)), "age": rng.normal(45, 9, 100)}
    ... )
    >>> profiler = SegmentProfiler().fit(customers, y=tiers)
    >>> display = ProfileDisplay.from_estimator(profiler, kind="heatmap")
    >>> [label.get_text() for label in display.ax_.get_yticklabels()]
    ['spend', 'age']
    """

    def __init__(
        self, *, profile: pd.DataFrame, differences: pd.DataFrame, segments: Sequence[str]
    ) -> None:
        self.profile = profile
        self.differences = differences
        self.segments = segments

    @classmethod
    def from_estimator(
        cls,
        estimator: SegmentProfiler,
        *,
        kind: Kind = "heatmap",
        variable: str | None = None,
        max_rows: int = 20,
        ax: Axes | None = None,
    ) -> Self:
        """Draw the profile of a fitted profiler.

        Parameters
        ----------
        estimator : SegmentProfiler
            A fitted profiler.
        kind : {"heatmap", "snake", "distribution"}, default="heatmap"
            What to draw, as for :meth:`plot`.
        variable : str, default=None
            The variable whose distribution is drawn.
        max_rows : int, default=20
            At most so many variables and levels.
        ax : matplotlib.axes.Axes, default=None
            Where to draw; by default a new figure.

        Returns
        -------
        ProfileDisplay
            The display, drawn.

        Raises
        ------
        SegkitTypeError
            For anything but a SegmentProfiler.
        SegkitValueError
            As :meth:`plot`.
        NotFittedError
            For a profiler before ``fit``.
        ImportError
            Where matplotlib is not installed.
        """
        if not isinstance(estimator, SegmentProfiler):
            raise SegkitTypeError(
                "ProfileDisplay: expected a fitted SegmentProfiler, got "
                f"{type(estimator).__name__}."
            )
        check_is_fitted(estimator)
        display = cls(
            profile=estimator.profile_,
            differences=estimator.differences_,
            segments=[str(name) for name in estimator.segments_],
        )
        return display.plot(kind, variable=variable, max_rows=max_rows, ax=ax)

    def plot(
        self,
        kind: Kind = "heatmap",
        *,
        variable: str | None = None,
        max_rows: int = 20,
        ax: Axes | None = None,
    ) -> Self:
        """Draw the profile.

        Parameters
        ----------
        kind : {"heatmap", "snake", "distribution"}, default="heatmap"
            - ``"heatmap"``: the index of each variable, or of the level in which segments differ
              most, in each segment; 100 is average.
            - ``"snake"``: a line a segment through the standardised differences from all others.
            - ``"distribution"``: one variable by segment: of numbers and dates the middle half, the
              middle nine tenths and the median, of categories the shares of the levels.
        variable : str, default=None
            The variable whose distribution is drawn.
        max_rows : int, default=20
            At most so many variables, those in which segments differ most.
        ax : matplotlib.axes.Axes, default=None
            Where to draw; by default a new figure.

        Returns
        -------
        ProfileDisplay
            The display itself.

        Raises
        ------
        SegkitValueError
            For another kind, for a variable that is not described or has no quantiles (in a profile
            of a lazy frame), and where nothing can be drawn.
        ImportError
            Where matplotlib is not installed.
        """
        kinds = ("heatmap", "snake", "distribution")
        if kind not in kinds:
            raise SegkitValueError(f"ProfileDisplay: kind must be one of {kinds}, got {kind!r}.")
        if kind == "distribution":
            self._check_variable(variable)
            draw: Any = self._draw_distribution
            arguments: tuple[Any, ...] = (variable,)
        else:
            rows = self._rows("index" if kind == "heatmap" else "difference", max_rows)
            if rows.empty:
                raise SegkitValueError(f"ProfileDisplay: {_NOTHING_TO_DRAW[kind]}.")
            draw = self._draw_heatmap if kind == "heatmap" else self._draw_snake
            arguments = (rows,)
        if ax is None:
            n_rows = len(self.segments) if kind == "distribution" else len(arguments[0])
            names = max(len(plain(one)) for one in self.segments)
            labels = 0 if kind == "distribution" else max(len(plain(one)) for one in rows.index)
            width = (
                2.6 + 0.08 * labels + 0.95 * len(self.segments)
                if kind == "heatmap"
                else 7.0 + 0.08 * (names + labels)
            )
            height = 1.5 + (0.5 if kind == "distribution" else 0.34) * n_rows
            size = (max(5.2, width), max(3.6 if kind == "distribution" else 3.0, height))
            _, ax = pyplot().subplots(figsize=size, layout="constrained")
        draw(ax, *arguments)
        self.ax_ = ax
        self.figure_ = ax.figure
        return self

    def _rows(self, statistic: str, max_rows: int) -> pd.DataFrame:
        """Return a row for each variable, with the level that differs most; a column a segment."""
        shown = self.profile.loc[self.profile["segment"].isin(list(self.segments))]
        values = shown[statistic].mask(shown["is_small"])
        strength = shown["difference"].mask(shown["is_small"]).abs()
        label = _labels(shown)
        table = pd.DataFrame(
            {
                "variable": shown["variable"].to_numpy(),
                "label": label.to_numpy(),
                "segment": shown["segment"].to_numpy(),
                "value": values.to_numpy(),
                "strength": strength.to_numpy(),
            }
        )
        strongest = table.groupby(["variable", "label"], sort=False)["strength"].max().dropna()
        known = set(strongest.index.get_level_values(0))
        wanted = [
            strongest.loc[variable].idxmax()
            for variable in self.differences["variable"]
            if variable in known
        ]
        wide = table.pivot_table(index="label", columns="segment", values="value")
        wide = wide.reindex(index=wanted, columns=list(self.segments)).dropna(how="all")
        return wide.iloc[:max_rows]

    def _is_any_withheld(self, rows: pd.DataFrame) -> bool:
        """Tell whether a number that is missing from the rows is one that is withheld."""
        shown = self.profile.loc[self.profile["segment"].isin(list(self.segments))]
        label = _labels(shown)
        small = shown.loc[shown["is_small"] & label.isin(rows.index)]
        return not small.empty

    def _n_without_index(self) -> int:
        """Return how many variables with a difference have no index in any segment."""
        said = self.profile.loc[self.profile["difference"].notna() & ~self.profile["is_small"]]
        said = said.loc[said["kind"] != "date"]
        return int(said.groupby("variable")["index"].count().eq(0).sum())

    def _draw_heatmap(self, ax: Axes, rows: pd.DataFrame) -> None:
        ratios = rows.to_numpy() / 100
        with np.errstate(divide="ignore", invalid="ignore"):
            colours = np.log(np.clip(ratios, 1 / _WIDEST, _WIDEST))
        limit = np.log(_WIDEST)
        ax.set_facecolor(_WITHHELD)
        ax.imshow(colours, aspect="auto", cmap=_colour_map(), vmin=-limit, vmax=limit)
        for (row, column), ratio in np.ndenumerate(ratios):
            said = "·" if np.isnan(ratio) else f"{100 * ratio:,.0f}"
            is_dark = abs(colours[row, column]) > 0.8 * limit
            colour = "white" if is_dark else _INK
            ax.text(column, row, said, ha="center", va="center", fontsize=9.5, color=colour)
        ax.set_xticks(range(len(self.segments)), [plain(one) for one in self.segments])
        many = max(len(plain(one)) for one in self.segments) > 10
        ax.tick_params("x", top=True, labeltop=True, bottom=False, labelbottom=False)
        if many:
            pyplot().setp(ax.get_xticklabels(), rotation=30, ha="left", rotation_mode="anchor")
        ax.set_yticks(range(len(rows)), [plain(str(one)) for one in rows.index])
        ax.tick_params(length=0)
        ax.spines[:].set_visible(False)
        ax.set_xticks(np.arange(-0.5, len(self.segments)), minor=True)
        ax.set_yticks(np.arange(-0.5, len(rows)), minor=True)
        ax.grid(which="minor", color="white", linewidth=2)
        ax.tick_params(which="minor", length=0)
        ax.set_title("Index: 100 is the average of everyone", loc="left", fontsize=10.5, pad=12)
        notes = (
            ["· withheld: too few customers, or next to too few"]
            if self._is_any_withheld(rows)
            else []
        )
        if n_without := self._n_without_index():
            notes.append(
                f"not drawn, without an index: {n_without} variable{'s' if n_without > 1 else ''}"
            )
        if notes:
            ax.set_xlabel("\n".join(notes), loc="left", color=_QUIET, fontsize=9, labelpad=8)

    def _draw_snake(self, ax: Axes, rows: pd.DataFrame) -> None:
        places = np.arange(len(rows))
        ax.axvline(0, color=_QUIET, linewidth=1)
        for code, segment in enumerate(self.segments):
            colour = SEGMENT_COLOURS[code % len(SEGMENT_COLOURS)]
            style = _STYLES[code // len(SEGMENT_COLOURS) % len(_STYLES)]
            ax.plot(rows[segment], places, style, color=colour, linewidth=1.8, label=plain(segment))
        ax.set_yticks(places, [plain(str(one)) for one in rows.index])
        ax.set_ylim(len(rows) - 0.5, -0.5)
        said = "Difference from all other customers, in standard deviations"
        if self._is_any_withheld(rows):
            said += "\n(gaps: withheld; too few customers, or next to too few)"
        ax.set_xlabel(said)
        ax.grid(axis="y", color=_GRID)
        ax.set_axisbelow(True)
        ax.tick_params("y", length=0)
        ax.spines[["top", "right", "left"]].set_visible(False)
        ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False)

    def _draw_distribution(self, ax: Axes, variable: str) -> None:
        rows = self.profile.loc[self.profile["variable"] == variable]
        if rows["kind"].iloc[0] in ("number", "date"):
            self._draw_quantiles(ax, rows, variable)
        else:
            self._draw_shares(ax, rows, variable)
        ax.tick_params("y", length=0)
        ax.spines[["top", "right", "left"]].set_visible(False)

    def _draw_quantiles(self, ax: Axes, rows: pd.DataFrame, variable: str) -> None:
        is_date = rows["kind"].iloc[0] == "date"
        columns = ["date_q25", "date_median", "date_q75"] if is_date else ["q25", "median", "q75"]
        named = rows.set_index("segment")
        for place, segment in enumerate(self.segments):
            row = named.loc[segment]
            if row["is_small"]:
                _write_withheld(ax, place)
                continue
            colour = SEGMENT_COLOURS[place % len(SEGMENT_COLOURS)]
            low, median, high = (row[column] for column in columns)
            if not is_date:
                ax.plot([row["q05"], row["q95"]], [place, place], color=colour, linewidth=1.5)
            ax.plot([low, high], [place, place], color=colour, linewidth=11, solid_capstyle="butt")
            ax.plot([median], [place], "|", color="white", markersize=11, markeredgewidth=2.2)
        middle = named.loc[~named.index.isin(list(self.segments)), columns[1]].iloc[0]
        ax.axvline(middle, color=_QUIET, linewidth=1, linestyle=":", zorder=0)
        if is_date:
            _shorten_dates(ax)
        else:
            ax.xaxis.set_major_formatter(lambda value, _: number_text(value))
        self._name_rows(ax)
        most = "" if is_date else ", line: 5 to 95 %"
        ax.set_xlabel(f"bar: middle half{most}; dotted: everyone's median")
        ax.set_title(plain(variable, most=60), loc="left", fontsize=10.5)

    def _draw_shares(self, ax: Axes, rows: pd.DataFrame, variable: str) -> None:
        is_flag = rows["kind"].iloc[0] == "flag"
        levels = list(dict.fromkeys(rows["level"]))
        wide = rows.assign(share=rows["share"].mask(rows["is_small"])).pivot_table(
            index="segment", columns="level", values="share", dropna=False
        )
        shares = wide.reindex(index=list(self.segments), columns=levels)
        if is_flag:
            for row in np.flatnonzero(shares.isna().all(axis=1)).tolist():
                _write_withheld(ax, row)
        shares = shares.fillna(0.0)
        left: NDArray[np.float64] = np.zeros(len(shares))
        for place, level in enumerate(levels):
            width = shares[level].to_numpy()
            colour = (
                SEGMENT_COLOURS[place % len(SEGMENT_COLOURS)] if place < _LEVELS_SHOWN else _QUIET
            )
            ax.barh(np.arange(len(shares)), width, left=left, color=colour, label=plain(level))
            for row, share in enumerate(width):
                if share >= 0.045:
                    text = f"{100 * share:.0f}"
                    middle = left[row] + share / 2
                    ax.text(middle, row, text, ha="center", va="center", color="white", fontsize=9)
            left = left + width
        if not is_flag and (left < 0.9995).any():
            ax.barh(np.arange(len(shares)), 1 - left, left=left, color=_GRID, label="withheld")
        self._name_rows(ax)
        ax.set_xlim(0, max(float(left.max()) * 1.08, 0.02) if is_flag else 1)
        ax.xaxis.set_major_formatter(lambda value, _: f"{100 * value:.3g} %")
        ax.set_xlabel("share of yes" if is_flag else "share of customers with a value")
        ax.set_title(plain(variable, most=60), loc="left", fontsize=10.5)
        if not is_flag:
            ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False)

    def _name_rows(self, ax: Axes) -> None:
        ax.set_yticks(range(len(self.segments)), [plain(one) for one in self.segments])
        ax.set_ylim(len(self.segments) - 0.5, -0.5)

    def _check_variable(self, variable: str | None) -> None:
        described = self.differences["variable"].tolist()
        if variable not in described:
            raise SegkitValueError(
                f"ProfileDisplay: variable must be one of {described}, got {variable!r}."
            )
        rows = self.profile.loc[self.profile["variable"] == variable]
        if rows[["median", "date_median", "share"]].isna().all(axis=None):
            raise SegkitValueError(
                f"ProfileDisplay: {variable!r} has no quantiles: its profile was computed inside a "
                "query engine. Collect the frame and fit again."
            )


def _labels(profile: pd.DataFrame) -> pd.Series[str]:
    """Return how the variable or level of each row is called."""
    level = profile["variable"] + ": " + profile["level"].astype(str)
    return profile["variable"].where(profile["level"].isna(), level)


def _write_withheld(ax: Axes, place: int) -> None:
    ax.annotate(
        "withheld: few customers",
        (0.01, place),
        xycoords=("axes fraction", "data"),
        va="center",
        color=_QUIET,
        fontsize=9,
    )


def _colour_map() -> Any:
    from matplotlib.colors import LinearSegmentedColormap

    stops = ["#b85c0a", "#f2b27a", "#f7f7f5", "#7fc4a9", "#0f5f43"]
    return LinearSegmentedColormap.from_list("segkit_index", stops)


def _shorten_dates(ax: Axes) -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    locator: Any = AutoDateLocator(maxticks=7)  # type: ignore[no-untyped-call]
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
