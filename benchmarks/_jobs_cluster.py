"""What segkit does in the cases of clusters."""

from typing import Any

import pandas as pd

from segkit import KPrototypes

from ._job import Job


def k_prototypes(customers: str, **search: Any) -> Job:
    """``KPrototypes`` of a frame, one start."""
    frame = pd.read_parquet(customers)
    clusterer = KPrototypes(n_init=1, init="cao", **search)
    return Job(lambda: clusterer.fit(frame), lambda fitted: {"cost": fitted.cost_})
