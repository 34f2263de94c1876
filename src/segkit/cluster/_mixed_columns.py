"""Columns of numbers and columns of categories: which are which, and their values for arithmetic.

Of a frame columns are picked by name, of an array by position. An array is read as a frame whose
columns are called by their positions, so that there is one way for all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import issparse
from sklearn.utils.validation import validate_data

from segkit._frames import (
    array_of_rows,
    as_frame,
    collected,
    dtype_of,
    number_columns,
    plain_values,
)
from segkit._input_checks import (
    check_columns_present,
    check_complete,
    check_magnitude,
    check_numeric,
)
from segkit._storage._state import LearnedState
from segkit.base._customers import check_is_array
from segkit.exceptions import (
    ColumnError,
    LazyFrameError,
    MissingValuesError,
    SegkitTypeError,
    SegkitValueError,
)

Floats: TypeAlias = NDArray[np.float64]
# Which of a column's distinct values each row has, and these values.
Coded: TypeAlias = tuple[NDArray[np.intp], list[Any]]

_REMEDY = "Fill them (a category of their own, such as 'unknown', is one way) or drop these rows."
# What pandas calls the values of a column of objects.
_NUMBERS = {"integer", "floating", "mixed-integer-float", "decimal"}
_TIMES = {"datetime", "datetime64", "date", "time", "timedelta", "timedelta64", "period"}
_CATEGORIES = {"string", "boolean", "bytes", "categorical", "empty"}


@dataclass(frozen=True)
class MixedRows:
    """Rows of numbers and of categories.

    Parameters
    ----------
    numbers : ndarray of shape (n_rows, n_numeric)
        The numbers.
    places : ndarray of shape (n_rows, n_categorical), dtype int32
        Which element of a row's one-hots is 1, counted over all categorical columns: the code of
        the category, plus the number of categories of the columns before; -1 where unknown.
    """

    numbers: Floats
    places: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.numbers)

    @classmethod
    def of_stored(cls, state: LearnedState) -> MixedRows:
        """Return rows as a file has them."""
        numbers = state.array("numbers", "float64", (None, len(state.counts("numeric"))))
        shape = (len(numbers), len(state.counts("categorical")))
        places = state.array("places", "int32", shape)
        ends = np.cumsum([len(values) for values in state.of_type("categories", list)])
        if not np.isfinite(numbers).all() or (places < 0).any() or (places >= ends).any():
            state.refuse("places", "positions among the categories", places)
        return cls(numbers, places)


@dataclass(frozen=True)
class MixedColumns:
    """Which columns were seen in ``fit``, and which categories each categorical one had.

    Parameters
    ----------
    names : sequence of str
        All columns; of an array, their positions as text.
    numeric, categorical : sequence of int
        Positions among them.
    categories : sequence of ndarray
        Of each categorical column: most frequent first, equally frequent ones in their own order.
    """

    names: Sequence[str]
    numeric: Sequence[int]
    categorical: Sequence[int]
    categories: Sequence[NDArray[np.object_]]

    @classmethod
    def of_stored(cls, state: LearnedState) -> MixedColumns:
        """Return columns as a file has them."""
        names = state.texts("columns")
        numeric = state.counts("numeric").tolist()
        categorical = state.counts("categorical").tolist()
        if sorted([*numeric, *categorical]) != list(range(len(names))):
            state.refuse("numeric", "with categorical the positions of all columns", numeric)
        categories = []
        for values in state.of_type("categories", list):
            of_column = np.empty(len(values), dtype=object)
            of_column[:] = values
            categories.append(of_column)
        if len(categories) != len(categorical):
            state.refuse("categories", "a list for each categorical column", categories)
        return cls(names, numeric, categorical, categories)

    @property
    def starts(self) -> NDArray[np.intp]:
        """Where the one-hots of each categorical column begin, and where the last ones end."""
        return np.cumsum([0, *(len(categories) for categories in self.categories)])

    def rows_of(
        self, frame: nw.DataFrame[Any], *, owner: str, coded: Sequence[Coded] | None = None
    ) -> MixedRows:
        """Return the rows of an eager frame that has the columns; unknown categories are -1."""
        numbers = _numbers(frame, [self.names[place] for place in self.numeric], owner=owner)
        if coded is None:
            coded = [_coded(frame[self.names[place]], owner=owner) for place in self.categorical]
        places = np.empty((len(frame), len(self.categorical)), dtype=np.int32)
        for column, (codes, values) in enumerate(coded):
            start = self.starts[column]
            place_of = {value: start + i for i, value in enumerate(self.categories[column])}
            known = np.array([place_of.get(value, -1) for value in values], dtype=np.int32)
            places[:, column] = known[codes]
        return MixedRows(numbers, places)

    def values_at(self, places: NDArray[np.int32]) -> NDArray[np.object_]:
        """Return the categories at some places, of shape (n_rows, n_categorical)."""
        values = np.empty(places.shape, dtype=object)
        for column, start in enumerate(self.starts[:-1]):
            values[:, column] = self.categories[column][places[:, column] - start]
        return values


def learn_columns(estimator: Any, X: Any, categorical: Any) -> tuple[MixedColumns, MixedRows]:
    """Return the columns of the data of ``fit``, and its rows.

    It sets ``n_features_in_`` and, for a frame, ``feature_names_in_``.
    """
    owner = type(estimator).__name__
    frame = as_frame(X, owner=owner)
    by_name = frame is not None
    if isinstance(frame, nw.LazyFrame):
        frame = collected(frame)
    if frame is None:
        frame = frame_of_array(estimator, X, reset=True)
    names = frame.columns
    if by_name:
        if not names or not len(frame):
            raise SegkitValueError(
                f"{owner}: the frame has {len(frame):,} rows and {len(names)} columns; there is "
                "nothing to learn from."
            )
        estimator.feature_names_in_ = np.array(names, dtype=object)
        estimator.n_features_in_ = len(names)
    if isinstance(categorical, str):
        if isinstance(X, np.ndarray) and X.dtype.kind in "US":
            _check_text(frame, owner=owner)
        are_categories = [_holds_categories(frame[name], owner=owner) for name in names]
    else:
        chosen = _chosen(categorical, frame, by_name=by_name, owner=owner)
        are_categories = [name in chosen for name in names]
        _check_rest([name for name in names if name not in chosen], frame, owner=owner)
    places = range(len(names))
    numeric_places = [place for place in places if not are_categories[place]]
    categorical_places = [place for place in places if are_categories[place]]
    coded = [_coded(frame[names[place]], owner=owner) for place in categorical_places]
    categories = [_categories(*one) for one in coded]
    columns = MixedColumns(names, numeric_places, categorical_places, categories)
    return columns, columns.rows_of(frame, owner=owner, coded=coded)


def frame_to_predict(
    estimator: Any, X: Any, columns: MixedColumns, *, verb: str
) -> nw.DataFrame[Any]:
    """Return data as an eager frame that has the columns seen in ``fit``."""
    owner = type(estimator).__name__
    frame = as_frame(X, owner=owner)
    if isinstance(frame, nw.LazyFrame):
        raise LazyFrameError(
            f"{owner}.{verb} needs the values of the customers, and a lazy frame has none yet. "
            "Collect the frame first: .collect() in polars, .df() in DuckDB."
        )
    if frame is None:
        frame = frame_of_array(estimator, X, reset=False)
    elif hasattr(estimator, "feature_names_in_"):
        check_columns_present(
            columns.names,
            frame,
            owner=owner,
            remedy="It was there in fit, and columns are picked by name.",
        )
        return frame
    if len(frame.columns) != len(columns.names):
        raise ColumnError(
            f"{owner}: the frame has {len(frame.columns)} columns and fit saw an array of "
            f"{len(columns.names)}, so that they are picked by position. Pass as many."
        )
    return frame.rename(dict(zip(frame.columns, columns.names, strict=True)))


def check_distinct(rows: MixedRows, n_clusters: int, *, owner: str) -> None:
    """Raise where there are fewer distinct rows than clusters."""
    if len(rows) < n_clusters:
        raise SegkitValueError(
            f"{owner}: n_samples={len(rows)} must be at least n_clusters={n_clusters}."
        )
    looked_at = 4 * n_clusters  # mostly enough to see that there are as many
    while True:
        seen = np.column_stack([rows.numbers[:looked_at], rows.places[:looked_at]])
        n_distinct = len(np.unique(seen, axis=0))
        if n_distinct >= n_clusters:
            return
        if looked_at >= len(rows):
            raise SegkitValueError(
                f"{owner}: n_clusters={n_clusters} exceeds the number of distinct rows, "
                f"{n_distinct}. Ask for fewer clusters."
            )
        looked_at *= 8


def frame_of_array(estimator: Any, X: Any, *, reset: bool, prefix: str = "") -> nw.DataFrame[Any]:
    """Return an array, checked as scikit-learn does, as a frame named by positions."""
    owner = type(estimator).__name__
    if isinstance(X, np.ma.MaskedArray):
        masked = np.ma.getmaskarray(X)
        X = np.array(X.data, dtype=np.float64 if X.dtype.kind in "iuf" else object)
        X[masked] = np.nan if X.dtype.kind == "f" else None
    elif not isinstance(X, np.ndarray) and not issparse(X):
        array = array_of_rows(X, owner=owner)
        # Of a list of rows numpy makes text where only some of it is text.
        is_text = array.dtype.kind in "US" and not hasattr(X, "__array__")
        X = np.asarray(X, dtype=object) if is_text else array
    X = check_is_array(X, owner=owner, remedy="Reshape your data.")
    if X.dtype.kind in "mM":
        raise SegkitTypeError(
            f"{owner}: the array must hold numbers or categories, got {X.dtype}. Pass times as "
            "numbers of days."
        )
    array = validate_data(
        estimator,
        X,
        reset=reset,
        dtype="numeric" if X.dtype.kind in "iufc" else None,
        ensure_all_finite=False,
        ensure_min_samples=1 if reset else 0,
    )
    names = [f"{prefix}{position}" for position in range(array.shape[1])]
    return nw.from_native(pd.DataFrame(array, columns=names), eager_only=True)


def _chosen(categorical: Any, frame: nw.DataFrame[Any], *, by_name: bool, owner: str) -> set[str]:
    """Return the columns that the parameter `categorical` names or numbers."""
    wanted = list(np.atleast_1d(categorical)) if hasattr(categorical, "ndim") else [*categorical]
    are_names = all(isinstance(one, str) for one in wanted)
    are_positions = all(
        isinstance(one, int | np.integer) and not isinstance(one, bool) and one >= 0
        for one in wanted
    )
    if not (are_names or are_positions) or len(set(wanted)) < len(wanted):
        raise ColumnError(
            f"{owner}: categorical must be 'auto', distinct column names, or distinct positions "
            f"from 0, got {categorical!r}."
        )
    names = frame.columns
    if not are_positions:
        if not by_name:
            raise ColumnError(
                f"{owner}: categorical={categorical!r} are names, and an array has none. Pass a "
                "frame, or positions from 0."
            )
        remedy = "categorical must name columns of the frame."
        check_columns_present(wanted, frame, owner=owner, remedy=remedy)
        return set(wanted)
    if wanted and max(wanted) >= len(names):
        raise ColumnError(
            f"{owner}: categorical={categorical!r} are positions, and there are {len(names)} "
            f"columns, numbered 0 to {len(names) - 1}."
        )
    return {names[position] for position in wanted}


def _check_rest(names: Sequence[str], frame: nw.DataFrame[Any], *, owner: str) -> None:
    """Raise unless the columns that `categorical` leaves out hold numbers."""
    for name in names:
        if frame[name].null_count() < len(frame) and _kind(frame[name]) in ("categories", "mixed"):
            raise SegkitTypeError(
                f"{owner}: column {name!r} holds no numbers, and categorical leaves it out. Add "
                "it there, or convert it."
            )


def _holds_categories(series: nw.Series[Any], *, owner: str) -> bool:
    """Tell whether a column holds categories and not numbers; raise where it may be either."""
    kind, name = _kind(series), series.name
    if kind == "times":
        raise SegkitTypeError(
            f"{owner}: column {name!r} holds times. Pass it as a number of days, or name it in "
            "categorical."
        )
    if kind == "mixed":
        raise SegkitTypeError(
            f"{owner}: column {name!r} holds values of several types, and a column of the argument "
            "must be all strings or all numbers. Convert it, or name it in categorical."
        )
    return kind == "categories"


def _kind(series: nw.Series[Any]) -> str:
    """Return what a column holds: numbers, categories, times, or a mix."""
    dtype = dtype_of(series)
    if dtype.is_numeric():
        return "numbers"
    if dtype.is_temporal():
        return "times"
    if dtype.is_nested():
        return "mixed"
    if dtype not in (nw.Object, nw.Unknown):
        return "categories"
    found = pd.api.types.infer_dtype(plain_values(series), skipna=True)
    for kind, kinds in (("numbers", _NUMBERS), ("times", _TIMES), ("categories", _CATEGORIES)):
        if found in kinds:
            return kind
    return "mixed"


def _check_text(frame: nw.DataFrame[Any], *, owner: str) -> None:
    """Raise where an array of text has a column of numbers: numpy makes text of them."""
    for name in frame.columns:
        values = pd.Series(pd.unique(plain_values(frame[name])))
        if pd.to_numeric(values, errors="coerce").notna().all():
            raise SegkitTypeError(
                f"{owner}: column {name!r} of an array of text holds numbers; numpy makes text of "
                "an array in which only some of it is. Pass a frame or an array of dtype object, "
                "or say with categorical which columns are categories."
            )


def _numbers(frame: nw.DataFrame[Any], names: Sequence[str], *, owner: str) -> Floats:
    check_numeric(names, frame, owner=owner)
    try:
        columns = number_columns(frame, names)
    except (TypeError, ValueError, OverflowError):
        raise SegkitTypeError(
            f"{owner}: one of the columns {list(names)} holds values that are no floating point "
            "numbers. Convert it first, for example with pandas.to_numeric."
        ) from None
    by_name = dict(zip(names, columns, strict=True))
    check_complete(by_name, owner=owner, allow_missing=False, remedy=_REMEDY)
    check_magnitude(by_name, owner=owner)
    numbers = np.empty((len(frame), len(names)))
    for position, column in enumerate(columns):
        numbers[:, position] = column
    return numbers


def _coded(series: nw.Series[Any], *, owner: str) -> Coded:
    """Return which of a column's distinct values each row has, and these values."""
    values = plain_values(series)
    try:
        codes, distinct = pd.factorize(values)
    except (TypeError, NotImplementedError):
        raise SegkitTypeError(
            f"{owner}: column {series.name!r} holds values that cannot be categories, such as "
            "lists or dicts. Make each a single text or number."
        ) from None
    missing = int((codes < 0).sum())
    if missing:
        raise MissingValuesError(
            f"{owner}: column {series.name!r} contains NaN or null in {missing:,} of "
            f"{len(codes):,} rows. {_REMEDY}"
        )
    return codes, list(distinct)


def _categories(codes: NDArray[np.intp], values: list[Any]) -> NDArray[np.object_]:
    """Return the categories of a column, most frequent first."""
    counts = np.bincount(codes, minlength=len(values))
    try:
        order = sorted(range(len(values)), key=lambda code: values[code])
    except TypeError:  # values of several types
        order = sorted(
            range(len(values)), key=lambda code: (type(values[code]).__name__, str(values[code]))
        )
    order.sort(key=lambda code: -counts[code])
    categories = np.empty(len(values), dtype=object)
    categories[:] = [values[code] for code in order]
    return categories
