"""Groups of customers, such as countries: the values of a column, as positions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from operator import add
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from segkit._frames import balanced
from segkit.exceptions import SegkitTypeError


@dataclass(frozen=True)
class CustomerGroups:
    """The groups that are known, in order; any other value, or none, has the position behind."""

    labels: tuple[Any, ...]

    @classmethod
    def among(cls, values: Any) -> CustomerGroups:
        """Return the groups that occur among these values."""
        distinct = pd.unique(values[~pd.isna(values)]).tolist()
        return cls(tuple(sorted(distinct, key=lambda label: (type(label).__name__, label))))

    def positions(self, values: Any) -> NDArray[np.intp]:
        """Return the position of each value."""
        codes, distinct = pd.factorize(values)
        others = len(self.labels)
        places = [self._places.get(label, others) for label in distinct.tolist()]
        positions: NDArray[np.intp] = np.array([*places, others], dtype=np.intp)[codes]
        return positions

    def position(self, value: Any) -> int:
        """Return the position of one value."""
        try:
            return self._places.get(value, len(self.labels))
        except TypeError:
            raise SegkitTypeError(
                f"RFMScorer: a group must be text or a number, got {type(value).__name__}."
            ) from None

    def expression(self, values: nw.Expr) -> nw.Expr:
        """Return the positions inside an engine."""
        others = len(self.labels)
        if not others:
            return nw.lit(0)
        if all(isinstance(label, str) for label in self.labels):
            values = values.cast(nw.String)
        steps = [
            (values == label).cast(nw.Int64) * (place - others)
            for place, label in enumerate(self.labels)
        ]
        place: nw.Expr = balanced(add, steps)
        return place.fill_null(0) + others

    def those(self, chosen: NDArray[np.bool_]) -> CustomerGroups:
        """Return some of the groups."""
        labels = [label for label, keep in zip(self.labels, chosen, strict=True) if keep]
        return CustomerGroups(tuple(labels))

    @cached_property
    def _places(self) -> dict[Any, int]:
        return {label: place for place, label in enumerate(self.labels)}
