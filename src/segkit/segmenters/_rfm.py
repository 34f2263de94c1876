"""RFM scoring: recency, frequency and monetary value in learned scores, and the segments they name.

The method is Hughes (1994), *Strategic Database Marketing*, with edges that are learned once and
kept, so that ties share a score and a new customer is scored as an old one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Integral
from typing import Any, ClassVar, Literal, Self

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from segkit._compat import Interval, StrOptions, fit_context
from segkit._frames import as_frame, integer_series, text_series
from segkit._input_checks import missing_rows, nearest
from segkit._storage._state import LearnedState
from segkit.base import SegmenterMixin
from segkit.base._customers import Customers, columns_wanted
from segkit.exceptions import (
    ColumnError,
    SegkitTypeError,
    SegkitValueError,
)
from segkit.segmenters._column_edges import (
    ColumnBinning,
    ColumnEdges,
    Scores,
    blocks_of,
    score_columns,
)
from segkit.segmenters._customer_groups import CustomerGroups, warn_of_small_groups
from segkit.segmenters._edges_spread import EdgesSpread, bootstrap_edges
from segkit.segmenters._named_maps import NAMED_MAPS, fitting_map
from segkit.segmenters._rfm_edges import (
    METHODS,
    MOST_SCORES,
    binned_columns,
    learned_edges,
    numbers_of_scores,
    warn_of_ties,
)
from segkit.segmenters._rfm_engine import (
    GROUP,
    edges_in_engine,
    groups_in_engine,
    numbers_of_scores_in_engine,
)
from segkit.segmenters._rfm_storage import restored_scores, stored_scores
from segkit.segmenters._rfm_words import ScoredColumn, rules, thresholds
from segkit.segmenters._segment_map import RFM_DIMENSIONS, SegmentMap


class RFMScorer(SegmenterMixin, TransformerMixin, BaseEstimator):
    """Score customers by recency, frequency and monetary value, and name their segment.

    ``fit`` learns the edges of the scores; ``transform``, ``predict`` and ``assign`` only apply
    them. Equal values share a score, and a customer scored alone scores as in the batch.

    Parameters
    ----------
    columns : sequence of str or of int, default=("recency_days", "frequency", "monetary")
        The columns to score. The first three play the parts of recency, frequency and monetary
        value; further ones, such as ``tenure_days`` (the length of LRFM), are scored under their
        own name. Integers are positions. Of an array the first columns are taken in this order;
        it may have two columns (recency and frequency), and further ones are ignored.
    smaller_is_better : sequence of str or of int, default=None
        Those of `columns` in which a smaller value is better. None: the first, which counts the
        days since the last order.
    n_bins : int or sequence of int, default=5
        Number of scores, for all columns or for each.
    binning : str, mapping or sequence, default="quantile"
        How the edges between scores are found:

        - ``"quantile"`` puts equal shares of the customers seen in ``fit`` into each score (linear
          interpolation), as far as ties let it;
        - ``"uniform"`` cuts the range of the values into equal widths;
        - ``"kmeans"`` finds the clusters of the values with the least inertia (one dimension, by
          dynamic programming, the same every time) and puts the edges halfway between their
          centres;
        - ``"nested"`` learns quantiles of the second column within each score of the first, and
          of the third within each pair of scores of the first two. A cell with fewer customers
          than scores takes the edges of the cell around it. Further columns get plain quantiles.

        A mapping of column to ``n_bins - 1`` increasing edges, or to one of the first three
        names, says it column by column; columns that it leaves out get quantiles. A sequence
        says it for every column in order.
    groups : str or int, default=None
        A column whose values are groups of customers, such as ``"country"``: text, numbers,
        booleans, or dates. Edges are learned within each group. Customers of a group that ``fit``
        did not see, or in which fewer customers than scores have all their values, and those
        whose group is missing, are scored with the edges learned from all customers. An integer
        is a position; of an array, the column behind `columns` holds the groups (numbers) where a
        name is given. Every group makes the query of a lazy frame longer: tens of groups are
        fine, hundreds slow.
    segment_map : {"rf_grid", "r_rfm", "pymc"} or SegmentMap, default="rf_grid"
        The names of the score cells. ``"rf_grid"`` has ten segments over recency and frequency
        and fits any ``n_bins``; ``"r_rfm"`` is the map of the R package rfm (5 scores),
        ``"pymc"`` that of pymc-marketing (4 scores).
    missing : {"raise", "unassigned"}, default="raise"
        What a missing value in the data does: an error, or no score for that value and no segment
        for that customer. Infinities are an error in either case. In a lazy frame, where values
        cannot be looked at, missing and infinite ones always give null and ``"unassigned"``.

    Attributes
    ----------
    bin_edges_ : dict of str (or int) to ndarray of shape (n_bins - 1,)
        The inner edges of each column, ascending, in the column's units, as learned from all
        customers. Ties can make them equal. With ``binning="nested"`` those of the second and
        third column have a first axis for each score of the first (and a second one for each of
        the second): ``bin_edges_["frequency"][3]`` are the edges of frequency where the recency
        score is 4.
    group_bin_edges_ : dict of group to dict
        The same for each group; only where there are `groups`.
    segment_map_ : SegmentMap
        The map in use.
    segments_ : ndarray of shape (n_segments,), dtype object
        Segment names, best first; the position of a name is its code.
    labels_ : ndarray of shape (n_customers,), dtype int64
        Codes of the customers seen in ``fit``, -1 where unassigned. Only after fitting on eager
        data.
    n_features_in_ : int
        Number of columns used of a frame, that of the groups included, or the width of the array
        seen in ``fit``.
    feature_names_in_ : ndarray of shape (n_features_in_,), dtype object
        Names of the columns used, that of the groups last; only after fitting on a frame.

    Warns
    -----
    SmallGroupsWarning
        In ``fit``, for groups with fewer customers than scores.
    TiedScoresWarning
        In ``fit``, for each column in which ties leave fewer than ``n_bins`` distinct scores. The
        scale stays 1 to ``n_bins``: half of all customers with one order share score 1, and the
        next score is the one that their share of the customers calls for.

    See Also
    --------
    segkit.summarize_transactions : Makes the customer table from a transaction log.
    SegmentMap : Brings your own segments.

    Notes
    -----
    The score of a value v is 1 + #{edges < v}; where smaller is better,
    n_bins - #{edges < v}. Quantile edges are the k / n_bins quantiles, k = 1 ... n_bins - 1
    (Hyndman & Fan 1996, type 7).

    ``"kmeans"`` is exact up to 1,024 distinct values of a column. More are pooled to as many
    points first, and the clusters of these refined on all values.

    References
    ----------
    Hughes, A. M. (1994). *Strategic Database Marketing*. Probus.

    Wang, H. & Song, M. (2011). Ckmeans.1d.dp: Optimal k-means clustering in one dimension by
    dynamic programming. *The R Journal*, 3(2), 29-33.

    Examples
    --------
    >>> import pandas as pd
    >>> from segkit import RFMScorer
    >>> customers = pd.DataFrame(
    ...     {
    ...         "customer": ["ann", "bob", "cem", "dee", "eva"],
    ...         "recency_days": [3, 40, 7, 200, 90],
    ...         "frequency": [9, 2, 4, 7, 1],
    ...         "monetary": [950.0, 40.0, 310.0, 700.0, 15.0],
    ...     }
    ... )
    >>> scorer = RFMScorer().fit(customers)
    >>> print(scorer.assign(customers)[["customer", "rfm_cell", "rfm_segment"]])
      customer rfm_cell         rfm_segment
    0      ann      555           Champions
    1      bob      322      About to Sleep
    2      cem      433  Potential Loyalist
    3      dee      144             At Risk
    4      eva      211         Hibernating
    >>> scorer.predict_one({"recency_days": 5, "frequency": 12, "monetary": 80.0})
    'Champions'
    """

    _edges: list[ColumnEdges]
    _edges_mapped: list[ColumnEdges]
    _customer_groups: CustomerGroups
    _label_column: ClassVar[str] = "rfm_segment"
    _min_columns: ClassVar[int] = 2
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "columns": [list, tuple],
        "smaller_is_better": [None, list, tuple],
        "n_bins": [Interval(Integral, 2, MOST_SCORES, closed="both"), list, tuple],
        "binning": [StrOptions({*METHODS, "nested"}), Mapping, list, tuple],
        "groups": [None, str, Interval(Integral, 0, None, closed="left")],
        "segment_map": [StrOptions(set(NAMED_MAPS)), SegmentMap],
        "missing": [StrOptions({"raise", "unassigned"})],
    }

    def __init__(
        self,
        *,
        columns: Sequence[str | int] = ("recency_days", "frequency", "monetary"),
        smaller_is_better: Sequence[str | int] | None = None,
        n_bins: int | Sequence[int] = 5,
        binning: Literal["quantile", "uniform", "kmeans", "nested"]
        | Mapping[str | int, ArrayLike | str]
        | Sequence[ArrayLike | str] = "quantile",
        groups: str | int | None = None,
        segment_map: str | SegmentMap = "rf_grid",
        missing: Literal["raise", "unassigned"] = "raise",
    ) -> None:
        self.columns = columns
        self.smaller_is_better = smaller_is_better
        self.n_bins = n_bins
        self.binning = binning
        self.groups = groups
        self.segment_map = segment_map
        self.missing = missing

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn the edges of the scores.

        Parameters
        ----------
        X : frame or array of shape (n_customers, n_columns)
            One row per customer. Inside the engine of a lazy frame values are only counted; with
            ``binning="kmeans"`` their distinct values are collected.
        y : None
            Ignored.

        Returns
        -------
        RFMScorer
            The fitted scorer.

        Raises
        ------
        ColumnError, SegkitTypeError, SegkitValueError, MissingValuesError
            For a missing column, text in place of numbers, infinities, impossible counts, no
            customers, missing values where ``missing="raise"``, and edges that do not fit.
        SegmentMapError
            For a map that needs scores which are not there.
        """
        frame = as_frame(X, owner=type(self).__name__)
        if isinstance(frame, nw.LazyFrame):
            self._learn_in_engine(frame)
        else:
            self._learn(X)
        return self

    @fit_context(prefer_skip_nested_validation=True)
    def fit_transform(self, X: Any, y: Any = None) -> NDArray[np.int64] | NDArray[np.float64]:
        """Learn the edges of the scores and return the scores, which saves to find them twice.

        Parameters
        ----------
        X : eager frame or array of shape (n_customers, n_columns)
            One row per customer.
        y : None
            Ignored.

        Returns
        -------
        ndarray of shape (n_customers, n_columns_scored)
            As :meth:`transform`.

        Raises
        ------
        LazyFrameError
            For a lazy frame: fit, then use ``assign``.
        ColumnError, SegkitTypeError, SegkitValueError, MissingValuesError, SegmentMapError
            As ``fit``.
        """
        self._refuse_lazy(X, verb="fit_transform")
        return self._as_features(*self._learn(X))

    def transform(self, X: Any) -> NDArray[np.int64] | NDArray[np.float64]:
        """Return the scores.

        Parameters
        ----------
        X : eager frame or array of shape (n_customers, n_columns)
            One row per customer.

        Returns
        -------
        ndarray of shape (n_customers, n_columns_scored)
            ``recency_score``, ``frequency_score``, ``monetary_score`` and those of further
            columns, from 1 to ``n_bins``, higher is better. int64; with
            ``missing="unassigned"`` float64, NaN where the value is missing. ``set_output`` turns
            it into a frame.

        Raises
        ------
        NotFittedError
            Before ``fit``.
        LazyFrameError
            For a lazy frame: use ``assign``.
        ColumnError, SegkitTypeError, SegkitValueError, MissingValuesError
            As ``fit``.
        """
        check_is_fitted(self)
        self._refuse_lazy(X, verb="transform")
        customers = self._customers(X, reset=False)
        self._check(customers)
        missing = None if customers.is_complete else self._missing_scores(customers.values)
        return self._as_features(self._scores(customers), missing)

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Return the names of the scores.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Ignored, but must hold the columns seen in ``fit``; further ones may stand beside
            them, as in a ``ColumnTransformer`` that passes more columns than are scored.

        Returns
        -------
        ndarray of shape (n_columns_scored,), dtype object
            ``recency_score``, ``frequency_score``, ``monetary_score``, ...
        """
        self._check_input_features(input_features)
        return np.array(self._score_names(), dtype=object)

    def describe(self) -> pd.DataFrame:
        """Return what defines each segment.

        Returns
        -------
        pandas.DataFrame
            A row a segment, in code order: ``code``, ``segment``, ``rule`` (its scores) and
            ``thresholds`` (the same in the units of the data, as learned from all customers).
            With `groups`, a further column for each group, such as ``thresholds: DE``.
        """
        described = super().describe()
        described["thresholds"] = self._thresholds(-1)
        labels = [str(label) for label in self._group_labels]
        if len(set(labels)) < len(labels):  # a number and its text
            labels = [repr(label) for label in self._group_labels]
        for place, label in enumerate(labels):
            described[f"thresholds: {label}"] = self._thresholds(place)
        return described

    def edges_spread(
        self,
        X: Any,
        *,
        n_bootstraps: int = 100,
        random_state: int | np.random.RandomState | None = None,
        n_jobs: int | None = None,
    ) -> EdgesSpread:
        """Tell how far the edges, and with them the segments, hang on who happens to be in `X`.

        The customers are drawn again and again, with replacement (bootstrap). Each draw learns
        edges of its own, by which all customers of `X` are put into segments.

        Parameters
        ----------
        X : eager frame or array of shape (n_customers, n_columns)
            One row per customer, usually those seen in ``fit``. Customers with missing values
            are left out.
        n_bootstraps : int, default=100
            Number of draws.
        random_state : int, RandomState instance or None, default=None
            Seed of the draws; pass an int for the same result every time.
        n_jobs : int, default=None
            Number of threads (joblib); None means 1, -1 all processors.

        Returns
        -------
        EdgesSpread
            The edges with their 95 % intervals, and the share of customers whose segment changes.

        Raises
        ------
        NotFittedError
            Before ``fit``.
        LazyFrameError
            For a lazy frame.
        ColumnError, SegkitTypeError, SegkitValueError, MissingValuesError
            As ``fit``.
        """
        check_is_fitted(self)
        self._refuse_lazy(X, verb="edges_spread")
        values = self._validate_customers(X, reset=False)
        return bootstrap_edges(self, values, n_bootstraps, random_state, n_jobs)

    def __sklearn_tags__(self) -> Tags:
        """Return the tags of a segmenter whose features are scores, not floats as they came."""
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []
        return tags

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if hasattr(self, "_edges"):
            self._publish_edges()  # pickle forgets which arrays are read-only

    # The segmenter's hooks.

    def _allows_missing(self) -> bool:
        return self.missing == "unassigned"

    def _learned_state(self) -> dict[str, Any]:
        return stored_scores(self)

    def _restore(self, state: LearnedState) -> None:
        self._use(*restored_scores(self, state))

    def _columns_needed(self) -> int:
        dimensions = _dimensions_of(columns_wanted(self))
        if isinstance(self.segment_map, SegmentMap):
            mapped = self.segment_map.dimensions
        else:
            mapped = RFM_DIMENSIONS[: 2 if self.segment_map == "rf_grid" else 3]
        places = [dimensions.index(name) + 1 for name in mapped if name in dimensions]
        return max([self._min_columns, *places])

    def _codes(self, values: NDArray[np.float64]) -> NDArray[np.int64]:
        scored = self._scores(values, n_columns=len(self._edges_mapped))
        return self.segment_map_._codes_of([scored[position] for position in self._mapped])

    def _code_one(self, values: list[float]) -> int:
        group = None if self._group_used is None else int(values[-1])
        scored: list[int] = []
        for edges, value in zip(self._edges_mapped, values, strict=False):
            scored.append(edges.score_one(value, group, scored))
        return self.segment_map_._code_of([scored[position] for position in self._mapped])

    def _code_expression(self, values: Sequence[nw.Expr]) -> nw.Expr:
        return self.segment_map_.code_expression(
            {dimension: nw.col(f"{dimension}_score") for dimension in self._dimensions()}
        )

    def _feature_columns(
        self, frame: nw.DataFrame[Any], values: NDArray[np.float64]
    ) -> list[nw.Series[Any]]:
        scored, missing = self._scores(values), self._missing_scores(values)
        if missing is None:
            missing = np.zeros((len(values), len(scored)), dtype=bool)
        may_miss = self.missing == "unassigned"
        columns = [
            integer_series(frame, name, scores.astype(np.int64), absent if may_miss else None)
            for name, scores, absent in zip(self._score_names(), scored, missing.T, strict=True)
        ]
        n_bins = [edges.binning.n_bins for edges in self._edges[:3]]
        cell = np.ravel_multi_index([scores - 1 for scores in scored[:3]], n_bins)
        positions, occupied = pd.factorize(cell)
        texts = [
            self._separator.join(str(position + 1) for position in np.unravel_index(one, n_bins))
            for one in occupied
        ]
        positions[missing[:, : len(n_bins)].any(axis=1)] = len(texts)
        return [*columns, text_series(frame, "rfm_cell", [*texts, None], positions)]

    def _feature_expressions(self, values: Sequence[nw.Expr]) -> list[dict[str, nw.Expr]]:
        group = None if self._group_used is None else values[-1]
        names = self._score_names()
        before = [nw.col(name) for name in names]
        scored = {
            name: edges.expression(value, group, before)
            for name, edges, value in zip(names, self._edges, values, strict=False)
        }
        # Null scores make a null cell, in every engine that is lazy.
        digits = [score.cast(nw.Int64).cast(nw.String) for score in before[:3]]
        cell = {"rfm_cell": nw.concat_str(digits, separator=self._separator)}
        if any(edges.binning.parents for edges in self._edges):
            return [*({name: score} for name, score in scored.items()), cell]
        return [scored, cell]

    def _group_column(self) -> str | int | None:
        if isinstance(self.groups, bool):
            raise SegkitTypeError(
                "RFMScorer: groups must be the name or the position of a column, got a bool."
            )
        return int(self.groups) if isinstance(self.groups, Integral) else self.groups

    def _group_positions(self, groups: Any, *, reset: bool) -> NDArray[np.intp]:
        if reset:
            self._customer_groups = CustomerGroups.among(groups)
        return self._customer_groups.positions(groups)

    def _group_position_of(self, group: Any) -> int:
        return self._customer_groups.position(group)

    def _group_expression(self, group: nw.Expr, dtype: Any) -> nw.Expr:
        return self._customer_groups.expression(group, dtype)

    def _rules(self) -> list[str]:
        return rules(self.segment_map_)

    # Private helpers, in reading order.

    def _learn(self, X: Any) -> tuple[list[Scores], NDArray[np.bool_] | None]:
        """Learn all that fit learns; return the customers' scores, and where there is none."""
        customers = self._customers(X, reset=True)
        self._check(customers)
        binned, segment_map = self._definition()
        missing = None if customers.is_complete else _missing_scores(customers.values, binned)
        group = None
        if self._group_used is not None:
            positions = customers.numbers[-1]
            complete = positions if missing is None else positions[~missing.any(axis=1)]
            n_complete = np.bincount(complete, minlength=self._n_groups + 1)[:-1]
            group = self._keep_large_groups(n_complete, binned)[positions]
            customers = customers.with_groups(group)
        edges = learned_edges(customers.numbers, binned, missing, group, self._n_groups)
        self._use(edges, segment_map)
        scored = self._scores(customers)
        warn_of_ties(edges, numbers_of_scores(edges, scored, missing))
        codes = segment_map._codes_of([scored[position] for position in self._mapped])
        if missing is not None:
            codes[missing.any(axis=1)] = -1
        self.segments_ = np.array(segment_map.names, dtype=object)
        self._finish_fit(X, codes=codes)
        return scored, missing

    def _learn_in_engine(self, frame: nw.LazyFrame[Any]) -> None:
        """Learn the same of a lazy frame, whose engine is asked for counts and extremes."""
        customers = self._customers_in_engine(frame)
        binned, segment_map = self._definition()
        rows, values = customers.frame, customers.values()
        group = None
        if customers.group is not None:
            labels, n_complete = groups_in_engine(customers)
            self._customer_groups = CustomerGroups.among(labels)
            positions = self._customer_groups.positions(labels)
            counts = np.bincount(positions, n_complete, self._n_groups + 1)[:-1]
            self._keep_large_groups(counts, binned)
            dtype = rows.collect_schema()[customers.group]
            place = self._group_expression(nw.col(customers.group), dtype)
            rows = rows.with_columns(place.alias(GROUP))
            group = nw.col(GROUP)
        edges = edges_in_engine(rows, values, binned, group, self._n_groups)
        self._use(edges, segment_map)
        for step in self._feature_expressions(values if group is None else [*values, group]):
            rows = rows.with_columns(**step)
        warn_of_ties(edges, numbers_of_scores_in_engine(rows, self._score_names(), edges))
        self.segments_ = np.array(segment_map.names, dtype=object)

    def _definition(self) -> tuple[list[ColumnBinning], SegmentMap]:
        """Return how each column is to be scored, and the map of the scores."""
        dimensions, binned = self._dimensions(), self._binned_columns()
        self._check_columns(dimensions)
        n_bins = [column.n_bins for column in binned]
        segment_map = fitting_map(self.segment_map, dict(zip(dimensions, n_bins, strict=True)))
        return binned, segment_map

    def _keep_large_groups(
        self, n_complete: NDArray[Any], binned: Sequence[ColumnBinning]
    ) -> NDArray[np.intp]:
        """Forget groups with fewer customers than scores; return where each group now stands."""
        n_bins = max(column.n_bins for column in binned)
        large_enough = n_complete >= n_bins
        warn_of_small_groups(large_enough, self._group_used, n_bins)
        everyone = np.arange(large_enough.size + 1)
        self._customer_groups, moved = self._customer_groups.those(large_enough, everyone)
        return moved

    def _use(self, edges: list[ColumnEdges], segment_map: SegmentMap) -> None:
        """Set the edges and the map, and what follows from them."""
        dimensions = self._dimensions()
        self._edges, self.segment_map_ = edges, segment_map
        self._separator = "-" if max(one.binning.n_bins for one in edges[:3]) > 9 else ""
        self._mapped = [dimensions.index(dimension) for dimension in segment_map.dimensions]
        # Those behind say nothing of the segment.
        self._edges_mapped = edges[: max(self._mapped) + 1]
        self._publish_edges()

    def _publish_edges(self) -> None:
        """Show the edges, read-only, because changed ones would not be those in use."""
        tables = {edges.binning.column: edges.table for edges in self._edges}
        for table in tables.values():
            table.setflags(write=False)
        self.bin_edges_ = {column: table[-1] for column, table in tables.items()}
        if self._group_used is not None:
            self.group_bin_edges_ = {
                label: {column: table[place] for column, table in tables.items()}
                for place, label in enumerate(self._group_labels)
            }

    def _scores(
        self, customers: Customers | NDArray[np.float64], n_columns: int | None = None
    ) -> list[Scores]:
        blocks = customers.blocks() if isinstance(customers, Customers) else blocks_of(customers)
        has_groups = self._group_used is not None
        return score_columns(blocks, len(customers), self._edges[:n_columns], has_groups=has_groups)

    def _group_of(self, values: NDArray[np.float64]) -> NDArray[np.intp] | None:
        return None if self._group_used is None else values[:, -1].astype(np.intp)

    @property
    def _group_labels(self) -> tuple[Any, ...]:
        return () if self._group_used is None else self._customer_groups.labels

    @property
    def _n_groups(self) -> int:
        return len(self._group_labels)

    def _missing_scores(self, values: NDArray[np.float64]) -> NDArray[np.bool_] | None:
        return _missing_scores(values, [edges.binning for edges in self._edges])

    def _as_features(
        self, scored: Sequence[Scores], missing: NDArray[np.bool_] | None
    ) -> NDArray[np.int64] | NDArray[np.float64]:
        dtype: Any = np.int64 if self.missing == "raise" else np.float64
        features = np.empty((len(scored[0]), len(scored)), dtype=dtype, order="F")
        for position, column in enumerate(scored):
            features[:, position] = column
        if missing is not None:
            features[missing] = np.nan
        return features

    def _check_columns(self, dimensions: Sequence[str]) -> None:
        if "recency_days" in self._columns_used[1:]:
            raise ColumnError(
                f"RFMScorer: columns={tuple(self._columns_used)} has 'recency_days' in another "
                "place than the first, which is the one where smaller is better. Put it first."
            )
        if len(set(dimensions)) < len(dimensions):
            raise ColumnError(
                f"RFMScorer: columns={tuple(self._columns_used)} would give scores of one name, "
                f"of {dimensions}. Rename one of the columns."
            )

    def _dimensions(self) -> list[str]:
        return _dimensions_of(self._columns_used)

    def _thresholds(self, group: int) -> list[str]:
        columns = {
            dimension: ScoredColumn(
                dimension,
                str(edges.binning.column),
                edges.table[group],
                edges.binning.smaller_is_better,
                [self._dimensions()[parent] for parent in edges.parents],
            )
            for dimension, edges in zip(self._dimensions(), self._edges, strict=True)
        }
        return thresholds(self.segment_map_, columns)

    def _score_names(self) -> list[str]:
        return [f"{dimension}_score" for dimension in self._dimensions()]

    def _binned_columns(self) -> list[ColumnBinning]:
        """Return how each column is to be scored."""
        named = dict(zip(self.columns, self._columns_used, strict=False))
        n_bins = self.n_bins if isinstance(self.n_bins, Sequence) else [self.n_bins] * len(named)
        if len(n_bins) not in (len(named), len(self.columns)) or not all(
            isinstance(number, int | np.integer) and 2 <= number <= MOST_SCORES for number in n_bins
        ):
            raise SegkitValueError(
                f"RFMScorer: n_bins must be an integer from 2 to {MOST_SCORES:,}, or one for each "
                f"of the {len(self.columns)} columns, got {self.n_bins!r}."
            )
        smaller = self.columns[:1] if self.smaller_is_better is None else self.smaller_is_better
        if unknown := [column for column in smaller if column not in self.columns]:
            near = nearest(str(unknown[0]), [str(column) for column in self.columns])
            raise ColumnError(
                f"RFMScorer: smaller_is_better names {unknown}, which are not among "
                f"columns={tuple(self.columns)}." + (f" Did you mean {near!r}?" if near else "")
            )
        directions = [name in smaller for name in named]
        return binned_columns(self.binning, self.columns, named, n_bins, directions)


def _missing_scores(
    values: NDArray[np.float64], columns: Sequence[ColumnBinning]
) -> NDArray[np.bool_] | None:
    """Return where there is no score: without a value, or without one of those it lies within."""
    if missing_rows(values) is None:
        return None
    absent = np.isnan(values[:, : len(columns)])
    for position, column in enumerate(columns):
        for parent in column.parents:
            absent[:, position] |= absent[:, parent]
    return absent


def _dimensions_of(columns: Sequence[str | int]) -> list[str]:
    """Return the names under which columns are scored: the first three by the part they play."""
    further = [
        f"x{column}" if isinstance(column, int) else column.removesuffix("_days")
        for column in columns[3:]
    ]
    return [*RFM_DIMENSIONS[: len(columns)], *further]
