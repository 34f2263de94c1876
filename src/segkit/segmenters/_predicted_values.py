"""The values that an estimator predicts for customers, from whatever kind of frame or array."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api.types import is_bool_dtype, is_numeric_dtype
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.utils import get_tags

from segkit._frames import Frame, array_of_rows, as_frame, collected
from segkit._input_checks import (
    check_columns_present,
    check_complete,
    check_customer_columns,
    check_is_instance,
    estimator_name,
    row_limits,
    row_mapping,
    row_table,
    row_value,
)
from segkit.base._customers import Customers, checked_array
from segkit.exceptions import (
    MissingValuesError,
    SegkitError,
    SegkitTypeError,
    SegkitValueError,
)

if TYPE_CHECKING:
    from segkit.segmenters._value_tiers import ValueTierer

#: A pandas frame where the estimator knows its columns by name, else an array.
Table: TypeAlias = pd.DataFrame | NDArray[np.float64]

# How estimators call a missing value that they refuse.
_MISSING = re.compile(r"\b(nan|na|nulls?|missing|NoneType|NAType)\b", re.IGNORECASE)
# What they, numpy and pandas say of what is no number.
_UNREADABLE = re.compile(
    r"could not|cannot|unable|DType|must be a string or a real|setting an array|unsupported operand"
    r"|too large",
    re.IGNORECASE,
)


def fit_estimator(tierer: ValueTierer, X: Any, y: Any) -> Customers:
    """Fit a clone of the estimator, as `estimator_`, and return the customers' predicted values."""
    tierer._forget()
    check_is_instance(tierer.estimator, parameter="estimator", owner="ValueTierer")
    estimator = clone(tierer.estimator)
    name = estimator_name(estimator)
    frame = as_frame(X, owner="ValueTierer")
    table: Table
    if frame is None:
        names = getattr(estimator, "feature_names_in_", None)
        table = _named(_array(tierer, X, estimator, reset=True), names)
    else:
        names = list(getattr(estimator, "feature_names_in_", frame.collect_schema().names()))
        table = _pandas_table(frame, names, estimator=name)
        if not len(table):
            raise SegkitValueError(
                "ValueTierer: the frame has no rows; there is nothing to learn from."
            )
    _check_table(table, by_name=frame is not None)
    tierer.estimator_ = _fitted(estimator, table, y, missing=tierer.missing)
    used = list(getattr(tierer.estimator_, "feature_names_in_", ()))
    columns: list[str | int] = [*range(table.shape[1])]
    if isinstance(table, pd.DataFrame):
        if used and set(used) <= set(table.columns):
            table = table[used]
        columns = [*map(str, table.columns)]
    if frame is not None:
        _check_width(tierer.estimator_, len(columns))
        tierer.feature_names_in_ = np.array(columns, dtype=object)
        tierer.n_features_in_ = len(columns)
    tierer._columns_used, tierer._positions_used = columns, None
    tierer._group_wanted = tierer._group_used = None
    tierer._row_limits = row_limits([])
    tierer._categories = _categories(table)
    return _customers(predicted(tierer.estimator_, table, missing=tierer.missing))


def predict_customers(tierer: ValueTierer, X: Any) -> Customers:
    """Return the values that the fitted estimator predicts."""
    frame, columns = as_frame(X, owner="ValueTierer"), tierer._columns_used
    by_name = isinstance(columns[0], str)
    if frame is None:
        array = _array(tierer, X, tierer.estimator_, reset=False)
        table = _named(array[:, : len(columns)], columns if by_name else None)
    else:
        available = frame.collect_schema().names()
        names = [str(name) for name in columns] if by_name else available[: len(columns)]
        table = _pandas_table(frame, names, estimator=estimator_name(tierer.estimator_))
        if not by_name:
            table = table.to_numpy(dtype=np.float64)
    _check_table(table, by_name=frame is not None)
    return _customers(predicted(tierer.estimator_, table, missing=tierer.missing))


def row_as_table(tierer: ValueTierer, row: Any) -> Table:
    """Return one customer as a table of one row, with the categories seen in fit."""
    row = row_mapping(row, owner="ValueTierer")
    values = {name: row_value(row, name, owner="ValueTierer") for name in tierer._columns_used}
    known = {
        name: np.nan if value is None or value is pd.NA else value for name, value in values.items()
    }
    if isinstance(tierer._columns_used[0], int):
        # As wide as the array seen in fit, of which the estimator takes the first columns.
        only = np.zeros((1, tierer.n_features_in_))
        only[0, : len(known)] = list(known.values())
        return only
    for name, dtype in tierer._categories.items():
        if known[name] not in dtype.categories:
            known[name] = np.nan
    return row_table(known, owner="ValueTierer").astype(tierer._categories)


