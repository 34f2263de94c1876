"""Columns as numbers for clusterers: filled, weighted, left out or refused."""

import decimal

import numpy as np
import pandas as pd
import pytest

from frames import as_kind
from segkit import ClusterSegmenter
from segkit.exceptions import SegkitTypeError, SegkitValueError, SegkitWarning
from segkit.segmenters._cluster_preprocessing import ClusterPreprocessing

RNG = np.random.default_rng(0)
N = 100
NUMBERS = pd.DataFrame({"spend": RNG.normal(size=N), "visits": RNG.normal(size=N)})


def features_of(table):
    return ClusterPreprocessing.of(table).transform(table)


def test_numbers_are_standardised_and_skewed_ones_take_the_signed_logarithm():
    skewed = np.exp(RNG.normal(size=N) * 2) * np.where(np.arange(N) % 20 == 0, -1, 1)
    table = NUMBERS.assign(net=skewed)
    features = features_of(table)
    logs = np.sign(skewed) * np.log1p(np.abs(skewed))
    assert features[:, 2] == pytest.approx((logs - logs.mean()) / logs.std())
    assert features[:, 0] == pytest.approx(
        (table["spend"] - table["spend"].mean()) / table["spend"].std(ddof=0)
    )
    summary = ClusterPreprocessing.of(table).summary.set_index("column")["treatment"]
    assert summary["net"] == "signed logarithm, standardised"
    assert summary["spend"] == "standardised"


@pytest.mark.parametrize(
    "texts", [list("aaabbc") * 10, ["a"] * 59 + ["b"], list("abcdef") * 10, [True, "x"] * 30]
)
def test_a_categorical_weighs_as_one_standardised_number(texts):
    features = features_of(pd.DataFrame({"kind": list(map(str, texts))}))
    assert features.var(axis=0).sum() == pytest.approx(1)


def test_rare_levels_are_pooled_and_unseen_ones_are_among_them():
    texts = ["a"] * 195 + ["b"] * 3 + ["c", "d"]
    done = ClusterPreprocessing.of(pd.DataFrame({"kind": texts}))
    assert done.features == ["kind_a", "kind_b", "kind_other"]
    found = done.transform(pd.DataFrame({"kind": ["c", "new", "a", None]}))
    assert (found > 0).tolist() == [[False, False, True]] * 2 + [
        [True, False, False],
        [False, False, True],
    ]


def test_missing_numbers_are_the_median_and_told_apart():
    table = pd.DataFrame({"x": [1.0, 2.0, 3.0, np.nan]})
    features = features_of(table)
    assert features[3].tolist() == [features[1, 0], 1.0]
    assert features[:3, 1].tolist() == [0.0] * 3
    only_missing = features_of(pd.DataFrame({"x": [7.0, np.nan, 7.0]}))
    assert only_missing.tolist() == [[0.0, 0.0], [0.0, 1.0], [0.0, 0.0]]


@pytest.mark.parametrize("flags", [[True, False, True], [1, 0, 1], [1.0, 0.0, 1.0]])
def test_flags_are_0_or_1(flags):
    done = ClusterPreprocessing.of(pd.DataFrame({"member": flags}))
    assert done.transform(pd.DataFrame({"member": flags}))[:, 0].tolist() == [1.0, 0.0, 1.0]
    assert done.summary["treatment"].tolist() == ["0 or 1"]


def test_ordered_categories_are_their_ranks_whatever_the_frame(eager_kind):
    sizes = pd.CategoricalDtype(["small", "middle", "large"], ordered=True)
    table = NUMBERS.assign(size=pd.Categorical.from_codes(np.arange(N) % 3, dtype=sizes))
    segmenter = ClusterSegmenter(n_segments=3, random_state=0).fit(table)
    summary = segmenter.preprocessing_summary_.set_index("column")
    assert summary.loc["size", "treatment"] == "ranks of the categories, standardised"
    expected = segmenter.predict(table).tolist()
    assert segmenter.predict(as_kind(table, eager_kind)).tolist() == expected
    assert segmenter.predict(table.assign(size=table["size"].astype(object))).tolist() == expected
    large = table[table["size"] == "large"]
    large = large.assign(size=large["size"].cat.remove_unused_categories())
    assert segmenter.predict(large).tolist() == [expected[place] for place in large.index]
    alone = [segmenter.predict_one(row) for row in table.to_dict("records")]
    assert alone == segmenter.predict_segments(table).tolist()


def test_levels_that_are_numbers_are_the_same_in_every_type():
    codes = pd.Series(np.arange(N) % 3).astype("category")
    segmenter = ClusterSegmenter(n_segments=3, random_state=0).fit(NUMBERS.assign(code=codes))
    expected = segmenter.predict(NUMBERS.assign(code=codes)).tolist()
    for same in (codes.astype(int), codes.astype(float), codes.astype(str)):
        assert segmenter.predict(NUMBERS.assign(code=same)).tolist() == expected


