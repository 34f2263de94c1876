"""Profiles, validations and pictures of hostile customers."""

from collections.abc import Callable
from functools import cache
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.cluster import KMeans
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from hostile_cases import Case
from hostile_frames import GOOD_CUSTOMERS, SECRET
from hostile_judge import check_no_silent_nan, judged
from hostile_metrics import codes_of
from segkit.monitoring import track
from segkit.plotting import (
    ClusterDisplay,
    LorenzDisplay,
    MigrationDisplay,
    ProfileDisplay,
    RFMDisplay,
    SelectionDisplay,
    ValidationDisplay,
)
from segkit.profiling import SegmentProfiler
from segkit.segmenters import ClusterSegmenter, RFMScorer, ValueTierer
from segkit.validation import SegmentValidator

COLUMNS = ("recency_days", "frequency", "monetary", "country")
_PRIVATE = ("customer_id", "email")

PROFILERS: dict[str, Callable[[], SegmentProfiler]] = {
    "labels": lambda: SegmentProfiler(value="monetary", min_cell=2),
    "no value": lambda: SegmentProfiler(min_cell=1, n_representatives=2),
    "a segmenter": lambda: SegmentProfiler(ValueTierer(missing="unassigned"), min_cell=2),
    "a pipeline": lambda: SegmentProfiler(
        make_pipeline(StandardScaler(), KMeans(n_clusters=2, n_init=1, random_state=0)),
        basis=["recency_days", "frequency"],
    ),
}
VALIDATORS: dict[str, Callable[[], SegmentValidator]] = {
    "labels": lambda: SegmentValidator(
        basis=["recency_days", "frequency"],
        outcomes=["monetary"],
        channels=["by_mail"],
        value="monetary",
        customer_id="customer_id",
        n_bootstraps=2,
        random_state=0,
    ),
    "a segmenter": lambda: SegmentValidator(
        RFMScorer(missing="unassigned"), outcomes="return_amount", n_bootstraps=2, random_state=0
    ),
}
_CULPRITS = (*COLUMNS, *_PRIVATE, "RFMScorer", "ValueTierer", "KMeans", "Pipeline")


def check_profiler_calls(variant: str, case: Case) -> None:
    """Profile the case, and print the profile in every form."""
    profiler = PROFILERS[variant]()
    labels = codes_of(case) if profiler.segmenter is None else None
    fit = judged(
        "profiling.SegmentProfiler.fit",
        lambda: profiler.fit(case.given, labels),
        given=[case.given],
        culprits=["SegmentProfiler", *_CULPRITS],
    )
    if not fit.answered:
        return
    n_segments = len(profiler.segments_)
    assert len(profiler.sizes_) in (n_segments, n_segments + 1)
    check_no_silent_nan("sizes_.customers", profiler.sizes_["customers"])
    for verb in ("to_markdown", "to_frame"):
        printed = judged(
            f"profiling.SegmentProfiler.{verb}",
            getattr(profiler, verb),
            culprits=["SegmentProfiler"],
        )
        assert printed.answered, printed.error
        if is_private(case):
            assert SECRET not in str(printed.value), f"{verb} shows a customer's id"


def is_private(case: Case) -> bool:
    """Whether no id was put into columns that may be shown."""
    return not any(
        "secret" in fault or "one id" in fault for fault, _, _ in case.faults
    ) and not any(fault == "emoji" for fault, _, _ in case.faults)


def check_validator_calls(variant: str, case: Case) -> None:
    """Validate the segments of the case, and compare them with those of good customers."""
    validator = VALIDATORS[variant]()
    labels = codes_of(case) if validator.segmenter is None else None
    fit = judged(
        "validation.SegmentValidator.fit",
        lambda: validator.fit(case.given, labels),
        given=[case.given],
        culprits=["SegmentValidator", *_CULPRITS],
    )
    if fit.answered:
        summary = judged(
            "validation.SegmentValidator.summary", validator.summary, culprits=["SegmentValidator"]
        )
        assert summary.answered
        assert SECRET not in summary.value
    fitted, good = validator_of_good(variant)
    later = codes_of(case) if fitted.segmenter is None else None
    compared = judged(
        "validation.SegmentValidator.compare",
        lambda: fitted.compare(case.given, later),
        given=[case.given],
        culprits=["SegmentValidator", *_CULPRITS],
    )
    if compared.answered:
        assert 0 < compared.value.n_customers <= len(good)
        assert SECRET not in compared.value.summary()
    if fitted.segmenter is not None:
        score = judged(
            "validation.SegmentValidator.score",
            lambda: fitted.score(case.given),
            given=[case.given],
            culprits=["SegmentValidator", *_CULPRITS],
        )
        assert not score.answered or 0 <= score.value <= 1


@cache
def validator_of_good(variant: str) -> tuple[SegmentValidator, pd.DataFrame]:
    """Return a validator that has judged good customers, and these."""
    good = GOOD_CUSTOMERS[-1]
    validator = VALIDATORS[variant]()
    labels = np.arange(len(good)) % 3 if validator.segmenter is None else None
    return validator.fit(good, labels), good


# -- pictures ----------------------------------------------------------------------------------


@cache
def _fitted(kind: str) -> Any:
    good = GOOD_CUSTOMERS[-1]
    if kind == "rfm":
        return RFMScorer(missing="unassigned").fit(good)
    if kind == "tiers":
        return ValueTierer(missing="unassigned").fit(good)
    return ClusterSegmenter(KMeans(n_init=1), columns=COLUMNS, n_segments=3, random_state=0).fit(
        good
    )


def _profiled(given: Any, case: Case) -> Any:
    return SegmentProfiler(value="monetary", min_cell=1).fit(given, codes_of(case))


DISPLAYS: dict[str, Callable[[Any, Case], Any]] = {
    "RFMDisplay": lambda given, case: RFMDisplay.from_estimator(_fitted("rfm"), given),
    "LorenzDisplay": lambda given, case: LorenzDisplay.from_estimator(_fitted("tiers"), given),
    "ClusterDisplay": lambda given, case: ClusterDisplay.from_estimator(_fitted("k"), given),
    "MigrationDisplay": lambda given, case: MigrationDisplay.from_migration(
        track(_fitted("tiers"), GOOD_CUSTOMERS[-1], given)
    ),
    "ProfileDisplay": lambda given, case: ProfileDisplay.from_estimator(_profiled(given, case)),
    "SelectionDisplay": lambda given, case: SelectionDisplay.from_estimator(given),
    "ValidationDisplay": lambda given, case: ValidationDisplay.from_estimator(given),
}


def check_display_calls(name: str, case: Case) -> None:
    """Draw the case, to the last pixel."""

    def draw() -> Any:
        display = DISPLAYS[name](case.given, case)
        display.figure_.canvas.draw()
        return display

    try:
        judged(
            f"plotting.{name}.from_estimator",
            draw,
            given=[case.given],
            culprits=[name, "SegmentProfiler", "ClusterSegmenter", "track", *_CULPRITS],
        )
    finally:
        plt.close("all")
