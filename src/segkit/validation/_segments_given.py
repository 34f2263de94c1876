"""Where the segments come from: labels, or a segmenter that is fitted here and can be again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator

from segkit._frames import UNASSIGNED
from segkit._input_checks import check_labels
from segkit.base import is_segmenter
from segkit.exceptions import SegkitTypeError, SegkitValueError
from segkit.metrics._clusterers import labels_of, prepared
from segkit.metrics._foreign_estimators import told_by_column
from segkit.validation._judged_customers import Table, labelled, without_empty
from segkit.validation._refits import (
    Refits,
    SegmenterRefits,
    clustering_of,
    is_clusterer,
    last_step,
)
from segkit.validation._variables import Codes

_OWNER = "SegmentValidator"
_NO_REFITS = "labels alone cannot be found again in other customers: pass the segmenter"
_FROZEN = "the segmenter is frozen, so that it learns nothing from other customers"
_NO_PREDICT = "the segmenter does not predict: put its clusterer into a ClusterSegmenter"


@dataclass(frozen=True)
class SegmentsGiven:
    """Segments of customers: `codes` are positions in `segments`, which have customers all.

    `named` are those that a segmenter has beside; `given` the columns that it got.
    """

    codes: Codes
    segments: tuple[str, ...]
    named: tuple[str, ...]
    basis: list[str]
    segmenter: Any = None
    given: tuple[str, ...] = ()

    @property
    def names(self) -> NDArray[np.object_]:
        """The name of each customer's segment."""
        return _names(self.segments, self.codes)

    def names_later(self, table: Table, y: Any) -> NDArray[np.object_]:
        """Return the names of the segments of customers later: as given, or as predicted."""
        if y is not None:
            check_labels(y, table.index, owner=f"{_OWNER}.compare")
            codes, names = labelled(_column(table, y), len(table))
            return _names(names, codes)
        if self.segmenter is None or not hasattr(self.segmenter, "predict"):
            raise SegkitTypeError(
                f"{_OWNER}.compare: nothing predicts the segments of the later customers. Pass "
                "them as y."
            )
        # Of a column that is absent and needed, the segmenter says so itself.
        there = [name for name in self.given if name in table.names]
        rows = table.rows(there)
        with told_by_column(self.segmenter, table.frame, there, owner=f"{_OWNER}.compare"):
            codes_later = np.asarray(self.segmenter.predict(rows))
        return _names(self.named, codes_later)

    def refits(self, unfitted: Any, table: Table, y: Any) -> tuple[Refits | None, str]:
        """Return how to learn the segments again, or why that cannot be."""
        if self.segmenter is None:
            return None, _NO_REFITS
        if isinstance(last_step(self.segmenter), FrozenEstimator):
            return None, _FROZEN
        clustering = clustering_of(self.segmenter, table.rows(self.given))
        if clustering is not None:
            return clustering, ""
        if not hasattr(self.segmenter, "predict"):
            return None, _NO_PREDICT
        has_names = hasattr(last_step(self.segmenter), "segments_")
        return SegmenterRefits(
            clone(unfitted),
            table,
            self.given,
            None if y is None else np.asarray(y),
            self.segments,
            is_named=has_names and not is_clusterer(unfitted),
        ), ""


def from_labels(table: Table, y: Any, roles: Mapping[str, Sequence[str]]) -> SegmentsGiven:
    """Return segments that labels give, or the column of the table that has them."""
    if y is None:
        raise SegkitValueError(
            f"{_OWNER}: requires y to be passed, but the target y is None: the segment of each "
            "customer, or else SegmentValidator(segmenter=...) to find them."
        )
    check_labels(y, table.index, owner=_OWNER)
    codes, names = labelled(_column(table, y), len(table))
    basis = [*roles["basis"]]
    if not basis:
        used = {name for of_role in roles.values() for name in of_role}
        used |= {y} if isinstance(y, str) else set()
        basis = [name for name in table.numeric_names() if name not in used]
    return SegmentsGiven(codes, names, names, basis)


def from_segmenter(
    unfitted: Any, table: Table, y: Any, roles: Mapping[str, Sequence[str]], seed: int
) -> SegmentsGiven:
    """Fit a clone of a segmenter, and return its segments."""
    last = last_step(unfitted)
    # Segmenters know their columns by name; others take what they get.
    picks = is_segmenter(last) and getattr(last, "columns", ()) is not None
    left_out = {*roles["outcomes"], *roles["channels"], *roles["customer_id"]}
    left_out |= set() if picks else set(roles["value"])
    given = [name for name in table.names if name not in left_out]
    if roles["basis"] and not picks:
        given = [*roles["basis"]]
    rows = table.rows(given)
    copy = prepared(unfitted, seed, owner=_OWNER)
    with told_by_column(unfitted, table.frame, given, owner=_OWNER):
        fitted = copy if isinstance(copy, FrozenEstimator) else copy.fit(rows, y)
        found = labels_of(fitted, rows)
    learned = last_step(fitted)
    if hasattr(learned, "segments_"):
        named = tuple(str(name) for name in learned.segments_)
    else:
        named = tuple(str(code) for code in range(int(found.max(initial=-1)) + 1))
    codes, segments = without_empty(found, named)
    basis = [*roles["basis"]] or _columns_used(learned, fitted, table) or given
    return SegmentsGiven(codes, segments, named, basis, fitted, tuple(given))


def _columns_used(learned: Any, fitted: Any, table: Table) -> list[str]:
    """Return the columns of the table that a fitted segmenter, or its first step, has used."""
    for one in (learned, fitted):
        used = [str(name) for name in getattr(one, "feature_names_in_", ())]
        if used and set(used) <= set(table.names):
            return used
    return []


def _column(table: Table, y: Any) -> Any:
    if not isinstance(y, str):
        return y
    (name,) = table.named(y, "y")
    return table.frame[name]


def _names(segments: Sequence[str], codes: NDArray[Any]) -> NDArray[np.object_]:
    # By -1, the last.
    names: NDArray[np.object_] = np.array([*segments, UNASSIGNED], dtype=object)[codes]
    return names
