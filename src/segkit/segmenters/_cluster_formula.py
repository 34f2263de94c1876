"""The nearest centre as a formula: for one customer in plain Python, and inside query engines."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import add
from typing import TYPE_CHECKING, Any, TypeAlias

import narwhals.stable.v2 as nw
import numpy as np
from numpy.typing import NDArray

from segkit._frames import RESERVED, balanced
from segkit.segmenters._cluster_preprocessing import Column, NumberColumn

if TYPE_CHECKING:
    from segkit.segmenters._cluster import ClusterSegmenter

Floats: TypeAlias = NDArray[np.float64]
Labels: TypeAlias = NDArray[np.int64]

_NEAREST = f"{RESERVED}nearest"


@dataclass(frozen=True)
class OneCustomer:
    """The code of one customer, by the nearest centre."""

    columns: list[Column]
    centres: list[tuple[list[float], float]]
    codes: list[int]

    @classmethod
    def of(cls, segmenter: ClusterSegmenter) -> OneCustomer | None:
        """Return the formula of a fitted segmenter, if it has one."""
        preprocessing, centres = segmenter._preprocessing, segmenter._centres
        if preprocessing is None or centres is None:
            return None
        places, labels = centres
        return cls(
            preprocessing.columns,
            [(place.tolist(), float(place @ place)) for place in places],
            segmenter._code_of_label[labels].tolist(),
        )

    def code(self, row: Mapping[Any, Any]) -> int | None:
        """Return the code; None where it takes a frame to tell what a value is."""
        features: list[float] = []
        try:
            for column in self.columns:
                # A defaultdict would make up what it does not have.
                if column.name not in row or not column.append_one(row[column.name], features):
                    return None
        except (KeyError, TypeError, IndexError, ValueError, OverflowError):
            return None
        best, nearest, total = math.inf, 0, 0.0
        for position, (centre, square) in enumerate(self.centres):
            product = 0.0
            for feature, place in zip(features, centre, strict=True):
                product += feature * place
            distance = square - 2 * product
            total += distance
            if distance < best:
                best, nearest = distance, position
        is_finite = total - total == 0
        return self.codes[nearest] if is_finite else None


def nearest_steps(
    columns: Sequence[NumberColumn], values: Sequence[nw.Expr], centres: Floats
) -> list[dict[str, nw.Expr]]:
    """Return columns that a query engine computes one after the other, each from those before.

    They are the features, the distances from the centres (squared, less the square of the
    customer), and the least of these.
    """
    features = [
        feature
        for column, value in zip(columns, values, strict=True)
        for feature in _number_expressions(column, value)
    ]
    places = [nw.col(f"{RESERVED}feature_{place}") for place in range(len(features))]
    distances = [
        balanced(add, [place * (-2 * float(at)) for place, at in zip(places, centre, strict=True)])
        + float(centre @ centre)
        for centre in centres
    ]
    names = [_distance(place) for place in range(len(centres))]
    return [
        {f"{RESERVED}feature_{place}": feature for place, feature in enumerate(features)},
        dict(zip(names, distances, strict=True)),
        {_NEAREST: nw.min_horizontal(*names)},
    ]


def nearest_code(codes: Sequence[int]) -> nw.Expr:
    """Return the code of the nearest centre, the first of equally near ones."""
    chain: Any = nw
    for place, code in enumerate(codes):
        chain = chain.when(nw.col(_distance(place)) <= nw.col(_NEAREST)).then(nw.lit(code))
    code_of_nearest: nw.Expr = chain.otherwise(nw.lit(-1))
    return code_of_nearest


def _distance(place: int) -> str:
    return f"{RESERVED}distance_{place}"


def _number_expressions(column: NumberColumn, value: nw.Expr) -> list[nw.Expr]:
    """Return the features of a column of numbers inside its engine."""
    filled = nw.when(value.is_null()).then(nw.lit(column.median)).otherwise(value)
    if column.is_logarithm:
        size = (nw.when(filled < 0).then(-filled).otherwise(filled) + 1).log()
        filled = nw.when(filled < 0).then(-size).otherwise(size)
    features = [(filled - column.mean) / column.scale]
    if column.has_missing:
        features.append(nw.when(value.is_null()).then(nw.lit(1.0)).otherwise(nw.lit(0.0)))
    return features
