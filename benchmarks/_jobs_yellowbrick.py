"""What yellowbrick does: k-means and a silhouette of all rows for each number, then the elbow."""

import matplotlib as mpl
from sklearn.cluster import KMeans

from ._data_clouds import distinct_clouds
from ._job import Job

mpl.use("Agg")


def elbow(n_rows: int) -> Job:
    """``KElbowVisualizer`` with silhouettes; the picture is drawn, as it is by ``fit``, not shown.

    The axes are closed, so that no run pays for the pictures of those before it.
    """
    from matplotlib import pyplot as plt
    from yellowbrick.cluster import KElbowVisualizer

    rows = distinct_clouds(n_rows)

    def run():
        visualizer = KElbowVisualizer(
            KMeans(n_init=10, random_state=0),
            k=(2, 11),
            metric="silhouette",
            timings=False,
            force_model=True,
        ).fit(rows)
        plt.close("all")
        return visualizer

    return Job(run, lambda fitted: {"n_segments": int(fitted.elbow_value_)})
