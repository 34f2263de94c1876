"""SelectionDisplay and ClusterDisplay: what they draw and what they refuse."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError

from segkit import RFMScorer
from segkit.exceptions import SegkitTypeError, SegkitValueError
from segkit.plotting import ClusterDisplay, SelectionDisplay
from segkit.segmenters import ClusterSegmenter

_RANDOM = np.random.default_rng(0)
TWO = pd.DataFrame(
    {
        "spend": np.r_[_RANDOM.normal(20, 2, 60), _RANDOM.normal(80, 5, 40)],
        "visits": np.r_[_RANDOM.normal(4, 1, 60), _RANDOM.normal(12, 1, 40)],
    }
)


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def segmenter():
    return ClusterSegmenter(random_state=0).fit(TWO)


def test_each_criterion_has_a_panel_that_marks_the_chosen_number(segmenter):
    display = SelectionDisplay.from_estimator(segmenter, criteria=["silhouette", "auto"])
    assert len(display.axes_) == 2
    for panel, name in zip(display.axes_, ["silhouette", "auto"], strict=True):
        np.testing.assert_array_equal(panel.lines[0].get_ydata(), segmenter.selection_[name])
        assert panel.lines[2].get_xdata().tolist() == [2]


def test_the_criterion_that_chose_comes_first():
    chose = ClusterSegmenter(selection=["davies_bouldin", "gap"], random_state=0).fit(TWO)
    titles = [p.get_title(loc="left") for p in SelectionDisplay.from_estimator(chose).axes_]
    assert titles[0] == "Davies–Bouldin, decides"
    assert "Silhouette, more is better" in titles
    assert not any("error" in title or "std" in title for title in titles)


def test_spread_of_a_criterion_is_drawn_as_bars_around_it():
    table = pd.DataFrame({"gap": [1.0, 2.0], "gap_standard_error": [0.25, 0.5]}, index=[2, 3])
    display = SelectionDisplay(selection=table, chosen=3).plot()
    (panel,) = display.axes_
    (bars,) = panel.containers[0].lines[2]
    ends = [segment[:, 1].tolist() for segment in bars.get_segments()]
    assert ends == [[0.75, 1.25], [1.5, 2.5]]


def test_selection_is_drawn_into_axes_that_are_given(segmenter):
    _, ax = plt.subplots()
    display = SelectionDisplay.from_estimator(segmenter, criteria="silhouette", ax=ax)
    assert display.axes_[0] is ax
    with pytest.raises(SegkitValueError, match="need as many axes, got 1"):
        SelectionDisplay.from_estimator(segmenter, ax=ax)


def test_selection_that_cannot_be_drawn_is_refused(segmenter):
    with pytest.raises(SegkitTypeError, match="got RFMScorer"):
        SelectionDisplay.from_estimator(RFMScorer())
    with pytest.raises(NotFittedError):
        SelectionDisplay.from_estimator(ClusterSegmenter())
    with pytest.raises(SegkitValueError, match="criteria must be among"):
        SelectionDisplay.from_estimator(segmenter, criteria=["elbow"])
    with pytest.raises(SegkitValueError, match="no criteria to draw"):
        SelectionDisplay.from_estimator(ClusterSegmenter(n_segments=2).fit(TWO))


def test_each_segment_is_drawn_with_its_customers_and_its_name(segmenter):
    display = ClusterDisplay.from_estimator(segmenter, TWO)
    (dots,) = display.ax_.collections
    colours = [tuple(colour) for colour in dots.get_facecolors()]
    assert sorted(colours.count(colour) for colour in set(colours)) == [40, 60]
    legend = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    low, high = segmenter.segments_
    assert legend == [f"0  {low} (60)", f"1  {high} (40)"]


def test_two_features_are_drawn_as_they_are_and_more_in_the_plane_of_fit(segmenter):
    display = ClusterDisplay.from_estimator(segmenter, TWO)
    scaled = (TWO - TWO.mean()) / TWO.std(ddof=0)
    assert display.points == pytest.approx(scaled.to_numpy())
    assert display.ax_.get_xlabel() == f"{TWO.columns[0]} (prepared)"
    rng = np.random.default_rng(0)
    three = pd.DataFrame(rng.normal(size=(200, 3)) * [1, 1, 1], columns=["a", "b", "c"])
    three["c"] += three["a"]
    fitted = ClusterSegmenter(n_segments=2, random_state=0).fit(three)
    display = ClusterDisplay.from_estimator(fitted, three)
    features = ((three - three.mean()) / three.std(ddof=0)).to_numpy()
    pca = PCA(2).fit(features)
    assert np.abs(display.points) == pytest.approx(np.abs(pca.transform(features)))
    share = pca.explained_variance_ratio_[0]
    assert f"{share:.1%} of variance" in display.ax_.get_xlabel()
    # Tomorrow's customers have the same place in tomorrow's picture.
    tomorrow = ClusterDisplay.from_estimator(fitted, three.head(20))
    assert tomorrow.points == pytest.approx(display.points[:20])


def test_customers_without_a_segment_are_told_apart():
    display = ClusterDisplay(
        points=np.arange(8.0).reshape(4, 2),
        codes=np.array([0, -1, 0, -1]),
        centres=np.array([[2.0, 3.0]]),
        segments=["all"],
        axis_labels=("one", "other"),
    ).plot()
    legend = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert legend == ["0  all (2)", "unassigned (2)"]


def test_names_with_dollars_are_no_formulas():
    segmenter = ClusterSegmenter(n_segments=2, names=["$ spent $", "none"]).fit(TWO)
    display = ClusterDisplay.from_estimator(segmenter, TWO)
    assert r"\$ spent \$" in display.ax_.get_legend().get_texts()[0].get_text()


def test_at_most_some_thousand_points_are_drawn(segmenter):
    display = ClusterDisplay.from_estimator(segmenter, pd.concat([TWO] * 40))
    (dots,) = display.ax_.collections
    assert len(dots.get_offsets()) == 3_000
    assert display.ax_.get_legend().get_texts()[0].get_text().endswith("(2,400)")


def test_customers_that_cannot_be_drawn_are_refused(segmenter):
    with pytest.raises(SegkitTypeError, match="got RFMScorer"):
        ClusterDisplay.from_estimator(RFMScorer(), TWO)
    with pytest.raises(NotFittedError):
        ClusterDisplay.from_estimator(ClusterSegmenter(), TWO)
    with pytest.raises(SegkitTypeError, match="collect"):
        ClusterDisplay.from_estimator(segmenter, pl.from_pandas(TWO).lazy())
    with pytest.raises(SegkitValueError, match="at least two customers"):
        ClusterDisplay.from_estimator(segmenter, TWO.iloc[:1])
