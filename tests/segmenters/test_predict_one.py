"""predict_one judges one customer as predict_segments judges a frame of that row."""

import datetime as dt
import decimal
import fractions
import re
import warnings
from collections import defaultdict

import hypothesis.strategies as st
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings

from fitted_segmenters import NAMES, customers, fitted
from segkit.exceptions import ColumnError, MissingValuesError, SegkitError, SegkitTypeError

D = decimal.Decimal
# An estimator's own arithmetic may overflow, and says so in a warning.
ASKS_AN_ESTIMATOR = {"tiers, predicted", "clusters, mixture", "clusters, as they come"}

MISSING = [None, np.nan, float("nan"), D("NaN"), pd.NA, pd.NaT]
MISSING += [np.float32("nan"), np.datetime64("NaT"), np.timedelta64("NaT", "D")]
NUMBERS = [0, -0.0, 1, 5.0, -1, 0.5, 5e-324, 1e15, 1e308, -1e308, 2**53 + 1, 2**63 - 1, 2**63]
NUMBERS += [2**64, -(2**63) - 1, 10**25, 10**400, -(10**400), float("inf"), -float("inf")]
NUMBERS += [np.int8(-3), np.int64(7), np.uint64(2**64 - 1), np.float16(2), np.float32(3.5)]
NUMBERS += [np.float64(3.5), np.longdouble(3), D("3.5"), D("1e500"), D("Infinity")]
NUMBERS += [fractions.Fraction(7, 2), 1 + 2j, np.complex128(1)]
TRUTHS = [True, False, np.True_, np.False_]
TEXTS = ["", "12", "NaN", "Web", "web", "Phone", "Zoë 🎉", "S", "L", np.str_("Web")]
TEXTS += ["other", "missing", b"Web"]
TIMES = [dt.date(2020, 1, 1), dt.datetime(2020, 1, 1), pd.Timestamp("2020-01-01")]
TIMES += [pd.Timestamp("2020-01-01", tz="UTC"), np.datetime64("2020-01-01"), pd.Timedelta(3, "D")]
TIMES += [dt.timedelta(3), np.timedelta64(3, "D"), pd.Period("2020")]
OBJECTS = [[1], [], (1, 2), {}, {"a": 1}, {1}, range(3), len, int, object()]
OBJECTS += [np.array(3), np.array([3.0]), np.array([])]
ODD = [*MISSING, *NUMBERS, *TRUTHS, *TEXTS, *TIMES, *OBJECTS]


@pytest.mark.parametrize("name", NAMES)
def test_every_odd_value_in_every_column_is_judged_alike(name):
    row = customers().iloc[3].to_dict()
    for column in fitted(name).feature_names_in_:
        for value in ODD:
            assert_alike(name, {**row, column: value}, f"{column}: {value!r:.40}")


ANY_VALUE = st.one_of(
    st.sampled_from(ODD),
    st.floats(),
    st.integers(),
    st.integers(0, 500),
    st.floats(0, 1_000),
    st.decimals(allow_nan=False),
    st.text(max_size=5),
)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=50)
@given(data=st.data())
def test_any_row_is_judged_alike(name, data):
    row = customers().iloc[data.draw(st.integers(0, 1_000))].to_dict()
    columns = [str(column) for column in fitted(name).feature_names_in_]
    row |= data.draw(st.dictionaries(st.sampled_from(columns), ANY_VALUE))
    row |= data.draw(st.dictionaries(st.text(max_size=5), ANY_VALUE, max_size=3))
    for column in data.draw(st.sets(st.sampled_from(columns), max_size=1)):
        if data.draw(st.integers(0, 3)) == 0:
            del row[column]
    assert_alike(name, row)


def assert_alike(name, row, what=""):
    """One row and a frame of it twice get the same answer or the same error."""
    segmenter = fitted(name)
    alone = outcome(lambda: segmenter.predict_one(row), name)
    twice = outcome(lambda: segmenter.predict_segments(pd.DataFrame([row, row]))[1], name)
    assert alone == twice, what


