"""A fixed part of the study: clouds do not pass, planted segments do."""

import numpy as np
import pytest

from segkit import ClusterSegmenter, SegmentValidator


def passes(X, n_segments):
    segmenter = ClusterSegmenter(n_segments=n_segments, names="letters", random_state=0)
    return SegmentValidator(segmenter, n_bootstraps=10, random_state=0).fit(X)


CLOUDS = {
    "Gaussian": lambda rng: rng.normal(size=(400, 4)),
    "elongated": lambda rng: rng.normal(size=(400, 2)) @ [[1, 1], [4, -4]],
    "uniform": lambda rng: rng.random((400, 2)),
    "skewed": lambda rng: rng.exponential(size=(400, 3)),
    "counts": lambda rng: rng.poisson(2.0, (400, 4)).astype(float),
}


@pytest.mark.parametrize("n_segments", [2, 4])
@pytest.mark.parametrize("kind", CLOUDS)
def test_segments_of_a_cloud_do_not_pass(kind, n_segments):
    validator = passes(CLOUDS[kind](np.random.default_rng(n_segments)), n_segments)
    assert not validator.passed_
    assert not validator.verdicts_.set_index("criterion").loc["structured", "passed"]


def test_stability_alone_would_pass_the_halves_of_a_long_cloud():
    validator = passes(CLOUDS["elongated"](np.random.default_rng(0)), 2)
    passed = validator.verdicts_.set_index("criterion")["passed"]
    assert passed["stable"]
    assert passed["differentiable"]


@pytest.mark.parametrize("n_segments", [2, 3, 5])
def test_planted_segments_pass(n_segments):
    rng = np.random.default_rng(n_segments)
    kinds = rng.integers(n_segments, size=500)
    X = np.eye(5)[kinds] * 6 / np.sqrt(2) + rng.normal(size=(500, 5))
    assert passes(X, n_segments).passed_
