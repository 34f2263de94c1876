"""MigrationDisplay: what its flows and its heatmap draw, and what it refuses."""

from itertools import combinations, pairwise

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.patches import PathPatch, Rectangle

from segkit import RuleSegmenter, ValueTierer
from segkit.exceptions import SegkitTypeError, SegkitValueError
from segkit.monitoring import track
from segkit.plotting import MigrationDisplay
from segkit.plotting._flow_drawing import WIDTH, spread_out

BEFORE = pd.DataFrame({"customer_id": range(8), "monetary": [90, 80, 70, 60, 30, 20, 8, 5.0]})
AFTER = pd.DataFrame({"customer_id": range(1, 9), "monetary": [85, 75, 20, 60, 8, 9, 7, 70.0]})
TIERER = ValueTierer(method="fixed", cuts=[50, 10], tiers=["A", "B", "C"], missing="unassigned")
TIERER.fit(BEFORE)


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


@pytest.fixture
def migration():
    return track(TIERER, BEFORE, AFTER)


def texts(display):
    return [text.get_text() for text in display.ax_.texts]


def bands(display):
    return [patch for patch in display.ax_.patches if isinstance(patch, PathPatch)]


def blocks(display):
    return [patch for patch in display.ax_.patches if isinstance(patch, Rectangle)]


def test_each_move_has_a_band_as_thick_as_it_has_customers(migration):
    drawn = bands(MigrationDisplay.from_migration(migration))
    thick = sorted(
        band.get_path().vertices[7, 1] - band.get_path().vertices[0, 1] for band in drawn
    )
    # 0 left A; 1, 2 stayed in A, 3 went to B; 4 B to A; 5 B to C; 6, 7 stayed in C; 8 is new in A.
    np.testing.assert_allclose(thick, [1, 1, 1, 1, 1, 2, 2])


def test_bands_fill_their_blocks_and_nothing_else(migration):
    display = MigrationDisplay.from_migration(migration)
    for at, x in ((0, WIDTH), (3, 1 - WIDTH)):
        ends = [band.get_path().vertices for band in bands(display)]
        spans = sorted((one[at, 1], one[7 - at, 1]) for one in ends)
        near = [one for one in blocks(display) if (one.get_x() < 0.5) == (x < 0.5)]
        covered = sum(one.get_height() for one in near)
        assert sum(bottom - top for top, bottom in spans) == pytest.approx(covered)
        assert all(one[1] <= other[0] + 1e-9 for one, other in pairwise(spans))
        for top, bottom in spans:
            assert any(
                one.get_y() - 1e-9 <= top and bottom <= one.get_y() + one.get_height() + 1e-9
                for one in near
            )


def test_names_have_their_customers_and_empty_segments_are_not_drawn(migration):
    drawn = texts(MigrationDisplay.from_migration(migration))
    assert drawn[:4] == ["A  4", "B  2", "C  2", "newcomers  1"]
    assert drawn[4:8] == ["A  4", "B  1", "C  3", "left  1"]
    assert "No value" not in " ".join(drawn)


def test_newcomers_and_leavers_are_grey_and_segments_keep_their_colour(migration):
    display = MigrationDisplay.from_migration(migration)
    colours = [block.get_facecolor() for block in blocks(display) if block.get_height()]
    red, green, blue, _ = np.array(colours).T
    is_grey = np.ptp([red, green, blue], axis=0) < 0.05
    assert is_grey.tolist() == [False, False, False, True, False, False, False, True]
    assert colours[:3] == colours[4:7]
    assert len(set(colours[:3])) == 3


def test_bands_of_those_who_stayed_are_pale(migration):
    drawn = bands(MigrationDisplay.from_migration(migration))
    assert sorted(band.get_alpha() for band in drawn) == [0.28, 0.28, 0.6, 0.6, 0.6, 0.6, 0.6]


