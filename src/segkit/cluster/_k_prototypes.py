"""k-prototypes: clusters of customers described by numbers and by categories (Huang 1998)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from numbers import Integral, Real
from typing import Any, ClassVar, Literal, Self, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    ClusterMixin,
    TransformerMixin,
)
from sklearn.utils import Tags, check_random_state
from sklearn.utils.validation import check_is_fitted

from segkit._compat import Interval, StrOptions, fit_context
from segkit._storage._state import LearnedState
from segkit.cluster._mixed_columns import (
    Floats,
    MixedColumns,
    MixedRows,
    check_distinct,
    frame_to_predict,
    learn_columns,
)
from segkit.cluster._prototype_search import (
    Init,
    Problem,
    Solution,
    draw_start,
    exact_distances,
    exact_nearest,
    one_thread,
)
from segkit.exceptions import SegkitValueError


class KPrototypes(ClassNamePrefixFeaturesOutMixin, TransformerMixin, ClusterMixin, BaseEstimator):
    """Cluster rows of numbers and categories around prototypes: means and modes.

    k-means for the numeric columns and k-modes for the categorical ones, at once. Nothing is
    standardised: a column counts by its variance, so bring the numeric columns to a common scale
    first.

    Parameters
    ----------
    n_clusters : int, default=8
        Number of clusters.
    categorical : "auto", or sequence of str or of int, default="auto"
        The columns that hold categories, by name or by position from 0; the others must hold
        numbers. ``"auto"`` takes text, booleans and categorical dtypes for categories. In an array
        of numbers there are none.
    gamma : "auto" or float, default="auto"
        What a category that differs counts beside the squared differences of numbers. ``"auto"``
        is half the mean standard deviation of the numeric columns, 1 where there are none or they
        are constant.
    init : {"cao", "k-means++", "random"} or frame or array of shape (n_clusters, n_features), \
