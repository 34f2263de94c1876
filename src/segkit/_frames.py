"""What segkit needs of a data frame, whatever library it comes from (through narwhals)."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from typing import Any, TypeAlias, TypeVar

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import issparse

from segkit.exceptions import ColumnError, SegkitTypeError, SegkitValueError

_T = TypeVar("_T")

Frame: TypeAlias = nw.DataFrame[Any] | nw.LazyFrame[Any]

UNASSIGNED = "unassigned"

#: Columns that segkit adds for a moment inside a query engine start like this.
RESERVED = "__segkit_"


def as_frame(X: Any, *, owner: str) -> Frame | None:
    """Return `X` as a narwhals frame, or None where it is an array or has no column names.

    A pandas frame whose column names are all numbers is an array with a header, as in
    scikit-learn. What has names but is no frame is refused, not read by position.
    """
    if isinstance(X, np.ndarray) or issparse(X):
        return None
    if isinstance(X, pd.DataFrame):
        if not any(isinstance(name, str) for name in X.columns) and X.columns.nlevels == 1:
            return None
        _check_pandas_columns(X.columns, owner=owner)
    elif isinstance(names := getattr(X, "column_names", None), list):  # a pyarrow Table
        _refuse_doubled(names, owner=owner)
    frame = nw.from_native(X, pass_through=True)
    if not isinstance(frame, nw.DataFrame | nw.LazyFrame):
        _refuse_what_is_no_table(X, owner=owner)
        return None
    if ignores_case(frame):
        _refuse_doubled([name.casefold() for name in frame.to_native().columns], owner=owner)
    return frame


def array_of_rows(X: Any, *, owner: str) -> NDArray[Any]:
    """Return rows as an array, or say that they are not of one length."""
    try:
        return np.asarray(X)
    except ValueError:
        raise SegkitValueError(
            f"{owner}: Expected 2D array with one row per customer, and the rows of this "
            f"{type(X).__name__} differ in their lengths."
        ) from None


def require_frame(X: Any, *, owner: str) -> Frame:
    """Return `X` as a narwhals frame, or say which kinds of frame there are."""
    frame = as_frame(X, owner=owner)
    if frame is None:
        raise SegkitTypeError(
            f"{owner}: expected a frame with named columns (pandas, polars, pyarrow, DuckDB or "
            f"another kind that narwhals reads), got {type(X).__name__}"
            f"{' whose columns have numbers for names' if isinstance(X, pd.DataFrame) else ''}."
        )
    return frame


def ignores_case(frame: Frame) -> bool:
    """Tell whether the frame's engine takes column names that differ in case for the same."""
    return isinstance(frame, nw.LazyFrame) and not frame.implementation.is_polars()


def collected(frame: nw.LazyFrame[Any]) -> nw.DataFrame[Any]:
    """Execute a lazy frame; polars gives polars, other engines pandas, which is always there."""
    if frame.implementation.is_polars():
        return frame.collect()
    if frame.implementation.is_spark_like() and find_spec("pyarrow"):
        # Its own way to pandas warns of releases that it does not know, and is slow.
        return nw.from_native(frame.collect("pyarrow").to_pandas(), eager_only=True)
    return frame.collect("pandas")


def dtype_of(series: nw.Series[Any]) -> Any:
    """Return the type of an eager column, where pandas has objects after a look at all of them.

    narwhals looks at the first hundred, and takes a column for text whose later values are none.
    """
    native = series.to_native()
    if series.dtype == nw.String and isinstance(native, pd.Series) and native.dtype == object:
        inferred = pd.api.types.infer_dtype(native, skipna=True)
        return nw.String() if inferred in ("string", "empty") else nw.Object()
    return series.dtype


def float_values(series: nw.Series[Any]) -> NDArray[np.float64]:
    """Return an eager numeric column as an array, NaN where it is null."""
    missing = np.asarray(series.is_null().to_numpy(), dtype=bool)
    if missing.all():
        return np.full(len(series), np.nan)
    if dtype_of(series) == nw.Object:
        return np.asarray(pd.to_numeric(series.to_native()), dtype=np.float64)
    if series.dtype == nw.Decimal:
        # Text is read as the nearest float; Arrow's own cast can be off by one digit.
        series = series.cast(nw.String).cast(nw.Float64)
    if series.dtype in (nw.Int128, nw.UInt128):
        series = series.cast(nw.Float64)
    if not missing.any():
        return np.asarray(series.to_numpy(), dtype=np.float64)
    values = np.array(series.fill_null(0).to_numpy(), dtype=np.float64)
    values[missing] = np.nan
    return values


def number_columns(frame: nw.DataFrame[Any], names: Sequence[str]) -> list[NDArray[Any]]:
    """Return numeric columns of an eager frame as arrays: as they are where numpy has them."""
    return [
        native.to_numpy()
        if isinstance(native := frame[name].to_native(), pd.Series)
        and isinstance(native.dtype, np.dtype)
        and native.dtype.kind in "iuf"
        else float_values(frame[name])
        for name in names
    ]


