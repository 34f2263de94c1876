"""ProfileDisplay draws what the profile has."""

from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.exceptions import NotFittedError

from segkit import SegmentProfiler
from segkit.exceptions import SegkitTypeError, SegkitValueError
from segkit.plotting import ProfileDisplay


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def make_customers():
    rng = np.random.default_rng(0)
    segment = rng.choice(["low $", "mid", "high"], 300, p=[0.5, 0.3, 0.2])
    level = pd.Series(segment).map({"low $": 0.0, "mid": 1.0, "high": 2.0}).to_numpy()
    return pd.DataFrame(
        {
            "spend $": rng.lognormal(3 + level),
            "mood": rng.normal(size=300),
            "channel": np.where(rng.random(300) < 0.3 + 0.2 * level, "web", "shop"),
            "vip": rng.random(300) < 0.1 + 0.3 * level,
            "since": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 90, 300), "D"),
            "segment": segment,
        }
    )


CUSTOMERS = make_customers()
FITTED = SegmentProfiler().fit(CUSTOMERS, y="segment")


def texts(ax):
    return [text.get_text() for text in ax.texts]


def test_the_heatmap_writes_the_index_of_each_segment():
    ax = ProfileDisplay.from_estimator(FITTED).ax_
    assert [label.get_text() for label in ax.get_xticklabels()] == ["high", r"low \$", "mid"]
    assert ax.get_yticklabels()[0].get_text() == r"spend \$"
    means = CUSTOMERS.groupby("segment")["spend $"].mean() / CUSTOMERS["spend $"].mean()
    assert texts(ax)[:3] == [f"{100 * one:,.0f}" for one in means]


def test_the_snake_has_a_line_a_segment_through_its_differences():
    ax = ProfileDisplay.from_estimator(FITTED, kind="snake").ax_
    lines = {line.get_label(): line for line in ax.lines[1:]}
    assert [*lines] == ["high", r"low \$", "mid"]
    labels = [label.get_text() for label in ax.get_yticklabels()]
    rows = FITTED.profile_.query("segment == 'high' and variable == 'mood'")
    drawn = lines["high"].get_xdata()[labels.index("mood")]
    assert drawn == rows["difference"].iloc[0]


def test_the_distribution_of_a_number_is_drawn_from_its_quartiles():
    ax = ProfileDisplay.from_estimator(FITTED, kind="distribution", variable="spend $").ax_
    bars = [line for line in ax.lines if line.get_linewidth() == 11]
    spend = CUSTOMERS.groupby("segment")["spend $"]
    quartiles = np.column_stack([spend.quantile(0.25), spend.quantile(0.75)])
    np.testing.assert_allclose([bar.get_xdata() for bar in bars], quartiles)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["high", r"low \$", "mid"]


def test_the_distribution_of_a_category_is_drawn_from_its_shares():
    ax = ProfileDisplay.from_estimator(FITTED, kind="distribution", variable="channel").ax_
    widths = [bar.get_width() for bar in ax.containers[0]]
    level = ax.get_legend_handles_labels()[1][0]
    shares = pd.crosstab(CUSTOMERS["segment"], CUSTOMERS["channel"], normalize="index")[level]
    np.testing.assert_allclose(widths, shares)


@pytest.mark.parametrize("variable", ["vip", "since", "mood"])
def test_any_kind_of_variable_has_a_distribution(variable):
    display = ProfileDisplay.from_estimator(FITTED, kind="distribution", variable=variable)
    display.figure_.canvas.draw()


def test_it_draws_on_given_axes_and_no_more_rows_than_wanted():
    _, ax = plt.subplots()
    display = ProfileDisplay.from_estimator(FITTED, max_rows=2, ax=ax)
    assert display.ax_ is ax
    assert len(ax.get_yticklabels()) == 2


def test_small_segments_are_not_drawn():
    labels = np.where(np.arange(300) < 4, "few", CUSTOMERS["segment"])
    profiler = SegmentProfiler().fit(CUSTOMERS.drop(columns="segment"), y=labels)
    heatmap = ProfileDisplay.from_estimator(profiler).ax_
    few = [label.get_text() for label in heatmap.get_xticklabels()].index("few")
    by_column = np.array(texts(heatmap)).reshape(-1, 4)
    assert set(by_column[:, few]) == {"·"}
    one = ProfileDisplay.from_estimator(profiler, kind="distribution", variable="mood").ax_
    assert texts(one).count("withheld: few customers") == 2  # and the next larger one


