"""RuleSegmenter: what rules mean, on every kind of frame and alone, and what is refused."""

import json
import pickle
import warnings

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from frames import LAZY_KINDS, as_kind, columns_of
from naive_rules import meets, rule_lists, segment
from segkit import RuleSegmenter
from segkit.exceptions import (
    ColumnError,
    LazyFrameError,
    SegkitTypeError,
    SegkitValueError,
    SegkitWarning,
)

BIG = {"column": "spend", "at_least": 500}
WEB = {"column": "channel", "equals": "Web"}
RULES = [
    {"name": "Big online", "when": {"all": [BIG, WEB]}},
    {"name": "Big", "when": BIG},
    {"name": "Quiet", "when": {"not": {"column": "orders", "at_least": 2}}},
]
SIX = pd.DataFrame(
    {
        "spend": [900.0, 500.0, 499.99, None, 10.0, 700.0],
        "channel": ["Web", "Phone", "Web", "Web", None, None],
        "orders": [3, 1, 1, 2, 5, 2],
    }
)
SIX_SEGMENTS = ["Big online", "Big", "Quiet", "Other", "Other", "Big"]

EVERYONE = [
    {"spend": spend, "orders": orders, "channel": channel, "consent": consent}
    for spend in (None, -1.0, 0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 9.0)
    for orders in (None, -1.0, 0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 9.0)
    for channel in (None, "Web", "Phone", "Shop", "Fax", "web", "co-op", "nobody")
    for consent in (None, True, False)
]
SOME = EVERYONE[::53]


def quiet_fit(rules, X, **parameters):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SegkitWarning)
        return RuleSegmenter(rules, **parameters).fit(X)


def rule(**when):
    return [{"name": "One", "when": when}]


def test_the_first_rule_that_holds_gives_the_segment(kind):
    frame = as_kind(SIX, kind)
    segmenter = RuleSegmenter(RULES).fit(frame)
    assert columns_of(segmenter.assign(frame))["rule_segment"] == SIX_SEGMENTS
    assert segmenter.segments_.tolist() == ["Big online", "Big", "Quiet", "Other"]


def test_the_count_of_a_lazy_frame_is_that_of_its_rows(kind):
    described = RuleSegmenter(RULES).fit(as_kind(SIX, kind)).describe()
    # By hand: 'Big' holds for three customers, one of whom the rule above it has taken.
    assert described["customers"].tolist() == [1, 2, 1, 2]
    assert described["met_by"].tolist() == [1, 3, 2, 2]
    assert described["share_of_customers"].tolist() == pytest.approx([1 / 6, 1 / 3, 1 / 6, 1 / 3])


@settings(max_examples=40)
@given(rule_lists)
def test_rules_mean_what_a_reader_of_them_expects(rules):
    frame = pd.DataFrame(SOME)
    try:
        segmenter = quiet_fit(rules, frame)
    except SegkitValueError:
        return  # a rule that cannot be reached: of those there is another test
    expected = [segment(rules, row) for row in SOME]
    assert segmenter.predict_segments(frame).tolist() == expected
    assert [segmenter.predict_one(row) for row in SOME] == expected
    met = segmenter.memberships(frame)
    for place, one in enumerate(rules):
        assert met[:, place].tolist() == [meets(one["when"], row) for row in SOME]
    for kind in ("pandas arrow", "polars", "polars lazy", "pyarrow", "duckdb"):
        assigned = segmenter.assign(as_kind(frame, kind))
        assert columns_of(assigned)["rule_segment"] == expected, kind


@settings(max_examples=60)
@given(rule_lists)
def test_a_rule_is_refused_just_when_nobody_could_reach_it(rules):
    reached = {segment(rules, row) for row in EVERYONE}
    unreached = [one["name"] for one in rules if one["name"] not in reached]
    said = ""
    try:
        quiet_fit(rules, pd.DataFrame(SOME))
    except SegkitValueError as error:
        said = str(error)
    # There may be no text at all in which one pattern is found and another is not.
    if said or "matches" not in json.dumps(rules):
        assert bool(unreached) == any(repr(name) in said for name in unreached)
        assert bool(said) == bool(unreached)


