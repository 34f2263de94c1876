"""What is measured of the validation of segments.

The targets are stated for 100,000 customers: a hundredth of the 10,000,000 rows of the command.
"""

from ._case import Case, Contestant
from ._targets import faster, seconds_at_most

_LEAST = 1_000


def validation_cases(n_rows: int) -> list[Case]:
    """Return the cases of validation."""
    options = {"n_rows": max(n_rows // 100, _LEAST)}
    return [
        Case(
            "validate-segments",
            f"Validation of five k-means segments of {options['n_rows']:,} customers, 100 "
            "resamples",
            [
                Contestant("segkit", "_jobs_validation.validate", options=options, data={}),
                Contestant(
                    "KMeans + sets",
                    "_jobs_validation.validate_by_sets",
                    options=options,
                    data={},
                    most_repeats=1,
                ),
            ],
            [faster("KMeans + sets", 8), seconds_at_most("segkit", 30)],
            [
                "segkit is `SegmentValidator(KMeans(5, n_init=10), random_state=0, n_jobs=2)"
                ".fit(customers)`: all criteria, an outcome among them, the fit of the segments "
                "included.",
                "KMeans + sets is the same fit, and then the stability alone: "
                "`KMeans(5, n_init=10)` fitted to each resample, and Python sets of customers. The "
                "mean Jaccard similarities must agree to 0.02 of their size; the draws are others.",
                "KMeans + sets runs once.",
            ],
            tolerances={f"jaccard_{place}": 0.02 for place in range(5)},
        )
    ]
