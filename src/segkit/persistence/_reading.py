"""Estimators of what a file says of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from segkit._storage._estimators import FOREIGN, OPTIONAL
from segkit._storage._state import LearnedState
from segkit._storage._values import Decoder, Json
from segkit.exceptions import SegkitError, SegmenterFileError
from segkit.persistence._classes import KnownClasses
from segkit.segmenters import SegmentMap

_IDENTITY = ("format", "format_version", "segkit_version", "class", "parameters")


def read_estimator(stored: dict[str, Json], where: str, known: KnownClasses) -> BaseEstimator:
    """Return an estimator, fitted if it was."""
    decoder = Decoder(
        {SegmentMap._stored_as: SegmentMap._of_stored},
        lambda fields, at: read_estimator(fields, at, known),
    )
    kind = known.find(stored.get("class"), where)
    parameters = LearnedState(stored.get("parameters"), f"{where}: parameters")
    given = decoder.fields(parameters.values(), parameters.where)
    wanted = set(kind._get_param_names())
    if unknown := sorted(set(given) - wanted):
        raise SegmenterFileError(f"{where}: {kind.__name__} has no parameters {unknown}.")
    try:
        estimator: BaseEstimator = kind(**given)
    except Exception as error:
        raise SegmenterFileError(f"{where}: {kind.__name__} refuses its parameters.") from error
    parts = {name: part for name, part in stored.items() if name not in _IDENTITY}
    if not parts:
        return estimator
    read = LearnedState(decoder.fields(parts, where), where)
    try:
        _restore(estimator, read)
    except SegkitError:
        raise
    except RecursionError:
        raise
    except Exception as error:  # whatever it is, the file is to blame
        raise SegmenterFileError(
            f"{where} holds parts of {kind.__name__} that do not fit together "
            f"({type(error).__name__}). Save the segmenter anew."
        ) from error
    return estimator


def _restore(estimator: Any, parts: LearnedState) -> None:
    names = FOREIGN.get(type(estimator))
    if names is None:
        estimator._restore_parts(parts)
        return
    learned = parts.inside("learned")
    for name in (*names, *(name for name in OPTIONAL if name in learned)):
        setattr(estimator, name, learned.values()[name])
    if "cluster_centers_" in names:
        centers = learned.of_type("cluster_centers_", np.ndarray)
        learned.array("cluster_centers_", centers.dtype.name, (None, estimator.n_features_in_))
        if centers.dtype.kind != "f" or not np.isfinite(centers).all():
            learned.refuse("cluster_centers_", "finite numbers", centers)
        # What scikit-learn's k-means needs to predict beside its centres.
        estimator._n_threads = 1
        estimator._n_features_out = len(estimator.cluster_centers_)
