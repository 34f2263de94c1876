"""Lifecycle stages: where each customer stands in the relationship, from prospect to churned.

Whether a customer has gone quiet is judged in days, by their own rhythm (gaps shrunk toward those
of all customers by empirical Bayes, Robbins 1956), or by the probability that they are still
active (Schmittlein, Morrison & Colombo 1987).
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any, ClassVar, Literal, Self, TypeAlias

import narwhals.stable.v2 as nw
import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from segkit._compat import Interval, StrOptions, check_feature_names_in, fit_context
from segkit._frames import float_series
from segkit._input_checks import nearest
from segkit.base import SegmenterMixin
from segkit.clv import ParetoNBD
from segkit.clv._purchase_model import model_input
from segkit.clv._purchase_rates import fit_purchase_rates
from segkit.exceptions import (
    AlwaysAliveWarning,
    ColumnError,
    NotIdentifiedWarning,
    SegkitValueError,
)
from segkit.segmenters._silences import (
    Silence,
    SilenceInChance,
    SilenceInDays,
    SilenceInGaps,
    learned_gaps,
)

Floats: TypeAlias = NDArray[np.float64]

_JOURNEY = ("prospect", "new", "active", "reactivated", "at_risk", "churned")
_LAST_GAP = "last_gap_days"
# For methods that do not learn it.
_NEW_DAYS = 30.0
_UNITS = {"cadence": "gaps", "fixed": "days", "alive": "alive"}
# What stages rest on, beside the columns themselves.
_FEATURES = {"cadence": ["expected_gap_days", "silent_gaps"], "fixed": [], "alive": ["p_alive"]}


class LifecycleStager(SegmenterMixin, TransformerMixin, BaseEstimator):
    """Stage customers along their journey: prospect, new, active, at risk, churned.

    Parameters
    ----------
    columns : sequence of str or of int, default=("recency_days", "order_days", "tenure_days")
        The columns that hold days since the last order, days with an order, and days since the
        first order; a fourth one holds the days between the last two orders. A frame's
        ``last_gap_days`` is that fourth column, wherever it is there in ``fit``. Integers are
        positions.
    method : {"cadence", "fixed", "alive"}, default="cadence"
        How long a silence must be to count:

        - ``"cadence"`` counts it in gaps that are usual for the customer: 40 days are long for
          someone who buys every week, and nothing for someone who buys twice a year;
        - ``"fixed"`` counts days, the same for all;
        - ``"alive"`` takes the probability that the customer is still active, of `model`.
    new_days : float, default=None
        Customers are new up to so many days after their first order, whatever else they do. None
        means, with ``"cadence"``, the silence after which a customer with one order is at risk,
        and 30 days otherwise.
    at_risk_days, churned_days : float, default=60, 180
        With ``"fixed"``, customers are at risk or churned when their last order is more than so
        many days ago.
    at_risk_gaps, churned_gaps : float, default=None
        With ``"cadence"``, customers are at risk or churned when their silence is longer than so
        many of their own gaps. None: learned in ``fit``.
    at_risk_alive, churned_alive : float, default=0.8, 0.5
        With ``"alive"``, customers are at risk or churned when the probability that they are
        still active is lower than this.
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
    - reactivated: back after a gap so long that, just before the last order, the customer would
      have been churned;
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
        "at_risk_days": [Interval(Real, 0, None, closed="left")],
        "churned_days": [Interval(Real, 0, None, closed="left")],
        "at_risk_gaps": [None, Interval(Real, 0, None, closed="left")],
        "churned_gaps": [None, Interval(Real, 0, None, closed="left")],
        "at_risk_alive": [Interval(Real, 0, 1, closed="both")],
        "churned_alive": [Interval(Real, 0, 1, closed="both")],
        "model": [None, BaseEstimator],
        "stages": [None, Mapping],
    }

    thresholds_: dict[str, float]
    prior_: dict[str, float]
    model_: Any
    _silence: Silence
    _new_days: float
    _at_risk: float
    _churned: float
    _codes_of_stages: dict[str, int]

    def __init__(
        self,
        *,
        columns: Sequence[str | int] = ("recency_days", "order_days", "tenure_days"),
        method: Literal["cadence", "fixed", "alive"] = "cadence",
        new_days: float | None = None,
        at_risk_days: float = 60,
        churned_days: float = 180,
        at_risk_gaps: float | None = None,
        churned_gaps: float | None = None,
        at_risk_alive: float = 0.8,
        churned_alive: float = 0.5,
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
            One row per customer; prospects may be among them. Of a lazy frame the columns used are
            collected.
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
            customers, thresholds in the wrong order, unknown stages.
        """
        names = self._stage_names()
        values = self._validate_customers(X, reset=True)
        if len(self._columns_used) > 4:
            raise ColumnError(
                f"{type(self).__name__}: columns must be three or four (recency, order days, "
                f"tenure and the last gap), got {tuple(self._columns_used)}."
            )
        known = values[~np.isnan(values[:, :3]).any(axis=1)][:, :3]
        known = known[known[:, 1] >= 1]
        new_days = _NEW_DAYS
        if self.method == "fixed":
            self._silence = SilenceInDays()
            at_risk, churned = float(self.at_risk_days), float(self.churned_days)
        elif self.method == "cadence":
            at_risk, churned, new_days = self._learn_cadence(known)
        else:
            self._learn_alive(known)
            at_risk, churned = 1.0 - self.at_risk_alive, 1.0 - self.churned_alive
        self._new_days = float(new_days if self.new_days is None else self.new_days)
        self._at_risk, self._churned = self._checked_order(at_risk, churned)
        self.thresholds_ = self._published()
        journey = [stage for stage in _JOURNEY if stage != "reactivated" or self._has_last_gap]
        self._codes_of_stages = {stage: code for code, stage in enumerate(journey)}
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
        check_is_fitted(self)
        used = set(getattr(self, "feature_names_in_", ()))
        if not used or input_features is None or not used <= set(input_features):
            check_feature_names_in(self, input_features, generate_names=False)
        return np.array([*self._feature_names(), "lifecycle_stage_code"], dtype=object)

    def __sklearn_tags__(self) -> Tags:
        """Return the tags of a segmenter for which a missing recency means something."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = []
        return tags

    # The segmenter's hooks.

    def _codes(self, values: Floats) -> NDArray[np.int64]:
        recency, orders, tenure = values[:, :3].T
        is_prospect = np.isnan(recency) | (orders < 1)
        known = ~(is_prospect | np.isnan(orders) | np.isnan(tenure))
        codes = np.full(len(values), -1, dtype=np.int64)
        codes[is_prospect] = self._code("prospect")
        codes[known] = self._codes_of_buyers(values[known])
        return codes

    def _codes_of_buyers(self, values: Floats) -> NDArray[np.int64]:
        recency, orders, tenure = values[:, :3].T
        active_days = np.maximum(tenure - recency, 0.0)
        silence = self._silence.of(recency, orders, active_days)
        codes = np.full(len(values), self._code("active"), dtype=np.int64)
        if self._has_last_gap:
            gap = values[:, 3]
            # A gap that is not known is none that was long.
            back = np.flatnonzero((gap >= 0) & (orders > 1))
            was_silent = self._silence.of(
                gap[back], orders[back] - 1, np.maximum(active_days[back] - gap[back], 0.0)
            )
            codes[back[was_silent > self._churned]] = self._code("reactivated")
        codes[silence > self._at_risk] = self._code("at_risk")
        codes[silence > self._churned] = self._code("churned")
        codes[tenure <= self._new_days] = self._code("new")
        codes[np.isnan(silence)] = -1
        return codes

    def _code_one(self, values: list[float]) -> int:
        if not self._silence.is_formula:
            return int(self._codes(np.array([values], dtype=np.float64))[0])
        recency, orders, tenure, *gap = values
        if orders < 1:
            return self._code("prospect")
        if tenure <= self._new_days:
            return self._code("new")
        active_days = max(tenure - recency, 0.0)
        silence = self._silence.of(recency, orders, active_days)
        if silence > self._at_risk:
            return self._code("churned" if silence > self._churned else "at_risk")
        if gap and gap[0] >= 0 and orders > 1:
            before = self._silence.of(gap[0], orders - 1, max(active_days - gap[0], 0.0))
            if before > self._churned:
                return self._code("reactivated")
        return self._code("active")

    def _code_expression(self, values: Sequence[nw.Expr]) -> nw.Expr | None:
        if not self._silence.is_formula:
            return None
        recency, orders, tenure, *gap = values
        zero = nw.lit(0.0)
        active_days = nw.max_horizontal(tenure - recency, zero)
        silence = self._silence.of(recency, orders, active_days)

        def code(stage: str) -> nw.Expr:
            return nw.lit(self._code(stage))

        staged: Any = (
            nw.when(recency.is_null() | (orders < 1))
            .then(code("prospect"))
            .when(orders.is_null() | tenure.is_null())
            .then(nw.lit(-1))
            .when(tenure <= self._new_days)
            .then(code("new"))
            .when(silence > self._churned)
            .then(code("churned"))
            .when(silence > self._at_risk)
            .then(code("at_risk"))
        )
        for last in gap:
            before_days = nw.max_horizontal(active_days - last, zero)
            before = self._silence.of(last, orders - 1, before_days)
            came_back = (last >= 0) & (orders > 1) & (before > self._churned)
            staged = staged.when(came_back).then(code("reactivated"))
        expression: nw.Expr = staged.otherwise(code("active"))
        return expression

    def _feature_columns(self, frame: nw.DataFrame[Any], values: Floats) -> list[nw.Series[Any]]:
        features = self._features(values)
        return [float_series(frame, name, feature) for name, feature in features.items()]

    def _feature_expressions(self, values: Sequence[nw.Expr]) -> list[dict[str, nw.Expr]]:
        if not isinstance(self._silence, SilenceInGaps):
            return []
        recency, orders, tenure, *_ = values
        known = ~(recency.is_null() | orders.is_null() | tenure.is_null()) & (orders >= 1)
        gap = self._silence.gap(orders, nw.max_horizontal(tenure - recency, nw.lit(0.0)))
        return [
            {
                "expected_gap_days": nw.when(known).then(gap),
                "silent_gaps": nw.when(known).then(recency / gap),
            }
        ]

    def _rules(self) -> list[str]:
        new, at_risk, churned = (f"{number:,.4g}" for number in self.thresholds_.values())
        unit = {
            "fixed": "silent for more than {} days",
            "cadence": "silent for more than {} of their own gaps",
            "alive": "active with a probability below {}",
        }[self.method]
        rules = {
            "prospect": "no order yet",
            "new": f"first order at most {new} days ago",
            "active": "all others",
            "reactivated": f"back after a gap in which they were {self.segments_[-1]}",
            "at_risk": unit.format(at_risk),
            "churned": unit.format(churned),
        }
        return [rules[stage] for stage in self._codes_of_stages]

    # Private helpers, in reading order.

    def _stage_names(self) -> dict[str, str]:
        given = dict(self.stages or {})
        owner = type(self).__name__
        if unknown := [stage for stage in given if stage not in _JOURNEY]:
            near = nearest(str(unknown[0]), list(_JOURNEY))
            raise SegkitValueError(
                f"{owner}: stages names {unknown}, which are not among {list(_JOURNEY)}."
                + (f" Did you mean {near!r}?" if near else "")
            )
        names = {stage: given.get(stage, stage) for stage in _JOURNEY}
        if not all(isinstance(name, str) and name for name in names.values()):
            raise SegkitValueError(f"{owner}: the names in stages must be text, got {given!r}.")
        if len({*names.values(), "unassigned"}) <= len(names):
            raise SegkitValueError(
                f"{owner}: two stages would have one name, or that of unassigned customers: "
                f"{list(names.values())}."
            )
        return names

    def _learn_cadence(self, known: Floats) -> tuple[float, float, float]:
        rates = fit_purchase_rates(known)
        self._silence = silence = SilenceInGaps(rates)
        if not rates.is_known:
            warnings.warn(
                f"{type(self).__name__}: none of the {len(known):,} customers with an order has "
                "ordered on two days, so that there is no rhythm to learn: whoever has ordered is "
                "new. Observe them for a longer time, or use method='fixed'.",
                NotIdentifiedWarning,
                stacklevel=4,
            )
        recency, orders, tenure = known.T
        silences = silence.of(recency, orders, np.maximum(tenure - recency, 0.0))
        at_risk, churned = learned_gaps(silences, self.at_risk_gaps, self.churned_gaps)
        gap = float(silence.gap(1.0, 0.0))
        self.prior_ = {"r": rates.r, "alpha_days": rates.alpha, "gap_days": gap}
        return at_risk, churned, at_risk * gap

    def _learn_alive(self, known: Floats) -> None:
        owner = type(self).__name__
        model = ParetoNBD() if self.model is None else clone(self.model)
        if not hasattr(model, "predict_alive"):
            raise SegkitValueError(
                f"{owner}: model must have predict_alive(X), as segkit.clv.ParetoNBD has; "
                f"{type(model).__name__} has none."
            )
        if not len(known):
            warnings.warn(
                f"{owner}: none of the customers has an order, from which a model could learn who "
                "is still active: customers with an order will be unassigned.",
                NotIdentifiedWarning,
                stacklevel=4,
            )
            self._silence = SilenceInChance(None)
            return
        self.model_ = model.fit(model_input(model, known), None)
        self._silence = SilenceInChance(self.model_)
        once = known[(known[:, 1] == 1) & (known[:, 0] > 0)]
        if len(once) and (self.model_.predict_alive(model_input(self.model_, once)) >= 1).all():
            warnings.warn(
                f"{owner}: by {type(model).__name__}, customers with one order can never have "
                f"left: they are {len(once) / len(known):.0%} of the customers here, and never at "
                "risk. Use ParetoNBD, the default, or method='cadence'.",
                AlwaysAliveWarning,
                stacklevel=4,
            )

    def _checked_order(self, at_risk: float, churned: float) -> tuple[float, float]:
        if at_risk > churned:
            unit = _UNITS[self.method]
            given = [getattr(self, f"{stage}_{unit}") for stage in ("at_risk", "churned")]
            raise SegkitValueError(
                f"{type(self).__name__}: customers become at risk before they are churned, got "
                f"at_risk_{unit}={given[0]} and churned_{unit}={given[1]}. Swap them."
            )
        return at_risk, churned

    def _published(self) -> dict[str, float]:
        at_risk, churned = self._at_risk, self._churned
        if self.method == "alive":
            at_risk, churned = float(self.at_risk_alive), float(self.churned_alive)
        unit = _UNITS[self.method]
        return {
            "new_days": self._new_days,
            f"at_risk_{unit}": at_risk,
            f"churned_{unit}": churned,
        }

    def _features(self, values: Floats) -> dict[str, Floats]:
        names = self._feature_names()
        if not names:
            return {}
        recency, orders, tenure = values[:, :3].T
        known = ~np.isnan(values[:, :3]).any(axis=1) & (orders >= 1)
        recency, orders = recency[known], orders[known]
        active_days = np.maximum(tenure[known] - recency, 0.0)
        silence = self._silence.of(recency, orders, active_days)
        if isinstance(self._silence, SilenceInGaps):
            found = [self._silence.gap(orders, active_days), silence]
        else:
            found = [1.0 - silence]
        features = {}
        for name, of_known in zip(names, found, strict=True):
            features[name] = np.full(len(values), np.nan)
            features[name][known] = of_known
        return features

    def _feature_names(self) -> list[str]:
        return _FEATURES[self.method]

    def _code(self, stage: str) -> int:
        return self._codes_of_stages[stage]

    @property
    def _has_last_gap(self) -> bool:
        return len(self._columns_used) > 3
