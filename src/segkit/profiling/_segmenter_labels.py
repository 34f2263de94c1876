"""Labels of a segmenter, clusterer or pipeline, with the names and the columns that it knows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline

from segkit._input_checks import estimator_name
from segkit.base import is_segmenter
from segkit.exceptions import SegkitTypeError
from segkit.metrics._arguments import Codes
from segkit.profiling._segment_labels import SegmentLabels, check_segments


def fit_segmenter(segmenter: Any, X: Any, y: Any) -> Any:
    """Return a fitted clone; a frozen segmenter as it is."""
    return clone(segmenter).fit(X, y)


def columns_for_segmenter(
    segmenter: Any, available: Sequence[str], basis: Sequence[str] | None
) -> Sequence[str]:
    """Return the columns that a segmenter is handed.

    Segmenters with columns of their own find them by name; of others a frozen one gets those of its
    fit, and the rest get the basis, where it is named.
    """
    final = _final(segmenter)
    if is_segmenter(final) and getattr(final, "columns", ()) is not None:
        return available
    if isinstance(segmenter, FrozenEstimator):
        seen = [str(name) for name in getattr(segmenter.estimator, "feature_names_in_", ())]
        if seen:
            return seen if set(seen) <= set(available) else available
    return basis or available


def labels_of_segmenter(fitted: Any, X: Any, n_rows: int, *, owner: str) -> SegmentLabels:
    """Return the segment of each customer, by the fitted segmenter."""
    final = _final(fitted)
    labels = getattr(final, "labels_", None)
    if isinstance(fitted, FrozenEstimator) or labels is None or len(labels) != n_rows:
        if not hasattr(fitted, "predict"):
            raise SegkitTypeError(
                f"{owner}: {estimator_name(fitted)} cannot predict segments of customers. Pass "
                "its labels to fit: fit(X, y=labels)."
            )
        labels = fitted.predict(X)
    codes = checked_codes(fitted, labels, n_rows, "Pass names as labels: fit(X, y=names).", owner)
    names = names_of_segmenter(fitted)
    if names is None:
        names = [str(code) for code in range(int(codes.max(initial=-1)) + 1)]
    return check_segments(SegmentLabels(codes, names).without_empty(), owner=owner)


def checked_codes(fitted: Any, labels: Any, n_rows: int, remedy: str, owner: str) -> Codes:
    """Return what a segmenter predicts as codes, -1 for nobody's; refuse what are none."""
    codes = np.asarray(labels)
    if codes.dtype.kind not in "iu" or codes.shape != (n_rows,):
        raise SegkitTypeError(
            f"{owner}: {estimator_name(fitted)} must give one integer a customer, got "
            f"{codes.dtype} of shape {codes.shape}. {remedy}"
        )
    return np.where(codes < 0, -1, codes).astype(np.intp)


def names_of_segmenter(fitted: Any) -> list[str] | None:
    """Return the names of a segmenter's segments in their order; None where it has none."""
    names = getattr(_final(fitted), "segments_", None)
    return None if names is None else [str(name) for name in names]


def columns_of_segmenter(fitted: Any, available: list[str]) -> list[str]:
    """Return the columns that segments were made of; all, where it cannot say."""
    inside = fitted.estimator if isinstance(fitted, FrozenEstimator) else fitted
    names = getattr(inside, "feature_names_in_", None)
    if names is not None:
        return [str(name) for name in names if name in available]
    positions = getattr(inside, "_positions_used", None)
    if positions is None and hasattr(inside, "_columns_used"):
        positions = range(len(inside._columns_used))
    return available if positions is None else [available[place] for place in positions]


def _final(fitted: Any) -> Any:
    inside = fitted.estimator if isinstance(fitted, FrozenEstimator) else fitted
    return inside.steps[-1][1] if isinstance(inside, Pipeline) and inside.steps else inside