def outcome(call, name):
    with warnings.catch_warnings():
        if name in ASKS_AN_ESTIMATOR:
            warnings.simplefilter("ignore", RuntimeWarning)
        try:
            return str(call())
        except SegkitError as error:
            return type(error)


@pytest.mark.parametrize("name", NAMES)
def test_a_signalling_nan_is_refused(name):
    # pandas cannot hold one: it raises when asked which values are missing.
    segmenter, row = fitted(name), customers().iloc[3].to_dict()
    for column in set(segmenter.feature_names_in_) - {"channel", "vip", "size", "age"}:
        with pytest.raises(SegkitTypeError, match=column):
            segmenter.predict_one({**row, column: D("sNaN")})


@pytest.mark.parametrize("name", NAMES)
def test_half_a_character_is_refused_where_numbers_are_needed(name):
    # No frame can hold one.
    segmenter, row = fitted(name), customers().iloc[3].to_dict()
    for column in set(segmenter.feature_names_in_) - {"channel", "vip", "size", "age"}:
        with pytest.raises(SegkitError, match=column):
            segmenter.predict_one({**row, column: "\ud800"})


@pytest.mark.parametrize("name", NAMES)
def test_further_keys_of_any_type_are_ignored(name):
    segmenter, row = fitted(name), customers().iloc[5].to_dict()
    further = {0: 1, None: 2, ("a", 1): 3, "🎉": object(), 1.5: [], "segment": "x", "": np.nan}
    expected = segmenter.predict_segments(customers().iloc[[5]])[0]
    assert segmenter.predict_one({**further, **row, **further}) == expected


@pytest.mark.parametrize("name", NAMES)
def test_a_key_that_is_absent_is_named(name):
    segmenter, row = fitted(name), customers().iloc[5].to_dict()
    for column in segmenter.feature_names_in_:
        with pytest.raises(ColumnError, match=re.escape(repr(str(column)))):
            segmenter.predict_one({key: value for key, value in row.items() if key != column})


@pytest.mark.parametrize("name", NAMES)
def test_a_mapping_that_makes_up_values_gets_no_new_keys(name):
    segmenter, row = fitted(name), customers().iloc[5].to_dict()
    del row[segmenter.feature_names_in_[0]]
    made_up = defaultdict(float, row)
    with pytest.raises(ColumnError):
        segmenter.predict_one(made_up)
    assert dict(made_up) == row


# What missing values mean, as the documentation of each class says it.


@pytest.mark.parametrize("missing", MISSING[:3])
def test_missing_values_of_scores_and_tiers(missing):
    row = customers().iloc[5].to_dict()
    for column in ("recency_days", "frequency", "monetary"):
        absent = {**row, column: missing}
        assert fitted("rfm, unassigned").predict_one(absent) == "unassigned"
        with pytest.raises(MissingValuesError, match=column):
            fitted("rfm").predict_one(absent)
    assert fitted("tiers, unassigned").predict_one({"monetary": missing}) == "unassigned"
    with pytest.raises(MissingValuesError, match="monetary"):
        fitted("tiers").predict_one({"monetary": missing})


@pytest.mark.parametrize("missing", MISSING[:3])
@pytest.mark.parametrize("name", ["stages", "stages, fixed", "stages, alive"])
def test_missing_values_of_stages(name, missing):
    stager = fitted(name)
    # Quiet for two days since the fourth of their orders, a year after the first: active.
    active = {"recency_days": 2, "order_days": 40, "tenure_days": 365, "last_gap_days": 9}
    assert stager.predict_one(active) == "active"
    assert stager.predict_one({**active, "last_gap_days": missing}) == "active"
    assert stager.predict_one({**active, "recency_days": missing}) == "prospect"
    assert stager.predict_one({**active, "order_days": missing}) == "unassigned"
    assert stager.predict_one({**active, "tenure_days": missing}) == "unassigned"
    nobody = {**dict.fromkeys(active, missing), "order_days": 0}
    assert stager.predict_one(nobody) == "prospect"
    with pytest.raises(SegkitError, match="negative"):
        stager.predict_one({**active, "recency_days": missing, "last_gap_days": -1})
