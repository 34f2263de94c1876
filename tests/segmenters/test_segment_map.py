"""SegmentMap: every cell covered exactly once, and the maps that ship, against their sources."""

import itertools
import pickle

import narwhals.stable.v2 as nw
import numpy as np
import pytest
from pandas import DataFrame

from frames import as_kind, columns_of
from segkit import SegmentMap
from segkit.exceptions import SegmentMapError
from segkit.segmenters._named_maps import named_segment_map

FIVE = {"recency": 5, "frequency": 5, "monetary": 5}
FOUR = {"recency": 4, "frequency": 4, "monetary": 4}

# The widely used R x F grid, typed here once more as rows of the picture: recency 5 on top,
# frequency 1 to 5 from left to right.
RF_GRID = """
New         Potential   Potential  Champions Champions
Promising   Potential   Potential  Loyal     Loyal
Sleep       Sleep       Attention  Loyal     Loyal
Hibernating Hibernating Risk       Risk      Lose
Hibernating Hibernating Risk       Risk      Lose
"""
SHORT = {
    "Potential": "Potential Loyalist",
    "Sleep": "About to Sleep",
    "Attention": "Need Attention",
    "Risk": "At Risk",
    "Lose": "Can't Lose",
}


def names_of(segment_map, cells):
    scores = [[int(score) for score in cell] for cell in cells]
    return [segment_map.names[code] for code in segment_map.codes(scores)]


def test_rf_grid_is_the_published_grid():
    grid = named_segment_map("rf_grid", FIVE)
    for recency, row in zip((5, 4, 3, 2, 1), RF_GRID.split("\n")[1:-1], strict=True):
        for frequency, word in enumerate(row.split(), start=1):
            assert names_of(grid, [f"{recency}{frequency}"]) == [SHORT.get(word, word)]
    assert grid.names[0] == "Champions"
    assert grid.names[-1] == "Hibernating"


@pytest.mark.parametrize("n_bins", range(2, 13))
def test_rf_grid_covers_every_number_of_scores_from_best_to_worst(n_bins):
    grid = named_segment_map("rf_grid", {"recency": n_bins, "frequency": n_bins})
    assert grid.n_bins == (n_bins, n_bins)
    assert names_of_corner(grid, n_bins, n_bins) in ("Champions", "Loyal")
    assert names_of_corner(grid, 1, 1) == "Hibernating"


def names_of_corner(grid, recency, frequency):
    return grid.names[grid.codes([[recency, frequency]])[0]]


