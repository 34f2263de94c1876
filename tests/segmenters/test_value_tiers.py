"""ValueTierer: tiers by their definition, on every kind of frame and alone."""

import pickle
import traceback
import warnings

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.compose import ColumnTransformer, make_column_transformer
from sklearn.dummy import DummyRegressor
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.utils import get_tags

from frames import as_kind, rows_of
from segkit import ValueTierer, summarize_transactions
from segkit.datasets import make_transactions
from segkit.exceptions import (
    ColumnError,
    LazyFrameError,
    MissingValuesError,
    SegkitTypeError,
    SegkitValueError,
    SegkitWarning,
)
from segkit.testing import check_segmenter
from strategies import customer_tables

# By hand: 1,000 of positive value; A makes 70 + 10 = 80 %, B 9 + 6 = 15 %, C the last 5 %.
SEVEN = pd.DataFrame({"monetary": [60.0, 700.0, 0.0, 90.0, 50.0, 100.0, -30.0]})
SEVEN_TIERS = ["B", "A", "No value", "B", "C", "A", "No value"]

cents = st.integers(-5_000, 500_000) | st.sampled_from([0, 999, 1_999, 5_000])
amounts = st.lists(cents, min_size=1, max_size=40)


def frame_of(values):
    return pd.DataFrame({"monetary": np.asarray(values, dtype=float)})


def quiet_fit(tierer, X):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SegkitWarning)
        return tierer.fit(X)


@pytest.fixture(scope="module")
def customers():
    """A drawn customer table with ties, returns and negative totals."""
    return summarize_transactions(
        make_transactions(400, return_rate=0.3, random_state=3), order_id="order_id"
    )


# -- thresholds --------------------------------------------------------------------------------


def test_a_makes_the_first_80_percent_and_b_the_next_15():
    tierer = ValueTierer().fit(SEVEN)
    assert tierer.predict_segments(SEVEN).tolist() == SEVEN_TIERS
    assert tierer.thresholds_.tolist() == [100.0, 60.0]
    assert tierer.segments_.tolist() == ["A", "B", "C", "No value"]


@pytest.mark.parametrize("unit", [1, 0.01, 100, 1 / 3, 0.1, 7e-9, 1.1e15, 1e-310, 1e306])
def test_shares_that_meet_the_cuts_exactly_meet_them_in_every_unit_of_money(unit):
    # In floats 80 + 15 of 100 is 95 %, and 0.8 + 0.15 of 0.8 + 0.15 + 0.05 is less.
    values = frame_of([80, 15, 5]) * unit
    assert ValueTierer().fit(values).predict_segments(values).tolist() == ["A", "B", "C"]


def test_the_customer_who_crosses_a_share_belongs_to_its_tier():
    values = frame_of([50, 29, 2, 14.5, 1, 3.5])  # 79 % before 14.5, which crosses
    tiers = ValueTierer().fit(values).predict_segments(values)
    assert dict(zip(values["monetary"], tiers, strict=True)) == {
        50: "A",
        29: "A",
        14.5: "A",
        3.5: "B",
        2: "C",
        1: "C",
    }


def naive_tiers(values, cuts, weight):
    """Return each value's tier, customer by customer in whole numbers of cents and of percent."""
    total = sum(weight(value) for value in values if value > 0)
    tiers = []
    for value in values:
        before = sum(weight(other) for other in values if other > value and other > 0)
        reached = sum(before * 100 >= cut * total for cut in cuts)
        tiers.append(len(cuts) + 1 if value <= 0 else reached)
    return tiers


@given(values=amounts, cuts=st.sets(st.integers(1, 99), min_size=1, max_size=4))
def test_pareto_tiers_follow_the_definition(values, cuts):
    cuts = sorted(cuts)
    tierer = quiet_fit(ValueTierer(cuts=[cut / 100 for cut in cuts]), frame_of(values) / 100)
    assert tierer.labels_.tolist() == naive_tiers(values, cuts, lambda value: value)


@given(values=amounts, cuts=st.sets(st.integers(1, 99), min_size=1, max_size=4))
def test_quantile_tiers_follow_the_definition(values, cuts):
    cuts = sorted(cuts)
    tierer = ValueTierer(
        method="quantile", cuts=[cut / 100 for cut in cuts], tiers=[*"abcde"[: len(cuts) + 1]]
    )
    quiet_fit(tierer, frame_of(values) / 100)
    assert tierer.labels_.tolist() == naive_tiers(values, cuts, lambda value: 1)


def test_quantile_tiers_share_out_the_customers_with_positive_value():
    values = frame_of([10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0, 0, -5])
    tierer = ValueTierer(method="quantile").fit(values)
    assert tierer.describe()["customers"].tolist() == [2, 3, 5, 4]
    assert tierer.segments_.tolist() == ["Heavy", "Medium", "Light", "No value"]
    assert tierer.thresholds_.tolist() == [9, 6]


@pytest.mark.parametrize("n", [10, 30, 70, 90, 110, 1_000])
@pytest.mark.parametrize("cut", [0.1, 0.2, 0.3, 0.6, 0.7, 0.9])
def test_a_whole_number_of_customers_is_not_rounded_up(n, cut):
    # 0.7 * 10 is 7.000000000000001 in floats.
    tierer = ValueTierer(method="quantile", cuts=[cut]).fit(frame_of(range(1, n + 1)))
    assert tierer.describe()["customers"][0] == round(cut * 10) * n // 10


def test_fixed_tiers_begin_with_their_amounts():
    values = frame_of([1000, 999.99, 200, 199.99, 0.01, 0, -1000])
    tierer = ValueTierer(method="fixed", cuts=(1000, 200)).fit(values)
    assert tierer.labels_.tolist() == [0, 1, 1, 2, 2, 3, 3]
    assert tierer.thresholds_.tolist() == [1000, 200]


