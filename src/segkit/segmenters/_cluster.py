"""Segments found in the data, by any clusterer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from numbers import Integral
from typing import Any, ClassVar, Literal, Self, TypeAlias

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import issparse
from scipy.spatial.distance import cdist
from sklearn.base import BaseEstimator, ClusterMixin, TransformerMixin, clone
from sklearn.cluster import KMeans
from sklearn.frozen import FrozenEstimator
from sklearn.utils import Tags, check_random_state
from sklearn.utils.validation import check_is_fitted

from segkit._compat import HasMethods, Interval, StrOptions, fit_context
from segkit._frames import UNASSIGNED, Frame
from segkit._input_checks import check_is_instance, row_limits, row_mapping, row_table, row_value
from segkit._storage._state import LearnedState
from segkit._warn import warn
from segkit.base import SegmenterMixin
from segkit.base._customers import Customers
from segkit.exceptions import (
    LazyFrameError,
    MissingValuesError,
    NoStructureWarning,
    SegkitTypeError,
    SegkitValueError,
    SegkitWarning,
)
from segkit.metrics import StructureTest, structure_test
from segkit.metrics._clusterers import check_clusterer, labels_of, number_parameter, prepared
from segkit.metrics._threads import one_thread
from segkit.segmenters._cluster_assigner import assigner_of, centres_of
from segkit.segmenters._cluster_formula import OneCustomer, nearest_code, nearest_steps
from segkit.segmenters._cluster_levels import with_levels, without_levels
from segkit.segmenters._cluster_names import segment_names, segment_order
from segkit.segmenters._cluster_plane import Plane
from segkit.segmenters._cluster_preprocessing import (
    ClusterPreprocessing,
    NumberColumn,
    numbers_of,
)
from segkit.segmenters._cluster_selection import CRITERIA, number_search
from segkit.segmenters._cluster_storage import restore_clusters, stored_clusters
from segkit.segmenters._cluster_table import table_of_customers, table_of_fit

Floats: TypeAlias = NDArray[np.float64]
Labels: TypeAlias = NDArray[np.int64]

# Of fewer customers, nothing can be said of structure.
_FEWEST_TESTED = 50


class ClusterSegmenter(SegmenterMixin, ClusterMixin, TransformerMixin, BaseEstimator):
    """Segment customers by clusters found in the data, with any clusterer.

    Columns may hold numbers, categories and booleans. ``fit`` prepares them, finds how many
    segments there are, says whether there is any structure at all, and names the segments;
    ``predict`` assigns new customers, also for clusterers that cannot.

    Parameters
    ----------
    clusterer : estimator, default=None
        Any scikit-learn clusterer or mixture, or a Pipeline that ends in one; None means
        :class:`sklearn.cluster.KMeans` with 10 starts. Its parameter ``n_clusters``,
        ``n_components`` or ``n_segments`` is set, unless it is None; one without it finds its own
        number, and the label -1 (noise) is unassigned. It is cloned, and where its
        ``random_state`` is None gets a seed.
    columns : sequence of str or of int, default=None
        The columns that segments are found in, by name or by position; None takes all.
    n_segments : "auto" or int, default="auto"
        Number of segments, or ``"auto"`` to let `selection` choose it.
    n_segments_range : tuple of int, default=(2, 10)
        The numbers that are tried.
    selection : str, callable or sequence of these, default="auto"
        The criterion that chooses; of several, the first, and all are in ``selection_``.
        ``"silhouette"``, ``"calinski_harabasz"``, ``"davies_bouldin"``, ``"marriott"``, ``"gap"``,
        ``"prediction_strength"``, ``"stability"`` (the weakest segment's Jaccard similarity),
        ``"bic"`` (mixtures), ``"auto"`` (the silhouette, Calinski-Harabasz and Marriott's
        criterion together), or a function of features and labels, of which more is better.
    preprocessor : "auto", None or transformer, default="auto"
        How columns become numbers: see the notes. None takes them as they are.
    order_by : str, default=None
        A column of numbers by whose mean the segments are ordered, highest first. It need not be
        among `columns`. None: by their size, largest first.
    names : "auto", "letters" or sequence of str, default="auto"
        Names of the segments, in their order: what sets each apart most, ``"Segment A"``, ..., or
        as given.
    assigner : "auto", "centre" or "neighbours", default="auto"
        How customers find their segment where the clusterer has no ``predict``: by the nearest
        centre or the nearest customers; ``"auto"`` takes which tells held-out customers better,
        and the nearest customers where there is noise.
    selection_sample : int, default=1000
        So many customers, at most, serve to choose the number of segments and to test whether
        there are any. Time grows with its square.
    random_state : int, RandomState instance or None, default=None
        Pass an int for the same segments every time.
    n_jobs : int, default=None
        Number of threads (joblib) for the numbers of segments and for criteria that resample. The
        result does not depend on it.
    verbose : int, default=0
        1 shows progress over the numbers of segments and over resamples, with tqdm where it is
        installed.

    Attributes
    ----------
    segments_ : ndarray of shape (n_segments,), dtype object
        Names of the segments, in order; the position of a name is its code.
    n_segments_ : int
        Number of segments.
    labels_ : ndarray of shape (n_customers,), dtype int64
        Codes of the customers seen in ``fit``, -1 for noise. Only after fitting on eager data.
        Where the clusterer has no ``predict``, they are the assigner's, so that equal customers
        share a segment: by the nearest customers those of the clusterer, by the nearest centre
        almost. The clusterer's own are in ``clusterer_.labels_``, of customers in another order.
    clusterer_ : estimator
        The fitted clusterer.
    cluster_centers_ : ndarray of shape (n_segments, n_features)
        Centres of the segments, in features: those to the nearest of which customers are assigned,
        otherwise means.
    selection_ : DataFrame or None
        A row for each number of segments tried; for each criterion a column of values and one of
        standard errors, ``<criterion>_standard_error``. Those of indices come from 20 random
        halves of the customers, with the segments as they are.
    has_structure_ : bool or None
        Whether the customers differ in kind; None where `n_segments` was given, and of fewer than
        50 customers.
    structure_test_ : StructureTest or None
        The evidence, from :func:`segkit.metrics.structure_test`.
    preprocessing_summary_ : DataFrame or None
        What was done with each column.
    assignment_accuracy_ : float
        Share of held-out customers that the assigner puts where the clusterer did; 1 where the
        clusterer predicts itself.
    n_features_in_ : int
        Number of columns used of a frame, or the width of the array seen in ``fit``.
    feature_names_in_ : ndarray of shape (n_features_in_,), dtype object
        Names of the columns used; only after fitting on a frame.

    Warns
    -----
    NoStructureWarning
        In ``fit``, where there is no structure.
    SegkitWarning
        In ``fit``, where columns are constant, and where the assigner disagrees with the clusterer.

    Notes
    -----
    With ``preprocessor="auto"``, numbers are filled with their median and a missing indicator,
    skewed ones (skewness of 1 or more, at most a tenth below 0) take the signed logarithm, all are
    standardised; categories become one number a
    level, rare levels pooled, with the weight of one column together; booleans are 0 or 1, ordered
    categories their ranks. Constant columns are left out; dates, ids and free text are refused.

    For k-means on columns prepared so, ``"auto"`` is the score of
    :func:`segkit.metrics.number_of_clusters`; for others it is computed in the same way from the
    segments that the clusterer finds. A number at which the clusterer finds fewer segments is left
    out.

    The order of the rows changes nothing. Segments of the same size are ordered by their centres,
    so that another seed that finds the same segments gives them the same codes and names.

    Inside a query engine ``assign`` works for the nearest centre (k-means, or a clusterer whose
    assigner is that) of plain numbers prepared as above.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from segkit.segmenters import ClusterSegmenter
    >>> rng = np.random.default_rng(0)
    >>> customers = pd.DataFrame(
    ...     {
    ...         "spend": np.r_[rng.normal(20, 2, 60), rng.normal(80, 5, 40)],
    ...         "visits": np.r_[rng.normal(4, 1, 60), rng.normal(12, 1, 40)],
    ...     }
    ... )
    >>> segmenter = ClusterSegmenter(random_state=0).fit(customers)
    >>> segmenter.n_segments_, segmenter.has_structure_
    (2, True)
    >>> segmenter.segments_
    array(['low spend · low visits', 'high spend · high visits'], dtype=object)
    """

    _label_column: ClassVar[str] = "cluster_segment"
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "clusterer": [None, HasMethods(["fit"])],
        "columns": [None, list, tuple, pd.Index],
        "n_segments": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "n_segments_range": [tuple, list],
        "selection": [StrOptions(set(CRITERIA)), callable, list, tuple],
        "preprocessor": [None, StrOptions({"auto"}), HasMethods(["fit", "transform"])],
        "order_by": [None, str],
        "names": [StrOptions({"auto", "letters"}), list, tuple],
        "assigner": [StrOptions({"auto", "centre", "neighbours"})],
        "selection_sample": [Interval(Integral, 10, None, closed="left")],
        "random_state": ["random_state"],
        "n_jobs": [None, Integral],
        "verbose": ["verbose"],
    }

    n_segments_: int
    clusterer_: Any
    cluster_centers_: Floats
    selection_: pd.DataFrame | None
    has_structure_: bool | None
    structure_test_: StructureTest | None
    preprocessing_summary_: pd.DataFrame | None
    assignment_accuracy_: float
    _code_of_label: Labels
    _assigner: Any
    _centres: tuple[Floats, Labels] | None
    _one_customer: OneCustomer | None
    _plane: Plane
    _preprocessing: ClusterPreprocessing | None
    _transformer: Any
    _sizes: NDArray[np.intp]
    _n_customers: int

    def __init__(
        self,
        clusterer: Any = None,
        *,
        columns: Sequence[str | int] | None = None,
        n_segments: Any = "auto",
        n_segments_range: tuple[int, int] = (2, 10),
        selection: Any = "auto",
        preprocessor: Any = "auto",
        order_by: str | None = None,
        names: Any = "auto",
        assigner: Literal["auto", "centre", "neighbours"] = "auto",
        selection_sample: int = 1_000,
        random_state: Any = None,
        n_jobs: int | None = None,
        verbose: int = 0,
    ) -> None:
        self.clusterer = clusterer
        self.columns = columns
        self.n_segments = n_segments
        self.n_segments_range = n_segments_range
        self.selection = selection
        self.preprocessor = preprocessor
        self.order_by = order_by
        self.names = names
        self.assigner = assigner
        self.selection_sample = selection_sample
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any = None) -> Self:
        """Prepare the columns, choose the number of segments, find and name them.

        Parameters
        ----------
        X : frame or array of shape (n_customers, n_columns)
            One row per customer. A lazy frame is collected, only the columns used.
        y : None
            Ignored.

        Returns
        -------
        ClusterSegmenter
            The fitted segmenter.

        Raises
        ------
        ColumnError, SegkitTypeError, SegkitValueError, MissingValuesError
            For dates, ids or free text, infinities, fewer than two customers, a number of segments
            or names that do not fit.
        """
        self._forget()
        if self.clusterer is not None:
            check_clusterer(self.clusterer, owner="ClusterSegmenter")
        self._range()
        table, ordering = table_of_fit(self, X)
        # numpy's own generator is not touched.
        random = np.random.RandomState() if self.random_state is None else self.random_state
        seed = int(check_random_state(random).randint(2**31 - 1))
        self._learn_preparation(table, seed)
        features = self._prepared(table)
        # In an order of their own, so that the order of the rows changes nothing.
        place = np.lexsort(features.T)
        ordered = features[place]
        with one_thread():
            number = self._chosen_number(ordered, seed)
            unfitted = prepared(self._template(), seed, number, owner="ClusterSegmenter")
            # Of copies, which a clusterer may change.
            is_frozen = isinstance(unfitted, FrozenEstimator)
            fitted = unfitted if is_frozen else unfitted.fit(ordered.copy())
            labels = labels_of(fitted, ordered.copy())
        self.clusterer_ = without_levels(fitted)
        self._assigner, self.assignment_accuracy_ = assigner_of(
            fitted, ordered, labels, self.assigner
        )
        if self._assigner is not fitted:
            # What a customer is told must hold for an equal one who comes tomorrow.
            labels = np.asarray(self._assigner.predict(ordered), dtype=np.int64)
        ordering = None if ordering is None else ordering.iloc[place]
        order = segment_order(labels, ordered, ordering)
        self._code_of_label = np.full(int(labels.max(initial=-1)) + 2, -1, dtype=np.int64)
        self._code_of_label[order] = np.arange(order.size)
        codes = np.empty(len(features), dtype=np.int64)
        codes[place] = self._code_of_label[labels]
        self._describe_segments(table, features, codes, order.size)
        return self._finish_fit(X, codes=codes)

    def predict_one(self, row: Mapping[Any, Any]) -> str:
        """Return the segment name of one customer.

        Parameters
        ----------
        row : mapping of column to value
            One customer, with at least the columns used in ``fit``; further keys are ignored.

        Returns
        -------
        str
            A name from ``segments_``, or ``"unassigned"``.

        Raises
        ------
        NotFittedError
            Before ``fit``.
        ColumnError, SegkitTypeError, SegkitValueError
            As ``predict``.
        """
        try:
            fast, segments = self._one_customer, self.segments_
        except AttributeError:
            check_is_fitted(self)
            raise
        if fast is not None:
            code = fast.code(row)
            if code is not None:
                return str(segments[code])
        row = row_mapping(row, owner="ClusterSegmenter")
        only = {name: row_value(row, name, owner="ClusterSegmenter") for name in self._columns_used}
        codes = self._codes(self._prepared(row_table(only, owner="ClusterSegmenter")))
        return str(np.append(self.segments_, UNASSIGNED)[codes[0]])

    def transform(self, X: Any) -> Floats:
        """Return distances to the segments' centres, or probabilities where the clusterer has them.

        Parameters
        ----------
        X : eager frame or array of shape (n_customers, n_columns)
            One row per customer.

        Returns
        -------
        ndarray of shape (n_customers, n_segments)
            A column a segment, in code order.

        Raises
        ------
        NotFittedError
            Before ``fit``.
        LazyFrameError
            For a lazy frame.
        ColumnError, SegkitTypeError, SegkitValueError
            As ``fit``.
        """
        check_is_fitted(self)
        self._refuse_lazy(X, verb="transform")
        features = self._features(X)
        if self._has_probabilities:
            labels = np.flatnonzero(self._code_of_label >= 0)
            order = labels[np.argsort(self._code_of_label[labels])]
            probabilities: Floats = self.clusterer_.predict_proba(features)[:, order]
            return probabilities
        distances: Floats = cdist(features, self.cluster_centers_)
        return distances

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Return the names of the features that ``transform`` gives.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Ignored, but must hold the columns seen in ``fit``.

        Returns
        -------
        ndarray of shape (n_segments,), dtype object
            ``distance_0``, ... or ``probability_0``, ...
        """
        self._check_input_features(input_features)
        what = "probability" if self._has_probabilities else "distance"
        return np.array([f"{what}_{code}" for code in range(self.n_segments_)], dtype=object)

    def describe(self) -> pd.DataFrame:
        """Return the segments, and how many customers of ``fit`` are in each.

        Returns
        -------
        pandas.DataFrame
            A row a segment, in code order: ``code``, ``segment``, ``customers`` and
            ``share_of_customers``. Those who are unassigned make up for what is left of 1.
        """
        described = super().describe()
        described["customers"] = self._sizes
        described["share_of_customers"] = self._sizes / self._n_customers
        return described

    def __sklearn_tags__(self) -> Tags:
        """Return the tags of a clusterer that fills missing values itself."""
        tags = super().__sklearn_tags__()
        tags.estimator_type = "clusterer"
        tags.input_tags.allow_nan = self.preprocessor == "auto"
        tags.transformer_tags.preserves_dtype = []
        return tags

    # The segmenter's hooks.

    def _learned_state(self) -> dict[str, Any]:
        return stored_clusters(self)

    def _restore(self, state: LearnedState) -> None:
        self._row_limits = row_limits([])
        restore_clusters(self, state)
        self._one_customer = OneCustomer.of(self)

    def _customers(self, X: Any, *, reset: bool) -> Customers:
        features = self._features(X)
        names = self._feature_names(features.shape[1])
        return Customers(names, list(features.T), by_name=False)

    def _codes(self, values: Floats) -> Labels:
        if not len(values):
            return np.empty(0, dtype=np.int64)
        labels = np.asarray(self._assigner.predict(np.array(values, order="C")), dtype=np.int64)
        # A cluster that had no customers in fit, as a mixture may have, is no segment.
        is_known = (labels >= 0) & (labels < len(self._code_of_label))
        codes: Labels = self._code_of_label[np.where(is_known, labels, -1)]
        return codes

    def _names_to_read(self, frame: Frame) -> list[str]:
        names = super()._names_to_read(frame)
        if self._preprocessing is None:
            return names
        kept = {column.name for column in self._preprocessing.columns}
        return [n for n, used in zip(names, self._columns_used, strict=True) if used in kept]

    def _code_expression(self, values: Sequence[nw.Expr]) -> nw.Expr:
        if self._centres is None or self._plain_numbers() is None:
            raise LazyFrameError(
                "ClusterSegmenter: inside a query engine it assigns to the nearest centre, from "
                'columns of numbers with preprocessor="auto". Collect the frame first: .collect() '
                "in polars, .df() in DuckDB."
            )
        return nearest_code(self._code_of_label[self._centres[1]].tolist())

    def _hidden_expressions(self, values: Sequence[nw.Expr]) -> Sequence[Mapping[str, nw.Expr]]:
        numbers = self._plain_numbers()
        assert numbers is not None
        assert self._centres is not None
        return nearest_steps(numbers, values, self._centres[0])

    def _clustering(self, X: Any) -> tuple[Floats, Any]:
        """Return the features of customers, and the clusterer unfitted, with as many segments."""
        clusterer = clone(self._template())
        if (name := number_parameter(clusterer)) is not None:
            clusterer.set_params(**{name: self.n_segments_})
        return self._features(X), clusterer

    # Private helpers, in reading order.

    def _features(self, X: Any) -> Floats:
        """Return the features of customers who come after fit."""
        return self._prepared(table_of_customers(self, X))

    def _learn_preparation(self, table: pd.DataFrame, seed: int) -> None:
        self._preprocessing = self._transformer = self.preprocessing_summary_ = None
        if isinstance(self.preprocessor, str):
            self._preprocessing = ClusterPreprocessing.of(table)
            self.preprocessing_summary_ = self._preprocessing.summary
        elif self.preprocessor is not None:
            check_is_instance(self.preprocessor, parameter="preprocessor", owner="ClusterSegmenter")
            self._transformer = prepared(self.preprocessor, seed, owner="ClusterSegmenter")
            with _no_text_quoted():
                self._transformer.fit(self._for_transformer(table))

    def _prepared(self, table: pd.DataFrame) -> Floats:
        """Return the features of customers."""
        if self._preprocessing is not None:
            return self._preprocessing.transform(table)
        if self._transformer is None:
            found: Any = np.column_stack([numbers_of(name, table[name]) for name in table.columns])
        else:
            with _no_text_quoted():
                found = self._transformer.transform(self._for_transformer(table))
                found = found.toarray() if issparse(found) else found
                found = np.asarray(found, dtype=np.float64)
        features: Floats = found
        if not np.isfinite(features).all():
            raise MissingValuesError(
                "ClusterSegmenter: there are missing or infinite values, and the preprocessor does "
                'not fill them. Use preprocessor="auto", or fill them.'
            )
        return features

    def _for_transformer(self, table: pd.DataFrame) -> Any:
        return table if isinstance(self._columns_used[0], str) else table.to_numpy(np.float64)

    def _chosen_number(self, features: Floats, seed: int) -> int | None:
        """Return how many segments to look for; None: the clusterer finds its own number."""
        self.selection_ = self.has_structure_ = self.structure_test_ = None
        if self.n_segments != "auto":
            return self._given_number(len(features))
        low, high = self._range()
        search = number_search(
            self._template(),
            self.selection,
            prepares_columns=self._preprocessing is not None,
            seed=seed,
            n_jobs=self.n_jobs,
            verbose=self.verbose,
        )
        some = features
        if len(features) > self.selection_sample:
            rng = np.random.default_rng(seed)
            some = features[rng.choice(len(features), self.selection_sample, replace=False)]
        self._test_structure(some, seed)
        if number_parameter(self._template()) is None:
            return None
        n_distinct = len(np.unique(some, axis=0))
        numbers = range(low, min(high, n_distinct, len(some) - 1) + 1)
        found = search.run(some, numbers) if numbers else None
        if found is None:
            return min(low, n_distinct)
        number, self.selection_ = found
        return number

    def _given_number(self, n_customers: int) -> int | None:
        if number_parameter(self._template()) is None:
            name = type(self._template()).__name__
            raise SegkitValueError(
                f"ClusterSegmenter: n_segments={self.n_segments}, and {name} finds its own number. "
                'Leave n_segments="auto", or pass a clusterer with n_clusters, n_components or '
                "n_segments."
            )
        if self.n_segments > n_customers:
            raise SegkitValueError(
                f"ClusterSegmenter: n_segments={self.n_segments} are more than there are customers "
                f"(n_samples={n_customers})."
            )
        return int(self.n_segments)

    def _range(self) -> tuple[int, int]:
        given = list(self.n_segments_range)
        whole = all(isinstance(one, int | np.integer) for one in given)
        if len(given) != 2 or not whole or not 2 <= given[0] <= given[1]:
            raise SegkitValueError(
                "ClusterSegmenter: n_segments_range must be two increasing numbers from 2, got "
                f"{self.n_segments_range!r}."
            )
        return int(given[0]), int(given[1])

    def _test_structure(self, features: Floats, seed: int) -> None:
        if len(features) < _FEWEST_TESTED:
            return
        self.structure_test_ = structure_test(features, random_state=seed)
        self.has_structure_ = bool(self.structure_test_.has_structure)
        if not self.has_structure_:
            warn(
                "ClusterSegmenter: the customers do not fall into groups: what is found are slices "
                "of one cloud, which may still be useful, and not natural kinds of customers (see "
                "structure_test_).",
                NoStructureWarning,
            )

    def _template(self) -> Any:
        clusterer = KMeans(n_init=10) if self.clusterer is None else self.clusterer
        categories = [] if self._preprocessing is None else self._preprocessing.categories
        return with_levels(clusterer, categories)

    def _describe_segments(
        self, table: pd.DataFrame, features: Floats, codes: Labels, n_segments: int
    ) -> None:
        """Set what is known of each segment: its centre, size and name."""
        if not n_segments:
            warn(
                f"ClusterSegmenter: {type(self.clusterer_).__name__} takes every customer for "
                "noise; there is no segment. Let it find smaller clusters.",
                SegkitWarning,
            )
        self.n_segments_ = n_segments
        self._sizes = np.bincount(codes[codes >= 0], minlength=n_segments)
        self._n_customers = len(codes)
        self._centres = centres_of(self._assigner)
        if self._centres is None:
            centres = [
                features[codes == code].mean(axis=0) if self._sizes[code] else features[0] * np.nan
                for code in range(n_segments)
            ]
            self.cluster_centers_ = np.array(centres).reshape(n_segments, features.shape[1])
        else:
            places, labels = self._centres
            self.cluster_centers_ = places[np.argsort(self._code_of_label[labels])]
        self._one_customer = OneCustomer.of(self)
        self._plane = Plane.of(features, self._feature_names(features.shape[1]))
        names = segment_names(self.names, table, codes, n_segments, self._preprocessing)
        self.segments_ = np.array(names, dtype=object)

    def _feature_names(self, n_features: int) -> list[str]:
        if self._preprocessing is not None:
            return self._preprocessing.features
        return [f"feature {place}" for place in range(n_features)]

    def _plain_numbers(self) -> list[NumberColumn] | None:
        """Return how each column is prepared, if all hold plain numbers."""
        columns = [] if self._preprocessing is None else self._preprocessing.columns
        numbers = [column for column in columns if isinstance(column, NumberColumn)]
        plain = numbers and all(column.is_plain for column in numbers)
        return numbers if plain and len(numbers) == len(columns) else None

    @property
    def _has_probabilities(self) -> bool:
        # A file keeps no clusterer that does not assign customers itself.
        return hasattr(getattr(self, "clusterer_", None), "predict_proba")


@contextmanager
def _no_text_quoted() -> Iterator[None]:
    """Raise for text where numbers are needed without quoting it: it may be a customer's name."""
    try:
        yield
    except ValueError as error:
        if "could not convert" not in str(error):
            raise
        raise SegkitTypeError(
            "ClusterSegmenter: clusterers need numbers, and the preprocessor meets or leaves text. "
            'Use preprocessor="auto", or one that makes numbers of it.'
        ) from None
