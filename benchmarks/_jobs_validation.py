"""Validation of segments: by segkit, and the costly part of it by hand.

Customers come from five clouds in six columns (`_data_clouds.py`), and respond by their cloud.
"""

import numpy as np
from sklearn.cluster import KMeans

from segkit import SegmentValidator

from ._data_clouds import N_CLOUDS, clouds
from ._job import Job
from ._jobs_metrics import _by_cluster, _mean_by_sets


def validate(n_rows: int) -> Job:
    """All criteria by segkit, on two threads."""
    rows = clouds(n_rows)
    responded = np.random.default_rng(1).random(n_rows) < 0.1 + 0.1 * (rows[:, 0] > 0)
    table = np.column_stack([rows, responded])
    validator = SegmentValidator(
        KMeans(N_CLOUDS, n_init=10, random_state=0), outcomes=6, random_state=0, n_jobs=2
    )

    def jaccards(fitted: SegmentValidator) -> dict[str, float]:
        report = fitted.report_
        found = report.loc[report["metric"] == "Jaccard similarity, resampled", "value"]
        return _by_cluster(found.to_numpy())

    return Job(lambda: validator.fit(table), jaccards)


def validate_by_sets(n_rows: int) -> Job:
    """The segments, and their stability alone with a fit from scratch for each resample."""
    rows = clouds(n_rows)

    def run() -> np.ndarray:
        labels = KMeans(N_CLOUDS, n_init=10, random_state=0).fit(rows).labels_
        return _mean_by_sets(rows, labels)

    return Job(run, _by_cluster)
