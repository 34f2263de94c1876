"""How many segments there are, by segkit: the whole segmenter, and the measures alone."""

from typing import Any

from segkit import ClusterSegmenter
from segkit.metrics import number_of_clusters, structure_test

from ._data_clouds import distinct_clouds
from ._job import Job


def segments(n_rows: int, n_columns: int = 6, **options: Any) -> Job:
    """``ClusterSegmenter.fit``: number, test of structure, the segments of all rows, names."""
    rows = distinct_clouds(n_rows, n_columns)
    segmenter = ClusterSegmenter(random_state=0, **options)
    return Job(lambda: segmenter.fit(rows), lambda fitted: {"n_segments": fitted.n_segments_})


def number_and_structure(n_rows: int) -> Job:
    """``number_of_clusters`` and ``structure_test``."""
    rows = distinct_clouds(n_rows)

    def run():
        return number_of_clusters(rows, random_state=0), structure_test(rows, random_state=0)

    return Job(run, lambda found: {"n_segments": found[0].n_clusters})
