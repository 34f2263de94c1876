"""``assign``: the segment of each customer, added to a frame of any kind.

An eager frame's values are at hand, so its columns are made from the codes of an array. A lazy
frame gets expressions, which its engine runs when it is executed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import and_, or_
from typing import TYPE_CHECKING, Any

import narwhals.stable.v2 as nw
import numpy as np

from segkit._frames import (
    RESERVED,
    UNASSIGNED,
    Frame,
    balanced,
    ignores_case,
    label_dtype,
    label_series,
    with_series,
)
from segkit._ibis_tables import legible
from segkit._input_checks import check_numeric
from segkit.base._customers import group_in_frame
from segkit.exceptions import ColumnError, LazyFrameError, SegkitTypeError

if TYPE_CHECKING:
    from segkit.base._segmenter import SegmenterMixin

_CODE = f"{RESERVED}code"
_GROUP = f"{RESERVED}group"
_VALUE = f"{RESERVED}value_"


def assign_eager(
    segmenter: SegmenterMixin, frame: nw.DataFrame[Any], *, label: str
) -> nw.DataFrame[Any]:
    """Return an eager frame with the segmenter's features and its label column added."""
    customers = segmenter._customers(frame, reset=False)
    segmenter._check(customers)
    codes = segmenter._codes_or_unassigned(customers.values)
    features = segmenter._feature_columns(frame, customers.values)
    check_added_names(segmenter, frame, [series.name for series in features], label)
    labels = [*map(str, segmenter.segments_), UNASSIGNED]
    positions = np.where(codes < 0, len(labels) - 1, codes)
    return with_series(frame, [*features, label_series(frame, label, labels, positions)])


def assign_lazy(
    segmenter: SegmenterMixin, frame: nw.LazyFrame[Any], *, label: str
) -> nw.LazyFrame[Any]:
    """Return a lazy frame with the segmenter's features and its label column added."""
    plan = segmenter._code_plan(frame)
    check_added_names(segmenter, frame, plan.features, label)
    coded = with_code(frame, plan, _CODE)
    labels = [str(segment) for segment in segmenter.segments_]
    return _with_label(coded, labels, label).drop([_CODE, *plan.hidden])


def _with_label(coded: nw.LazyFrame[Any], labels: Sequence[str], label: str) -> nw.LazyFrame[Any]:
    """Return a lazy frame with the label of each code."""
    if coded.implementation.is_ibis():
        table = legible(coded.to_native())
        # Written as one list of cases, which names the code once: Postgres and others write out
        # what a code is wherever it is named.
        cases = table[_CODE].cases(*enumerate(labels), else_=UNASSIGNED)
        labelled: nw.LazyFrame[Any] = nw.from_native(table.mutate(**{label: cases}))
        return labelled
    assigned = nw.when(nw.col(_CODE) >= 0)
    named = assigned.then(_label_at(labels)).otherwise(nw.lit(UNASSIGNED))
    return coded.with_columns(named.cast(label_dtype(coded, [*labels, UNASSIGNED])).alias(label))


def _label_at(labels: Sequence[str], first: int = 0) -> nw.Expr:
    """Return the label of each code, by halves: one choice inside another is deep for an engine."""
    if len(labels) == 1:
        return nw.lit(labels[0])
    half = len(labels) // 2
    below = nw.when(nw.col(_CODE) < first + half)
    return below.then(_label_at(labels[:half], first)).otherwise(
        _label_at(labels[half:], first + half)
    )


@dataclass(frozen=True)
class CodePlan:
    """How a query engine computes codes: columns in steps, then the code, -1 where unassigned.

    In steps, so that the engine computes features once for the codes, and codes for the labels.
    `features` are the columns that stay, `hidden` those that are dropped in the end.
    """

    code: nw.Expr
    steps: Sequence[Mapping[str, nw.Expr]] = ()
    features: Sequence[str] = ()
    hidden: Sequence[str] = ()


def with_code(frame: nw.LazyFrame[Any], plan: CodePlan, name: str) -> nw.LazyFrame[Any]:
    """Return a lazy frame with the columns of a plan added, and its code under this name."""
    for step in plan.steps:
        frame = frame.with_columns(**step)
    return frame.with_columns(plan.code.alias(name))