def test_heatmap_has_the_share_of_the_row(migration):
    display = MigrationDisplay.from_migration(migration, kind="heatmap")
    # Of four in A one is left, two stayed and one went to B; newcomers: one of one into A.
    assert texts(display) == ["50", "25", "25", "50", "50", "100", "100"]
    labels = [label.get_text() for label in display.ax_.get_yticklabels()]
    assert labels == ["A  4", "B  2", "C  2", "newcomers  1"]


def test_title_says_who_stayed(migration):
    for kind in ("flow", "heatmap"):
        title = MigrationDisplay.from_migration(migration, kind=kind).ax_.get_title(loc="left")
        assert title == "57 % of the 7 customers in both tables stayed in their segment"


def test_unassigned_have_a_grey_block_of_their_own():
    migration = track(
        TIERER, BEFORE, AFTER.assign(monetary=AFTER["monetary"].where(AFTER.index > 1))
    )
    display = MigrationDisplay.from_migration(migration)
    assert "unassigned  2" in texts(display)
    # With a segment before and still there: 3 to 7. Of them 6 and 7 stayed.
    back = track(TIERER, AFTER.assign(monetary=AFTER["monetary"].where(AFTER.index > 1)), BEFORE)
    title = MigrationDisplay.from_migration(back).ax_.get_title(loc="left")
    assert (
        title == "40 % of the 5 customers who had a segment, and are in both tables, stayed in it"
    )


def test_it_is_drawn_into_axes_that_are_given(migration):
    _, ax = plt.subplots()
    assert MigrationDisplay.from_migration(migration, ax=ax).ax_ is ax


def test_places_are_spread_as_little_as_need_be():
    np.testing.assert_allclose(spread_out(np.array([1.0, 5.0]), 2), [1, 5])
    np.testing.assert_allclose(spread_out(np.array([1.0, 1.0, 9.0]), 2), [0, 2, 9])
    np.testing.assert_allclose(spread_out(np.array([1.0, 2.0, 3.0]), 2), [0, 2, 4])


_LONG = ["Loyal customers of the north, premium", "$ of $", "Kundenbeziehungsmanagementabteilung"]


@pytest.mark.parametrize("kind", ["flow", "heatmap"])
@pytest.mark.parametrize("n_segments", [1, 2, 8, 20])
def test_names_neither_overlap_nor_are_cut_off(kind, n_segments):
    rng = np.random.default_rng(0)
    names = [f"{_LONG[i % 3]} {i}" for i in range(n_segments)]
    rules = [{"name": one, "when": {"column": "x", "in": [i]}} for i, one in enumerate(names)]
    ids = np.arange(2_000)
    first = np.minimum(rng.geometric(0.4, 2_000) - 1, n_segments - 1)
    later = np.where(rng.random(2_000) < 0.6, first, rng.integers(n_segments, size=2_000))
    before, after = (
        pd.DataFrame({"customer_id": who, "x": x.astype(float)})
        for who, x in ((ids, first), (ids + 200, later))
    )
    segmenter = RuleSegmenter(rules).fit(pd.DataFrame({"x": np.arange(n_segments)}))
    display = MigrationDisplay.from_migration(track(segmenter, before, after), kind=kind)
    display.figure_.canvas.draw()
    axes = display.ax_
    labels = [*axes.texts, axes._left_title, axes.xaxis.label]
    labels += [] if kind == "flow" else axes.get_yticklabels()
    boxes = [text.get_window_extent() for text in labels if text.get_text()]
    assert [pair for pair in combinations(boxes, 2) if pair[0].overlaps(pair[1])] == []
    boxes += [text.get_window_extent() for text in axes.get_xticklabels() if text.get_text()]
    edge = display.figure_.bbox
    assert all(box.x0 >= 0 and box.y0 >= 0 for box in boxes)
    assert all(box.x1 <= edge.x1 and box.y1 <= edge.y1 for box in boxes)


def test_what_is_no_migration_is_refused(migration):
    with pytest.raises(
        SegkitTypeError, match="expected a Migration, as track returns it, got DataFrame"
    ):
        MigrationDisplay.from_migration(migration.table)
    with pytest.raises(SegkitValueError, match="kind must be one of"):
        MigrationDisplay.from_migration(migration, kind="sankey")
