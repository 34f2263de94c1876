"""Clusters of customers on the first two principal components of their features."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import narwhals.stable.v2 as nw
import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.utils.validation import check_is_fitted

from segkit._frames import as_frame
from segkit.exceptions import LazyFrameError, SegkitTypeError, SegkitValueError
from segkit.plotting._drawing import percent, pyplot
from segkit.segmenters import ClusterSegmenter

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_INK, _NOISE = "#1c1c22", "#c9c9cf"
# More points than these hide one another.
_MOST_POINTS = 3_000


class ClusterDisplay:
    """The customers of a :class:`~segkit.segmenters.ClusterSegmenter` in two dimensions.

    Each point is a customer, coloured by segment, on the first two principal components of the
    features that the segmenter clusters. Make it with :meth:`from_estimator`.

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
    explained : ndarray of shape (2,)
        Share of the features' variance along each axis, from 0 to 1.

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
        explained: NDArray[np.float64],
    ) -> None:
        self.points = points
        self.codes = codes
        self.centres = centres
        self.segments = segments
        self.explained = explained

    @classmethod
    def from_estimator(cls, estimator: ClusterSegmenter, X: Any, *, ax: Axes | None = None) -> Self:
        """Draw customers in the segments of a fitted segmenter.

        Parameters
        ----------
        estimator : ClusterSegmenter
            A fitted segmenter.
        X : eager frame or array of shape (n_customers, n_columns)
            The customers to draw; of many, some thousands drawn at random.
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
        features = estimator._prepared(estimator._table(X, reset=False), reset=False)
        if len(features) < 2:
            raise SegkitValueError(
                f"ClusterDisplay: at least two customers are needed, got {len(features)}."
            )
        codes = estimator._codes(features)
        n_components = min(2, *features.shape)
        pca = PCA(n_components, svd_solver="full").fit(features)
        flat = np.zeros((len(features), 2))
        flat[:, :n_components] = pca.transform(features)
        centres = np.zeros((estimator.n_segments_, 2))
        if estimator.n_segments_:
            centres[:, :n_components] = pca.transform(estimator.cluster_centers_)
        explained = np.zeros(2)
        explained[:n_components] = np.nan_to_num(pca.explained_variance_ratio_)
        if len(flat) > _MOST_POINTS:
            drawn = np.random.RandomState(0).choice(len(flat), _MOST_POINTS, replace=False)
            flat, codes = flat[drawn], codes[drawn]
        return cls(
            points=flat,
            codes=codes,
            centres=centres,
            segments=[str(name) for name in estimator.segments_],
            explained=explained,
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
        colours = plt.get_cmap("tab10" if len(self.segments) <= 10 else "tab20")
        noise = self.points[self.codes < 0]
        if len(noise):
            ax.scatter(
                noise[:, 0],
                noise[:, 1],
                s=10,
                color=_NOISE,
                linewidth=0,
                label="unassigned",
                zorder=1,
            )
        for code, name in enumerate(self.segments):
            colour = colours(code % colours.N)
            # A number leads from the centre to its name, which may be long, in the legend.
            label = f"{code + 1}  {name}".replace("$", r"\$")
            points = self.points[self.codes == code]
            ax.scatter(
                points[:, 0], points[:, 1], s=14, color=colour, alpha=0.65, linewidth=0, label=label
            )
            x, y = self.centres[code]
            ax.scatter(x, y, s=200, color="white", edgecolor=colour, zorder=3)
            ax.annotate(
                str(code + 1),
                self.centres[code],
                ha="center",
                va="center",
                fontsize=9,
                weight="bold",
                color=_INK,
                zorder=4,
            )
        for axis, write in enumerate((ax.set_xlabel, ax.set_ylabel)):
            write(f"Principal component {axis + 1} ({percent(self.explained[axis])} of variance)")
        ax.spines[["top", "right"]].set_visible(False)
        ax.set_xticks([])
        ax.set_yticks([])
        ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.07), frameon=False, fontsize=9)
        self.ax_ = ax
        self.figure_ = ax.figure
        return self