def test_nan_in_a_lazy_frame_meets_no_comparison():
    frame = pl.LazyFrame({"spend": [float("nan"), 900.0, None]})
    segmenter = RuleSegmenter(rule(**BIG)).fit(frame)
    assert columns_of(segmenter.assign(frame))["rule_segment"] == ["Other", "One", "Other"]
    known = quiet_fit(rule(column="spend", missing=False), frame)
    assert columns_of(known.assign(frame))["rule_segment"] == ["Other", "One", "Other"]


def test_not_is_true_of_a_missing_value(kind):
    frame = as_kind(pd.DataFrame({"spend": [900.0, 1.0, None]}), kind)
    segmenter = RuleSegmenter([{"name": "Not big", "when": {"not": BIG}}]).fit(frame)
    found = columns_of(segmenter.assign(frame))["rule_segment"]
    assert found == ["Other", "Not big", "Not big"]


def test_without_rules_everybody_is_in_the_default(kind):
    frame = as_kind(SIX, kind)
    segmenter = RuleSegmenter().fit(frame)
    assert columns_of(segmenter.assign(frame))["rule_segment"] == ["Other"] * 6
    assert segmenter.predict_one({}) == "Other"
    assert segmenter.describe()[["rule", "customers"]].values.tolist() == [["everybody", 6]]


def test_without_default_who_meets_no_rule_is_unassigned():
    segmenter = RuleSegmenter(RULES, default=None).fit(SIX)
    assert segmenter.labels_.tolist() == [0, 1, 2, -1, -1, 1]
    assert segmenter.predict_one({"spend": 1.0, "channel": "Web", "orders": 9}) == "unassigned"
    assert not segmenter.memberships(SIX)[3].any()
    assert segmenter.describe()["customers"].tolist() == [1, 2, 1]


def test_memberships_tell_every_rule_that_holds():
    met = RuleSegmenter(RULES).fit(SIX).memberships(SIX)
    # The first customer is big and online, and therefore big.
    assert met[0].tolist() == [True, True, False, False]
    assert met[3].tolist() == [False, False, False, True]
    assert met[1].tolist() == [False, True, True, False]


def test_transform_gives_the_memberships_as_numbers():
    segmenter = RuleSegmenter(RULES).fit(SIX).set_output(transform="pandas")
    transformed = segmenter.transform(SIX)
    assert transformed.columns[0] == "rule_segment_Big online"
    assert np.array_equal(transformed.to_numpy(), segmenter.memberships(SIX))


def test_columns_of_an_array_are_x0_and_x1():
    rules = [{"name": "Old", "when": {"column": "x1", "at_least": 65}}]
    array = np.array([[1.0, 64.9], [2.0, 65.0], [3.0, np.nan]])
    segmenter = RuleSegmenter(rules).fit(array)
    assert segmenter.labels_.tolist() == [1, 0, 1]
    assert segmenter.predict_one({"x1": 70}) == "Old"
    assert segmenter.predict(np.column_stack([array, array])).tolist() == [1, 0, 1]


def test_after_a_frame_an_array_holds_x0_and_x2_where_their_names_say():
    rules = [
        {"name": "A", "when": {"column": "x2", "at_least": 5}},
        {"name": "B", "when": {"column": "x0", "at_least": 5}},
    ]
    frame = pd.DataFrame({"x0": [9.0, 0.0, 0.0], "x1": [0.0, 9.0, 0.0], "x2": [0.0, 0.0, 9.0]})
    segmenter = RuleSegmenter(rules).fit(frame)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # scikit-learn's: an array has no names
        assert segmenter.predict(frame.to_numpy()).tolist() == [1, 2, 0]


def test_first_match_off_refuses_rules_that_share_customers(kind):
    rules = [{"name": "Big", "when": BIG}, {"name": "Web", "when": WEB}]
    with pytest.raises(SegkitValueError, match="'Big' and 'Web' both hold for 1 of 6 customers"):
        RuleSegmenter(rules, first_match=False).fit(as_kind(SIX, kind))
    apart = as_kind(SIX.iloc[1:], kind)
    RuleSegmenter(rules, first_match=False).fit(apart)


