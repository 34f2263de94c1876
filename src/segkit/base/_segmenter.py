"""The segmenter contract: three verbs over one row per customer, for any kind of frame."""

from collections.abc import Mapping, Sequence
from math import isnan
from typing import Any, ClassVar, Self

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline
from sklearn.utils import Tags, get_tags
from sklearn.utils.validation import check_is_fitted

from segkit._compat import check_feature_names_in
from segkit._frames import UNASSIGNED, as_frame, require_frame
from segkit._input_checks import (
    block_is_plain,
    check_keys_present,
    missing_rows,
    row_is_plain,
    row_value,
    row_values,
)
from segkit.base._assignment import CodePlan, assign_eager, assign_lazy, plan_of_numbers
from segkit.base._customer_columns import CustomerColumnsMixin
from segkit.base._customers import Customers
from segkit.base._storage import SaveMixin
from segkit.exceptions import SegkitTypeError


class SegmenterMixin(SaveMixin, CustomerColumnsMixin):
    """Mixin for estimators that put each customer into one of several named segments.

    A segmenter learns every threshold in ``fit`` and only applies them afterwards, so that no
    customer's segment depends on who else is in the frame. The mixin gives ``predict``,
    ``predict_segments``, ``predict_one``, ``fit_predict``, ``assign``, ``describe``, ``save`` and
    the tag ``estimator_type="segmenter"``. It stands left of :class:`sklearn.base.BaseEstimator`.

    A concrete segmenter has a ``columns`` parameter (the columns it uses, in the order in which
    an array holds them), usually a ``missing`` parameter (``"raise"`` or ``"unassigned"``; one
    that handles missing values itself sets the tag ``allow_nan`` instead), and writes

    - ``fit(X, y=None)``: call ``values = self._validate_customers(X, reset=True)`` for a float
      array of shape (n_customers, n_columns), learn from it, set ``segments_``, end with
      ``return self._finish_fit(X, values)``;
    - ``_codes(values)``: the int64 codes of rows without missing values.

    It may add

    - ``_code_expression(values)``: the codes as a narwhals expression, given one expression per
      column (it may read the features by name); with it ``assign`` runs inside lazy frames,
      without it they raise;
    - ``_feature_columns(frame, values)`` and ``_feature_expressions(values)``: the columns that
      ``assign`` adds beside the label, for eager frames, and for lazy ones in steps, each of which
      may read the columns of the steps before;
    - ``_hidden_expressions(values)``: columns that a lazy frame has while the codes are computed,
      in steps, for codes that would otherwise compute the same again and again. Their names begin
      with ``__segkit_``;
    - ``_group_column()``, ``_group_positions(groups, reset=...)``, ``_group_position_of(group)``
      and ``_group_expression(group, dtype)``: a column of any type whose values are groups of
      customers. Their positions, as floats, then stand behind the columns in `values`;
    - ``_code_one(values)``: the code of one list of floats, where speed matters; NaN is among
      them only where the segmenter handles missing values itself;
    - ``_code_plan(frame)``: all that a lazy frame needs, where columns hold more than numbers;
    - ``_clustering(X)``: where segments are clusters, the features of customers and the unfitted
      clusterer, with which their stability is judged without preparing the columns each time;
    - ``_rules()``: one sentence a segment for ``describe``;
    - ``_learned_state()`` and ``_restore(state)``: what ``save`` keeps, where not every attribute
      is a number, text, an array, or a list or mapping of these.

    Attributes
    ----------
    labels_ : ndarray of shape (n_customers,), dtype int64
        Codes of the customers seen in ``fit``, -1 where unassigned. Only after fitting on eager
        data.
    segments_ : ndarray of shape (n_segments,), dtype object
        Segment names, best or first first; the position of a name is its code.
    n_features_in_ : int
        Number of columns used of a frame, or the width of the array seen in ``fit``.
    feature_names_in_ : ndarray of shape (n_features_in_,), dtype object
        Names of the columns used; only after fitting on a frame.

    See Also
    --------
    segkit.testing.check_segmenter : The conformance suite for segmenters.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from sklearn.base import BaseEstimator
    >>> from segkit.base import SegmenterMixin
    >>> class SpendSegmenter(SegmenterMixin, BaseEstimator):
    ...     def __init__(self, *, columns=("monetary",), missing="raise"):
    ...         self.columns = columns
    ...         self.missing = missing
    ...     def fit(self, X, y=None):
    ...         values = self._validate_customers(X, reset=True)
    ...         self.median_ = float(np.nanmedian(values[:, 0]))
    ...         self.segments_ = np.array(["above", "below"], dtype=object)
    ...         return self._finish_fit(X, values)
    ...     def _codes(self, values):
    ...         return np.where(values[:, 0] > self.median_, 0, 1)
    >>> customers = pd.DataFrame({"monetary": [10.0, 250.0, 40.0]})
    >>> SpendSegmenter().fit(customers).predict_segments(customers)
    array(['below', 'above', 'below'], dtype=object)
    """

    #: The label column that ``assign`` adds unless told otherwise.
    _label_column: ClassVar[str] = "segment"

    segments_: NDArray[np.object_]
    labels_: NDArray[np.int64]

    def __sklearn_tags__(self) -> Tags:
        """Return the tags of a segmenter."""
        tags: Tags = super().__sklearn_tags__()  # type: ignore[misc]
        tags.estimator_type = "segmenter"
        tags.input_tags.allow_nan = getattr(self, "missing", "raise") == "unassigned"
        return tags

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn every threshold; a concrete segmenter writes it.

        Parameters
        ----------
        X : frame or array of shape (n_customers, n_columns)
            One row per customer.
        y : None
            Ignored, unless the segmenter says otherwise.

        Returns
        -------
        SegmenterMixin
            The fitted segmenter.
        """
        raise TypeError(f"{type(self).__name__} must define fit(X, y=None) to be a segmenter.")

    def fit_predict(self, X: Any, y: Any = None) -> NDArray[np.int64]:
        """Fit to the customers and return their codes.

        Parameters
        ----------
        X : eager frame or array of shape (n_customers, n_columns)
            One row per customer.
        y : None
            Ignored.

        Returns
        -------
        ndarray of shape (n_customers,), dtype int64
            ``labels_``.

        Raises
        ------
        LazyFrameError
            For a lazy frame: fit, then use ``assign``.
        """
        self._refuse_lazy(X, verb="fit_predict")
        return self.fit(X, y).labels_

    def predict(self, X: Any) -> NDArray[np.int64]:
        """Return each customer's segment code.

        Parameters
        ----------
        X : eager frame or array of shape (n_customers, n_columns)
            One row per customer. Of a frame the columns are picked by name, of an array by
            position.

        Returns
        -------
        ndarray of shape (n_customers,), dtype int64
            Positions in ``segments_``; -1 for a customer that cannot be assigned.

        Raises
        ------
        NotFittedError
            Before ``fit``.
        LazyFrameError
            For a lazy frame: use ``assign``.
        ColumnError, SegkitTypeError, SegkitValueError
            For a missing column, text in place of numbers, infinities or impossible counts.
        MissingValuesError
            For missing values where ``missing="raise"``.
        """
        if not self.__sklearn_is_fitted__():
            check_is_fitted(self)  # which raises, and takes longer to find out
        self._refuse_lazy(X, verb="predict")
        customers = self._customers(X, reset=False)
        if len(customers) == 1:
            row = [float(column[0]) for column in customers.numbers]
            if row_is_plain(row[: len(customers.columns)], self._row_limits):
                return np.array([self._code_one(row)], dtype=np.int64)
        codes = np.empty(len(customers), dtype=np.int64)
        checked = False
        for rows, values in customers.blocks():
            if not (checked or block_is_plain(values, self._row_limits)):
                self._check(customers)
                checked = True
            codes[rows] = self._codes_or_unassigned(values)
        return codes

    def predict_segments(self, X: Any) -> NDArray[np.object_]:
        """Return each customer's segment name.

        Parameters
        ----------
        X : eager frame or array of shape (n_customers, n_columns)
            One row per customer, as for :meth:`predict`.

        Returns
        -------
        ndarray of shape (n_customers,), dtype object
            Names from ``segments_``; ``"unassigned"`` where the code is -1.
        """
        codes = self.predict(X)
        names: NDArray[np.object_] = np.append(self.segments_, UNASSIGNED)[codes]
        return names

    def predict_one(self, row: Mapping[Any, Any]) -> str:
        """Return the segment name of one customer, without building a frame.

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
        ColumnError, SegkitTypeError, SegkitValueError, MissingValuesError
            As :meth:`predict`.
        """
        try:
            segments, columns = self.segments_, self._columns_used
        except AttributeError:
            check_is_fitted(self)
            raise
        owner = type(self).__name__
        try:
            values = row_values(row, columns, owner=owner)
        except SegkitTypeError:
            # Of a frame, too, it is first said what is absent.
            group = [] if self._group_used is None else [self._group_used]
            check_keys_present(row, [*columns, *group], owner=owner)
            raise
        is_plain = row_is_plain(values, self._row_limits)
        if self._group_used is not None:
            values.append(self._group_position_of(row_value(row, self._group_used, owner=owner)))
        code = self._code_one(values) if is_plain else self._code_one_unlike_others(values)
        return UNASSIGNED if code < 0 else str(segments[code])

    def assign(self, frame: Any, *, name: str | None = None) -> Any:
        """Return the frame with each customer's segment added, in the frame's own engine.

        Parameters
        ----------
        frame : pandas, polars, pyarrow, DuckDB or another frame that narwhals reads
            One row per customer, eager or lazy; further columns are kept.
        name : str, default=None
            Name of the label column; by default the segmenter's own, such as ``rfm_segment``. An
            existing column of that name is replaced.

        Returns
        -------
        frame of the same kind
            A lazy frame stays lazy: nothing is executed. Labels are ordered categories, in the
            order of ``segments_`` (best or first first, so that ``<=`` means "at least as good")
            with ``"unassigned"`` last, in pandas and polars, and strings elsewhere.

        Raises
        ------
        NotFittedError
            Before ``fit``.
        ColumnError, SegkitTypeError, SegkitValueError, MissingValuesError
            As :meth:`predict`. The values of a lazy frame cannot be looked at: there, infinite
            ones give ``"unassigned"``, and so do missing ones, unless the segmenter handles them.
        LazyFrameError
            For a lazy frame, where the segmenter cannot be written as expressions.
        """
        check_is_fitted(self)
        view = require_frame(frame, owner=type(self).__name__)
        label = self._label_column if name is None else name
        if isinstance(view, nw.LazyFrame):
            return assign_lazy(self, view, label=label).to_native()
        return assign_eager(self, view, label=label).to_native()

    def describe(self) -> pd.DataFrame:
        """Return what defines each segment.

        Returns
        -------
        pandas.DataFrame
            A row a segment, in code order: ``code``, ``segment`` and, where the segmenter can
            say it, ``rule`` in words.
        """
        check_is_fitted(self)
        described = pd.DataFrame(
            {
                "code": np.arange(len(self.segments_), dtype=np.int64),
                "segment": self.segments_.astype(str),
            }
        )
        rules = self._rules()
        return described if rules is None else described.assign(rule=list(rules))

    # What a concrete segmenter writes.

    def _codes(self, values: NDArray[np.float64]) -> NDArray[np.int64]:
        raise TypeError(f"{type(self).__name__} must define _codes(values) to be a segmenter.")

    def _code_one(self, values: list[float]) -> int:
        return int(self._codes(np.array([values], dtype=np.float64))[0])

    def _code_expression(self, values: Sequence[nw.Expr]) -> nw.Expr | None:
        return None

    def _feature_columns(
        self, frame: nw.DataFrame[Any], values: NDArray[np.float64]
    ) -> list[nw.Series[Any]]:
        return []

    def _feature_expressions(self, values: Sequence[nw.Expr]) -> Sequence[Mapping[str, nw.Expr]]:
        return []

    def _hidden_expressions(self, values: Sequence[nw.Expr]) -> Sequence[Mapping[str, nw.Expr]]:
        return []

    def _code_plan(self, frame: nw.LazyFrame[Any]) -> CodePlan:
        return plan_of_numbers(self, frame)

    def _rules(self) -> Sequence[str] | None:
        return None

    # What it calls.

    def _finish_fit(
        self,
        X: Any,
        values: NDArray[np.float64] | None = None,
        *,
        codes: NDArray[np.int64] | None = None,
    ) -> Self:
        """Store ``labels_`` after fitting on eager data: the codes of the values, or as given."""
        if not isinstance(as_frame(X, owner=type(self).__name__), nw.LazyFrame):
            if values is not None:
                codes = self._codes_or_unassigned(values)
            if codes is not None:
                self.labels_ = codes
        return self

    def _check_input_features(self, input_features: Any) -> None:
        """Raise unless the names given hold the columns used; further ones may stand beside."""
        check_is_fitted(self)
        used = getattr(self, "feature_names_in_", None)
        if used is None or input_features is None or not set(used) <= set(input_features):
            check_feature_names_in(self, input_features, generate_names=False)

    def __sklearn_is_fitted__(self) -> bool:
        """Tell whether fit has come to its end."""
        return hasattr(self, "segments_")

    def _code_one_unlike_others(self, values: list[float]) -> int:
        """Return the code of one customer with missing values, or raise as for a frame."""
        columns = self._columns_used
        own = values[: len(columns)]
        if self._allows_missing() and row_is_plain(own, self._row_limits, allow_missing=True):
            is_left_out = any(map(isnan, own)) and not self._handles_missing()
            return -1 if is_left_out else self._code_one(values)
        customers = Customers(columns, [np.array([value]) for value in values], by_name=True)
        self._check(customers)
        return int(self._codes_or_unassigned(customers.values)[0])

    def _codes_or_unassigned(self, values: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return codes, -1 for rows with a missing value unless the segmenter handles them."""
        missing = missing_rows(values)
        if missing is None or self._handles_missing():
            return self._integer_codes(values)
        codes = np.full(len(values), -1, dtype=np.int64)
        codes[~missing] = self._integer_codes(values[~missing])
        return codes

    def _integer_codes(self, values: NDArray[np.float64]) -> NDArray[np.int64]:
        codes = np.asarray(self._codes(values))
        if codes.dtype.kind not in "iu" or codes.shape != (len(values),):
            raise TypeError(
                f"{type(self).__name__}._codes must return an integer array of shape "
                f"({len(values)},), got {codes.dtype} of shape {codes.shape}."
            )
        return codes.astype(np.int64, copy=False)

    def _handles_missing(self) -> bool:
        return not hasattr(self, "missing") and self._allows_missing()


def is_segmenter(estimator: Any) -> bool:
    """Tell whether an estimator is a segmenter, also at the end of a Pipeline.

    Parameters
    ----------
    estimator : estimator instance
        Any scikit-learn estimator; anything else is no segmenter.

    Returns
    -------
    bool
        True for estimators with the tag ``estimator_type="segmenter"`` and for those that
        inherit from :class:`SegmenterMixin` under another tag, as clusterers do.

    Examples
    --------
    >>> from sklearn.cluster import KMeans
    >>> from segkit import RFMScorer
    >>> from segkit.base import is_segmenter
    >>> is_segmenter(RFMScorer()), is_segmenter(KMeans())
    (True, False)
    """
    if isinstance(estimator, SegmenterMixin):
        return True
    if isinstance(estimator, Pipeline):
        return bool(estimator.steps) and is_segmenter(estimator.steps[-1][1])
    if isinstance(estimator, type) or not hasattr(estimator, "__sklearn_tags__"):
        return False
    return bool(get_tags(estimator).estimator_type == "segmenter")