@given(values=amounts, data=st.data())
def test_any_split_and_order_of_the_customers_gets_the_same_tiers(values, data):
    frame = frame_of(values)
    tierer = quiet_fit(ValueTierer(), frame)
    order = data.draw(st.permutations(range(len(values))))
    shuffled = frame.iloc[order]
    refitted = quiet_fit(ValueTierer(), shuffled)
    assert refitted.thresholds_.tolist() == tierer.thresholds_.tolist()
    assert refitted.labels_.tolist() == tierer.labels_[order].tolist()
    cut = data.draw(st.integers(0, len(values)))
    parts = [tierer.predict(frame.iloc[:cut]), tierer.predict(frame.iloc[cut:])]
    assert np.concatenate(parts).tolist() == tierer.labels_.tolist()


@given(
    values=amounts,
    factor=st.floats(1e-9, 1e9),
    method=st.sampled_from(["pareto", "quantile"]),
)
def test_the_unit_of_money_changes_no_tier(values, factor, method):
    before = quiet_fit(ValueTierer(method=method), frame_of(values))
    after = quiet_fit(ValueTierer(method=method), frame_of(values) * factor)
    assert after.labels_.tolist() == before.labels_.tolist()
    assert after.gini_ == pytest.approx(before.gini_, abs=1e-12, nan_ok=True)


@given(values=amounts, times=st.integers(2, 5))
def test_ties_share_a_tier(values, times):
    tierer = quiet_fit(ValueTierer(), frame_of(values * times))
    codes = tierer.labels_.reshape(times, len(values))
    assert (codes == codes[0]).all()


def test_many_equal_amounts_meet_the_cuts_as_they_should():
    # Adding 0.1 a hundred thousand times one by one is off by 2e-8.
    values = frame_of(np.repeat([0.4, 0.1, 0.05], [20_000, 15_000, 10_000]))
    tierer = ValueTierer(cuts=(0.8, 0.95)).fit(values)
    assert tierer.describe()["customers"].tolist() == [20_000, 15_000, 10_000, 0]


@given(customers=customer_tables())
def test_frames_arrays_and_single_rows_agree(customers):
    tierer = quiet_fit(ValueTierer(), customers)
    names = tierer.predict_segments(customers).tolist()
    assert [tierer.predict_one(row) for row in customers.to_dict("records")] == names
    by_array = quiet_fit(ValueTierer(), customers[["monetary"]].to_numpy())
    assert by_array.labels_.tolist() == tierer.labels_.tolist()
    numbered = customers.assign(row=range(len(customers)))
    for kind in ("pandas", "pandas arrow", "polars", "polars lazy", "pyarrow", "duckdb"):
        rows = rows_of(tierer.assign(as_kind(numbered, kind)), "row")
        assert [row["value_tier"] for row in rows] == names, kind


@pytest.mark.parametrize("method", ["pareto", "quantile"])
def test_values_next_to_a_threshold_fall_alike_in_every_engine(method, kind):
    tierer = ValueTierer(method=method).fit(frame_of([0.1, 0.3, 1 / 3, 700.07, 3.3, 9e15 + 1, 5]))
    beside = [
        float(np.nextafter(edge, target))
        for edge in [*tierer.thresholds_, 0.0]
        for target in (-np.inf, edge, np.inf)
    ]
    frame = frame_of(beside).assign(row=range(len(beside)))
    expected = [
        tierer.segments_[sum(value < edge for edge in tierer.thresholds_) + (value <= 0)]
        for value in beside
    ]
    got = rows_of(tierer.assign(as_kind(frame, kind)), "row")
    assert [row["value_tier"] for row in got] == expected
    assert tierer.predict_segments(frame).tolist() == expected
    assert [tierer.predict_one({"monetary": value}) for value in beside] == expected


def test_assign_adds_an_ordered_label_and_nothing_else():
    tierer = ValueTierer().fit(SEVEN)
    assigned = tierer.assign(SEVEN)
    assert list(assigned.columns) == ["monetary", "value_tier"]
    assert assigned["value_tier"].dtype.ordered
    assert list(assigned["value_tier"].dtype.categories) == [
        "A",
        "B",
        "C",
        "No value",
        "unassigned",
    ]
    expected = pl.Enum(["A", "B", "C", "No value", "unassigned"])
    assert tierer.assign(pl.from_pandas(SEVEN)).schema["value_tier"] == expected


def test_fit_learns_the_same_from_every_kind_of_frame(customers, kind):
    tierer = ValueTierer().fit(as_kind(customers, kind))
    expected = ValueTierer().fit(customers)
    assert tierer.thresholds_.tolist() == expected.thresholds_.tolist()
    np.testing.assert_array_equal(tierer.lorenz_curve_, expected.lorenz_curve_)
    assert hasattr(tierer, "labels_") == (kind not in ("polars lazy", "duckdb"))


def test_whole_numbers_and_decimals_are_values(kind):
    whole = pd.DataFrame({"monetary": [80, 15, 5, 0, -3], "row": range(5)})
    tierer = ValueTierer().fit(as_kind(whole, kind))
    rows = rows_of(tierer.assign(as_kind(whole, kind)), "row")
    assert [row["value_tier"] for row in rows] == ["A", "B", "C", "No value", "No value"]


def test_any_column_can_be_the_value():
    table = SEVEN.assign(profit=[2.0, 3, 80, 15, 0, -1, -2])
    tierer = ValueTierer(column="profit").fit(table)
    assert tierer.predict_segments(table[["profit"]]).tolist() == [
        "C",
        "C",
        "A",
        "B",
        "No value",
        "No value",
        "No value",
    ]
    assert tierer.feature_names_in_.tolist() == ["profit"]


def test_a_column_may_be_a_position():
    array = np.column_stack([np.zeros(7), SEVEN["monetary"]])
    tierer = ValueTierer(column=1).fit(array)
    assert tierer.predict_segments(array).tolist() == SEVEN_TIERS
    assert tierer.describe()["rule"][0] == "column 1 ≥ 100"


# -- customers without value -------------------------------------------------------------------


def test_zero_and_negative_values_are_never_in_a_good_tier():
    tierer = ValueTierer().fit(frame_of([100.0]))
    codes = tierer.predict(frame_of([100, 1e-300, 5e-324, 0, -0.0, -1e-300, -100]))
    assert codes.tolist() == [0, 2, 2, 3, 3, 3, 3]