def test_huge_and_tiny_numbers_are_numbers():
    values = RNG.normal(size=N)
    expected = features_of(pd.DataFrame({"x": values}))
    for unit in (1e300, 1e-300):
        assert features_of(pd.DataFrame({"x": values * unit})) == pytest.approx(expected)
    exact = [decimal.Decimal(f"{value:.3f}") for value in values]
    assert features_of(pd.DataFrame({"x": exact})) == pytest.approx(expected, abs=1e-2)


def test_the_order_of_rows_does_not_change_the_last_digit():
    table = pd.DataFrame(np.exp(RNG.normal(size=(1000, 8))), columns=list("abcdefgh"))
    one, other = (ClusterPreprocessing.of(rows).columns for rows in (table, table[::-1]))
    assert one == other


def test_constant_and_empty_columns_are_left_out_with_a_warning():
    table = NUMBERS.assign(same=5, empty=np.nan, text="a", yes=True)
    with pytest.warns(SegkitWarning, match=r"\['same', 'empty', 'text', 'yes'\] are constant"):
        done = ClusterPreprocessing.of(table)
    assert done.features == ["spend", "visits"]
    assert done.summary.set_index("column").loc["same"].tolist() == ["constant", "left out", 0]
    with pytest.raises(SegkitValueError, match="all of the columns"):
        ClusterPreprocessing.of(table[["same", "text"]])


def strings(pattern):
    return [pattern.format(i) for i in range(N)]


@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        (strings("{}"), SegkitTypeError, "numbers as text; 0 of 100 values do not convert"),
        ([*strings("{}")[:99], "unknown"], SegkitTypeError, "1 of 100 values do not convert"),
        (np.arange(N) + 7, SegkitValueError, "the numbers from 7 to 106, each once; it looks like"),
        (strings("customer {}"), SegkitValueError, "100 texts in 100 rows; it looks like an id"),
        (pd.date_range("2024-01-01", periods=N), SegkitTypeError, "holds dates"),
        (pd.date_range("2024-01-01", periods=N, tz="UTC"), SegkitTypeError, "holds dates"),
        (pd.to_timedelta(range(N), unit="D"), SegkitTypeError, "holds dates"),
        (list(pd.date_range("2024-01-01", periods=N).date), SegkitTypeError, "holds dates"),
        (["2024-01-05", "2024-02-07"] * 50, SegkitTypeError, "dates as text"),
        (["05.01.2024 10:30", "7/2/2024"] * 50, SegkitTypeError, "dates as text"),
        ([[1], [2]] * 50, SegkitTypeError, "holds mixed values"),
        ([1, "a"] * 50, SegkitTypeError, "holds mixed-integer values"),
        ([1 + 2j, 3j] * 50, SegkitTypeError, "complex numbers"),
        ([np.inf, 1.0] * 50, SegkitValueError, "infinity in 50 of 100 rows"),
    ],
)
def test_what_cannot_be_compared_is_refused(values, error, message):
    with pytest.raises(error, match=message) as raised:
        ClusterSegmenter(n_segments=2).fit(NUMBERS.assign(extra=values))
    assert "'extra'" in str(raised.value)
    assert "customer 7" not in str(raised.value)


@pytest.mark.parametrize("name", ["id", "ID", "customer_id", "CustomerID", "\ufeffID"])
def test_numbered_ids_are_refused(name):
    with pytest.raises(SegkitValueError, match="looks like an id"):
        ClusterSegmenter(n_segments=2).fit(NUMBERS.assign(**{name: 3 * np.arange(N)}))
    with pytest.raises(SegkitValueError, match="50 different numbers"):  # of a log
        ClusterSegmenter(n_segments=2).fit(NUMBERS.assign(**{name: np.arange(N) // 2}))


def test_what_only_looks_like_an_id_or_a_date_is_taken():
    table = NUMBERS.assign(
        paid=2 * np.arange(N), age=["18-25", "26-40"] * 50, host=["10.0.0.1", "10.0.0.2"] * 50
    )
    assert ClusterPreprocessing.of(table).summary["kind"].tolist() == [
        "number",
        "number",
        "number",
        "categories",
        "categories",
    ]


def test_texts_that_are_all_rare_are_refused():
    table = pd.DataFrame({"x": RNG.normal(size=1000), "shop": [f"s{i % 250}" for i in range(1000)]})
    with pytest.raises(SegkitValueError, match="250 texts, none of which 1% of the customers"):
        ClusterPreprocessing.of(table)
