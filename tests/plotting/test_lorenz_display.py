"""LorenzDisplay: what it draws and what it writes; how it looks is for the eye."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.dummy import DummyRegressor
from sklearn.exceptions import NotFittedError

from segkit import RFMScorer, ValueTierer
from segkit.exceptions import ColumnError, MissingValuesError, SegkitTypeError, SegkitValueError
from segkit.plotting import LorenzDisplay

# By hand: A makes 700 + 100 of 1,000, B 90 + 60, C 50.
SEVEN = pd.DataFrame({"monetary": [60.0, 700.0, 0.0, 90.0, 50.0, 100.0, -30.0]})


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


@pytest.fixture
def display():
    return LorenzDisplay.from_estimator(ValueTierer().fit(SEVEN))


def texts(display):
    return [text.get_text() for text in display.ax_.texts]


def legend(display):
    return [text.get_text() for text in display.ax_.get_legend().get_texts()]


def dots(display):
    return [
        (float(line.get_xdata()[0]), float(line.get_ydata()[0]))
        for line in display.ax_.lines
        if line.get_marker() == "o"
    ]


def test_the_curve_is_that_of_the_tierer(display):
    drawn = [line.get_xydata() for line in display.ax_.lines if len(line.get_xdata()) > 2]
    expected = [(0, 0), (1, 700), (2, 800), (3, 890), (4, 950), (5, 1000), (7, 1000)]
    np.testing.assert_allclose(drawn[0], np.array(expected) / (7, 1000))


def test_the_line_of_equality_is_drawn(display):
    assert any(line.get_xydata().tolist() == [[0, 0], [1, 1]] for line in display.ax_.lines)


def test_the_corner_of_each_tier_is_marked_and_named(display):
    np.testing.assert_allclose(dots(display), [(2 / 7, 0.8), (4 / 7, 0.95), (5 / 7, 1)])
    assert texts(display) == ["A", "B", "C"]


def test_the_legend_tells_the_story_of_each_tier(display):
    assert legend(display) == [
        "A: 28.6 % of customers, 80.0 % of value",
        "B: 28.6 % of customers, 15.0 % of value",
        "C: 14.3 % of customers, 5.0 % of value",
        "No value: 28.6 % of customers, 0.0 % of value",
        "if all customers brought the same",
    ]


def test_title_and_axes_say_what_is_drawn(display):
    # 2 * (area below the curve) - 1, by hand: 0.7042857...
    heights = np.array([350, 750, 845, 920, 975, 1000, 1000]) / 1000
    gini = 2 * heights.mean() - 1
    assert display.gini == pytest.approx(gini)
    assert display.ax_.get_title(loc="left") == f"7 customers, Gini coefficient {gini:.2f}"
    assert display.ax_.get_xlabel() == "Cumulative share of customers, highest monetary first"
    assert display.ax_.get_ylabel() == "Cumulative share of positive monetary"


def test_the_areas_of_the_tiers_meet(display):
    spans = [
        (area.get_datalim(display.ax_.transData).x0, area.get_datalim(display.ax_.transData).x1)
        for area in display.ax_.collections
    ]
    np.testing.assert_allclose(spans, [(0, 2 / 7), (2 / 7, 4 / 7), (4 / 7, 5 / 7), (5 / 7, 1)])


def test_other_customers_are_drawn_in_the_tiers_that_were_learned():
    others = pd.DataFrame({"monetary": [100.0, 100.0, 99.0, 1.0, -5.0]})
    display = LorenzDisplay.from_estimator(ValueTierer().fit(SEVEN), others)
    np.testing.assert_allclose(display.share_of_customers, [0.4, 0.2, 0.2, 0.2])
    np.testing.assert_allclose(display.share_of_value, np.array([200, 99, 1, 0]) / 300)
    assert "5 customers" in display.ax_.get_title(loc="left")


@pytest.mark.parametrize("make", [pl.from_pandas, lambda frame: frame, lambda frame: frame.copy()])
def test_the_customers_of_fit_draw_alike_whether_given_or_not(display, make):
    again = LorenzDisplay.from_estimator(ValueTierer().fit(SEVEN), make(SEVEN))
    np.testing.assert_array_equal(again.lorenz_curve, display.lorenz_curve)
    assert again.gini == display.gini
    assert legend(again) == legend(display)


def test_customers_with_missing_values_are_left_out():
    holed = pd.DataFrame({"monetary": [80.0, np.nan, 15.0, 5.0]})
    tierer = ValueTierer(missing="unassigned").fit(holed)
    display = LorenzDisplay.from_estimator(tierer, holed)
    assert "3 customers" in display.ax_.get_title(loc="left")
    with pytest.raises(MissingValuesError):
        LorenzDisplay.from_estimator(ValueTierer().fit(SEVEN), holed)


def test_predicted_values_are_called_so():
    tierer = ValueTierer(estimator=DummyRegressor(strategy="constant", constant=3.0))
    display = LorenzDisplay.from_estimator(tierer.fit(SEVEN, range(7)), SEVEN)
    assert display.ax_.get_xlabel().endswith("highest predicted value first")
    assert display.gini == pytest.approx(0, abs=1e-12)


def test_an_empty_tier_has_no_corner_and_no_area():
    tierer = ValueTierer().fit(pd.DataFrame({"monetary": [99.0, 0.5, 0.5]}))
    display = LorenzDisplay.from_estimator(tierer)
    assert texts(display) == ["A", "C"]
    assert len(dots(display)) == 2
    assert len(display.ax_.collections) == 2


def test_corners_that_lie_together_are_marked_and_named_once():
    values = pd.DataFrame({"monetary": [1000.0, *range(20, 0, -1), *[0] * 2000]})
    tierer = ValueTierer(cuts=(0.9, 0.91, 0.92)).fit(values)
    display = LorenzDisplay.from_estimator(tierer)
    assert len(dots(display)) == 4
    assert len(texts(display)) < 4


def test_names_with_dollar_signs_are_no_formulas():
    tierer = ValueTierer(tiers=["$a$", "$b$", "$c$"]).fit(SEVEN)
    display = LorenzDisplay.from_estimator(tierer)
    display.figure_.canvas.draw()
    assert legend(display)[0].startswith(r"\$a\$: ")
    assert texts(display) == ["$a$", "$b$", "$c$"]


def test_it_draws_into_axes_that_are_given():
    _, ax = plt.subplots()
    display = LorenzDisplay.from_estimator(ValueTierer().fit(SEVEN), ax=ax)
    assert display.ax_ is ax
    assert display.figure_ is ax.figure
    assert len(plt.get_fignums()) == 1


@pytest.mark.parametrize("size", [(7, 6.4), (4, 3), (3, 3), (12, 5)])
def test_no_text_lies_on_another(size):
    values = np.random.default_rng(0).pareto(1.1, 2_000)
    tierer = ValueTierer(tiers=["Platinum", "Gold", "Silver"])
    tierer.fit(pd.DataFrame({"monetary": np.append(values, np.zeros(300))}))
    figure, ax = plt.subplots(figsize=size, layout="constrained")
    LorenzDisplay.from_estimator(tierer, ax=ax)
    figure.canvas.draw()
    boxes = [text.get_window_extent() for text in ax.texts]
    boxes += [text.get_window_extent() for text in ax.get_legend().get_texts()]
    boxes += [label.get_window_extent() for label in ax.get_xticklabels() + ax.get_yticklabels()]
    boxes += [ax.title.get_window_extent(), ax._left_title.get_window_extent()]
    boxes = [box for box in boxes if box.width > 0]
    for place, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[place + 1 :])
    # The legend lies below the line of equality.
    corner = ax.get_legend().get_window_extent()
    left, top = ax.transData.inverted().transform((corner.x0, corner.y1))
    assert top < left


def test_a_display_can_be_made_by_hand():
    display = LorenzDisplay(
        lorenz_curve=np.array([[0, 0], [0.2, 0.8], [1, 1]]),
        gini=0.6,
        segments=["A", "B", "None"],
        share_of_customers=np.array([0.2, 0.8, 0]),
        share_of_value=np.array([0.8, 0.2, 0]),
    ).plot()
    assert display.ax_.get_title(loc="left") == "Gini coefficient 0.60"
    assert legend(display)[0] == "A: 20.0 % of customers, 80.0 % of value"


@pytest.mark.filterwarnings("ignore::segkit.exceptions.SegkitWarning")
def test_what_cannot_be_drawn_is_refused():
    tierer = ValueTierer().fit(SEVEN)
    with pytest.raises(SegkitTypeError, match="expected a fitted ValueTierer, got RFMScorer"):
        LorenzDisplay.from_estimator(RFMScorer())
    with pytest.raises(NotFittedError):
        LorenzDisplay.from_estimator(ValueTierer())
    with pytest.raises(SegkitTypeError, match="collect"):
        LorenzDisplay.from_estimator(tierer, pl.from_pandas(SEVEN).lazy())
    with pytest.raises(ColumnError, match="'monetary' is missing"):
        LorenzDisplay.from_estimator(tierer, SEVEN.rename(columns={"monetary": "spend"}))
    with pytest.raises(SegkitValueError, match="no customer has a positive value"):
        LorenzDisplay.from_estimator(ValueTierer().fit(-SEVEN.clip(lower=0)))
    with pytest.raises(SegkitValueError, match="no customer has a positive value"):
        LorenzDisplay.from_estimator(tierer, -SEVEN.clip(lower=0))


def test_without_matplotlib_it_says_what_to_install(monkeypatch, display):
    monkeypatch.setitem(__import__("sys").modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"pip install 'customer-segkit\[plot\]'"):
        display.plot()