def test_rf_grid_with_ten_scores_splits_each_fifth_in_two():
    five = named_segment_map("rf_grid", FIVE)
    ten = named_segment_map("rf_grid", {"recency": 10, "frequency": 10})
    for recency, frequency in itertools.product(range(1, 11), repeat=2):
        in_fifths = five.names[five.codes([[(recency + 1) // 2, (frequency + 1) // 2]])[0]]
        assert ten.names[ten.codes([[recency, frequency]])[0]] == in_fifths


def test_r_rfm_leaves_the_ten_documented_cells_to_others():
    # Cells that match nothing, from the R package rfm's vignette table.
    others = ["215", "241", "251", "252", "341", "351", "441", "451", "541", "551"]
    r_rfm = named_segment_map("r_rfm", FIVE)
    cells = ["".join(cell) for cell in itertools.product("12345", repeat=3)]
    named = dict(zip(cells, names_of(r_rfm, cells), strict=True))
    assert sorted(cell for cell, name in named.items() if name == "Others") == others


@pytest.mark.parametrize(
    ("cell", "name"),
    [
        ("555", "Champions"),
        ("445", "Potential Loyalist"),
        ("333", "Potential Loyalist"),  # also Loyal and Need Attention, which come later
        ("222", "Loyal"),
        ("313", "Promising"),
        ("511", "New"),
        ("144", "Can't Lose"),
        ("155", "At Risk"),
        ("133", "Need Attention"),
        ("211", "About To Sleep"),
        ("111", "Lost"),
    ],
)
def test_r_rfm_gives_a_cell_to_the_first_match(cell, name):
    assert names_of(named_segment_map("r_rfm", FIVE), [cell]) == [name]


def test_pymc_has_the_published_cells():
    # pymc-marketing 0.19.2, rfm_segments.
    published = {
        "Premium": "333 334 343 344 433 434 443 444",
        "Repeat": "143 232 233 234 243 244 332",
        "Top Spender": "124 133 134 144 224 313 314 323 324 413 414 423 424",
        "At Risk": "122 123 132 212 214 222 223 312 322 412 422",
        "Inactive": "111 112 113 114 211 311 411",
    }
    pymc = named_segment_map("pymc", FOUR)
    for name, cells in published.items():
        assert set(names_of(pymc, cells.split())) == {name}
    everything = ["".join(cell) for cell in itertools.product("1234", repeat=3)]
    assert names_of(pymc, everything).count("Other") == 18


def test_gaps_are_listed():
    with pytest.raises(SegmentMapError, match=r"no segment covers 2 of 9 cells .*: 11, 12\."):
        SegmentMap({"Top": {"recency": (2, 3)}, "Fans": {"recency": 1, "frequency": 3}}, n_bins=3)


def test_overlaps_are_listed_with_both_names():
    with pytest.raises(SegmentMapError, match=r"1 of 3 cells .*: 2 in Top and Rest"):
        SegmentMap({"Top": {"recency": (2, 3)}, "Rest": {"recency": (1, 2)}}, n_bins=3)


def test_a_default_does_not_excuse_overlaps():
    with pytest.raises(SegmentMapError, match="covered more than once"):
        SegmentMap({"Top": {"recency": (2, 3)}, "Rest": {"recency": 2}}, n_bins=3, default="Other")


def test_first_match_does_not_excuse_gaps():
    with pytest.raises(SegmentMapError, match="no segment covers"):
        SegmentMap({"Top": {"recency": 3}}, n_bins=3, first_match=True)


def test_a_segment_that_no_cell_reaches_is_refused():
    with pytest.raises(SegmentMapError, match="every cell of 'Rest' belongs to a segment above"):
        SegmentMap({"All": {"recency": (1, 3)}, "Rest": {"recency": 1}}, n_bins=3, first_match=True)


@pytest.mark.parametrize(
    ("segments", "message"),
    [
        ({}, "at least one segment"),
        ([("Top", {"recency": 1})], "must be a mapping"),
        ({"unassigned": {"recency": (1, 5)}}, "other than 'unassigned'"),
        ({"": {"recency": (1, 5)}}, "must be text"),
        ({"Top": {"recency": (0, 5)}}, "scores run from 1 to 5"),
        ({"Top": {"recency": (5, 1)}}, "scores run from 1 to 5, lowest first"),
        ({"Top": {"recency": 6}}, "scores run from 1 to 5"),
        ({"Top": 5}, "expected a mapping|'int' object"),
        ({"Top": [5]}, "expected a mapping of dimension to scores"),
        ({"Top": {}}, "no segment names a dimension"),
        ({"Top": ["55", "555"]}, "expected a score for each of"),
        ({"Top": ["5x"]}, "expected a score for each of"),
        ({"Top": {"recency": "high"}}, "scores of recency must be"),
        ({"Top": {"recency": (1, 2, 3)}}, "scores of recency must be"),
    ],
    ids=str,
)
def test_what_is_no_map_is_refused(segments, message):
    with pytest.raises(SegmentMapError, match=message):
        SegmentMap(segments)


@pytest.mark.parametrize("n_bins", [0, -1, 2.5, "5", (5, 5), None, True])
def test_n_bins_that_are_no_numbers_of_scores_are_refused(n_bins):
    with pytest.raises(SegmentMapError, match="n_bins must be"):
        SegmentMap({"All": {"recency": 1}}, n_bins=n_bins)


def test_a_default_named_like_a_segment_is_refused():
    with pytest.raises(SegmentMapError, match="also the name of a segment"):
        SegmentMap({"Top": {"recency": 5}}, default="Top")


def test_cells_may_be_written_as_text():
    halves = SegmentMap({"Good": ["21", "22"], "Poor": ["11", "12"]}, n_bins=2)
    assert names_of(halves, ["21", "12"]) == ["Good", "Poor"]


def test_cells_with_two_digits_are_written_with_dashes():
    top = SegmentMap({"Top": "10-10"}, n_bins=10, default="Rest")
    assert [top.names[code] for code in top.codes([[10, 10], [1, 1]])] == ["Top", "Rest"]


def test_further_dimensions_may_be_used():
    engaged = SegmentMap(
        {"Engaged": {"engagement": (3, 5)}, "Quiet": {"engagement": (1, 2)}}, n_bins=5
    )
    assert engaged.dimensions == ("engagement",)


def test_expressions_name_cells_as_arrays_do(kind):
    for segment_map in (named_segment_map("r_rfm", FIVE), named_segment_map("rf_grid", FIVE)):
        cells = list(itertools.product(range(1, 6), repeat=len(segment_map.dimensions)))
        frame = nw.from_native(
            as_kind(DataFrame(cells, columns=list(segment_map.dimensions)), kind)
        )
        code = segment_map.code_expression({name: nw.col(name) for name in segment_map.dimensions})
        columns = columns_of(frame.with_columns(code=code).to_native())
        scores = np.column_stack([columns[name] for name in segment_map.dimensions])
        assert columns["code"] == segment_map.codes(scores).tolist()


def test_equal_maps_are_equal_and_survive_pickle():
    grid = named_segment_map("rf_grid", FIVE)
    assert grid == named_segment_map("rf_grid", FIVE)
    assert hash(grid) == hash(named_segment_map("rf_grid", FIVE))
    assert grid != named_segment_map("rf_grid", {"recency": 4, "frequency": 4})
    assert pickle.loads(pickle.dumps(grid)) == grid


def test_equality_looks_at_dimensions_and_cells_not_at_how_they_are_written():
    by_recency = SegmentMap({"A": {"recency": (2, 3)}, "B": {"recency": 1}}, n_bins=3)
    by_frequency = SegmentMap({"A": {"frequency": (2, 3)}, "B": {"frequency": 1}}, n_bins=3)
    assert by_recency != by_frequency
    one = SegmentMap({"A": ["55", "54"]}, default="B")
    other = SegmentMap({"A": ["54", "55"]}, default="B")
    assert one == other
    assert hash(one) == hash(other)


@pytest.mark.parametrize(
    "scores", [[[0, 1]], [[6, 1]], [[-1, 1]], [[2.9, 1.0]], [[1, 1, 1]], [1, 1], [["1", "1"]]]
)
def test_scores_that_are_none_are_refused(scores):
    with pytest.raises(SegmentMapError, match="scores"):
        named_segment_map("rf_grid", FIVE).codes(scores)


def test_boxes_of_a_segment_that_is_not_there_are_refused():
    with pytest.raises(SegmentMapError, match="there is no 'Champion'"):
        named_segment_map("rf_grid", FIVE).boxes("Champion")


def test_many_gaps_are_cut_short():
    with pytest.raises(SegmentMapError, match=r"and 8\d\d more") as caught:
        SegmentMap({"A": {"recency": 1, "frequency": 1, "monetary": 1}}, n_bins=10)
    assert len(str(caught.value)) < 2_000


@pytest.mark.parametrize(
    "scores",
    [[[1, 2], [1]], as_kind(DataFrame({"r": [1], "f": np.array(["2024"], "M8[ns]")}), "pyarrow")],
    ids=["lengths", "types"],
)
def test_scores_that_make_no_array_are_refused(scores):
    with pytest.raises(SegmentMapError, match="scores must be an array of integers"):
        SegmentMap({"All": {"recency": (1, 5)}}).codes(scores)
