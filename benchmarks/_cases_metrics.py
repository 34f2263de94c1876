"""What is measured of the metrics of clusters.

The targets are stated for 10,000, 100,000 and 1,000,000 rows: a thousandth, a hundredth and a
tenth of the 10,000,000 of the command.
"""

from ._case import SLOW_REPEATS, Case, Contestant
from ._targets import faster, memory_at_most

_LEAST = 1_000
_ALL_CRITERIA = [
    *("auto", "silhouette", "calinski_harabasz", "davies_bouldin"),
    *("gap", "prediction_strength", "stability"),
]


def metric_cases(n_rows: int) -> list[Case]:
    """Return the cases of metrics."""
    return [
        _bootstrap_jaccard("bootstrap-jaccard-small", n_rows // 1_000, 8, most_repeats=3),
        _bootstrap_jaccard("bootstrap-jaccard", n_rows // 100, 12, most_repeats=1),
        _silhouettes(n_rows // 10),
        _choose_number(n_rows // 100),
        _choose_number_small(n_rows // 1_000),
        _clustering_memory(n_rows // 10),
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


def _choose_number(n_rows: int) -> Case:
    # silhouette_score draws 10,000 rows, and needs as many.
    options = {"n_rows": max(n_rows, 10 * _LEAST)}
    return Case(
        "choose-number",
        f"The number of segments of {options['n_rows']:,} rows, of 2 to 10, and whether there are "
        "any",
        [
            Contestant("segkit", "_jobs_segments.segments", options=options, data={}),
            Contestant(
                "segkit.metrics", "_jobs_segments.number_and_structure", options=options, data={}
            ),
            Contestant(
                "nine silhouette_score",
                "_jobs_metrics.silhouettes_one_by_one",
                options={**options, "are_distinct": True},
                data={},
                most_repeats=SLOW_REPEATS,
            ),
        ],
        [faster("nine silhouette_score", 5.5)],
        [
            "segkit is `ClusterSegmenter(random_state=0).fit(rows)`: the number, the test of "
            "structure, the segments of all rows and their names. segkit.metrics is "
            "`number_of_clusters` and `structure_test` alone.",
            "nine silhouette_score are nine calls with `sample_size=10_000`, of labels that are "
            "there: what the silhouettes of nine numbers cost beside their fits.",
            f"nine silhouette_score run at most {SLOW_REPEATS} times.",
        ],
    )


def _choose_number_small(n_rows: int) -> Case:
    options = {"n_rows": max(n_rows, _LEAST)}
    return Case(
        "choose-number-small",
        f"The number of segments of {options['n_rows']:,} rows, of 2 to 10",
        [
            Contestant("segkit", "_jobs_segments.segments", options=options, data={}),
            Contestant(
                "yellowbrick",
                "_jobs_yellowbrick.elbow",
                options=options,
                data={},
                environment="yellowbrick",
                most_repeats=SLOW_REPEATS,
            ),
        ],
        [faster("yellowbrick", 10)],
        [
            "segkit is `ClusterSegmenter(random_state=0).fit(rows)`, the test of structure and the "
            "segments included. yellowbrick is `KElbowVisualizer(KMeans(n_init=10), k=(2, 11), "
            'metric="silhouette", timings=False)`, which draws its picture as it fits.',
            "The numbers must agree: `n_segments_` and `elbow_value_`.",
            f"yellowbrick runs at most {SLOW_REPEATS} times.",
        ],
    )


def _clustering_memory(n_rows: int) -> Case:
    options = {"n_rows": max(n_rows, _LEAST), "n_columns": 10, "selection": _ALL_CRITERIA}
    return Case(
        "clustering-memory",
        f"Segments of {options['n_rows']:,} rows of ten columns, with seven criteria of their "
        "number",
        [
            Contestant(
                "segkit",
                "_jobs_segments.segments",
                options=options,
                data={},
                most_repeats=SLOW_REPEATS,
            )
        ],
        [memory_at_most("segkit", 2_000)],
        [
            "`ClusterSegmenter(selection=[...], random_state=0).fit(rows)` with "
            + ", ".join(_ALL_CRITERIA)
            + ".",
            f"segkit runs at most {SLOW_REPEATS} times.",
        ],
    )
