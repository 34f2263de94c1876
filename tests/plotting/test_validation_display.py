"""ValidationDisplay: what it draws and what it refuses."""

from itertools import combinations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError

from segkit import RFMScorer, SegmentValidator
from segkit.exceptions import SegkitTypeError, SegkitValueError
from segkit.plotting import ValidationDisplay

_RANDOM = np.random.default_rng(0)
CUSTOMERS = pd.DataFrame(
    {
        "spend": np.r_[_RANDOM.normal(20, 2, 190), _RANDOM.normal(80, 5, 10)],
        "responded": np.r_[np.zeros(150), np.ones(50)],
        "churned": np.tile([0, 1], 100),
    }
)
LABELS = ["low"] * 190 + ["$ high $"] * 10


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def validator():
    options = {"basis": "spend", "outcomes": ["responded", "churned"], "random_state": 0}
    return SegmentValidator(**options).fit(CUSTOMERS, LABELS)


def texts(display):
    return [text.get_text() for text in display.ax_.texts]


def test_each_criterion_is_drawn_with_its_sign(validator):
    display = ValidationDisplay.from_estimator(validator)
    drawn = texts(display)
    signs = {"passed": "✓", "failed": "✗", "not assessed": "–"}
    for verdict in validator.verdicts_.itertuples(index=False):
        assert drawn[drawn.index(verdict.criterion) - 1] == signs[verdict.status]
    assert display.ax_.get_title(loc="left") == "Failed: substantial"


def test_segments_are_coloured_where_a_threshold_decides(validator):
    display = ValidationDisplay.from_estimator(validator)
    drawn = texts(display)
    assert "95.0 %" in drawn
    assert "5.0 %" in drawn
    # Customers, found by the classifier, lift: of each of two segments.
    colours = [patch.get_facecolor() for patch in display.ax_.patches]
    assert len(colours) == 6
    assert colours[0] != colours[1]
    assert len(set(colours[2:])) == 1


def test_lift_of_the_outcome_asked_for_is_drawn(validator):
    assert "lift of responded" in texts(ValidationDisplay.from_estimator(validator))
    display = ValidationDisplay.from_estimator(validator, outcome="churned")
    assert "lift of churned" in texts(display)
    with pytest.raises(SegkitValueError, match="outcome must be one that was assessed"):
        ValidationDisplay.from_estimator(validator, outcome="spend")


def test_names_with_dollars_are_no_formulas(validator):
    assert r"\$ high \$" in texts(ValidationDisplay.from_estimator(validator))


def test_it_is_drawn_into_axes_that_are_given(validator):
    _, ax = plt.subplots()
    assert ValidationDisplay.from_estimator(validator, ax=ax).ax_ is ax


def test_of_many_segments_the_first_are_drawn():
    rng = np.random.default_rng(0)
    labels = rng.integers(20, size=400)
    validator = SegmentValidator(random_state=0).fit(rng.normal(size=(400, 1)), labels)
    display = ValidationDisplay.from_estimator(validator)
    assert "11" in texts(display)
    assert "12" not in texts(display)
    assert "+8" in texts(display)


def overlaps(display):
    """Return pairs of texts that are drawn over one another, and those cut off at the edge."""
    display.figure_.canvas.draw()
    held = [text for text in display.ax_.texts if text.get_text()]
    boxes = [text.get_window_extent() for text in [*held, display.ax_._left_title]]
    edge = display.figure_.bbox
    cut = [box for box in boxes if box.x0 < 0 or box.y0 < 0 or box.x1 > edge.x1 or box.y1 > edge.y1]
    return [pair for pair in combinations(boxes, 2) if pair[0].overlaps(pair[1])], cut


_LONG = ["Loyal customers of the northern and the southern region, premium"]
_LONG += ["Kundenbeziehungsmanagementabteilung", "of", "Supercalifragilisticexpialidocious"]


@pytest.mark.parametrize("n_segments", [1, 2, 4, 12, 16])
def test_long_names_neither_overlap_nor_are_cut_off(n_segments):
    rng = np.random.default_rng(0)
    outcome = "an outcome of a very long name indeed"
    frame = pd.DataFrame({"x": rng.normal(size=480), outcome: rng.normal(size=480)})
    frame["email"] = False
    frame.loc[:99, "x"] = np.nan
    names = np.array([_LONG[i % 4] + str(i) for i in range(n_segments)], dtype=object)
    labels = names[np.arange(480) % n_segments]
    frame[outcome] += np.arange(480) % n_segments
    options = {"basis": "x", "outcomes": outcome, "channels": "email", "max_segments": 1}
    validator = SegmentValidator(from_clusterer=True, min_size=500, random_state=0, **options)
    display = ValidationDisplay.from_estimator(validator.fit(frame, labels))
    assert overlaps(display) == ([], [])


def test_what_is_no_fitted_validator_is_refused():
    with pytest.raises(SegkitTypeError, match="got RFMScorer"):
        ValidationDisplay.from_estimator(RFMScorer())
    with pytest.raises(NotFittedError):
        ValidationDisplay.from_estimator(SegmentValidator())
