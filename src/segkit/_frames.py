"""What segkit needs of a data frame, whatever library it comes from (through narwhals)."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, TypeAlias

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from segkit.exceptions import ColumnError, SegkitTypeError

Frame: TypeAlias = nw.DataFrame[Any] | nw.LazyFrame[Any]

UNASSIGNED = "unassigned"


def as_frame(X: Any, *, owner: str) -> Frame | None:
    """Return `X` as a narwhals frame, or None where it is an array or has no column names.

    A pandas frame whose column names are not strings is an array with a header of numbers, as in
    scikit-learn.
    """
    if isinstance(X, np.ndarray):
        return None
    if isinstance(X, pd.DataFrame):
        if not all(isinstance(name, str) for name in X.columns):
            return None
        _refuse_doubled(X.columns.tolist(), owner=owner)
    frame = nw.from_native(X, pass_through=True)
    if not isinstance(frame, nw.DataFrame | nw.LazyFrame):
        return None
    if frame.implementation.is_pyarrow():
        _refuse_doubled(frame.to_native().column_names, owner=owner)
    return frame


def _refuse_doubled(names: Sequence[str], *, owner: str) -> None:
    doubled = [name for name, count in Counter(names).items() if count > 1]
    if doubled:
        raise ColumnError(
            f"{owner}: the frame has more than one column named {doubled}; columns are picked by "
            "name. Rename or drop the doubles."
        )


def require_frame(X: Any, *, owner: str) -> Frame:
    """Return `X` as a narwhals frame, or say which kinds of frame there are."""
    frame = as_frame(X, owner=owner)
    if frame is None:
        raise SegkitTypeError(
            f"{owner}: expected a frame with named columns (pandas, polars, pyarrow, DuckDB or "
            f"another kind that narwhals reads), got {type(X).__name__}."
        )
    return frame


def label_dtype(frame: Frame, segments: Sequence[str]) -> type[nw.String] | nw.Enum:
    """Return the dtype of a label column: ordered categories where the frame's kind has them."""
    implementation = frame.implementation
    if implementation.is_pandas_like() or implementation.is_polars():
        return nw.Enum([*segments, UNASSIGNED])
    return nw.String


def float_series(series: nw.Series[Any]) -> nw.Series[Any]:
    """Return an eager numeric column as Float64, NaN where it is null."""
    if series.dtype == nw.Object:
        numbers = pd.to_numeric(series.to_native()).astype("float64")
        return nw.from_native(numbers, series_only=True)
    series = series.cast(nw.Float64)
    return series.fill_null(float("nan")) if series.null_count() else series


def float_matrix(frame: nw.DataFrame[Any]) -> NDArray[np.float64]:
    """Return an eager frame of Float64 columns as an array of shape (n_rows, n_columns)."""
    columns = [np.asarray(frame[name].to_numpy(), dtype=np.float64) for name in frame.columns]
    return np.column_stack(columns)
