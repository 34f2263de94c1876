"""Customer ids as codes: every row of a customer has its code, and no other row has."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from segkit import summarize_transactions
from segkit.features import _customer_codes
from segkit.features._customer_codes import CustomerCodes


@pytest.fixture(autouse=True)
def _texts_are_read_as_numbers_from_the_first_row_on(monkeypatch):
    monkeypatch.setattr(_customer_codes, "_MANY_ROWS", 1)


def check(ids):
    """Hold the codes of ids to what a dict of their values says."""
    codes = CustomerCodes(ids)
    labels = ids.tolist()
    of_label = {}
    for label, code in zip(labels, codes.codes.tolist(), strict=True):
        assert of_label.setdefault(label, code) == code
    assert len(set(of_label.values())) == len(of_label)
    assert 0 <= codes.codes.min() <= codes.codes.max() < codes.n_codes
    present = np.bincount(codes.codes, minlength=codes.n_codes) > 0
    in_order, found = codes.in_order(present)
    assert found.tolist() == sorted(set(labels))
    assert [of_label[label] for label in found] == in_order.tolist()
    assert found.dtype == ids.dtype
    return codes


@pytest.mark.parametrize("dtype", ["str", "string[pyarrow]"])
@pytest.mark.parametrize("width", [1, 2, 3, 7, 8, 9, 12, 15, 16, 17, 24, 31, 32, 33, 40])
def test_texts_of_one_width(width, dtype):
    rng = np.random.default_rng(width)
    letters = rng.choice(list("abc0"), size=(300, width))
    check(pd.Series(["".join(row) for row in letters], dtype=dtype))


@pytest.mark.parametrize(
    "texts",
    [
        ["a", "bb", "ccc", "a"],
        ["", "", ""],
        ["é1", "ü2", "é1"],
        ["łódź-1", "łódź-2"],
        ["\x00a", "a\x00", "\x00a"],
        ["\xff" * 8, "\xfe" * 8],
        ["c0000000000000001", "c0000000000000002", "d0000000000000001"],
    ],
)
def test_texts_of_any_kind(texts):
    check(pd.Series(texts, dtype="str"))


def test_a_slice_and_chunks_of_an_arrow_array_are_read_from_where_they_begin():
    texts = [f"c{number:04d}" for number in range(50)]
    check(pd.Series(texts, dtype="str").iloc[7:31])
    chunks = pa.chunked_array([pa.array(texts[:20]).slice(3), pa.array(texts[10:])])
    check(pd.Series(pd.arrays.ArrowStringArray(chunks)))


def test_only_texts_of_one_width_are_read_as_numbers():
    numbers = _customer_codes._words_of_text(pd.Series(["c01", "c02"], dtype="str"))
    assert len(numbers) == 1
    for other in (["c1", "c02"], ["c" * 33]):
        assert _customer_codes._words_of_text(pd.Series(other, dtype="str")) is None
    for dtype in (object, "category", "string[python]"):
        assert _customer_codes._words_of_text(pd.Series(["c01"], dtype=dtype)) is None


def test_words_that_do_not_fit_together_are_numbered_again():
    # Three words of 100 values each: a million combinations of 300 rows.
    rng = np.random.default_rng(0)
    parts = rng.integers(0, 100, (300, 3))
    ids = pd.Series([f"{a:08d}{b:08d}{c:08d}" for a, b, c in parts], dtype="str")
    assert check(ids).n_codes <= 300


@pytest.mark.parametrize(
    ("numbers", "are_codes"),
    [
        ([0, 1, 2, 5], True),
        ([-3, 4, -3, 900], True),
        ([10**15, 10**15 + 7], True),
        ([0, 10**6], False),
        ([2**63 - 1, 0, -(2**63)], False),
    ],
)
def test_numbers_with_few_gaps_are_codes_themselves(numbers, are_codes):
    codes = check(pd.Series(numbers, dtype="int64"))
    assert (codes.codes.max() - codes.codes.min() == max(numbers) - min(numbers)) == are_codes


@pytest.mark.parametrize(
    "numbers",
    [
        np.array([2**64 - 1, 3, 2**64 - 1], dtype=np.uint64),
        np.array([2**63, 2**63 + 1], dtype=np.uint64),
        np.array([-128, 127, 0], dtype=np.int8),
        pd.array([1, 5, 1], dtype="Int16"),
        pd.array([1, 5, 1], dtype="int64[pyarrow]"),
    ],
    ids=lambda numbers: str(numbers.dtype),
)
def test_numbers_of_any_type(numbers):
    check(pd.Series(numbers))


@pytest.mark.parametrize(
    "draw",
    [
        lambda rng: rng.integers(-(2**63), 2**63 - 1, 3_000)[rng.integers(0, 3_000, 40_000)],
        lambda rng: rng.integers(0, 400, 40_000) << 54,
        lambda rng: rng.integers(0, 400, 40_000) * 10**15 - 2 * 10**17,
        lambda rng: rng.integers(-(2**63), 2**63 - 1, 40_000),
        lambda rng: np.zeros(40_000, dtype=np.int64) + 2**62,
        lambda rng: np.repeat([0, -(2**63), 2**63 - 1], 20_000),
    ],
    ids=["random", "high bits", "even steps", "all distinct", "one", "ends"],
)
@pytest.mark.parametrize("slot_bits", [4, 12, 22])
def test_integers_that_share_a_slot_keep_numbers_of_their_own(draw, slot_bits, monkeypatch):
    monkeypatch.setattr(_customer_codes, "_MOST_SLOT_BITS", slot_bits)
    integers = draw(np.random.default_rng(0)).astype(np.int64)
    before = integers.copy()
    numbers, distinct = _customer_codes._numbered_integers(integers)
    assert (distinct[numbers] == integers).all()
    assert len(set(distinct.tolist())) == len(distinct) == len(set(integers.tolist()))
    assert (integers == before).all()


def test_a_long_log_of_texts_is_summarized_as_one_of_numbers():
    rng = np.random.default_rng(0)
    log = pd.DataFrame(
        {
            "customer_id": rng.integers(0, 500, 5_000),
            "timestamp": pd.Timestamp("2024-01-01")
            + pd.to_timedelta(rng.integers(0, 10**6, 5_000), unit="s"),
            "amount": rng.integers(-500, 5_000, 5_000) / 100,
        }
    )
    texts = log.assign(customer_id=log["customer_id"].map("customer-{:04d}".format).astype("str"))
    expected = summarize_transactions(log).drop(columns="customer_id")
    found = summarize_transactions(texts)
    assert found["customer_id"].is_monotonic_increasing
    pd.testing.assert_frame_equal(found.drop(columns="customer_id"), expected)
