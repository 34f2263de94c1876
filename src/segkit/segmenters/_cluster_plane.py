"""Two dimensions in which customers can be drawn, the same for all who come later."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Plane:
    """The features themselves where there are two, else their first two principal components."""

    mean: Floats
    axes: Floats
    labels: tuple[str, str]

    @classmethod
    def of(cls, features: Floats, names: Sequence[str]) -> Plane:
        """Learn from the features of customers."""
        n_features = features.shape[1]
        if n_features <= 2:
            labels = [f"{name} (prepared)" for name in names]
            return cls(np.zeros(n_features), np.eye(n_features, 2), (labels[0], [*labels, ""][1]))
        variances, axes = np.linalg.eigh(np.cov(features.T))
        first = axes[:, [-1, -2]]
        # Either direction of an axis is right; the feature that counts most points up.
        most = first[np.abs(first).argmax(axis=0), [0, 1]]
        shares = variances[[-1, -2]] / max(float(variances.sum()), np.finfo(np.float64).tiny)
        return cls(
            features.mean(axis=0),
            first * np.sign(most),
            (
                f"First principal component: {shares[0]:.1%} of variance",
                f"Second: {shares[1]:.1%}",
            ),
        )

    def project(self, features: Floats) -> Floats:
        """Return where customers are."""
        places: Floats = (features - self.mean) @ self.axes
        return places
