"""Segments found in the data, by any clusterer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Integral
from string import ascii_uppercase
from typing import Any, ClassVar, Literal, Self, TypeAlias

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClusterMixin, TransformerMixin, clone
from sklearn.cluster import KMeans, MiniBatchKMeans
from sklearn.utils import Tags, check_random_state
from sklearn.utils.validation import check_is_fitted

from segkit._compat import HasMethods, Interval, StrOptions, fit_context
from segkit._frames import UNASSIGNED, as_frame, collected
from segkit._input_checks import (
    check_columns_present,
    nearest,
    row_limits,
    row_mapping,
    row_value,
)
from segkit._warn import warn
from segkit.base import SegmenterMixin
from segkit.base._customers import Customers, checked_array
from segkit.exceptions import (
    ColumnError,
    LazyFrameError,
    MissingValuesError,
    SegkitTypeError,
    SegkitValueError,
    SegkitWarning,
)
from segkit.metrics import number_of_clusters, structure_test
from segkit.metrics._threads import one_thread
from segkit.segmenters._cluster_assigner import NearestCentre, best_assigner
from segkit.segmenters._cluster_formula import (
    OneCustomer,
    nearest_expression,
    number_expressions,
)
from segkit.segmenters._cluster_names import automatic_names
from segkit.segmenters._cluster_preprocessing import (
    ClusterPreprocessing,
    NumberColumn,
    numbers_of,
)
from segkit.segmenters._cluster_selection import CRITERIA, best_number, labelled, selection_table

Floats: TypeAlias = NDArray[np.float64]
Labels: TypeAlias = NDArray[np.int64]

# The parameters that say how many clusters there are to be.
_COUNTS = ("n_clusters", "n_components", "n_segments")
# New customers who find another cluster than the clusterer's more often than this are warned of.
_LOW_ACCURACY = 0.9
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
        ``n_components`` or ``n_segments`` is set; one without it finds its own number, and the
        label -1 (noise) is unassigned. It is cloned.
    n_segments : "auto" or int, default="auto"
        Number of segments, or ``"auto"`` to let `selection` choose it.
    n_segments_range : tuple of int, default=(2, 10)
        The numbers that are tried.
    selection : str, callable or sequence of these, default="auto"
        The criterion that chooses; of several, the first, and all are in ``selection_``.
        ``"silhouette"``, ``"calinski_harabasz"``, ``"davies_bouldin"``, ``"gap"``,
        ``"prediction_strength"``, ``"stability"``, ``"bic"`` (mixtures), ``"auto"`` (the
        silhouette, Calinski-Harabasz and Marriott's criterion together), or a function of
        features and labels, of which more is better.
    preprocessor : "auto", None or transformer, default="auto"
        How columns become numbers: see the notes. None takes them as they are.
    order_by : str, default=None
        A column of numbers by whose mean the segments are ordered, highest first; None: by their
        size, largest first.
    names : "auto", "letters" or sequence of str, default="auto"
        Names of the segments, in their order: what sets each apart most, ``"Segment A"``, ..., or
        as given.
    assigner : "auto", "centre" or "neighbours", default="auto"
        How customers find their segment where the clusterer has no ``predict``: by the nearest
        centre or the nearest customers; ``"auto"`` takes which tells held-out customers better.
    selection_sample : int, default=1000
        So many customers, at most, serve to choose the number of segments.
    random_state : int, RandomState instance or None, default=None
        Pass an int for the same segments every time.
    n_jobs : int, default=None
        Number of jobs for criteria that resample (joblib).
    verbose : int, default=0
        Unused where there is nothing to wait for.

    Attributes
    ----------
    segments_ : ndarray of shape (n_segments,), dtype object
        Names of the segments, in order; the position of a name is its code.
    n_segments_ : int
        Number of segments.
    labels_ : ndarray of shape (n_customers,), dtype int64
        Codes of the customers seen in ``fit``, -1 for noise. Only after fitting on eager data.
        Where the clusterer has no ``predict``, they are the assigner's, so that equal customers
        share a segment; the clusterer's own are in ``clusterer_.labels_``, in another order.
    clusterer_ : estimator
        The fitted clusterer.
    cluster_centers_ : ndarray of shape (n_segments, n_features)
        Means of the segments' features.
    selection_ : DataFrame or None
        A row for each number of segments tried, a column for each criterion.
    has_structure_ : bool or None
        Whether the customers differ in kind: None where the number was given.
    structure_test_ : object or None
        The evidence.
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
    SegkitWarning
        In ``fit``, where there is no structure, where columns are constant, and where the
        assigner disagrees with the clusterer.

    Notes
    -----
    With ``preprocessor="auto"``, numbers are filled with their median and a missing indicator,
    skewed ones take the signed logarithm, all are standardised; categories become one number a
    level, rare levels pooled, with the weight of one column together; booleans are 0 or 1, ordered
    categories their ranks. Constant columns are left out; dates, ids and free text are refused.

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
    structure_test_: Any
    preprocessing_summary_: pd.DataFrame | None
    assignment_accuracy_: float
    _code_of_label: Labels
    _assigner: Any
    _centres: tuple[Floats, Labels] | None
    _one_customer: OneCustomer | None
    _preprocessing: ClusterPreprocessing | None
    _transformer: Any
    _categories: dict[Any, Any]
    _sizes: NDArray[np.intp]

    def __init__(
        self,
        clusterer: Any = None,
        *,
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
            One row per customer; of a frame all columns are used. A lazy frame is collected.
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
        table = self._table(X, reset=True)
        if len(table) < 2:
            raise SegkitValueError(
                f"ClusterSegmenter: at least two customers are needed, got n_samples={len(table)}."
            )
        features = self._prepared(table, reset=True)
        # numpy's own generator is not touched.
        random = np.random.RandomState() if self.random_state is None else self.random_state
        seed = int(check_random_state(random).randint(2**31 - 1))
        # In an order of their own, so that the order of the rows changes nothing.
        place = np.lexsort(features.T)
        with one_thread():
            number = self._chosen_number(features[place], seed)
            self.clusterer_ = self._clusterer(number, seed).fit(features[place])
            labels = np.empty(len(features), dtype=np.int64)
            labels[place] = self._own_labels(features[place])
        self._assigner, self.assignment_accuracy_ = self._learned_assigner(features, labels)
        found = np.unique(labels[labels >= 0])
        if not found.size:
            warn(
                f"ClusterSegmenter: {type(self.clusterer_).__name__} takes every customer for "
                "noise; there is no segment. Let it find smaller clusters.",
                SegkitWarning,
            )
        order = self._ordered(found, labels, features, table)
        self._code_of_label = np.full(int(found.max(initial=-1)) + 2, -1, dtype=np.int64)
        self._code_of_label[order] = np.arange(order.size)
        if self._assigner is not self.clusterer_:
            # What a customer is told must hold for an equal one who comes tomorrow.
            labels = np.asarray(self._assigner.predict(features), dtype=np.int64)
        codes = self._code_of_label[labels]
        self.n_segments_ = int(order.size)
        self.cluster_centers_ = np.array(
            [features[codes == code].mean(axis=0) for code in range(order.size)]
        ).reshape(order.size, features.shape[1])
        self._centres = self._centres_of_assigner()
        self._one_customer = OneCustomer.of(self)
        segments = self._segment_names(table, codes)
        self._sizes = np.bincount(codes[codes >= 0], minlength=order.size)
        self.segments_ = np.array(segments, dtype=object)
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
            fast = self._one_customer
        except AttributeError:
            check_is_fitted(self)
            raise
        if fast is not None:
            code = fast.code(row)
            if code is not None:
                return str(self.segments_[code])
        row = row_mapping(row, owner="ClusterSegmenter")
        only = {
            name: [row_value(row, name, owner="ClusterSegmenter")] for name in self._columns_used
        }
        table = pd.DataFrame(only).astype(self._categories)
        codes = self._codes(self._prepared(table, reset=False))
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
        features = self._prepared(self._table(X, reset=False), reset=False)
        if self._has_probabilities:
            order = np.argsort(self._code_of_label[:-1][self._code_of_label[:-1] >= 0])
            probabilities: Floats = self.clusterer_.predict_proba(features)[:, order]
            return probabilities
        squared = ((features[:, None, :] - self.cluster_centers_[None]) ** 2).sum(axis=2)
        distances: Floats = np.sqrt(squared)
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
            ``share_of_customers``.
        """
        described = super().describe()
        described["customers"] = self._sizes
        described["share_of_customers"] = self._sizes / self._sizes.sum()
        return described

    def __sklearn_tags__(self) -> Tags:
        """Return the tags of a clusterer that fills missing values itself."""
        tags = super().__sklearn_tags__()
        tags.estimator_type = "clusterer"
        tags.input_tags.allow_nan = self.preprocessor == "auto"
        tags.transformer_tags.preserves_dtype = []
        return tags

    # The segmenter's hooks.

    def _customers(self, X: Any, *, reset: bool) -> Customers:
        features = self._prepared(self._table(X, reset=reset), reset=reset)
        names = [f"feature {place}" for place in range(features.shape[1])]
        return Customers(names, list(features.T), by_name=False)

    def _codes(self, values: Floats) -> Labels:
        labels = np.asarray(self._assigner.predict(np.ascontiguousarray(values)), dtype=np.int64)
        codes: Labels = self._code_of_label[labels]
        return codes

    def _code_expression(self, values: Sequence[nw.Expr]) -> nw.Expr:
        numbers = self._plain_numbers()
        if self._centres is None or numbers is None:
            raise LazyFrameError(
                "ClusterSegmenter: inside a query engine it assigns to the nearest centre, from "
                'columns of numbers with preprocessor="auto". Collect the frame first: .collect() '
                "in polars, .df() in DuckDB."
            )
        by_name = dict(zip(self._columns_used, values, strict=True))
        features = [one for c in numbers for one in number_expressions(c, by_name[c.name])]
        return nearest_expression(features, *self._centres, self._code_of_label)

    # Private helpers, in reading order.

    def _table(self, X: Any, *, reset: bool) -> pd.DataFrame:
        """Return the columns used as a pandas frame; their names are positions for an array."""
        frame = as_frame(X, owner="ClusterSegmenter")
        names: list[Any]
        if frame is None:
            if isinstance(X, list | tuple | pd.DataFrame):
                X = np.asarray(X)
            if not reset and isinstance(X, np.ndarray) and X.ndim == 2:
                X = X[:, : self.n_features_in_]
            array = checked_array(self, X, reset=reset, min_width=1)
            names = list(range(array.shape[1])) if reset else self._columns_used
            table = pd.DataFrame(array, columns=names)
        else:
            names = frame.collect_schema().names() if reset else list(self._columns_used)
            if not reset and isinstance(names[0], int):
                names = frame.collect_schema().names()[: len(names)]
            check_columns_present(
                [str(name) for name in names],
                frame,
                owner="ClusterSegmenter",
                remedy="It was there in fit.",
            )
            frame = frame.select(names)
            if isinstance(frame, nw.LazyFrame):
                frame = collected(frame)
            table = frame.to_pandas()
            if reset:
                self.feature_names_in_ = np.array(names, dtype=object)
                self.n_features_in_ = len(names)
            else:
                table.columns = pd.Index(self._columns_used)
        if reset:
            self._columns_used, self._positions_used = list(table.columns), None
            self._group_wanted = self._group_used = None
            self._row_limits = row_limits([])
            self._categories = {
                name: dtype
                for name, dtype in table.dtypes.items()
                if isinstance(dtype, pd.CategoricalDtype) and dtype.ordered
            }
        for name, dtype in self._categories.items():
            # Ranks are those of fit, whatever the categories of this frame.
            values = table[name].astype(object)
            known = values.where(values.isin(dtype.categories), None)
            table[name] = pd.Series(pd.Categorical(known, dtype=dtype), index=table.index)
        return table

    def _prepared(self, table: pd.DataFrame, *, reset: bool) -> Floats:
        """Return the features of customers."""
        if not isinstance(self.preprocessor, str):
            return self._prepared_otherwise(table, reset=reset)
        if reset:
            self._preprocessing = ClusterPreprocessing.of(table)
            self.preprocessing_summary_ = self._preprocessing.summary
        assert self._preprocessing is not None
        return self._preprocessing.transform(table)

    def _prepared_otherwise(self, table: pd.DataFrame, *, reset: bool) -> Floats:
        by_name = isinstance(self._columns_used[0], str)
        given: Any = table if by_name else table.to_numpy(dtype=np.float64)
        if reset:
            self._preprocessing, self.preprocessing_summary_ = None, None
            self._transformer = None if self.preprocessor is None else clone(self.preprocessor)
            if self._transformer is not None:
                self._transformer.fit(given)
        found = given if self._transformer is None else self._transformer.transform(given)
        try:
            features = np.asarray(found, dtype=np.float64)
        except (TypeError, ValueError):
            raise SegkitTypeError(
                "ClusterSegmenter: clusterers need numbers, and there are columns of others. Use "
                'preprocessor="auto", or a transformer that makes numbers of them.'
            ) from None
        if not np.isfinite(features).all():
            raise MissingValuesError(
                "ClusterSegmenter: there are missing or infinite values, and the preprocessor does "
                'not fill them. Use preprocessor="auto", or fill them.'
            )
        return features

    def _chosen_number(self, features: Floats, seed: int) -> int | None:
        """Return how many segments to look for; None: the clusterer finds its own number."""
        self.selection_ = self.has_structure_ = self.structure_test_ = None
        if self._count_parameter() is None:
            return None
        if self.n_segments != "auto":
            return int(self.n_segments)
        low, high = (int(number) for number in self.n_segments_range)
        if not 2 <= low <= high:
            raise SegkitValueError(
                "ClusterSegmenter: n_segments_range must be two increasing numbers from 2, got "
                f"{self.n_segments_range!r}."
            )
        some = features
        if len(features) > self.selection_sample:
            drawn = np.random.RandomState(seed).choice(
                len(features), self.selection_sample, replace=False
            )
            some = features[np.sort(drawn)]
        n_distinct = len(np.unique(some, axis=0))
        numbers = range(low, min(high, n_distinct - 1) + 1)
        if not numbers:
            return min(low, n_distinct)
        listed = isinstance(self.selection, list | tuple)
        criteria = list(self.selection) if listed else [self.selection]
        labels = labelled(some, numbers, lambda k: self._clusterer(k, seed).fit(some))
        labels = {k: one for k, one in labels.items() if np.unique(one[one >= 0]).size > 1}
        if not labels:
            return low
        self.selection_ = selection_table(
            some, labels, criteria, lambda k: self._clusterer(k, seed), seed, self.n_jobs
        )
        self._test_structure(some, seed)
        if criteria[0] == "auto" and self.clusterer is None:
            # Of k-means, for which the rule was earned, on columns that it prepares for itself.
            tried = (numbers[0], numbers[-1])
            found = number_of_clusters(some, n_clusters_range=tried, random_state=seed)
            self.selection_["auto"] = found.scores["auto"]
            return int(found.n_clusters)
        return best_number(self.selection_, criteria[0])

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
                SegkitWarning,
            )

    def _count_parameter(self) -> str | None:
        parameters = self._template().get_params()
        names = [
            name
            for name in parameters
            if name.rpartition("__")[2] in _COUNTS and name.count("__") < 2
        ]
        return min(names, key=len) if names else None

    def _template(self) -> Any:
        return KMeans(n_init=10) if self.clusterer is None else self.clusterer

    def _clusterer(self, number: int | None, seed: int) -> Any:
        """Return a clusterer for a number of segments, not fitted."""
        clusterer = clone(self._template())
        parameters = clusterer.get_params()
        changed: dict[str, Any] = {
            name: seed
            for name, value in parameters.items()
            if name.rpartition("__")[2] == "random_state" and value is None
        }
        count = self._count_parameter()
        if number is not None and count is not None:
            changed[count] = number
        return clusterer.set_params(**changed)

    def _own_labels(self, features: Floats) -> Labels:
        if hasattr(self.clusterer_, "predict"):
            return np.asarray(self.clusterer_.predict(features), dtype=np.int64)
        last = self.clusterer_[-1] if hasattr(self.clusterer_, "steps") else self.clusterer_
        return np.asarray(last.labels_, dtype=np.int64)

    def _learned_assigner(self, features: Floats, labels: Labels) -> tuple[Any, float]:
        if hasattr(self.clusterer_, "predict"):
            return self.clusterer_, 1.0
        assigner, accuracy = best_assigner(features, labels, self.assigner)
        if accuracy < _LOW_ACCURACY:
            warn(
                f"ClusterSegmenter: {type(self.clusterer_).__name__} cannot predict, and new "
                f"customers are assigned as it would have done in {accuracy:.0%} of cases only "
                "(held-out customers). Use a clusterer that predicts.",
                SegkitWarning,
            )
        return assigner, accuracy

    def _ordered(
        self, found: Labels, labels: Labels, features: Floats, table: pd.DataFrame
    ) -> Labels:
        """Return the labels in the order of their codes."""
        if not found.size:
            return found
        centres = np.array([features[labels == label].mean(axis=0) for label in found])
        if self.order_by is None:
            rank = np.array([(labels == label).sum() for label in found], dtype=np.float64)
        else:
            _check_order_by(self.order_by, table)
            values = numbers_of(self.order_by, table[self.order_by])
            rank = np.array([np.nanmean(values[labels == label]) for label in found])
        keys = [*np.round(centres.T[::-1], 9), -rank]
        order: Labels = found[np.lexsort(keys)]
        return order

    def _segment_names(self, table: pd.DataFrame, codes: Labels) -> list[str]:
        n_segments = self.n_segments_
        if isinstance(self.names, str):
            if self.names == "auto" and self._preprocessing is not None:
                return automatic_names(table, codes, n_segments, self._preprocessing)
            return [f"Segment {_letters(code)}" for code in range(n_segments)]
        names = [str(name) for name in self.names]
        if len(names) != n_segments or len({*names, UNASSIGNED}) <= n_segments:
            raise SegkitValueError(
                f"ClusterSegmenter: names must be {n_segments} distinct names, one a segment, got "
                f"{list(self.names)!r}."
            )
        return names

    def _centres_of_assigner(self) -> tuple[Floats, Labels] | None:
        if isinstance(self._assigner, NearestCentre):
            return self._assigner.centres, self._assigner.labels
        if isinstance(self._assigner, KMeans | MiniBatchKMeans):
            centres = np.asarray(self._assigner.cluster_centers_, dtype=np.float64)
            return centres, np.arange(len(centres))
        return None

    def _plain_numbers(self) -> list[NumberColumn] | None:
        """Return how each column is prepared, if all hold plain numbers."""
        columns = [] if self._preprocessing is None else self._preprocessing.columns
        numbers = [column for column in columns if isinstance(column, NumberColumn)]
        plain = numbers and not self._categories and not any(c.is_boolean for c in numbers)
        return numbers if plain and len(numbers) == len(columns) else None

    @property
    def _has_probabilities(self) -> bool:
        return hasattr(self.clusterer_, "predict_proba")


def _check_order_by(column: str, table: pd.DataFrame) -> None:
    if column in table.columns:
        return
    near = nearest(column, [str(name) for name in table.columns])
    raise ColumnError(
        f"ClusterSegmenter: order_by={column!r} is not among the columns {list(table.columns)}."
        + (f" Did you mean {near!r}?" if near else "")
    )


def _letters(code: int) -> str:
    first, last = divmod(code, len(ascii_uppercase))
    return (ascii_uppercase[first - 1] if first else "") + ascii_uppercase[last]
