"""What a profiler is given: a table it can read, and the part of it that a segmenter takes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
from scipy.sparse import issparse

from segkit._frames import Frame
from segkit._input_checks import check_numeric, estimator_name
from segkit.exceptions import (
    MissingValuesError,
    SegkitError,
    SegkitTypeError,
    SegkitValueError,
)

# What numpy, pandas and scikit-learn say of text and dates where numbers are needed. Some of them
# quote a value, which may be an id.
_NO_NUMBER = re.compile(
    r"could not convert|not convert|must be a string or a real number|promoted|numeric|dtype|cast",
    re.IGNORECASE,
)


def check_array(X: Any, *, owner: str) -> None:
    """Raise for what is no table of rows and columns, without a look at its values."""
    if X is None:
        raise SegkitTypeError(
            f"{owner}: X is None; expected a frame or an array with one row per customer."
        )
    if issparse(X):
        raise SegkitTypeError(
            f"{owner}: X is a sparse matrix, which is not read. Pass X.toarray(), or a frame."
        )
    if isinstance(X, pd.DataFrame):
        shape = X.shape
    else:
        array = X if isinstance(X, np.ndarray) else np.asarray(X)
        if array.dtype.names is not None:
            raise SegkitTypeError(
                f"{owner}: X is a structured array. Make it a frame: pandas.DataFrame(X)."
            )
        shape = array.shape
    if not shape:
        raise SegkitTypeError(
            f"{owner}: expected a frame or an array with one row per customer, got "
            f"{type(X).__name__}."
        )
    if not shape[0]:
        raise SegkitValueError(f"{owner}: there are no customers; X has 0 rows.")
    if len(shape) == 1:
        raise SegkitValueError(
            f"{owner}: X must have two dimensions, a row per customer and a column per variable, "
            f"got shape {shape}. One variable is X.reshape(-1, 1)."
        )


def columns_of(X: Any, frame: Frame | None, names: Sequence[str], available: Sequence[str]) -> Any:
    """Return some columns of a frame or an array, as the same kind of table."""
    if frame is not None:
        return frame.select(*names).to_native()
    places = [available.index(name) for name in names]
    if isinstance(X, pd.DataFrame):
        return X.iloc[:, places]
    return (X if isinstance(X, np.ndarray) else np.asarray(X))[:, places]


@contextmanager
def told_by_column(
    segmenter: Any, view: nw.DataFrame[Any], names: Sequence[str], *, owner: str
) -> Iterator[None]:
    """Say which of the columns that a segmenter got it cannot take, and quote none of them."""
    try:
        yield
    except SegkitError:
        raise
    except (ValueError, TypeError) as error:
        said = str(error)
        name = estimator_name(segmenter)
        if re.search(r"\bNaN\b", said) and (missing := _with_missing(view, names)):
            raise MissingValuesError(
                f"{owner}: {name} takes no missing values, and the columns {missing} contain NaN "
                "or null. Fill them, drop these rows, or name complete columns: basis=[...]."
            ) from None
        if _NO_NUMBER.search(said) and (held := _no_numbers(view, names)):
            listed = ", ".join(f"{column!r} holds {kind}" for column, kind in held.items())
            raise SegkitTypeError(
                f"{owner}: {name} needs numbers; column {listed}. Name the columns that segments "
                f"are made of, {owner}(..., basis=[...]), or put a preprocessing pipeline in front."
            ) from None
        raise


def _with_missing(view: nw.DataFrame[Any], names: Sequence[str]) -> list[str]:
    return [
        name
        for name in names
        if view[name].null_count()
        or (view[name].dtype.is_float() and bool(view[name].is_nan().any()))
    ]


def _no_numbers(view: nw.DataFrame[Any], names: Sequence[str]) -> dict[str, str]:
    """Return what each column holds that holds no numbers."""
    held = {}
    for name in names:
        dtype = view[name].dtype
        if dtype == nw.Boolean:
            continue
        try:
            check_numeric([name], view, owner="")
        except SegkitTypeError:
            is_time = dtype.is_temporal()
            is_text = dtype in (nw.String, nw.Categorical, nw.Enum) or (
                dtype == nw.Object
                and pd.api.types.infer_dtype(view[name].to_list(), skipna=True) == "string"
            )
            held[name] = "text" if is_text else "dates or times" if is_time else "no numbers"
    return held