@pytest.mark.parametrize("method", ["pareto", "quantile"])
def test_without_a_positive_value_nobody_is_in_a_good_tier_and_fit_warns(method):
    nothing = frame_of([0, -1, 0])
    with pytest.warns(SegkitWarning, match="no customer has a positive monetary") as caught:
        tierer = ValueTierer(method=method).fit(nothing)
    assert caught[0].filename == __file__
    assert tierer.labels_.tolist() == [3, 3, 3]
    assert tierer.predict(frame_of([1e308])).tolist() == [2]
    assert tierer.assign(pl.DataFrame({"monetary": [5.0]}).lazy()).collect()["value_tier"][0] in (
        "C",
        "Light",
    )
    assert np.isnan(tierer.gini_)
    assert np.isnan(tierer.describe()["share_of_value"]).all()
    assert tierer.describe()["customers"].tolist() == [0, 0, 0, 3]
    never = "never (no monetary is left for this tier)"
    assert tierer.describe()["rule"].tolist() == [never, never, "0 < monetary", "monetary ≤ 0"]


def test_fixed_tiers_need_no_positive_value():
    tierer = ValueTierer(method="fixed", cuts=[10]).fit(frame_of([0, -1]))
    assert tierer.predict(frame_of([10, 1, 0])).tolist() == [0, 1, 2]
    assert np.isnan(tierer.gini_)


def test_one_customer_is_in_the_best_tier():
    tierer = ValueTierer().fit(frame_of([3.0]))
    assert tierer.predict_segments(frame_of([3.0])).tolist() == ["A"]
    assert tierer.gini_ == 0.0


def test_customers_who_are_all_equal_share_the_best_tier():
    tierer = ValueTierer().fit(frame_of([3.1] * 9))
    assert tierer.describe()["customers"].tolist() == [9, 0, 0, 0]
    assert tierer.describe()["rule"].tolist() == [
        "monetary ≥ 3.1",
        "never (no monetary is left for this tier)",
        "0 < monetary < 3.1",
        "monetary ≤ 0",
    ]
    assert tierer.gini_ == pytest.approx(0.0, abs=1e-15)


# -- what is told about the tiers --------------------------------------------------------------


def test_describe_tells_rule_threshold_and_shares():
    described = ValueTierer().fit(SEVEN).describe()
    expected = pd.DataFrame(
        {
            "code": [0, 1, 2, 3],
            "segment": ["A", "B", "C", "No value"],
            "rule": [
                "monetary ≥ 100",
                "60 ≤ monetary < 100",
                "0 < monetary < 60",
                "monetary ≤ 0",
            ],
            "threshold": [100.0, 60.0, 0.0, np.nan],
            "customers": [2, 2, 1, 2],
            "share_of_customers": [2 / 7, 2 / 7, 1 / 7, 2 / 7],
            "share_of_value": [0.8, 0.15, 0.05, 0.0],
        }
    )
    pd.testing.assert_frame_equal(described, expected, check_dtype=False)


@given(
    values=amounts,
    tierer=st.sampled_from(
        [
            ValueTierer(),
            ValueTierer(method="quantile"),
            ValueTierer(method="fixed", cuts=(1000, 50, 9.99)),
        ]
    ),
)
def test_describe_counts_the_labels(values, tierer):
    frame = frame_of(values) / 100
    described = quiet_fit(tierer, frame).describe()
    counts = np.bincount(tierer.labels_, minlength=len(described))
    assert described["customers"].tolist() == counts.tolist()
    assert described["share_of_customers"].sum() == pytest.approx(1)
    positive = frame["monetary"].clip(lower=0)
    if positive.sum() > 0:
        shares = positive.groupby(tierer.labels_).sum().reindex(range(len(described))).fillna(0)
        np.testing.assert_allclose(described["share_of_value"], shares / positive.sum(), atol=1e-12)


def test_describes_rules_select_the_tiers(customers):
    tierer = ValueTierer(cuts=(0.5, 0.8, 0.95)).fit(customers)
    for row in tierer.describe().itertuples():
        condition = row.rule.replace("≥", ">=").replace("≤", "<=").replace(",", "")
        assert len(customers.query(condition)) == (tierer.labels_ == row.code).sum() > 0


@given(values=st.lists(cents, min_size=1, max_size=30))
def test_gini_is_half_the_relative_mean_absolute_difference(values):
    clipped = np.clip(values, 0, None)
    gini = quiet_fit(ValueTierer(), frame_of(values)).gini_
    if clipped.sum() == 0:
        assert np.isnan(gini)
    else:
        differences = np.abs(clipped[:, None] - clipped[None, :]).mean()
        assert gini == pytest.approx(differences / (2 * clipped.mean()), abs=1e-12)


@pytest.mark.parametrize(
    ("values", "gini"),
    [
        ([1, 1, 1, 1], 0),
        ([0, 0, 0, 1], 3 / 4),  # (n - 1) / n where one has everything
        ([1, 2, 3, 4], 1 / 4),  # (n + 1 - 2 * 20 / 10 ) / n of the textbook's sorted sum
        ([-9, 0, 0, 1], 3 / 4),  # a negative value counts as zero
    ],
)
def test_gini_by_hand(values, gini):
    assert ValueTierer().fit(frame_of(values)).gini_ == pytest.approx(gini, abs=1e-15)


@given(values=amounts)
def test_the_lorenz_curve_is_that_of_the_sorted_customers(values):
    clipped = np.sort(np.clip(values, 0, None))[::-1].astype(float)
    curve = quiet_fit(ValueTierer(), frame_of(values)).lorenz_curve_
    if clipped.sum() > 0:
        customers = np.arange(len(values) + 1) / len(values)
        share = np.concatenate([[0], np.cumsum(clipped)]) / clipped.sum()
        assert curve[0].tolist() == [0, 0]
        assert curve[-1].tolist() == [1, 1]
        np.testing.assert_allclose(np.interp(customers, *curve.T), share, atol=1e-12)
        assert (np.diff(curve[:, 0]) > 0).all()


