"""Clusters of customers in the plane of two features, or of two principal components."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import narwhals.stable.v2 as nw
import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from segkit._frames import as_frame
from segkit.exceptions import LazyFrameError, SegkitTypeError, SegkitValueError
from segkit.plotting._drawing import SEGMENT_COLOURS, pyplot
from segkit.segmenters import ClusterSegmenter

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_INK, _NOISE = "#1c1c22", "#c9c9cf"
# More points than these hide one another.
_MOST_POINTS = 3_000


class ClusterDisplay:
    """The customers of a :class:`~segkit.segmenters.ClusterSegmenter` in two dimensions.

    Each point is a customer, coloured by segment: on the two features that the segmenter clusters,
    or the first two principal components of more, those of the customers of ``fit``. Numbers are
    the segments' codes. Make it with :meth:`from_estimator`.

    Parameters
    ----------
    points : ndarray of shape (n_customers, 2)
        Where the customers are.
    codes : ndarray of shape (n_customers,)
        Position of each customer's segment in `segments`, -1 for noise.
    centres : ndarray of shape (n_segments, 2)
        Where the centres of the segments are.
    segments : sequence of str
        Names of the segments.
    axis_labels : tuple of str
        What the two axes are.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
        The axes.
    figure_ : matplotlib.figure.Figure
        The figure.

    Examples
    --------
    >>> import numpy as np
    >>> from segkit.plotting import ClusterDisplay
    >>> from segkit.segmenters import ClusterSegmenter
    >>> X = np.random.default_rng(0).normal(size=(40, 2)) + np.repeat([[0.0], [9.0]], 20, axis=0)
    >>> segmenter = ClusterSegmenter(random_state=0).fit(X)
    >>> display = ClusterDisplay.from_estimator(segmenter, X)
    >>> display.points.shape
    (40, 2)
    """

    def __init__(
        self,
        *,
        points: NDArray[np.float64],
        codes: NDArray[np.int64],
        centres: NDArray[np.float64],
        segments: Sequence[str],
        axis_labels: tuple[str, str],
    ) -> None:
        self.points = points
        self.codes = codes
        self.centres = centres
        self.segments = segments
        self.axis_labels = axis_labels

    @classmethod
    def from_estimator(cls, estimator: ClusterSegmenter, X: Any, *, ax: Axes | None = None) -> Self:
        """Draw customers in the segments of a fitted segmenter.

        Parameters
        ----------
        estimator : ClusterSegmenter
            A fitted segmenter.
        X : eager frame or array of shape (n_customers, n_columns)
            The customers to draw; of many, some thousands drawn at random are shown.
        ax : matplotlib.axes.Axes, default=None
            Where to draw; by default a new figure.

        Returns
        -------
        ClusterDisplay
            The display, drawn.

        Raises
        ------
        SegkitTypeError
            For anything but a ClusterSegmenter.
        SegkitValueError
            For fewer than two customers.
        LazyFrameError
            For a lazy frame: collect it first.
        NotFittedError
            For a segmenter before ``fit``.
        ImportError
            Where matplotlib is not installed.
        """
        if not isinstance(estimator, ClusterSegmenter):
            raise SegkitTypeError(
                "ClusterDisplay: expected a fitted ClusterSegmenter, got "
                f"{type(estimator).__name__}."
            )
        check_is_fitted(estimator)
        if isinstance(as_frame(X, owner="ClusterDisplay"), nw.LazyFrame):
            raise LazyFrameError(
                "ClusterDisplay: collect the lazy frame first; it has no values yet."
            )
        features = estimator._features(X)
        if len(features) < 2:
            raise SegkitValueError(
                f"ClusterDisplay: at least two customers are needed, got {len(features)}."
            )
        codes = estimator._codes(features)
        return cls(
            points=estimator._plane.project(features),
            codes=codes,
            centres=estimator._plane.project(estimator.cluster_centers_),
            segments=[str(name) for name in estimator.segments_],
            axis_labels=estimator._plane.labels,
        ).plot(ax=ax)

    def plot(self, ax: Axes | None = None) -> Self:
        """Draw the customers.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            Where to draw; by default a new figure.

        Returns
        -------
        ClusterDisplay
            The display itself.

        Raises
        ------
        ImportError
            Where matplotlib is not installed.
        """
        plt = pyplot()
        if ax is None:
            _, ax = plt.subplots(figsize=(8, 6.4), layout="constrained")
        # In any order, so that no segment covers another.
        drawn = np.random.RandomState(0).permutation(len(self.points))[:_MOST_POINTS]
        colours = np.array([*self._colours(), _NOISE], dtype=object)
        ax.scatter(
            self.points[drawn, 0],
            self.points[drawn, 1],
            s=13,
            c=colours[self.codes[drawn]].tolist(),
            alpha=0.7,
            linewidth=0,
        )
        for code, centre in enumerate(self.centres):
            # A number leads from the centre to its name, which may be long, in the legend.
            ax.plot(*centre, "o", markersize=15, color="white", markeredgecolor=colours[code])
            ax.annotate(str(code), centre, ha="center", va="center", weight="bold", color=_INK)
        for write, label in zip((ax.set_xlabel, ax.set_ylabel), self.axis_labels, strict=True):
            write(label, parse_math=False)
        ax.spines[["top", "right"]].set_visible(False)
        ax.set_xticks([])
        ax.set_yticks([])
        self._write_legend(ax, colours)
        self.ax_ = ax
        self.figure_ = ax.figure
        return self

    def _colours(self) -> list[str]:
        return [SEGMENT_COLOURS[code % len(SEGMENT_COLOURS)] for code in range(len(self.segments))]

    def _write_legend(self, ax: Axes, colours: NDArray[np.object_]) -> None:
        """Write the names below the axes, each with its number and its customers."""
        names = [f"{code}  {name}" for code, name in enumerate(self.segments)]
        counts = np.bincount(self.codes + 1, minlength=len(names) + 1)
        entries = list(zip(names, colours, counts[1:], strict=False))
        if counts[0]:
            entries.append(("unassigned", _NOISE, counts[0]))
        handles = [
            pyplot().Line2D([], [], marker="o", markersize=7, linewidth=0, color=colour)
            for _, colour, _ in entries
        ]
        labels = [f"{name} ({count:,})".replace("$", r"\$") for name, _, count in entries]
        ax.legend(
            handles,
            labels,
            loc="upper left",
            bbox_to_anchor=(-0.01, -0.09),
            frameon=False,
            fontsize=9,
            handletextpad=0.2,
        )
