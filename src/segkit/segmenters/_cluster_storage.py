"""What a file keeps of clusters: how columns are prepared, and the centres or prototypes."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.cluster import KMeans, MiniBatchKMeans
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline

from segkit._storage._state import LearnedState
from segkit.cluster import KPrototypes
from segkit.exceptions import SegkitTypeError
from segkit.metrics import StructureTest
from segkit.segmenters._cluster_assigner import NearestCentre
from segkit.segmenters._cluster_levels import LevelsAsText
from segkit.segmenters._cluster_plane import Plane
from segkit.segmenters._cluster_preprocessing import (
    ClusterPreprocessing,
    LevelColumn,
    NumberColumn,
)

if TYPE_CHECKING:
    from segkit.segmenters._cluster import ClusterSegmenter

_COLUMNS = {kind.kind: kind for kind in (NumberColumn, LevelColumn)}


def stored_clusters(segmenter: ClusterSegmenter) -> dict[str, Any]:
    """Return what a file keeps of a fitted segmenter."""
    if segmenter._transformer is not None:
        raise SegkitTypeError(
            "ClusterSegmenter.save: the preprocessor is a "
            f"{type(segmenter._transformer).__name__}, which JSON cannot hold. Use "
            "skops.io.dump, or, among people who trust each other, joblib.dump."
        )
    preprocessing, test = segmenter._preprocessing, segmenter.structure_test_
    return {
        "assigner": _stored_assigner(segmenter),
        "assignment_accuracy": float(segmenter.assignment_accuracy_),
        "code_of_label": segmenter._code_of_label.tolist(),
        "centre_labels": None if segmenter._centres is None else segmenter._centres[1].tolist(),
        "cluster_centers": segmenter.cluster_centers_,
        "customers": segmenter._sizes.tolist(),
        "all_customers": segmenter._n_customers,
        "preprocessing": None if preprocessing is None else _stored_preprocessing(preprocessing),
        "plane": asdict(segmenter._plane),
        "selection": segmenter.selection_,
        "has_structure": segmenter.has_structure_,
        "structure_test": None if test is None else _fields(test),
    }


def restore_clusters(segmenter: ClusterSegmenter, state: LearnedState) -> None:
    """Set what a file kept."""
    segmenter._transformer = None
    n_segments = segmenter.n_segments_ = len(segmenter.segments_)
    segmenter._code_of_label = codes = state.counts("code_of_label", least=-1)
    known = np.sort(codes[codes >= 0])
    if not np.array_equal(known, np.arange(n_segments)) or not len(codes) or codes[-1] != -1:
        state.refuse("code_of_label", "every code once, and -1 last", codes)
    _restore_preprocessing(segmenter, state)
    centers = state.array("cluster_centers", "float64", (n_segments, None))
    segmenter.cluster_centers_ = centers
    preprocessing = segmenter._preprocessing
    n_features = centers.shape[1]
    if preprocessing is not None and len(preprocessing.features) != n_features:
        state.refuse("cluster_centers", f"of {len(preprocessing.features)} features", centers)
    _restore_assigner(segmenter, state, n_features)
    segmenter.assignment_accuracy_ = state.number("assignment_accuracy", least=0)
    segmenter._sizes = state.counts("customers", n_segments)
    segmenter._n_customers = state.count("all_customers", least=1)
    plane = state.inside("plane")
    segmenter._plane = Plane(
        plane.array("mean", "float64", (n_features,)),
        plane.array("axes", "float64", (n_features, 2)),
        plane.of_type("labels", tuple),
    )
    segmenter.selection_ = state.of_type("selection", pd.DataFrame, type(None))
    segmenter.has_structure_ = state.of_type("has_structure", bool, type(None))
    segmenter.structure_test_ = None
    if state.of_type("structure_test", dict, type(None)) is not None:
        test = state.inside("structure_test")
        segmenter.structure_test_ = StructureTest(
            test.of_type("has_structure", bool),
            test.of_type("p_value", float),
            test.of_type("statistic", float),
            test.of_type("excess", float),
            test.of_type("evidence", pd.DataFrame),
        )


def _stored_assigner(segmenter: ClusterSegmenter) -> dict[str, Any]:
    assigner = segmenter._assigner
    if isinstance(assigner, NearestCentre):
        return {"kind": "centre", "centres": assigner.centres}
    places = None
    if isinstance(assigner, Pipeline) and isinstance(assigner[0], LevelsAsText):
        places, assigner = [list(map(int, pair)) for pair in assigner[0].places], assigner[-1]
    inside = assigner.estimator if isinstance(assigner, FrozenEstimator) else assigner
    if type(inside) not in (KMeans, MiniBatchKMeans, KPrototypes):
        raise SegkitTypeError(
            f"ClusterSegmenter.save: customers are assigned by {type(inside).__name__}, which "
            "JSON cannot hold; it holds k-means, k-prototypes and the nearest centre "
            '(assigner="centre", for clusterers that do not predict). Use skops.io.dump, or, among '
            "people who trust each other, joblib.dump."
        )
    return {"kind": "clusterer", "clusterer": assigner, "level_places": places}


def _restore_assigner(segmenter: ClusterSegmenter, state: LearnedState, n_features: int) -> None:
    stored = state.inside("assigner")
    n_labels = len(segmenter._code_of_label) - 1
    labels = None
    if state.of_type("centre_labels", list, type(None)) is not None:
        labels = state.counts("centre_labels")
        if not len(labels) or (labels >= n_labels).any():
            state.refuse("centre_labels", f"positions below {n_labels}", labels)
    segmenter._centres = None
    if stored.of_type("kind", str) == "centre":
        if labels is None:
            state.refuse("centre_labels", "a label for each centre")
        centres = stored.array("centres", "float64", (len(labels), n_features))
        segmenter._assigner = NearestCentre(centres, labels)
        segmenter._centres = centres, labels
        return
    clusterer: Any = stored.values().get("clusterer")
    if not isinstance(clusterer, BaseEstimator) or not hasattr(clusterer, "predict"):
        stored.refuse("clusterer", "a clusterer that predicts", clusterer)
    segmenter.clusterer_ = segmenter._assigner = clusterer
    if stored.of_type("level_places", list, type(None)) is not None:
        places = [(start, stop) for start, stop in stored.of_type("level_places", list)]
        if not all(type(place) is int and 0 <= place <= n_features for p in places for place in p):
            stored.refuse("level_places", f"pairs of positions up to {n_features}", places)
        steps = [("levels", LevelsAsText(places)), ("clusterer", clusterer)]
        segmenter._assigner = Pipeline(steps)
    if labels is not None:
        centres = np.asarray(clusterer.cluster_centers_, dtype=np.float64)
        if centres.shape[1] != n_features or (labels >= len(centres)).any():
            state.refuse("centre_labels", f"positions below {len(centres)}", labels)
        segmenter._centres = centres[labels], labels


def _stored_preprocessing(preprocessing: ClusterPreprocessing) -> dict[str, Any]:
    columns = [{"kind": column.kind, **_fields(column)} for column in preprocessing.columns]
    return {"columns": columns, "left_out": preprocessing.dropped}


def _restore_preprocessing(segmenter: ClusterSegmenter, state: LearnedState) -> None:
    segmenter._preprocessing = segmenter.preprocessing_summary_ = None
    if state.of_type("preprocessing", dict, type(None)) is None:
        return
    stored = state.inside("preprocessing")
    columns: list[Any] = [_restored_column(column) for column in stored.each("columns")]
    dropped: list[Any] = stored.of_type("left_out", list)
    used = set(segmenter._columns_used)
    if {column.name for column in columns} | set(dropped) != used or not columns:
        stored.refuse("columns", f"those that are read, {segmenter._columns_used}", columns)
    segmenter._preprocessing = ClusterPreprocessing(columns, dropped)
    segmenter.preprocessing_summary_ = segmenter._preprocessing.summary


def _restored_column(state: LearnedState) -> NumberColumn | LevelColumn:
    kind = _COLUMNS.get(state.of_type("kind", str))
    name: Any = state.of_type("name", str, int)
    scale = state.number("scale", least=np.finfo(np.float64).tiny)
    levels = state.of_type("levels", tuple)
    if kind is LevelColumn:
        if not all(isinstance(level, str) for level in levels):
            state.refuse("levels", "text", levels)
        return LevelColumn(name, levels, scale, state.of_type("is_constant", bool))
    if kind is not NumberColumn:
        state.refuse("kind", f"one of {list(_COLUMNS)}")
    return NumberColumn(
        name,
        state.number("median"),
        state.of_type("is_logarithm", bool),
        state.number("mean"),
        scale,
        state.of_type("has_missing", bool),
        state.of_type("is_boolean", bool),
        levels,
        state.of_type("is_plain", bool),
    )


def _fields(instance: Any) -> dict[str, Any]:
    """Return the fields of a dataclass, without the values that it caches and without copies."""
    return {name: getattr(instance, name) for name in type(instance).__dataclass_fields__}
