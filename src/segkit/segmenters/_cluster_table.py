"""The columns that clusters are found in, from a frame or an array of any kind, in pandas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import narwhals.stable.v2 as nw
import pandas as pd

from segkit._frames import Frame, array_of_rows, as_frame, collected, float_values
from segkit._input_checks import check_columns_present, row_limits
from segkit.base._customers import checked_array, customers_from_array, names_in_frame
from segkit.exceptions import ColumnError, SegkitValueError

if TYPE_CHECKING:
    from segkit.segmenters._cluster import ClusterSegmenter

_OWNER = "ClusterSegmenter"


def table_of_fit(segmenter: ClusterSegmenter, X: Any) -> tuple[pd.DataFrame, pd.Series[Any] | None]:
    """Return the columns to use, and the one that orders the segments; remember their names."""
    frame = as_frame(X, owner=_OWNER)
    order_by = segmenter.order_by
    if frame is None:
        table = _from_array(segmenter, X, reset=True)
        ordering = None
        if order_by is not None:
            raise ColumnError(
                f"{_OWNER}: order_by={order_by!r} is the name of a column, and an array has none. "
                "Pass a frame."
            )
    else:
        if segmenter.columns is None:
            # Segments of an earlier fit, which assign would replace, are not looked at.
            found = frame.collect_schema().names()
            names = [name for name in found if name != segmenter._label_column]
            if not names:
                raise SegkitValueError(f"{_OWNER}: the frame has no columns, got {found}.")
        else:
            names = names_in_frame(segmenter, frame, reset=True)
        wanted = names if order_by is None else list(dict.fromkeys([*names, order_by]))
        if order_by is not None:
            remedy = "Pass order_by=... with the name of one of them."
            check_columns_present([order_by], frame, owner=_OWNER, remedy=remedy)
        table = _selected(frame, wanted)
        ordering = None if order_by is None else table[order_by]
        table = table[names]
    if len(table) < 2:
        raise SegkitValueError(
            f"{_OWNER}: at least two customers are needed, got n_samples={len(table)}."
        )
    segmenter._remember_columns(list(table.columns), frame)
    # What is looked at before customers are assigned are features, not columns of counts.
    segmenter._row_limits = row_limits([])
    return table, ordering


def table_of_customers(segmenter: ClusterSegmenter, X: Any) -> pd.DataFrame:
    """Return the columns that a fitted segmenter uses."""
    frame = as_frame(X, owner=_OWNER)
    if frame is None:
        return _from_array(segmenter, X, reset=False)
    table = _selected(frame, names_in_frame(segmenter, frame, reset=False))
    table.columns = pd.Index(segmenter._columns_used)
    return table


def _from_array(segmenter: ClusterSegmenter, X: Any, *, reset: bool) -> pd.DataFrame:
    if reset and segmenter.columns is None:
        array = checked_array(
            segmenter,
            array_of_rows(X, owner=type(segmenter).__name__)
            if isinstance(X, list | tuple | pd.DataFrame)
            else X,
            reset=True,
        )
        return pd.DataFrame(array)
    customers = customers_from_array(segmenter, X, reset=reset)
    return pd.DataFrame(dict(zip(customers.columns, customers.numbers, strict=True)))


def _selected(frame: Frame, names: list[str]) -> pd.DataFrame:
    frame = frame.select(names)
    eager = collected(frame) if isinstance(frame, nw.LazyFrame) else frame
    return pd.DataFrame({name: _pandas_column(eager[name]) for name in names})


def _pandas_column(series: nw.Series[Any]) -> pd.Series[Any]:
    """Return a column in pandas, whose ordered categories are those of any library."""
    native = series.to_native()
    if isinstance(native, pd.Series):
        return native.reset_index(drop=True)
    if series.dtype.is_numeric():
        return pd.Series(float_values(series))
    if getattr(getattr(native, "type", None), "ordered", False):  # of pyarrow
        ordered_categories: pd.Series[Any] = native.to_pandas()
        return ordered_categories
    if isinstance(series.dtype, nw.Enum):
        ordered = pd.CategoricalDtype(list(series.dtype.categories), ordered=True)
        return pd.Series(series.to_list(), dtype=ordered)
    return pd.Series(series.to_list(), dtype=object)
