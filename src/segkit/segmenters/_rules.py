"""Segments by rules that people write down: conditions on columns, as data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from segkit._compat import fit_context
from segkit._frames import UNASSIGNED, Frame, as_frame, balanced
from segkit._input_checks import (
    RowLimits,
    check_keys_present,
    row_limits,
    row_mapping,
    row_value,
)
from segkit._storage._state import LearnedState
from segkit.base import SegmenterMixin
from segkit.base._assignment import CodePlan, unassigned_where_infinite
from segkit.base._customers import Customers
from segkit.exceptions import SegkitTypeError, SegkitValueError
from segkit.segmenters._rule_columns import (
    Kind,
    Values,
    value_in_row,
)
from segkit.segmenters._rule_counts import (
    RuleCounts,
    check_no_overlaps,
    counts_in_engine,
    counts_of,
    warn_of_unreached,
)
from segkit.segmenters._rule_parsing import Rule, column_kinds, parsed_rules
from segkit.segmenters._rule_reach import check_reachable
from segkit.segmenters._rule_set_choice import rule_set_rules, rule_set_table
from segkit.segmenters._rule_table import (
    array_problem,
    check_frame,
    check_row,
    columns_of_customers,
    numbers_in,
)

_OWNER = "RuleSegmenter"
# More rules than this are no list of cases, which engines read as one inside another.
_MOST_CASES = 24


class RuleSegmenter(SegmenterMixin, TransformerMixin, BaseEstimator):
    r"""Segment customers by rules that people write down.

    Rules are data, so that they can be kept in a JSON file, reviewed, and changed by who knows
    the business. ``fit`` checks them against each other and against the customers, and counts;
    nothing is learned, so that a rule means the same tomorrow.

    Parameters
    ----------
    rules : sequence of mappings, default=None
        The segments, first one first, each ``{"name": ..., "when": condition}``. A condition is
        one of

        - ``{"column": "channel", "equals": "Web"}``: text, a number, true or false;
        - ``{"column": "channel", "in": ["Web", "Phone"]}``;
        - ``{"column": "monetary", "at_least": 500, "below": 1000}``: one bound or both;
        - ``{"column": "email", "matches": "@example\\.com$"}``: a regular expression, found
          anywhere in the text;
        - ``{"column": "age", "missing": True}``: or ``False``, for what is known;
        - ``{"all": [...]}``, ``{"any": [...]}``: of several conditions;
        - ``{"not": condition}``.

        The columns of an array are ``x0``, ``x1``, ... None: no rules, everybody is in `default`.
    default : str or None, default="Other"
        Name of the last segment, of whoever meets no rule. None leaves them unassigned.
    first_match : bool, default=True
        Where several rules hold, the first one counts. False: that they do not overlap is checked
        on the customers seen in ``fit``.

    Attributes
    ----------
    segments_ : ndarray of shape (n_segments,), dtype object
        Names of the rules in their order, `default` last; the position of a name is its code.
    labels_ : ndarray of shape (n_customers,), dtype int64
        Codes of the customers seen in ``fit``, -1 where unassigned. Only after fitting on eager
        data.
    n_features_in_ : int
        Number of columns that the rules test, or the width of the array seen in ``fit``.
    feature_names_in_ : ndarray of shape (n_features_in_,), dtype object
        Names of the columns that the rules test, in order of appearance; only after fitting on a
        frame.

    Warns
    -----
    SegkitWarning
        In ``fit``, for rules that none of the customers reaches.

    See Also
    --------
    segkit.CrossSegmenter : Crosses rules with other segmenters.
    segkit.ValueTierer : Tiers whose thresholds are learned.

    Notes
    -----
    A comparison with a missing value is false. ``{"not": ...}`` of it is true, so add
    ``{"column": ..., "missing": False}`` where that is not meant.

    ``fit`` proves from the conditions whether each rule can be reached: it evaluates them for
    every combination of the values that they can tell apart, on and between all bounds. Regular
    expressions are taken as independent of one another. With more than 100,000 combinations, a
    rule is compared only with those above it that test none but its own columns.

    Regular expressions are those that Python and the engines of polars and DuckDB read alike:
    without lookaround and back references; ``\d``, ``\w``, ``\s`` and ``\b`` are of ASCII,
    and ``$`` is the end of the text.

    Examples
    --------
    >>> import pandas as pd
    >>> from segkit import RuleSegmenter
    >>> customers = pd.DataFrame(
    ...     {"monetary": [900.0, 40.0, 620.0, None], "channel": ["Web", "Web", "Phone", None]}
    ... )
    >>> big = {"column": "monetary", "at_least": 500}
    >>> online = {"column": "channel", "equals": "Web"}
    >>> segmenter = RuleSegmenter(
    ...     [
    ...         {"name": "Big online", "when": {"all": [big, online]}},
    ...         {"name": "Big", "when": big},
    ...     ]
    ... ).fit(customers)
    >>> segmenter.predict_segments(customers)
    array(['Big online', 'Other', 'Big', 'Other'], dtype=object)
    >>> segmenter.describe()[["segment", "rule", "customers"]]
          segment                                rule  customers
    0  Big online  monetary ≥ 500 and channel is 'Web'          1
    1         Big                      monetary ≥ 500          1
    2       Other                       no rule holds          2
    """

    _label_column: ClassVar[str] = "rule_segment"
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "rules": [None, list, tuple, dict],
        "default": [None, str],
        "first_match": ["boolean"],
    }

    _rules_used: list[Rule]
    _kinds: dict[str, Kind]
    _default_code: int
    _numbers_used: list[str]
    _number_limits: RowLimits
    _counts: RuleCounts

    def __init__(
        self,
        rules: Sequence[Mapping[str, Any]] | None = None,
        *,
        default: str | None = "Other",
        first_match: bool = True,
    ) -> None:
        self.rules = rules
        self.default = default
        self.first_match = first_match

    @classmethod
    def from_base(
        cls,
        base: str,
        *,
        column: str | Mapping[str, str] | None = None,
        bands: Mapping[str, Any] | None = None,
        scale: float | None = None,
        default: str | None = None,
    ) -> Self:
        """Return a segmenter with one of the ready rule sets.

        Parameters
        ----------
        base : str
            Name of the rule set; :meth:`bases` lists them.
        column : str, or mapping of str to str, default=None
            The frame's name of the column; of sets that read several, a mapping from their names.
        bands : mapping of str to band, default=None
            Bands of your own. A band is a pair ``(at_least, below)``, None where it is open, a
            list of values, or a condition, on columns by their names in the set or in the frame
            (where both have a name, that of the set is meant). In a set that reads one column they
            are the whole table; in others, each takes the place of the band of its name.
        scale : float, default=None
            Bounds of the set are multiplied by it: for money of another unit, or a median of
            which they are shares, as those of ``"income"`` are, which needs it. None is 1.
        default : str, default=None
            Name of the segment of whoever is in no band; None takes that of the set.

        Returns
        -------
        RuleSegmenter
            The segmenter, not fitted. Its ``rules`` are plain data, to be changed further.

        Raises
        ------
        SegkitValueError, SegkitTypeError
            For a name that there is none of, columns or bands that the set does not have, or
            ``"income"`` without `scale` and `bands`.

        Examples
        --------
        >>> import pandas as pd
        >>> from segkit import RuleSegmenter
        >>> companies = pd.DataFrame({"staff": [3, 49, 50, 1_200]})
        >>> sizes = RuleSegmenter.from_base("company_size", column="staff")
        >>> sizes.fit(companies).predict_segments(companies)
        array(['Micro', 'Small', 'Medium', 'Large'], dtype=object)
        >>> sizes = RuleSegmenter.from_base(
        ...     "company_size", column="staff", bands={"Team": (1, 50), "Company": (50, None)}
        ... )
        >>> sizes.rules[0]
        {'name': 'Team', 'when': {'column': 'staff', 'at_least': 1, 'below': 50}}
        """
        rules, its_default = rule_set_rules(base, column=column, bands=bands, scale=scale)
        return cls(rules, default=its_default if default is None else default)

    @staticmethod
    def bases() -> pd.DataFrame:
        """Return the ready rule sets.

        Returns
        -------
        pandas.DataFrame
            A row a segment: ``kind`` (demographic, geographic, ...), ``base`` (the name for
            :meth:`from_base`), ``segment``, its ``rule`` in words, and the ``source`` of the set.

        Examples
        --------
        >>> from segkit import RuleSegmenter
        >>> bases = RuleSegmenter.bases()
        >>> bases.loc[bases["base"] == "company_size", ["segment", "rule"]].to_dict("list")
        {'segment': ['Micro', 'Small', 'Medium', 'Large', 'Unknown'],
         'rule': ['0 ≤ employees < 10', '10 ≤ employees < 50', '50 ≤ employees < 250',
                  'employees ≥ 250', 'no rule holds']}
        """
        return rule_set_table()

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> Self:
        """Check the rules, against each other and against the customers, and count.

        Parameters
        ----------
        X : frame or array of shape (n_customers, n_columns)
            One row per customer. A lazy frame is counted in its engine.
        y : None
            Ignored.

        Returns
        -------
        RuleSegmenter
            The fitted segmenter.

        Raises
        ------
        ColumnError, SegkitTypeError, SegkitValueError
            For an absent column, one that holds another kind than the rules compare it with,
            infinities, rules that make no sense, that exclude themselves or that no customer can
            reach, and, with ``first_match=False``, two that hold for the same customer.
        """
        self._forget()
        rules = parsed_rules(self.rules, self.default)
        self._use(rules, self.default)
        check_reachable(rules, first_match=self.first_match)
        frame = as_frame(X, owner=_OWNER)
        if isinstance(frame, nw.LazyFrame):
            check_frame(self._kinds, frame)
            self._remember_columns(list(self._kinds), frame)
            codes, counts = (
                None,
                counts_in_engine(
                    frame, self._code_plan(frame), rules, overlaps=not self.first_match
                ),
            )
        else:
            columns, n_customers = columns_of_customers(self, X, reset=True)
            met = self._met(columns, n_customers)
            codes = self._first_met(met)
            counts = counts_of(met, codes, overlaps=not self.first_match)
        if not counts.n_customers:
            raise SegkitValueError(f"{_OWNER}: the frame has no rows; there is nothing to count.")
        if not self.first_match:
            check_no_overlaps(counts, rules)
        warn_of_unreached(counts, rules)
        self._counts = counts
        defaults = [] if self.default is None else [str(self.default)]
        self.segments_ = np.array([*(rule.name for rule in rules), *defaults], dtype=object)
        return self._finish_fit(X, codes=codes)

    def memberships(self, X: Any) -> NDArray[np.bool_]:
        """Return every segment whose rule holds, also where an earlier one counts.

        Parameters
        ----------
        X : eager frame or array of shape (n_customers, n_columns)
            One row per customer.

        Returns
        -------
        ndarray of shape (n_customers, n_segments), dtype bool
            A column a segment, in code order; `default` is the segment of whoever is in no other.

        Raises
        ------
        NotFittedError
            Before ``fit``.
        LazyFrameError
            For a lazy frame.
        ColumnError, SegkitTypeError, SegkitValueError
            As ``predict``.
        """
        check_is_fitted(self)
        self._refuse_lazy(X, verb="memberships")
        met = self._met(*columns_of_customers(self, X, reset=False))
        if len(self.segments_) > len(met):
            met = np.vstack([met, ~met.any(axis=0)])
        memberships: NDArray[np.bool_] = met.T
        return memberships

    def transform(self, X: Any) -> NDArray[np.float64]:
        """Return the memberships as features: 1 for each rule that holds, else 0.

        Parameters
        ----------
        X : eager frame or array of shape (n_customers, n_columns)
            One row per customer.

        Returns
        -------
        ndarray of shape (n_customers, n_segments)
            :meth:`memberships` as numbers.

        Raises
        ------
        NotFittedError
            Before ``fit``.
        LazyFrameError
            For a lazy frame: use ``assign``.
        ColumnError, SegkitTypeError, SegkitValueError
            As ``predict``.
        """
        check_is_fitted(self)
        self._refuse_lazy(X, verb="transform")
        return self.memberships(X).astype(np.float64)

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Return the names of the features that ``transform`` gives.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Ignored, but must hold the columns seen in ``fit``.

        Returns
        -------
        ndarray of shape (n_segments,), dtype object
            ``rule_segment_`` and the name of each segment.
        """
        self._check_input_features(input_features)
        return np.array([f"rule_segment_{name}" for name in self.segments_], dtype=object)

    def predict_one(self, row: Mapping[Any, Any]) -> str:
        """Return the segment name of one customer, without building a frame.

        Parameters
        ----------
        row : mapping of column to value
            One customer, with at least the columns that the rules test.

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
            kinds, rules = self._kinds, self._rules_used
            segments = self.segments_
        except AttributeError:
            check_is_fitted(self)
            raise
        row = row_mapping(row, owner=_OWNER)
        values = {}
        try:
            for name, kind in kinds.items():
                value = row[name] if name in row else row_value(row, name, owner=_OWNER)
                values[name] = value_in_row(value, kind, name, owner=_OWNER)
        except SegkitTypeError:
            check_keys_present(row, kinds, owner=_OWNER)
            raise
        check_row(values, self._numbers_used, self._number_limits)
        for rule in rules:
            if rule.condition.holds(values):
                return rule.name
        return UNASSIGNED if len(segments) == len(rules) else str(segments[-1])

    def describe(self) -> pd.DataFrame:
        """Return each rule in words, and how many customers of ``fit`` it holds for.

        Returns
        -------
        pandas.DataFrame
            A row a segment, in code order: ``code``, ``segment``, ``rule``, ``customers`` (in the
            segment), ``share_of_customers`` (of all in ``fit``) and ``met_by`` (customers for whom
            the rule holds, also where an earlier one counts).
        """
        described = super().describe()
        counts = self._counts
        n_segments = len(self.segments_)
        described["customers"] = counts.in_segment[:n_segments]
        described["share_of_customers"] = described["customers"] / counts.n_customers
        described["met_by"] = [*counts.met_by, counts.in_segment[-1]][:n_segments]
        return described

    def __sklearn_tags__(self) -> Tags:
        """Return the tags of a segmenter whose rules know what to do about missing values."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.two_d_array = self._takes_arrays()
        tags.transformer_tags.preserves_dtype = []
        return tags

    # What a file keeps.

    def _learned_state(self) -> dict[str, Any]:
        return {
            "rules": [
                {"name": rule.name, "when": rule.condition.as_data()} for rule in self._rules_used
            ],
            "counts": self._counts.stored(),
        }

    def _restore(self, state: LearnedState) -> None:
        rules = state.of_type("rules", list)
        has_default = len(self.segments_) > len(rules)
        default = str(self.segments_[-1]) if has_default else None
        self._use(parsed_rules(rules, default), default)
        if [rule.name for rule in self._rules_used] != list(self.segments_)[: len(rules)]:
            state.refuse("rules", "rules with the names of the segments", rules)
        self._counts = RuleCounts.of_stored(state.inside("counts"), len(rules))
        self._row_limits = row_limits([])

    # The segmenter's hooks.

    def _customers(self, X: Any, *, reset: bool) -> Customers:
        # What the codes depend on need not be numbers, so that the codes themselves are.
        codes = self._first_met(self._met(*columns_of_customers(self, X, reset=reset)))
        return Customers(["code"], [codes], by_name=False)

    def _codes(self, values: NDArray[np.float64]) -> NDArray[np.int64]:
        return values[:, 0].astype(np.int64)

    def _code_plan(self, frame: nw.LazyFrame[Any]) -> CodePlan:
        check_frame(self._kinds, frame)
        code: nw.Expr = nw.lit(self._default_code)
        holds = [rule.condition.expression(frame) for rule in self._rules_used]
        choices = [(holds[place], nw.lit(place)) for place in range(len(holds))]
        if len(choices) > _MOST_CASES:
            choices = [balanced(_first_of, choices)]
        for is_met, first in reversed(choices):
            code = nw.when(is_met).then(first).otherwise(code)
        return CodePlan(unassigned_where_infinite(code, numbers_in(self._kinds, frame), frame))

    def _rules(self) -> list[str]:
        said = [rule.condition.words() for rule in self._rules_used]
        return [*said, "no rule holds" if said else "everybody"][: len(self.segments_)]

    def _remember_columns(self, columns: Sequence[str | int], frame: Frame | None) -> None:
        self._columns_used = list(columns)
        self._group_used = None
        self._row_limits = row_limits([])
        if frame is not None:
            self.feature_names_in_ = np.array(columns, dtype=object)
            self.n_features_in_ = len(columns)

    # Private helpers, in reading order.

    def _use(self, rules: list[Rule], default: str | None) -> None:
        """Set the rules, and what follows from them."""
        self._rules_used = rules
        self._kinds = column_kinds(rules)
        self._numbers_used = [n for n, kind in self._kinds.items() if kind in ("number", "any")]
        self._number_limits = row_limits(self._numbers_used)
        self._default_code = -1 if default is None else len(rules)

    def _takes_arrays(self) -> bool:
        try:
            kinds = column_kinds(parsed_rules(self.rules, self.default))
        except (SegkitTypeError, SegkitValueError):
            return True  # fit says what is wrong with the rules
        return array_problem(kinds) is None

    def _met(self, columns: Mapping[str, Values], n_customers: int) -> NDArray[np.bool_]:
        """Return for each rule the customers for whom it holds, of shape (n_rules, n_customers)."""
        met = np.empty((len(self._rules_used), n_customers), dtype=bool)
        for place, rule in enumerate(self._rules_used):
            met[place] = rule.condition.truths(columns)
        return met

    def _first_met(self, met: NDArray[np.bool_]) -> NDArray[np.int64]:
        codes = np.full(met.shape[1], self._default_code, dtype=np.int64)
        for place in reversed(range(len(met))):
            codes[met[place]] = place
        return codes


def _first_of(
    one: tuple[nw.Expr, nw.Expr], other: tuple[nw.Expr, nw.Expr]
) -> tuple[nw.Expr, nw.Expr]:
    """Join two choices, each a condition and a code: of the first that holds."""
    (holds, code), (otherwise_holds, otherwise) = one, other
    return holds | otherwise_holds, nw.when(holds).then(code).otherwise(otherwise)