def predicted(estimator: Any, table: Table, *, missing: str) -> NDArray[np.float64]:
    """Return what a fitted estimator predicts, NaN where it refuses a missing value.

    Whether a missing value matters is the estimator's to say: some read them, and a column that
    it passes over may hold any. Customers are asked for in groups that lack the same columns,
    so that nobody's value depends on what others lack.
    """
    if not len(table):
        return np.empty(0)
    try:
        return _checked(estimator, estimator.predict(table), len(table))
    except (TypeError, ValueError, OverflowError) as error:
        if missing == "raise" or not _is_about_missing(error, table):
            _raise_explained(error, estimator, table)
    values = np.full(len(table), np.nan)
    patterns, group = np.unique(np.asarray(pd.isna(table)), axis=0, return_inverse=True)
    for place in range(len(patterns)):
        rows = np.flatnonzero(group.ravel() == place)
        part = _rows(table, rows)
        try:
            values[rows] = _checked(estimator, estimator.predict(part), len(rows))
        except (TypeError, ValueError, OverflowError) as error:
            if not _is_about_missing(error, part):
                _raise_explained(error, estimator, part)
    return values


def _fitted(estimator: Any, table: Table, y: Any, *, missing: str) -> Any:
    """Fit to all customers, or, where missing values are refused but allowed, to the complete."""
    try:
        estimator.fit(table, y)
        return estimator
    except (TypeError, ValueError, OverflowError) as error:
        if y is None and _needs_target(estimator):
            raise SegkitValueError(
                f"ValueTierer: {estimator_name(estimator)} learns from a target, and y is None. "
                "Call fit(X, y), or pass a fitted one as FrozenEstimator(...)."
            ) from error
        if missing == "raise" or not _is_about_missing(error, table):
            _raise_explained(error, estimator, table)
    rows = np.flatnonzero(~np.asarray(pd.isna(table)).any(axis=1))
    if not rows.size:
        raise SegkitValueError(
            f"ValueTierer: {estimator_name(estimator)} refuses missing values, and every customer "
            "has one; there is nothing to learn from."
        )
    estimator.fit(_rows(table, rows), None if y is None else np.asarray(y)[rows])
    return estimator


def _rows(table: Table, rows: NDArray[np.intp]) -> Table:
    return table.iloc[rows] if isinstance(table, pd.DataFrame) else table[rows]


def _checked(estimator: Any, values: Any, n_rows: int) -> NDArray[np.float64]:
    """Return predictions as floats, which must be one number for each customer."""
    name = estimator_name(estimator)
    if isinstance(values, np.ma.MaskedArray):
        values = np.ma.filled(values.astype(np.float64), np.nan)
    array = np.asarray(values)
    if array.shape == (n_rows, 1):
        array = array.ravel()
    if array.shape != (n_rows,):
        raise SegkitValueError(
            f"ValueTierer: {name}.predict must give one value for each of {n_rows:,} customers, "
            f"got the shape {array.shape}."
        )
    if array.dtype.kind not in "iufO":
        raise SegkitTypeError(
            f"ValueTierer: {name}.predict must give numbers, which are values of customers, got "
            f"{array.dtype}. A classifier gives none; use a regressor."
        )
    try:
        return pd.to_numeric(pd.Series(array)).to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError):
        raise SegkitTypeError(
            f"ValueTierer: {name}.predict must give numbers, which are values of customers."
        ) from None


def _is_about_missing(error: Exception, table: Table) -> bool:
    return bool(_MISSING.search(str(error))) and bool(np.asarray(pd.isna(table)).any())


