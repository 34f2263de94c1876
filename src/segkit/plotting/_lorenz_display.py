"""The Lorenz curve: which share of the customers makes which share of the value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import narwhals.stable.v2 as nw
import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from segkit._frames import as_frame
from segkit.exceptions import LazyFrameError, SegkitTypeError, SegkitValueError
from segkit.plotting._drawing import percent, pyplot
from segkit.segmenters import ValueTierer
from segkit.segmenters._value_shares import ValueShares

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# From the best tier to the last with positive value, and those without.
_BEST, _LEAST, _NO_VALUE = "#1b7f5c", "#d3ebdc", "#c9c9cf"
_INK, _FAINT = "#1c1c22", "#8a8a94"
# Corners nearer to each other, in shares, would be written one over the other.
_NEAR = 0.045


class LorenzDisplay:
    """The Lorenz curve of a :class:`~segkit.ValueTierer`, with its tiers.

    The curve cumulates the customers with the highest value first, so that it is read as "so many
    customers make so much of the value"; the textbook's, which begins with the lowest, is the same
    turned by half a turn. Each tier is an area up to the line on which all customers would bring
    the same. Make it with :meth:`from_estimator`.

    Parameters
    ----------
    lorenz_curve : ndarray of shape (n_points, 2)
        Cumulative share of the customers and of the value, highest value first, from (0, 0) to
        (1, 1). The corners of the tiers are among the points.
    gini : float
        Gini coefficient.
    segments : sequence of str
        Names of the tiers, best first; the last is that of customers without value.
    share_of_customers, share_of_value : ndarray of shape (n_segments,)
        What each tier has of the customers and of the positive value.
    value_name : str, default="value"
        What the value is, for the axes.
    title : str, default=None
        Title of the picture; by default the Gini coefficient.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
        The axes of the curve.
    figure_ : matplotlib.figure.Figure
        The figure.

    Examples
    --------
    >>> from segkit import ValueTierer, summarize_transactions
    >>> from segkit.datasets import make_transactions
    >>> from segkit.plotting import LorenzDisplay
    >>> customers = summarize_transactions(make_transactions(500, random_state=0))
    >>> display = LorenzDisplay.from_estimator(ValueTierer().fit(customers))
    >>> print(f"{display.share_of_customers[0]:.0%} make {display.share_of_value[0]:.0%}")
    35% make 80%
    """

    def __init__(
        self,
        *,
        lorenz_curve: NDArray[np.float64],
        gini: float,
        segments: Sequence[str],
        share_of_customers: NDArray[np.float64],
        share_of_value: NDArray[np.float64],
        value_name: str = "value",
        title: str | None = None,
    ) -> None:
        self.lorenz_curve = lorenz_curve
        self.gini = gini
        self.segments = segments
        self.share_of_customers = share_of_customers
        self.share_of_value = share_of_value
        self.value_name = value_name
        self.title = title

    @classmethod
    def from_estimator(
        cls, estimator: ValueTierer, X: Any = None, *, ax: Axes | None = None
    ) -> Self:
        """Draw the curve of the customers seen in ``fit``, or of others.

        Parameters
        ----------
        estimator : ValueTierer
            A fitted tierer.
        X : eager frame or array of shape (n_customers, n_columns), default=None
            The customers to draw, in the tiers that the estimator learned; by default those seen
            in ``fit``. Customers without a known value are left out.
        ax : matplotlib.axes.Axes, default=None
            Where to draw; by default a new figure.

        Returns
        -------
        LorenzDisplay
            The display, drawn.

        Raises
        ------
        SegkitTypeError
            For anything but a ValueTierer.
        SegkitValueError
            Where no customer has a positive value.
        LazyFrameError
            For a lazy frame: collect it first.
        NotFittedError
            For a tierer before ``fit``.
        ColumnError, MissingValuesError
            As ``estimator.predict``.
        ImportError
            Where matplotlib is not installed.
        """
        if not isinstance(estimator, ValueTierer):
            raise SegkitTypeError(
                f"LorenzDisplay: expected a fitted ValueTierer, got {type(estimator).__name__}."
            )
        check_is_fitted(estimator)
        if X is None:
            tiers, curve, gini = estimator.describe(), estimator.lorenz_curve_, estimator.gini_
        else:
            if isinstance(as_frame(X, owner="LorenzDisplay"), nw.LazyFrame):
                raise LazyFrameError(
                    "LorenzDisplay: collect the lazy frame first; it has no values yet."
                )
            values = estimator._validate_customers(X, reset=False)[:, 0]
            shares = ValueShares.of(values[~np.isnan(values)])
            tiers = shares.of_tiers(estimator.thresholds_)
            curve, gini = shares.curve(estimator.thresholds_), shares.gini
        if np.isnan(gini):
            raise SegkitValueError(
                "LorenzDisplay: no customer has a positive value, so there is nothing to draw."
            )
        n_customers = int(tiers["customers"].sum())
        display = cls(
            lorenz_curve=curve,
            gini=gini,
            segments=[str(name) for name in estimator.segments_],
            share_of_customers=tiers["share_of_customers"].to_numpy(),
            share_of_value=tiers["share_of_value"].to_numpy(),
            value_name=estimator._value_name,
            title=f"{n_customers:,} customers, Gini coefficient {gini:.2f}",
        )
        return display.plot(ax=ax)

    def plot(self, ax: Axes | None = None) -> Self:
        """Draw the curve.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            Where to draw; by default a new figure.

        Returns
        -------
        LorenzDisplay
            The display itself.

        Raises
        ------
        ImportError
            Where matplotlib is not installed.
        """
        plt = pyplot()
        if ax is None:
            _, ax = plt.subplots(figsize=(7, 6.4), layout="constrained")
        customers, value = self.lorenz_curve.T
        (equal,) = ax.plot([0, 1], [0, 1], color=_FAINT, linewidth=1, linestyle="--", zorder=2)
        handles, labels = [], []
        for name, colour, low, high, text in self._tiers():
            within = (customers >= low) & (customers <= high)
            x, y = customers[within], value[within]
            area = ax.fill_between(x, x, y, color=colour, linewidth=0, zorder=1, label=name)
            handles.append(area)
            labels.append(text)
        ax.plot(customers, value, color=_INK, linewidth=1.8, zorder=3)
        scale = _text_scale(ax)
        self._draw_corners(ax, scale)
        self._draw_axes(ax, scale)
        ax.legend(
            [*handles, equal],
            [*_as_plain_text(labels), "if all customers brought the same"],
            loc="lower right",
            frameon=False,
            fontsize=9 * scale,
            handlelength=1.4,
        )
        self.ax_ = ax
        self.figure_ = ax.figure
        return self

    def _tiers(self) -> list[tuple[str, Any, float, float, str]]:
        """Return name, colour, first and last customer, and the story of each tier that occurs."""
        from matplotlib.colors import LinearSegmentedColormap

        n_tiers = len(self.segments) - 1
        scale = LinearSegmentedColormap.from_list("tiers", [_BEST, _LEAST])
        colours = [*scale(np.linspace(0, 1, n_tiers)), _NO_VALUE]
        ends = self._ends()
        tiers = []
        for place, (name, colour) in enumerate(zip(self.segments, colours, strict=True)):
            share = self.share_of_customers[place]
            if share > 0:
                text = (
                    f"{name}: {percent(share)} of customers, "
                    f"{percent(self.share_of_value[place])} of value"
                )
                tiers.append((name, colour, ends[place], ends[place + 1], text))
        return tiers

    def _ends(self) -> NDArray[np.float64]:
        """Return where each tier begins and ends, at a point of the curve."""
        ends = np.concatenate([[0.0], np.cumsum(self.share_of_customers)])
        nearest = np.abs(self.lorenz_curve[:, 0] - ends[:, np.newaxis]).argmin(axis=1)
        points: NDArray[np.float64] = self.lorenz_curve[nearest, 0]
        return points

    def _draw_corners(self, ax: Axes, scale: float) -> None:
        written = np.array([[0.0, 0.0]])
        shares = np.cumsum([self.share_of_customers, self.share_of_value], axis=1).T
        for place, (name, (x, y)) in enumerate(zip(self.segments[:-1], shares[:-1], strict=True)):
            if not self.share_of_customers[place]:
                continue
            ax.plot(x, y, "o", color=_INK, markersize=5, zorder=4, clip_on=False)
            if np.abs(written - (x, y)).max(axis=1).min() < _NEAR:
                continue
            written = np.append(written, [[x, y]], axis=0)
            # Above the curve there is room, unless the corner is close to the left edge.
            at_left = x < 0.12
            ax.annotate(
                name,
                (x, y),
                xytext=(7, -4) if at_left else (-6, 3),
                textcoords="offset points",
                ha="left" if at_left else "right",
                va="top" if at_left else "bottom",
                weight="bold",
                fontsize=11 * scale,
                color=_INK,
                parse_math=False,
                zorder=5,
            )

    def _draw_axes(self, ax: Axes, scale: float) -> None:
        ax.set_xlim(0, 1)
        ax.set_ylim(0, 1.06)
        ticks = np.linspace(0, 1, 6)
        ax.set_xticks(ticks, [f"{100 * tick:.0f} %" for tick in ticks], fontsize=9 * scale)
        ax.set_yticks(ticks, [f"{100 * tick:.0f} %" for tick in ticks], fontsize=9 * scale)
        ax.tick_params(length=0, pad=6)
        ax.spines[["top", "right"]].set_visible(False)
        ax.set_xlabel(
            f"Cumulative share of customers, highest {self.value_name} first",
            fontsize=10 * scale,
            parse_math=False,
        )
        ax.set_ylabel(
            f"Cumulative share of positive {self.value_name}",
            fontsize=10 * scale,
            parse_math=False,
        )
        ax.set_title(
            self.title or f"Gini coefficient {self.gini:.2f}",
            loc="left",
            weight="bold",
            fontsize=12 * scale,
            parse_math=False,
        )


def _text_scale(ax: Axes) -> float:
    """Return what to multiply font sizes by, so that the legend stays below the curve."""
    box = ax.get_window_extent().transformed(ax.figure.dpi_scale_trans.inverted())
    return float(np.clip(min(box.width / 5.2, box.height / 4.2), 0.4, 1))


def _as_plain_text(texts: Sequence[str]) -> list[str]:
    """Return texts for a legend, in which a dollar sign would begin a formula."""
    return [text.replace("$", r"\$") for text in texts]
