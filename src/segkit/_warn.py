"""Warnings that point at the user's own line, however many layers deep they arise."""

from __future__ import annotations

import sys
import warnings

_PASSED_OVER = ("segkit", "sklearn", "joblib")


def warn(message: str, category: type[Warning]) -> None:
    """Warn at the nearest line that is neither segkit's nor scikit-learn's.

    A model may be fitted by itself or inside a composite, a pipeline or a search, so that no
    fixed number of frames leads to the user.
    """
    level, frame = 2, sys._getframe(1)
    while frame.f_back is not None and _package(frame.f_globals) in _PASSED_OVER:
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)


def _package(module: dict[str, object]) -> str:
    return str(module.get("__name__")).partition(".")[0]
