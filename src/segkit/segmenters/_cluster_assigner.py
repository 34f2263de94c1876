"""How customers that a clusterer did not see find their cluster."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedKFold
from sklearn.neighbors import KNeighborsClassifier

Floats: TypeAlias = NDArray[np.float64]
Labels: TypeAlias = NDArray[np.int64]

_NEIGHBOURS = 5
_FOLDS = 5
# So many customers tell how well an assigner does.
_MOST_TRIED = 5_000


@dataclass(frozen=True)
class NearestCentre:
    """Assigns to the nearest centre."""

    centres: Floats
    labels: Labels

    @classmethod
    def of(cls, features: Floats, labels: Labels) -> NearestCentre:
        """Learn the means of the clusters."""
        found = np.unique(labels[labels >= 0])
        centres = np.array([features[labels == label].mean(axis=0) for label in found])
        return cls(centres, found)

    def predict(self, features: Floats) -> Labels:
        """Return the label of the nearest centre."""
        distances = (self.centres**2).sum(axis=1) - 2 * features @ self.centres.T
        nearest: Labels = self.labels[np.argmin(distances, axis=1)]
        return nearest


@dataclass(frozen=True)
class NearestNeighbours:
    """Assigns as most of the nearest labelled customers are, who may be noise."""

    classifier: Any

    @classmethod
    def of(cls, features: Floats, labels: Labels) -> NearestNeighbours:
        """Remember the customers."""
        n_neighbours = min(_NEIGHBOURS, len(labels))
        return cls(KNeighborsClassifier(n_neighbours).fit(features, labels))

    def predict(self, features: Floats) -> Labels:
        """Return the label that most neighbours have."""
        return np.asarray(self.classifier.predict(features), dtype=np.int64)


def best_assigner(features: Floats, labels: Labels, which: str) -> tuple[Any, float]:
    """Return the assigner that best tells labels of customers it did not see, and how often."""
    choices: dict[str, list[Any]] = {
        "auto": [NearestCentre, NearestNeighbours],
        "centre": [NearestCentre],
        "neighbours": [NearestNeighbours],
    }
    kinds = choices[which]
    if not (labels >= 0).any():
        return NearestNeighbours.of(features, labels), 1.0
    some = np.arange(len(labels))
    if len(some) > _MOST_TRIED:
        some = np.random.RandomState(0).choice(len(labels), _MOST_TRIED, replace=False)
    tried, known = features[some], labels[some]
    n_folds = min(_FOLDS, int(np.unique(known, return_counts=True)[1].min()))
    if n_folds < 2:
        return kinds[0].of(features, labels), float("nan")
    folds = list(StratifiedKFold(n_folds, shuffle=True, random_state=0).split(tried, known))
    accuracy = [
        float(
            np.mean(
                [
                    (kind.of(tried[train], known[train]).predict(tried[test]) == known[test]).mean()
                    for train, test in folds
                ]
            )
        )
        for kind in kinds
    ]
    best = int(np.argmax(accuracy))
    return kinds[best].of(features, labels), accuracy[best]
