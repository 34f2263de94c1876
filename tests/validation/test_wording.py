"""The sentences of a summary: what is one, what is none, and what is not known."""

import numpy as np
import pandas as pd
import pytest

from segkit import ClusterSegmenter, SegmentValidator

RNG = np.random.default_rng(0)
N = 120


def lines(n_segments, *, n_unassigned=0, n_customers=N, **parameters):
    kinds = np.arange(n_customers) % n_segments
    table = pd.DataFrame({"x": 9.0 * kinds + RNG.normal(size=n_customers)})
    table["responded"] = kinds == 0
    table["email"] = np.arange(n_customers) % 4 > 0
    labels = np.array(["a", "b", "c"], dtype=object)[kinds]
    labels[n_customers - n_unassigned :] = "unassigned"
    fitted = SegmentValidator(**{"basis": "x", **parameters}).fit(table, labels)
    head, *others = fitted.summary().splitlines()
    found = {}
    for line in others:
        criterion, _, said = line.removeprefix("- ").partition(": ")
        found[criterion] = said
    return {"": head, **found}


@pytest.mark.parametrize("n_segments", [2, 3])
def test_several_segments_are_spoken_of_as_several(n_segments):
    said = lines(n_segments, outcomes="responded", channels="email")
    assert said[""].startswith(f"120 customers in {n_segments} segments: ")
    assert said["measurable"] == "passed; no value is missing; every customer has a segment."
    assert said["substantial"].startswith("passed; the smallest segment, a, has ")
    assert "of each segment can be reached" in said["accessible"]
    assert said["actionable"] == "passed; the segments differ in responded."
    assert said["parsimonious"] == (
        f"passed; {n_segments} segments, each two of which are told apart."
    )


def test_one_segment_is_spoken_of_as_one():
    said = lines(1, outcomes="responded", channels="email")
    assert said[""] == "120 customers in 1 segment: failed (differentiable)."
    assert said["substantial"] == "passed; the only segment, a, has 120 customers (100.0 %)."
    assert said["accessible"] == "passed; 75.0 % of the only segment can be reached."
    assert said["differentiable"] == "failed; there is only one segment, which divides nobody."
    assert said["actionable"] == "not assessed; there is only one segment."
    assert said["parsimonious"] == "passed; there is only one segment."


def test_one_customer_is_spoken_of_as_one():
    assert lines(1, n_customers=1)[""].startswith("1 customer in 1 segment: ")
    said = lines(1, n_customers=1, min_size=1)
    assert said["substantial"] == "passed; the only segment, a, has 1 customer (100.0 %)."
    said = lines(2, n_customers=9, min_size=1)
    assert said["differentiable"] == (
        "not assessed; too few customers for a classifier: a segment takes 5 of them."
    )


def test_customers_without_a_segment_are_counted_in_words():
    assert "1.7 % of the customers have no segment" in lines(2, n_unassigned=2)["measurable"]
    assert lines(2, n_unassigned=60)["measurable"] == (
        "failed; 50.0 % of the customers have no segment."
    )


def test_what_fails_says_what_was_asked():
    said = lines(3, max_segments=2)
    assert said["parsimonious"] == "failed; 3 segments are more than the 2 of max_segments."
    said = lines(2, outcomes=["x"], basis=["email"])
    assert said["parsimonious"].startswith("passed; 2 segments")
    table = pd.DataFrame({"x": RNG.normal(size=60), "email": [True, *[False] * 59]})
    table["y"], table["z"] = RNG.random((2, 60)) < 0.5
    labels = np.where(np.arange(60) % 2 == 0, "a", "b")
    fitted = SegmentValidator(basis="x", outcomes=["y", "z"], channels="email").fit(table, labels)
    verdicts = fitted.verdicts_.set_index("criterion")["reason"]
    assert verdicts["actionable"] == "the segments differ in no outcome of y, z"
    assert verdicts["accessible"] == "fewer than 50.0 % can be reached in: a, b"


def test_segments_of_unknown_basis_are_not_said_to_be_apart():
    table = pd.DataFrame({"city": ["Rome", "Oslo"] * 40})
    fitted = SegmentValidator().fit(table, ["a"] * 40 + ["b"] * 40)
    reason = fitted.verdicts_.set_index("criterion").loc["parsimonious", "reason"]
    assert reason == "2 segments, no more than the 10 of max_segments"


def test_the_only_cluster_is_not_called_the_least_stable():
    segmenter = ClusterSegmenter(n_segments=1, names="letters", random_state=0)
    fitted = SegmentValidator(segmenter, n_bootstraps=2, random_state=0).fit(
        RNG.normal(size=(80, 2))
    )
    reason = fitted.verdicts_.set_index("criterion").loc["stable", "reason"]
    assert reason == "the only segment, Segment A, has a Jaccard similarity of 1.00"


def test_percentages_are_written_alike():
    said = lines(2)
    assert "% of the way" in said["differentiable"]
    assert not any(digit + "%" in " ".join(said.values()) for digit in "0123456789")
