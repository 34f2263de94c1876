"""Lifecycle stages: where each customer stands in the relationship, from prospect to churned.

Whether a customer has gone quiet is judged in days, by their own rhythm (gaps shrunk toward those
of all customers by empirical Bayes, Robbins 1956), or by the probability that they are still
active (Schmittlein, Morrison & Colombo 1987).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any, ClassVar, Literal, Self, TypeAlias

import narwhals.stable.v2 as nw
import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from segkit._compat import Interval, StrOptions, fit_context
from segkit._frames import as_frame, float_series
from segkit._input_checks import RowLimits
from segkit._storage._state import LearnedState
from segkit.base import SegmenterMixin
from segkit.clv import ParetoNBD
from segkit.clv._purchase_histories import check_reach
from segkit.exceptions import ColumnError, LazyFrameError
from segkit.segmenters._lifecycle_storage import restore_stages, stored_stages
from segkit.segmenters._silences import (
    Silence,
    SilenceInDays,
    SilenceInGaps,
    journeys_in_engine,
    learn_model,
    learn_rhythm,
)
from segkit.segmenters._stage_definition import (
    checked_thresholds,
    journey_limits,
    journey_of,
    stage_names,
    stage_rules,
)
from segkit.segmenters._staging import Staging

Floats: TypeAlias = NDArray[np.float64]

_LAST_GAP = "last_gap_days"
# For methods that do not learn it.
_NEW_DAYS = 30.0


class LifecycleStager(SegmenterMixin, TransformerMixin, BaseEstimator):
    """Stage customers along their journey: prospect, new, active, at risk, churned.

    Parameters
    ----------
    columns : sequence of str or of int, default=("recency_days", "order_days", "tenure_days")
        The columns that hold days since the last order, days with an order, and days since the
        first order; a fourth one holds the days between the last two orders. Where three are
        named, a frame's ``last_gap_days`` is that fourth column, if it is there in ``fit``; of an
        array it must be named. Integers are positions.
    method : {"cadence", "fixed", "alive"}, default="cadence"
        How long a silence must be to count:

        - ``"cadence"`` counts it in gaps that are usual for the customer: 40 days are long for
          someone who buys every week, and nothing for someone who buys twice a year;
        - ``"fixed"`` counts days, the same for all;
        - ``"alive"`` takes the probability that the customer is still active, of `model`.
    new_days : float, default=None
        Customers are new up to so many days after their first order, whatever else they do, and
        reactivated up to so many after the one that brought them back. None means, with
        ``"cadence"``, the silence after which a customer with one order is at risk, and 30 days
        otherwise.
    at_risk_days, churned_days : float, default=None
        With ``"fixed"``, customers are at risk or churned when their last order is more than so
        many days ago. None: 60 and 180.
    at_risk_gaps, churned_gaps : float, default=None
        With ``"cadence"``, customers are at risk or churned when their silence is longer than so
        many of their own gaps. None: learned in ``fit``.
    at_risk_alive, churned_alive : float, default=None
        With ``"alive"``, customers are at risk or churned when the probability that they are
        still active is lower than this. None: 0.8 and 0.5.
    model : estimator, default=None
        With ``"alive"``, the model of repeat buying, with ``fit(X)`` and ``predict_alive(X)``;
        None means :class:`segkit.clv.ParetoNBD`. It gets `columns` as an array, and is cloned:
        pass a fitted one as :class:`sklearn.frozen.FrozenEstimator`.
    stages : mapping of str to str, default=None
        Names of your own, such as ``{"at_risk": "lapsed", "churned": "dormant"}``.

    Attributes
    ----------
    thresholds_ : dict of str to float
        What separates the stages, each with its unit in its name: ``new_days``, and
        ``at_risk_gaps`` and ``churned_gaps``, or the same in ``_days`` or ``_alive``.
    prior_ : dict of str to float
        With ``"cadence"``, the gamma distribution of order rates over customers: its shape ``r``
        and inverse scale ``alpha_days``; and ``gap_days``, the gap expected of a customer with
        one order.
    model_ : estimator
        With ``"alive"``, the fitted model.
    segments_ : ndarray of shape (n_stages,), dtype object
        Names of the stages in the order of the journey; the position of a name is its code.
        ``"reactivated"`` is among them only where there is the fourth column.
    labels_ : ndarray of shape (n_customers,), dtype int64
        Codes of the customers seen in ``fit``, -1 where unassigned. Only after fitting on eager
        data.
    n_features_in_ : int
        Number of columns used of a frame, or the width of the array seen in ``fit``.
    feature_names_in_ : ndarray of shape (n_features_in_,), dtype object
        Names of the columns used; only after fitting on a frame.

    Warns
    -----
    NotIdentifiedWarning
        In ``fit``, with ``"cadence"`` where nobody has bought twice, so that there is no rhythm to
        learn; with ``"alive"`` what the model warns of.
    AlwaysAliveWarning
        In ``fit``, with ``"alive"``, for a model by which customers with one order can never
        leave, as :class:`segkit.clv.BetaGeoNBD` has it.

    See Also
    --------
    segkit.summarize_transactions : Makes the columns; ``extras="last_gap"`` the fourth.
    segkit.RFMScorer : Recency beside frequency and monetary value.

    Notes
    -----
    The stages, and the first that fits holds:

    - prospect: no order yet, which is ``order_days`` below 1 or a missing ``recency_days``;
    - new: the first order is at most `new_days` ago;
    - churned, at risk: silent for longer than the thresholds;
    - reactivated: back for at most `new_days` after a gap so long that, just before the last
      order, the customer would have been churned;
    - active: all others.

    The order is that of the journey and not a rank: new customers often come back less than
    active ones, and reactivated ones less than those at risk.

    With ``"cadence"``, order rates are gamma distributed over customers, estimated by maximum
    likelihood from orders and time of exposure (of the MBG/NBD model, so that customers who left
    do not pass for slow; the gaps between orders alone would be too short, because long ones are
    not over yet). The expected gap of a customer is

    (alpha + days from the first to the last order) / (r + order_days + 1),

    which for many orders is their own mean gap. The thresholds are the natural breaks of all
    customers' silences, counted in such gaps on a logarithmic scale; the first is at least 1.

    References
    ----------
    Robbins, H. (1956). An empirical Bayes approach to statistics. *Proceedings of the Third
    Berkeley Symposium on Mathematical Statistics and Probability*, 1, 157-163.

    Jenks, G. F. (1967). The data model concept in statistical mapping. *International Yearbook of
    Cartography*, 7, 186-190.

    Batislam, E. P., Denizel, M. & Filiztekin, A. (2007). Empirical validation and comparison of
    models for customer base analysis. *International Journal of Research in Marketing*, 24(3),
    201-209.

    Examples
    --------
    >>> from segkit import LifecycleStager, summarize_transactions
    >>> from segkit.datasets import make_transactions
    >>> customers = summarize_transactions(make_transactions(2_000, random_state=0))
    >>> stager = LifecycleStager().fit(customers)
    >>> stager.assign(customers)["lifecycle_stage"].value_counts(sort=False)
    lifecycle_stage
    prospect        0
    new           153
    active        584
    at_risk       640
    churned       623
    unassigned      0
    Name: count, dtype: int64

    Of two customers with the same recency, the one with the faster rhythm is late:

    >>> stager.predict_one({"recency_days": 40, "order_days": 30, "tenure_days": 250})
    'at_risk'
    >>> stager.predict_one({"recency_days": 40, "order_days": 3, "tenure_days": 250})
    'active'
    """

    _label_column: ClassVar[str] = "lifecycle_stage"
    _min_columns: ClassVar[int] = 3
    _optional_columns: ClassVar[tuple[str, ...]] = (_LAST_GAP,)
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "columns": [list, tuple],
        "method": [StrOptions({"cadence", "fixed", "alive"})],
        "new_days": [None, Interval(Real, 0, None, closed="left")],
        "at_risk_days": [None, Interval(Real, 0, None, closed="left")],
        "churned_days": [None, Interval(Real, 0, None, closed="left")],
        "at_risk_gaps": [None, Interval(Real, 0, None, closed="left")],
        "churned_gaps": [None, Interval(Real, 0, None, closed="left")],
        "at_risk_alive": [None, Interval(Real, 0, 1, closed="both")],
        "churned_alive": [None, Interval(Real, 0, 1, closed="both")],
        "model": [None, BaseEstimator],
        "stages": [None, Mapping],
    }

    thresholds_: dict[str, float]
    prior_: dict[str, float]
    model_: Any
    _staging: Staging
    _given: set[str]

    def __init__(
        self,
        *,
        columns: Sequence[str | int] = ("recency_days", "order_days", "tenure_days"),
        method: Literal["cadence", "fixed", "alive"] = "cadence",
        new_days: float | None = None,
        at_risk_days: float | None = None,
        churned_days: float | None = None,
        at_risk_gaps: float | None = None,
        churned_gaps: float | None = None,
        at_risk_alive: float | None = None,
        churned_alive: float | None = None,
        model: Any = None,
        stages: Mapping[str, str] | None = None,
    ) -> None:
        self.columns = columns
        self.method = method
        self.new_days = new_days
        self.at_risk_days = at_risk_days
        self.churned_days = churned_days
        self.at_risk_gaps = at_risk_gaps
        self.churned_gaps = churned_gaps
        self.at_risk_alive = at_risk_alive
        self.churned_alive = churned_alive
        self.model = model
        self.stages = stages

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn what separates the stages.

        Parameters
        ----------
        X : frame or array of shape (n_customers, n_columns)
            One row per customer; prospects may be among them. The engine of a lazy frame
            counts how many customers have each journey; with ``method="alive"`` the columns used
            are collected.
        y : None
            Ignored.

        Returns
        -------
        LifecycleStager
            The fitted stager.

        Raises
        ------
        ColumnError, SegkitTypeError, SegkitValueError
            For a missing column, text in place of numbers, infinities, impossible counts, no
            customers, thresholds in the wrong order or of another method, unknown stages.
        """
        owner = type(self).__name__
        names = stage_names(self.stages, owner=owner)
        parameters = self.get_params(deep=False)
        limits = checked_thresholds(self.method, parameters, owner=owner)
        frame = as_frame(X, owner=owner)
        values, counts = None, None
        if isinstance(frame, nw.LazyFrame) and self.method != "alive":
            buyers, counts = journeys_in_engine(self._customers_in_engine(frame))
        else:
            values = self._validate_customers(X, reset=True)
            buyers = values[~np.isnan(values[:, :3]).any(axis=1) & (values[:, 1] >= 1), :3]
        if self.method != "fixed":
            check_reach(self._columns_used, buyers.T, owner=owner)
        silence, new_days, at_risk, churned = self._learn(buyers, counts, *limits)
        journey = journey_of(len(self._columns_used))
        self._staging = Staging(
            silence,
            float(new_days if self.new_days is None else self.new_days),
            at_risk,
            churned,
            codes={stage: code for code, stage in enumerate(journey)},
        )
        self.thresholds_ = self._published(limits)
        self._given = {name for name in self.thresholds_ if parameters[name] is not None}
        self.segments_ = np.array([names[stage] for stage in journey], dtype=object)
        return self._finish_fit(X, values)

    def transform(self, X: Any) -> Floats:
        """Return the stages as numbers, and what they rest on.

        Parameters
        ----------
        X : eager frame or array of shape (n_customers, n_columns)
            One row per customer.

        Returns
        -------
        ndarray of shape (n_customers, n_features)
            With ``"cadence"`` ``expected_gap_days`` and ``silent_gaps`` (the silence counted in
            them), with ``"alive"`` ``p_alive``; NaN for prospects. Then
            ``lifecycle_stage_code``, NaN where unassigned.

        Raises
        ------
        NotFittedError
            Before ``fit``.
        LazyFrameError
            For a lazy frame: use ``assign``.
        ColumnError, SegkitTypeError, SegkitValueError
            As ``fit``.
        """
        check_is_fitted(self)
        self._refuse_lazy(X, verb="transform")
        values = self._validate_customers(X, reset=False)
        codes = self._codes(values)
        features = [*self._features(values).values(), np.where(codes < 0, np.nan, codes)]
        return np.column_stack(features)

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Return the names of the features that ``transform`` gives.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Ignored, but must hold the columns seen in ``fit``.

        Returns
        -------
        ndarray of shape (n_features,), dtype object
            ``lifecycle_stage_code``, after what it rests on.
        """
        self._check_input_features(input_features)
        names = [*self._staging.silence.feature_names, "lifecycle_stage_code"]
        return np.array(names, dtype=object)

    def __sklearn_tags__(self) -> Tags:
        """Return the tags of a segmenter for which a missing recency means something."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = []
        return tags

    # The segmenter's hooks.

    def _learned_state(self) -> dict[str, Any]:
        return stored_stages(self)

    def _restore(self, state: LearnedState) -> None:
        restore_stages(self, state)

    def _limits(self, columns: Sequence[str | int]) -> RowLimits:
        if len(columns) > 4:
            raise ColumnError(
                f"{type(self).__name__}: columns must be three or four (recency, order days, "
                f"tenure and the last gap), got {tuple(columns)}."
            )
        return journey_limits(columns)

    def _allows_missing(self) -> bool:
        return True

    def _codes(self, values: Floats) -> NDArray[np.int64]:
        return self._staging.of(values)

    def _code_one(self, values: list[float]) -> int:
        if self._staging.silence.is_formula:
            return self._staging.of_one(values)
        return super()._code_one(values)

    def _code_expression(self, values: Sequence[nw.Expr]) -> nw.Expr:
        if not self._staging.silence.is_formula:
            raise LazyFrameError(
                "LifecycleStager: method='alive' asks a model, which cannot run inside a query "
                "engine. Collect the frame first: .collect() in polars, .df() in DuckDB."
            )
        return self._staging.expression(values)

    def _hidden_expressions(self, values: Sequence[nw.Expr]) -> list[dict[str, nw.Expr]]:
        return self._staging.steps(values)

    def _feature_columns(self, frame: nw.DataFrame[Any], values: Floats) -> list[nw.Series[Any]]:
        features = self._features(values)
        return [float_series(frame, name, feature) for name, feature in features.items()]

    def _feature_expressions(self, values: Sequence[nw.Expr]) -> list[dict[str, nw.Expr]]:
        if not isinstance(self._staging.silence, SilenceInGaps):
            return []
        recency, orders, tenure, *_ = values
        known = ~(recency.is_null() | orders.is_null() | tenure.is_null()) & (orders >= 1)
        gap = self._staging.silence.gap(orders, (tenure - recency).clip(lower_bound=0.0))
        return [
            {"expected_gap_days": nw.when(known).then(gap)},
            {"silent_gaps": recency / nw.col("expected_gap_days")},
        ]

    def _rules(self) -> list[str]:
        churned = str(self.segments_[-1])
        rules = stage_rules(self._staging.silence.rule, self.thresholds_, self._given, churned)
        return [rules[stage] for stage in self._staging.codes]

    # Private helpers.

    def _learn(
        self, buyers: Floats, counts: NDArray[np.int64] | None, at_risk: Any, churned: Any
    ) -> tuple[Silence, float, float, float]:
        """Return the measure of silence, and when customers are new, at risk and churned."""
        owner = type(self).__name__
        if self.method == "cadence":
            rhythm, at_risk, churned = learn_rhythm(buyers, counts, at_risk, churned, owner=owner)
            self.prior_ = rhythm.prior
            return rhythm, at_risk * self.prior_["gap_days"], at_risk, churned
        if self.method == "alive":
            self.model_ = ParetoNBD() if self.model is None else clone(self.model)
            model = learn_model(self.model_, buyers, owner=owner)
            return model, _NEW_DAYS, 1.0 - at_risk, 1.0 - churned
        return SilenceInDays(), _NEW_DAYS, at_risk, churned

    def _published(self, given: Sequence[float | None]) -> dict[str, float]:
        limits = [self._staging.at_risk, self._staging.churned]
        if self.method == "alive":  # in which silence is 1 - P(alive), to the last digit or not
            limits = [float(limit) for limit in given if limit is not None]
        unit = self._staging.silence.unit
        return {
            "new_days": self._staging.new_days,
            f"at_risk_{unit}": limits[0],
            f"churned_{unit}": limits[1],
        }

    def _features(self, values: Floats) -> dict[str, Floats]:
        names = self._staging.silence.feature_names
        if not names:
            return {}
        recency, orders, tenure = values[:, :3].T
        known = ~np.isnan(values[:, :3]).any(axis=1) & (orders >= 1)
        recency, orders = recency[known], orders[known]
        active_days = np.maximum(tenure[known] - recency, 0.0)
        silence = self._staging.silence.of(recency, orders, active_days)
        if isinstance(self._staging.silence, SilenceInGaps):
            found = [self._staging.silence.gap(orders, active_days), silence]
        else:
            found = [1.0 - silence]
        features = {}
        for name, of_known in zip(names, found, strict=True):
            features[name] = np.full(len(values), np.nan)
            features[name][known] = of_known
        return features
