"""How customers that a clusterer did not see find their cluster."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans, MiniBatchKMeans
from sklearn.model_selection import KFold
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors

from segkit._warn import warn
from segkit.exceptions import SegkitWarning

Floats: TypeAlias = NDArray[np.float64]
Labels: TypeAlias = NDArray[np.int64]

_NEIGHBOURS = 5
_FOLDS = 5
# So many customers tell how well an assigner does.
_MOST_TRIED = 5_000
# New customers who find another cluster than the clusterer's more often than this are warned of.
_LOW_ACCURACY = 0.9


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
    """Assigns as the nearest labelled customers are, who may be noise; a nearer one counts more.

    Customers like one who was seen are as that one was. Where there is noise, who is farther from
    a cluster than its customers are from one another is noise, too.
    """

    classifier: Any
    reach: Floats | None

    @classmethod
    def of(cls, features: Floats, labels: Labels) -> NearestNeighbours:
        """Remember the customers."""
        n_neighbours = min(_NEIGHBOURS, len(labels))
        classifier = KNeighborsClassifier(n_neighbours, weights="distance").fit(features, labels)
        return cls(classifier, _reach(features, labels) if labels.min() < 0 else None)

    def predict(self, features: Floats) -> Labels:
        """Return the label that the neighbours speak for."""
        labels = np.asarray(self.classifier.predict(features), dtype=np.int64)
        if self.reach is None or not len(labels):
            return labels
        distances, places = self.classifier.kneighbors(features)
        theirs = self.classifier.classes_[self.classifier._y[places]] == labels[:, np.newaxis]
        nearest = np.where(theirs, distances, np.inf).min(axis=1)
        inside = nearest <= np.append(self.reach, np.inf)[labels]
        return np.where(inside, labels, -1)


def _reach(features: Floats, labels: Labels) -> Floats:
    """Return, for each label, how far a customer is at most from the nearest one of the cluster."""
    reach = np.zeros(int(labels.max()) + 1)
    for label in np.unique(labels[labels >= 0]):
        own = features[labels == label]
        if len(own) > 1:
            distances = NearestNeighbors(n_neighbors=2).fit(own).kneighbors(own)[0]
            reach[label] = distances[:, 1].max()
    return reach


def assigner_of(clusterer: Any, features: Floats, labels: Labels, which: str) -> tuple[Any, float]:
    """Return what assigns new customers, and how often it does as the clusterer would have."""
    if hasattr(clusterer, "predict"):
        return clusterer, 1.0
    assigner, accuracy = _best_assigner(features, labels, which)
    if accuracy < _LOW_ACCURACY:
        warn(
            f"ClusterSegmenter: {type(clusterer).__name__} cannot predict, and new customers are "
            f"assigned as it would have done in {accuracy:.0%} of cases only (held-out customers). "
            "Use a clusterer that predicts.",
            SegkitWarning,
        )
    return assigner, accuracy


def centres_of(assigner: Any) -> tuple[Floats, Labels] | None:
    """Return the centres of which an assigner takes the nearest, and their labels."""
    if isinstance(assigner, NearestCentre):
        return assigner.centres, assigner.labels
    if isinstance(assigner, KMeans | MiniBatchKMeans):
        # Of equal centres, as there are of few different customers, only the first has any.
        found = np.unique(assigner.labels_)
        return np.asarray(assigner.cluster_centers_[found], dtype=np.float64), found
    return None


def _best_assigner(features: Floats, labels: Labels, which: str) -> tuple[Any, float]:
    """Return the assigner that best tells labels of customers it did not see, and how often."""
    choices: dict[str, list[Any]] = {
        # A nearest centre leaves nobody out: it cannot tell noise.
        "auto": [NearestNeighbours] if labels.min() < 0 else [NearestCentre, NearestNeighbours],
        "centre": [NearestCentre],
        "neighbours": [NearestNeighbours],
    }
    kinds = choices[which] if labels.max() >= 0 else [NearestNeighbours]
    some = np.arange(len(labels))
    if len(some) > _MOST_TRIED:
        some = np.random.RandomState(0).choice(len(labels), _MOST_TRIED, replace=False)
    tried, known = features[some], labels[some]
    folds = list(KFold(min(_FOLDS, len(some)), shuffle=True, random_state=0).split(tried))
    accuracy = [
        sum(
            int((_told(kind, tried[train], known[train], tried[test]) == known[test]).sum())
            for train, test in folds
        )
        / len(some)
        for kind in kinds
    ]
    best = int(np.argmax(accuracy))
    return kinds[best].of(features, labels), accuracy[best]


def _told(kind: Any, features: Floats, labels: Labels, new: Floats) -> Labels:
    if labels.max() < 0:
        return np.full(len(new), -1)
    told: Labels = kind.of(features, labels).predict(new)
    return told
