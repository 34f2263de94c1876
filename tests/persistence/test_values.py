"""Every value that a file may hold comes back as it was, to the last bit."""

import datetime as dt
import decimal
import json
import struct

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from segkit._storage._values import Decoder, Encoder


def through_json(value):
    """Return a value after a way through the text of a file."""
    encoder = Encoder("Test", lambda *_: pytest.fail("there is no estimator"))
    text = json.dumps(encoder.value(value, "it"), allow_nan=False)
    decoder = Decoder({}, lambda *_: pytest.fail("there is no estimator"))
    return decoder.value(json.loads(text), "it")


def bits(number):
    return struct.pack("<d", number)


@given(st.floats(allow_nan=False))
def test_a_float_keeps_every_bit(number):
    assert bits(through_json(number)) == bits(number)


@pytest.mark.parametrize("number", [-0.0, 5e-324, 1.7976931348623157e308, np.inf, -np.inf])
def test_the_ends_of_the_scale_keep_every_bit(number):
    assert bits(through_json(number)) == bits(number)


def test_not_a_number_stays_none():
    assert np.isnan(through_json(float("nan")))


numbers = st.sampled_from(
    ["bool", "int8", "int16", "int64", "uint8", "uint64", "float16", "float32", "float64"]
).map(np.dtype)
shapes = hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3)


@given(hnp.arrays(numbers, shapes))
def test_an_array_keeps_every_bit_its_dtype_and_its_shape(array):
    if array.dtype.kind == "f":
        array = np.where(np.isnan(array), array.dtype.type(np.nan), array)  # one NaN of many
    found = through_json(array)
    assert (found.dtype, found.shape) == (array.dtype, array.shape)
    assert found.tobytes() == np.ascontiguousarray(array).tobytes()


@given(hnp.scalar_dtypes().filter(lambda dtype: dtype.kind in "iufb" and dtype.itemsize <= 8))
def test_a_number_of_numpy_keeps_its_type(dtype):
    number = np.ones((), dtype)[()]
    assert type(through_json(number)) is type(number.astype(number.dtype.newbyteorder("=")))


plain = st.one_of(
    st.none(), st.booleans(), st.integers(-(10**30), 10**30), st.floats(allow_nan=False), st.text()
)
keys = st.one_of(st.text(), st.integers(), st.booleans(), st.none())
nested = st.recursive(
    plain,
    lambda inside: st.one_of(
        st.lists(inside, max_size=3),
        st.lists(inside, max_size=3).map(tuple),
        st.dictionaries(keys, inside, max_size=3),
    ),
    max_leaves=8,
)


@given(nested)
def test_lists_tuples_and_mappings_keep_types_and_order(value):
    found = through_json(value)
    assert repr(found) == repr(value)


@pytest.mark.parametrize(
    "value",
    [
        {"$float": "nan"},
        {"$a": 1, "b": 2},
        {1: "a", "1": "b", (1, 2): "c"},
        {3, 1, 2},
        frozenset({"b", "a"}),
        dt.date(2026, 11, 30),
        dt.datetime(2026, 11, 30, 12, 1, 2, 3),
        decimal.Decimal("0.10"),
        "\ud800 half a character",
        "é × 顧客 🙂",
        np.datetime64("2026-11-30T01:02:03.123456789"),
        np.timedelta64(5, "D"),
    ],
    ids=repr,
)
def test_other_values_come_back_as_they_were(value):
    found = through_json(value)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_timestamps_keep_their_unit(unit):
    found = through_json(pd.Timestamp("2026-11-30 01:02:03").as_unit(unit))
    assert found == pd.Timestamp("2026-11-30 01:02:03")
    assert found.unit == unit


def test_arrays_of_objects_text_and_dates_come_back():
    objects = np.array([["a", 1.5], [None, np.inf]], dtype=object)
    assert through_json(objects).tolist() == objects.tolist()
    texts = np.array(["", "é", "long enough"])
    assert through_json(texts).tolist() == texts.tolist()
    days = np.array(["2026-11-30", "NaT"], dtype="datetime64[D]")
    np.testing.assert_array_equal(through_json(days), days)
    gaps = np.array([1, "NaT"], dtype="timedelta64[h]")
    np.testing.assert_array_equal(through_json(gaps), gaps)


TABLE = pd.DataFrame(
    {"n": [1, 2], "x": [0.1, np.nan], "name": ["a", "b"], "holds": [True, False]},
    index=pd.Index(["first", "second"], name="row"),
)


@pytest.mark.parametrize(
    "table",
    [
        TABLE,
        TABLE.reset_index(drop=True),
        TABLE.head(0),
        TABLE.set_axis([1, 2, 3, 4], axis="columns"),
        TABLE.set_index("n", append=True),
        pd.concat({"one": TABLE, "two": TABLE}),
    ],
    ids=["named index", "numbered", "empty", "numbers for names", "two levels", "stacked"],
)
def test_tables_come_back(table):
    pd.testing.assert_frame_equal(through_json(table), table, check_exact=True)
    pd.testing.assert_series_equal(through_json(table.iloc[:, 1]), table.iloc[:, 1])
    pd.testing.assert_index_equal(through_json(table.columns), table.columns)