def test_a_long_curve_keeps_a_thousand_points_and_the_corners():
    values = np.random.default_rng(0).pareto(1.2, 50_000)
    values[:5_000] = 0
    tierer = ValueTierer(cuts=(0.3, 0.31, 0.999)).fit(frame_of(values))
    curve, shares = tierer.lorenz_curve_, tierer.describe()
    assert len(curve) <= 1_010
    corners = shares[["share_of_customers", "share_of_value"]].cumsum().to_numpy()
    for corner in corners:
        assert np.abs(curve - corner).sum(axis=1).min() < 1e-12
    exact = np.cumsum(np.sort(values)[::-1]) / values.sum()
    drawn = np.interp(np.arange(1, 50_001) / 50_000, *curve.T)
    assert np.abs(exact - drawn).max() < 1e-3


@pytest.mark.parametrize("name", ["thresholds_", "lorenz_curve_"])
def test_what_was_learned_is_read_only_even_after_a_pickle(name):
    tierer = ValueTierer().fit(SEVEN)
    for fitted in (tierer, pickle.loads(pickle.dumps(tierer))):
        with pytest.raises(ValueError, match="read-only"):
            getattr(fitted, name)[0] = 1.0


def test_transform_gives_the_codes():
    tierer = ValueTierer().fit(SEVEN)
    features = tierer.transform(SEVEN)
    assert features.dtype == np.int64
    assert features.tolist() == [[1], [0], [3], [1], [2], [0], [3]]
    framed = tierer.set_output(transform="pandas").transform(SEVEN)
    assert list(framed.columns) == ["value_tier_code"]
    combined = ColumnTransformer([("value", ValueTierer(), ["monetary"])])
    combined.fit(SEVEN)
    assert combined.get_feature_names_out().tolist() == ["value__value_tier_code"]


# -- parameters --------------------------------------------------------------------------------


def test_names_are_ones_own():
    three = ValueTierer(tiers=("Gold", "Silver", "Bronze")).fit(SEVEN)
    assert three.segments_.tolist() == ["Gold", "Silver", "Bronze", "No value"]
    four = ValueTierer(tiers=["Gold", "Silver", "Bronze", "Nothing"]).fit(SEVEN)
    assert four.segments_.tolist() == ["Gold", "Silver", "Bronze", "Nothing"]
    one = ValueTierer(cuts=[0.5]).fit(SEVEN)
    assert one.segments_.tolist() == ["A", "B", "No value"]


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"cuts": (0.95, 0.8)}, r"increasing order.* Did you mean cuts=\(0\.8, 0\.95\)\?"),
        ({"cuts": (0.8, 0.8)}, "cumulative shares between 0 and 1 in increasing order"),
        ({"cuts": (80, 95)}, r"between 0 and 1.*got \(80, 95\)"),
        ({"cuts": (0.0, 0.5)}, "between 0 and 1"),
        ({"cuts": (0.5, 1.0)}, "between 0 and 1"),
        ({"cuts": ()}, "cumulative shares"),
        ({"cuts": ("much", "little")}, "cumulative shares"),
        ({"cuts": (0.5, np.nan)}, "cumulative shares"),
        ({"cuts": [[0.5, 0.8]]}, "cumulative shares"),
        ({"method": "fixed"}, r"method='fixed' needs cuts.*such as cuts=\(1000, 200\)"),
        (
            {"method": "fixed", "cuts": (200, 1000)},
            r"decreasing order.* Did you mean cuts=\(1000\.0, 200\.0\)\?",
        ),
        ({"method": "fixed", "cuts": (200, 0)}, "positive amounts"),
        ({"method": "fixed", "cuts": (200, -10)}, "positive amounts"),
        ({"method": "fixed", "cuts": (np.inf, 10)}, "positive amounts"),
        ({"tiers": ("A", "B")}, r"2 cuts make 3 tiers, so tiers must be 3 names, best first, or 4"),
        ({"tiers": tuple("ABCDE")}, "2 cuts make 3 tiers"),
        ({"tiers": ("A", "B", "A")}, "distinct names"),
        ({"tiers": ("A", "B", "unassigned")}, "distinct names other than 'unassigned'"),
        ({"tiers": ("No value", "B", "C")}, "distinct names"),
        ({"tiers": ("A", "B", 3)}, "distinct names"),
        ({"tiers": ("A", "B", "")}, "distinct names"),
        ({"cuts": np.arange(1, 31) / 31}, "30 cuts make 31 tiers"),
        ({"column": -1}, "The 'column' parameter"),
        ({"column": ["monetary"]}, "The 'column' parameter"),
        ({"column": True}, "column must be the name of a column, or its position"),
        ({"method": "abc"}, "The 'method' parameter"),
        ({"missing": "drop"}, "The 'missing' parameter"),
        ({"estimator": "mean"}, "The 'estimator' parameter"),
        ({"tiers": "ABC"}, "The 'tiers' parameter"),
    ],
    ids=str,
)
def test_parameters_that_make_no_sense_are_refused(parameters, message):
    with pytest.raises(ValueError, match=message):
        ValueTierer(**parameters).fit(SEVEN)


def test_a_refused_fit_leaves_what_was_learned():
    tierer = ValueTierer().fit(SEVEN)
    with pytest.raises(SegkitValueError):
        tierer.set_params(cuts=(0.9, 0.1)).fit(SEVEN)
    assert tierer.thresholds_.tolist() == [100.0, 60.0]


def test_a_missing_column_is_named_with_the_nearest():
    with pytest.raises(
        ColumnError,
        match=r"ValueTierer: column 'monetary' is missing; the frame has \['monetery'\]\. "
        r"Did you mean 'monetery'\? Rename it, or pass ValueTierer\(column=\.\.\.\)",
    ):
        ValueTierer().fit(SEVEN.rename(columns={"monetary": "monetery"}))


# -- missing and wrong values --------------------------------------------------------------------


