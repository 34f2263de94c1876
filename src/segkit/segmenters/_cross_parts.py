"""The segmenters that are crossed, with names, whatever they are wrapped in."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.frozen import FrozenEstimator

from segkit._frames import UNASSIGNED
from segkit.base import is_segmenter
from segkit.exceptions import SegkitTypeError, SegkitValueError

_OWNER = "CrossSegmenter"


def named_segmenters(given: Any) -> list[tuple[str, Any]]:
    """Return segmenters with names, their own or those of their classes, as make_pipeline does."""
    if not isinstance(given, list | tuple) or len(given) < 2:
        raise SegkitValueError(
            f"{_OWNER}: segmenters must be a list of two or more segmenters, or of (name, "
            f"segmenter) pairs, got {given!r}."
        )
    named = []
    for one in given:
        is_pair = isinstance(one, tuple) and len(one) == 2 and isinstance(one[0], str)
        name, segmenter = one if is_pair else (_class_name(one), one)
        inside = inside_of(segmenter) if hasattr(segmenter, "fit") else segmenter
        if not is_segmenter(inside):
            raise SegkitTypeError(
                f"{_OWNER}: segmenters must hold segmenters, or (name, segmenter) pairs, got "
                f"{type(segmenter).__name__}. For a clusterer, pass ClusterSegmenter(...)."
            )
        named.append((name, segmenter))
    names = [name for name, _ in named]
    if taken := sorted({"customers", "segment"} & set(names)):
        raise SegkitValueError(
            f"{_OWNER}: {taken} are columns of cells_ already. Give these segmenters other names."
        )
    if taken := sorted({"segmenters", "min_size", "max_segments", "name"} & set(names)):
        raise SegkitValueError(
            f"{_OWNER}: {taken} are parameters of it already. Give these segmenters other names."
        )
    if wrong := [name for name in names if not name or "__" in name]:
        raise SegkitValueError(
            f"{_OWNER}: {wrong} are no names of segmenters, because '__' stands between a name and "
            "a parameter. Give these segmenters other names."
        )
    if any(isinstance(one, tuple) for one in given):
        if len(set(names)) < len(names):
            raise SegkitValueError(f"{_OWNER}: the names of segmenters are not distinct: {names}.")
        return named
    return [
        (f"{name}-{names[: place + 1].count(name)}" if names.count(name) > 1 else name, segmenter)
        for place, (name, segmenter) in enumerate(named)
    ]


def _class_name(segmenter: Any) -> str:
    return type(inside_of(segmenter)).__name__.lower()


def inside_of(segmenter: Any) -> Any:
    """Return the segmenter inside a frozen one or at the end of a pipeline."""
    if isinstance(segmenter, FrozenEstimator):
        return inside_of(segmenter.estimator)
    steps = getattr(segmenter, "steps", None)
    return inside_of(steps[-1][1]) if steps else segmenter


def predicted_names(segmenter: Any, X: Any) -> list[str]:
    """Return the name of each customer's segment."""
    codes = np.asarray(segmenter.predict(X))
    names = np.append(np.asarray(inside_of(segmenter).segments_, dtype=object), UNASSIGNED)
    return [str(name) for name in names[codes]]
