"""RFMDisplay: what it counts and what it writes; how it looks is for the eye."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.cluster import KMeans
from sklearn.exceptions import NotFittedError

from segkit import RFMScorer, SegmentMap
from segkit.exceptions import ColumnError, SegkitTypeError
from segkit.plotting import RFMDisplay

TEN = pd.DataFrame(
    {
        "recency_days": [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
        "frequency": [10, 9, 8, 7, 6, 5, 4, 3, 2, 1],
        "monetary": [50.0, 10, 90, 20, 30, 40, 60, 70, 80, -100],
        "profit": [0.0, 0, 0, 0, 0, 0, 0, 0, 1, 3],
    }
)


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


@pytest.fixture
def display():
    return RFMDisplay.from_estimator(RFMScorer().fit(TEN), TEN)


def texts(display):
    return [text.get_text() for text in display.ax_.texts]


def test_customers_are_counted_by_cell(display):
    assert np.diag(display.customers).tolist() == [2, 2, 2, 2, 2]
    assert display.customers.sum() == 10


def test_value_shares_are_of_positive_value(display):
    # 450 in total: the refund of 100 is no negative share.
    np.testing.assert_allclose(np.diag(display.value_share) * 450, [80, 130, 70, 110, 60])


def test_another_column_may_be_the_value():
    display = RFMDisplay.from_estimator(RFMScorer().fit(TEN), TEN, value="profit")
    np.testing.assert_allclose(np.diag(display.value_share), [1, 0, 0, 0, 0])


def test_each_area_is_named_once(display):
    names = [text for text in texts(display) if text in display.segment_order]
    assert sorted(names) == sorted(display.segment_order)


def test_cells_show_customers_and_share(display):
    assert "2\n13.3 % of value" in texts(display)  # 60 / 450 in the best cell
    assert texts(display).count("0") == 20


def test_it_draws_into_axes_that_are_given():
    _, ax = plt.subplots()
    display = RFMDisplay.from_estimator(RFMScorer().fit(TEN), TEN, ax=ax)
    assert display.ax_ is ax
    assert display.figure_ is ax.figure
    assert len(plt.get_fignums()) == 1


def test_polars_and_arrays_draw_the_same(display):
    scorer = RFMScorer().fit(TEN)
    for X in (pl.from_pandas(TEN), TEN.to_numpy()[:, :3]):
        fitted = scorer if isinstance(X, pl.DataFrame) else RFMScorer().fit(X)
        other = RFMDisplay.from_estimator(fitted, X)
        np.testing.assert_array_equal(other.customers, display.customers)
        np.testing.assert_allclose(other.value_share, display.value_share)


def test_two_columns_show_customers_only():
    X = TEN.to_numpy()[:, :2]
    display = RFMDisplay.from_estimator(RFMScorer().fit(X), X)
    assert display.value_share is None
    assert "2" in texts(display)


def test_a_map_over_more_dimensions_names_a_cell_by_most_of_its_customers():
    halves = SegmentMap({"Good": {"monetary": (3, 5)}, "Poor": {"monetary": (1, 2)}})
    scorer = RFMScorer(segment_map=halves).fit(TEN)
    display = RFMDisplay.from_estimator(scorer, TEN)
    assert display.segments[3, 3] in ("Good", "Poor")
    assert display.segments[0, 4] == ""
    assert "segment of most" in display.ax_.get_title(loc="left")


def test_customers_with_missing_values_are_left_out():
    holed = TEN.assign(frequency=TEN["frequency"].astype(float).replace(10, np.nan))
    scorer = RFMScorer(missing="unassigned").fit(TEN)
    assert RFMDisplay.from_estimator(scorer, holed).customers.sum() == 9


def test_what_cannot_be_drawn_is_refused():
    scorer = RFMScorer().fit(TEN)
    with pytest.raises(SegkitTypeError, match="expected a fitted RFMScorer, got KMeans"):
        RFMDisplay.from_estimator(KMeans(), TEN)
    with pytest.raises(NotFittedError):
        RFMDisplay.from_estimator(RFMScorer(), TEN)
    with pytest.raises(ColumnError, match="Did you mean 'profit'"):
        RFMDisplay.from_estimator(scorer, TEN, value="profits")
    with pytest.raises(SegkitTypeError, match="collect"):
        RFMDisplay.from_estimator(scorer, pl.from_pandas(TEN).lazy())


def test_without_matplotlib_it_says_what_to_install(monkeypatch, display):
    monkeypatch.setitem(__import__("sys").modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"pip install 'customer-segkit\[plot\]'"):
        display.plot()