def test_of_three_overlaps_the_largest_is_named():
    rules = [
        {"name": f"from {bound}", "when": {"column": "orders", "at_least": bound}}
        for bound in (1, 2, 3)
    ]
    with pytest.raises(SegkitValueError, match=r"both hold for 4 of 6 .*2 further pairs overlap"):
        RuleSegmenter(rules, first_match=False).fit(SIX)


UNREACHABLE = {
    "contained in one above": [BIG, {"column": "spend", "at_least": 500, "below": 900}],
    "covered by two above together": [
        {"column": "spend", "below": 10},
        {"column": "spend", "at_least": 5},
        {"column": "spend", "missing": False},
    ],
    "a member of a list above": [
        {"column": "channel", "in": ["Web", "Phone"]},
        {"column": "channel", "equals": "Phone"},
    ],
    "text in which a pattern above is found": [
        {"column": "channel", "matches": "^W"},
        {"column": "channel", "equals": "Web"},
    ],
    "anything, after a rule and its opposite": [BIG, {"not": BIG}, WEB],
}


@pytest.mark.parametrize("conditions", UNREACHABLE.values(), ids=UNREACHABLE)
def test_a_rule_below_what_covers_it_is_refused(conditions):
    rules = [{"name": f"rule {place}", "when": when} for place, when in enumerate(conditions)]
    last = len(rules) - 1
    with pytest.raises(SegkitValueError, match=f"no customer can reach 'rule {last}'"):
        RuleSegmenter(rules).fit(SIX)


def test_who_is_missing_from_the_rules_above_can_still_reach_one():
    rules = [
        {"name": "less", "when": {"column": "spend", "below": 100}},
        {"name": "more", "when": {"column": "spend", "at_least": 100}},
        {"name": "unknown", "when": {"not": {"column": "spend", "equals": -5}}},
    ]
    assert RuleSegmenter(rules).fit(SIX).labels_.tolist() == [1, 1, 1, 2, 0, 1]


def test_conditions_that_exclude_one_another_are_refused_with_and_without_first_match():
    both = {"all": [{"column": "orders", "below": 3}, {"column": "orders", "at_least": 5}]}
    for first_match in (True, False):
        with pytest.raises(SegkitValueError, match="exclude one another"):
            RuleSegmenter(rule(**both), first_match=first_match).fit(SIX)


def test_between_neighbouring_floats_there_is_nothing():
    after = float(np.nextafter(1.0, 2.0))
    rules = [
        {"name": "one", "when": {"column": "spend", "equals": 1.0}},
        {"name": "none", "when": {"column": "spend", "at_least": 1.0, "below": after}},
    ]
    with pytest.raises(SegkitValueError, match="no customer can reach 'none'"):
        RuleSegmenter(rules).fit(SIX)


def test_many_columns_are_still_looked_at_where_a_rule_above_tests_the_same():
    names = [f"c{place}" for place in range(12)]
    frame = pd.DataFrame({name: [1.0, 2.0] for name in names})
    rules = [{"name": name, "when": {"column": name, "at_least": 2, "below": 3}} for name in names]
    rules.append({"name": "hidden", "when": {"column": "c3", "equals": 2}})
    with pytest.raises(SegkitValueError, match="'hidden'"):
        quiet_fit(rules, frame)


def test_a_rule_that_nobody_reaches_is_warned_of(kind):
    rules = [*RULES, {"name": "Fax", "when": {"column": "channel", "equals": "Fax"}}]
    with pytest.warns(SegkitWarning, match=r"none of 6 customers is in 'Fax' \(channel is 'Fax'\)"):
        RuleSegmenter(rules).fit(as_kind(SIX, kind))


@pytest.mark.parametrize(
    ("when", "words"),
    [
        ({"column": "spend", "at_least": 1000, "below": 2500.5}, "1000 ≤ spend < 2500.5"),
        ({"column": "spend", "below": 0}, "spend < 0"),
        ({"column": "channel", "in": ["Web", "Phone"]}, "channel is 'Web' or 'Phone'"),
        ({"column": "consent", "equals": True}, "consent is true"),
        ({"column": "channel", "matches": "^W"}, "channel matches /^W/"),
        ({"column": "channel", "missing": True}, "channel is missing"),
        ({"not": WEB}, "not (channel is 'Web')"),
        (
            {"all": [BIG, {"any": [WEB, {"column": "orders", "equals": 1}]}]},
            "spend ≥ 500 and (channel is 'Web' or orders is 1)",
        ),
    ],
)
def test_describe_says_a_rule_in_words(when, words):
    frame = SIX.assign(consent=[True, False] * 3)
    assert quiet_fit(rule(**when), frame).describe()["rule"].tolist() == [words, "no rule holds"]


