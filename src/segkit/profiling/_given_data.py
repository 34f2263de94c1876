"""What a profiler is given: a table it can read, and the part of it that a segmenter takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import issparse

from segkit._frames import Frame, array_of_rows
from segkit.exceptions import SegkitTypeError, SegkitValueError


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
        array = X if isinstance(X, np.ndarray) else array_of_rows(X, owner=owner)
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
