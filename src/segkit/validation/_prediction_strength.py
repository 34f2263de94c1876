"""How many customers stay together where others have learned the segments."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from segkit.metrics._effect_sizes import contingency


def strength_of(found: NDArray[Any], predicted: NDArray[Any]) -> float:
    """Return the lowest share, over segments found, of pairs that are predicted together.

    A segment of one customer has no pairs and counts as 1 (Tibshirani & Walther 2005). Who is in no
    segment has no part in it; who is predicted to be in none is with nobody.
    """
    inside = found >= 0
    if not inside.any():
        return 0.0
    together = contingency(found[inside].astype(np.intp), predicted[inside].astype(np.intp) + 1)
    sizes = together.sum(axis=1)
    # The first column is that of customers predicted to be in no segment, if there are any.
    if (predicted[inside] < 0).any():
        together = together[:, 1:]
    pairs = sizes * (sizes - 1)
    same = (together * (together - 1)).sum(axis=1)
    return float(np.where(pairs > 0, same / np.maximum(pairs, 1), 1.0).min())
