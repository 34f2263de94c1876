"""Nearest centres as a formula: for one customer in plain Python, and inside query engines."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import add, and_
from typing import TYPE_CHECKING, Any, TypeAlias

import narwhals.stable.v2 as nw
import numpy as np
from numpy.typing import NDArray

from segkit._frames import balanced
from segkit.segmenters._cluster_preprocessing import NumberColumn

if TYPE_CHECKING:
    from segkit.segmenters._cluster import ClusterSegmenter

Floats: TypeAlias = NDArray[np.float64]
Labels: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True)
class OneCustomer:
    """The code of a customer whose columns are all numbers, by the nearest centre."""

    columns: list[tuple[Any, float, bool, float, float, bool]]
    centres: list[tuple[list[float], float]]
    codes: list[int]

    @classmethod
    def of(cls, segmenter: ClusterSegmenter) -> OneCustomer | None:
        """Return the formula of a fitted segmenter, if it has one."""
        numbers, centres = segmenter._plain_numbers(), segmenter._centres
        if numbers is None or centres is None:
            return None
        places, labels = centres
        return cls(
            [(c.name, c.median, c.is_logarithm, c.mean, c.scale, c.has_missing) for c in numbers],
            [(place.tolist(), float(place @ place)) for place in places],
            segmenter._code_of_label[labels].tolist(),
        )

    def code(self, row: Mapping[Any, Any]) -> int | None:
        """Return the code; None where a value is neither a finite number nor missing."""
        features = []
        try:
            for name, median, is_logarithm, mean, scale, has_missing in self.columns:
                value = row[name]
                is_missing = value is None or value != value
                if is_missing:
                    value = median
                elif type(value) is not float:
                    if type(value) is not int and not isinstance(value, np.integer | np.floating):
                        return None
                    value = float(value)
                if value - value != 0:
                    return None
                if is_logarithm:
                    value = math.copysign(math.log1p(abs(value)), value)
                features.append((value - mean) / scale)
                if has_missing:
                    features.append(1.0 if is_missing else 0.0)
        except (KeyError, TypeError, IndexError, ValueError, OverflowError):
            return None
        best, nearest = math.inf, 0
        for position, (centre, square) in enumerate(self.centres):
            product = 0.0
            for feature, place in zip(features, centre, strict=True):
                product += feature * place
            distance = square - 2 * product
            if distance < best:
                best, nearest = distance, position
        return self.codes[nearest]


def number_expressions(column: NumberColumn, value: nw.Expr) -> list[nw.Expr]:
    """Return the features of a column of numbers inside its engine."""
    filled = nw.when(value.is_null()).then(nw.lit(column.median)).otherwise(value)
    if column.is_logarithm:
        size = (nw.when(filled < 0).then(-filled).otherwise(filled) + 1).log()
        filled = nw.when(filled < 0).then(-size).otherwise(size)
    features = [(filled - column.mean) / column.scale]
    if column.has_missing:
        features.append(nw.when(value.is_null()).then(nw.lit(1.0)).otherwise(nw.lit(0.0)))
    return features


def nearest_expression(
    features: Sequence[nw.Expr], centres: Floats, labels: Labels, code_of_label: Labels
) -> nw.Expr:
    """Return the code of the nearest centre, the first of equally near ones."""
    distances = [
        balanced(
            add,
            [
                feature * (-2 * float(place))
                for feature, place in zip(features, centre, strict=True)
            ],
        )
        + float(centre @ centre)
        for centre in centres
    ]
    codes = code_of_label[labels].tolist()
    chain: Any = nw
    for position, code in enumerate(codes[:-1]):
        nearest = balanced(
            and_, [distances[position] <= other for other in distances[position + 1 :]]
        )
        chain = chain.when(nearest).then(nw.lit(code))
    expression: nw.Expr = chain.otherwise(nw.lit(codes[-1])) if len(codes) > 1 else nw.lit(codes[0])
    return expression