def test_missing_values_raise_by_default(eager_kind):
    holed = as_kind(
        frame_of([80, np.nan, 5]).astype(object).where(lambda x: x.notna(), None), "pandas"
    )
    holed = as_kind(holed.astype(float), eager_kind)
    tierer = ValueTierer().fit(SEVEN)
    for verb in (ValueTierer().fit, tierer.predict, tierer.transform, tierer.assign):
        with pytest.raises(MissingValuesError, match="'monetary' contains NaN or null in 1 of 3"):
            verb(holed)


def test_missing_values_can_leave_a_customer_unassigned(kind):
    holed = pd.DataFrame({"monetary": [80, np.nan, 15, 5], "row": range(4)})
    tierer = ValueTierer(missing="unassigned").fit(as_kind(holed, kind))
    rows = rows_of(tierer.assign(as_kind(holed, kind)), "row")
    assert [row["value_tier"] for row in rows] == ["A", "unassigned", "B", "C"]
    assert tierer.describe()["customers"].tolist() == [1, 1, 1, 0]
    assert tierer.describe()["share_of_customers"].sum() == pytest.approx(1)


def test_transform_marks_missing_values_as_nan():
    holed = frame_of([80, np.nan, 15, 5])
    features = ValueTierer(missing="unassigned").fit_transform(holed)
    np.testing.assert_array_equal(features, [[0.0], [np.nan], [1.0], [2.0]])


@pytest.mark.parametrize("missing", ["raise", "unassigned"])
def test_infinities_raise_whatever_missing_says(missing):
    with pytest.raises(SegkitValueError, match="'monetary' contains infinity in 1 of 2 rows"):
        ValueTierer(missing=missing).fit(frame_of([np.inf, 1]))


@pytest.mark.parametrize("value", [None, np.nan, np.inf, -np.inf])
def test_lazy_frames_never_put_a_missing_value_into_a_tier(lazy_kind, value):
    frame = nw.from_native(as_kind(SEVEN.assign(row=range(7)), lazy_kind))
    changed = nw.when(nw.col("row") != 2).then(nw.col("monetary"))
    if value is not None:
        changed = changed.otherwise(nw.lit(value))
    frame = frame.with_columns(changed.alias("monetary")).to_native()
    rows = rows_of(ValueTierer().fit(SEVEN).assign(frame), "row")
    assert [row["value_tier"] for row in rows] == [
        *SEVEN_TIERS[:2],
        "unassigned",
        *SEVEN_TIERS[3:],
    ]


def test_a_column_of_missing_values_is_an_error():
    with pytest.raises(SegkitValueError, match="monetary has only missing values"):
        ValueTierer(missing="unassigned").fit(frame_of([np.nan, np.nan]))


def test_amounts_near_the_largest_float_are_summed():
    values = frame_of([1.6e308, 1.2e308, 1.0e308, 0.2e308])  # together beyond any float
    tierer = ValueTierer(cuts=(0.4, 0.95)).fit(values)
    assert tierer.labels_.tolist() == [0, 1, 1, 2]
    np.testing.assert_allclose(tierer.describe()["share_of_value"], [0.4, 0.55, 0.05, 0])


def test_lazy_frames_are_refused_where_values_are_needed(lazy_kind):
    tierer = ValueTierer().fit(SEVEN)
    for verb in (tierer.predict, tierer.transform, tierer.fit_predict):
        with pytest.raises(LazyFrameError, match="assign"):
            verb(as_kind(SEVEN, lazy_kind))


def test_an_unfitted_tierer_says_so():
    for tierer in (ValueTierer(), ValueTierer(estimator=DummyRegressor())):
        for verb in (tierer.predict, tierer.transform, tierer.assign):
            with pytest.raises(NotFittedError):
                verb(SEVEN)
        for call in (
            lambda one=tierer: one.predict_one({}),
            tierer.describe,
            tierer.get_feature_names_out,
        ):
            with pytest.raises(NotFittedError):
                call()


# -- predicted values ----------------------------------------------------------------------------


class Doubled(RegressorMixin, BaseEstimator):
    """Predicts twice the value of a column, and reads text beside it."""

    def fit(self, X, y=None):
        self.feature_names_in_ = np.array(["region", "monetary"], dtype=object)
        self.seen_ = type(X).__module__, list(X.columns), y
        return self

    def predict(self, X):
        assert list(X.columns) == ["region", "monetary"]
        return np.where(X["region"].isna(), np.nan, 2 * X["monetary"])


REGIONS = SEVEN.assign(row=range(7), region=["n", "s", "n", "s", "n", "s", "n"])


def test_an_estimator_gets_its_columns_from_every_kind_of_frame(eager_kind):
    frame = as_kind(REGIONS, eager_kind)
    tierer = ValueTierer(estimator=Doubled()).fit(frame)
    assert tierer.predict_segments(frame).tolist() == SEVEN_TIERS
    assert [row["value_tier"] for row in rows_of(tierer.assign(frame), "row")] == SEVEN_TIERS
    assert tierer.feature_names_in_.tolist() == ["region", "monetary"]
    assert tierer.n_features_in_ == 2
    assert tierer.estimator_.seen_[1] == ["monetary", "row", "region"]
    np.testing.assert_allclose(tierer.thresholds_, [200, 120])
    assert not hasattr(tierer.estimator, "seen_")


def test_an_estimator_is_fitted_to_a_lazy_frame_and_says_to_collect_it_for_assign(lazy_kind):
    frame = as_kind(REGIONS, lazy_kind)
    tierer = ValueTierer(estimator=Doubled()).fit(frame)
    assert not hasattr(tierer, "labels_")
    assert tierer.predict_segments(REGIONS).tolist() == SEVEN_TIERS
    with pytest.raises(LazyFrameError, match=r"estimator cannot predict .* Collect the frame"):
        tierer.assign(frame)


def test_one_row_is_predicted_with_text_and_further_keys():
    tierer = ValueTierer(estimator=Doubled()).fit(REGIONS)
    assert tierer.predict_one({"monetary": 99, "region": "n", "id": object()}) == "B"
    assert tierer.predict_one(REGIONS.iloc[1]) == "A"
    with pytest.raises(ColumnError, match=r"the row has no 'region'.* Did you mean 'regions'\?"):
        tierer.predict_one({"monetary": 99, "regions": "n"})
    with pytest.raises(SegkitTypeError, match="one mapping of column to value"):
        tierer.predict_one([1, 2])


