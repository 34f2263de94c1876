"""Which segment each customer is in: labels from any source as codes and names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd

from segkit._frames import UNASSIGNED
from segkit.exceptions import SegkitTypeError, SegkitValueError
from segkit.metrics._arguments import Codes

#: The name of all customers who are in a segment.
EVERYONE = "(everyone)"
#: More segments than these are no segments.
_MOST_SEGMENTS = 1_000
_ONE_TYPE = "y must be of one type, all numbers or all text. Make text of them: y.astype(str)."


@dataclass(frozen=True)
class SegmentLabels:
    """Codes from 0 to ``len(names) - 1``; -1 for customers without a segment."""

    codes: Codes
    names: list[str]

    @property
    def n_unassigned(self) -> int:
        """How many customers have no segment."""
        return int((self.codes < 0).sum())

    def without_empty(self) -> SegmentLabels:
        """Return the labels without segments that nobody is in."""
        if not self.names:
            return self
        used = np.bincount(self.codes[self.codes >= 0], minlength=len(self.names)) > 0
        if used.all():
            return self
        to = np.append(np.where(used, used.cumsum() - 1, -1), -1)
        names = [name for name, is_used in zip(self.names, used, strict=True) if is_used]
        return SegmentLabels(to[self.codes], names)


def read_segment_labels(labels: Any, n_rows: int, *, owner: str) -> SegmentLabels:
    """Return labels of any kind: codes, text, categories, a Series of any library.

    Segments are in the order of the categories, where there are any, else sorted. Missing labels,
    negative codes and ``"unassigned"`` are no segment.
    """
    series = _as_pandas(labels, owner=owner)
    if len(series) != n_rows:
        raise SegkitValueError(
            f"{owner}: y must have one label for each of the {n_rows:,} rows of X, got "
            f"{len(series):,}."
        )
    if isinstance(series.dtype, pd.CategoricalDtype):
        codes, found = series.cat.codes.to_numpy(), series.cat.categories
    else:
        codes, found = _factorized(series, owner=owner)
    names = [label_name(label) for label in found]
    is_segment = [not _is_no_segment(label) for label in found]
    to = np.append(np.where(is_segment, np.cumsum(is_segment) - 1, -1), -1).astype(np.intp)
    kept = [name for name, is_kept in zip(names, is_segment, strict=True) if is_kept]
    read = SegmentLabels(to[codes], kept).without_empty()
    if len(set(read.names)) < len(read.names):
        raise SegkitValueError(
            f"{owner}: y has labels that differ and read the same as text. Rename them."
        )
    return check_segments(read, owner=owner)


def check_segments(labels: SegmentLabels, *, owner: str) -> SegmentLabels:
    """Raise where nobody has a segment, or nearly everybody one of their own."""
    n_rows = len(labels.codes)
    if not labels.names:
        raise SegkitValueError(
            f"{owner}: none of the {n_rows:,} customers has a segment; labels are missing, "
            f"negative or {UNASSIGNED!r}."
        )
    if EVERYONE in labels.names:
        raise SegkitValueError(
            f"{owner}: no segment can be called {EVERYONE!r}, which stands for all of them."
        )
    if len(labels.names) > _MOST_SEGMENTS:
        raise SegkitValueError(
            f"{owner}: y has {len(labels.names):,} different labels in {n_rows:,} rows; at most "
            f"{_MOST_SEGMENTS:,} segments are described. Is it a column of ids or amounts?"
        )
    return labels


def _as_pandas(labels: Any, *, owner: str) -> pd.Series[Any]:
    if isinstance(labels, pd.Series):
        return labels.reset_index(drop=True)
    if isinstance(labels, pd.Categorical | pd.Index):
        return pd.Series(labels)
    view = nw.from_native(labels, allow_series=True, pass_through=True)
    if isinstance(view, nw.Series):
        if isinstance(view.dtype, nw.Enum):
            ordered = pd.CategoricalDtype(list(view.dtype.categories), ordered=True)
            return pd.Series(view.to_list(), dtype=ordered)
        return pd.Series(view.to_list())
    if isinstance(view, nw.DataFrame | nw.LazyFrame):
        raise SegkitTypeError(
            f"{owner}: y must be one label a row, got {type(labels).__name__}. Pass a single "
            "column, or the name of a column of X."
        )
    # An array of a list would make text of numbers beside text.
    is_list = isinstance(labels, list | tuple)
    values = np.asarray(pd.Series([*labels], dtype=object) if is_list else labels)
    if values.ndim != 1:
        raise SegkitValueError(f"{owner}: y must have one dimension, got shape {values.shape}.")
    return pd.Series(values).infer_objects()


def _factorized(series: pd.Series[Any], *, owner: str) -> tuple[Codes, Any]:
    if series.dtype.kind == "O":
        # Codes beside names are of several types, and cannot be sorted.
        series = series.mask(series.map(_is_no_segment).astype(bool))
        series = series.infer_objects()
        if len({isinstance(one, str) for one in series.dropna()}) > 1:
            raise SegkitTypeError(f"{owner}: {_ONE_TYPE}")
    if series.dtype.kind == "f":
        whole = series.dropna() % 1 == 0
        if not whole.all():
            raise SegkitTypeError(
                f"{owner}: y must hold labels, got numbers with decimals. Pass codes or names of "
                "segments, or make segments of the numbers first."
            )
        series = series.astype("Int64")
    try:
        codes, found = pd.factorize(series, sort=True)
    except TypeError:
        raise SegkitTypeError(f"{owner}: {_ONE_TYPE}") from None
    return codes, found


def _is_no_segment(label: Any) -> bool:
    if isinstance(label, str):
        return label == UNASSIGNED
    return (
        not isinstance(label, bool | np.bool_)
        and isinstance(label, int | float | np.number)
        and bool(label < 0)
    )


def label_name(label: Any) -> str:
    """Return the name of the segment that has a label."""
    is_whole = isinstance(label, float | np.floating) and float(label).is_integer()
    return str(int(label)) if is_whole else str(label)
