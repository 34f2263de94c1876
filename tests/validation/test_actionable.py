"""Outcomes: what segments predict, who responds alike, and customers that were held out."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator
from sklearn.cluster import KMeans
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import cross_val_predict

from segkit import SegmentValidator
from segkit.validation._actionable import actionable, variance_predicted
from segkit.validation._judged_customers import JudgedCustomers
from segkit.validation._pair_effects import pair_effects
from segkit.validation._refits import ClusteringRefits, held_out_codes
from segkit.validation._variables import Numbers


def test_variance_predicted_is_that_of_a_regression_on_segments():
    rng = np.random.default_rng(0)
    codes = rng.integers(4, size=400)
    outcome = codes * 0.4 + rng.normal(size=400)
    # The folds of the code under test, so that both see the same customers.
    fold = np.random.default_rng(3).permutation(400) % 5
    folds = [(np.flatnonzero(fold != one), np.flatnonzero(fold == one)) for one in range(5)]
    told = cross_val_predict(
        LinearRegression(fit_intercept=False), np.eye(4)[codes], outcome, cv=folds
    )
    mean = cross_val_predict(DummyRegressor(), np.zeros((400, 1)), outcome, cv=folds)
    expected = 1 - np.square(outcome - told).sum() / np.square(outcome - mean).sum()
    found = variance_predicted(codes, Numbers(outcome), np.random.default_rng(3))
    assert found == pytest.approx(expected, rel=1e-9)


def test_segments_that_tell_nothing_predict_less_than_nothing():
    rng = np.random.default_rng(0)
    outcome = Numbers(rng.normal(size=500))
    found = [variance_predicted(rng.integers(20, size=500), outcome, rng) for _ in range(20)]
    assert max(found) < 0.01
    assert np.mean(found) < -0.02


def test_lift_is_the_mean_of_a_segment_over_that_of_everyone():
    frame = pd.DataFrame({"x": np.arange(400.0), "responded": np.repeat([1, 0, 1, 0], 100)})
    labels = np.where(np.arange(400) < 200, "first", "second")
    frame.loc[300:, "responded"] = 1
    validator = SegmentValidator(basis="x", outcomes="responded", random_state=0)
    validator.fit(frame, labels)
    report = validator.report_[validator.report_["metric"] == "lift"].set_index("segment")
    # 100 of 200, 200 of 200, 300 of 400.
    assert report["value"].to_dict() == pytest.approx({"first": 2 / 3, "second": 4 / 3})
    mean = validator.report_[validator.report_["metric"] == "mean"].set_index("segment")
    # Wilson's interval of 100 of 200.
    assert mean.loc["first", "low"] == pytest.approx(0.4313, abs=1e-4)


def test_segments_that_respond_alike_are_named():
    rng = np.random.default_rng(0)
    kind = rng.integers(3, size=1_500)
    frame = pd.DataFrame(
        {
            "x": kind * 9 + rng.normal(size=1_500),
            "responded": rng.random(1_500) < np.array([0.1, 0.1, 0.5])[kind],
        }
    )
    validator = SegmentValidator(basis="x", outcomes="responded", random_state=0)
    validator.fit(frame, np.array(["a", "b", "c"])[kind])
    (found,) = validator.merge_candidates_.to_dict("records")
    assert found == {"segment_a": "a", "segment_b": "b", "because": "no outcome differs"}
    assert validator.passed_


def test_outcomes_without_a_difference_fail_in_nineteen_of_twenty():
    passed = []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        codes = rng.integers(2, size=200)
        outcomes = {"spend": Numbers(rng.lognormal(size=200))}
        customers = JudgedCustomers(codes, ("a", "b"), {}, outcomes, {}, None)
        effects = pair_effects(codes, ("a", "b"), outcomes, "outcome")
        found = actionable(customers, codes, effects, seed, is_held_out=False)
        passed.append(found.passed)
    # Of 200 with p = .05, 18 or more have a chance of 2 %.
    assert sum(passed) < 18


class Memory(BaseEstimator):
    """Customers that it has seen are where their outcome says, and others where x says."""

    def fit(self, X, y):
        self.seen_ = dict(zip(X["x"], y, strict=True))
        return self

    def predict(self, X):
        return np.array([int(self.seen_.get(one, one > 0)) for one in X["x"]])


def test_a_segmenter_that_saw_the_outcomes_is_judged_by_customers_it_has_not_seen():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"x": rng.normal(size=300), "responded": rng.random(300) < 0.3})
    options = {"basis": "x", "outcomes": "responded", "n_bootstraps": 0, "random_state": 0}
    by_labels = SegmentValidator(**options).fit(frame, frame["responded"].astype(int))
    assert by_labels.verdicts_.set_index("criterion").loc["actionable", "passed"]
    by_memory = SegmentValidator(Memory(), **options).fit(frame, frame["responded"])
    np.testing.assert_array_equal(by_memory.labels_, by_labels.labels_)
    assert not by_memory.verdicts_.set_index("criterion").loc["actionable", "passed"]


def test_held_out_codes_are_those_that_the_other_half_teaches():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 2)) + 8 * rng.integers(2, size=(200, 1))
    codes = (X.sum(axis=1) > 8).astype(np.intp)

    class Refits(ClusteringRefits):
        learned = []  # noqa: RUF012

        def codes_after(self, learned, told, seed):
            self.learned.append(set(learned.tolist()))
            return super().codes_after(learned, told, seed)

    found = held_out_codes(Refits(X, KMeans(2, n_init=10)), codes, 2, seed=0)
    np.testing.assert_array_equal(found, codes)
    one, other = Refits.learned
    assert not one & other
    assert len(one | other) == 200


def test_segments_are_matched_by_the_customers_that_taught_them_alone():
    rng = np.random.default_rng(0)
    kind = rng.integers(2, size=200)
    X = rng.normal(size=(200, 2)) + 9 * kind[:, np.newaxis]
    # In the other half the segments have each other's name, which the first half cannot know.
    codes = kind.copy()
    other = np.random.default_rng(5).permutation(200)[100:]
    codes[other] = 1 - kind[other]
    found = held_out_codes(ClusteringRefits(X, KMeans(2, n_init=10)), codes, 2, seed=5)
    assert not (found == codes).any()