def test_an_estimator_without_one_of_its_columns_names_the_nearest():
    tierer = ValueTierer(estimator=Doubled()).fit(REGIONS)
    with pytest.raises(
        ColumnError, match=r"column 'region' is missing.* Did you mean 'regions'\?.*Doubled"
    ):
        tierer.predict(REGIONS.rename(columns={"region": "regions"}))


def test_y_goes_to_the_estimator(customers):
    columns = ["recency_days", "frequency"]
    target = customers["monetary"].clip(lower=1)
    tierer = ValueTierer(estimator=LinearRegression()).fit(customers[columns], target)
    alone = LinearRegression().fit(customers[columns], target)
    expected = ValueTierer().fit(frame_of(alone.predict(customers[columns])))
    assert tierer.labels_.tolist() == expected.labels_.tolist()
    with pytest.raises(SegkitValueError, match=r"LinearRegression learns from a target.*fit\(X, y"):
        ValueTierer(estimator=LinearRegression()).fit(customers[columns])


def test_a_frozen_estimator_is_not_fitted_again(customers):
    columns = ["frequency", "recency_days"]
    fitted = LinearRegression().fit(customers[columns], customers["monetary"])
    tierer = ValueTierer(estimator=FrozenEstimator(fitted)).fit(customers)
    assert tierer.estimator_.estimator is fitted
    assert tierer.feature_names_in_.tolist() == columns
    expected = ValueTierer().fit(frame_of(fitted.predict(customers[columns])))
    assert tierer.labels_.tolist() == expected.labels_.tolist()


def test_a_customer_predicted_alone_is_in_the_tier_of_the_batch(customers):
    # Matrix products round differently for one row and for many.
    columns = ["recency_days", "frequency", "tenure_days", "order_days", "mean_order_value"]
    rng = np.random.default_rng(0)
    many = customers[columns].sample(3_000, replace=True, random_state=0) * rng.random((3_000, 5))
    many["recency_days"] = many["tenure_days"] / 2
    fitted = LinearRegression().fit(customers[columns], customers["monetary"])
    tierer = ValueTierer(cuts=np.arange(1, 100) / 100, tiers=[f"t{i}" for i in range(100)])
    tierer.set_params(estimator=FrozenEstimator(fitted)).fit(many)
    alone = [tierer.predict(many.iloc[[row]])[0] for row in range(len(many))]
    assert alone == tierer.labels_.tolist()


def test_the_estimator_may_be_a_pipeline_over_the_whole_table(customers):
    # The table has identifiers, times and missing gaps, which the pipeline passes over or fills.
    table = customers.assign(country=np.resize(["DE", "FR", "GB"], len(customers)))
    model = make_pipeline(
        make_column_transformer(
            (OneHotEncoder(), ["country"]),
            (SimpleImputer(), ["mean_gap_days"]),
            ("passthrough", ["frequency"]),
        ),
        LinearRegression(),
    )
    tierer = ValueTierer(estimator=model).fit(table, table["monetary"])
    assert table["mean_gap_days"].isna().any()
    assert (tierer.labels_ >= 0).all()
    rows = table.to_dict("records")
    assert [tierer.predict_one(row) for row in rows] == tierer.predict_segments(table).tolist()


class Categorical(BaseEstimator):
    """Predicts by the codes of categories, as boosted trees do."""

    def fit(self, X, y=None):
        self.dtypes_ = X.dtypes
        return self

    def predict(self, X):
        assert (X.dtypes == self.dtypes_).all()
        return X["country"].cat.codes * 100.0 + X["frequency"]


def test_categories_are_those_of_fit_in_a_single_row():
    table = pd.DataFrame(
        {"country": pd.Categorical(["DE", "FR", "GB", "DE"]), "frequency": [1, 2, 3, 4]}
    )
    tierer = ValueTierer(estimator=Categorical(), cuts=(0.6,)).fit(table)
    names = tierer.predict_segments(table).tolist()
    assert names == ["B", "B", "A", "B"]  # 1, 102, 203 and 4
    assert [tierer.predict_one(row) for row in table.to_dict("records")] == names


def test_missing_values_that_the_estimator_reads_are_not_missing(customers):
    columns = ["frequency", "mean_gap_days"]
    model = HistGradientBoostingRegressor(random_state=0)
    for missing in ("raise", "unassigned"):
        tierer = ValueTierer(estimator=model, missing=missing)
        tierer.fit(customers[columns], customers["monetary"])
        assert (tierer.labels_ >= 0).all()
        assert get_tags(tierer).input_tags.allow_nan
    assert not get_tags(ValueTierer(estimator=LinearRegression())).input_tags.allow_nan
    assert not get_tags(ValueTierer()).input_tags.allow_nan


def test_missing_values_that_the_estimator_refuses_raise(customers):
    columns = ["frequency", "mean_gap_days"]
    n_missing = int(customers["mean_gap_days"].isna().sum())
    message = rf"LinearRegression refuses missing values.*\{{'mean_gap_days': {n_missing}\}}"
    with pytest.raises(MissingValuesError, match=message):
        ValueTierer(estimator=LinearRegression()).fit(customers[columns], customers["monetary"])
    complete = customers.dropna(subset="mean_gap_days")
    tierer = ValueTierer(estimator=LinearRegression())
    tierer.fit(complete[columns], complete["monetary"])
    for verb in (tierer.predict, tierer.transform, tierer.assign):
        with pytest.raises(MissingValuesError, match=message):
            verb(customers)
    for absent in (None, np.nan, pd.NA):
        with pytest.raises(MissingValuesError):
            tierer.predict_one({"frequency": 2, "mean_gap_days": absent})


