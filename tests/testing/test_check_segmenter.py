"""check_segmenter passes correct segmenters and rejects each kind of broken one."""

import polars as pl
import pytest

from segkit.exceptions import LazyFrameError, SegkitTypeError
from segkit.testing import check_segmenter
from segkit.testing._check_segmenter import _CONTRACT_CHECKS
from segkit.testing._scikit_learn_checks import run_check_estimator
from segkit.testing._subject import Subject
from testing.broken_segmenters import (
    BROKEN,
    AssignCollects,
    AssignKeepsOnlyItsColumns,
    ClipsTheFrameInPlace,
    ConvertsItsArguments,
    DescribesInReverse,
    FloatCodes,
    InfinityIsALargeNumber,
    LabelsArePlainText,
    LabelsByQuantilesOfTheirOwn,
    LearnsFromTheFirstRows,
    OneAtTheEdgeFallsOnTheOtherSide,
    OutputLosesTheIndex,
    SeedsNumpy,
    SetOutputDoesNothing,
    TwoSegmentsOfOneName,
)
from testing.correct_segmenters import (
    CUSTOMERS,
    AgeSegmenter,
    EagerSegmenter,
    LazySegmenter,
    LoyaltySegmenter,
    NeverBoughtSegmenter,
)

CHECKS = {check.__name__: check for check in _CONTRACT_CHECKS}
EACH_BROKEN_ONE = [
    pytest.param(check, broken, id=f"{check}-{broken.__name__}")
    for check, classes in BROKEN.items()
    for broken in classes
]


def run(check, segmenter, customers=CUSTOMERS):
    """Run one check by its name."""
    if check == "check_estimator":
        run_check_estimator(segmenter)
    else:
        Subject(segmenter, customers).run(CHECKS[check])


def message_of(check, segmenter, customers=CUSTOMERS):
    """Return the message with which a check rejects a segmenter."""
    with pytest.raises(AssertionError, match=f"^{check} failed for ") as caught:
        run(check, segmenter, customers)
    return str(caught.value)


@pytest.mark.parametrize(
    "segmenter",
    [
        LoyaltySegmenter(),
        LoyaltySegmenter(missing="unassigned"),
        LazySegmenter(),
        EagerSegmenter(),
        NeverBoughtSegmenter(),
    ],
    ids=["transformer", "unassigned", "no transform", "eager only", "handles missing values"],
)
def test_a_correct_segmenter_passes(segmenter):
    check_segmenter(segmenter, customers=CUSTOMERS)


def test_a_correct_segmenter_passes_on_the_drawn_customers():
    check_segmenter(LazySegmenter())


def test_a_segmenter_of_other_columns_passes_only_on_customers_that_have_them():
    check_segmenter(AgeSegmenter(), customers=CUSTOMERS)
    with pytest.raises(AssertionError, match="ColumnError: AgeSegmenter: column 'age' is missing"):
        check_segmenter(AgeSegmenter())


def test_the_eager_only_segmenter_says_to_collect_a_lazy_frame():
    fitted = EagerSegmenter().fit(CUSTOMERS)
    with pytest.raises(LazyFrameError, match="Collect the frame first"):
        fitted.assign(pl.LazyFrame({"recency_days": [1], "monetary": [1.0]}))


def test_a_class_in_place_of_an_instance_is_refused():
    with pytest.raises(SegkitTypeError, match=r"the class LazySegmenter\. Pass LazySegmenter\("):
        check_segmenter(LazySegmenter)


@pytest.mark.parametrize(("check", "broken"), EACH_BROKEN_ONE)
def test_a_broken_segmenter_is_rejected_by_the_check_for_it(check, broken):
    with pytest.raises(AssertionError, match=rf"^{check} failed for {broken.__name__}\("):
        run(check, broken())


def test_every_check_has_a_broken_segmenter():
    assert set(BROKEN) == {"check_estimator", *CHECKS}


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("segmenter", [LoyaltySegmenter(), NeverBoughtSegmenter()], ids=repr)
def test_no_check_needs_another_to_have_run_before_it(check, segmenter):
    run(check, segmenter)


@pytest.mark.parametrize(
    ("broken", "check"),
    [
        (ConvertsItsArguments, "check_estimator"),
        (SetOutputDoesNothing, "check_set_output_transform_pandas"),
        (OutputLosesTheIndex, "check_set_output_transform_pandas"),
        (TwoSegmentsOfOneName, "check_segments_are_distinct_names"),
        (FloatCodes, "check_codes_within_segments"),
        (LabelsByQuantilesOfTheirOwn, "check_labels_are_what_predict_gives"),
        (LearnsFromTheFirstRows, "check_row_order_changes_nothing"),
        (ClipsTheFrameInPlace, "check_nothing_is_mutated"),
        (SeedsNumpy, "check_nothing_is_mutated"),
        (OneAtTheEdgeFallsOnTheOtherSide, "check_predict_one_agrees"),
        (AssignKeepsOnlyItsColumns, "check_assign_agrees"),
        (LabelsArePlainText, "check_labels_are_ordered_categories"),
        (AssignCollects, "check_lazy_stays_lazy"),
        (InfinityIsALargeNumber, "check_missing_values_in_eager_frames"),
        (DescribesInReverse, "check_describe_has_a_row_a_segment"),
    ],
)
def test_check_segmenter_names_the_check_that_failed(broken, check):
    with pytest.raises(AssertionError, match=rf"^{check} failed for {broken.__name__}\(\): "):
        check_segmenter(broken(), customers=CUSTOMERS)
