"""The classic criteria of a good segmentation, each measured, with its evidence and verdict."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import Tags, get_tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from segkit._compat import Interval, fit_context
from segkit._frames import UNASSIGNED, as_frame
from segkit.exceptions import LazyFrameError, SegkitTypeError, SegkitValueError
from segkit.metrics import StructureTest
from segkit.metrics._arguments import draw_seeds
from segkit.metrics._clusterers import labels_of, prepared
from segkit.metrics._foreign_estimators import check_is_estimator
from segkit.metrics._threads import one_thread
from segkit.validation._durable import SegmentDurability, durability
from segkit.validation._evidence import counted, report_of, verdicts_of
from segkit.validation._judged_customers import JudgedCustomers, Table, only_counts
from segkit.validation._judgement import Limits, judge
from segkit.validation._prediction_strength import strength_of
from segkit.validation._refits import is_clusterer
from segkit.validation._segments_given import SegmentsGiven, from_labels, from_segmenter
from segkit.validation._variables import Floats, Numbers, Variable

_OWNER = "SegmentValidator"


def _has_segmenter(validator: SegmentValidator) -> bool:
    if validator.segmenter is None:
        raise AttributeError(
            f"{_OWNER}.score needs a segmenter, because labels do not say where other customers "
            f"belong: {_OWNER}(segmenter=...)."
        )
    return True


class SegmentValidator(BaseEstimator):
    """Judge whether segments are real and of use, by the classic criteria.

    The segments may come from anywhere: pass their labels as ``y``, or a segmenter to fit. Each
    criterion is measured and has a verdict of its own; there is no score of all. A criterion whose
    columns were not named is not assessed, and does not fail.

    Parameters
    ----------
    segmenter : estimator, default=None
        A segmenter, clusterer or mixture, or a Pipeline that ends in one; it is cloned and fitted.
        With a segmenter, stability, structure and held-out outcomes can be judged. None: the labels
        are ``y``.
    basis : str, int or sequence of these, default=None
        The variables that built the segments, by name or by position. None: the columns that the
        segmenter uses; with labels all numeric columns that have no other role.
    outcomes : str, int or sequence of these, default=None
        Columns that did not build the segments, and that they should tell something about:
        response, churn, spend afterwards.
    channels : str, int or sequence of these, default=None
        Columns of booleans, or of 0 and 1: who may be reached on a channel.
    value : str or int, default=None
        The column of what each customer is worth, for shares of value and niches.
    customer_id : str or int, default=None
        The column that tells the customers apart, by which :meth:`compare` finds them again. None:
        the index of a pandas frame, or else the order of the rows.
    min_size : int, default=30
        Fewest customers of a segment: where means begin to be normal.
    min_share : float, default=0.02
        Smallest share of the customers in a segment, from 0 to 1.
    max_segments : int, default=10
        Most segments that anyone can address each in its own way.
    n_bootstraps : int, default=100
        Resamples for the stability; below 2 it is not assessed.
    from_clusterer : bool, default=None
        Whether the segments claim to be groups that exist, so that the structure must be there.
        None: as the type of the segmenter says; of labels alone it is not known.
    random_state : int, RandomState instance or None, default=None
        Pass an int for the same report every time.
    n_jobs : int, default=None
        Threads, or processes for clusterers other than k-means, over the resamples. The result does
        not depend on it.

    Attributes
    ----------
    report_ : DataFrame
        The evidence: ``criterion``, ``segment`` (``"all"``, a name, or ``"A | B"`` for two),
        ``variable``, ``metric``, ``value``, ``low`` and ``high`` (a 95 % interval, where there is
        one), ``threshold``, ``passed`` (None where a row only informs) and ``what_to_do``.
    verdicts_ : DataFrame
        A row a criterion: ``criterion``, ``passed`` (None where it was not assessed or does not
        apply), ``status`` and ``reason``.
    passed_ : bool
        Whether every criterion that was assessed is passed.
    differences_ : DataFrame
        A row for each pair of segments and variable: ``segment_a``, ``segment_b``, ``variable``,
        ``role`` (``"basis"``, whose p-values only describe, or ``"outcome"``), ``effect`` (``"δ"``,
        Cliff's: how much more often the first has the higher value, from -1 to 1; or ``"V"``,
        Cramér's), ``value``, ``low``, ``high``, ``standardised_difference`` (Hedges' g),
        ``p_value`` (Welch's test, or χ²) and ``p_adjusted`` (Benjamini-Hochberg, within the role).
    merge_candidates_ : DataFrame
        Pairs that might be one segment: ``segment_a``, ``segment_b`` and ``because``.
    segments_ : ndarray of shape (n_segments,), dtype object
        Names of the segments that have customers.
    labels_ : ndarray of shape (n_customers,), dtype int64
        Position of each customer's segment in ``segments_``, -1 for none.
    basis_ : list of str
        Names of the variables that built the segments; the columns of an array are x0, x1, ...
    structure_test_ : StructureTest or None
        The test of structure, where it was run.
    segmenter_ : estimator or None
        The fitted segmenter.
    n_features_in_ : int
        Number of columns of `X`.
    feature_names_in_ : ndarray of shape (n_features_in_,), dtype object
        Their names; only after fitting on a frame.

    See Also
    --------
    segkit.metrics.structure_test : Whether a table has clusters at all.
    segkit.metrics.bootstrap_jaccard : Which clusters are stable.

    Notes
    -----
    The criteria and their thresholds:

    - *measurable*: at most 10 % of each variable of the basis missing, and of the customers without
      a segment (Bennett 2001: above, results are likely to be biased).
    - *substantial*: `min_size` and `min_share`. A smaller segment with at least `min_share` of the
      value, and twice its share of the customers, is a niche, and passes.
    - *accessible*: at least half of a segment can be reached on one of the channels.
    - *differentiable*: each two segments differ in some variable by a Cliff's δ of .33 (Romano
      2006) or a Cramér's V of .3 (Cohen 1988): a medium difference. A random forest goes 40 % of
      the way from guessing to knowing the segment of held-out customers (Landis & Koch 1977:
      moderate agreement). Tests on variables that built the segments are called descriptive and
      decide nothing: pieces of a cloud differ in what it was cut by.
    - *actionable*: at least one outcome differs between the segments (adjusted p ≤ .05), and the
      segments predict it for customers left out. With a segmenter that predicts, customers are in
      the segment that the other half of the customers teaches.
    - *structured*: for clusterers, :func:`segkit.metrics.structure_test` finds more than in clouds
      without segments. Thresholds, rules and tiers cut on purpose. Where there is structure, each
      cluster and its nearest one are looked at, too: two without a gap may be one, cut in two.
    - *stable*: the mean Jaccard similarity of each segment under the bootstrap is at least .75
      (Hennig 2007); fits to random halves, and with other seeds, agree by an adjusted Rand index of
      .65 (Steinley 2004). Of thresholds that are learned, the report has the spread.
    - *parsimonious*: at most `max_segments`, and each two are told apart by a variable (a δ of
      .147 or a V of .1: a small difference) or by an outcome.
    - *durable*: :meth:`compare`.

    What prepares the features of a clusterer, such as a scaler, is not fitted again in resamples.
    A lazy frame is collected.

    References
    ----------
    .. [1] P. Kotler & K. L. Keller (2016). "Marketing management", 15th edition: measurable,
       substantial, accessible, differentiable, actionable.
    .. [2] C. Hennig (2007). "Cluster-wise assessment of cluster stability". Computational
       Statistics & Data Analysis 52, 258-271.
    .. [3] S. Dolnicar, B. Grün & F. Leisch (2018). "Market segmentation analysis". Springer.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from segkit import ClusterSegmenter, SegmentValidator
    >>> rng = np.random.default_rng(0)
    >>> kind = rng.integers(3, size=600)
    >>> customers = pd.DataFrame(
    ...     {
    ...         "visits": rng.normal(4 * kind, 1),
    ...         "basket": rng.normal(np.array([20, 80, 20])[kind], 8),
    ...         "responded": rng.random(600) < np.array([0.1, 0.2, 0.4])[kind],
    ...     }
    ... )
    >>> segmenter = ClusterSegmenter(n_segments=3, names="letters", random_state=0)
    >>> validator = SegmentValidator(segmenter, outcomes="responded", random_state=0)
    >>> validator.fit(customers).passed_
    True
    >>> cloud = customers.assign(visits=rng.normal(size=600), basket=rng.normal(size=600))
    >>> of_a_cloud = SegmentValidator(segmenter, outcomes="responded", random_state=0).fit(cloud)
    >>> verdicts = of_a_cloud.verdicts_.set_index("criterion")["status"]
    >>> verdicts[["structured", "actionable", "durable"]].tolist()
    ['failed', 'failed', 'not assessed']
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        # Checked in fit: scikit-learn's message would show what came instead, such as a table.
        "segmenter": "no_validation",
        "basis": [None, str, Integral, list, tuple, pd.Index],
        "outcomes": [None, str, Integral, list, tuple, pd.Index],
        "channels": [None, str, Integral, list, tuple, pd.Index],
        "value": [None, str, Integral],
        "customer_id": [None, str, Integral],
        "min_size": [Interval(Integral, 1, None, closed="left")],
        "min_share": [Interval(Real, 0, 1, closed="both")],
        "max_segments": [Interval(Integral, 1, None, closed="left")],
        "n_bootstraps": [Interval(Integral, 0, None, closed="left")],
        "from_clusterer": [None, bool],
        "random_state": ["random_state"],
        "n_jobs": [None, Integral],
    }

    report_: pd.DataFrame
    verdicts_: pd.DataFrame
    passed_: bool
    differences_: pd.DataFrame
    merge_candidates_: pd.DataFrame
    segments_: NDArray[np.object_]
    labels_: NDArray[np.int64]
    basis_: list[str]
    structure_test_: StructureTest | None
    segmenter_: Any
    n_features_in_: int
    feature_names_in_: NDArray[np.object_]
    _found: SegmentsGiven
    _basis: Mapping[str, Variable]
    _ids: pd.Index[Any] | None

    def __init__(
        self,
        segmenter: Any = None,
        *,
        basis: str | int | Sequence[str | int] | None = None,
        outcomes: str | int | Sequence[str | int] | None = None,
        channels: str | int | Sequence[str | int] | None = None,
        value: str | int | None = None,
        customer_id: str | int | None = None,
        min_size: int = 30,
        min_share: float = 0.02,
        max_segments: int = 10,
        n_bootstraps: int = 100,
        from_clusterer: bool | None = None,
        random_state: Any = None,
        n_jobs: int | None = None,
    ) -> None:
        self.segmenter = segmenter
        self.basis = basis
        self.outcomes = outcomes
        self.channels = channels
        self.value = value
        self.customer_id = customer_id
        self.min_size = min_size
        self.min_share = min_share
        self.max_segments = max_segments
        self.n_bootstraps = n_bootstraps
        self.from_clusterer = from_clusterer
        self.random_state = random_state
        self.n_jobs = n_jobs

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any = None) -> Self:
        """Judge the segments of customers.

        Parameters
        ----------
        X : frame or array of shape (n_customers, n_columns)
            One row per customer. A lazy frame is collected.
        y : array-like of shape (n_customers,) or str, default=None
            The segment of each customer, as text or numbers, or the column of `X` that has it; -1,
            ``"unassigned"`` and missing are none. With a segmenter, what its ``fit`` takes.

        Returns
        -------
        SegmentValidator
            The fitted validator.

        Raises
        ------
        SegkitValueError
            Where neither labels nor a segmenter are given, labels do not fit the rows, or nobody is
            in a segment.
        ColumnError, SegkitTypeError
            For a column that is absent, or of a type that its role does not allow.
        """
        self._forget()
        if self.segmenter is not None:
            check_is_estimator(self.segmenter, owner=_OWNER)
        elif not isinstance(y, str) and isinstance(as_frame(X, owner=_OWNER), nw.LazyFrame):
            raise LazyFrameError(
                f"{_OWNER}: the rows of a lazy frame have no order that labels could follow. Pass "
                "the name of the column that has the segments: fit(X, y='segment')."
            )
        table = Table.of(X)
        self._remember(table)
        first, second = draw_seeds(self.random_state, 2, owner=_OWNER)
        roles = {
            role: table.named(getattr(self, role), role)
            for role in ("basis", "outcomes", "channels", "value", "customer_id")
        }
        if self.segmenter is None:
            found = from_labels(table, y, roles)
        else:
            found = from_segmenter(self.segmenter, table, y, roles, first)
        customers = JudgedCustomers(
            codes=found.codes,
            segments=found.segments,
            basis=table.variables(found.basis),
            outcomes=table.variables(roles["outcomes"]),
            channels=table.variables(roles["channels"]),
            value=_value_of(table, roles["value"]),
        )
        is_clustering = self.from_clusterer
        if is_clustering is None and self.segmenter is not None:
            is_clustering = is_clusterer(self.segmenter)
        refits, reason = found.refits(self.segmenter, table, y)
        judgement = judge(
            customers,
            refits,
            reason,
            is_clustering=is_clustering,
            limits=Limits(self.min_size, self.min_share, self.max_segments, self.n_bootstraps),
            seed=second,
            n_jobs=self.n_jobs,
        )
        self._found, self._basis, self._ids = found, customers.basis, table.ids(self.customer_id)
        self.segmenter_, self.basis_ = found.segmenter, found.basis
        self.segments_ = np.array(found.segments, dtype=object)
        self.labels_ = found.codes.astype(np.int64)
        self.differences_ = judgement.differences
        self.merge_candidates_ = judgement.merge_candidates
        self.structure_test_ = judgement.structure_test
        self.report_ = report_of(judgement.assessments)
        self.verdicts_ = verdicts_of(judgement.assessments)
        self.passed_ = all(one.passed is not False for one in judgement.assessments)
        return self

    def compare(self, later: Any, y: Any = None) -> SegmentDurability:
        """Tell how durable the segments are, given a later table of the same customers.

        Customers are found again by `customer_id`, by the index of pandas frames, or else by the
        order of the rows; those in one table only are left out.

        Parameters
        ----------
        later : frame or array of shape (n_customers_later, n_columns)
            The customers later, in the columns of ``fit``. A lazy frame is collected.
        y : array-like of shape (n_customers_later,) or str, default=None
            Their segments then, as for :meth:`fit`. None: as the fitted segmenter predicts them,
            with what it learned before.

        Returns
        -------
        SegmentDurability
            Who moved where, who stayed, and which variables have drifted.

        Raises
        ------
        NotFittedError
            Before ``fit``.
        SegkitValueError
            Where no customer is found again, or rows in order are of another number.
        SegkitTypeError
            Where `y` is needed: after labels, and after a segmenter that does not predict.

        Notes
        -----
        Durable is who stays: Cohen's kappa of at least .4 (Landis & Koch 1977: moderate agreement
        beyond what sizes alone would give). Drift explains and does not decide, because some
        variables must drift, such as tenure: a population stability index above .25 is a shift
        (Siddiqi 2006), and of many customers each trifle has a small p-value (Kolmogorov-Smirnov,
        or χ² for categories, adjusted). Missing values are a bin of the index, and the χ² test of
        their share is a second one. Columns of the basis that `later` lacks are not assessed.
        """
        check_is_fitted(self)
        table = self._table_like_that_of_fit(later)
        found = self._found.names_later(table, y)
        ids = table.ids(self.customer_id)
        place_before: Any = slice(None)
        place_later: Any = slice(None)
        is_in_order = only_counts(ids) and only_counts(self._ids)
        doubled = [one is not None and one.has_duplicates for one in (self._ids, ids)]
        if all(doubled):
            is_in_order = True  # These tell no customer apart.
        elif any(doubled) and not is_in_order:
            raise SegkitValueError(
                f"{_OWNER}: the index has doubled labels in one of the two tables, so that "
                "customers cannot be found in both. Pass customer_id=... with the column that has "
                "their ids."
            )
        if ids is not None and self._ids is not None and not is_in_order:
            both = self._ids.intersection(ids, sort=False)
            if not len(both):
                raise SegkitValueError(
                    f"{_OWNER}: no customer of the later table was there in fit. Pass "
                    "customer_id=... with the column that has their ids in both."
                )
            place_before, place_later = self._ids.get_indexer(both), ids.get_indexer(both)
        elif len(table) != len(self.labels_):
            raise SegkitValueError(
                f"{_OWNER}: the later table has {len(table):,} rows and the one of fit "
                f"{len(self.labels_):,}, in an order that would have to be the same. Pass "
                "customer_id=... with the column that tells the customers apart."
            )
        before, after = self._found.names[place_before], found[place_later]
        order = [name for name in self._found.named if name in {*before, *after}]
        order += sorted({*after} - {*order, UNASSIGNED})
        places = {name: place for place, name in enumerate(order)} | {UNASSIGNED: -1}
        there = table.variables([name for name in self.basis_ if name in table.names])
        return durability(
            np.array([places[name] for name in before], dtype=np.intp),
            np.array([places[name] for name in after], dtype=np.intp),
            tuple(order),
            {name: (self._basis[name], there.get(name)) for name in self.basis_},
            n_before=len(self.labels_),
            is_in_order=isinstance(place_before, slice) and not table.is_array,
        )

    @available_if(_has_segmenter)
    def score(self, X: Any, y: Any = None) -> float:
        """Return the prediction strength of the segments in customers who were not in ``fit``.

        The segmenter is fitted to these customers, too. Of each segment found so, it is the share
        of pairs of customers that the segmenter of ``fit`` puts together as well; the lowest share
        counts. So segmentations can be compared in a grid search.

        Parameters
        ----------
        X : frame or array of shape (n_customers, n_columns)
            Other customers, in the columns of ``fit``.
        y : array-like of shape (n_customers,), default=None
            What the segmenter's ``fit`` takes, if anything.

        Returns
        -------
        float
            From 0 to 1; more is better, and above 0.8 is strong. A single segment has 1.

        Raises
        ------
        NotFittedError
            Before ``fit``.
        SegkitTypeError
            After a segmenter that does not predict.
        AttributeError
            Without a segmenter: labels do not say where other customers belong.

        References
        ----------
        .. [1] R. Tibshirani & G. Walther (2005). "Cluster validation by prediction strength".
           Journal of Computational and Graphical Statistics 14, 511-528.
        """
        check_is_fitted(self)
        if not hasattr(self.segmenter_, "predict"):
            raise SegkitTypeError(
                f"{_OWNER}.score needs a segmenter that predicts. Put a clusterer that does not "
                "into a ClusterSegmenter."
            )
        rows = self._table_like_that_of_fit(X).rows(self._found.given)
        (seed,) = draw_seeds(self.random_state, 1, owner=_OWNER)
        with one_thread(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # ``fit`` has warned
            other = prepared(self.segmenter, seed, owner=_OWNER).fit(rows, y)
        return strength_of(labels_of(other, rows), labels_of(self.segmenter_, rows))

    def summary(self) -> str:
        """Say in words what was found.

        Returns
        -------
        str
            A line for the whole, and one for each criterion.

        Raises
        ------
        NotFittedError
            Before ``fit``.
        """
        check_is_fitted(self)
        n_segments = len(self.segments_)
        failed = self.verdicts_.loc[self.verdicts_["status"] == "failed", "criterion"]
        verdict = "passed" if self.passed_ else f"failed ({', '.join(failed)})"
        customers = counted(len(self.labels_), "customer")
        lines = [f"{customers} in {counted(n_segments, 'segment')}: {verdict}."]
        lines += [
            f"- {one.criterion}: {one.status}; {one.reason}."
            for one in self.verdicts_.itertuples(index=False)
        ]
        return "\n".join(lines)

    def __sklearn_tags__(self) -> Tags:
        """Return the tags of an estimator of tables of any kind."""
        tags: Tags = super().__sklearn_tags__()
        of_segmenter = None if self.segmenter is None else get_tags(self.segmenter)
        tags.input_tags.allow_nan = of_segmenter is None or of_segmenter.input_tags.allow_nan
        tags.input_tags.string = True
        tags.target_tags.required = self.segmenter is None
        return tags

    # Private helpers, in reading order.

    def _forget(self) -> None:
        for name in [name for name in vars(self) if name.endswith("_") and name[0] != "_"]:
            delattr(self, name)

    def _remember(self, table: Table) -> None:
        self.n_features_in_ = len(table.names)
        if not table.is_array:
            self.feature_names_in_ = np.array(table.names, dtype=object)

    def _table_like_that_of_fit(self, X: Any) -> Table:
        table = Table.of(X)
        if table.is_array and len(table.names) != self.n_features_in_:
            raise SegkitValueError(
                f"X has {len(table.names)} features, but {_OWNER} is expecting "
                f"{self.n_features_in_} features as input. Pass the columns of fit, in their order."
            )
        return table


def _value_of(table: Table, names: list[str]) -> Floats | None:
    if not names:
        return None
    variable: Variable = table.variables(names)[names[0]]
    if not isinstance(variable, Numbers):
        raise SegkitTypeError(
            f"{_OWNER}: value {names[0]!r} must hold numbers: what each customer is worth."
        )
    return variable.values