def plain_values(series: nw.Series[Any]) -> "pd.Series[Any]":
    """Return an eager column of any type as a pandas Series, categories as their values."""
    native = series.to_native()
    if not isinstance(native, pd.Series):
        return pd.Series(series.to_list(), dtype=object)
    return native.astype(object) if isinstance(native.dtype, pd.CategoricalDtype) else native


def label_dtype(frame: Frame, labels: Sequence[str]) -> type[nw.String] | nw.Enum:
    """Return the dtype of a label column: ordered categories where the frame's kind has them."""
    implementation = frame.implementation
    has_categories = implementation.is_pandas_like() or implementation.is_polars()
    return nw.Enum(list(labels)) if has_categories else nw.String


def text_series(
    frame: nw.DataFrame[Any], name: str, texts: Sequence[str | None], positions: NDArray[Any]
) -> nw.Series[Any]:
    """Return a text column for an eager frame: the text at each position."""
    backend: Any = frame.implementation
    return nw.new_series(name, list(texts), nw.String, backend=backend)[positions]


def label_series(
    frame: nw.DataFrame[Any], name: str, labels: Sequence[str], positions: NDArray[Any]
) -> nw.Series[Any]:
    """Return a label column for an eager frame: the label at each position."""
    backend: Any = frame.implementation
    dtype: Any = label_dtype(frame, labels)
    return nw.new_series(name, list(labels), dtype, backend=backend)[positions]


def integer_series(
    frame: nw.DataFrame[Any], name: str, values: NDArray[np.int64], missing: NDArray[Any] | None
) -> nw.Series[Any]:
    """Return an integer column for an eager frame, null where `missing`; None: nullable never."""
    backend: Any = frame.implementation
    if missing is None:
        return nw.new_series(name, values, nw.Int64, backend=backend)
    if frame.implementation.is_pandas_like():
        # numpy's integers have no null; pandas' own do.
        masked = pd.arrays.IntegerArray(values, np.asarray(missing))
        return nw.from_native(pd.Series(masked, name=name), series_only=True)
    nullable = [None if absent else value for value, absent in zip(values, missing, strict=True)]
    return nw.new_series(name, nullable, nw.Int64, backend=backend)


def float_series(
    frame: nw.DataFrame[Any], name: str, values: NDArray[np.float64]
) -> nw.Series[Any]:
    """Return a column of floats for an eager frame, null where NaN."""
    backend: Any = frame.implementation
    series = nw.new_series(name, values, nw.Float64, backend=backend)
    return series if frame.implementation.is_pandas_like() else series.fill_nan(None)


def with_series(frame: nw.DataFrame[Any], added: Sequence[nw.Series[Any]]) -> nw.DataFrame[Any]:
    """Return the frame with columns added or replaced, and nothing else changed."""
    native = frame.to_native()
    if isinstance(native, pd.DataFrame):
        # pandas' own way keeps the index, attrs and the class of a subclass.
        columns = {series.name: series.to_native().array for series in added}
        return nw.from_native(native.assign(**columns))
    return frame.with_columns(*added)


def one_where(condition: nw.Expr) -> nw.Expr:
    """Return 1 where a condition holds, 0 where it does not, null where that is not known.

    In 32 bits, because Postgres makes no other number of true and false.
    """
    return condition.cast(nw.Int32)


def balanced(combine: Callable[[_T, _T], _T], parts: Sequence[_T]) -> _T:
    """Combine parts two by two, so that a long list gives a flat expression and not a deep one."""
    while len(parts) > 1:
        pairs = [combine(one, other) for one, other in zip(parts[::2], parts[1::2], strict=False)]
        parts = [*pairs, parts[-1]] if len(parts) % 2 else pairs
    return parts[0]


def _check_pandas_columns(columns: "pd.Index[Any]", *, owner: str) -> None:
    if columns.nlevels > 1:
        raise ColumnError(
            f"{owner}: the frame's columns are a MultiIndex; columns are picked by name. Flatten "
            "them, for example frame.columns = ['_'.join(names) for names in frame.columns]."
        )
    if not all(isinstance(name, str) for name in columns):
        raise SegkitTypeError(
            f"{owner}: some of the frame's column names are text and some are not. Make them all "
            "text, for example frame.columns = frame.columns.astype(str)."
        )
    _refuse_doubled(columns.tolist(), owner=owner)


def _refuse_doubled(names: Sequence[str], *, owner: str) -> None:
    doubled = [name for name, count in Counter(names).items() if count > 1]
    if doubled:
        raise ColumnError(
            f"{owner}: the frame has more than one column named {doubled}; columns are picked by "
            "name. Rename or drop the doubles."
        )


def _refuse_what_is_no_table(X: Any, *, owner: str) -> None:
    one_by_one = isinstance(X, list | tuple) and any(isinstance(row, Mapping) for row in X)
    named = isinstance(X, Mapping | str | bytes | pd.Series) or one_by_one
    if named or any(
        hasattr(X, protocol) for protocol in ("__arrow_c_stream__", "__arrow_c_array__")
    ):
        raise SegkitTypeError(
            f"{owner}: expected a frame or a two-dimensional array with one row per customer, got "
            f"{type(X).__name__}. Make it a frame, for example with pandas.DataFrame(...) or "
            "pyarrow.Table.from_batches([...]); for one customer, pass a dict to predict_one."
        )
