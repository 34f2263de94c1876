"""What the functions are given: rows, labels, counts, seeds. Checked, with messages that help."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import issparse
from sklearn.utils import check_random_state

from segkit._input_checks import check_magnitude, total
from segkit.exceptions import MissingValuesError, SegkitTypeError, SegkitValueError

Floats: TypeAlias = NDArray[np.float64]
Codes: TypeAlias = NDArray[np.intp]

#: The label of a row that belongs to no cluster, as in scikit-learn's DBSCAN and segkit's predict.
NOISE = -1
# More repetitions, rows or bins are a slip of the keyboard.
_MOST = 10**9


def read_matrix(X: Any, *, owner: str) -> Floats:
    """Return rows of finite numbers, from an array or an eager frame."""
    native = read_rows(X, owner=owner)
    try:
        held = native.to_numpy() if isinstance(native, nw.DataFrame) else native
        values = as_floats(held)
    except (TypeError, ValueError, OverflowError):
        raise SegkitTypeError(
            f"{owner}: X must hold numbers, got {type(X).__name__} that does not convert. Encode "
            "text columns and leave ids and dates out."
        ) from None
    if values.ndim != 2:
        raise SegkitValueError(
            f"{owner}: X must have two dimensions, rows and columns, got {values.ndim}. A single "
            "column is X.reshape(-1, 1)."
        )
    if not values.size:
        raise SegkitValueError(f"{owner}: X must have rows and columns, got shape {values.shape}.")
    if not np.isfinite(total(values)) and not (finite := np.isfinite(values)).all():
        missing, rows = int(np.isnan(values).sum()), int((~finite).any(axis=1).sum())
        kind = MissingValuesError if missing else SegkitValueError
        raise kind(
            f"{owner}: X contains NaN or infinity in {rows:,} of {len(values):,} rows. Impute or "
            "drop these rows, with their labels."
        )
    check_magnitude({"X": values}, owner=owner)
    return values


def as_floats(values: Any) -> Floats:
    """Return numbers as floats; TypeError for complex ones and for times, which would convert."""
    array = np.asarray(values)
    if array.dtype.kind in "cmM":
        raise TypeError
    return array.astype(np.float64, copy=False)


def read_column(values: Any, *, owner: str, name: str) -> NDArray[Any]:
    """Return a column of values, of any type, as an array."""
    native = nw.from_native(values, pass_through=True)
    is_column = hasattr(values, "__len__") or isinstance(values, Iterable)
    if (
        not is_column
        or isinstance(native, nw.LazyFrame)
        or isinstance(values, Mapping | str | bytes)
        or issparse(values)
    ):
        raise SegkitTypeError(
            f"{owner}: {name} must be a column of values, such as an array or a Series, got "
            f"{type(values).__name__}."
        )
    try:
        column = np.asarray(values if hasattr(values, "__len__") else list(values))
    except ValueError:
        raise SegkitValueError(
            f"{owner}: {name} must have one value a row, got rows of different lengths."
        ) from None
    if column.ndim != 1:
        raise SegkitValueError(f"{owner}: {name} must have one dimension, got {column.ndim}.")
    return column


def read_rows(X: Any, *, owner: str) -> Any:
    """Return an eager frame wrapped by narwhals, and anything else as an array or as it is."""
    native = nw.from_native(X, pass_through=True)
    if isinstance(native, nw.LazyFrame):
        raise SegkitTypeError(f"{owner}: X is a lazy frame; collect it first.")
    if isinstance(native, nw.DataFrame) or hasattr(X, "shape"):
        return native
    try:
        return np.asarray(X)
    except ValueError:
        raise SegkitValueError(
            f"{owner}: X must have as many numbers in each row, got rows of different lengths."
        ) from None


@dataclass(frozen=True)
class Labels:
    """Labels as codes from 0 to ``len(names) - 1``, in the order of `names`; -1 for noise."""

    codes: Codes
    names: NDArray[Any]


def read_labels(labels: Any, n_rows: int, *, owner: str, name: str = "labels") -> Labels:
    """Return one label a row as codes."""
    values = read_column(labels, owner=owner, name=name)
    if values.shape != (n_rows,):
        raise SegkitValueError(
            f"{owner}: {name} must have one label for each of the {n_rows:,} rows of X, got shape "
            f"{values.shape}."
        )
    if values.dtype.kind == "O" and np.any(pd.isna(values)):
        raise MissingValuesError(f"{owner}: {name} contains missing values. {_LABELS_REMEDY}")
    try:
        names, codes = np.unique(values, return_inverse=True)
    except TypeError:
        raise SegkitTypeError(
            f"{owner}: {name} must be of one type, all numbers or all text."
        ) from None
    if values.dtype.kind == "f" and np.isnan(names).any():
        raise MissingValuesError(f"{owner}: {name} contains NaN. {_LABELS_REMEDY}")
    is_noise = np.array([_is_noise(one) for one in names[:1]], dtype=bool)
    if is_noise.any():
        return Labels(codes.astype(np.intp) - 1, names[1:])
    if values.dtype.kind in "iOf" and any(_is_noise(one) for one in names):
        raise SegkitValueError(f"{owner}: {name} must not be below -1, which is noise.")
    return Labels(codes.astype(np.intp), names)


def read_numbers_tried(table: pd.DataFrame, *, name: str, owner: str) -> NDArray[np.integer[Any]]:
    """Return the numbers of clusters that a table of criteria is about: its index."""
    numbers: NDArray[np.integer[Any]] = table.index.to_numpy()
    if numbers.dtype.kind not in "iu" and len(numbers):
        raise SegkitTypeError(
            f"{owner}: the index of {name} must hold numbers of clusters, got {numbers.dtype}."
        )
    return numbers


def read_criterion(table: pd.DataFrame, column: str, *, owner: str) -> Floats:
    """Return the values of a criterion, which may be infinite."""
    try:
        values = as_floats(read_column(table[column], owner=owner, name=repr(column)))
    except (TypeError, ValueError):
        raise SegkitTypeError(f"{owner}: column {column!r} must hold numbers.") from None
    if missing := int(np.isnan(values).sum()):
        raise MissingValuesError(
            f"{owner}: column {column!r} is missing in {missing:,} of {len(values):,} rows."
        )
    return values


_LABELS_REMEDY = "Give rows that belong to no cluster the label -1."


def _is_noise(label: Any) -> bool:
    return not isinstance(label, str | bool | np.bool_) and bool(label == NOISE)


def read_n_clusters(n_clusters: Any, n_rows: int, *, least: int, owner: str) -> list[int]:
    """Return the numbers of clusters to try, ascending."""
    given = [n_clusters] if is_integer(n_clusters) else n_clusters
    if not isinstance(given, Iterable) or isinstance(given, str) or not getattr(given, "ndim", 1):
        raise SegkitTypeError(
            f"{owner}: n_clusters must be integers such as range(2, 11), got {n_clusters!r}."
        )
    numbers = list(given)
    if not numbers or not all(is_integer(one) and one >= least for one in numbers):
        raise SegkitValueError(
            f"{owner}: n_clusters must be integers of at least {least}, got {n_clusters!r}."
        )
    if max(numbers) > n_rows:
        raise SegkitValueError(
            f"{owner}: n_clusters goes to {max(numbers)}, and there are {n_rows:,} rows to put "
            "into clusters at a time."
        )
    return sorted({int(one) for one in numbers})


def read_count(count: Any, *, least: int, name: str, owner: str) -> int:
    """Return a number of repetitions or rows."""
    if not is_integer(count) or count < least:
        raise SegkitValueError(
            f"{owner}: {name} must be an integer of at least {least}, got {count!r}."
        )
    if count > _MOST:
        raise SegkitValueError(f"{owner}: {name} must be at most {_MOST:,}, got {count:,}.")
    return int(count)


def read_number(number: Any, *, name: str, owner: str) -> float:
    """Return a number."""
    is_number = isinstance(number, int | float | np.integer | np.floating)
    if not is_number or isinstance(number, bool):
        raise SegkitTypeError(f"{owner}: {name} must be a number, got {type(number).__name__}.")
    return float(number)


def read_choice(choice: Any, choices: Iterable[str], *, name: str, owner: str) -> str:
    """Return one of some words."""
    if not isinstance(choice, str) or choice not in choices:
        raise SegkitValueError(f"{owner}: {name} must be one of {[*choices]}, got {choice!r}.")
    return str(choice)


def read_verbose(verbose: Any, *, owner: str) -> bool:
    """Return whether progress is to be shown."""
    if not isinstance(verbose, bool | np.bool_ | int | np.integer):
        raise SegkitTypeError(
            f"{owner}: verbose must be True, False or an integer, got {verbose!r}."
        )
    return bool(verbose > 0)


def read_random_state(random_state: Any, *, owner: str) -> np.random.RandomState:
    """Return a generator of random numbers."""
    if random_state is None:  # which must not touch numpy's global state
        return np.random.RandomState()
    try:
        generator: np.random.RandomState = check_random_state(random_state)
    except ValueError:
        raise SegkitValueError(
            f"{owner}: random_state must be an integer, a RandomState or None, got "
            f"{random_state!r}."
        ) from None
    return generator


def draw_seeds(random_state: Any, n_seeds: int, *, owner: str) -> list[int]:
    """Return a seed for each of some pieces of work, so that the order of work does not matter."""
    generator = read_random_state(random_state, owner=owner)
    seeds: list[int] = generator.randint(np.iinfo(np.int32).max, size=n_seeds).tolist()
    return seeds


def is_integer(value: Any) -> bool:
    """Tell whether a value is an integer, which True is not."""
    return isinstance(value, int | np.integer) and not isinstance(value, bool)
