"""The same segmentation learned again from other customers, or with another seed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags

from segkit.metrics._centers import cluster_means, nearest_cluster, squared_distances
from segkit.metrics._clusterers import fitted_labels, is_k_means, n_restarts_of, prepared
from segkit.metrics._k_means import k_means
from segkit.metrics._threads import one_thread
from segkit.validation._judged_customers import Table
from segkit.validation._variables import Codes, Floats

_OWNER = "SegmentValidator"
_RESTARTS = 10
Rows: TypeAlias = NDArray[np.intp]


@dataclass(frozen=True)
class ClusteringRefits:
    """A clusterer of features; what makes features of customers stays as it is."""

    features: Floats
    clusterer: Any

    #: Clusters have no names by which those of two fits are the same.
    is_named = False

    def __len__(self) -> int:
        return len(self.features)

    @property
    def has_seed(self) -> bool:
        """Whether chance has a part in it."""
        return bool(_seeds_of(self.clusterer))

    def codes_after(self, learned: Rows, told: Rows, seed: int) -> Codes:
        """Learn from some customers, and return the clusters of some."""
        rows = self.features[learned]
        with one_thread():
            if is_k_means(self.clusterer):
                n_restarts = n_restarts_of(self.clusterer, _RESTARTS)
                number = int(self.clusterer.n_clusters)
                rng = np.random.RandomState(seed)
                centers = k_means(rows, number, rng, n_restarts=n_restarts).centers
                return nearest_cluster(squared_distances(self.features[told], centers))
            fitted = prepared(self.clusterer, seed, owner=_OWNER)
            labels = fitted_labels(fitted, rows)
            if hasattr(fitted, "predict"):
                return np.asarray(fitted.predict(self.features[told])).astype(np.intp)
            names, codes = np.unique(labels[labels >= 0], return_inverse=True)
            if not names.size:
                return np.full(len(told), -1, dtype=np.intp)
            centers = cluster_means(rows[labels >= 0], codes, names.size)
            return nearest_cluster(squared_distances(self.features[told], centers))

    def codes_by_seed(self, rows: Rows, seed: int) -> Codes:
        """Return the clusters of some customers, learned from them with this seed."""
        with one_thread():
            return fitted_labels(_reseeded(self.clusterer, seed), self.features[rows])


@dataclass(frozen=True)
class SegmenterRefits:
    """A segmenter of customers, all of it learned again."""

    segmenter: Any
    table: Table
    names: tuple[str, ...]
    y: Any
    segments: tuple[str, ...]
    is_named: bool

    def __len__(self) -> int:
        return len(self.table)

    @property
    def has_seed(self) -> bool:
        """Whether chance has a part in it."""
        return bool(_seeds_of(self.segmenter))

    def fitted(self, learned: Rows, seed: int) -> Any:
        """Return the segmenter, fitted to some customers, each as often as named."""
        copy = prepared(self.segmenter, seed, owner=_OWNER)
        y = None if self.y is None else self.y[learned]
        with one_thread():
            return copy.fit(self.table.rows(self.names, learned), y)

    def codes_of(self, fitted: Any, told: Rows | None) -> Codes:
        """Return the codes that a fitted segmenter gives; by name where segments have one."""
        codes = np.asarray(fitted.predict(self.table.rows(self.names, told))).astype(np.intp)
        if not self.is_named:
            return codes
        places = {name: place for place, name in enumerate(self.segments)}
        found = [str(name) for name in last_step(fitted).segments_]
        # A segment that has no customers of ours keeps a code of its own.
        moved = [places.get(name, len(places) + i) for i, name in enumerate(found)]
        return np.array([*moved, -1], dtype=np.intp)[codes]

    def codes_after(self, learned: Rows, told: Rows, seed: int) -> Codes:
        """Learn from some customers, and return the segments of some."""
        return self.codes_of(self.fitted(learned, seed), told)

    def codes_by_seed(self, rows: Rows, seed: int) -> Codes:
        """Return the segments of some customers, learned from them with this seed."""
        y = None if self.y is None else self.y[rows]
        with one_thread():
            fitted = _reseeded(self.segmenter, seed).fit(self.table.rows(self.names, rows), y)
        return self.codes_of(fitted, rows)


Refits: TypeAlias = ClusteringRefits | SegmenterRefits


def clustering_of(fitted: Any, rows: Any) -> ClusteringRefits | None:
    """Return the features and the clusterer in a fitted estimator; None where it has none.

    Segmenters that cluster say so themselves; the steps before the last of a pipeline, and the
    preparation of a segmenter, stay as they are.
    """
    if isinstance(fitted, Pipeline):
        before = fitted[:-1]
        return clustering_of(fitted[-1], before.transform(rows) if len(before) else rows)
    if hasattr(fitted, "_clustering"):
        return ClusteringRefits(*fitted._clustering(rows))
    if not is_clusterer(fitted):
        return None
    try:
        features = np.asarray(rows, dtype=np.float64)
    except (TypeError, ValueError):
        return None
    return ClusteringRefits(features, clone(fitted)) if np.isfinite(features).all() else None


def is_clusterer(estimator: Any) -> bool:
    """Tell whether an estimator finds groups, as clusterers and mixtures do."""
    return get_tags(estimator).estimator_type in ("clusterer", "density_estimator")


def last_step(estimator: Any) -> Any:
    """Return the last step of a pipeline, or the estimator itself."""
    while isinstance(estimator, Pipeline):
        estimator = estimator[-1]
    return estimator


def matched(found: Codes, codes: Codes, n_segments: int) -> Codes:
    """Return the segments of another fit, called as those that they share most customers with."""
    both = (found >= 0) & (codes >= 0)
    n_found = int(found.max(initial=-1)) + 1
    if not n_found:
        return found
    shared = np.bincount(found[both] * n_segments + codes[both], minlength=n_found * n_segments)
    shared = shared.reshape(n_found, n_segments)
    place = shared.argmax(axis=1)
    rows, columns = linear_sum_assignment(-shared)
    place[rows] = columns
    return np.where(found >= 0, np.append(place, -1)[found], -1).astype(np.intp)


def held_out_codes(refits: Refits, codes: Codes, n_segments: int, seed: int) -> Codes:
    """Return the segment of each customer by what the other half of the customers teaches."""
    shuffled = np.random.default_rng(seed).permutation(len(codes))
    halves = shuffled[: len(codes) // 2], shuffled[len(codes) // 2 :]
    held_out = np.empty(len(codes), dtype=np.intp)
    everyone = np.arange(len(codes))
    for learned, told in (halves, halves[::-1]):
        found = refits.codes_after(learned, everyone, seed)
        if refits.is_named:
            found = np.where(found < n_segments, found, -1)
        else:
            # By whom the fit has seen, so that the others have no part in it.
            place = np.zeros(len(codes), dtype=bool)
            place[learned] = True
            found = matched_by(found, codes, n_segments, place)
        held_out[told] = found[told]
    return held_out


def matched_by(found: Codes, codes: Codes, n_segments: int, seen: NDArray[np.bool_]) -> Codes:
    """Match by some customers, and return the segments of all."""
    return matched(found, np.where(seen, codes, -1), n_segments)


def _seeds_of(estimator: Any) -> list[str]:
    names = estimator.get_params()
    return [name for name in names if name.rpartition("__")[2] == "random_state"]


def _reseeded(estimator: Any, seed: int) -> Any:
    copy = clone(estimator)
    return copy.set_params(**dict.fromkeys(_seeds_of(copy), seed))
