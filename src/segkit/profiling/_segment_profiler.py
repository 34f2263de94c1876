"""SegmentProfiler: who the segments are, from any source of labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.frozen import FrozenEstimator
from sklearn.utils import Tags, get_tags
from sklearn.utils.validation import check_is_fitted

from segkit._frames import Frame, as_frame
from segkit._input_checks import check_labels, estimator_name
from segkit._warn import warn
from segkit.cluster._mixed_columns import frame_of_array
from segkit.exceptions import LazyFrameError, SegkitTypeError, SegkitValueError, SegkitWarning
from segkit.metrics._foreign_estimators import check_is_estimator, told_by_column
from segkit.profiling._differences import differences_table
from segkit.profiling._engine import summarise_lazily
from segkit.profiling._given_data import check_array, columns_of
from segkit.profiling._parameters import (
    check_parameters,
    check_phrases_are_of_columns,
    described_columns,
    group_of_columns,
    label_column,
    resolved_columns,
    value_column,
)
from segkit.profiling._personas import Persona, personas_of
from segkit.profiling._profile_table import profile_table, sizes_table
from segkit.profiling._reports import html_report, markdown_report, wide_table
from segkit.profiling._segment_labels import (
    SegmentLabels,
    read_segment_labels,
)
from segkit.profiling._segmenter_labels import (
    columns_for_segmenter,
    columns_of_segmenter,
    fit_segmenter,
    labels_of_segmenter,
    names_of_segmenter,
)
from segkit.profiling._summaries import Summaries, summarise_frame
from segkit.profiling._suppression import small_cells

_OWNER = "SegmentProfiler"


class SegmentProfiler(BaseEstimator):
    """Tell who the segments are: sizes, profiles, what sets them apart, and a persona each.

    The segments come from anywhere: a segmenter to fit, the labels of another library, or a column
    of a CRM. Fitted, it has one tidy table (``profile_``), the variables in the order in which
    segments differ in them (``differences_``), each segment in words (``personas_``) and reports to
    share (:meth:`to_markdown`, :meth:`to_html`).

    Parameters
    ----------
    segmenter : estimator, default=None
        A segmenter or clusterer, which ``fit`` clones and fits; one that is fitted is passed as
        :class:`sklearn.frozen.FrozenEstimator`. None: ``fit`` takes labels as `y`.
    value : str or int, default=None
        The column of what customers are worth: segments get their share of its sum.
    columns : list of str or int, default=None
        The columns to describe, by name, or by position of an array. None: all that tell
        something about kinds of customers; ids, free text and empty columns are left out, and
        ``left_out_`` says why.
    groups : dict of str to list of str, default=None
        Which columns belong together, such as ``{"demographic": ["age", "income"], "channel
        preference": ["channel"]}``; personas speak of each group.
    basis : str, int or list of these, default=None
        The columns that the segments were made of. That segments differ in these says nothing:
        their tests are marked as descriptive. A segmenter without columns of its own is fitted on
        these alone. None: with a segmenter the columns that it uses; with labels none.
    phrases : dict of str to str, default=None
        How columns are told, with ``{}`` for the number and ``{level}`` for the level, such as
        ``{"channel": "{} prefer {level}", "age": "{} years old"}``. Columns of
        :func:`~segkit.summarize_transactions` have phrases.
    max_levels : int, default=10
        Of a category the most frequent levels are described, and all others as one.
    min_cell : int, default=10
        Numbers about fewer customers are withheld from personas, reports and pictures, and others
        where they would give them away; ``profile_`` has all, and says which in ``is_small``. That
        nobody of a larger segment has a level is told, and so are the names of all segments;
        ``sizes_`` is complete, too. 1: nothing is withheld.
    confidence : float, default=0.95
        Of the intervals of standardised differences.
    n_traits : int, default=5
        At most so many traits a persona.
    n_representatives : int, default=3
        So many typical customers a persona; 0: none.

    Attributes
    ----------
    profile_ : pandas.DataFrame
        A row for each segment and variable, or level of a variable, and at the end those of
        everyone in a segment (``"(everyone)"``). The columns are listed in the Notes.
    differences_ : pandas.DataFrame
        A row a variable, that in which segments differ most first: ``variable``, ``kind``,
        ``group``, ``test``, ``effect``, ``is_descriptive``, ``customers``, ``effect_size``,
        ``statistic``, ``degrees_of_freedom``, ``p_value``, ``p_adjusted``, ``epsilon_squared``,
        ``omega_squared``, ``cramers_v``, ``welch_f``, ``welch_p_value``, ``welch_p_adjusted``.
    personas_ : dict of str to Persona
        Each segment in words, by its name. Labels that are no text are found, too:
        ``personas_[0]`` is ``personas_["0"]``.
    segments_ : ndarray of shape (n_segments,), dtype object
        Names of the segments that have customers.
    sizes_ : pandas.DataFrame
        A row a segment: ``segment``, ``customers``, ``share`` and, with `value`, ``value`` (the
        sum) and ``share_of_value``.
    n_unassigned_ : int
        Customers without a segment (-1, ``"unassigned"`` or missing), who are in none of the
        numbers.
    left_out_ : dict of str to str
        Columns that are not described, and why.
    segmenter_ : estimator
        The fitted segmenter; only where one was given.
    n_features_in_ : int
        Number of columns of the data of ``fit``.
    feature_names_in_ : ndarray of shape (n_features_in_,), dtype object
        Their names; only after fitting on a frame.

    See Also
    --------
    segkit.plotting.ProfileDisplay : Pictures of a profile.
    segkit.metrics.epsilon_squared, segkit.metrics.cramers_v : The effect sizes.

    Notes
    -----
    The columns of ``profile_``:

    - ``segment``, ``variable``, ``kind`` ("size", "number", "flag", "category" or "date"),
      ``group``, ``level``. Sizes are the variable ``"(size)"``. Booleans and columns of 0 and 1 are
      flags, of which the level "yes" is described. Levels beyond `max_levels` are pooled as
      ``"(other levels)"``.
    - ``customers``: with a value, of a level those who have it; ``missing_share``.
    - ``share``: of a level among the segment's customers with a value; of a size among all.
      ``lift``: that share divided by everyone's. ``share_of_value``: of a size.
    - ``mean``, ``std``, ``q05``, ``q25``, ``median``, ``q75``, ``q95``: of numbers; quantiles by
      linear interpolation. Of whole numbers beyond 2**53 these are rounded; differences between
      segments are not, unless values are missing: such a column is read as floats. Numbers with a
      point that agree in 14 digits are taken for equal: their last digits differ by the order in
      which something was summed.
    - ``index``: 100 times the mean or share divided by everyone's; 100 is average. NaN where the
      mean of everyone is 0 (but for rounding), or less than a tenth of the standard deviation of a
      column with negative numbers: there one number is no multiple of another.
    - ``difference``, ``difference_low``, ``difference_high``: Hedges' g between the segment and
      all others, and its interval [1]_: the difference of means, or of shares, in standard
      deviations.
    - ``dominance``: the chance that a customer of the segment has a greater value than one of the
      others, less the chance of a lesser one (Cliff's δ [2]_); of a level the difference of shares.
    - ``first``, ``date_q25``, ``date_median``, ``date_q75``, ``last``: of dates, as clocks showed
      them.
    - ``is_small``: whether the row is withheld from what is shared.

    Segments differ in a number by the test of Kruskal & Wallis, with ε² = H / (n - 1), and by
    Welch's analysis of variance, with ω²; in a category by χ², with Cramér's V corrected for bias.
    ``effect_size`` is ε, the root of ε², or V: both are on the scale of a correlation. p-values are
    adjusted by Benjamini & Hochberg [3]_, those of `basis` by themselves.

    Lazy frames (polars, DuckDB) are counted in their engine, and only counts, sums and means are
    collected: name the column of labels as `y`, or pass a segmenter. Quantiles, ranks and
    representatives need the values; they are missing there, and numbers are tested by Welch's
    analysis of variance, with ω in place of ε.

    Representatives are medoids by Gower's distance [4]_: of the customers of a segment (of a larger
    one 5,000, evenly spaced over its rows) those who are closest to all others.

    References
    ----------
    .. [1] L. V. Hedges & I. Olkin (1985). "Statistical methods for meta-analysis". Academic Press.
    .. [2] N. Cliff (1993). "Dominance statistics: ordinal analyses to answer ordinal questions".
       Psychological Bulletin 114, 494-509.
    .. [3] Y. Benjamini & Y. Hochberg (1995). "Controlling the false discovery rate". Journal of the
       Royal Statistical Society B 57, 289-300.
    .. [4] J. C. Gower (1971). "A general coefficient of similarity and some of its properties".
       Biometrics 27, 857-871.

    Examples
    --------
    >>> import pandas as pd
    >>> from segkit import SegmentProfiler
    >>> customers = pd.DataFrame(
    ...     {
    ...         "monetary": [20.0, 35, 30, 25, 400, 310, 280, 350],
    ...         "channel": ["shop", "shop", "web", "shop", "web", "web", "web", "web"],
    ...     }
    ... )
    >>> tiers = ["low"] * 4 + ["high"] * 4
    >>> profiler = SegmentProfiler(value="monetary", min_cell=1).fit(customers, y=tiers)
    >>> print(profiler.personas_["high"])
    high: 4 customers (50 %), 92 % of value
    - spends 1.8× the average (mean 335; everyone 181)
    - channel: 100 % web (base 62 %)
    >>> profiler.differences_[["variable", "effect", "effect_size"]].round(2)
       variable     effect  effect_size
    0  monetary    epsilon         0.87
    1   channel  cramers_v         0.73
    """

    def __init__(
        self,
        segmenter: Any = None,
        *,
        value: str | int | None = None,
        columns: Sequence[str | int] | None = None,
        groups: Mapping[str, Sequence[str]] | None = None,
        basis: str | int | Sequence[str | int] | None = None,
        phrases: Mapping[str, str] | None = None,
        max_levels: int = 10,
        min_cell: int = 10,
        confidence: float = 0.95,
        n_traits: int = 5,
        n_representatives: int = 3,
    ) -> None:
        self.segmenter = segmenter
        self.value = value
        self.columns = columns
        self.groups = groups
        self.basis = basis
        self.phrases = phrases
        self.max_levels = max_levels
        self.min_cell = min_cell
        self.confidence = confidence
        self.n_traits = n_traits
        self.n_representatives = n_representatives

    def __sklearn_tags__(self) -> Tags:
        """Return the tags: any column is read, and labels are needed unless a segmenter is."""
        tags: Tags = super().__sklearn_tags__()
        # Missing values are described; a segmenter may refuse them.
        has_tags = hasattr(self.segmenter, "__sklearn_tags__")
        tags.input_tags.allow_nan = (
            get_tags(self.segmenter).input_tags.allow_nan if has_tags else True
        )
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        tags.target_tags.required = self.segmenter is None
        return tags

    def fit(self, X: Any, y: Any = None) -> Self:
        """Describe customers by segment.

        Parameters
        ----------
        X : frame or array of shape (n_customers, n_columns)
            One row per customer; of an array the columns are called ``x0``, ``x1``, ... Of a lazy
            frame only counts, sums and means are collected, by segment.
        y : array-like of shape (n_customers,) or str, default=None
            The segment of each customer: codes, names or categories. Categories of pandas and
            an Enum of polars keep their order, all else is sorted (polars' Categorical has no order
            of its own). Or the name of a column of `X` that has it, which is then not described.
            With a `segmenter`, `y` is what that is fitted with.

        Returns
        -------
        SegmentProfiler
            The fitted profiler.

        Raises
        ------
        SegkitValueError, SegkitTypeError
            For parameters that cannot be, for infinite numbers, for labels that do not fit, and
            where nobody has a segment.
        ColumnError
            For a column that is named and not there.
        LazyFrameError
            For a lazy frame with labels of its own, or with an estimator that has no ``assign``.
        """
        for name in [name for name in vars(self) if name.endswith("_") and name[0] != "_"]:
            delattr(self, name)
        check_parameters(self)
        if self.segmenter is None and y is None:
            raise SegkitValueError(
                f"{_OWNER} requires y to be passed, but the target y is None. Pass the segments, "
                f"fit(X, y=labels), or {_OWNER}(segmenter=...)."
            )
        frame = as_frame(X, owner=_OWNER)
        # Of numbers near the largest there are, squares are infinite, and said to be.
        with np.errstate(over="ignore", invalid="ignore"):
            return self._fit(X, frame, y)

    def _fit(self, X: Any, frame: Frame | None, y: Any) -> Self:
        if isinstance(frame, nw.LazyFrame):
            summaries, available = self._summarise_lazily(frame, y), frame.collect_schema().names()
            self._remember_names(available)
        else:
            summaries, available = self._summarise(X, frame, y)
        basis = set(self._basis(available))
        groups = group_of_columns(self, available)
        check_phrases_are_of_columns(self, available)
        value = value_column(self, available)
        if value is not None and summaries.kinds.get(value) != "number":
            raise SegkitTypeError(
                f"{_OWNER}: value={self.value!r} must be a column of numbers, "
                f"got {summaries.kinds.get(value) or summaries.left_out.get(value)}."
            )
        self.segments_ = np.array(summaries.segments, dtype=object)
        self.n_unassigned_ = summaries.n_unassigned
        self.left_out_ = dict(summaries.left_out)
        self.sizes_ = sizes_table(summaries, value)
        profile = profile_table(
            summaries,
            groups=groups,
            value=value,
            max_levels=self.max_levels,
            confidence=self.confidence,
        )
        hidden = small_cells(summaries, max_levels=self.max_levels, min_cell=self.min_cell)
        self.profile_ = profile.assign(is_small=hidden)
        self.differences_ = differences_table(summaries, groups=groups, basis=basis)
        self.personas_: dict[str, Persona] = personas_of(
            self.profile_,
            representatives=dict(zip(summaries.segments, summaries.representatives, strict=True)),
            phrases=self.phrases or {},
            groups=groups,
            n_traits=self.n_traits,
            has_value=value is not None,
        )
        return self

    def to_frame(self, statistic: str = "index", *, suppress: bool = True) -> pd.DataFrame:
        """Return one statistic of the profile, a row a variable or level, a column a segment.

        Parameters
        ----------
        statistic : str, default="index"
            A column of numbers of ``profile_``, such as ``"median"``, ``"share"`` or
            ``"difference"``.
        suppress : bool, default=True
            Whether numbers about fewer than `min_cell` customers are missing; of ``"customers"``
            and ``"missing_share"`` also those from which so few customers without a value follow.

        Returns
        -------
        pandas.DataFrame
            ``variable``, ``level``, then a column for each segment and ``"(everyone)"``; only
            variables of which the statistic says something. Where it says nothing of any, a
            :class:`~segkit.exceptions.SegkitWarning` says why.

        Raises
        ------
        NotFittedError
            Before ``fit``.
        SegkitValueError
            For a statistic that the profile does not have.
        """
        check_is_fitted(self)
        known = [n for n in self.profile_.columns if n not in _NO_STATISTICS]
        if statistic not in known:
            raise SegkitValueError(
                f"{_OWNER}: statistic must be one of {known}, got {statistic!r}."
            )
        table = wide_table(self.profile_, statistic, min_cell=self.min_cell, suppress=suppress)
        if table.empty:
            why = _WHY_EMPTY.get(statistic, "no described column has it")
            warn(f"{_OWNER}.to_frame({statistic!r}): the table is empty; {why}.", SegkitWarning)
        return table

    def to_markdown(self, *, title: str = "Segment profile", representatives: bool = False) -> str:
        """Return a report in Markdown: sizes, personas, differences and the profile.

        Parameters
        ----------
        title : str, default="Segment profile"
            The heading.
        representatives : bool, default=False
            Whether to name the rows of typical customers.

        Returns
        -------
        str
            The report, without numbers about fewer than `min_cell` customers.

        Raises
        ------
        NotFittedError
            Before ``fit``.
        """
        check_is_fitted(self)
        return markdown_report(self, title=title, representatives=representatives)

    def to_html(self, *, title: str = "Segment profile", representatives: bool = False) -> str:
        """Return the report as an HTML page, with nothing to load from elsewhere.

        Its table is made by great-tables where that is installed, else by pandas.

        Parameters
        ----------
        title : str, default="Segment profile"
            The heading.
        representatives : bool, default=False
            Whether to name the rows of typical customers.

        Returns
        -------
        str
            The page, without numbers about fewer than `min_cell` customers.

        Raises
        ------
        NotFittedError
            Before ``fit``.
        """
        check_is_fitted(self)
        return html_report(self, title=title, representatives=representatives)

    def __sklearn_is_fitted__(self) -> bool:
        """Tell whether fit has come to its end."""
        return hasattr(self, "personas_")

    def _summarise(self, X: Any, frame: Frame | None, y: Any) -> tuple[Summaries, list[str]]:
        if frame is None:
            check_array(X, owner=_OWNER)
            view = frame_of_array(self, X, reset=True, prefix="x")
        else:
            view = frame  # type: ignore[assignment]
            self._remember_names(view.columns)
        n_rows = len(view)
        if not n_rows:
            raise SegkitValueError(f"{_OWNER}: there are no customers; X has 0 rows.")
        label = None
        if self.segmenter is not None:
            labels: SegmentLabels = self._fitted_labels(X, frame, view, y)
        elif isinstance(y, str):
            label = label_column(y, frame)
            labels = read_segment_labels(view[label].to_native(), n_rows, owner=_OWNER)
        else:
            check_labels(y, getattr(X, "index", None), owner=_OWNER)
            labels = read_segment_labels(y, n_rows, owner=_OWNER)
        summaries = summarise_frame(
            view,
            described_columns(self, view.columns, label),
            labels,
            value=value_column(self, view.columns),
            n_representatives=self.n_representatives,
            owner=_OWNER,
        )
        return summaries, view.columns

    def _fitted_labels(
        self, X: Any, frame: Frame | None, view: nw.DataFrame[Any], y: Any
    ) -> SegmentLabels:
        """Fit the segmenter on the columns that are its, and return the segment of each row."""
        check_is_estimator(self.segmenter, owner=_OWNER)
        names = self._handed_columns(view.columns)
        rows = X if names is view.columns else columns_of(X, frame, names, view.columns)
        with told_by_column(self.segmenter, view, names, owner=_OWNER):
            self.segmenter_ = fit_segmenter(self.segmenter, rows, y)
            return labels_of_segmenter(self.segmenter_, rows, len(view), owner=_OWNER)

    def _handed_columns(self, available: list[str]) -> Sequence[str]:
        named = None if self.basis is None else self._basis(available)
        return columns_for_segmenter(self.segmenter, available, named)

    def _summarise_lazily(self, frame: nw.LazyFrame[Any], y: Any) -> Summaries:
        names = frame.collect_schema().names()
        if self.segmenter is None:
            if not isinstance(y, str):
                raise LazyFrameError(
                    f"{_OWNER}: the rows of a lazy frame have no order that labels could follow. "
                    "Pass the name of the column that has the segments: fit(X, y='segment')."
                )
            label = label_column(y, frame)
            described = described_columns(self, names, label)
            return summarise_lazily(
                frame,
                described,
                label,
                value=value_column(self, names),
                segments=None,
                owner=_OWNER,
            )
        check_is_estimator(self.segmenter, owner=_OWNER)
        is_frozen = isinstance(self.segmenter, FrozenEstimator)
        if not hasattr(self.segmenter.estimator if is_frozen else self.segmenter, "assign"):
            raise LazyFrameError(
                f"{_OWNER}: {estimator_name(self.segmenter)} has no assign(frame), which stays "
                "lazy. Collect the frame first: .collect() in polars, .df() in DuckDB."
            )
        native = frame.to_native()
        handed = self._handed_columns(names)
        rows = native if handed is names else frame.select(*handed).to_native()
        self.segmenter_ = fit_segmenter(self.segmenter, rows, y)
        segmenter = self.segmenter_.estimator if is_frozen else self.segmenter_
        label = "segkit_segment"
        while label in names:
            label += "_"
        assigned = nw.from_native(segmenter.assign(native, name=label))
        return summarise_lazily(
            assigned,
            described_columns(self, names, None),
            label,
            value=value_column(self, names),
            segments=names_of_segmenter(self.segmenter_),
            owner=_OWNER,
        )

    def _basis(self, available: list[str]) -> list[str]:
        """Return the columns that the segments were made of, as far as that is known."""
        if self.basis is not None:
            # One column may be named as it is, as for SegmentValidator.
            named = [self.basis] if isinstance(self.basis, str | int) else self.basis
            return resolved_columns(named, available, "basis")
        if self.segmenter is None:
            return []
        return columns_of_segmenter(self.segmenter_, available)

    def _remember_names(self, names: Sequence[str]) -> None:
        self.feature_names_in_ = np.array(names, dtype=object)
        self.n_features_in_ = len(names)


_WHY_EMPTY = {
    "index": (
        "columns with a mean of (nearly) 0, such as standardised ones, have no index. "
        "Try to_frame('difference')"
    ),
    "share_of_value": "it needs value='...', a column whose sum is positive",
}
_NO_STATISTICS = (
    *("segment", "variable", "kind", "group", "level", "is_small"),
    *("first", "date_q25", "date_median", "date_q75", "last"),
)
