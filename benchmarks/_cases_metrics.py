"""What is measured of the metrics of clusters.

The targets are stated for 10,000, 100,000 and 1,000,000 rows: a thousandth, a hundredth and a
tenth of the 10,000,000 of the command.
"""

from ._case import Case, Contestant
from ._targets import faster

_LEAST = 1_000


def metric_cases(n_rows: int) -> list[Case]:
    """Return the cases of metrics."""
    return [
        _bootstrap_jaccard("bootstrap-jaccard-small", n_rows // 1_000, 8, most_repeats=3),
        _bootstrap_jaccard("bootstrap-jaccard", n_rows // 100, 12, most_repeats=1),
        _silhouettes(n_rows // 10),
    ]


def _bootstrap_jaccard(name: str, n_rows: int, times: float, *, most_repeats: int) -> Case:
    options = {"n_rows": max(n_rows, _LEAST)}
    return Case(
        name,
        f"Stability of five clusters of {options['n_rows']:,} rows, 100 resamples",
        [
            Contestant("segkit", "_jobs_metrics.bootstrap", options=options, data={}),
            Contestant(
                "KMeans + sets",
                "_jobs_metrics.bootstrap_by_sets",
                options=options,
                data={},
                most_repeats=most_repeats,
            ),
        ],
        [faster("KMeans + sets", times)],
        [
            "Refits included. KMeans + sets fits `KMeans(5, n_init=10)` to each resample and "
            "compares Python sets of rows. The mean Jaccard similarities must agree to 0.02 of "
            "their size; the draws are others.",
            f"KMeans + sets runs at most {most_repeats} times.",
        ],
        tolerances={f"jaccard_{place}": 0.02 for place in range(5)},
    )


def _silhouettes(n_rows: int) -> Case:
    options = {"n_rows": max(n_rows, 10 * _LEAST)}
    return Case(
        "silhouettes",
        f"Silhouettes of nine labellings of {options['n_rows']:,} rows, from a sample of 10,000",
        [
            Contestant("segkit", "_jobs_metrics.silhouettes", options=options, data={}),
            Contestant(
                "silhouette_score",
                "_jobs_metrics.silhouettes_one_by_one",
                options=options,
                data={},
                most_repeats=3,
            ),
        ],
        [faster("silhouette_score", 10)],
        ["silhouette_score is called nine times and draws the same sample each time."],
    )