def test_only_customers_whom_the_estimator_refuses_are_unassigned():
    # The imputer fills the second column, so only the first matters.
    X = pd.DataFrame(
        {"read": [1.0, 2, np.nan, 4, np.nan, 6], "filled": [1.0, np.nan, 3, np.nan, np.nan, 6]}
    )
    model = make_pipeline(
        make_column_transformer((SimpleImputer(), ["filled"]), ("passthrough", ["read"])),
        LinearRegression(),
    )
    fitted = model.fit(X.fillna(2.5), [1.0, 2, 3, 4, 5, 6])
    tierer = ValueTierer(estimator=FrozenEstimator(fitted), missing="unassigned").fit(X)
    assert (tierer.labels_ == -1).tolist() == [False, False, True, False, True, False]
    alone = [tierer.predict(X.iloc[[row]])[0] for row in range(6)]
    assert alone == tierer.labels_.tolist()


def test_an_unfitted_estimator_learns_from_the_complete_customers(customers):
    columns = ["frequency", "mean_gap_days"]
    complete = customers.dropna(subset="mean_gap_days")
    tierer = ValueTierer(estimator=LinearRegression(), missing="unassigned")
    tierer.fit(customers[columns], customers["monetary"])
    alone = LinearRegression().fit(complete[columns], complete["monetary"])
    np.testing.assert_allclose(tierer.estimator_.coef_, alone.coef_)
    assert (tierer.labels_ == -1).tolist() == customers["mean_gap_days"].isna().tolist()


def test_predicted_nan_is_missing():
    holed = REGIONS.assign(region=["n", None, *"nsnsn"])
    tierer = ValueTierer(estimator=Doubled(), missing="unassigned").fit(REGIONS)
    assert tierer.predict_segments(holed).tolist() == ["B", "unassigned", *SEVEN_TIERS[2:]]
    with pytest.raises(
        MissingValuesError, match="'predicted value' contains NaN or null in 1 of 7"
    ):
        ValueTierer(estimator=Doubled()).fit(holed)


@pytest.mark.parametrize("missing", ["raise", "unassigned"])
def test_infinities_never_reach_the_estimator(missing):
    infinite = REGIONS.assign(monetary=[np.inf, 1, 2, 3, 4, 5, 6])
    with pytest.raises(SegkitValueError, match="'monetary' contains infinity in 1 of 7"):
        ValueTierer(estimator=Doubled(), missing=missing).fit(infinite)
    tierer = ValueTierer(estimator=Doubled(), missing=missing).fit(REGIONS)
    with pytest.raises(SegkitValueError, match="'monetary' contains infinity"):
        tierer.predict_one({"region": "n", "monetary": np.inf})


class Predicting(BaseEstimator):
    """Predicts whatever it is told to."""

    def __init__(self, predict_with=None):
        self.predict_with = predict_with

    def fit(self, X, y=None):
        return self

    def predict(self, X):
        return self.predict_with(len(X))


@pytest.mark.parametrize(
    ("predict_with", "error", "message"),
    [
        (lambda n: np.ones(n + 1), SegkitValueError, r"one value for each of 7 .* shape \(8,\)"),
        (lambda n: np.ones((n, 2)), SegkitValueError, r"shape \(7, 2\)"),
        (lambda n: 3.0, SegkitValueError, r"shape \(\)"),
        (lambda n: np.full(n, np.inf), SegkitValueError, "'predicted value' contains infinity"),
        (lambda n: np.full(n, np.nan), MissingValuesError, "'predicted value' contains NaN"),
        (lambda n: np.full(n, "high"), SegkitTypeError, "must give numbers"),
        (lambda n: np.array(["high"] * n, dtype=object), SegkitTypeError, "must give numbers"),
        (lambda n: np.full(n, True), SegkitTypeError, "A classifier gives none"),
    ],
)
def test_predictions_that_are_no_values_are_refused(predict_with, error, message):
    with pytest.raises(error, match=message):
        ValueTierer(estimator=Predicting(predict_with)).fit(SEVEN)


@pytest.mark.parametrize(
    "as_predicted",
    [
        lambda values: values.reshape(-1, 1),
        lambda values: pd.Series(values, index=range(90, 97)),
        lambda values: values.astype(np.float32),
        lambda values: values.astype(int),
        lambda values: values.tolist(),
        lambda values: pd.Series(values).astype("Float64"),
    ],
)
def test_predictions_may_be_any_numbers_one_a_customer(as_predicted):
    predict = Predicting(lambda n: as_predicted(SEVEN["monetary"].to_numpy()[:n]))
    tierer = ValueTierer(estimator=predict).fit(SEVEN)
    assert [str(tierer.segments_[code]) for code in tierer.labels_] == SEVEN_TIERS


def test_a_classifier_of_text_is_refused():
    classifier = KNeighborsClassifier(1).fit(SEVEN, list("abcdefg"))
    with pytest.raises(SegkitTypeError, match="A classifier gives none; use a regressor"):
        ValueTierer(estimator=FrozenEstimator(classifier)).fit(SEVEN)


def test_text_that_an_estimator_cannot_read_is_refused_without_showing_it():
    secret = SEVEN.assign(email="ann@example.org", since=pd.Timestamp("2024-01-01"))
    for columns in (["monetary", "email"], ["monetary", "since"]):
        with pytest.raises(
            SegkitTypeError, match="LinearRegression cannot read the columns"
        ) as got:
            ValueTierer(estimator=LinearRegression()).fit(secret[columns], range(7))
        assert "example" not in "".join(traceback.format_exception(got.value))


def test_an_error_of_the_estimators_own_is_passed_on():
    def fail(n):
        raise ValueError("the model server sleeps")

    with pytest.raises(ValueError, match="the model server sleeps"):
        ValueTierer(estimator=Predicting(fail), missing="unassigned").fit(SEVEN.assign(gap=np.nan))


def test_a_frozen_estimator_that_was_never_fitted_says_so():
    with pytest.raises(NotFittedError, match="LinearRegression instance is not fitted yet"):
        ValueTierer(estimator=FrozenEstimator(LinearRegression())).fit(SEVEN)


class Duck:
    """Has what is needed and is no scikit-learn estimator."""

    def __init__(self, wrong=None):
        self.wrong = wrong

    def get_params(self, deep=False):
        return {"wrong": self.wrong}

    def fit(self, X, y=None):
        if self.wrong:
            raise ValueError(self.wrong)
        return self

    def predict(self, X):
        return X["monetary"]