def plan_of_numbers(segmenter: SegmenterMixin, frame: nw.LazyFrame[Any]) -> CodePlan:
    """Return the plan of a segmenter whose codes are an expression of columns of numbers."""
    owner = type(segmenter).__name__
    names = segmenter._names_to_read(frame)
    masked = {
        f"{_VALUE}{place}": null_where_missing(name, frame) for place, name in enumerate(names)
    }
    values = [nw.col(name) for name in masked]
    complete = balanced(and_, [~value.is_null() for value in values])
    group = group_in_frame(segmenter, frame, reset=False)
    if group is not None:
        values.append(nw.col(_GROUP))
    code = segmenter._code_expression(values)
    if code is None:
        raise LazyFrameError(
            f"{owner} cannot be written as expressions, so it cannot be applied inside a query "
            "engine. Collect the frame first: .collect() in polars, .df() in DuckDB."
        )
    check_numeric(names, frame, owner=owner)
    features = segmenter._feature_expressions(values)
    hidden = segmenter._hidden_expressions(values)
    if segmenter._handles_missing():
        # What is missing may mean something; what is infinite is a mistake.
        code = unassigned_where_infinite(code, names, frame)
    else:
        code = nw.when(complete).then(code).otherwise(nw.lit(-1))
    groups: dict[str, nw.Expr] = {}
    if group is not None:
        place = segmenter._group_expression(nw.col(group), frame.collect_schema()[group])
        groups = {_GROUP: place}
    return CodePlan(
        code,
        steps=[{**masked, **groups}, *features, *hidden],
        features=[name for step in features for name in step],
        hidden=[*masked, *groups, *(name for step in hidden for name in step)],
    )


def unassigned_where_infinite(
    code: nw.Expr, names: Sequence[str], frame: nw.LazyFrame[Any]
) -> nw.Expr:
    """Return the code, -1 where one of these columns of numbers is infinite."""
    infinite = [is_infinite(name) for name in names if not _is_whole(name, frame)]
    return nw.when(balanced(or_, infinite)).then(nw.lit(-1)).otherwise(code) if infinite else code


def is_infinite(name: str) -> nw.Expr:
    """Return where a column of numbers is infinite; null where it is null."""
    return nw.col(name).cast(nw.Float64).abs() == nw.lit(np.inf)


def null_where_missing(name: str, frame: nw.LazyFrame[Any]) -> nw.Expr:
    """Return a column as Float64, null where it is null, NaN or infinite.

    Missing values are masked before any comparison: NaN > edge is true in polars and DuckDB and
    false in pandas.
    """
    value = nw.col(name).cast(nw.Float64)
    return value if _is_whole(name, frame) else nw.when(value.is_finite()).then(value)


def _is_whole(name: str, frame: nw.LazyFrame[Any]) -> bool:
    """Tell whether a column has a type that can be neither NaN nor infinite."""
    return frame.collect_schema()[name].is_integer()


def check_added_names(
    segmenter: SegmenterMixin, frame: Frame, features: Sequence[str], label: str | None
) -> None:
    """Raise where the columns to add would get in the way of each other or of those used.

    A `label` of None: only the features are added.
    """
    owner = type(segmenter).__name__
    if label is not None and (not isinstance(label, str) or not label):
        raise SegkitTypeError(f"{owner}: name must be text, the name of a column, got {label!r}.")
    if label in features:
        raise ColumnError(
            f"{owner}: name={label!r} is also the name of a feature that assign adds; the "
            f"features are {list(features)}."
        )
    used = {str(column) for column in [*segmenter._columns_used, segmenter._group_used]}
    if taken := sorted(used & set(features)):
        raise ColumnError(
            f"{owner}: assign would replace {taken}, which it reads. Rename these columns."
        )
    if not isinstance(frame, nw.LazyFrame):
        return
    available = frame.collect_schema().names()
    to_add = [*features] if label is None else [*features, label]
    if reserved := [name for name in (*available, *to_add) if name.startswith(RESERVED)]:
        raise ColumnError(f"{owner}: names that begin with {RESERVED!r} are reserved: {reserved}.")
    if ignores_case(frame):
        folded = {name.casefold(): name for name in available}
        for added in to_add:
            present = folded.get(added.casefold(), added)
            if present != added:
                raise ColumnError(
                    f"{owner}: assign adds {added!r}, and the frame has {present!r}, which its "
                    "engine takes for the same. Rename it."
                )
