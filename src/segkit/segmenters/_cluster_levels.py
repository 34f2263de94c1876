"""Categories for clusterers that compare categories as such, and not as numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.pipeline import Pipeline

from segkit.cluster import KPrototypes

Floats: TypeAlias = NDArray[np.float64]


def with_levels(clusterer: Any, categories: Sequence[slice]) -> Any:
    """Return a clusterer of features that, if it is k-prototypes, is given categories as text.

    `categories` are the features that hold the levels of a category.
    """
    if not isinstance(clusterer, KPrototypes) or not categories:
        return clusterer
    places = [(one.start, one.stop) for one in categories]
    return Pipeline([("levels", LevelsAsText(places)), ("clusterer", clusterer)])


def without_levels(fitted: Any) -> Any:
    """Return the clusterer itself, fitted."""
    is_wrapped = isinstance(fitted, Pipeline) and isinstance(fitted[0], LevelsAsText)
    return fitted[-1] if is_wrapped else fitted


class LevelsAsText(TransformerMixin, BaseEstimator):
    """Make one column of text of the features that hold the levels of a category."""

    def __init__(self, places: Sequence[tuple[int, int]]) -> None:
        self.places = places

    def fit(self, X: Floats, y: None = None) -> Self:
        """Learn nothing."""
        return self

    def __sklearn_is_fitted__(self) -> bool:
        """Tell that there is nothing to learn."""
        return True

    def transform(self, X: Floats) -> pd.DataFrame:
        """Return the numbers, and behind them a column of text for each category."""
        in_levels = np.zeros(X.shape[1], dtype=bool)
        columns: dict[str, Any] = {}
        for start, stop in self.places:
            in_levels[start:stop] = True
            indicators = X[:, start:stop]
            # A level that was not seen in fit has no feature.
            level = np.where(indicators.any(axis=1), indicators.argmax(axis=1), -1)
            columns[f"category_{start}"] = level.astype(str).astype(object)
        numbers = {f"number_{place}": X[:, place] for place in np.flatnonzero(~in_levels)}
        return pd.DataFrame({**numbers, **columns})
