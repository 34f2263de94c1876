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

from segkit._binning import score_expression, score_one, scores
from segkit._compat import Interval, StrOptions, check_feature_names_in, fit_context
from segkit._frames import integer_series, text_series
from segkit._input_checks import nearest
from segkit.base import SegmenterMixin
from segkit.base._customers import columns_wanted
from segkit.exceptions import ColumnError, SegkitValueError, SegmentMapError
from segkit.segmenters._named_maps import NAMED_MAPS, named_segment_map
from segkit.segmenters._rfm_edges import checked_edges, given_edges, learned_edges
from segkit.segmenters._rfm_words import ScoredColumn, rules, thresholds
from segkit.segmenters._segment_map import RFM_DIMENSIONS, SegmentMap


class RFMScorer(SegmenterMixin, TransformerMixin, BaseEstimator):
    """Score customers by recency, frequency and monetary value, and name their segment.

    ``fit`` learns the edges of the scores; ``transform``, ``predict`` and ``assign`` only apply
    them. Equal values share a score, and a customer scored alone scores as in the batch.

    Parameters
    ----------
    columns : sequence of str or of int, default=("recency_days", "frequency", "monetary")
        The columns to score. In the first, smaller is better (days since the last order); in the
        others, larger. The first three play the parts of recency, frequency and monetary value,
        further ones are scored under their own name. Integers are positions. Of an array the
        first columns are taken in this order; it may have two columns (recency and frequency),
        and further ones are ignored.
    n_bins : int or sequence of int, default=5
        Number of scores, for all columns or for each.
    binning : "quantile", mapping or sequence, default="quantile"
        How the edges between scores are found. ``"quantile"`` puts equal shares of the customers
        seen in ``fit`` into each score (linear interpolation), as far as ties let it. A mapping
        of column to ``n_bins - 1`` increasing edges gives them in the data's own units; columns
        that it leaves out get quantiles. A sequence gives the edges of every column in order.
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
        The inner edges of each column, ascending, in the column's units. Ties can make them equal.
    segment_map_ : SegmentMap
        The map in use.
    segments_ : ndarray of shape (n_segments,), dtype object
        Segment names, best first; the position of a name is its code.
    labels_ : ndarray of shape (n_customers,), dtype int64
        Codes of the customers seen in ``fit``, -1 where unassigned. Only after fitting on eager
        data.
    n_features_in_ : int
        Number of columns scored of a frame, or the width of the array seen in ``fit``.
    feature_names_in_ : ndarray of shape (n_features_in_,), dtype object
        Names of the columns scored; only after fitting on a frame.

    Warns
    -----
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
    n_bins - #{edges < v}. Edges are the k / n_bins quantiles, k = 1 ... n_bins - 1.

    References
    ----------
    Hughes, A. M. (1994). *Strategic Database Marketing*. Probus.

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

    _label_column: ClassVar[str] = "rfm_segment"
    _min_columns: ClassVar[int] = 2
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "columns": [list, tuple],
        "n_bins": [Interval(Integral, 2, None, closed="left"), list, tuple],
        "binning": [StrOptions({"quantile"}), Mapping, list, tuple],
        "segment_map": [StrOptions(set(NAMED_MAPS)), SegmentMap],
        "missing": [StrOptions({"raise", "unassigned"})],
    }

    def __init__(
        self,
        *,
        columns: Sequence[str | int] = ("recency_days", "frequency", "monetary"),
        n_bins: int | Sequence[int] = 5,
        binning: Literal["quantile"]
        | Mapping[str | int, ArrayLike]
        | Sequence[ArrayLike] = "quantile",
        segment_map: str | SegmentMap = "rf_grid",
        missing: Literal["raise", "unassigned"] = "raise",
    ) -> None:
        self.columns = columns
        self.n_bins = n_bins
        self.binning = binning
        self.segment_map = segment_map
        self.missing = missing

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn the edges of the scores.

        Parameters
        ----------
        X : frame or array of shape (n_customers, n_columns)
            One row per customer. Of a lazy frame the columns to score are collected.
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
        values = self._validate_customers(X, reset=True)
        columns, dimensions = self._columns_used, self._dimensions()
        self._check_columns(dimensions)
        n_bins = self._bins_per_column()
        named = dict(zip(self.columns, columns, strict=False))
        given = {
            named[column]: column_edges
            for column, column_edges in given_edges(self.binning, self.columns).items()
            if column in named
        }
        segment_map = self._fitting_map(dict(zip(dimensions, n_bins, strict=True)))
        edges = []
        for column, bins, column_values in zip(columns, n_bins, values.T, strict=True):
            if column in given:
                edges.append(checked_edges(given[column], column, bins))
            else:
                edges.append(learned_edges(column_values, column, bins))
            edges[-1].setflags(write=False)
        self._bins = tuple(n_bins)
        self._separator = "-" if max(n_bins[:3]) > 9 else ""
        self._mapped = [dimensions.index(dimension) for dimension in segment_map.dimensions]
        self._edge_lists = [column_edges.tolist() for column_edges in edges]
        self.bin_edges_ = dict(zip(columns, edges, strict=True))
        self.segment_map_ = segment_map
        self.segments_ = np.array(segment_map.names, dtype=object)
        return self._finish_fit(X, values)

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
        values = self._validate_customers(X, reset=False)
        if self.missing == "raise":
            return self._scores(values)
        scored = self._scores(values).astype(np.float64)
        scored[np.isnan(values)] = np.nan
        return scored

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
        check_is_fitted(self)
        used = set(getattr(self, "feature_names_in_", ()))
        if not used or input_features is None or not used <= set(input_features):
            check_feature_names_in(self, input_features, generate_names=False)
        return np.array(self._score_names(), dtype=object)

    def describe(self) -> pd.DataFrame:
        """Return what defines each segment.

        Returns
        -------
        pandas.DataFrame
            A row a segment, in code order: ``code``, ``segment``, ``rule`` (its scores) and
            ``thresholds`` (the same in the units of the data, as learned).
        """
        described = super().describe()
        columns = dict(zip(self._dimensions(), self._scored_columns(), strict=True))
        return described.assign(thresholds=thresholds(self.segment_map_, columns))

    def __sklearn_tags__(self) -> Tags:
        """Return the tags of a segmenter whose features are scores, not floats as they came."""
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []
        return tags

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for edges in getattr(self, "bin_edges_", {}).values():
            edges.setflags(write=False)  # pickle forgets it

    # The segmenter's hooks.

    def _columns_needed(self) -> int:
        dimensions = _dimensions_of(columns_wanted(self))
        if isinstance(self.segment_map, SegmentMap):
            mapped = self.segment_map.dimensions
        else:
            mapped = RFM_DIMENSIONS[: 2 if self.segment_map == "rf_grid" else 3]
        places = [dimensions.index(name) + 1 for name in mapped if name in dimensions]
        return max([self._min_columns, *places])

    def _codes(self, values: NDArray[np.float64]) -> NDArray[np.int64]:
        return self.segment_map_.codes(self._scores(values)[:, self._mapped])

    def _code_one(self, values: list[float]) -> int:
        cell = tuple(
            score_one(values[i], self._edge_lists[i], smaller_is_better=i == 0) - 1
            for i in self._mapped
        )
        return int(self.segment_map_._table[cell])

    def _code_expression(self, values: Sequence[nw.Expr]) -> nw.Expr:
        return self.segment_map_.code_expression(
            {dimension: nw.col(f"{dimension}_score") for dimension in self._dimensions()}
        )

    def _feature_columns(
        self, frame: nw.DataFrame[Any], values: NDArray[np.float64]
    ) -> list[nw.Series[Any]]:
        missing = np.isnan(values)
        scored = self._scores(np.nan_to_num(values))
        may_miss = self.missing == "unassigned"
        columns = [
            integer_series(frame, name, scored[:, i], missing[:, i] if may_miss else None)
            for i, name in enumerate(self._score_names())
        ]
        n_bins = self._bins[:3]
        cell = np.ravel_multi_index(tuple(scored[:, : len(n_bins)].T - 1), n_bins)
        occupied, positions = np.unique(cell, return_inverse=True)
        texts = [
            self._separator.join(str(position + 1) for position in np.unravel_index(one, n_bins))
            for one in occupied
        ]
        positions[missing[:, : len(n_bins)].any(axis=1)] = len(texts)
        return [*columns, text_series(frame, "rfm_cell", [*texts, None], positions)]

    def _feature_expressions(self, values: Sequence[nw.Expr]) -> dict[str, nw.Expr]:
        scored = self._score_expressions(values)
        # Null scores make a null cell, in every engine that is lazy.
        digits = [score.cast(nw.Int64).cast(nw.String) for score in scored[:3]]
        cell = nw.concat_str(digits, separator=self._separator)
        return {**dict(zip(self._score_names(), scored, strict=True)), "rfm_cell": cell}

    def _rules(self) -> list[str]:
        return rules(self.segment_map_)

    # Private helpers, in reading order.

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

    def _scored_columns(self) -> list[ScoredColumn]:
        return [
            ScoredColumn(str(column), edges, smaller_is_better=position == 0)
            for position, (column, edges) in enumerate(self.bin_edges_.items())
        ]

    def _score_names(self) -> list[str]:
        return [f"{dimension}_score" for dimension in self._dimensions()]

    def _bins_per_column(self) -> list[int]:
        n_columns = len(self._columns_used)
        if not isinstance(self.n_bins, Sequence):
            return [int(self.n_bins)] * n_columns
        bins = list(self.n_bins)
        if len(bins) != len(self.columns) or not all(
            isinstance(number, int | np.integer) and number >= 2 for number in bins
        ):
            raise SegkitValueError(
                f"RFMScorer: n_bins must be an integer of at least 2, or one for each of the "
                f"{len(self.columns)} columns, got {self.n_bins!r}."
            )
        return [int(number) for number in bins[:n_columns]]

    def _fitting_map(self, n_bins: Mapping[str, int]) -> SegmentMap:
        given = self.segment_map
        segment_map = named_segment_map(given, n_bins) if isinstance(given, str) else given
        name = f"segment_map={given!r}" if isinstance(given, str) else "the SegmentMap"
        for dimension, bins in zip(segment_map.dimensions, segment_map.n_bins, strict=True):
            if dimension not in n_bins:
                near = nearest(dimension, list(n_bins))
                raise SegmentMapError(
                    f"RFMScorer: {name} needs {dimension!r} scores; the scores are of "
                    f"{list(n_bins)}." + (f" Did you mean {near!r}?" if near else "")
                )
            if n_bins[dimension] != bins:
                raise SegmentMapError(
                    f"RFMScorer: {name} is drawn for {bins} {dimension} scores, and "
                    f"n_bins gives {n_bins[dimension]}. Pass n_bins={bins}, or a SegmentMap with "
                    f"n_bins={n_bins[dimension]}."
                )
        return segment_map

    def _scores(self, values: NDArray[np.float64]) -> NDArray[np.int64]:
        return np.column_stack(
            [
                scores(values[:, position], edges, smaller_is_better=position == 0)
                for position, edges in enumerate(self.bin_edges_.values())
            ]
        )

    def _score_expressions(self, values: Sequence[nw.Expr]) -> list[nw.Expr]:
        return [
            nw.when(~value.is_null()).then(
                score_expression(value, edges, smaller_is_better=position == 0)
            )
            for position, (value, edges) in enumerate(
                zip(values, self.bin_edges_.values(), strict=True)
            )
        ]


def _dimensions_of(columns: Sequence[str | int]) -> list[str]:
    """Return the names under which columns are scored: the first three by the part they play."""
    further = [
        f"x{column}" if isinstance(column, int) else column.removesuffix("_days")
        for column in columns[3:]
    ]
    return [*RFM_DIMENSIONS[: len(columns)], *further]