WRONG = {
    "no mapping": ("spend > 500", "must be a mapping of 'name' and 'when'"),
    "no name": ({"when": BIG}, "must be a mapping of 'name' and 'when'"),
    "reserved name": ({"name": "unassigned", "when": BIG}, "must be text other than"),
    "name of the default": ({"name": "Other", "when": BIG}, "is also the name of a rule"),
    "unknown key": (
        {"name": "a", "when": {"column": "spend", "atleast": 5}},
        "Did you mean 'at_least'",
    ),
    "no test": ({"name": "a", "when": {"column": "spend"}}, "needs one of"),
    "two tests": (
        {"name": "a", "when": {"column": "spend", "equals": 1, "below": 2}},
        "Join several by",
    ),
    "no column": ({"name": "a", "when": {"equals": 1}}, "'column' must be the name"),
    "empty range": (
        {"name": "a", "when": {"column": "spend", "at_least": 5, "below": 5}},
        "no number is at_least 5 and below 5",
    ),
    "text for a bound": (
        {"name": "a", "when": {"column": "spend", "below": "5"}},
        "'below' must be a finite number",
    ),
    "infinite bound": (
        {"name": "a", "when": {"column": "spend", "below": float("inf")}},
        "'below' must be a finite number",
    ),
    "mixed members": (
        {"name": "a", "when": {"column": "spend", "in": [1, "1"]}},
        "values of one kind",
    ),
    "None as a value": ({"name": "a", "when": {"column": "spend", "equals": None}}, '"missing"'),
    "no members": ({"name": "a", "when": {"column": "spend", "in": []}}, "at least one"),
    "empty all": ({"name": "a", "when": {"all": []}}, "at least one"),
    "all beside a test": ({"name": "a", "when": {"all": [BIG], **WEB}}, "stands alone"),
    "broken pattern": (
        {"name": "a", "when": {"column": "channel", "matches": "("}},
        "no regular expression",
    ),
    "missing that is no boolean": (
        {"name": "a", "when": {"column": "spend", "missing": 1}},
        "must be true or false",
    ),
}


@pytest.mark.parametrize(("wrong", "said"), WRONG.values(), ids=WRONG)
def test_what_is_no_rule_is_refused_with_what_was_expected(wrong, said):
    with pytest.raises((SegkitTypeError, SegkitValueError)) as raised:
        RuleSegmenter([wrong]).fit(SIX)
    assert said in str(raised.value)


def test_rules_of_the_same_name_are_refused():
    with pytest.raises(SegkitValueError, match=r"several rules are named \['One'\]"):
        RuleSegmenter([*rule(**BIG), *rule(**WEB)]).fit(SIX)


def test_a_column_compared_with_numbers_and_text_is_refused():
    rules = [
        *rule(column="orders", equals="1"),
        {"name": "b", "when": {"column": "orders", "below": 1}},
    ]
    with pytest.raises(SegkitTypeError, match="values of different kinds: number and text"):
        RuleSegmenter(rules).fit(SIX)


def test_a_column_that_holds_another_kind_is_refused(kind):
    frame = as_kind(SIX.assign(consent=[True, False] * 3), kind)
    for when, said in (
        ({"column": "orders", "equals": "1"}, "with text, and it holds numbers"),
        ({"column": "channel", "below": 5}, "with numbers, and it holds text"),
        ({"column": "consent", "equals": 1}, "with numbers, and it holds true or false"),
        ({"column": "orders", "equals": True}, "with true or false, and it holds numbers"),
    ):
        with pytest.raises(SegkitTypeError, match=said):
            RuleSegmenter(rule(**when)).fit(frame)


