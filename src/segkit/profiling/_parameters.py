"""What a profiler is told: which columns, under which names, and numbers within their bounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from segkit._frames import Frame
from segkit._input_checks import check_columns_present, nearest
from segkit.exceptions import ColumnError, SegkitTypeError, SegkitValueError
from segkit.metrics._arguments import is_integer, read_count

if TYPE_CHECKING:
    from segkit.profiling._segment_profiler import SegmentProfiler

_OWNER = "SegmentProfiler"


def check_parameters(profiler: SegmentProfiler) -> None:
    """Raise for parameters that cannot be, whatever the data."""
    least = {"max_levels": 1, "min_cell": 1, "n_traits": 0, "n_representatives": 0}
    for name, at_least in least.items():
        read_count(getattr(profiler, name), least=at_least, name=name, owner=_OWNER)
    confidence = profiler.confidence
    if not isinstance(confidence, int | float) or not 0 < confidence < 1:
        raise SegkitValueError(
            f"{_OWNER}: confidence must be a number between 0 and 1, got {confidence!r}."
        )
    for name in ("groups", "phrases"):
        given = getattr(profiler, name)
        if given is not None and not isinstance(given, Mapping):
            raise SegkitTypeError(f"{_OWNER}: {name} must be a dict, got {type(given).__name__}.")
    for column, phrase in (profiler.phrases or {}).items():
        _check_phrase(column, phrase)


def _check_phrase(column: Any, phrase: Any) -> None:
    try:
        is_phrase = phrase.format("1", variable="", level="") != phrase.format(
            "2", variable="", level=""
        )
    except (AttributeError, LookupError, ValueError):
        is_phrase = False
    if not is_phrase:
        raise SegkitValueError(
            f"{_OWNER}: phrases[{column!r}] must be text with {{}} in place of the number, and "
            f"with {{level}} or {{variable}} if wanted, got {phrase!r}."
        )


def check_phrases_are_of_columns(profiler: SegmentProfiler, available: Sequence[str]) -> None:
    """Raise for a phrase of a column that is not there."""
    for name in profiler.phrases or {}:
        resolved_columns([name], available, "phrases")


def label_column(y: str, frame: Frame | None) -> str:
    """Return the column that has the segments, which the frame must have."""
    if frame is None:
        raise ColumnError(
            f"{_OWNER}: y={y!r} is the name of a column, and an array has none. Pass a frame."
        )
    remedy = "Pass y=... with the name of the column that has the segments."
    check_columns_present([y], frame, owner=_OWNER, remedy=remedy)
    return y


def value_column(profiler: SegmentProfiler, available: Sequence[str]) -> str | None:
    """Return the name of the column of value, if there is one."""
    if profiler.value is None:
        return None
    return resolved_columns([profiler.value], available, "value")[0]


def described_columns(
    profiler: SegmentProfiler, available: Sequence[str], label: str | None
) -> list[str]:
    """Return the columns to describe, in their order; `label` has the segments."""
    if profiler.columns is None:
        names = [name for name in available if name != label]
    else:
        names = resolved_columns(profiler.columns, available, "columns")
    value = value_column(profiler, available)
    return names if value is None or value in names else [*names, value]


def group_of_columns(profiler: SegmentProfiler, available: Sequence[str]) -> dict[str, str]:
    """Return the group of each column that is in one."""
    group_of: dict[str, str] = {}
    for group, wanted in (profiler.groups or {}).items():
        for name in resolved_columns(wanted, available, f"groups[{group!r}]"):
            if name in group_of:
                raise ColumnError(f"{_OWNER}: groups has {name!r} in more than one group.")
            group_of[name] = str(group)
    return group_of


def resolved_columns(wanted: Any, available: Sequence[str], parameter: str) -> list[str]:
    """Return names of columns, given by name or by position."""
    is_listed = isinstance(wanted, Sequence | np.ndarray | pd.Index) and not (
        isinstance(wanted, np.ndarray) and wanted.ndim == 0
    )
    if isinstance(wanted, str) or not is_listed:
        raise ColumnError(f"{_OWNER}: {parameter} must be a list of columns, got {wanted!r}.")
    names = []
    for one in wanted:
        if is_integer(one) and 0 <= one < len(available):
            names.append(available[int(one)])
        elif isinstance(one, str) and one in available:
            names.append(one)
        else:
            near = nearest(one, available) if isinstance(one, str) else None
            hint = f" Did you mean {near!r}?" if near else ""
            raise ColumnError(
                f"{_OWNER}: {parameter} has {one!r}, and there are the columns "
                f"{list(available)}.{hint}"
            )
    return list(dict.fromkeys(names))