def test_what_cannot_be_drawn_is_told():
    with pytest.raises(SegkitTypeError, match="SegmentProfiler"):
        ProfileDisplay.from_estimator("profile")
    with pytest.raises(NotFittedError):
        ProfileDisplay.from_estimator(SegmentProfiler())
    with pytest.raises(SegkitValueError, match="kind must be one of"):
        ProfileDisplay.from_estimator(FITTED, kind="pie")
    with pytest.raises(SegkitValueError, match="variable must be one of"):
        ProfileDisplay.from_estimator(FITTED, kind="distribution", variable="age")
    lazily = SegmentProfiler().fit(pl.from_pandas(CUSTOMERS).lazy(), y="segment")
    with pytest.raises(SegkitValueError, match="query engine"):
        ProfileDisplay.from_estimator(lazily, kind="distribution", variable="mood")
    ProfileDisplay.from_estimator(lazily)
    alone = SegmentProfiler(min_cell=1_000).fit(CUSTOMERS, y="segment")
    with pytest.raises(SegkitValueError, match="no variable"):
        ProfileDisplay.from_estimator(alone)


def test_long_names_leave_room_for_the_picture():
    names = np.array([f"high spend, low web visits, and a name without end {i}" for i in range(15)])
    rng = np.random.default_rng(0)
    code = np.arange(900) % 15
    X = pd.DataFrame(
        {
            "average monthly value of orders in category one": rng.lognormal(code / 9),
            "since": pd.Timestamp("2022-01-01") + pd.to_timedelta(rng.integers(0, 900, 900), "D"),
        }
    )
    profiler = SegmentProfiler(n_representatives=0).fit(X, y=names[code])
    drawn = [("heatmap", None), ("snake", None)]
    drawn += [("distribution", variable) for variable in X.columns]
    for kind, variable in drawn:
        display = ProfileDisplay.from_estimator(profiler, kind=kind, variable=variable)
        figure, ax = display.figure_, display.ax_
        figure.canvas.draw()
        assert ax.get_window_extent().width > 0.35 * figure.bbox.width
        low, high = sorted(ax.get_xlim())
        along_x = [
            label
            for place, label in zip(ax.get_xticks(), ax.get_xticklabels(), strict=True)
            if low <= place <= high
        ]
        for text in (*along_x, *ax.get_yticklabels(), ax.xaxis.label, ax.title):
            extent = text.get_window_extent()
            assert extent.x0 >= 0
            assert extent.x1 <= figure.bbox.width
        if kind == "distribution":
            ticks = [label.get_window_extent() for label in along_x]
            assert all(a.x1 < b.x0 for a, b in pairwise(ticks))


def test_more_segments_than_colours_are_told_apart_by_their_lines():
    X = pd.DataFrame({"spend": np.random.default_rng(0).normal(size=900)})
    profiler = SegmentProfiler().fit(X, y=np.arange(900) % 15)
    lines = ProfileDisplay.from_estimator(profiler, kind="snake").ax_.lines[1:]
    assert len({(line.get_color(), line.get_linestyle()) for line in lines}) == 15


def test_shares_of_yes_that_are_withheld_are_said_to_be():
    X = pd.DataFrame({"vip": np.arange(300) < 3, "age": np.arange(300.0)})
    profiler = SegmentProfiler().fit(X, y=np.arange(300) % 2)
    ax = ProfileDisplay.from_estimator(profiler, kind="distribution", variable="vip").ax_
    assert texts(ax).count("withheld: few customers") == 2


def test_without_an_index_the_heatmap_names_the_picture_that_there_is():
    X = CUSTOMERS[["mood"]].assign(change=CUSTOMERS["spend $"] - CUSTOMERS["spend $"].mean())
    profiler = SegmentProfiler().fit(X, y=CUSTOMERS["segment"])
    with pytest.raises(SegkitValueError, match="kind='snake'"):
        ProfileDisplay.from_estimator(profiler)
    assert len(ProfileDisplay.from_estimator(profiler, kind="snake").ax_.get_yticklabels()) == 2


def test_the_heatmap_says_how_many_variables_have_no_index():
    assert "without an index: 1 variable" in ProfileDisplay.from_estimator(FITTED).ax_.get_xlabel()
    positive = SegmentProfiler(columns=["spend $"]).fit(CUSTOMERS, y="segment")
    assert ProfileDisplay.from_estimator(positive).ax_.get_xlabel() == ""


@pytest.mark.parametrize("kind", ["heatmap", "snake"])
def test_what_is_withheld_is_explained_on_the_picture(kind):
    labels = CUSTOMERS["segment"].where(np.arange(300) > 4, "few")
    profiler = SegmentProfiler(columns=["spend $"]).fit(CUSTOMERS, y=labels.to_numpy())
    assert "withheld" in ProfileDisplay.from_estimator(profiler, kind=kind).ax_.get_xlabel()
    all_told = SegmentProfiler(columns=["spend $"], min_cell=1)
    all_told.fit(CUSTOMERS, y=labels.to_numpy())
    told = ProfileDisplay.from_estimator(all_told, kind=kind).ax_.get_xlabel()
    assert "withheld" not in told