def test_an_absent_column_is_named_with_the_nearest(kind):
    frame = as_kind(SIX, kind)
    with pytest.raises(ColumnError, match=r"'spendd' is missing.*Did you mean 'spend'"):
        RuleSegmenter(rule(column="spendd", below=5)).fit(frame)
    segmenter = RuleSegmenter(RULES).fit(SIX)
    with pytest.raises(ColumnError, match="'orders' is missing"):
        segmenter.assign(as_kind(SIX.drop(columns="orders"), kind))
    with pytest.raises(ColumnError, match="the row has no 'orders'"):
        segmenter.predict_one({"spend": 1.0, "channel": "Web"})


def test_named_columns_and_text_are_refused_in_an_array():
    with pytest.raises(ColumnError, match="named x0, x1"):
        RuleSegmenter(rule(**BIG)).fit(np.ones((3, 2)))
    with pytest.raises(SegkitTypeError, match="an array holds numbers"):
        RuleSegmenter(rule(column="x0", equals="a")).fit(np.ones((3, 2)))


def test_infinity_is_refused_where_values_are_at_hand_and_unassigned_in_an_engine():
    infinite = SIX.assign(spend=[np.inf, 1, 2, 3, 4, 900])
    segmenter = RuleSegmenter(rule(**BIG)).fit(SIX)
    for verb in (segmenter.predict, segmenter.assign, RuleSegmenter(rule(**BIG)).fit):
        with pytest.raises(SegkitValueError, match="'spend' contains infinity in 1 of 6 rows"):
            verb(infinite)
    with pytest.raises(SegkitValueError, match="infinity"):
        segmenter.predict_one({"spend": np.inf})
    for kind in LAZY_KINDS:
        assigned = columns_of(segmenter.assign(as_kind(infinite, kind)))["rule_segment"]
        assert assigned == ["unassigned", *["Other"] * 4, "One"]


def test_a_negative_count_is_refused_alone_as_in_a_frame():
    segmenter = RuleSegmenter(rule(column="frequency", below=3)).fit(
        pd.DataFrame({"frequency": [1, 5]})
    )
    for verb, X in (
        (segmenter.predict, pd.DataFrame({"frequency": [-1, 5]})),
        (segmenter.predict_one, {"frequency": -1}),
    ):
        with pytest.raises(SegkitValueError, match="'frequency' is negative"):
            verb(X)


def test_one_row_with_a_value_of_another_kind_is_refused():
    segmenter = RuleSegmenter(RULES).fit(SIX)
    for row in ({"spend": "900"}, {"channel": 5}, {"orders": True}):
        with pytest.raises(SegkitTypeError):
            segmenter.predict_one({"spend": 1.0, "channel": "Web", "orders": 1, **row})


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA, pd.NaT])
def test_one_row_takes_any_missing_value(missing):
    segmenter = RuleSegmenter(RULES).fit(SIX)
    row = {"spend": missing, "channel": missing, "orders": missing}
    assert segmenter.predict_one(row) == "Quiet"


def test_lazy_frames_are_not_executed_and_refused_where_values_are_needed():
    def executed(_):
        raise AssertionError("executed")

    lazy = pl.from_pandas(SIX).lazy()
    segmenter = RuleSegmenter(RULES).fit(lazy)
    assert not hasattr(segmenter, "labels_")
    segmenter.assign(lazy.map_batches(executed, schema=lazy.collect_schema()))
    for verb in ("predict", "transform", "memberships", "fit_predict"):
        with pytest.raises(LazyFrameError, match="assign"):
            getattr(segmenter, verb)(lazy)


def test_categories_are_text(kind):
    frame = SIX.assign(channel=SIX["channel"].astype("category"))
    segmenter = RuleSegmenter(RULES).fit(SIX)
    assert segmenter.predict_segments(frame).tolist() == SIX_SEGMENTS
    enum = pl.from_pandas(SIX).with_columns(pl.col("channel").cast(pl.Enum(["Phone", "Web"])))
    for polars in (enum, enum.lazy()):
        assert columns_of(segmenter.assign(polars))["rule_segment"] == SIX_SEGMENTS


