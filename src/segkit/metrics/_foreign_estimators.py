"""Estimators of other libraries that a user passes in: what they refuse is told by column."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd

from segkit._frames import dtype_of, float_values
from segkit._input_checks import check_numeric, estimator_name
from segkit.exceptions import (
    MissingValuesError,
    SegkitError,
    SegkitTypeError,
    SegkitValueError,
)

#: What numpy, pandas and scikit-learn say of text and dates where numbers are needed. Some of them
#: quote a value, which may be an id.
NO_NUMBER = re.compile(
    r"could not convert|not convert|must be a string or a real number|promoted|numeric|dtype|cast"
    r"|array element",
    re.IGNORECASE,
)


def check_is_estimator(segmenter: Any, *, owner: str) -> None:
    """Raise unless a segmenter can be cloned and fitted; never show what came instead."""
    if isinstance(segmenter, type):
        raise SegkitTypeError(
            f"{owner}: segmenter must be an estimator, got the class {segmenter.__name__}. Write "
            f"{segmenter.__name__}(...)."
        )
    if not (hasattr(segmenter, "fit") and hasattr(segmenter, "get_params")):
        raise SegkitTypeError(
            f"{owner}: segmenter must be an estimator, got {type(segmenter).__name__}. Labels that "
            "are there already go to fit: fit(X, y=labels)."
        )


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
        if "infinity" in said and (infinite := _infinite(view, names)):
            raise SegkitValueError(
                f"{owner}: {name} takes no infinite numbers, and the columns {infinite} contain "
                "some. Correct or drop these rows."
            ) from None
        if NO_NUMBER.search(said) and (held := _no_numbers(view, names)):
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


def _infinite(view: nw.DataFrame[Any], names: Sequence[str]) -> list[str]:
    return [
        name
        for name in names
        if view[name].dtype.is_float() and np.isinf(float_values(view[name])).any()
    ]


def _no_numbers(view: nw.DataFrame[Any], names: Sequence[str]) -> dict[str, str]:
    """Return what each column holds that holds no numbers."""
    held = {}
    for name in names:
        dtype = dtype_of(view[name])
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