def _raise_explained(error: Exception, estimator: Any, table: Table) -> NoReturn:
    """Raise what a user can act on, without quoting the text of a customer."""
    name = estimator_name(estimator)
    if not isinstance(error, SegkitError):
        if _is_about_missing(error, table):
            absent = np.asarray(pd.isna(table))
            columns = table.columns if isinstance(table, pd.DataFrame) else range(table.shape[1])
            counts = {
                column: int(count)
                for column, count in zip(columns, absent.sum(axis=0), strict=True)
                if count
            }
            raise MissingValuesError(
                f"ValueTierer: {name} refuses missing values, and there are NaN or null in "
                f"{counts} (column: rows). Fill or drop them, or construct it with "
                "missing='unassigned' to leave these customers without a segment."
            ) from error
        texts = _texts(table)
        if texts and (_UNREADABLE.search(str(error)) or _MISSING.search(str(error))):
            raise SegkitTypeError(
                f"ValueTierer: {name} cannot read the columns {texts}, which hold no numbers. Pass "
                "only columns that it reads, or a pipeline that begins with a ColumnTransformer."
            ) from None
        if "could not convert" in str(error):
            raise SegkitTypeError(
                f"ValueTierer: {name} cannot read y, which holds no numbers. Pass the numbers that "
                "it is to predict."
            ) from None
    raise error


def _texts(table: Table) -> list[str]:
    if not isinstance(table, pd.DataFrame):
        return []
    return [str(name) for name in table.columns if not is_numeric_dtype(table[name].dtype)]


def _needs_target(estimator: Any) -> bool:
    if isinstance(estimator, FrozenEstimator) or not hasattr(estimator, "__sklearn_tags__"):
        return False
    return bool(get_tags(estimator).target_tags.required)


def _array(tierer: ValueTierer, X: Any, estimator: Any, *, reset: bool) -> NDArray[np.float64]:
    """Return an array with the columns that the estimator takes, the first ones."""
    if isinstance(X, list | tuple | pd.DataFrame):
        X = array_of_rows(X, owner=type(tierer).__name__)
    width = getattr(estimator, "n_features_in_", None)
    if not reset and isinstance(X, np.ndarray) and X.ndim == 2:
        X = X[:, : tierer.n_features_in_]
    array = checked_array(tierer, X, reset=reset, min_width=width or 1 if reset else 1)
    return array[:, :width].copy()


def _named(array: NDArray[np.float64], names: Any) -> Table:
    """Return an array under the names that an estimator knows, by which it then finds them."""
    return array if names is None else pd.DataFrame(array, columns=list(names))


def _pandas_table(frame: Frame, names: list[str], *, estimator: str) -> pd.DataFrame:
    """Return columns of a frame as pandas has them; a lazy frame is collected, only these."""
    remedy = f"{estimator} was fitted with it. Rename or add it."
    check_columns_present(names, frame, owner="ValueTierer", remedy=remedy)
    frame = frame.select(names)
    if isinstance(frame, nw.LazyFrame):
        frame = collected(frame)
    native = frame.to_native()
    if isinstance(native, pd.DataFrame):
        return pd.DataFrame(native[names], copy=True)
    return frame.to_pandas()


def _check_table(table: Table, *, by_name: bool) -> None:
    """Raise for infinities and, in a frame, for counts that cannot be."""
    if not isinstance(table, pd.DataFrame):
        columns = {f"column {place}": column for place, column in enumerate(table.T)}
        check_complete(columns, owner="ValueTierer", allow_missing=True)
        return
    for name in table.columns:
        if table[name].dtype.kind == "c":
            raise SegkitTypeError(
                f"ValueTierer: column {name!r} holds complex numbers, which no amount is. Pass "
                "their real part."
            )
    numbers = {
        str(name): table[name].to_numpy(dtype=np.float64, na_value=np.nan)
        for name in table.columns
        if is_numeric_dtype(table[name].dtype) and not is_bool_dtype(table[name].dtype)
    }
    check_complete(numbers, owner="ValueTierer", allow_missing=True)
    if by_name:
        check_customer_columns(numbers, owner="ValueTierer")


def _check_width(estimator: Any, n_columns: int) -> None:
    width = getattr(estimator, "n_features_in_", n_columns)
    if not hasattr(estimator, "feature_names_in_") and width != n_columns:
        raise SegkitValueError(
            f"ValueTierer: {estimator_name(estimator)} was fitted on an array of {width} columns "
            f"and knows no names, and the frame has {n_columns} columns. Fit it on a frame, then "
            "its columns are picked by name, or pass an array."
        )


def _categories(table: Table) -> dict[str, Any]:
    if not isinstance(table, pd.DataFrame):
        return {}
    return {
        name: table[name].dtype
        for name in table.columns
        if isinstance(table[name].dtype, pd.CategoricalDtype)
    }


def _customers(values: NDArray[np.float64]) -> Customers:
    return Customers(["predicted value"], [values], by_name=False)