def test_a_column_of_nothing_but_missing_values_meets_no_rule(kind):
    frame = as_kind(SIX.assign(channel=pd.Series([None] * 6, dtype=object)), kind)
    segmenter = quiet_fit([{"name": "Web", "when": WEB}], frame)
    assert columns_of(segmenter.assign(frame))["rule_segment"] == ["Other"] * 6


def test_whether_a_date_is_missing_can_be_asked(kind):
    dates = pd.to_datetime(pd.Series(["2024-01-01", None]))
    frame = as_kind(pd.DataFrame({"left": dates}), kind)
    segmenter = RuleSegmenter(rule(column="left", missing=False)).fit(frame)
    assert columns_of(segmenter.assign(frame))["rule_segment"] == ["One", "Other"]


def test_rules_go_through_json_and_pickle_and_clone():
    rules = json.loads(json.dumps(RULES))
    segmenter = RuleSegmenter(rules).fit(SIX)
    for copy in (pickle.loads(pickle.dumps(segmenter)), clone(segmenter).fit(SIX)):
        assert copy.predict_segments(SIX).tolist() == SIX_SEGMENTS
    assert rules == RULES


def test_what_is_learned_is_kept_when_the_rules_given_are_changed():
    rules = json.loads(json.dumps(RULES))
    segmenter = RuleSegmenter(rules).fit(SIX)
    rules[0]["when"]["all"].clear()
    segmenter.default = None
    assert segmenter.predict_segments(SIX).tolist() == SIX_SEGMENTS


def test_an_empty_frame_is_refused_in_fit_and_predicted(kind):
    empty = as_kind(SIX.iloc[:0], kind)
    with pytest.raises(SegkitValueError, match="no rows"):
        quiet_fit(rule(column="orders", below=3), empty)
    segmenter = RuleSegmenter(rule(column="orders", below=3)).fit(SIX)
    assert columns_of(segmenter.assign(empty))["rule_segment"] == []


def test_before_fit_everything_is_refused():
    for verb, X in (("predict", SIX), ("predict_one", {}), ("memberships", SIX), ("assign", SIX)):
        with pytest.raises(NotFittedError):
            getattr(RuleSegmenter(RULES), verb)(X)


def test_three_hundred_rules_run_in_every_engine(kind):
    rules = [
        {"name": f"to {high}", "when": {"column": "orders", "at_least": high - 1, "below": high}}
        for high in range(1, 301)
    ]
    frame = pd.DataFrame({"orders": [0, 150, 299, 300]})
    segmenter = quiet_fit(rules, frame)
    found = columns_of(segmenter.assign(as_kind(frame, kind)))["rule_segment"]
    assert found == ["to 1", "to 151", "to 300", "Other"]


def test_a_column_named_otherwise_than_by_letters_is_read_in_an_engine():
    relation = duckdb.sql('SELECT 5 AS "sum of \'all\' ""orders"""')
    segmenter = RuleSegmenter(rule(column="sum of 'all' \"orders\"", at_least=5)).fit(relation)
    assert segmenter.assign(relation).fetchall()[0][-1] == "One"


def test_bands_begin_with_their_bound_and_end_before_the_next():
    edges = pd.DataFrame({"spend": [-1e-9, 0.0, 9.999, 10.0, 1e12]})
    bands = [{"below": 0}, {"at_least": 0, "below": 10}, {"at_least": 10}]
    rules = [
        {"name": f"band {place}", "when": {"column": "spend", **band}}
        for place, band in enumerate(bands)
    ]
    segmenter = RuleSegmenter(rules, first_match=False).fit(edges)
    assert segmenter.predict(edges).tolist() == [0, 1, 1, 2, 2]


def test_a_mapping_of_names_to_conditions_is_refused_with_the_form_that_is_wanted():
    with pytest.raises(SegkitTypeError, match=r'make \[\{"name": name, "when": condition\}'):
        RuleSegmenter({"Big": BIG}).fit(SIX)


def test_an_array_as_a_value_is_there():
    rules = [{"name": "Tagged", "when": {"column": "tags", "missing": False}}]
    segmenter = RuleSegmenter(rules).fit(pd.DataFrame({"tags": ["a", None]}))
    assert segmenter.predict_one({"tags": np.array([1.0, 2.0])}) == "Tagged"
