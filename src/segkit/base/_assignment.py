"""``assign``: a segmenter written as expressions and added to a frame inside its own engine."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import and_
from typing import TYPE_CHECKING, Any

import narwhals.stable.v2 as nw

from segkit._frames import UNASSIGNED, Frame, float_matrix, label_dtype
from segkit._input_checks import check_numeric
from segkit.base._customers import Customers, names_in_frame, numeric_columns
from segkit.exceptions import LazyFrameError

if TYPE_CHECKING:
    from segkit.base._segmenter import SegmenterMixin

_CODE = "__segkit_code"


def add_segment(segmenter: SegmenterMixin, frame: Frame, *, label: str) -> Frame:
    """Return `frame` with the segmenter's features and its label column added."""
    names = names_in_frame(segmenter, frame, reset=False)
    if isinstance(frame, nw.LazyFrame):
        check_numeric(names, frame, owner=type(segmenter).__name__)
        coded = _with_code_expression(segmenter, frame, names)
        named: Frame = _name_codes(segmenter, coded, label)
        return named
    # An eager frame's columns are checked and made floats first, apart from the frame itself, so
    # that what comes back differs from what went in by the added columns only.
    customers = numeric_columns(segmenter, frame, names)
    values = float_matrix(customers)
    Customers(values, names, named=True).check(
        owner=type(segmenter).__name__, allow_missing=segmenter._allows_missing()
    )
    if segmenter._code_expression([nw.col(name) for name in names]) is None:
        codes = segmenter._codes_or_unassigned(values)
        code = nw.new_series(_CODE, codes, nw.Int64, backend=frame.implementation)
        coded = customers.with_columns(code)
    else:
        coded = _with_code_expression(segmenter, customers, names)
    added = _name_codes(segmenter, coded, label)
    kept = {label, *(name for name in added.columns if name not in names)}
    return frame.with_columns(*(added[name] for name in added.columns if name in kept))


def _with_code_expression(segmenter: SegmenterMixin, frame: Any, names: Sequence[str]) -> Any:
    values = [_null_where_missing(name) for name in names]
    code = segmenter._code_expression(values)
    if code is None:
        raise LazyFrameError(
            f"{type(segmenter).__name__} cannot be written as expressions, so it cannot be "
            "applied inside a query engine. Collect the frame first."
        )
    if not segmenter._handles_missing():
        complete = reduce(and_, (~value.is_null() for value in values))
        code = nw.when(complete).then(code).otherwise(nw.lit(-1))
    return segmenter._with_features(frame, values).with_columns(code.alias(_CODE))


def _null_where_missing(name: str) -> nw.Expr:
    """Return a column as Float64, null where it is null, NaN or infinite.

    Missing values are masked before any comparison: NaN > edge is true in polars and DuckDB and
    false in pandas.
    """
    value = nw.col(name).cast(nw.Float64)
    return nw.when(~value.is_null() & value.is_finite()).then(value)


def _name_codes(segmenter: SegmenterMixin, frame: Any, label: str) -> Any:
    segments = [str(segment) for segment in segmenter.segments_]
    code = nw.col(_CODE)
    chain: Any = nw.when(code == 0).then(nw.lit(segments[0]))
    for position, segment in enumerate(segments[1:], start=1):
        chain = chain.when(code == position).then(nw.lit(segment))
    names = chain.otherwise(nw.lit(UNASSIGNED)).cast(label_dtype(frame, segments))
    return frame.with_columns(names.alias(label)).drop(_CODE)