def test_an_estimator_need_not_be_scikit_learns():
    assert ValueTierer(estimator=Duck()).fit(SEVEN).predict_segments(SEVEN).tolist() == SEVEN_TIERS
    with pytest.raises(ValueError, match="no quack"):
        ValueTierer(estimator=Duck("no quack")).fit(SEVEN)


def test_counts_that_cannot_be_are_refused_before_the_estimator_sees_them(customers):
    model = LinearRegression().fit(customers[["frequency"]], customers["monetary"])
    tierer = ValueTierer(estimator=FrozenEstimator(model)).fit(customers)
    with pytest.raises(SegkitValueError, match="'frequency' is negative in 1 of 1"):
        tierer.predict_one({"frequency": -1})


class Greedy(RegressorMixin, BaseEstimator):
    """Writes into what it is given."""

    def fit(self, X, y=None):
        self._spoil(X)
        return self

    def predict(self, X):
        self._spoil(X)
        return np.arange(1.0, len(X) + 1)

    def _spoil(self, X):
        if isinstance(X, np.ndarray):
            X[:] = 7
        else:
            X["monetary"] = 7


def test_an_estimator_that_writes_into_its_input_changes_nothing():
    frame, array = SEVEN.copy(), SEVEN.to_numpy(copy=True)
    for X in (frame, array):
        ValueTierer(estimator=Greedy()).fit(X).predict(X)
    pd.testing.assert_frame_equal(frame, SEVEN)
    np.testing.assert_array_equal(array, SEVEN.to_numpy())


def test_an_estimator_of_arrays_takes_their_first_columns(customers):
    array = customers[["frequency", "recency_days"]].to_numpy(dtype=float)
    fitted = LinearRegression().fit(array, customers["monetary"])
    wide = np.column_stack([array, np.full(len(array), 9.0)])
    tierer = ValueTierer(estimator=FrozenEstimator(fitted)).fit(wide)
    expected = ValueTierer().fit(frame_of(fitted.predict(array)))
    assert tierer.labels_.tolist() == expected.labels_.tolist()
    names = [tierer.predict_one(dict(enumerate(row))) for row in array]
    assert names == tierer.segments_[tierer.labels_].tolist()
    with pytest.raises(ValueError, match="minimum of 2 is required"):
        ValueTierer(estimator=FrozenEstimator(fitted)).fit(array[:, :1])
    with pytest.raises(SegkitValueError, match="was fitted on an array of 2 columns"):
        ValueTierer(estimator=FrozenEstimator(fitted)).fit(customers)


def test_an_empty_frame_gets_the_label():
    for tierer in (ValueTierer(), ValueTierer(estimator=Doubled())):
        assigned = tierer.fit(REGIONS).assign(REGIONS.head(0))
        assert len(assigned) == 0
        assert "value_tier" in assigned
        with pytest.raises(SegkitValueError, match="has no rows"):
            tierer.fit(REGIONS.head(0))


def test_a_tierer_with_an_unfitted_estimator_keeps_the_contract():
    check_segmenter(ValueTierer(estimator=Frequent()))


class Frequent(RegressorMixin, BaseEstimator):
    """Predicts the first column of an array, and the frequency of a frame."""

    def fit(self, X, y=None):
        if isinstance(X, pd.DataFrame):
            self.feature_names_in_ = np.array(["frequency"], dtype=object)
        return self

    def predict(self, X):
        values = X["frequency"] if isinstance(X, pd.DataFrame) else X[:, 0]
        values = np.asarray(values, dtype=float)
        if np.isnan(values).any():
            raise ValueError("Input X contains NaN.")
        return values


def test_parameters_set_after_fit_change_nothing_until_the_next():
    tierer = ValueTierer(estimator=Doubled()).fit(REGIONS)
    tierer.set_params(estimator=None, column="row")
    assert tierer.predict_segments(REGIONS).tolist() == SEVEN_TIERS
    assert tierer.describe()["rule"][0] == "predicted value ≥ 200"
    assert tierer.fit(REGIONS).describe()["rule"][0].startswith("row ≥")
    tierer.set_params(estimator=Doubled())
    assert tierer.predict(REGIONS).tolist() == tierer.labels_.tolist()


def test_masked_predictions_are_missing():
    class Masking(BaseEstimator):
        def fit(self, X, y=None):
            """Learn nothing, and return nothing."""

        def predict(self, X):
            values = np.asarray(X)[:, 0]
            return np.ma.masked_array(values, mask=values > 50)

    X = np.array([[10.0, 1], [60, 1], [30, 1]])
    tierer = ValueTierer(estimator=Masking(), missing="unassigned").fit(X)
    # 30 makes three quarters of what is left, and 10 the rest.
    assert tierer.labels_.tolist() == [0, -1, 0]


def test_a_text_to_predict_is_refused_without_quoting_it():
    X = np.arange(12.0).reshape(6, 2)
    with pytest.raises(SegkitTypeError, match="cannot read y") as raised:
        ValueTierer(estimator=LinearRegression()).fit(X, ["Ann Smith"] * 6)
    assert "Ann" not in str(raised.value)


def test_a_category_that_fit_did_not_see_is_missing_to_one_row_as_to_the_batch():
    frame = pd.DataFrame({"kind": pd.Categorical(["a", "b", "a", "b"]), "spend": [1.0, 2, 3, 4]})

    class ByKind(BaseEstimator):
        def fit(self, X, y=None):
            self.feature_names_in_ = np.array(X.columns, dtype=object)
            return self

        def predict(self, X):
            return X["spend"].to_numpy() + X["kind"].isna().to_numpy() * 100

    tierer = ValueTierer(estimator=ByKind()).fit(frame)
    unseen = frame.assign(kind=pd.Categorical(["c"] * 4, categories=["a", "b", "c"]))
    assert tierer.predict_one({"kind": "c", "spend": 1.0}) == "A"
    assert tierer.predict(frame)[0] != 0
    assert len(tierer.predict(unseen)) == 4