default="cao"
        Where a start begins:

        - ``"cao"``: with combinations of categories that are frequent and differ (Cao, Liang &
          Bai 2009), and numbers far apart among the rows that have them;
        - ``"k-means++"``: with rows far apart, in numbers and categories alike;
        - ``"random"``: with rows drawn at random;
        - first prototypes, in the form of `X`; there is one start then.
    n_init : int, default=10
        Number of starts; the one with the lowest cost counts.
    max_iter : int, default=100
        The most iterations of a start.
    tol : float, default=0.0
        A start ends where an iteration lowers its cost by no more than this share of it, or moves
        no row.
    random_state : int, RandomState instance or None, default=None
        Of the draws; pass an int for the same result at each call.

    Attributes
    ----------
    labels_ : ndarray of shape (n_samples,), dtype int64
        The cluster of each row seen in ``fit``.
    cluster_centers_ : ndarray of shape (n_clusters, n_numeric)
        Means of the numeric columns.
    cluster_modes_ : ndarray of shape (n_clusters, n_categorical), dtype object
        Most frequent categories of the categorical columns. Of equally frequent ones, the one that
        is more frequent in all rows.
    prototypes_ : pandas.DataFrame of shape (n_clusters, n_features)
        The same in one frame, with the columns of `X`.
    categories_ : list of ndarray
        Of each categorical column the categories seen in ``fit``, most frequent first.
    numeric_, categorical_ : list of str or of int
        Names of the columns, or their positions in an array.
    cost_ : float
        Sum of the rows' distances from the prototypes of their clusters: squared differences of
        numbers, plus `gamma_` for each category that differs.
    gamma_ : float
        What a category that differs counts.
    n_iter_ : int
        Iterations of the best start; where it is `max_iter`, the start did not end by itself.
    n_features_in_ : int
        Number of columns seen in ``fit``.
    feature_names_in_ : ndarray of shape (n_features_in_,), dtype object
        Names of the columns; only after fitting on a frame.

    See Also
    --------
    sklearn.cluster.KMeans : For numbers alone; faster there.

    Notes
    -----
    Two steps take turns: each row goes to the nearest prototype (the first of equally near ones),
    and each prototype becomes the means and modes of its rows. A cluster that loses all rows gets
    the row that is farthest from its prototype. A mode attracts the rows that have it, which keeps
    it where another one would do better; so where the two steps change little, every other
    category is tried in place of each mode, with the rows that would then change clusters, and
    those that lower the cost are taken. What is found is a local minimum; hence several starts.

    Of more than some thousand rows, a start begins with a sample: five starts are tried there, and
    the best prototypes are where the search among all rows begins (after Bradley & Fayyad 1998).

    With numeric columns only this is k-means, with categorical columns only it is k-modes.

    Huang (1998) suggests the standard deviation of the numbers as a guide to gamma. The package
    kmodes takes half the standard deviation of all numbers together, which for standardised columns
    is the same as ``"auto"``: 0.5. A distance is made of squares, so that gamma should be chosen
    anew where the scale of the numbers changes.

    Missing values are an error: there is no mean of them, and whether they make a category of their
    own is for the user to say. A category that was not seen in ``fit`` differs from every mode.

    Frames may be of any kind that narwhals reads, and may change between ``fit`` and ``predict``.
    Columns are picked by name: their order does not matter, nor do further ones.

    References
    ----------
    Huang, Z. (1998). Extensions to the k-means algorithm for clustering large data sets with
    categorical values. *Data Mining and Knowledge Discovery*, 2(3), 283-304.

    Cao, F., Liang, J. & Bai, L. (2009). A new initialization method for categorical data
    clustering. *Expert Systems with Applications*, 36(7), 10223-10228.

    Bradley, P. S. & Fayyad, U. M. (1998). Refining initial points for k-means clustering.
    *Proceedings of the 15th International Conference on Machine Learning*, 91-99.

    Arthur, D. & Vassilvitskii, S. (2007). k-means++: The advantages of careful seeding.
    *Proceedings of the 18th Annual ACM-SIAM Symposium on Discrete Algorithms*, 1027-1035.

    Examples
    --------
    >>> import pandas as pd
    >>> from segkit import KPrototypes
    >>> customers = pd.DataFrame(
    ...     {
    ...         "orders": [0.1, 0.2, 0.3, 2.1, 2.2, 2.0],
    ...         "channel": ["shop", "shop", "web", "web", "web", "web"],
    ...     }
    ... )
    >>> clusterer = KPrototypes(n_clusters=2, random_state=0).fit(customers)
    >>> clusterer.prototypes_.round(2).sort_values("orders", ignore_index=True)
       orders channel
    0     0.2    shop
    1     2.1     web
    >>> new = pd.DataFrame({"channel": ["app"], "orders": [1.9]})
    >>> bool(clusterer.predict(new)[0] == clusterer.labels_[3])
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_clusters": [Interval(Integral, 1, None, closed="left")],
        "categorical": [StrOptions({"auto"}), "array-like"],
        "gamma": [StrOptions({"auto"}), Interval(Real, 0, 1e100, closed="right")],
        "init": [StrOptions({"cao", "k-means++", "random"}), "array-like"],
        "n_init": [Interval(Integral, 1, 100_000, closed="both")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, 1e100, closed="both")],
        "random_state": ["random_state"],
    }

    labels_: NDArray[np.int64]
    cluster_centers_: Floats
    cluster_modes_: NDArray[np.object_]
    prototypes_: pd.DataFrame
    categories_: list[NDArray[np.object_]]
    numeric_: list[str | int]
    categorical_: list[str | int]
    cost_: float
    gamma_: float
    n_iter_: int
    n_features_in_: int
    feature_names_in_: NDArray[np.object_]
    _columns: MixedColumns
    _prototypes: MixedRows

    def __init__(
        self,
        n_clusters: int = 8,
        *,
        categorical: Literal["auto"] | Sequence[str] | Sequence[int] = "auto",
        gamma: Literal["auto"] | float = "auto",
        init: Init | Any = "cao",
        n_init: int = 10,
        max_iter: int = 100,
        tol: float = 0.0,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.n_clusters = n_clusters
        self.categorical = categorical
        self.gamma = gamma
        self.init = init
        self.n_init = n_init
        self.max_iter = max_iter
        self.tol = tol
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> Self:
        """Find prototypes.

        Parameters
        ----------
        X : frame or array of shape (n_samples, n_features)
            One row per customer, none with missing values. A lazy frame is collected.
        y : None
            Ignored.

        Returns
        -------
        KPrototypes
            The fitted clusterer.

        Raises
        ------
        ColumnError, SegkitTypeError
            For columns that are neither numbers nor categories, or may be either, and where
            `categorical` names what is not there.
        MissingValuesError, SegkitValueError
            For missing values and infinities, fewer distinct rows than clusters, and first
            prototypes of another number or with categories that no row has.
        """
        for name in [name for name in vars(self) if name.endswith("_") and name[0] != "_"]:
            delattr(self, name)  # a fit that fails must leave nothing half-changed
        columns, rows = learn_columns(self, X, self.categorical)
        check_distinct(rows, self.n_clusters, owner=type(self).__name__)
        self.gamma_ = _gamma(rows) if self.gamma == "auto" else float(self.gamma)
        solution = self._best(columns, rows)
        self._columns, self._prototypes = columns, solution.prototypes
        # As predict does it, so that labels_ are what it gives.
        self.labels_, distances = exact_nearest(rows, self._prototypes, self.gamma_)
        self.cost_, self.n_iter_ = float(distances.sum()), solution.n_iter
        self._publish()
        return self

    def __sklearn_is_fitted__(self) -> bool:
        """Tell whether fit has come to its end."""
        return hasattr(self, "cost_")

    def predict(self, X: Any) -> NDArray[np.int64]:
        """Return the cluster of each row: that of the nearest prototype.

        Parameters
        ----------
        X : eager frame or array of shape (n_samples, n_features)
            One row per customer.

        Returns
        -------
        ndarray of shape (n_samples,), dtype int64
            Clusters.

        Raises
        ------
        NotFittedError
            Before ``fit``.
        LazyFrameError
            For a lazy frame.
        ColumnError, SegkitTypeError, MissingValuesError, SegkitValueError
            For a missing column, text in place of numbers, missing values and infinities.
        """
        check_is_fitted(self)
        return exact_nearest(self._rows(X, verb="predict"), self._prototypes, self.gamma_)[0]

    def transform(self, X: Any) -> Floats:
        """Return the distance of each row from each prototype.

        It is the root of the distance that `cost_` sums, in the unit of the numeric columns; of
        numeric columns alone it is the Euclidean distance, as of :class:`sklearn.cluster.KMeans`.

        Parameters
        ----------
        X : eager frame or array of shape (n_samples, n_features)
            One row per customer.

        Returns
        -------
        ndarray of shape (n_samples, n_clusters)
            Distances.

        Raises
        ------
        NotFittedError
            Before ``fit``.
        LazyFrameError, ColumnError, SegkitTypeError, MissingValuesError, SegkitValueError
            As ``predict``.
        """
        check_is_fitted(self)
        rows = self._rows(X, verb="transform")
        distances: Floats = np.sqrt(exact_distances(rows, self._prototypes, self.gamma_))
        return distances

    def __sklearn_tags__(self) -> Tags:
        """Return the tags of a clusterer of numbers and categories."""
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.transformer_tags.preserves_dtype = []
        return tags

    @property
    def _n_features_out(self) -> int:
        return len(self._prototypes)

    def _stored_parts(self) -> dict[str, Any]:
        """Return what a file keeps of the fitted clusterer: not the labels."""
        if not self.__sklearn_is_fitted__():
            return {}
        columns, prototypes = self._columns, self._prototypes
        names = getattr(self, "feature_names_in_", None)
        learned = {
            "n_features": self.n_features_in_,
            "feature_names": None if names is None else names.tolist(),
            "gamma": self.gamma_,
            "cost": self.cost_,
            "n_iter": int(self.n_iter_),
            "columns": list(columns.names),
            "numeric": list(map(int, columns.numeric)),
            "categorical": list(map(int, columns.categorical)),
            "categories": [list(categories) for categories in columns.categories],
            "numbers": prototypes.numbers,
            "places": prototypes.places,
        }
        return {"learned": learned}

    def _restore_parts(self, parts: LearnedState) -> None:
        """Set what a file kept."""
        state = parts.inside("learned")
        self._columns, self._prototypes = MixedColumns.of_stored(state), MixedRows.of_stored(state)
        self.n_features_in_ = state.count("n_features")
        if state.of_type("feature_names", list, type(None)) is not None:
            self.feature_names_in_ = np.array(state.texts("feature_names"), dtype=object)
        self.gamma_, self.cost_ = state.number("gamma", least=0), state.number("cost", least=0)
        self.n_iter_ = state.count("n_iter")
        self._publish()

    # Private helpers.

    def _rows(self, X: Any, *, verb: str) -> MixedRows:
        frame = frame_to_predict(self, X, self._columns, verb=verb)
        return self._columns.rows_of(frame, owner=type(self).__name__)

    def _best(self, columns: MixedColumns, rows: MixedRows) -> Solution:
        """Return the best of all starts."""
        shift = rows.numbers.mean(axis=0)
        centred = MixedRows(rows.numbers - shift, rows.places)
        problem = Problem(centred, columns.starts, self.gamma_)
        # None must not touch numpy's global state.
        rng = (
            np.random.RandomState()
            if self.random_state is None
            else check_random_state(self.random_state)
        )
        if isinstance(self.init, str):
            seeds = rng.randint(np.iinfo(np.int32).max, size=int(self.n_init))
            rngs = map(np.random.RandomState, seeds)
            k, init, max_iter = self.n_clusters, cast(Init, self.init), self.max_iter
            starts = (draw_start(problem, k, init, rng, max_iter=max_iter) for rng in rngs)
        else:
            given = self._given_prototypes(columns)
            starts = (MixedRows(numbers - shift, given.places) for numbers in [given.numbers])
        with one_thread():
            found = [
                problem.climb_down(start, max_iter=self.max_iter, tol=self.tol) for start in starts
            ]
        best = min(found, key=lambda solution: solution.cost)
        prototypes = MixedRows(best.prototypes.numbers + shift, best.prototypes.places)
        return replace(best, prototypes=prototypes)

    def _given_prototypes(self, columns: MixedColumns) -> MixedRows:
        owner = type(self).__name__
        frame = frame_to_predict(self, self.init, columns, verb="fit")
        given = columns.rows_of(frame, owner=owner)
        if len(given) != self.n_clusters:
            raise SegkitValueError(
                f"{owner}: init has {len(given)} rows, and n_clusters={self.n_clusters} asks for "
                "as many prototypes."
            )
        if (given.places < 0).any():
            raise SegkitValueError(f"{owner}: init has categories that no row of X has.")
        return given

    def _publish(self) -> None:
        """Set the attributes that describe the prototypes."""
        columns, keys = self._columns, self._keys()
        self.numeric_ = [keys[place] for place in columns.numeric]
        self.categorical_ = [keys[place] for place in columns.categorical]
        self.categories_ = list(columns.categories)
        self.cluster_centers_ = self._prototypes.numbers
        self.cluster_modes_ = columns.values_at(self._prototypes.places)
        values = dict(zip(self.numeric_, self.cluster_centers_.T, strict=True))
        values |= dict(zip(self.categorical_, self.cluster_modes_.T, strict=True))
        self.prototypes_ = pd.DataFrame({key: values[key] for key in keys}).infer_objects()

    def _keys(self) -> list[str | int]:
        """Return the names of the columns, or of an array their positions."""
        names: list[str] | None = getattr(self, "feature_names_in_", None)
        return list(range(len(self._columns.names))) if names is None else list(names)


def _gamma(rows: MixedRows) -> float:
    """Return half the mean standard deviation of the numeric columns."""
    if not rows.numbers.shape[1]:
        return 1.0
    # Of equal numbers the standard deviation may be a little more than 0, by rounding.
    is_constant = rows.numbers.min(axis=0) == rows.numbers.max(axis=0)
    return 0.5 * float(np.where(is_constant, 0.0, rows.numbers.std(axis=0)).mean()) or 1.0
