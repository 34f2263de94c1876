"""What is measured of a service: one customer at a time, from a mapping to a name."""

from typing import Any

from ._case import Case, Contestant
from ._targets import faster, seconds_at_most

_ONE = "predict_one"
_FRAME, _BY_HAND = "predict_segments of a frame", "pandas by hand"

# Seconds that a call may take.
_MOST = {
    "RFMScorer": 5e-6,
    "LifecycleStager": 5e-6,
    "ValueTierer": 5e-6,
    "RuleSegmenter": 5e-6,
    "ClusterSegmenter": 10e-6,
    "CrossSegmenter": 10e-6,
}
_TIMES = 200


def buyers(n_rows: int) -> dict[str, dict[str, Any]]:
    """Return the arguments of ``write_buyers`` for the data of these cases."""
    return {"served": {"n_customers": min(n_rows, 20_000), "tenure": (0, 730)}}


def service_cases() -> list[Case]:
    """Return the cases of a service."""
    return [_one_customer(segmenter, seconds) for segmenter, seconds in _MOST.items()]


def _one_customer(segmenter: str, seconds: float) -> Case:
    jobs = {
        _ONE: "predict_one",
        f"{_ONE}, further keys": "predict_one_of_all_columns",
        _FRAME: "predict_frame",
        _BY_HAND: "pandas_by_hand",
    }
    data, options = {"customers": "served"}, {"segmenter": segmenter}
    return Case(
        f"serve-{segmenter.lower().removesuffix('segmenter')}",
        f"One customer in a service: {segmenter}, from a mapping to the name of the segment",
        [Contestant(name, f"_jobs_service.{job}", data, options) for name, job in jobs.items()],
        [
            seconds_at_most(_ONE, seconds),
            seconds_at_most(f"{_ONE}, further keys", seconds),
            faster(_BY_HAND, _TIMES, ours=_ONE),
            faster(_FRAME, _TIMES, ours=_ONE),
        ],
        [
            "Each time is the mean of a short loop of calls, for a hundred customers in turn; all "
            "begin with a mapping. The sum of the codes, each times its place, must agree.",
            "By hand: the thresholds that segkit learned, in pd.cut, np.select or scikit-learn.",
        ],
        least_rounds=51,
    )
