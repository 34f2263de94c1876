"""What kmodes does: k-prototypes of an array of objects, which it turns into numbers and codes."""

from typing import Any

import pandas as pd

from ._job import Job


def k_prototypes(customers: str, **search: Any) -> Job:
    """``KPrototypes`` with Cao's initialisation, one start; text columns are categories."""
    from kmodes.kprototypes import KPrototypes

    frame = pd.read_parquet(customers)
    categorical = [i for i, name in enumerate(frame) if frame[name].dtype.kind not in "iuf"]
    values = frame.to_numpy(dtype=object)
    return Job(
        lambda: KPrototypes(n_init=1, init="Cao", **search).fit(values, categorical=categorical),
        lambda fitted: {"cost": float(fitted.cost_)},
    )
