"""check_segmenter passes correct segmenters and rejects each kind of broken one."""

import importlib.util

import numpy as np
import pandas as pd
import polars as pl
import pytest

from segkit.exceptions import LazyFrameError, SegkitTypeError, SegkitWarning
from segkit.testing import check_segmenter
from segkit.testing._check_segmenter import _CONTRACT_CHECKS
from segkit.testing._scikit_learn_checks import run_check_estimator
from segkit.testing._subject import Subject
from testing.broken_segmenters import (
    BROKEN,
    AssignCollects,
    AssignKeepsOnlyItsColumns,
    AssignSortsTheRows,
    ClipsTheFrameInPlace,
    ConvertsItsArguments,
    DescribesInReverse,
    FirstOfTheBiggestSpenders,
    IgnoresItsRandomState,
    KeepsALambda,
    LearnsFromTheFirstRows,
    OneAtTheEdgeFallsOnTheOtherSide,
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
        EagerSegmenter(columns=(0, 1)),
        NeverBoughtSegmenter(),
    ],
    ids=["transformer", "unassigned", "no transform", "eager only", "positions", "handles missing"],
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
def test_no_check_needs_another_to_have_run_before_it(check):
    run(check, LoyaltySegmenter())


@pytest.mark.parametrize(
    ("broken", "check"),
    [
        (ConvertsItsArguments, "check_estimator"),
        (SetOutputDoesNothing, "check_set_output_transform_pandas"),
        (TwoSegmentsOfOneName, "check_segments_are_distinct_names"),
        (LearnsFromTheFirstRows, "check_row_order_changes_nothing"),
        (SeedsNumpy, "check_nothing_is_mutated"),
        (OneAtTheEdgeFallsOnTheOtherSide, "check_one_row_scores_as_in_the_batch"),
        (AssignKeepsOnlyItsColumns, "check_assign_agrees"),
        (AssignCollects, "check_lazy_stays_lazy"),
    ],
)
def test_check_segmenter_names_the_check_that_failed(broken, check):
    with pytest.raises(AssertionError, match=rf"^{check} failed for {broken.__name__}\("):
        check_segmenter(broken(), customers=CUSTOMERS)


@pytest.mark.parametrize(
    ("check", "broken", "customers", "wrong"),
    [
        # Only customers on a median tell ≥ from >.
        (
            "check_one_row_scores_as_in_the_batch",
            OneAtTheEdgeFallsOnTheOtherSide,
            [5],
            "predict alone gives 2, in the batch 3 (customer 5 below)",
        ),
        # Beside its own double, any single customer is the first of the biggest spenders.
        (
            "check_ties_share_a_code",
            FirstOfTheBiggestSpenders,
            [8],
            "labels_ of equal customers, first gives 0, second 1 (customer 8 below)",
        ),
        # A single row has no order.
        ("check_row_order_changes_nothing", LearnsFromTheFirstRows, None, "labels_ of shuffled"),
        ("check_assign_agrees", AssignSortsTheRows, None, "assign to a pandas frame changed"),
        # Only customer 7 spends more than 500.
        (
            "check_nothing_is_mutated",
            ClipsTheFrameInPlace,
            [7],
            "the frame passed in was changed",
        ),
    ],
    ids=["boundary", "tie", "learned order", "sorted rows", "clipped"],
)
def test_the_message_shows_the_smallest_example(check, broken, customers, wrong):
    message = message_of(check, broken())
    assert wrong in message.splitlines()[0]
    number = 2 if customers is None else len(customers)
    heading, header, *rows = message.splitlines()[1:]
    assert heading == f"Smallest example, {number} customers:"
    assert header.split() == list(CUSTOMERS.columns)
    shown = [int(row.split()[0]) for row in rows]
    assert len(shown) == number
    assert "\n".join([header, *rows]) == CUSTOMERS.loc[shown].to_string()
    assert customers is None or shown == customers


def test_the_smallest_example_fails_for_the_reason_of_the_whole():
    def check_by_hand(subject, customers):
        if len(customers) < 4:
            raise ValueError("four clusters need four customers")
        raise ValueError("the reason")

    with pytest.raises(AssertionError, match="raised ValueError: the reason") as caught:
        Subject(LoyaltySegmenter(), CUSTOMERS).run(check_by_hand)
    assert "Smallest example, 4 customers:" in str(caught.value)


def test_a_failure_that_no_customer_causes_shows_none():
    message = message_of("check_describe_has_a_row_a_segment", DescribesInReverse())
    assert message.endswith("\nIt fails in this way whoever the customers are.")


def test_the_traceback_of_what_a_segmenter_raised_is_kept():
    with pytest.raises(AssertionError, match="raised AttributeError: Can't pickle") as caught:
        run("check_clone_and_pickle", KeepsALambda())
    assert isinstance(caught.value.__cause__, AttributeError)


@pytest.mark.parametrize(
    ("check", "broken"),
    [
        ("check_same_random_state_same_result", IgnoresItsRandomState),
        ("check_nothing_is_mutated", SeedsNumpy),
        ("check_row_order_changes_nothing", LearnsFromTheFirstRows),
    ],
)
def test_the_message_depends_on_nothing_random(check, broken):
    state = np.random.get_state()  # noqa: NPY002
    try:
        messages = set()
        for seed in range(3):
            np.random.seed(seed)  # noqa: NPY002
            messages.add(message_of(check, broken()))
    finally:
        np.random.set_state(state)  # noqa: NPY002
    assert len(messages) == 1


def test_the_customers_and_the_segmenter_passed_in_stay_as_they_are():
    customers, segmenter = CUSTOMERS.copy(), ClipsTheFrameInPlace()
    with pytest.raises(AssertionError, match="check_nothing_is_mutated"):
        check_segmenter(segmenter, customers=customers)
    pd.testing.assert_frame_equal(customers, CUSTOMERS)
    assert set(vars(segmenter)) == {"columns", "missing"}


def test_kinds_of_frame_that_are_not_installed_are_left_out_with_a_warning(monkeypatch):
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "duckdb" else find_spec(name)
    )
    with pytest.warns(SegkitWarning, match="not checked on duckdb frames"):
        check_segmenter(EagerSegmenter(), customers=CUSTOMERS)
