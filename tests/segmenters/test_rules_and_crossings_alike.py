"""Rules and crossings give a customer the same segment however the customer comes."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from frames import as_kind, rows_of
from segkit import CrossSegmenter, RuleSegmenter
from segkit.exceptions import ColumnError, SegkitError, SegkitTypeError, SegkitValueError


def rule(**test):
    return RuleSegmenter([{"name": "yes", "when": {"column": "c", **test}}], default="no")


def halves(column, low, high):
    when = {"column": column, "at_least": 5}
    return RuleSegmenter([{"name": high, "when": when}], default=low)


@pytest.mark.parametrize("value", [np.int64(5), np.uint8(1), np.True_, np.datetime64("2020-01-01")])
def test_a_value_of_numpy_is_known(value):
    table = pd.DataFrame({"c": [value, value]})
    assert rule(missing=False).fit(table).predict_one({"c": value}) == "yes"


def test_large_whole_numbers_compare_alike_alone_and_in_a_frame():
    values = [2**53 - 1, 2**53, 2**53 + 1, 2**53 + 2]
    table = pd.DataFrame({"c": values})
    for test in ({"at_least": 2**53 + 1}, {"below": 2**53 + 1}, {"equals": 2**53 + 1}):
        segmenter = rule(**test).fit(table)
        alone = [segmenter.predict_one({"c": value}) for value in values]
        assert alone == segmenter.predict_segments(table).tolist()


def test_numbers_that_are_no_floats_are_refused():
    with pytest.raises(SegkitError):
        rule(at_least=10**400).fit(pd.DataFrame({"c": [1.0, 2.0]}))


def test_a_crossing_fitted_on_a_frame_reads_arrays_by_the_columns_of_fit():
    table = pd.DataFrame({"m": [1.0, 8.0, 1.0, 8.0], "k": [9.0, 1.0, 1.0, 9.0]})
    crossed = CrossSegmenter([halves("m", "lo", "hi"), halves("k", "LO", "HI")]).fit(table)
    names = crossed.predict_segments(table).tolist()
    assert names == ["lo × HI", "hi × LO", "lo × LO", "hi × HI"]
    with pytest.warns(UserWarning, match="valid feature names"):
        assert crossed.predict_segments(table.to_numpy()).tolist() == names


@pytest.mark.parametrize(("share", "n_customers", "n_in_cell"), [(0.07, 100, 7), (0.14, 50, 7)])
def test_a_cell_of_exactly_the_least_share_is_kept(share, n_customers, n_in_cell):
    m = np.where(np.arange(n_customers) < n_in_cell, 9.0, 1.0)
    table = pd.DataFrame({"m": m, "k": 1.0 + 8 * (np.arange(n_customers) % 2)})
    other = RuleSegmenter(default="all")
    crossed = CrossSegmenter([halves("m", "lo", "hi"), other], min_size=share).fit(table)
    assert crossed.merges_.empty


@pytest.mark.filterwarnings("ignore::segkit.exceptions.SegkitWarning")
def test_a_crossing_of_many_segments_runs_in_engines(lazy_kind):
    rules = [{"name": f"{place}", "when": {"column": "c", "equals": place}} for place in range(25)]
    parts = [
        ("one", RuleSegmenter(rules, default=None)),
        (
            "other",
            RuleSegmenter([{**one, "when": {**one["when"], "column": "d"}} for one in rules]),
        ),
    ]
    place = np.arange(625)
    table = pd.DataFrame({"c": place % 25, "d": place // 25, "row": place})
    crossed = CrossSegmenter(parts, min_size=1, max_segments=700).fit(table)
    expected = crossed.predict_segments(table).tolist()
    assigned = rows_of(crossed.assign(as_kind(table, lazy_kind)), "row")
    assert [row["cross_segment"] for row in assigned] == expected


def test_a_rule_between_the_largest_numbers_can_be_reached():
    largest = 1.7e308
    rules = [
        {"name": "lowest", "when": {"column": "c", "below": -largest}},
        {"name": "all", "when": {"column": "c", "at_least": -largest, "below": largest}},
    ]
    segmenter = RuleSegmenter(rules).fit(pd.DataFrame({"c": [1.0, -1.75e308]}))
    assert segmenter.labels_.tolist() == [1, 0]


@pytest.mark.parametrize("default", ["no", None])
def test_whoever_is_infinite_counts_for_no_segment_in_an_engine(lazy_kind, default):
    table = pd.DataFrame({"c": [1.0, np.inf, 5.0, 6.0]})
    when = {"column": "c", "at_least": 3}
    segmenter = RuleSegmenter([{"name": "yes", "when": when}], default=default)
    described = segmenter.fit(as_kind(table, lazy_kind)).describe()
    expected = {"yes": 2} if default is None else {"yes": 2, "no": 1}
    assert dict(zip(described["segment"], described["customers"], strict=True)) == expected
    assert described["met_by"].tolist() == list(expected.values())
    assert described["share_of_customers"].tolist() == [n / 4 for n in expected.values()]


@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
def test_after_a_frame_with_columns_x0_and_x1_their_names_decide_in_an_array():
    table = pd.DataFrame({"x0": [9.0, 0.0], "x1": [0.0, 9.0]})
    rules = [
        {"name": "one", "when": {"column": "x1", "at_least": 5}},
        {"name": "zero", "when": {"column": "x0", "at_least": 5}},
    ]
    for seen in (table, table[["x1", "x0"]], table.to_numpy()):
        segmenter = RuleSegmenter(rules).fit(seen)
        assert segmenter.predict_segments(table.to_numpy()).tolist() == ["zero", "one"]
    last = RuleSegmenter(rules[:1]).fit(table)
    with pytest.raises(ColumnError, match="it has 1 columns"):
        last.predict(table[["x1"]].to_numpy())


@pytest.mark.filterwarnings("ignore::segkit.exceptions.SegkitWarning")
@pytest.mark.parametrize("test", [{"equals": False}, {"equals": True}, {"in": [True, False]}])
def test_a_column_of_nulls_without_a_type_meets_no_comparison(test):
    table = pl.DataFrame({"c": [None, None]})
    segmenter = rule(**test).fit(table.lazy())
    assigned = segmenter.assign(table.lazy()).collect()
    assert assigned["rule_segment"].to_list() == ["no", "no"]
    assert rule(**test).fit(table).predict_segments(table).tolist() == ["no", "no"]


def test_a_crossing_takes_a_frame_with_a_column_named_as_the_label_of_a_part(lazy_kind):
    table = pd.DataFrame({"m": [1.0, 8.0], "k": [9.0, 1.0], "RULE_SEGMENT": [1, 2], "row": [0, 1]})
    crossed = CrossSegmenter([halves("m", "lo", "hi"), halves("k", "LO", "HI")]).fit(table)
    assigned = rows_of(crossed.assign(as_kind(table, lazy_kind)), "row")
    assert [row["cross_segment"] for row in assigned] == ["lo × HI", "hi × LO"]
    assert [row["RULE_SEGMENT"] for row in assigned] == [1, 2]


@pytest.mark.parametrize("others", [[1.0], ["a", None], [None]])
def test_an_infinite_value_among_objects_is_refused_alone_and_in_a_frame(others):
    known = pd.DataFrame({"c": pd.Series([1.0, "a"], dtype=object)})
    table = pd.DataFrame({"c": pd.Series([np.inf, *others], dtype=object)})
    segmenter = rule(missing=False).fit(known)
    with pytest.raises(SegkitValueError, match="infinity"):
        segmenter.predict_one({"c": np.inf})
    with pytest.raises(SegkitValueError, match="infinity"):
        segmenter.predict(table)
    with pytest.raises(SegkitValueError, match="infinity"):
        rule(missing=False).fit(table)


@pytest.mark.parametrize(
    ("values", "held"), [([1, 2], "numbers"), ([1.5, 2.5], "numbers"), ([True, False], "true or f")]
)
@pytest.mark.parametrize("ordered", [True, False])
def test_categories_that_are_no_text_are_called_what_they_are(values, held, ordered):
    column = pd.Categorical(values, categories=values, ordered=ordered)
    table = pd.DataFrame({"c": column})
    for test in ({"equals": 1}, {"equals": "1"}, {"equals": True}):
        with pytest.raises(SegkitTypeError, match=f"it holds categories that are {held}"):
            rule(**test).fit(table)
