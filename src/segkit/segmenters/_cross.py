"""Several segmentations crossed into one, whose small cells are merged into their neighbours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil
from numbers import Integral
from typing import Any, ClassVar, Self

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.frozen import FrozenEstimator
from sklearn.utils import Tags, get_tags
from sklearn.utils.validation import check_is_fitted

from segkit._compat import Interval, RealNotInt, fit_context
from segkit._frames import UNASSIGNED, Frame, array_of_rows, as_frame, collected
from segkit._input_checks import row_limits
from segkit._storage._state import LearnedState
from segkit._warn import warn
from segkit.base import SegmenterMixin
from segkit.base._assignment import CodePlan
from segkit.base._customers import Customers, checked_array
from segkit.exceptions import LazyFrameError, SegkitTypeError, SegkitValueError, SegkitWarning
from segkit.segmenters._cross_cells import CrossedCells, merged_cells
from segkit.segmenters._cross_parts import inside_of, named_segmenters, predicted_names
from segkit.segmenters._cross_plan import PART, cell_code, plan_of_parts
from segkit.segmenters._cross_storage import restore_crossing, stored_crossing

_OWNER = "CrossSegmenter"
# Where more of the customers than this are in cells that were merged, the crossing is too fine.
_MANY_MOVED = 0.1
# Of more combinations, no table is made.
_MOST_CELLS = 10_000


class CrossSegmenter(SegmenterMixin, TransformerMixin, BaseEstimator):
    """Cross two or more segmenters: segments such as "Champions × Web".

    Every combination of the segmenters' segments is a cell. Crossing soon makes more cells than
    anyone can address, and many with hardly a customer: those with fewer than `min_size` are merged
    into their nearest larger neighbour, and so are the smallest until `max_segments` are left.

    Parameters
    ----------
    segmenters : sequence of segmenters, or of (name, segmenter) pairs
        The segmenters to cross, two or more, the one that matters most first. They are cloned,
        and fitted to the same customers; pass a fitted one as
        :class:`sklearn.frozen.FrozenEstimator`. A Pipeline that ends in a segmenter is one, too.
        Without names they have those of their classes, as in
        :func:`sklearn.pipeline.make_pipeline`; parameters inside are ``valuetierer__column``.
    min_size : int or float, default=0.01
        The fewest customers of a segment: an int from 1 is a number of them, a number below 1 a
        share of all in ``fit``.
    max_segments : int, default=12
        The most segments.
    name : str, default=" × "
        What stands between the names of the segments that are crossed.

    Attributes
    ----------
    segmenters_ : list of (str, segmenter) pairs
        The fitted segmenters with their names.
    cells_ : DataFrame
        A row for each cell that customers of ``fit`` were in: a column of segments for each
        segmenter, ``customers``, and the ``segment`` that the cell went to.
    merges_ : DataFrame
        A row for each merge, in order: the ``cell`` and its ``customers`` (with those merged into
        it before), ``into`` which cell, and the ``reason``: ``"min_size"`` or ``"max_segments"``.
    segments_ : ndarray of shape (n_segments,), dtype object
        Names of the cells that are left, in the order of the first segmenter's segments, then the
        second's; the position of a name is its code.
    labels_ : ndarray of shape (n_customers,), dtype int64
        Codes of the customers seen in ``fit``; -1 for who is unassigned in any segmenter. Only
        after fitting on eager data.
    n_features_in_ : int
        Number of columns that the segmenters use of a frame, or the width of the array seen in
        ``fit``.
    feature_names_in_ : ndarray of shape (n_features_in_,), dtype object
        Names of the columns that the segmenters use; only after fitting on a frame.

    Warns
    -----
    SegkitWarning
        In ``fit``, where the crossing is too fine: more cells reach `min_size` than `max_segments`,
        or more than a tenth of the customers are in cells that were merged away.

    See Also
    --------
    segkit.RuleSegmenter : Segments by rules, such as channels or countries.

    Notes
    -----
    The smallest cell is merged first. Its nearest neighbour is the one that shares most segments
    with it; among those, the one whose other segments are fewest places away; then the one that
    shares those of the first segmenters; then the largest; then the first. Neighbours have at
    least its size, with all that was merged into them. A merged cell keeps the name of the larger
    one: ``describe`` lists what is in it.

    Combinations that nobody in ``fit`` had go where the same rule sends them, as cells without
    customers.

    Places are the positions of segments in their segmenter. For tiers or bands that is how near
    they are; for clusters or channels, whose order means little, only how many segments are shared
    does.

    Examples
    --------
    >>> import pandas as pd
    >>> from segkit import CrossSegmenter, RuleSegmenter, ValueTierer
    >>> customers = pd.DataFrame(
    ...     {
    ...         "monetary": [900.0, 700.0, 60.0, 50.0, 40.0, 800.0, 30.0],
    ...         "channel": ["Web", "Web", "Web", "Web", "Web", "Phone", "Phone"],
    ...     }
    ... )
    >>> tiers = ValueTierer(method="fixed", cuts=[500], tiers=["High", "Low"])
    >>> web = [{"name": "Web", "when": {"column": "channel", "equals": "Web"}}]
    >>> crossed = CrossSegmenter([tiers, RuleSegmenter(web, default="Offline")], min_size=1)
    >>> crossed.fit(customers).predict_segments(customers)
    array(['High × Web', 'High × Web', 'Low × Web', 'Low × Web', 'Low × Web',
           'High × Offline', 'Low × Offline'], dtype=object)
    >>> crossed.cells_
       valuetierer rulesegmenter  customers         segment
    0         High           Web          2      High × Web
    1         High       Offline          1  High × Offline
    2          Low           Web          3       Low × Web
    3          Low       Offline          1   Low × Offline
    """

    _label_column: ClassVar[str] = "cross_segment"
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "segmenters": [None, list, tuple],
        "min_size": [
            Interval(RealNotInt, 0, 1, closed="left"),
            Interval(Integral, 0, None, closed="left"),
        ],
        "max_segments": [Interval(Integral, 1, None, closed="left")],
        "name": [str],
    }

    segmenters_: list[tuple[str, Any]]
    cells_: pd.DataFrame
    merges_: pd.DataFrame
    _crossed: CrossedCells

    def __init__(
        self,
        segmenters: Sequence[Any] | None = None,
        *,
        min_size: float = 0.01,
        max_segments: int = 12,
        name: str = " × ",
    ) -> None:
        self.segmenters = segmenters
        self.min_size = min_size
        self.max_segments = max_segments
        self.name = name

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any = None) -> Self:
        """Fit the segmenters, cross their segments, and merge the small cells.

        Parameters
        ----------
        X : frame or array of shape (n_customers, n_columns)
            One row per customer. A lazy frame is counted in its engine, once the segmenters are
            fitted to it.
        y : array-like of shape (n_customers,), default=None
            Passed on to the segmenters.

        Returns
        -------
        CrossSegmenter
            The fitted segmenter.

        Raises
        ------
        SegkitValueError, SegkitTypeError
            For what is no segmenter, fewer than two, names that are not distinct, more than 10,000
            combinations, or no customer who is assigned in all; and what the segmenters raise.
        LazyFrameError
            For a lazy frame, where one of them cannot run in its engine.
        """
        self._forget()
        named = named_segmenters(self.segmenters)
        frame = as_frame(X, owner=_OWNER)
        if frame is None:
            X = self._array(X, reset=True)
        fitted = [(name, clone(segmenter).fit(X, y)) for name, segmenter in named]
        self.segmenters_ = fitted
        self._remember(frame)
        shape = tuple(len(inside_of(segmenter).segments_) for _, segmenter in fitted)
        if np.prod(shape, dtype=np.float64) > _MOST_CELLS:
            raise SegkitValueError(
                f"{_OWNER}: {' by '.join(map(str, shape))} segments make more than "
                f"{_MOST_CELLS:,} combinations. Cross fewer segmenters, or with fewer segments."
            )
        cells = None
        if isinstance(frame, nw.LazyFrame):
            counts, n_customers = self._counts_in_engine(frame, shape)
        else:
            cells = self._cells(X, shape)
            counts = np.bincount(cells[cells >= 0], minlength=int(np.prod(shape)))
            n_customers = len(cells)
        if not self.name.isprintable():  # such as half of a character in two parts
            raise SegkitValueError(f"{_OWNER}: name must be printable text, got {self.name!r}.")
        if not counts.any():
            raise SegkitValueError(
                f"{_OWNER}: none of {n_customers:,} customers is assigned by all segmenters, so "
                "that there is no cell."
            )
        least: float = self.min_size
        if self.min_size < 1:
            # 7 of 100 are a share of .07, though .07 * 100 is a little more than 7.
            least = ceil(self.min_size * n_customers - 1e-9)
        self._crossed = crossed = merged_cells(
            counts.reshape(shape), least=least, most=self.max_segments
        )
        self._describe_cells()
        self._warn_of_too_many(least)
        return self._finish_fit(X, codes=None if cells is None else crossed.codes_of(cells))

    def predict_one(self, row: Mapping[Any, Any]) -> str:
        """Return the segment name of one customer.

        Parameters
        ----------
        row : mapping of column to value
            One customer, with at least the columns that the segmenters use.

        Returns
        -------
        str
            A name from ``segments_``, or ``"unassigned"``.

        Raises
        ------
        NotFittedError
            Before ``fit``.
        ColumnError, SegkitTypeError, SegkitValueError, MissingValuesError
            As ``predict_one`` of the segmenters.
        """
        try:
            segments, places = self.segments_, self._places
        except AttributeError:
            check_is_fitted(self)
            raise
        cell, is_assigned = 0, True
        for (_, segmenter), place in zip(self.segmenters_, places, strict=True):
            if hasattr(segmenter, "predict_one"):
                segment = segmenter.predict_one(row)
            else:
                segment = predicted_names(segmenter, pd.DataFrame([dict(row)]))[0]
            if segment == UNASSIGNED:
                is_assigned = False  # and another may still refuse the customer
            else:
                cell = cell * len(place) + place[segment]
        if not is_assigned:
            return UNASSIGNED
        return str(segments[self._crossed.code_of_cell[cell]])

    def transform(self, X: Any) -> NDArray[np.float64]:
        """Return the segments as features: 1 for the segment that a customer is in, else 0.

        Parameters
        ----------
        X : eager frame or array of shape (n_customers, n_columns)
            One row per customer.

        Returns
        -------
        ndarray of shape (n_customers, n_segments)
            A row of zeros where a customer is unassigned.

        Raises
        ------
        NotFittedError
            Before ``fit``.
        LazyFrameError
            For a lazy frame: use ``assign``.
        ColumnError, SegkitTypeError, SegkitValueError, MissingValuesError
            As ``predict``.
        """
        check_is_fitted(self)
        self._refuse_lazy(X, verb="transform")
        codes = self.predict(X)
        is_in = codes[:, np.newaxis] == np.arange(len(self.segments_))
        features: NDArray[np.float64] = is_in.astype(np.float64)
        return features

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Return the names of the features that ``transform`` gives.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Ignored, but must hold the columns seen in ``fit``.

        Returns
        -------
        ndarray of shape (n_segments,), dtype object
            ``cross_segment_`` and the name of each segment.
        """
        self._check_input_features(input_features)
        return np.array([f"cross_segment_{name}" for name in self.segments_], dtype=object)

    def describe(self) -> pd.DataFrame:
        """Return what defines each segment, and how many customers of ``fit`` are in it.

        Returns
        -------
        pandas.DataFrame
            A row a segment, in code order: ``code``, ``segment``, ``rule`` (its cell, and those
            that were merged into it), ``customers`` and ``share_of_customers``, of all who were
            assigned.
        """
        described = super().describe()
        sizes = self._crossed.sizes
        described["customers"] = sizes
        described["share_of_customers"] = sizes / sizes.sum()
        return described

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters, and those of the segmenters inside.

        Parameters
        ----------
        deep : bool, default=True
            Whether to return the segmenters by their names, and their parameters as
            ``name__parameter``, too.

        Returns
        -------
        dict of str to object
            The value of each parameter.
        """
        params: dict[str, Any] = super().get_params(deep=False)
        if deep:
            for name, segmenter in _known_segmenters(self.segmenters):
                params[name] = segmenter
                inside = segmenter.get_params(deep=True)
                params |= {f"{name}__{key}": value for key, value in inside.items()}
        return params

    def set_params(self, **params: Any) -> Self:
        """Set parameters, also those of the segmenters inside.

        Parameters
        ----------
        **params : object
            Parameters; ``name=segmenter`` puts another in the place of the segmenter of that name,
            ``name__parameter=value`` changes a parameter of it.

        Returns
        -------
        CrossSegmenter
            The segmenter.

        Raises
        ------
        ValueError
            For a parameter that there is none of.
        """
        if "segmenters" in params:
            self.segmenters = params.pop("segmenters")
        names = [name for name, _ in _known_segmenters(self.segmenters)]
        replaced = {names.index(name): params.pop(name) for name in names if name in params}
        if replaced:
            given = list(self.segmenters or ())
            for place, segmenter in replaced.items():
                is_pair = isinstance(given[place], tuple)
                given[place] = (names[place], segmenter) if is_pair else segmenter
            self.segmenters = given
        super().set_params(**params)
        return self

    def __sklearn_tags__(self) -> Tags:
        """Return the tags of a segmenter that takes what all of the segmenters inside take."""
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []
        inside = [get_tags(s).input_tags for _, s in _known_segmenters(self.segmenters)]
        if not inside:
            return tags
        tags.input_tags.allow_nan = all(one.allow_nan for one in inside)
        tags.input_tags.two_d_array = all(one.two_d_array for one in inside)
        return tags

    # The segmenter's hooks.

    def _learned_state(self) -> dict[str, Any]:
        return stored_crossing(self)

    def _restore(self, state: LearnedState) -> None:
        restore_crossing(self, state)
        self._row_limits = row_limits([])
        self._set_places()

    def _customers(self, X: Any, *, reset: bool) -> Customers:
        # What the codes depend on need not be numbers, so that the codes themselves are.
        if as_frame(X, owner=_OWNER) is None:
            X = self._array(X, reset=False)
        codes = self._crossed.codes_of(self._cells(X, self._crossed.shape))
        return Customers(["code"], [codes], by_name=False)

    def _codes(self, values: NDArray[np.float64]) -> NDArray[np.int64]:
        return values[:, 0].astype(np.int64)

    def _code_plan(self, frame: nw.LazyFrame[Any]) -> CodePlan:
        plan = self._plan_of_parts(frame)
        return CodePlan(cell_code(self._crossed), steps=plan.steps, features=(), hidden=plan.hidden)

    def _rules(self) -> list[str]:
        names = self._cell_names()
        said = []
        for code in range(len(self.segments_)):
            cells = self._crossed.seen_cells_of(code)
            said.append("; ".join(names[cell] for cell in cells))
        return said

    # Private helpers, in reading order.

    def _array(self, X: Any, *, reset: bool) -> Any:
        """Return an array; after a fit on a frame one with its names, by which parts read."""
        if isinstance(X, list | tuple | pd.DataFrame):
            X = array_of_rows(X, owner=type(self).__name__)
        if not reset and isinstance(X, np.ndarray) and X.ndim == 2:
            if hasattr(self, "feature_names_in_"):
                n_columns = self.n_features_in_
                array = checked_array(self, X[:, :n_columns], reset=False)
                return pd.DataFrame(array, columns=self.feature_names_in_)
            X = X[:, : self.n_features_in_]
        return checked_array(self, X, reset=reset)

    def _remember(self, frame: Frame | None) -> None:
        """Remember the columns that the segmenters use."""
        self._row_limits = row_limits([])
        self._group_used = None
        self._columns_used = []
        if frame is not None:
            names: dict[str, None] = {}
            for _, segmenter in self.segmenters_:
                # A step of a pipeline may read what it likes.
                used = getattr(segmenter, "feature_names_in_", frame.collect_schema().names())
                names |= dict.fromkeys(map(str, used))
            self._columns_used = list(names)
            self.feature_names_in_ = np.array(list(names), dtype=object)
            self.n_features_in_ = len(names)

    def _cells(self, X: Any, shape: tuple[int, ...]) -> NDArray[np.int64]:
        """Return the cell of each customer, -1 for who is unassigned in any segmenter."""
        cells: Any = 0
        assigned: Any = True
        for (_, segmenter), n_segments in zip(self.segmenters_, shape, strict=True):
            codes = np.asarray(segmenter.predict(X), dtype=np.int64)
            assigned = assigned & (codes >= 0)
            cells = cells * n_segments + codes
        found: NDArray[np.int64] = np.where(assigned, cells, -1)
        return found

    def _plan_of_parts(self, frame: nw.LazyFrame[Any]) -> CodePlan:
        parts = []
        for name, segmenter in self.segmenters_:
            inside = segmenter
            while isinstance(inside, FrozenEstimator):
                inside = inside.estimator
            if not isinstance(inside, SegmenterMixin):
                raise LazyFrameError(
                    f"{_OWNER}: {name!r} cannot run inside a query engine. Collect the frame "
                    "first: .collect() in polars, .df() in DuckDB."
                )
            parts.append(inside)
        return plan_of_parts(parts, frame)

    def _counts_in_engine(
        self, frame: nw.LazyFrame[Any], shape: tuple[int, ...]
    ) -> tuple[NDArray[np.int64], int]:
        plan = self._plan_of_parts(frame)
        for step in plan.steps:
            frame = frame.with_columns(**step)
        codes = [f"{PART}{place}" for place in range(len(shape))]
        counted = collected(frame.group_by(codes).agg(nw.len().alias(f"{PART}customers")))
        customers = np.asarray(counted[f"{PART}customers"].to_numpy(), dtype=np.int64)
        found = np.array([counted[name].to_numpy() for name in codes], dtype=np.int64)
        assigned = (found >= 0).all(axis=0)
        counts = np.zeros(shape, dtype=np.int64)
        counts[tuple(found[:, assigned])] = customers[assigned]
        return counts.ravel(), int(customers.sum())

    def _describe_cells(self) -> None:
        """Set what is known of cells, merges and segments."""
        crossed, names = self._crossed, self._cell_names()
        if len(set(names)) < len(names):
            raise SegkitValueError(
                f"{_OWNER}: different cells have the same name, because name={self.name!r} is part "
                "of the names of segments. Pass another name=..."
            )
        if UNASSIGNED in names:
            raise SegkitValueError(
                f"{_OWNER}: with name={self.name!r} a cell is named {UNASSIGNED!r}, which stands "
                "for customers that cannot be assigned. Pass another name=..."
            )
        self.segments_ = np.array([names[cell] for cell in crossed.cores], dtype=object)
        self._set_places()
        seen = crossed.seen
        codes = np.unravel_index(seen, crossed.shape)
        columns = {
            name: np.array(inside_of(segmenter).segments_, dtype=object)[code].astype(str)
            for (name, segmenter), code in zip(self.segmenters_, codes, strict=True)
        }
        self.cells_ = pd.DataFrame(columns)
        self.cells_["customers"] = crossed.counts[seen]
        self.cells_["segment"] = self.segments_[crossed.code_of_cell[seen]].astype(str)
        self.merges_ = pd.DataFrame(
            {
                "cell": [names[merge.cell] for merge in crossed.merges],
                "customers": [merge.customers for merge in crossed.merges],
                "into": [names[merge.into] for merge in crossed.merges],
                "reason": [merge.reason for merge in crossed.merges],
            }
        )

    def _set_places(self) -> None:
        self._places = [
            {str(segment): code for code, segment in enumerate(inside_of(segmenter).segments_)}
            for _, segmenter in self.segmenters_
        ]

    def _warn_of_too_many(self, least: float) -> None:
        crossed = self._crossed
        of_seen, n_customers = crossed.counts[crossed.seen], int(crossed.counts.sum())
        moved = int(crossed.counts[[merge.cell for merge in crossed.merges]].sum())
        large = sum(merge.reason == "max_segments" for merge in crossed.merges)
        remedy = "(merges_). Cross fewer segmenters, or segmenters with fewer segments."
        if large:
            warn(
                f"{_OWNER}: {len(crossed.cores) + large} cells have at least min_size="
                f"{self.min_size:g} customers, and max_segments={self.max_segments}: the {large} "
                f"smallest are merged into others {remedy}",
                SegkitWarning,
            )
        elif moved > _MANY_MOVED * n_customers:
            warn(
                f"{_OWNER}: {int((of_seen < least).sum())} of {of_seen.size} cells have fewer than "
                f"min_size={self.min_size:g} customers, and {moved:,} of {n_customers:,} customers "
                f"are in cells that are merged into others {remedy}",
                SegkitWarning,
            )

    def _cell_names(self) -> list[str]:
        names = [""]
        for place, (_, segmenter) in enumerate(self.segmenters_):
            between = self.name if place else ""
            segments = [str(segment) for segment in inside_of(segmenter).segments_]
            names = [f"{name}{between}{segment}" for name in names for segment in segments]
        return names


def _known_segmenters(given: Any) -> list[tuple[str, Any]]:
    """Return segmenters with names; none where ``fit`` would say what is wrong with them."""
    try:
        return named_segmenters(given)
    except (SegkitTypeError, SegkitValueError):
        return []
